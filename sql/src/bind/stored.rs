//! Expressions that are kept with a table: defaults, checks, generated columns, predicates of
//! indexes, the USING of ALTER COLUMN … TYPE.

use super::query::{Clause, Level};
use super::scope::Scope;
use super::{BindContext, Binder};
use catalog::descriptor::Table;
use sqlparser::ast;
use types::{SqlError, SqlType};

/// What an expression is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    Default,
    Generated,
    Check,
    Predicate,
    Transform,
}

impl Stored {
    /// How PostgreSQL names it where something is not allowed in it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Stored::Default => "DEFAULT expressions",
            Stored::Generated => "column generation expressions",
            Stored::Check => "check constraints",
            Stored::Predicate => "index predicates",
            Stored::Transform => "transform expressions",
        }
    }

    /// The same, of one.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Stored::Default => "DEFAULT expression",
            Stored::Generated => "column generation expression",
            Stored::Check => "check constraint",
            Stored::Predicate => "index predicate",
            Stored::Transform => "transform expression",
        }
    }
}

/// Checks an expression before it is kept; answers its type. `table` is the one whose columns it may name, `target`
/// the type of the value.
pub fn check_stored(
    expr: &ast::Expr,
    table: Option<&Table>,
    stored: Stored,
    target: SqlType,
    context: &BindContext<'_>,
) -> Result<SqlType, SqlError> {
    let mut binder = Binder::new(context);
    let mut scope = Scope::default();
    if let Some(table) = table {
        let (item, _) = binder.table_item(table, &table.name, &[])?;
        scope.items.push(item);
    }
    binder.levels.push(Level { clause: Clause::Stored(stored), ..Level::default() });
    let bound = match stored {
        Stored::Check => binder.condition(expr, "CHECK", &scope)?,
        Stored::Predicate => binder.condition(expr, "WHERE", &scope)?,
        Stored::Transform => binder.expr(expr, &scope)?,
        Stored::Default | Stored::Generated => {
            let bound = binder.expr(expr, &scope)?;
            binder.assign(bound, target, "")?
        }
    };
    Ok(bound.ty)
}
