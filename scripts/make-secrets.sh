#!/bin/sh
# Makes what must differ from one installation to the next: the database's password and a key for each service that calls
# others. What is there already stays. Neither the project nor its images hold any of it.
#
#   scripts/make-secrets.sh                        for compose: ./secrets and ./.env
#   scripts/make-secrets.sh FOLDER [DATABASE_URL]  for Kubernetes: see k8s/README.md; without an address, that of the dev overlay
set -eu

say() { printf 'make-secrets: %s\n' "$*" >&2; }
command -v openssl >/dev/null || { say 'openssl is missing: apt-get install openssl'; exit 1; }

if [ $# -gt 0 ]; then
    folder=$1
    env_file=
else
    cd "$(dirname "$0")/.."
    folder=secrets
    env_file=.env
fi

# Nobody else enters the folder. The files are readable, for containers read them under a user id of their own.
mkdir -p "$folder"
chmod 0700 "$folder"

# Whole or not at all: beside it first, then in its place. The content comes from standard input.
put() {
    cat >"$folder/.new"
    chmod 0644 "$folder/.new"
    mv "$folder/.new" "$folder/$1"
}

if [ ! -s "$folder/postgres-password" ]; then
    openssl rand -hex 24 | tr -d '\n' | put postgres-password
fi
password=$(cat "$folder/postgres-password")
if [ -n "${2:-}" ] || [ ! -s "$folder/database-url" ]; then
    printf '%s' "${2:-postgres://codementor:$password@postgres:5432/codementor}" | put database-url
fi

# As `codementor setup --keys` makes them: PKCS#8 in PEM, and all public keys as one JWKS.
keys=
for name in gateway execute question evaluation; do
    if [ ! -s "$folder/$name.pem" ]; then
        openssl genpkey -algorithm ed25519 | put "$name.pem"
    fi
    # The last 32 bytes of the public key's DER are the key.
    x=$(openssl pkey -in "$folder/$name.pem" -pubout -outform DER | tail -c 32 | openssl base64 -A | tr '+/' '-_' | tr -d '=')
    keys="$keys${keys:+,}
    {\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"x\": \"$x\", \"kid\": \"$name\", \"alg\": \"EdDSA\", \"use\": \"sig\"}"
done
printf '{\n  "keys": [%s\n  ]\n}\n' "$keys" | put trusted.json

if [ -n "$env_file" ] && ! grep -qs '^POSTGRES_PASSWORD=' "$env_file"; then
    (umask 077 && printf 'POSTGRES_PASSWORD=%s\n' "$password" >>"$env_file")
fi
say "secrets are in $folder"
