//! Constraints of a table: PRIMARY KEY, UNIQUE, CHECK, FOREIGN KEY, as parts of its descriptor.

use super::Ddl;
use super::columns::constraint_name;
use super::names::free_relation_name;
use super::place::placed;
use super::table::fold_all;
use crate::bind::Stored;
use crate::session::names::fold;
use base::codec::Direction;
use base::layout::PRIMARY_INDEX;
use catalog::{Check, Column, ForeignKey, ForeignKeyAction, Index, IndexColumn, IndexState, Table};
use sqlparser::ast::{
    CheckConstraint, ConstraintReferenceMatchKind, DeferrableInitial, Expr, ForeignKeyConstraint,
    Ident, NullsDistinctOption, ReferentialAction, TableConstraint,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Span, Token, Tokenizer};
use std::collections::BTreeSet;
use types::{SqlError, SqlType, sqlstate};

/// Most columns of a key.
const KEY_COLUMNS_MAX: usize = 32;

/// Whose columns a list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Primary,
    Unique,
    Index,
}

impl KeyKind {
    fn missing_column(self, name: &str) -> SqlError {
        match self {
            KeyKind::Primary | KeyKind::Unique => missing_key_column(name),
            KeyKind::Index => SqlError::new(
                sqlstate::UNDEFINED_COLUMN,
                format!("column \"{name}\" does not exist"),
            ),
        }
    }

    fn column_twice(self, name: &str) -> SqlError {
        let message = match self {
            KeyKind::Primary => {
                format!("column \"{name}\" appears twice in primary key constraint")
            }
            KeyKind::Unique => format!("column \"{name}\" appears twice in unique constraint"),
            KeyKind::Index => return SqlError::not_supported("a column twice in an index"),
        };
        SqlError::new(sqlstate::DUPLICATE_COLUMN, message)
    }
}

/// What the parser says of an index or a unique constraint.
pub(super) struct IndexPlan {
    pub(super) name: String,
    pub(super) columns: Vec<IndexColumn>,
    pub(super) include: Vec<catalog::ColumnId>,
    pub(super) is_unique: bool,
    pub(super) is_constraint: bool,
    pub(super) nulls_not_distinct: bool,
    pub(super) predicate: Option<String>,
}

