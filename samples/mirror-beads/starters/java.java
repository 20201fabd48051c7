class Solution {
    public long countMirrorPieces(String beads) {
        return 0;
    }
}
