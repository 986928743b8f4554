//! ALTER TABLE … ADD/DROP/ALTER COLUMN.

use super::Ddl;
use super::alter::missing_column;
use super::place::unplaced;
use super::rewrite::{CastColumn, ComputeColumn, RowChange, contains_nulls};
use crate::bind::{self, Stored};
use crate::exec::{Context, RowExpr};
use crate::session::planning::plan_statement;
use crate::session::{internal, quote};
use catalog::{Descriptor, Identity, Index, Oid, Sequence, Table};
use sqlparser::ast::{AlterColumnOperation, Expr, GeneratedAs};
use std::collections::BTreeSet;
use std::sync::Arc;
use types::{Datum, SqlError, SqlType, sqlstate};

impl Ddl<'_> {
    /// Decides what existing rows have in a new column: a constant is kept in the descriptor; true
    /// when rows have to be written.
    pub(super) async fn fill_new_column(
        &mut self,
        old: &Arc<Table>,
        table: &mut Table,
        position: usize,
        sequences: &[Sequence],
    ) -> Result<bool, SqlError> {
        let column = table.columns[position].clone();
        let is_computed = column.generated.is_some() || !sequences.is_empty();
        match &column.default {
            Some(default) if !is_computed && !is_volatile(default) => {
                let view = self.view();
                let sql = format!("SELECT ({default})::{}", type_text(column.ty));
                let rows = internal::query(self.shared, self.tx, &view, &sql).await?;
                let value = rows.into_iter().next().and_then(|row| row.into_iter().next());
                if let Some(value) = value.filter(|value| !matches!(value, Datum::Null)) {
                    let settings = types::Settings::default();
                    let text = types::text::to_string(&value, column.ty, &settings);
                    table.columns[position].missing = Some(text);
                    return Ok(false);
                }
                self.forbid_nulls(old, &column).await?;
                Ok(false)
            }
            None if !is_computed => {
                self.forbid_nulls(old, &column).await?;
                Ok(false)
            }
            _ => {
                self.fence(old.oid).await?;
                Ok(true)
            }
        }
    }

    /// A NOT NULL column without a value for existing rows needs that there are none.
    async fn forbid_nulls(
        &mut self,
        old: &Arc<Table>,
        column: &catalog::Column,
    ) -> Result<(), SqlError> {
        if !column.is_not_null {
            return Ok(());
        }
        self.fence(old.oid).await?;
        let sql = format!("SELECT 1 FROM {} LIMIT 1", self.view().display_name(old.oid));
        let (table, name) = (old.clone(), column.name.clone());
        let schema = self.schema_name(old);
        self.expect_no_rows(&sql, |_| contains_nulls(&schema, &table, &name)).await
    }

    /// Writes a computed default into every row.
    pub(super) async fn fill_rows(
        &mut self,
        table: &Arc<Table>,
        position: usize,
    ) -> Result<(), SqlError> {
        let column = &table.columns[position];
        let name = quote::identifier(&column.name);
        let target = self.view().display_name(table.oid);
        let sql = match &column.generated {
            // Any update computes the generated columns again.
            Some(_) => {
                let Some(other) = table.visible_columns().find(|c| c.generated.is_none()) else {
                    return Ok(());
                };
                let other = quote::identifier(&other.name);
                format!("UPDATE {target} SET {other} = {other}")
            }
            None if column.identity.is_some() => {
                let sequence = column.sequence.unwrap_or_default();
                format!("UPDATE {target} SET {name} = nextval('{sequence}'::regclass)")
            }
            None => format!("UPDATE {target} SET {name} = DEFAULT"),
        };
        let view = self.view();
        internal::query(self.shared, self.tx, &view, &sql).await.map(|_| ())
    }

    pub(super) async fn drop_column(
        &mut self,
        oid: Oid,
        name: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Result<(), SqlError> {
        let old = self.lock_table(oid).await?;
        let Some(column) = old.column_named(name).cloned() else {
            let error = missing_column(name, &old.name);
            if if_exists {
                self.skip(&error.message);
                return Ok(());
            }
            return Err(error);
        };
        self.check_column_dependents(&old, &column, cascade).await?;
        let uses =
            |index: &Index| index.has_column(column.id) || index.include.contains(&column.id);
        let is_key = old.is_key_column(column.id);
        let indexes: Vec<Index> = old.indexes.iter().filter(|i| uses(i)).cloned().collect();
        if !indexes.is_empty() {
            self.fence(oid).await?;
        }
        let mut table = (*self.lock_table(oid).await?).clone();
        let before = Arc::new(table.clone());
        table.indexes.retain(|index| !uses(index));
        table.foreign_keys.retain(|key| !key.columns.contains(&column.id));
        let mentions = |text: &str| super::rename::mentions(text, name);
        table.checks.retain(|check| !mentions(&check.expr));
        for other in table.columns.iter_mut().filter(|c| c.id == column.id) {
            other.is_dropped = true;
            other.is_not_null = false;
            other.default = None;
            other.sequence = None;
            other.identity = None;
            other.name = format!("........pg.dropped.{}........", other.attnum);
        }
        if !is_key {
            indexes.iter().for_each(|index| self.abandon(&before, Some(index.id)));
        }
        if is_key {
            table.add_row_id();
            self.move_storage(&mut table).await?;
        }
        let new = self.replace_table(&before, table).await?;
        if is_key {
            self.rewrite(&before, &new, &mut FreshRowIds::default()).await?;
        }
        self.drop_owned_sequences(oid, Some(column.id)).await
    }

    pub(super) async fn alter_column(
        &mut self,
        oid: Oid,
        name: &str,
        operation: &AlterColumnOperation,
    ) -> Result<(), SqlError> {
        let old = self.lock_table(oid).await?;
        let column = old.column_named(name).ok_or_else(|| missing_column(name, &old.name))?;
        let position = old.position(column.id).unwrap_or_default();
        match operation {
            AlterColumnOperation::SetNotNull => self.set_not_null(oid, position).await,
            AlterColumnOperation::DropNotNull => {
                if old.is_key_column(column.id) {
                    return Err(SqlError::new(
                        sqlstate::INVALID_TABLE_DEFINITION,
                        format!("column \"{name}\" is in a primary key"),
                    ));
                }
                let mut table = (*old).clone();
                table.columns[position].is_not_null = false;
                self.replace_table(&old, table).await.map(|_| ())
            }
            AlterColumnOperation::SetDefault { value } => {
                let mut table = (*old).clone();
                self.check_defaults(&mut table, position, Some(value), None).map_err(unplaced)?;
                self.replace_table(&old, table).await.map(|_| ())
            }
            AlterColumnOperation::DropDefault => {
                let mut table = (*old).clone();
                table.columns[position].default = None;
                self.replace_table(&old, table).await.map(|_| ())
            }
            AlterColumnOperation::SetDataType { data_type, using, .. } => {
                let to = bind::data_type_in(data_type, &*self.view())?;
                self.set_type(oid, position, to, using.as_ref()).await
            }
            AlterColumnOperation::AddGenerated { generated_as, sequence_options } => {
                let mut table = (*old).clone();
                table.columns[position].identity = Some(match generated_as {
                    Some(GeneratedAs::ByDefault) => Identity::ByDefault,
                    _ => Identity::Always,
                });
                let options = sequence_options.clone().unwrap_or_default();
                let mut taken = BTreeSet::new();
                let sequence =
                    self.plan_sequence(&mut table, position, &options, &mut taken).await?;
                self.replace_table(&old, table).await?;
                self.create(Descriptor::Sequence(Arc::new(sequence))).await
            }
            other => Err(SqlError::not_supported(format!("ALTER COLUMN {other} is not supported"))),
        }
    }

    async fn set_not_null(&mut self, oid: Oid, position: usize) -> Result<(), SqlError> {
        self.fence(oid).await?;
        let old = self.lock_table(oid).await?;
        let name = old.columns[position].name.clone();
        let sql = format!(
            "SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1",
            self.view().display_name(oid),
            quote::identifier(&name)
        );
        let (table, schema) = (old.clone(), self.schema_name(&old));
        self.expect_no_rows(&sql, |_| contains_nulls(&schema, &table, &name)).await?;
        let mut table = (*old).clone();
        table.columns[position].is_not_null = true;
        self.replace_table(&old, table).await.map(|_| ())
    }

    async fn set_type(
        &mut self,
        oid: Oid,
        position: usize,
        to: SqlType,
        using: Option<&Expr>,
    ) -> Result<(), SqlError> {
        self.fence(oid).await?;
        let old = self.lock_table(oid).await?;
        let column = &old.columns[position];
        let from = column.ty;
        let mut table = (*old).clone();
        table.columns[position].ty = to;
        if using.is_some() {
            // Every row is written anew.
            table.columns[position].missing = None;
        } else if let Some(text) = column.missing.clone() {
            let settings = types::Settings::default();
            let value = types::text::parse(from, &text, &settings)?;
            let value = types::cast::cast(value, from, to, false, &settings)?;
            table.columns[position].missing = Some(types::text::to_string(&value, to, &settings));
        }
        if using.is_none() && is_widening(from, to) {
            return self.replace_table(&old, table).await.map(|_| ());
        }
        if let Some(expr) = using {
            let mut change = self.using(&old, position, to, expr)?;
            self.move_storage(&mut table).await?;
            let new = self.replace_table(&old, table).await?;
            return self.rewrite(&old, &new, &mut change).await;
        }
        if !is_assignable(from, to) {
            let name = &column.name;
            return Err(SqlError::new(
                sqlstate::DATATYPE_MISMATCH,
                format!(
                    "column \"{name}\" cannot be cast automatically to type {}",
                    types::format_type(to.oid, -1)
                ),
            )
            .with_hint(format!(
                "You might need to specify \"USING {}::{}\".",
                quote::identifier(name),
                types::format_type(to.oid, -1)
            )));
        }
        self.move_storage(&mut table).await?;
        let new = self.replace_table(&old, table).await?;
        let settings = self.shared.settings();
        let mut change = CastColumn { position, from, to, settings };
        self.rewrite(&old, &new, &mut change).await
    }

    /// What USING makes of a row's column.
    fn using(
        &mut self,
        old: &Arc<Table>,
        position: usize,
        to: SqlType,
        expr: &Expr,
    ) -> Result<ComputeColumn, SqlError> {
        let from = self.check_expression(expr, Some(old), Stored::Transform, to)?;
        let is_undecided = from.oid == types::oid::UNKNOWN;
        if !is_undecided && !is_assignable(from, to) {
            let name = &old.columns[position].name;
            return Err(SqlError::new(
                sqlstate::DATATYPE_MISMATCH,
                format!(
                    "result of USING clause for column \"{name}\" cannot be cast automatically to \
                     type {}",
                    types::format_type(to.oid, -1)
                ),
            )
            .with_hint("You might need to add an explicit cast."));
        }
        let (view, settings) = (self.view(), self.shared.settings());
        let shown = match is_undecided {
            true => format!("CAST({expr} AS {})", type_text(to)),
            false => expr.to_string(),
        };
        let sql = format!("SELECT {shown} FROM {}", view.display_name(old.oid));
        let Some(parsed) = crate::parse::parse(&sql)?.pop() else {
            return Err(SqlError::internal("a SELECT without a statement"));
        };
        let planned = plan_statement(&view, &parsed.ast, &sql, &[], &settings)?;
        let context = Context { host: view, settings: settings.clone() };
        let expr = RowExpr::new(&planned.plan, context)?;
        Ok(ComputeColumn { position, expr, to, settings })
    }
}

