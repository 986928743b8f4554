//! Which part of the session answers a statement.

use sqlparser::ast::{ObjectType, SetExpr, Statement};

/// Kinds of statements, by who carries them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT, …: the only ones allowed in a failed block.
    Transaction,
    /// Changes or shows the session itself: SET, SHOW, PREPARE, DECLARE, …
    Session,
    /// Goes through binder, planner and executor.
    Plan,
    /// COPY.
    Copy,
    /// Changes the catalog.
    Ddl,
    /// VACUUM, ANALYZE, LOCK, …: within a transaction, without a plan.
    Maintenance,
}

/// The class of a statement.
pub(crate) fn classify(statement: &Statement) -> Class {
    match statement {
        Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Savepoint { .. }
        | Statement::ReleaseSavepoint { .. } => Class::Transaction,
        Statement::Query(query) => match &*query.body {
            SetExpr::Select(select) if select.into.is_some() => Class::Ddl,
            _ => Class::Plan,
        },
        Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::Merge(_)
        | Statement::Explain { .. } => Class::Plan,
        Statement::Copy { .. } => Class::Copy,
        Statement::Vacuum(_)
        | Statement::Analyze(_)
        | Statement::Lock(_)
        | Statement::LockTables { .. } => Class::Maintenance,
        Statement::Set(_)
        | Statement::Reset(_)
        | Statement::ShowVariable { .. }
        | Statement::ShowTables { .. }
        | Statement::ShowColumns { .. }
        | Statement::Discard { .. }
        | Statement::Prepare { .. }
        | Statement::Execute { .. }
        | Statement::Deallocate { .. }
        | Statement::Declare { .. }
        | Statement::Fetch { .. }
        | Statement::Close { .. }
        | Statement::LISTEN { .. }
        | Statement::UNLISTEN { .. }
        | Statement::NOTIFY { .. } => Class::Session,
        _ => Class::Ddl,
    }
}

/// True for statements that PostgreSQL refuses inside a transaction block.
pub(crate) fn needs_no_block(statement: &Statement) -> Option<&'static str> {
    match statement {
        Statement::Vacuum(_) => Some("VACUUM"),
        Statement::CreateDatabase { .. } => Some("CREATE DATABASE"),
        Statement::Drop { object_type: ObjectType::Database, .. } => Some("DROP DATABASE"),
        Statement::CreateIndex(create) if create.concurrently => Some("CREATE INDEX CONCURRENTLY"),
        _ => None,
    }
}

/// True for statements that write: refused in a read-only transaction. Queries are told apart by
/// their plans.
pub(crate) fn command_name(statement: &Statement) -> String {
    let text = statement.to_string();
    let mut words = text.split_whitespace().map(str::to_ascii_uppercase);
    let first = words.next().unwrap_or_default();
    match first.as_str() {
        "CREATE" | "DROP" | "ALTER" => {
            let rest = words.find(|word| {
                !matches!(
                    word.as_str(),
                    "TEMPORARY"
                        | "TEMP"
                        | "UNLOGGED"
                        | "UNIQUE"
                        | "OR"
                        | "REPLACE"
                        | "GLOBAL"
                        | "LOCAL"
                )
            });
            format!("{first} {}", rest.unwrap_or_default())
        }
        "TRUNCATE" => "TRUNCATE TABLE".to_owned(),
        _ => first,
    }
}
