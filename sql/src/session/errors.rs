//! Errors of the store and the catalog in the words of SQL: the one place where they become
//! SQLSTATEs.

use base::{Key, KvError, layout};
use catalog::layout::read_key;
use catalog::store::NameKind;
use catalog::{CatalogError, CatalogSnapshot, Index, Table};
use types::{Datum, Settings, SqlError, SqlState, sqlstate};

/// Translates an error of the store. The catalog names tables and constraints.
pub(crate) fn from_kv(error: KvError, catalog: &CatalogSnapshot) -> SqlError {
    let message = error.to_string();
    match error {
        KvError::NotLeader { .. }
        | KvError::StaleEpoch { .. }
        | KvError::RangeNotFound(_)
        | KvError::MetaNotLeader { .. }
        | KvError::Unreachable { maybe_sent: false, .. }
        | KvError::Unavailable(_) => {
            SqlError::new(sqlstate::CANNOT_CONNECT_NOW, "the data is temporarily unavailable")
                .with_detail(message)
                .with_hint("Nothing was changed. Try again once a majority of the nodes is up.")
        }
        KvError::Ambiguous(_) | KvError::Unreachable { maybe_sent: true, .. } => SqlError::new(
            sqlstate::T_R_STATEMENT_COMPLETION_UNKNOWN,
            "the outcome of the transaction is unknown",
        )
        .with_detail(message)
        .with_hint("The transaction may or may not have been committed."),
        KvError::WriteConflict { .. } => SqlError::new(
            sqlstate::T_R_SERIALIZATION_FAILURE,
            "could not serialize access due to concurrent update",
        ),
        KvError::TxnAborted { .. } => SqlError::new(
            sqlstate::T_R_SERIALIZATION_FAILURE,
            "could not serialize access: the transaction was aborted",
        )
        .with_detail(message),
        KvError::KeyExists { key } => key_exists(&key, catalog),
        KvError::LockNotAvailable { key } => lock_not_available(&key, catalog),
        KvError::Deadlock { detail } => {
            let error = SqlError::new(sqlstate::T_R_DEADLOCK_DETECTED, "deadlock detected");
            if detail.is_empty() { error } else { error.with_detail(detail) }
        }
        KvError::SnapshotTooOld { .. } => {
            SqlError::new(sqlstate::SNAPSHOT_TOO_OLD, "snapshot too old").with_detail(message)
        }
        KvError::DiskFull => {
            SqlError::new(sqlstate::DISK_FULL, "could not write: no space left on device")
        }
        KvError::Sql { code, message } => {
            SqlError::new(SqlState::from_code(&code).unwrap_or(sqlstate::INTERNAL_ERROR), message)
        }
        KvError::Cancelled => {
            SqlError::new(sqlstate::QUERY_CANCELED, "canceling statement due to user request")
        }
        KvError::Shutdown => SqlError::new(
            sqlstate::ADMIN_SHUTDOWN,
            "terminating connection due to administrator command",
        ),
        KvError::Fatal(message) => SqlError::internal(message),
    }
}

/// Translates an error of the catalog.
pub(crate) fn from_catalog(error: CatalogError, catalog: &CatalogSnapshot) -> SqlError {
    match error {
        CatalogError::Kv(error) => from_kv(error, catalog),
        CatalogError::Malformed(error) => {
            SqlError::new(sqlstate::DATA_CORRUPTED, error.to_string())
        }
        CatalogError::NameTaken(name) => name_taken(name.kind, &name.name),
    }
}

/// `relation "x" already exists` and its kin.
pub(crate) fn name_taken(kind: NameKind, name: &str) -> SqlError {
    let (code, what) = match kind {
        NameKind::Database => (sqlstate::DUPLICATE_DATABASE, "database"),
        NameKind::Schema => (sqlstate::DUPLICATE_SCHEMA, "schema"),
        NameKind::Relation => (sqlstate::DUPLICATE_TABLE, "relation"),
        NameKind::Role => (sqlstate::DUPLICATE_OBJECT, "role"),
    };
    SqlError::new(code, format!("{what} \"{name}\" already exists"))
}

/// True for failures that a fresh run of the statement under READ COMMITTED may avoid.
pub(crate) fn is_retryable(error: &SqlError) -> bool {
    error.code == sqlstate::T_R_SERIALIZATION_FAILURE || error.code == sqlstate::SNAPSHOT_TOO_OLD
}

fn key_exists(key: &Key, catalog: &CatalogSnapshot) -> SqlError {
    let Some((table, index, columns)) = find_index(key, catalog) else {
        return SqlError::new(
            sqlstate::UNIQUE_VIOLATION,
            "duplicate key value violates unique constraint",
        );
    };
    unique_violation(&table, &index, columns, catalog)
}

/// `duplicate key value violates unique constraint`, with the key's columns spelt out.
pub(crate) fn unique_violation(
    table: &Table,
    index: &Index,
    encoded: &[u8],
    catalog: &CatalogSnapshot,
) -> SqlError {
    let error = SqlError::new(
        sqlstate::UNIQUE_VIOLATION,
        format!("duplicate key value violates unique constraint \"{}\"", index.name),
    )
    .with_table(catalog.schema(table.schema).map_or("", |s| &s.name), &table.name)
    .with_constraint(&index.name);
    match read_key(table, &index.columns, encoded) {
        Ok(values) => error.with_detail(key_detail(table, index, &values)),
        Err(_) => error,
    }
}

fn key_detail(table: &Table, index: &Index, values: &[Datum]) -> String {
    let settings = Settings::default();
    let columns: Vec<_> = index.columns.iter().filter_map(|c| table.column(c.column)).collect();
    let names: Vec<_> = columns.iter().map(|c| c.name.as_str()).collect();
    let values: Vec<_> = columns
        .iter()
        .zip(values)
        .map(|(column, value)| match value {
            Datum::Null => "null".to_owned(),
            value => types::text::to_string(value, column.ty, &settings),
        })
        .collect();
    format!("Key ({})=({}) already exists.", names.join(", "), values.join(", "))
}

fn lock_not_available(key: &Key, catalog: &CatalogSnapshot) -> SqlError {
    let message = match layout::table_of(key).and_then(|id| catalog.table_by_storage(id)) {
        Some(table) => format!("could not obtain lock on row in relation \"{}\"", table.name),
        None => "could not obtain lock".to_owned(),
    };
    SqlError::new(sqlstate::LOCK_NOT_AVAILABLE, message)
}

fn find_index<'k>(
    key: &'k Key,
    catalog: &CatalogSnapshot,
) -> Option<(std::sync::Arc<Table>, Index, &'k [u8])> {
    let (storage, index, columns) = layout::split_key(key)?;
    let table = catalog.table_by_storage(storage)?;
    let index = table.index(index)?;
    Some((table.clone(), index.clone(), columns))
}
