//! RENAME of tables, columns and constraints; names inside stored expressions follow.

use super::Ddl;
use crate::session::quote;
use catalog::{ColumnId, Oid, Table};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};
use types::{SqlError, sqlstate};

impl Ddl<'_> {
    pub(super) async fn rename_table(&mut self, oid: Oid, name: String) -> Result<(), SqlError> {
        let old = self.lock_table(oid).await?;
        let mut new = (*old).clone();
        new.name = name;
        self.replace_table(&old, new).await.map(|_| ())
    }

    pub(super) async fn rename_column(
        &mut self,
        oid: Oid,
        from: &str,
        to: String,
    ) -> Result<(), SqlError> {
        let old = self.lock_table(oid).await?;
        let column = old.column_named(from).ok_or_else(|| missing_column(from))?;
        if old.column_named(&to).is_some() {
            return Err(SqlError::new(
                sqlstate::DUPLICATE_COLUMN,
                format!("column \"{to}\" of relation \"{}\" already exists", old.name),
            ));
        }
        let id = column.id;
        let mut new = (*old).clone();
        for check in &mut new.checks {
            check.expr = replace_name(&check.expr, from, &to);
        }
        for index in &mut new.indexes {
            index.predicate = index.predicate.as_deref().map(|p| replace_name(p, from, &to));
        }
        for column in &mut new.columns {
            column.generated = column.generated.as_deref().map(|g| replace_name(g, from, &to));
            if column.id == id {
                column.name.clone_from(&to);
            }
        }
        self.replace_table(&old, new).await.map(|_| ())
    }

    pub(super) async fn rename_constraint(
        &mut self,
        oid: Oid,
        from: &str,
        to: String,
    ) -> Result<(), SqlError> {
        let old = self.lock_table(oid).await?;
        if !super::columns::has_constraint(&old, from) {
            return Err(SqlError::new(
                sqlstate::UNDEFINED_OBJECT,
                format!("constraint \"{from}\" for table \"{}\" does not exist", old.name),
            ));
        }
        let mut new = (*old).clone();
        let checks = new.checks.iter_mut().map(|c| &mut c.name);
        let keys = new.foreign_keys.iter_mut().map(|k| &mut k.name);
        let indexes = new.indexes.iter_mut().filter(|i| i.is_constraint).map(|i| &mut i.name);
        if let Some(name) = checks.chain(keys).chain(indexes).find(|name| *name == from) {
            *name = to;
        }
        self.replace_table(&old, new).await.map(|_| ())
    }
}

/// Names of columns as SQL writes them.
pub(super) fn quoted_names(table: &Table, columns: &[ColumnId]) -> Vec<String> {
    columns
        .iter()
        .filter_map(|id| table.column(*id))
        .map(|column| quote::identifier(&column.name))
        .collect()
}

/// True when an expression names a column.
pub(super) fn mentions(expr: &str, column: &str) -> bool {
    tokens(expr).iter().any(|token| is_name(token, column))
}

fn replace_name(expr: &str, from: &str, to: &str) -> String {
    let out: Vec<String> = tokens(expr)
        .iter()
        .map(|token| if is_name(token, from) { quote::identifier(to) } else { token.to_string() })
        .collect();
    out.concat()
}

fn tokens(expr: &str) -> Vec<Token> {
    Tokenizer::new(&PostgreSqlDialect {}, expr).tokenize().unwrap_or_default()
}

fn is_name(token: &Token, name: &str) -> bool {
    let Token::Word(word) = token else { return false };
    match word.quote_style {
        Some(_) => word.value == name,
        None => word.value.to_lowercase() == name,
    }
}

/// RENAME names no relation.
fn missing_column(column: &str) -> SqlError {
    SqlError::new(sqlstate::UNDEFINED_COLUMN, format!("column \"{column}\" does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_expressions_follow() {
        assert_eq!(replace_name("a > 0 AND 'a' <> \"a\"", "a", "B"), "\"B\" > 0 AND 'a' <> \"B\"");
        assert!(!mentions("ab > 0", "a"));
    }
}
