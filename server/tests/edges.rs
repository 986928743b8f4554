//! Who may import whom. The table is the architecture's; a crate that needs a new edge needs a
//! reason first, written down in `docs/decisions`.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Crate, and the crates of ours that it may import. The binary and the simulator come last.
const EDGES: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("types", &["base"]),
    ("wire", &[]),
    ("rpc", &["base"]),
    ("storage", &["base"]),
    ("consensus", &["base"]),
    ("shard", &["storage", "consensus", "base"]),
    ("meta", &["consensus", "base"]),
    ("txn", &["base"]),
    ("catalog", &["txn", "types", "base"]),
    ("sql", &["catalog", "txn", "types", "base"]),
    (
        "server",
        &[
            "base",
            "types",
            "wire",
            "rpc",
            "storage",
            "consensus",
            "shard",
            "meta",
            "txn",
            "catalog",
            "sql",
        ],
    ),
    ("sim", &["base", "types", "storage", "consensus", "shard", "meta", "txn", "catalog", "sql"]),
];

/// Sockets, threads and timers: only these crates may.
const RUNTIME_CRATES: &[&str] = &["rpc", "server"];
/// What brings them.
const RUNTIMES: &[&str] = &["tokio", "tokio-util", "async-std", "smol", "mio", "socket2", "axum"];

/// Normal and build dependencies of each crate of the workspace, ours without their prefix.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let short = |name: &Value| {
        let name = name.as_str().expect("a name");
        name.strip_prefix("sharddb-").unwrap_or(name).to_owned()
    };
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let names = dependencies
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| short(&dependency["name"]));
            (short(&package["name"]), names.collect())
        })
        .collect()
}

#[test]
fn crates_import_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    for (name, dependencies) in dependencies() {
        let Some(allowed) = table.get(name.as_str()) else {
            panic!("crate {name} is not in the table of {}", file!())
        };
        for dependency in &dependencies {
            let is_ours = table.contains_key(dependency.as_str());
            assert!(
                !is_ours || allowed.contains(&dependency.as_str()),
                "{name} imports {dependency}, which the architecture does not allow"
            );
        }
    }
}

#[test]
fn the_table_names_every_crate_once() {
    let names: BTreeSet<String> = EDGES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names.len(), EDGES.len());
    assert_eq!(names, dependencies().into_keys().collect());
}

#[test]
fn only_rpc_and_server_touch_sockets_and_threads_of_a_runtime() {
    for (name, dependencies) in dependencies() {
        if RUNTIME_CRATES.contains(&name.as_str()) {
            continue;
        }
        for runtime in RUNTIMES {
            assert!(!dependencies.contains(*runtime), "{name} imports {runtime}");
        }
    }
}