impl Ddl<'_> {
    /// Adds constraints to a table that nobody uses yet; checks no rows.
    pub(super) async fn add_constraints(
        &mut self,
        table: &mut Table,
        constraints: &[TableConstraint],
        taken: &mut BTreeSet<String>,
    ) -> Result<(), SqlError> {
        // The primary key comes first: it is what foreign keys to the table itself refer to.
        let (first, rest): (Vec<_>, Vec<_>) =
            constraints.iter().partition(|c| matches!(c, TableConstraint::PrimaryKey(_)));
        for constraint in first.into_iter().chain(rest) {
            self.add_constraint(table, constraint, taken).await?;
        }
        Ok(())
    }

    /// Adds one constraint to the descriptor.
    pub(super) async fn add_constraint(
        &mut self,
        table: &mut Table,
        constraint: &TableConstraint,
        taken: &mut BTreeSet<String>,
    ) -> Result<(), SqlError> {
        match constraint {
            TableConstraint::PrimaryKey(key) => {
                let place = |e| self.place_constraint(e, &key.columns, "PRIMARY");
                let columns =
                    self.key_columns(table, &key.columns, KeyKind::Primary).map_err(place)?;
                if table.primary_key().is_some() {
                    return Err(self.place_constraint(second_key(table), &key.columns, "PRIMARY"));
                }
                let given = key.name.as_ref().or(key.index_name.as_ref());
                let name = self.index_name(table, given, &[], "pkey", taken)?;
                let include = include_columns(table, &key.include)?;
                self.add_primary_key(table, name, columns, include).await
            }
            TableConstraint::Unique(unique) => {
                let place = |e| self.place_constraint(e, &unique.columns, "UNIQUE");
                let columns =
                    self.key_columns(table, &unique.columns, KeyKind::Unique).map_err(place)?;
                let given = unique.name.as_ref().or(unique.index_name.as_ref());
                let names = column_names(table, &columns);
                let plan = IndexPlan {
                    name: self.index_name(table, given, &names, "key", taken)?,
                    columns,
                    include: include_columns(table, &unique.include)?,
                    is_unique: true,
                    is_constraint: true,
                    nulls_not_distinct: unique.nulls_distinct == NullsDistinctOption::NotDistinct,
                    predicate: None,
                };
                self.add_index(table, plan).await.map(|_| ())
            }
            TableConstraint::Check(check) => self.add_check(table, check).await,
            TableConstraint::ForeignKey(key) => self.add_foreign_key(table, key).await,
            other => Err(SqlError::not_supported(format!("{other} is not supported"))),
        }
    }

    /// Adds the place of a PRIMARY KEY or UNIQUE to an error about it.
    fn place_constraint(
        &self,
        error: SqlError,
        columns: &[sqlparser::ast::IndexColumn],
        word: &str,
    ) -> SqlError {
        let Some(Expr::Identifier(first)) = columns.first().map(|c| &c.column.expr) else {
            return error;
        };
        placed(error, self.sql, |places| match places.is_listed(first.span) {
            true => places.constraint_around(first.span),
            false => places.word(first.span, word, 0),
        })
    }

    async fn add_primary_key(
        &mut self,
        table: &mut Table,
        name: String,
        columns: Vec<IndexColumn>,
        include: Vec<catalog::ColumnId>,
    ) -> Result<(), SqlError> {
        for key in &columns {
            if let Some(column) = table.columns.iter_mut().find(|c| c.id == key.column) {
                column.is_not_null = true;
            }
        }
        let oid = self.new_oid().await?;
        let constraint_oid = self.new_oid().await?;
        if let Some(hidden) = table.columns.iter_mut().find(|c| c.is_hidden) {
            hidden.is_dropped = true;
        }
        table.key.clone_from(&columns);
        table.indexes.insert(
            0,
            Index {
                id: PRIMARY_INDEX,
                oid,
                name,
                columns,
                include,
                is_unique: true,
                is_primary: true,
                is_constraint: true,
                constraint_oid,
                nulls_not_distinct: false,
                predicate: None,
                state: IndexState::Public,
                comment: None,
            },
        );
        Ok(())
    }

    /// Adds a secondary index to the descriptor; its number in keys.
    pub(super) async fn add_index(
        &mut self,
        table: &mut Table,
        plan: IndexPlan,
    ) -> Result<u16, SqlError> {
        let oid = self.new_oid().await?;
        let constraint_oid = if plan.is_constraint { self.new_oid().await? } else { 0 };
        let id = self.index_number(table).await?;
        table.next_index = id.checked_add(1).ok_or_else(no_index_number)?;
        table.indexes.push(Index {
            id,
            oid,
            name: plan.name,
            columns: plan.columns,
            include: plan.include,
            is_unique: plan.is_unique,
            is_primary: false,
            is_constraint: plan.is_constraint,
            constraint_oid,
            nulls_not_distinct: plan.nulls_not_distinct,
            predicate: plan.predicate,
            state: IndexState::Public,
            comment: None,
        });
        Ok(id)
    }

    /// A number that no other index of the table ever had, those of rolled back DDL included.
    async fn index_number(&self, table: &Table) -> Result<u16, SqlError> {
        let is_new = self.view.catalog.table(table.oid).is_none();
        if is_new || self.is_own(table.oid) {
            return Ok(table.next_index);
        }
        let number = catalog::next_index_number(self.shared.engine.client(), table).await;
        number.map_err(|error| self.kv(error))?.ok_or_else(no_index_number)
    }

    async fn add_check(
        &mut self,
        table: &mut Table,
        check: &CheckConstraint,
    ) -> Result<(), SqlError> {
        self.check_expression(&check.expr, Some(table), Stored::Check, SqlType::BOOL)?;
        let used = columns_used(table, &check.expr);
        let column = match used.as_slice() {
            [one] => one.as_str(),
            _ => "",
        };
        let name = constraint_name(table, check.name.as_ref(), (column, "check"))?;
        let oid = self.new_oid().await?;
        table.checks.push(Check { oid, name, expr: check.expr.to_string() });
        table.checks.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    async fn add_foreign_key(
        &mut self,
        table: &mut Table,
        key: &ForeignKeyConstraint,
    ) -> Result<(), SqlError> {
        let columns = fold_all(&key.columns);
        let own: Vec<Column> = columns
            .iter()
            .map(|name| {
                table.column_named(name).cloned().ok_or_else(|| missing_key_column_fk(name))
            })
            .collect::<Result<_, _>>()?;
        let (schema, name) = self.qualified(&key.foreign_table)?;
        let is_self = name == table.name
            && schema.as_ref().is_none_or(|schema| {
                self.view().schema_named(schema).is_some_and(|s| s.oid == table.schema)
            })
            && self.view().catalog.table(table.oid).is_none();
        let parent =
            if is_self { table.clone() } else { (*self.find_table(&key.foreign_table)?).clone() };
        let referenced = referenced_columns(&parent, &key.referred_columns)?;
        let label = columns.join("_");
        let name = constraint_name(table, key.name.as_ref(), (&label, "fkey"))?;
        check_key_types(&name, &own, &parent, &referenced)?;
        let characteristics = key.characteristics.as_ref();
        let oid = self.new_oid().await?;
        table.foreign_keys.push(ForeignKey {
            oid,
            name,
            columns: own.iter().map(|c| c.id).collect(),
            references: parent.oid,
            referenced_columns: referenced,
            on_delete: action(key.on_delete.as_ref()),
            on_update: action(key.on_update.as_ref()),
            match_full: matches!(key.match_kind, Some(ConstraintReferenceMatchKind::Full)),
            is_deferrable: characteristics.and_then(|c| c.deferrable).unwrap_or(false),
            initially_deferred: characteristics
                .is_some_and(|c| matches!(c.initially, Some(DeferrableInitial::Deferred))),
        });
        Ok(())
    }

    /// Key columns of a constraint: plain columns, each once.
    pub(super) fn key_columns(
        &self,
        table: &Table,
        columns: &[sqlparser::ast::IndexColumn],
        kind: KeyKind,
    ) -> Result<Vec<IndexColumn>, SqlError> {
        if columns.len() > KEY_COLUMNS_MAX {
            return Err(SqlError::new(
                sqlstate::TOO_MANY_COLUMNS,
                format!("cannot use more than {KEY_COLUMNS_MAX} columns in an index"),
            ));
        }
        let mut out: Vec<IndexColumn> = Vec::with_capacity(columns.len());
        for column in columns {
            let Expr::Identifier(ident) = &column.column.expr else {
                return Err(SqlError::not_supported("indexes on expressions are not supported"));
            };
            let name = fold(ident);
            let found = table.column_named(&name).ok_or_else(|| kind.missing_column(&name))?;
            if out.iter().any(|c| c.column == found.id) {
                return Err(kind.column_twice(&name));
            }
            check_indexable(found)?;
            let is_descending =
                matches!(column.column.options.sort, Some(sqlparser::ast::OrderBySort::Desc));
            let direction = if is_descending { Direction::Desc } else { Direction::Asc };
            out.push(IndexColumn { column: found.id, direction });
        }
        Ok(out)
    }

    /// The name of an index, given or chosen.
    pub(super) fn index_name(
        &mut self,
        table: &Table,
        given: Option<&Ident>,
        columns: &[String],
        label: &str,
        taken: &mut BTreeSet<String>,
    ) -> Result<String, SqlError> {
        let view = self.view();
        let name = match given {
            Some(ident) => {
                let name = fold(ident);
                if view.catalog.relation(table.schema, &name).is_some() || taken.contains(&name) {
                    let kind = catalog::store::NameKind::Relation;
                    return Err(crate::session::errors::name_taken(kind, &name));
                }
                name
            }
            None => {
                let joined = columns.join("_");
                let parts = (table.name.as_str(), joined.as_str(), label);
                free_relation_name(&view.catalog, table.schema, taken, parts)
            }
        };
        taken.insert(name.clone());
        Ok(name)
    }
}

