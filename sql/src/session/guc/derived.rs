//! What the session needs from its parameters in a form that costs nothing to use.

use super::parameter::Parameter;
use super::{Guc, parse_bool};
use std::time::Duration;
use txn::Isolation;
use types::{
    ByteaOutput, DateOrder, DateStyle, IntervalStyle, Settings, SqlError, TimeZone, sqlstate,
};

/// Parsed values of the parameters that the session acts on.
#[derive(Clone, Debug)]
pub(crate) struct Derived {
    /// What input and output of values depend on.
    pub types: Settings,
    /// Schemas in the order of `search_path`; `"$user"` is still in it.
    pub search_path: Vec<String>,
    /// `None` for 0.
    pub statement_timeout: Option<Duration>,
    /// `None` for 0.
    pub lock_timeout: Option<Duration>,
    /// `None` for 0.
    pub idle_in_transaction_timeout: Option<Duration>,
    pub isolation: Isolation,
    pub is_read_only: bool,
    /// A setting of our own: plain reads may be answered by this node's replicas.
    pub follower_reads: bool,
    /// Bytes that a transaction may hold in memory until it is committed.
    pub transaction_bytes_max: usize,
    /// Lowest severity of notices that are sent: position in PostgreSQL's order of levels.
    pub min_messages: usize,
}

impl Default for Derived {
    fn default() -> Self {
        Derived {
            types: Settings::default(),
            search_path: Vec::new(),
            statement_timeout: None,
            lock_timeout: None,
            idle_in_transaction_timeout: None,
            isolation: Isolation::ReadCommitted,
            is_read_only: false,
            follower_reads: false,
            transaction_bytes_max: TRANSACTION_BYTES_MAX,
            min_messages: 0,
        }
    }
}

/// `sharddb.transaction_bytes_max` where nobody has set it.
const TRANSACTION_BYTES_MAX: usize = 1 << 30;

const LEVELS: [&str; 9] =
    ["debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"];

impl Derived {
    pub(super) fn of(guc: &Guc) -> Derived {
        let text = |name: &str| guc.get(name).unwrap_or("");
        let millis = |name: &str| match text(name).parse::<u64>() {
            Ok(0) | Err(_) => None,
            Ok(n) => Some(Duration::from_millis(n)),
        };
        let (date_style, date_order) =
            parse_date_style(text("datestyle"), (DateStyle::Iso, DateOrder::Mdy))
                .unwrap_or((DateStyle::Iso, DateOrder::Mdy));
        Derived {
            types: Settings {
                time_zone: TimeZone::parse(text("timezone")).unwrap_or(TimeZone::UTC),
                date_style,
                date_order,
                interval_style: interval_style(text("intervalstyle")),
                extra_float_digits: text("extra_float_digits").parse().unwrap_or(1),
                bytea_output: match text("bytea_output") {
                    "escape" => ByteaOutput::Escape,
                    _ => ByteaOutput::Hex,
                },
                ..Settings::default()
            },
            search_path: split_names(text("search_path")).unwrap_or_default(),
            statement_timeout: millis("statement_timeout"),
            lock_timeout: millis("lock_timeout"),
            idle_in_transaction_timeout: millis("idle_in_transaction_session_timeout"),
            isolation: isolation(text("default_transaction_isolation")),
            is_read_only: parse_bool(text("default_transaction_read_only")).unwrap_or(false),
            follower_reads: parse_bool(text("sharddb.follower_reads")).unwrap_or(false),
            transaction_bytes_max: text("sharddb.transaction_bytes_max")
                .parse()
                .unwrap_or(TRANSACTION_BYTES_MAX),
            min_messages: LEVELS
                .iter()
                .position(|level| *level == text("client_min_messages"))
                .unwrap_or(6),
        }
    }

    /// Should a notice of this severity be sent?
    pub(crate) fn wants(&self, severity: types::Severity) -> bool {
        let level = match severity {
            types::Severity::Debug => 4,
            types::Severity::Log => 5,
            types::Severity::Notice => 6,
            types::Severity::Warning => 7,
            _ => 8,
        };
        severity == types::Severity::Info || level >= self.min_messages
    }
}

/// The isolation level that a canonical name stands for.
pub(crate) fn isolation(name: &str) -> Isolation {
    match name {
        "serializable" => Isolation::Serializable,
        "repeatable read" => Isolation::RepeatableRead,
        _ => Isolation::ReadCommitted,
    }
}

/// Checks of values that their type alone does not make.
pub(super) fn check(parameter: &Parameter, value: String) -> Result<String, SqlError> {
    match parameter.name {
        "TimeZone" => match TimeZone::parse(&value) {
            Some(zone) => Ok(zone.name()),
            None => Err(parameter.invalid(&value)),
        },
        "DateStyle" => match parse_date_style(&value, (DateStyle::Iso, DateOrder::Mdy)) {
            Some((style, order)) => Ok(date_style_name(style, order)),
            None => Err(parameter.invalid(&value)),
        },
        "client_encoding" => match value.to_ascii_uppercase().replace(['-', '_', ' '], "").as_str()
        {
            "UTF8" | "UNICODE" => Ok("UTF8".to_owned()),
            "SQLASCII" => Ok("SQL_ASCII".to_owned()),
            _ => Err(SqlError::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                format!("conversion between {value} and UTF8 is not supported"),
            )),
        },
        "search_path" => match split_names(&value) {
            Some(_) => Ok(value),
            None => Err(parameter.invalid(&value).with_detail("List syntax is invalid.")),
        },
        _ => Ok(value),
    }
}

fn interval_style(text: &str) -> IntervalStyle {
    match text {
        "sql_standard" => IntervalStyle::SqlStandard,
        "postgres_verbose" => IntervalStyle::PostgresVerbose,
        "iso_8601" => IntervalStyle::Iso8601,
        _ => IntervalStyle::Postgres,
    }
}

fn parse_date_style(
    text: &str,
    (mut style, mut order): (DateStyle, DateOrder),
) -> Option<(DateStyle, DateOrder)> {
    for word in text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "iso" => style = DateStyle::Iso,
            "sql" => style = DateStyle::Sql,
            "german" => (style, order) = (DateStyle::German, DateOrder::Dmy),
            word if word.starts_with("postgres") => style = DateStyle::Postgres,
            "ymd" => order = DateOrder::Ymd,
            "dmy" | "euro" | "european" => order = DateOrder::Dmy,
            "mdy" | "us" | "noneuro" | "noneuropean" => order = DateOrder::Mdy,
            "default" => (style, order) = (DateStyle::Iso, DateOrder::Mdy),
            _ => return None,
        }
    }
    Some((style, order))
}

fn date_style_name(style: DateStyle, order: DateOrder) -> String {
    let style = match style {
        DateStyle::Iso => "ISO",
        DateStyle::Sql => "SQL",
        DateStyle::Postgres => "Postgres",
        DateStyle::German => "German",
    };
    let order = match order {
        DateOrder::Ymd => "YMD",
        DateOrder::Dmy => "DMY",
        DateOrder::Mdy => "MDY",
    };
    format!("{style}, {order}")
}

/// Splits a list of identifiers as `search_path` holds it; unquoted ones are folded to lower case.
pub(crate) fn split_names(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.find('"')?;
                (quoted[..end].to_owned(), quoted[end + 1..].trim_start())
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim().to_ascii_lowercase(), &rest[end..])
            }
        };
        if !name.is_empty() {
            names.push(name);
        }
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(names)
}
