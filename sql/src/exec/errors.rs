//! How a run fails.

use base::KvError;
use catalog::descriptor::{Index, IndexColumn, Table};
use types::{Datum, Settings, SqlError, sqlstate};

/// Result of a step of a run.
pub type ExecResult<T> = Result<T, ExecError>;

/// How a run fails.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExecError {
    /// The client's error.
    #[error("{0}")]
    Sql(#[from] SqlError),
    /// A row that the statement found has changed since its snapshot, in a way that only running
    /// the statement again can answer.
    #[error("statement must be run again at a fresh snapshot")]
    Restart,
    /// The store's error.
    #[error("{0}")]
    Kv(#[from] KvError),
}

impl From<base::codec::CodecError> for ExecError {
    fn from(error: base::codec::CodecError) -> Self {
        ExecError::Sql(error.into())
    }
}

/// The error for an insert that found its key taken.
pub fn unique_violation(table: &Table, key: &[u8], settings: &Settings) -> SqlError {
    let (index_id, encoded) = match base::layout::split_key(key) {
        Some((_, index, encoded)) => (index, encoded),
        None => (base::layout::PRIMARY_INDEX, key),
    };
    let index = table.index(index_id);
    let columns: &[IndexColumn] = match index {
        Some(index) => &index.columns,
        None => &table.key,
    };
    let values = catalog::layout::read_key(table, columns, encoded).unwrap_or_default();
    violation(table, index, columns, &values, settings)
}

/// The same, from the values.
pub(crate) fn violation(
    table: &Table,
    index: Option<&Index>,
    columns: &[IndexColumn],
    values: &[Datum],
    settings: &Settings,
) -> SqlError {
    let name = match index {
        Some(index) => index.name.clone(),
        None => format!("{}_pkey", table.name),
    };
    SqlError::new(
        sqlstate::UNIQUE_VIOLATION,
        format!("duplicate key value violates unique constraint \"{name}\""),
    )
    .with_detail(format!("Key {} already exists.", shown_key(table, columns, values, settings)))
    .with_table("public", table.name.clone())
    .with_constraint(name)
}

/// `(a, b)=(1, x)`.
pub(crate) fn shown_key(
    table: &Table,
    columns: &[IndexColumn],
    values: &[Datum],
    settings: &Settings,
) -> String {
    let mut names = Vec::with_capacity(columns.len());
    let mut texts = Vec::with_capacity(columns.len());
    for (column, value) in columns.iter().zip(values) {
        let Some(found) = table.column(column.column) else { continue };
        names.push(found.name.as_str());
        texts.push(shown(value, found.ty, settings));
    }
    format!("({})=({})", names.join(", "), texts.join(", "))
}

/// A value as details of errors show it.
pub(crate) fn shown(value: &Datum, ty: types::SqlType, settings: &Settings) -> String {
    match value {
        Datum::Null => "null".to_owned(),
        value => types::text::to_string(value, ty, settings),
    }
}

/// An operator met a plan node of another kind: a bug of the planner.
pub(crate) fn wrong_node() -> ExecError {
    ExecError::Sql(SqlError::internal("operator and plan do not match"))
}