fn second_key(table: &Table) -> SqlError {
    SqlError::new(
        sqlstate::INVALID_TABLE_DEFINITION,
        format!("multiple primary keys for table \"{}\" are not allowed", table.name),
    )
}

/// Names of key columns.
pub(super) fn column_names(table: &Table, columns: &[IndexColumn]) -> Vec<String> {
    columns.iter().filter_map(|c| Some(table.column(c.column)?.name.clone())).collect()
}

/// Ids of INCLUDE columns.
pub(super) fn include_columns(
    table: &Table,
    idents: &[Ident],
) -> Result<Vec<catalog::ColumnId>, SqlError> {
    idents
        .iter()
        .map(|ident| {
            let name = fold(ident);
            table.column_named(&name).map(|c| c.id).ok_or_else(|| missing_key_column(&name))
        })
        .collect()
}

/// Columns of the table that an expression names.
pub(super) fn columns_used(table: &Table, expr: &Expr) -> Vec<String> {
    let dialect = PostgreSqlDialect {};
    let text = expr.to_string();
    let tokens = Tokenizer::new(&dialect, &text).tokenize().unwrap_or_default();
    let mut out: Vec<String> = Vec::new();
    for token in tokens {
        let Token::Word(word) = token else { continue };
        let name =
            fold(&Ident { value: word.value, quote_style: word.quote_style, span: Span::empty() });
        if table.column_named(&name).is_some() && !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

fn referenced_columns(parent: &Table, named: &[Ident]) -> Result<Vec<catalog::ColumnId>, SqlError> {
    if named.is_empty() {
        let key = parent.primary_key().ok_or_else(|| {
            SqlError::new(
                sqlstate::UNDEFINED_OBJECT,
                format!("there is no primary key for referenced table \"{}\"", parent.name),
            )
        })?;
        return Ok(key.columns.iter().map(|c| c.column).collect());
    }
    let ids: Vec<_> = named
        .iter()
        .map(|ident| {
            let name = fold(ident);
            let found = parent.column_named(&name).map(|c| c.id);
            found.ok_or_else(|| missing_key_column_fk(&name))
        })
        .collect::<Result<_, _>>()?;
    let covers = |index: &&Index| {
        index.is_unique
            && index.predicate.is_none()
            && index.columns.len() == ids.len()
            && ids.iter().all(|id| index.has_column(*id))
    };
    if parent.indexes.iter().find(covers).is_none() {
        return Err(SqlError::new(
            sqlstate::INVALID_FOREIGN_KEY,
            format!(
                "there is no unique constraint matching given keys for referenced table \"{}\"",
                parent.name
            ),
        ));
    }
    Ok(ids)
}

fn check_key_types(
    name: &str,
    own: &[Column],
    parent: &Table,
    referenced: &[catalog::ColumnId],
) -> Result<(), SqlError> {
    if own.len() != referenced.len() {
        return Err(SqlError::new(
            sqlstate::INVALID_FOREIGN_KEY,
            "number of referencing and referenced columns for foreign key disagree",
        ));
    }
    for (column, id) in own.iter().zip(referenced) {
        let Some(other) = parent.column(*id) else { continue };
        if !is_comparable(column.ty, other.ty) {
            return Err(SqlError::new(
                sqlstate::DATATYPE_MISMATCH,
                format!("foreign key constraint \"{name}\" cannot be implemented"),
            )
            .with_detail(format!(
                "Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.",
                column.name,
                other.name,
                types::format_type(column.ty.oid, -1),
                types::format_type(other.ty.oid, -1)
            )));
        }
    }
    Ok(())
}

/// Same type, or of one family: integers with each other, texts with each other, numbers.
fn is_comparable(a: SqlType, b: SqlType) -> bool {
    let category = |ty: SqlType| types::type_by_oid(ty.oid).map(|info| info.category);
    a.oid == b.oid || (category(a) == category(b) && matches!(category(a), Some('N' | 'S' | 'D')))
}

/// Types without an order cannot be keys.
fn check_indexable(column: &Column) -> Result<(), SqlError> {
    use types::oid;
    if column.ty.oid == oid::JSON {
        return Err(SqlError::new(
            sqlstate::UNDEFINED_OBJECT,
            format!(
                "data type {} has no default operator class for access method \"btree\"",
                column.ty
            ),
        )
        .with_hint(
            "You must specify an operator class for the index or define a default operator \
             class for the data type.",
        ));
    }
    Ok(())
}

fn action(action: Option<&ReferentialAction>) -> ForeignKeyAction {
    match action {
        None | Some(ReferentialAction::NoAction) => ForeignKeyAction::NoAction,
        Some(ReferentialAction::Restrict) => ForeignKeyAction::Restrict,
        Some(ReferentialAction::Cascade) => ForeignKeyAction::Cascade,
        Some(ReferentialAction::SetNull) => ForeignKeyAction::SetNull,
        Some(ReferentialAction::SetDefault) => ForeignKeyAction::SetDefault,
    }
}

fn no_index_number() -> SqlError {
    SqlError::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "all index numbers are used up")
}

fn missing_key_column(name: &str) -> SqlError {
    SqlError::new(
        sqlstate::UNDEFINED_COLUMN,
        format!("column \"{name}\" named in key does not exist"),
    )
}

fn missing_key_column_fk(name: &str) -> SqlError {
    SqlError::new(
        sqlstate::UNDEFINED_COLUMN,
        format!("column \"{name}\" referenced in foreign key constraint does not exist"),
    )
}
