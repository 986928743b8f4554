//! A node's settings, from defaults, file, environment (`SHARDDB_*`) and flags, in rising order.

use crate::cli::{Role, StartArgs};
use crate::node::failpoint::Failpoint;
use crate::pg::Trust;
use serde::Deserialize;
use std::collections::HashMap;
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
    /// From where SQL clients are let in: `loopback`, `private` networks too, or `any`.
    pub sql_trust: Trust,
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
    /// Reads all sources; `environment` are the process's variables.
    pub(crate) fn load(
        args: &StartArgs,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings, SettingsError> {
        let wrong = |e: config::ConfigError| SettingsError(format!("invalid settings: {e}"));
        let mut builder = config::Config::builder();
        for (name, value) in DEFAULTS {
            builder = builder.set_default(*name, *value).map_err(wrong)?;
        }
        let mut environment: HashMap<String, String> = environment.into_iter().collect();
        let file = environment.remove(CONFIG_VARIABLE).map(PathBuf::from);
        if let Some(file) = args.config.as_ref().or(file.as_ref()) {
            builder = builder.add_source(source(file)?);
        }
        let variables = config::Environment::with_prefix("SHARDDB").source(Some(environment));
        builder = builder.add_source(variables);
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

    /// The address under which others reach what listens here: behind a wildcard it is the host
    /// that is advertised.
    pub(crate) fn advertised(&self, listen: &str) -> String {
        match (listen.rsplit_once(':'), self.advertise_rpc.rsplit_once(':')) {
            (Some((host, port)), Some((advertised, _))) if is_wildcard(host) => {
                format!("{advertised}:{port}")
            }
            _ => listen.to_owned(),
        }
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
        let host = self.advertise_rpc.rsplit_once(':').map_or("", |(host, _)| host);
        if !self.join.is_empty() && is_wildcard(host) {
            return Err(SettingsError(format!(
                "other nodes cannot reach {}: name an address with --advertise-rpc",
                self.advertise_rpc
            )));
        }
        if self.join.is_empty() && !(self.has(Role::Meta) && self.has(Role::Shard)) {
            return Err(SettingsError(
                "a node without the roles meta and shard needs --join to find a cluster".into(),
            ));
        }
        Ok(())
    }
}

/// The variable that names the file.
const CONFIG_VARIABLE: &str = "SHARDDB_CONFIG";

const DEFAULTS: &[(&str, &str)] = &[
    ("data_dir", "./sharddb-data"),
    ("sql_listen", "127.0.0.1:5433"),
    ("rpc_listen", "127.0.0.1:7433"),
    ("http_listen", "127.0.0.1:8080"),
    ("advertise_rpc", ""),
    ("roles", "meta,shard,proxy"),
    ("join", ""),
    ("log", "warn"),
    ("sql_trust", "loopback"),
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

/// Every address of the machine, and none that others could connect to.
fn is_wildcard(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_unspecified())
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn args() -> StartArgs {
        StartArgs::default()
    }

    fn load(args: &StartArgs, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Settings::load(args, variables.collect::<Vec<_>>()).map_err(|error| error.to_string())
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn flags_win_over_variables_those_over_the_file_and_that_over_defaults() {
        let file = file("sql_listen = \"file:1\"\nlog = \"info\"\nmax_connections = 7\n");
        let path = file.path().to_str().unwrap();
        let none: &[(&str, &str)] = &[];
        let variable = &[("SHARDDB_SQL_LISTEN", "variable:2")][..];
        let by_variable = &[("SHARDDB_CONFIG", path)][..];
        for (has_flag, variables, has_file, expected) in [
            (false, none, false, "127.0.0.1:5433"),
            (false, none, true, "file:1"),
            (false, by_variable, false, "file:1"),
            (false, variable, false, "variable:2"),
            (false, variable, true, "variable:2"),
            (true, none, false, "flag:3"),
            (true, none, true, "flag:3"),
            (true, variable, true, "flag:3"),
        ] {
            let args = StartArgs {
                sql_listen: has_flag.then(|| "flag:3".into()),
                config: has_file.then(|| path.into()),
                ..args()
            };
            let settings = load(&args, variables).unwrap();
            assert_eq!(settings.sql_listen, expected, "{has_flag} {variables:?} {has_file}");
            let has_file = has_file || variables == by_variable;
            assert_eq!(settings.max_connections, if has_file { 7 } else { 1000 });
        }
    }

    #[test]
    fn what_is_not_a_setting_is_refused() {
        let missing = load(&args(), &[("SHARDDB_CONFIG", "/nonexistent")]).unwrap_err();
        assert!(missing.contains("cannot read /nonexistent"), "{missing}");
        let file = file("sql_lisen = \"a:1\"\n");
        let args = StartArgs { config: Some(file.path().into()), ..args() };
        assert!(load(&args, &[]).unwrap_err().contains("sql_lisen"));
    }

    #[test]
    fn lists_come_as_lists_or_with_commas() {
        let file = file("join = [\"a:1\", \"b:2\"]\nroles = \"shard,proxy\"\n");
        let args = StartArgs { config: Some(file.path().into()), ..args() };
        let settings = load(&args, &[]).unwrap();
        assert_eq!(settings.join, ["a:1", "b:2"]);
        assert_eq!(settings.roles, [Role::Shard, Role::Proxy]);
        let settings = load(&args, &[("SHARDDB_JOIN", "c:3, d:4")]).unwrap();
        assert_eq!(settings.join, ["c:3", "d:4"]);
    }

    #[test]
    fn a_wildcard_is_never_advertised() {
        let lone = StartArgs {
            rpc_listen: Some("0.0.0.0:1".into()),
            sql_listen: Some("[::]:2".into()),
            http_listen: Some("127.0.0.1:3".into()),
            ..args()
        };
        load(&lone, &[]).expect("a node that is alone may listen everywhere");
        let joining = StartArgs { join: Some(vec!["a:1".into()]), ..lone };
        let refused = load(&joining, &[]).unwrap_err();
        assert!(refused.contains("--advertise-rpc"), "{refused}");
        let settings =
            load(&StartArgs { advertise_rpc: Some("host:9".into()), ..joining }, &[]).unwrap();
        assert_eq!(settings.advertised(&settings.sql_listen), "host:2");
        assert_eq!(settings.advertised(&settings.http_listen), "127.0.0.1:3");
    }
}
