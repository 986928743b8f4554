//! ALTER TABLE: one operation after the other on the table's descriptor.

use super::place::unplaced;
use super::{Ddl, missing_relation};
use crate::session::names::{fold, simple};
use catalog::{Descriptor, Table, TableKind};
use sqlparser::ast::{
    AlterTable, AlterTableOperation, ColumnDef, DropBehavior, RenameTableNameKind, TableConstraint,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use types::{SqlError, sqlstate};

impl Ddl<'_> {
    pub(super) async fn alter_table(&mut self, alter: &AlterTable) -> Result<String, SqlError> {
        let found = match self.find(&alter.name) {
            Ok(found) => found,
            Err(error) if alter.if_exists && error.code == sqlstate::UNDEFINED_TABLE => {
                self.skip(&error.message);
                return Ok("ALTER TABLE".to_owned());
            }
            Err(error) => return Err(error),
        };
        let table = match found {
            catalog::Relation::Table(table) if table.kind != TableKind::Virtual => table,
            catalog::Relation::Table(table) => {
                return Err(SqlError::new(
                    sqlstate::INSUFFICIENT_PRIVILEGE,
                    format!("permission denied: \"{}\" is a system catalog", table.name),
                ));
            }
            other => return self.alter_other(&other, &alter.operations).await,
        };
        super::fence::wait(self.shared, self.tx, table.oid).await?;
        for operation in &alter.operations {
            self.alter_operation(table.oid, operation).await?;
        }
        Ok("ALTER TABLE".to_owned())
    }

    async fn alter_operation(
        &mut self,
        oid: catalog::Oid,
        operation: &AlterTableOperation,
    ) -> Result<(), SqlError> {
        use AlterTableOperation as Op;
        match operation {
            Op::AddColumn { if_not_exists, column_def, .. } => {
                self.add_column(oid, column_def, *if_not_exists).await
            }
            Op::DropColumn { column_names, if_exists, drop_behavior, .. } => {
                let cascade = matches!(drop_behavior, Some(DropBehavior::Cascade));
                for name in column_names {
                    self.drop_column(oid, &fold(name), *if_exists, cascade).await?;
                }
                Ok(())
            }
            Op::AlterColumn { column_name, op } => {
                self.alter_column(oid, &fold(column_name), op).await
            }
            Op::AddConstraint { constraint, not_valid } => {
                self.add_constraint_to(oid, constraint, *not_valid).await
            }
            Op::DropConstraint { if_exists, name, drop_behavior } => {
                let cascade = matches!(drop_behavior, Some(DropBehavior::Cascade));
                self.drop_constraint(oid, &fold(name), *if_exists, cascade).await
            }
            Op::RenameTable { table_name } => {
                let (RenameTableNameKind::As(name) | RenameTableNameKind::To(name)) = table_name;
                self.rename_table(oid, simple(name)).await
            }
            Op::RenameColumn { old_column_name, new_column_name } => {
                self.rename_column(oid, &fold(old_column_name), fold(new_column_name)).await
            }
            Op::RenameConstraint { old_name, new_name } => {
                self.rename_constraint(oid, &fold(old_name), fold(new_name)).await
            }
            Op::OwnerTo { .. }
            | Op::SetLogged
            | Op::SetUnlogged
            | Op::ReplicaIdentity { .. }
            | Op::ValidateConstraint { .. }
            | Op::DisableTrigger { .. }
            | Op::EnableTrigger { .. }
            | Op::SetTblProperties { .. }
            | Op::SetOptionsParens { .. }
            | Op::ResetOptions { .. } => Ok(()),
            other => Err(SqlError::not_supported(format!("ALTER TABLE {other} is not supported"))),
        }
    }

    async fn alter_other(
        &mut self,
        relation: &catalog::Relation,
        operations: &[AlterTableOperation],
    ) -> Result<String, SqlError> {
        for operation in operations {
            match operation {
                AlterTableOperation::RenameTable { table_name } => {
                    let (RenameTableNameKind::As(name) | RenameTableNameKind::To(name)) =
                        table_name;
                    self.rename_relation(relation, simple(name)).await?;
                }
                AlterTableOperation::OwnerTo { .. } => {}
                _ => {
                    return Err(SqlError::new(
                        sqlstate::WRONG_OBJECT_TYPE,
                        format!("\"{}\" is not a table", relation.name()),
                    ));
                }
            }
        }
        Ok("ALTER TABLE".to_owned())
    }

    async fn add_column(
        &mut self,
        oid: catalog::Oid,
        def: &ColumnDef,
        if_not_exists: bool,
    ) -> Result<(), SqlError> {
        let name = fold(&def.name);
        let old = self.lock_table(oid).await?;
        if old.column_named(&name).is_some() {
            let message = format!("column \"{name}\" of relation \"{}\" already exists", old.name);
            if if_not_exists {
                self.notice(sqlstate::DUPLICATE_COLUMN, format!("{message}, skipping"));
                return Ok(());
            }
            return Err(SqlError::new(sqlstate::DUPLICATE_COLUMN, message));
        }
        let plan = self.plan_column(&old.name, def)?;
        let mut table = (*old).clone();
        let position = self.place_column(&mut table, plan.column.clone())?;
        let constraints = plan.constraints.clone();
        let mut taken = BTreeSet::new();
        let plans = [(position, plan)];
        let sequences = self.finish_columns(&mut table, &plans, &mut taken).await;
        let sequences = sequences.map_err(unplaced)?;
        let is_filled = self.fill_new_column(&old, &mut table, position, &sequences).await?;
        let new = self.replace_table(&old, table).await?;
        for sequence in sequences {
            self.create(Descriptor::Sequence(Arc::new(sequence))).await?;
        }
        if is_filled {
            self.fill_rows(&new, position).await?;
        }
        for constraint in &constraints {
            self.add_constraint_to(oid, constraint, false).await?;
        }
        Ok(())
    }

    /// ALTER TABLE … ADD CONSTRAINT: the descriptor, then the rows that are there.
    pub(super) async fn add_constraint_to(
        &mut self,
        oid: catalog::Oid,
        constraint: &TableConstraint,
        not_valid: bool,
    ) -> Result<(), SqlError> {
        self.fence(oid).await?;
        let old = self.lock_table(oid).await?;
        let mut table = (*old).clone();
        let mut taken = BTreeSet::new();
        match constraint {
            TableConstraint::PrimaryKeyUsingIndex(using)
            | TableConstraint::UniqueUsingIndex(using) => {
                return Err(SqlError::not_supported(format!(
                    "constraints using index \"{}\" are not supported",
                    using.index_name
                )));
            }
            _ => {}
        }
        self.add_constraint(&mut table, constraint, &mut taken).await.map_err(unplaced)?;
        match constraint {
            TableConstraint::PrimaryKey(_) => {
                self.move_storage(&mut table).await?;
                let new = self.replace_table(&old, table).await?;
                self.rewrite(&old, &new, &mut super::rewrite::Same).await
            }
            TableConstraint::Unique(_) => {
                let id = table.indexes.last().map_or(0, |index| index.id);
                let new = self.replace_table(&old, table).await?;
                self.build_index(&new, id).await
            }
            TableConstraint::Check(_) if !not_valid => {
                let check = table.checks.iter().find(|c| !old.checks.contains(c)).cloned();
                let new = self.replace_table(&old, table).await?;
                self.validate_check(&new, check.as_ref()).await
            }
            TableConstraint::ForeignKey(_) if !not_valid => {
                let new = self.replace_table(&old, table).await?;
                self.validate_foreign_key(&new).await
            }
            _ => self.replace_table(&old, table).await.map(|_| ()),
        }
    }

    async fn validate_check(
        &mut self,
        table: &Arc<Table>,
        check: Option<&catalog::Check>,
    ) -> Result<(), SqlError> {
        let Some(check) = check else { return Ok(()) };
        let name = self.view().display_name(table.oid);
        let sql = format!("SELECT 1 FROM {name} WHERE NOT ({}) LIMIT 1", check.expr);
        let (constraint, relation) = (check.name.clone(), table.name.clone());
        let schema = self.schema_name(table);
        self.expect_no_rows(&sql, |_| {
            SqlError::new(
                sqlstate::CHECK_VIOLATION,
                format!(
                    "check constraint \"{constraint}\" of relation \"{relation}\" is violated by \
                     some row"
                ),
            )
            .with_table(schema, relation)
            .with_constraint(constraint.clone())
        })
        .await
    }

    async fn validate_foreign_key(&mut self, table: &Arc<Table>) -> Result<(), SqlError> {
        let Some(key) = table.foreign_keys.last().cloned() else { return Ok(()) };
        let view = self.view();
        let Some(parent) = view.catalog.table(key.references).cloned() else { return Ok(()) };
        let own = super::rename::quoted_names(table, &key.columns);
        let other = super::rename::quoted_names(&parent, &key.referenced_columns);
        let pairs: Vec<String> =
            own.iter().zip(&other).map(|(a, b)| format!("p.{b} = c.{a}")).collect();
        let present: Vec<String> = own.iter().map(|a| format!("c.{a} IS NOT NULL")).collect();
        let shown: Vec<String> = own.iter().map(|a| format!("c.{a}::text")).collect();
        let sql = format!(
            "SELECT {} FROM {} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {}) LIMIT 1",
            shown.join(", "),
            view.display_name(table.oid),
            present.join(" AND "),
            view.display_name(parent.oid),
            pairs.join(" AND ")
        );
        let columns: Vec<&str> = key
            .columns
            .iter()
            .filter_map(|id| table.column(*id).map(|column| column.name.as_str()))
            .collect();
        let (columns, table_name) = (columns.join(", "), table.name.clone());
        self.expect_no_rows(&sql, |row| {
            let values: Vec<String> = row.iter().map(shown_text).collect();
            SqlError::new(
                sqlstate::FOREIGN_KEY_VIOLATION,
                format!(
                    "insert or update on table \"{table_name}\" violates foreign key constraint \
                     \"{}\"",
                    key.name
                ),
            )
            .with_detail(format!(
                "Key ({columns})=({}) is not present in table \"{}\".",
                values.join(", "),
                parent.name
            ))
            .with_constraint(key.name.clone())
        })
        .await
    }

    async fn drop_constraint(
        &mut self,
        oid: catalog::Oid,
        name: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Result<(), SqlError> {
        let known = self.lock_table(oid).await?;
        if !super::columns::has_constraint(&known, name) {
            let message =
                format!("constraint \"{name}\" of relation \"{}\" does not exist", known.name);
            if if_exists {
                self.skip(&message);
                return Ok(());
            }
            return Err(SqlError::new(sqlstate::UNDEFINED_OBJECT, message));
        }
        let index = known.indexes.iter().find(|i| i.is_constraint && i.name == name).cloned();
        match index {
            Some(index) => self.drop_index(&known, &index, cascade).await,
            None => {
                let mut table = (*known).clone();
                table.checks.retain(|check| check.name != name);
                table.foreign_keys.retain(|key| key.name != name);
                self.replace_table(&known, table).await.map(|_| ())
            }
        }
    }

    /// ALTER VIEW and what else renames relations by ALTER TABLE.
    pub(super) async fn rename_relation(
        &mut self,
        relation: &catalog::Relation,
        name: String,
    ) -> Result<(), SqlError> {
        match relation {
            catalog::Relation::Table(table) => self.rename_table(table.oid, name).await,
            catalog::Relation::Index(table, index) => {
                let old = self.lock_table(table.oid).await?;
                let mut new = (*old).clone();
                if let Some(found) = new.indexes.iter_mut().find(|i| i.oid == *index) {
                    found.name = name;
                }
                self.replace_table(&old, new).await.map(|_| ())
            }
            catalog::Relation::View(view) => {
                let old = self.lock(view.oid).await?;
                let Descriptor::View(locked) = &old else {
                    return Err(missing_relation(None, &view.name));
                };
                let mut new = (**locked).clone();
                new.name = name;
                self.replace(&old, Descriptor::View(Arc::new(new))).await
            }
            catalog::Relation::Sequence(sequence) => {
                let old = self.lock(sequence.oid).await?;
                let Descriptor::Sequence(locked) = &old else {
                    return Err(missing_relation(None, &sequence.name));
                };
                let mut new = (**locked).clone();
                new.name = name;
                self.replace(&old, Descriptor::Sequence(Arc::new(new))).await
            }
        }
    }
}

/// `column "c" of relation "t" does not exist`.
pub(super) fn missing_column(column: &str, table: &str) -> SqlError {
    SqlError::new(
        sqlstate::UNDEFINED_COLUMN,
        format!("column \"{column}\" of relation \"{table}\" does not exist"),
    )
}

fn shown_text(value: &types::Datum) -> String {
    match value {
        types::Datum::Text(text) => text.to_string(),
        _ => "null".to_owned(),
    }
}
