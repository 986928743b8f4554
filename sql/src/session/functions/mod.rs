//! Functions that the session answers, because they wait, have side effects, or reach the cluster.

mod activity;
mod cluster;
mod inspect;
pub(crate) mod sequence;
mod settings;

use super::view::SessionView;
use crate::bind::catalog_view::HostFunction;
use std::sync::{Arc, LazyLock};
use types::{Datum, Oid, SqlError, SqlType, oid, sqlstate};

/// PostgreSQL's pseudo-type of functions that return nothing.
const VOID: SqlType = SqlType::new(2278);

/// All functions of this module, sorted by name.
static FUNCTIONS: LazyLock<Vec<Arc<HostFunction>>> = LazyLock::new(|| {
    let f = |schema: &str, name: &str, args: &[Oid], variadic: bool, returns: SqlType| {
        Arc::new(HostFunction {
            schema: schema.to_owned(),
            name: name.to_owned(),
            args: args.to_vec(),
            variadic,
            strict: true,
            returns,
            columns: Vec::new(),
        })
    };
    let pg =
        |name: &str, args: &[Oid], returns: SqlType| f("pg_catalog", name, args, false, returns);
    let own = |name: &str, args: &[Oid], returns: SqlType| f("sharddb", name, args, false, returns);
    vec![
        pg("nextval", &[oid::REGCLASS], SqlType::INT8),
        pg("currval", &[oid::REGCLASS], SqlType::INT8),
        pg("lastval", &[], SqlType::INT8),
        pg("setval", &[oid::REGCLASS, oid::INT8], SqlType::INT8),
        pg("setval", &[oid::REGCLASS, oid::INT8, oid::BOOL], SqlType::INT8),
        pg("pg_sleep", &[oid::FLOAT8], VOID),
        pg("pg_cancel_backend", &[oid::INT4], SqlType::BOOL),
        pg("pg_terminate_backend", &[oid::INT4], SqlType::BOOL),
        f("sharddb", "split_table", &[oid::REGCLASS, oid::INT8], true, SqlType::INT8),
        f("sharddb", "split_table", &[oid::REGCLASS, oid::TEXT], true, SqlType::INT8),
        own("split_at_key", &[oid::BYTEA], SqlType::INT8),
        own("move_range", &[oid::INT8, oid::INT8], VOID),
        own("move_range", &[oid::INT8, oid::INT8, oid::INT8], VOID),
        own("transfer_leader", &[oid::INT8, oid::INT8], VOID),
        own("set_setting", &[oid::TEXT, oid::TEXT], VOID),
        own("count_versions", &[oid::INT8, oid::INT8], SqlType::INT8),
        own("count_intents", &[oid::INT8, oid::INT8], SqlType::INT8),
    ]
});

/// Functions with this name.
pub(crate) fn named(schema: Option<&str>, name: &str) -> Vec<Arc<HostFunction>> {
    FUNCTIONS
        .iter()
        .filter(|f| f.name == name && schema.unwrap_or("pg_catalog") == f.schema)
        .cloned()
        .collect()
}

/// Calls a function that returns one value.
pub(crate) async fn call(
    view: &SessionView,
    function: &HostFunction,
    args: Vec<Datum>,
) -> Result<Datum, SqlError> {
    if function.strict && args.iter().any(|arg| matches!(arg, Datum::Null)) {
        return Ok(Datum::Null);
    }
    match function.name.as_str() {
        "nextval" => sequence::nextval(view, oid_arg(&args, 0)?).await,
        "currval" => sequence::currval(view, oid_arg(&args, 0)?),
        "lastval" => sequence::lastval(view),
        "setval" => {
            let is_called = args.get(2).is_none_or(|arg| matches!(arg, Datum::Bool(true)));
            sequence::setval(view, oid_arg(&args, 0)?, int_arg(&args, 1)?, is_called).await
        }
        "pg_sleep" => activity::sleep(view, &args).await,
        "pg_cancel_backend" => activity::signal(view, &args, false),
        "pg_terminate_backend" => activity::signal(view, &args, true),
        "split_table" => cluster::split_table(view, oid_arg(&args, 0)?, &args[1..]).await,
        "split_at_key" => cluster::split_at_key(view, &args).await,
        "move_range" => cluster::move_range(view, &args).await,
        "transfer_leader" => cluster::transfer_leader(view, &args).await,
        "set_setting" => settings::set(view, &args).await,
        "count_versions" => inspect::count(view, &args, |counts| counts.versions).await,
        "count_intents" => inspect::count(view, &args, |counts| counts.intents).await,
        other => Err(unknown(other)),
    }
}

/// Calls a function that returns rows.
pub(crate) async fn call_rows(
    view: &SessionView,
    function: &HostFunction,
    args: Vec<Datum>,
) -> Result<Vec<Vec<Datum>>, SqlError> {
    Ok(vec![vec![call(view, function, args).await?]])
}

pub(super) fn int_arg(args: &[Datum], at: usize) -> Result<i64, SqlError> {
    match args.get(at) {
        Some(Datum::Int8(n)) => Ok(*n),
        Some(Datum::Int4(n)) => Ok(i64::from(*n)),
        Some(Datum::Int2(n)) => Ok(i64::from(*n)),
        _ => Err(SqlError::internal("an integer argument is missing")),
    }
}

pub(super) fn text_arg(args: &[Datum], at: usize) -> Result<&str, SqlError> {
    match args.get(at) {
        Some(Datum::Text(text)) => Ok(text),
        _ => Err(SqlError::internal("a text argument is missing")),
    }
}

fn oid_arg(args: &[Datum], at: usize) -> Result<Oid, SqlError> {
    match args.get(at) {
        Some(Datum::Oid(oid)) => Ok(*oid),
        _ => Err(SqlError::internal("an object argument is missing")),
    }
}

fn unknown(name: &str) -> SqlError {
    SqlError::new(sqlstate::UNDEFINED_FUNCTION, format!("function {name} does not exist"))
}

/// An argument that numbers a node or a range.
pub(super) fn id_arg(args: &[Datum], at: usize) -> Result<u64, SqlError> {
    u64::try_from(int_arg(args, at)?)
        .map_err(|_| SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, "ids are not negative"))
}

pub(super) fn void() -> Datum {
    Datum::Text("".into())
}
