# One command each; every one installs what it lacks. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TOOLS := $(CURDIR)/.tools
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# `--locked` in CI: a Cargo.lock that does not fit Cargo.toml is a failure there, and is updated here.
LOCKED ?=

CARGO_DENY_VERSION := 0.20.2
CARGO_DENY_ROOT := $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)
CARGO_DENY := $(CARGO_DENY_ROOT)/bin/cargo-deny

# What the end-to-end harness reads to find the binaries and servers.
export WALWARDEN_TEST_BIN_DIR = $(TARGET)/debug
export WALWARDEN_TEST_WEED = $(TOOLS)/bin/weed
export WALWARDEN_TEST_PYTHON = $(TOOLS)/verifier/venv/bin/python

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what is missing: Postgres 15, jq, an S3 test server, a Python with Ed25519
	@tests/setup.sh "$(TOOLS)"

.PHONY: bins
bins:
	cargo build $(LOCKED) --workspace --bins

.PHONY: demo
demo: setup bins ## back up and restore a sample database, end to end, in a throw-away directory
	"$(TARGET)/debug/walwarden-api" demo

# Builds the two binaries and the examples too, because their packages have integration tests; building them apart first
# would compile half of the dependencies twice, with and without the features that tests ask for.
.PHONY: test
test: setup ## every test, against real servers and the real binaries
	cargo test $(LOCKED) --workspace --no-fail-fast

.PHONY: lint
lint: $(CARGO_DENY) ## formatting, clippy, generated files, docs, dependencies
	@echo '== rustfmt'
	cargo fmt --all --check
	@echo '== clippy'
	cargo clippy $(LOCKED) --workspace --all-targets -- -D warnings
	@echo '== generated files'
	cargo run $(LOCKED) --quiet -p walwarden-contract --bin generate -- --check
	@echo '== rustdoc'
	RUSTDOCFLAGS=-Dwarnings cargo doc $(LOCKED) --no-deps --workspace
	@echo '== cargo deny'
	"$(CARGO_DENY)" check bans licenses sources

# The target's parts of the standard library come with rustup.
STATIC := x86_64-unknown-linux-musl

.PHONY: verifier
verifier: ## walwarden-verify as one static file, for a machine that has nothing
	@rustup target list --installed | grep -qx $(STATIC) || { echo "setup: adding the target $(STATIC)"; rustup target add $(STATIC); }
	cargo build $(LOCKED) --release -p walwarden-contract --no-default-features --features verifier --bin walwarden-verify --target $(STATIC)
	@echo "$(TARGET)/$(STATIC)/release/walwarden-verify"

# Built here and not taken from a package: the packaged one is too old to read this workspace. Unoptimized, because it
# runs for three seconds.
$(CARGO_DENY):
	@echo "setup: building cargo-deny $(CARGO_DENY_VERSION) into $(TOOLS) (one to two minutes, once)"
	@CARGO_TARGET_DIR="$(TOOLS)/build" CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
		CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
		cargo install --quiet --locked --no-default-features --root "$(CARGO_DENY_ROOT)" --version $(CARGO_DENY_VERSION) cargo-deny
	@rm -rf "$(TOOLS)/build"

.PHONY: advisories
advisories: $(CARGO_DENY) ## known vulnerabilities among the dependencies; fetches the advisory database
	"$(CARGO_DENY)" check advisories

# For example: make test-contract CONTRACT_ARGS='--seeds 7 --seconds 600'
CONTRACT_ARGS ?=

.PHONY: test-contract
test-contract: setup bins ## the API description and the running server, judged by tools from outside (4 to 5 minutes)
	@tests/contract.sh "$(TOOLS)/contract" "$(TARGET)/debug/contract" $(CONTRACT_ARGS)

# Of the release binaries each command builds what it needs: linking one takes minutes.
PRODUCT := --bin walwarden --bin walwarden-api

# For example: make bench BENCH_ARGS='--large'
BENCH_ARGS ?=

.PHONY: bench
bench: setup ## backup and restore against bare pg_dump and pg_restore, as ratios
	cargo build $(LOCKED) --release --workspace $(PRODUCT) --bin bench
	WALWARDEN_TEST_BIN_DIR="$(TARGET)/release" "$(TARGET)/release/bench" $(BENCH_ARGS)

.PHONY: bench-api
bench-api: setup ## requests per second of the API on one core
	@command -v wrk >/dev/null || tests/setup.sh "$(TOOLS)" wrk
	cargo build $(LOCKED) --release --workspace $(PRODUCT) --bin bench
	WALWARDEN_TEST_BIN_DIR="$(TARGET)/release" "$(TARGET)/release/bench" --api

.PHONY: bench-memory
bench-memory: setup ## what a worker holds for artifacts of 1, 8 and 32 GiB (about 12 minutes and 45 GB of disk)
	cargo build $(LOCKED) --release --workspace $(PRODUCT) --bin bench
	WALWARDEN_TEST_BIN_DIR="$(TARGET)/release" "$(TARGET)/release/bench" --memory 1,8,32

.PHONY: bench-store
bench-store: setup ## 25,000 schedules, and eight workers at the queue, on SQLite and Postgres
	cargo bench $(LOCKED) --workspace --bench store

# For example: make soak SOAK_ARGS='--minutes 1 --databases 12 --workers 4 --rest-seconds 0'
SOAK_ARGS ?=

.PHONY: soak
soak: setup ## 30 minutes of killed workers and a failing bucket, then every backup restored and compared (about 50 minutes)
	cargo build $(LOCKED) --release --workspace $(PRODUCT) --bin soak
	WALWARDEN_TEST_BIN_DIR="$(TARGET)/release" "$(TARGET)/release/soak" $(SOAK_ARGS)

CARGO_FUZZ_VERSION := 0.13.2
CARGO_FUZZ_ROOT := $(TOOLS)/cargo-fuzz-$(CARGO_FUZZ_VERSION)
FUZZ_SECONDS ?= 600

.PHONY: fuzz
fuzz: setup $(CARGO_FUZZ_ROOT)/bin/cargo-fuzz ## what strangers hand in, at random, for ten minutes: bundles, manifests, checkpoints, tokens
	cargo run $(LOCKED) --quiet -p walwarden-evidence --bin evidence -- seeds "$(TOOLS)/fuzz/seeds"
	@PATH="$(CARGO_FUZZ_ROOT)/bin:$$PATH" tests/fuzz.sh "$(TOOLS)/fuzz" "$(TARGET)/fuzz" "$(FUZZ_SECONDS)"

$(CARGO_FUZZ_ROOT)/bin/cargo-fuzz:
	@tests/setup.sh "$(TOOLS)" g++
	@echo "setup: building cargo-fuzz $(CARGO_FUZZ_VERSION) into $(TOOLS) (one to two minutes, once)"
	@CARGO_TARGET_DIR="$(TOOLS)/build" CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
		CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
		cargo install --quiet --locked --root "$(CARGO_FUZZ_ROOT)" --version $(CARGO_FUZZ_VERSION) cargo-fuzz
	@rm -rf "$(TOOLS)/build"

.PHONY: clean-tools
clean-tools: ## remove what setup and lint put into .tools (system packages stay)
	rm -rf "$(TOOLS)"
