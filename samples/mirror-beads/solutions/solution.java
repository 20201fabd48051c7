class Solution {
    private static final int COLOURS = 10;

    public long countMirrorPieces(String beads) {
        // Which colours are odd so far, a bit for each, and how often every such state has been met.
        int odd = 0;
        int[] met = new int[1 << COLOURS];
        met[odd] = 1;
        long pieces = 0;
        for (int i = 0; i < beads.length(); i++) {
            odd ^= 1 << (beads.charAt(i) - 'a');
            // At most one colour may be odd in a piece.
            pieces += met[odd];
            for (int colour = 0; colour < COLOURS; colour++) {
                pieces += met[odd ^ (1 << colour)];
            }
            met[odd]++;
        }
        return pieces;
    }
}
