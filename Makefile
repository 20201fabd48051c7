# The few commands of this project; `make help` lists them.

TARGET := $(or $(CARGO_TARGET_DIR),target)
# What `make up ARGS="--listen 127.0.0.1:9000"` and the like pass on.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help up test bench bench-page lint lint-deps fmt openapi check-manifests cluster-test compose-test test-cgroup2 soak chaos

help: ## List these targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F '|' '{ printf "  make %-15s %s\n", $$1, $$2 }'

up: ## Install what is missing, build, and run everything here; Ctrl-C ends it (ARGS="--listen 127.0.0.1:9000")
	@scripts/setup.sh --for up
	@scripts/page.sh build
	@cargo build --locked --release -p codementor
	@exec scripts/with-cgroups.sh $(TARGET)/release/codementor up $(ARGS)

test: ## Check format and lints and run every test against real servers (ARGS="name" for some)
	@scripts/test.sh $(ARGS)

bench: ## Measure the sandbox beside bare programs, and what the README states
	@scripts/setup.sh --for up
	@cargo build --locked --release -p codementor
	@cargo build --locked --release -p sandbox --example overhead
	@scripts/with-cgroups.sh $(TARGET)/release/examples/overhead
	@exec scripts/with-cgroups.sh $(TARGET)/release/codementor bench $(ARGS)

bench-page: ## Measure the page in Chromium, and fail where a figure misses its limit
	@scripts/setup.sh --for test
	@scripts/with-cgroups.sh scripts/page.sh bench

test-cgroup2: ## The sandbox's tests on pure cgroup v2, in an emulated guest (ARGS="name" for some)
	@scripts/test-cgroup2.sh $(ARGS)

soak: ## Hostile programs in the sandbox, and what they leave: nothing (RUNS=100000)
	@scripts/setup.sh --for test
	@CODEMENTOR_SOAK_RUNS=$(or $(RUNS),100000) scripts/with-cgroups.sh cargo test --locked --release -p sandbox --test lifecycle soak -- --nocapture

chaos: ## Kill and freeze every part under load, then audit (SECONDS=600, SEED=1 repeats a run's faults)
	@scripts/setup.sh --for test
	@cargo build --locked -p codementor
	@CODEMENTOR_CHAOS_SECONDS=$(or $(SECONDS),600) $(if $(SEED),CODEMENTOR_CHAOS_SEED=$(SEED)) \
	  cargo test --locked -p e2e --test it -- chaos --nocapture

lint: ## Clippy as CI runs it, and the licences of dependencies
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@scripts/lint-deps.sh

lint-deps:
	@scripts/lint-deps.sh

fmt: ## Format all code
	@cargo fmt --all

openapi: ## Write openapi.json anew from the routes
	@cargo run --locked --quiet -p codementor -- openapi > $(TARGET)/openapi.json
	@mv $(TARGET)/openapi.json openapi.json

check-manifests: ## Render and check k8s/ and the compose file, without a cluster
	@scripts/check-manifests.sh

cluster-test: ## Apply k8s/overlays/dev to the cluster of KUBECONFIG, and see it do what it should
	@scripts/cluster-test.sh

compose-test: ## Run docker-compose.yml for real, with any Docker engine: build, submit, kill, stop and start (ARGS="--no-build")
	@scripts/compose-test.sh $(ARGS)
