# make run     installs what is missing (Debian), builds, starts one node in ./sharddb-data
# make test    format, lints, import edges, all tests
# Everything is built with --release: RocksDB is compiled once, in that profile.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(HOME)/.cargo/bin:$(PATH)

TARGET := $(or $(CARGO_TARGET_DIR),target)
SHARDDB := $(TARGET)/release/sharddb

.PHONY: run build test fmt clippy edges deny tests deps

run: build
	exec $(SHARDDB) start

build: deps
	cargo build --release --locked

deps:
	@.ci/install

test: deps fmt clippy edges deny tests

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --release --locked --workspace --all-targets -- -D warnings

edges:
	cargo test --release --locked --package sharddb-server --test edges

# Licences, sources and banned crates (deny.toml), where cargo-deny is installed.
deny:
	if command -v cargo-deny > /dev/null; then cargo deny check bans licenses sources; fi

tests:
	cargo test --release --locked --workspace