/// True when values of one type may be stored as the other without being asked to.
fn is_assignable(from: SqlType, to: SqlType) -> bool {
    use types::cast::CastContext::Explicit;
    from.oid == to.oid || types::cast::context(from.oid, to.oid).is_some_and(|c| c != Explicit)
}

/// Numbers rows anew for a table that has lost its primary key.
#[derive(Default)]
pub(super) struct FreshRowIds {
    last: i64,
}

impl RowChange for FreshRowIds {
    fn change(&mut self, mut row: Vec<Datum>) -> Result<Vec<Datum>, SqlError> {
        self.last += 1;
        row.push(Datum::Int8(self.last));
        Ok(row)
    }
}

/// True when values of one type are stored exactly as those of the other.
fn is_widening(from: SqlType, to: SqlType) -> bool {
    use types::oid::{TEXT, VARCHAR};
    let is_text = |ty: SqlType| ty.oid == TEXT || ty.oid == VARCHAR;
    if from == to {
        return true;
    }
    if is_text(from) && is_text(to) {
        return to.typmod < 0 || (from.typmod >= 0 && from.typmod <= to.typmod);
    }
    from.oid == to.oid && to.typmod < 0
}

/// True for defaults that differ from row to row.
pub(crate) fn is_volatile(default: &str) -> bool {
    let text = default.to_lowercase();
    ["nextval", "random", "gen_random_uuid", "uuid_generate", "clock_timestamp", "timeofday"]
        .iter()
        .any(|name| text.contains(name))
}

/// A type as SQL text.
pub(super) fn type_text(ty: SqlType) -> String {
    types::format_type(ty.oid, ty.typmod)
}
