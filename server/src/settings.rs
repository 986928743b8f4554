//! A node's settings, from defaults, file, environment (`SHARDDB_*`) and flags, in rising order.

use crate::cli::{Role, StartArgs};
use crate::node::failpoint::Failpoint;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Everything that a node is told from outside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where the data lives.
    pub data_dir: PathBuf,
    /// Address for PostgreSQL clients.
    pub sql_listen: String,
    /// Address for other nodes.
    pub rpc_listen: String,
    /// Address for metrics and health.
    pub http_listen: String,
    /// Address under which other nodes reach this one; empty is `rpc_listen`.
    pub advertise_rpc: String,
    /// What this process does.
    #[serde(deserialize_with = "one_or_many")]
    pub roles: Vec<Role>,
    /// The first nodes' advertised addresses; empty for a cluster of one.
    #[serde(deserialize_with = "one_or_many")]
    pub join: Vec<String>,
    /// Log filter, as in `RUST_LOG`.
    pub log: String,
    /// Most SQL connections at a time.
    pub max_connections: u32,
    /// Bytes of RocksDB block cache.
    pub cache_bytes: u64,
    /// Writes are refused when the disk has fewer bytes left than this.
    pub reserve_bytes: u64,
    /// Bearer token that opens the debug endpoints to other than loopback; empty: loopback only.
    pub http_token: String,
    /// For tests: the moment of a commit at which the process ends; empty: none.
    pub failpoint: String,
}

/// Why the settings are unusable, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SettingsError(String);

impl Settings {
    /// Reads all sources.
    pub(crate) fn load(args: &StartArgs) -> Result<Settings, SettingsError> {
        let wrong = |e: config::ConfigError| SettingsError(format!("invalid settings: {e}"));
        let mut builder = config::Config::builder();
        for (name, value) in DEFAULTS {
            builder = builder.set_default(*name, *value).map_err(wrong)?;
        }
        if let Some(file) = &args.config {
            builder = builder.add_source(source(file)?);
        }
        let environment = config::Environment::with_prefix("SHARDDB").try_parsing(false);
        builder = builder.add_source(environment);
        for (name, value) in flags(args) {
            builder = builder.set_override(name, value).map_err(wrong)?;
        }
        let mut settings: Settings =
            builder.build().and_then(config::Config::try_deserialize).map_err(wrong)?;
        if settings.advertise_rpc.is_empty() {
            settings.advertise_rpc.clone_from(&settings.rpc_listen);
        }
        settings.validate()?;
        Ok(settings)
    }

    /// True when the process has the role.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    fn validate(&self) -> Result<(), SettingsError> {
        let addresses = [
            ("sql_listen", &self.sql_listen),
            ("rpc_listen", &self.rpc_listen),
            ("http_listen", &self.http_listen),
            ("advertise_rpc", &self.advertise_rpc),
        ];
        for (name, address) in addresses.into_iter().chain(self.join.iter().map(|a| ("join", a))) {
            check_address(name, address)?;
        }
        if !self.failpoint.is_empty() && Failpoint::named(&self.failpoint).is_none() {
            return Err(SettingsError(format!("failpoint: \"{}\" is not known", self.failpoint)));
        }
        if self.roles.is_empty() {
            return Err(SettingsError("roles must name at least one of meta, shard, proxy".into()));
        }
        let mut join = self.join.clone();
        join.sort();
        join.dedup();
        if join.len() != self.join.len() {
            return Err(SettingsError("join names an address twice".into()));
        }
        if self.join.is_empty() && !(self.has(Role::Meta) && self.has(Role::Shard)) {
            return Err(SettingsError(
                "a node without the roles meta and shard needs --join to find a cluster".into(),
            ));
        }
        Ok(())
    }
}

const DEFAULTS: &[(&str, &str)] = &[
    ("data_dir", "./sharddb-data"),
    ("sql_listen", "127.0.0.1:5433"),
    ("rpc_listen", "127.0.0.1:7433"),
    ("http_listen", "127.0.0.1:8080"),
    ("advertise_rpc", ""),
    ("roles", "meta,shard,proxy"),
    ("join", ""),
    ("log", "warn"),
    ("max_connections", "1000"),
    ("cache_bytes", "134217728"),
    ("reserve_bytes", "67108864"),
    ("http_token", ""),
    ("failpoint", ""),
];

fn source(
    path: &Path,
) -> Result<config::File<config::FileSourceString, config::FileFormat>, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| SettingsError(format!("cannot read {}: {e}", path.display())))?;
    Ok(config::File::from_str(&text, config::FileFormat::Toml))
}

fn flags(args: &StartArgs) -> Vec<(&'static str, String)> {
    let roles = args.roles.as_ref().map(|roles| {
        let names: Vec<String> = roles.iter().map(|r| format!("{r:?}").to_lowercase()).collect();
        names.join(",")
    });
    [
        ("data_dir", args.data_dir.as_ref().map(|p| p.display().to_string())),
        ("sql_listen", args.sql_listen.clone()),
        ("rpc_listen", args.rpc_listen.clone()),
        ("http_listen", args.http_listen.clone()),
        ("advertise_rpc", args.advertise_rpc.clone()),
        ("roles", roles),
        ("join", args.join.as_ref().map(|join| join.join(","))),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect()
}

fn check_address(name: &str, address: &str) -> Result<(), SettingsError> {
    let port = address
        .rsplit_once(':')
        .and_then(|(host, port)| if host.is_empty() { None } else { port.parse::<u16>().ok() });
    match port {
        Some(_) => Ok(()),
        None => Err(SettingsError(format!("{name}: \"{address}\" is not host:port"))),
    }
}

/// Accepts a list, or one string with commas.
fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let items = match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => text.split(',').map(|s| s.trim().to_owned()).collect(),
        OneOrMany::Many(items) => items,
    };
    items
        .into_iter()
        .filter(|item| !item.is_empty())
        .map(|item| {
            serde_json::from_value(serde_json::Value::String(item))
                .map_err(serde::de::Error::custom)
        })
        .collect()
}
