#!/bin/sh
# Applies k8s/overlays/dev to a cluster and shows that it does what it says: scripts/deployment/cluster.py lists what. Everything is made
# in the namespaces `codementor` and `codementor-client`, which are removed first and, unless KEEP is set, afterwards.
#
#   KUBECONFIG       the cluster; one node with 2 processors and 6 GB is enough; never one that somebody needs
#   KUBECTL          how to call it, default kubectl
#   CLUSTER_LOAD     what loads an archive of images into it, the archive's path follows: "kind load image-archive",
#                    "minikube image load", "ctr -n k8s.io images import"; without it the cluster must have or find the images
#   CLUSTER_IMAGES   the archive; without it the images are made by scripts/stand-in-images.sh (root, debootstrap, 4 GB)
#   ONLY             parts of the test by name, with spaces between; default all
set -eu
cd "$(dirname "$0")/.."
say() { printf 'cluster-test: %s\n' "$*" >&2; }
kubectl=${KUBECTL:-kubectl}
$kubectl version >/dev/null 2>&1 || { say "no cluster answers to '$kubectl version': set KUBECONFIG (or KUBECTL)"; exit 1; }
if [ -n "${CLUSTER_LOAD:-}" ]; then
    images=${CLUSTER_IMAGES:-}
    if [ -z "$images" ]; then
        folder=${CARGO_TARGET_DIR:-target}/images
        images=$(scripts/stand-in-images.sh "$folder")
    fi
    say "loading $images"
    $CLUSTER_LOAD "$images" >/dev/null
fi
scripts/make-secrets.sh k8s/overlays/dev/secrets
PYTHONDONTWRITEBYTECODE=1 exec python3 scripts/deployment/cluster.py "$kubectl"
