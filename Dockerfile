# Two stages: build with the compiler and RocksDB's needs, run with neither.
FROM rust:1.95-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential clang libclang-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# The caches keep RocksDB's objects between builds; the binary is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --package sharddb-server \
 && install -D target/release/sharddb /out/sharddb

FROM debian:bookworm-slim AS run
# curl is for the health check. The home has no files in it: a data directory begins empty.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --no-create-home --home-dir /data --uid 7433 sharddb \
 && install --directory --owner sharddb --group sharddb /data
COPY --from=build /out/sharddb /usr/local/bin/sharddb
USER sharddb
WORKDIR /data
VOLUME /data
# SQL, other nodes, HTTP.
EXPOSE 5433 7433 8080
# The time to finish requests and hand leaders over is given by docker stop.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/ready"]
ENTRYPOINT ["sharddb"]
CMD ["start", "--data-dir", "/data", "--sql-listen", "0.0.0.0:5433", "--rpc-listen", "0.0.0.0:7433", "--http-listen", "0.0.0.0:8080"]
