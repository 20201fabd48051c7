// Wrong: there can be more pieces than an int can count.
class Solution {
    private static final int COLOURS = 10;

    public long countMirrorPieces(String beads) {
        int odd = 0;
        int[] met = new int[1 << COLOURS];
        met[odd] = 1;
        int pieces = 0;
        for (int i = 0; i < beads.length(); i++) {
            odd ^= 1 << (beads.charAt(i) - 'a');
            pieces += met[odd];
            for (int colour = 0; colour < COLOURS; colour++) {
                pieces += met[odd ^ (1 << colour)];
            }
            met[odd]++;
        }
        return pieces;
    }
}
