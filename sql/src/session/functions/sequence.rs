//! nextval, currval, lastval, setval, and a sequence read as a table.

use super::super::errors;
use super::super::view::SessionView;
use base::codec::CodecError;
use bytes::Bytes;
use catalog::{Sequence, layout};
use std::sync::Arc;
use txn::Isolation;
use types::{Datum, Oid, SqlError, sqlstate};

pub(crate) async fn nextval(view: &SessionView, oid: Oid) -> Result<Datum, SqlError> {
    let sequence = find(view, oid)?;
    let engine = &view.shared.engine;
    let epoch = engine.catalog().epoch();
    let value = engine
        .counters()
        .next_value(engine.client(), &sequence, epoch)
        .await
        .map_err(|error| errors::from_kv(error, &view.catalog))?;
    let value = value.ok_or_else(|| exhausted(&sequence))?;
    let mut used = view.shared.sequences.lock();
    used.current.insert(oid, value);
    used.last = Some(oid);
    Ok(Datum::Int8(value))
}

pub(super) fn currval(view: &SessionView, oid: Oid) -> Result<Datum, SqlError> {
    let sequence = find(view, oid)?;
    match view.shared.sequences.lock().current.get(&oid) {
        Some(value) => Ok(Datum::Int8(*value)),
        None => Err(not_defined(format!(
            "currval of sequence \"{}\" is not yet defined in this session",
            sequence.name
        ))),
    }
}

pub(super) fn lastval(view: &SessionView) -> Result<Datum, SqlError> {
    let used = view.shared.sequences.lock();
    let last = used.last.filter(|oid| view.catalog.sequence(*oid).is_some());
    match last.and_then(|oid| used.current.get(&oid)) {
        Some(value) => Ok(Datum::Int8(*value)),
        None => Err(not_defined("lastval is not yet defined in this session".to_owned())),
    }
}

pub(super) async fn setval(
    view: &SessionView,
    oid: Oid,
    value: i64,
    is_called: bool,
) -> Result<Datum, SqlError> {
    let sequence = find(view, oid)?;
    if value < sequence.min || value > sequence.max {
        return Err(SqlError::new(
            sqlstate::NUMERIC_VALUE_OUT_OF_RANGE,
            format!(
                "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                sequence.name, sequence.min, sequence.max
            ),
        ));
    }
    let engine = &view.shared.engine;
    let to_sql = |error| errors::from_kv(error, &view.catalog);
    let set = engine.counters().set_value(engine.client(), &sequence, value, is_called);
    set.await.map_err(to_sql)?;
    // Other processes may hold values that were fetched before.
    let now = engine.client().now().await.map_err(to_sql)?;
    engine.catalog().announce_to_others(now).await.map_err(to_sql)?;
    if is_called {
        view.shared.sequences.lock().current.insert(oid, value);
    }
    Ok(Datum::Int8(value))
}

/// The one row of a sequence read as a table: last_value, log_cnt, is_called.
pub(crate) async fn state(
    view: &SessionView,
    sequence: &Arc<Sequence>,
) -> Result<Vec<Vec<Datum>>, SqlError> {
    let engine = &view.shared.engine;
    let mut txn = engine.client().begin(Isolation::ReadCommitted, true);
    txn.begin_statement(true);
    let stored = txn.get(&[layout::sequence_key(sequence)]).await;
    let stored = stored.map_err(|error| errors::from_kv(error, &view.catalog))?;
    let counter = stored.into_iter().flatten().next().map(|bytes| decode(&bytes)).transpose()?;
    let unused = engine.counters().unused_values(sequence, engine.catalog().epoch());
    let (last, is_called) = match counter {
        None => (sequence.start, false),
        Some(value) => {
            let last = value.saturating_sub(unused.saturating_mul(sequence.increment));
            let before_start = sequence.start.saturating_sub(sequence.increment);
            if last == before_start { (sequence.start, false) } else { (last, true) }
        }
    };
    Ok(vec![vec![Datum::Int8(last), Datum::Int8(unused), Datum::Bool(is_called)]])
}

/// The number in a counter's row.
fn decode(bytes: &Bytes) -> Result<i64, SqlError> {
    match bytes.split_first() {
        Some((_version, rest)) => {
            let array: [u8; 8] = rest.try_into().map_err(|_| CodecError("length of a counter"))?;
            Ok(i64::from_le_bytes(array))
        }
        None => Err(CodecError("counter").into()),
    }
}

fn find(view: &SessionView, oid: Oid) -> Result<Arc<Sequence>, SqlError> {
    if let Some(sequence) = view.catalog.sequence(oid) {
        return Ok(sequence.clone());
    }
    match view.catalog.relation_by_oid(oid) {
        Some(relation) => Err(SqlError::new(
            sqlstate::WRONG_OBJECT_TYPE,
            format!("\"{}\" is not a sequence", relation.name()),
        )),
        None => Err(SqlError::new(
            sqlstate::UNDEFINED_TABLE,
            format!("could not open relation with OID {oid}"),
        )),
    }
}

fn exhausted(sequence: &Sequence) -> SqlError {
    let (what, bound) =
        if sequence.increment > 0 { ("maximum", sequence.max) } else { ("minimum", sequence.min) };
    SqlError::new(
        sqlstate::SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
        format!("nextval: reached {what} value of sequence \"{}\" ({bound})", sequence.name),
    )
}

fn not_defined(message: String) -> SqlError {
    SqlError::new(sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
}
