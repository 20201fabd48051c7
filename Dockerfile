# CodeMentor as images. Two targets of one build:
#
#   docker build --tag codementor:0.1.0 .                                  every service but the runner, and `setup`
#   docker build --tag codementor-runner:0.1.0 --target runner .           the same binary, with toolchains beside it
#
# Toolchains are in the runner's alone: what is not there cannot be misused. It has C, C++, Java, Python, PyPy and JavaScript;
# TypeScript, Go, Rust and Kotlin are a folder that scripts/toolchains.sh makes, mounted at /usr/local/lib/codementor/toolchains.

# The page, built by npm; the gateway has it inside.
FROM node:20.20.2-bookworm-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY openapi.json /src/openapi.json
COPY web ./
RUN npm run build

# Only what says which dependencies there are: as long as that does not change, the stage after the next one is cached.
FROM debian:12.12-slim AS manifests
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY crates crates
RUN find crates -type f ! -name Cargo.toml -delete && find crates -type d -empty -delete

FROM rust:1.95.0-slim-bookworm AS build
# librdkafka is built from source.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make pkg-config python3 zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies, apart from our own code: empty crates in its place.
COPY --from=manifests /src ./
RUN for crate in crates/*; do \
        mkdir -p "$crate/src" "$crate/tests/it" \
        && touch "$crate/src/lib.rs" \
        && echo 'fn main() {}' | tee "$crate/src/main.rs" >"$crate/tests/it/main.rs"; \
    done \
    && cargo build --locked --release --package codementor \
    && rm -rf crates
COPY openapi.json openapi.json
COPY migrations migrations
COPY samples samples
COPY crates crates
COPY --from=page /src/web/dist web/dist
# Cargo compares times, and the empty crates are younger than these files.
RUN find crates -name '*.rs' -exec touch {} + \
    && cargo build --locked --release --package codementor \
    && install -D target/release/codementor /out/codementor

# curl asks /readyz for compose; Kubernetes asks by itself.
FROM debian:12.12-slim AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 codementor \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin codementor \
    && install -d -o codementor -g codementor /var/lib/codementor /var/lib/codementor/blobs
COPY --from=build /out/codementor /usr/local/bin/codementor
# Beyond the container's own loopback; nothing but these ports is served.
ENV CODEMENTOR_LISTEN=0.0.0.0:8080 \
    CODEMENTOR_OPS_LISTEN=0.0.0.0:9080
EXPOSE 8080 9080
STOPSIGNAL SIGTERM
ENTRYPOINT ["codementor"]

# The runner is root inside its container, and this is what for: it makes namespaces and mounts for each slot, gives every slot
# a user id of its own that is not the runner's, and limits it by cgroups. Without root it could give all programs but one id,
# its own. It needs the capabilities CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID, SETPCAP and SYS_ADMIN, and no others; where
# there are user namespaces (`hostUsers: false`), these count for nothing outside the pod. Learners' programs have none of them.
FROM base AS runner
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        gcc g++ libc6-dev openjdk-17-jdk-headless python3 pypy3 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -m 0700 /var/lib/codementor/runner
# Debian's is too old to find out by itself whether a file is a module.
COPY --from=page /usr/local/bin/node /usr/local/bin/node
USER root
CMD ["runner"]

# Last, so that it is what a build without a target makes. `codementor backup` and `restore` want Postgres' client tools.
FROM base AS service
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
CMD ["--help"]
