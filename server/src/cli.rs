//! The command line. Scripts rely on these names.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A PostgreSQL-compatible distributed SQL database.
#[derive(Debug, Parser)]
#[command(name = "sharddb", version, about, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a node: alone it is a cluster of one; with --join it forms or joins a cluster.
    Start(StartArgs),
    /// Start a local cluster in a temporary directory; Ctrl-C removes it.
    Demo(DemoArgs),
    /// Show nodes, ranges and leaders.
    Status(TargetArgs),
    /// Look at and change the cluster.
    Cluster(ClusterArgs),
    /// Measure requests per second and latencies.
    Bench(BenchArgs),
}

/// `sharddb start`. Flags win over SHARDDB_* variables, those over the file, that over defaults.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct StartArgs {
    /// Where the data lives [default: ./sharddb-data].
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address for PostgreSQL clients [default: 127.0.0.1:5433].
    #[arg(long, value_name = "H:P")]
    pub sql_listen: Option<String>,
    /// Address for other nodes [default: 127.0.0.1:7433].
    #[arg(long, value_name = "H:P")]
    pub rpc_listen: Option<String>,
    /// Address for metrics and health [default: 127.0.0.1:8080].
    #[arg(long, value_name = "H:P")]
    pub http_listen: Option<String>,
    /// Address under which other nodes reach this one [default: the one it listens on].
    #[arg(long, value_name = "H:P")]
    pub advertise_rpc: Option<String>,
    /// What this process does: meta, shard, proxy [default: all three].
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    pub roles: Option<Vec<Role>>,
    /// The advertised addresses of the first nodes, the same list on each of them.
    #[arg(long, value_name = "H:P,…", value_delimiter = ',')]
    pub join: Option<Vec<String>>,
    /// A TOML file with the same settings, names with underscores [env: SHARDDB_CONFIG].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Stop when standard input ends: set by the process that starts a node for itself alone.
    #[arg(long, hide = true)]
    pub with_parent: bool,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Votes in the meta group.
    Meta,
    /// Holds ranges.
    Shard,
    /// Accepts SQL.
    Proxy,
}

/// `sharddb demo`.
#[derive(Args, Clone, Debug)]
pub(crate) struct DemoArgs {
    /// How many nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=9))]
    pub nodes: u16,
}

/// Which cluster to ask.
#[derive(Args, Clone, Debug)]
pub(crate) struct TargetArgs {
    /// RPC addresses of nodes; the first one that answers is asked.
    #[arg(
        long,
        value_name = "H:P,…",
        value_delimiter = ',',
        default_value = "127.0.0.1:7433",
        env = "SHARDDB_JOIN"
    )]
    pub join: Vec<String>,
}

/// `sharddb cluster …`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClusterArgs {
    /// Which cluster.
    #[command(flatten)]
    pub target: TargetArgs,
    /// What to do.
    #[command(subcommand)]
    pub action: ClusterAction,
}

/// Cluster operations.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ClusterAction {
    /// Split at a key (hex), or a table in front of one primary key: `split orders 2024 17`.
    Split {
        /// A key in hex as `cluster ranges` prints it, or a table's name.
        key_or_table: String,
        /// For a table: values of the first columns of its primary key, an argument each; the row
        /// with this key is the first one of the new range.
        #[arg(allow_negative_numbers = true)]
        at: Vec<String>,
    },
    /// Move a range's replica to another node.
    Move {
        /// Range id.
        range: u64,
        /// Node that gets the replica.
        node: u64,
        /// Node that loses it [default: a dead one, else the follower with the most replicas].
        #[arg(long)]
        from: Option<u64>,
    },
    /// Make a node the leader of a range.
    Transfer {
        /// Range id.
        range: u64,
        /// Node with a replica.
        node: u64,
    },
    /// List ranges.
    Ranges,
    /// List nodes.
    Nodes,
}

/// `sharddb bench`.
#[derive(Args, Clone, Debug)]
pub(crate) struct BenchArgs {
    /// Where to connect.
    #[arg(long, default_value = "postgresql://postgres@127.0.0.1:5433/postgres")]
    pub url: String,
    /// What to run.
    #[arg(long, value_enum, default_value_t = Workload::Mixed)]
    pub workload: Workload,
    /// Connections.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: u32,
    /// Seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub duration: u64,
}

/// Benchmark workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// Eight point reads to two updates.
    Mixed,
    /// Point reads.
    Read,
    /// pgbench's default transaction.
    Tpcb,
}
