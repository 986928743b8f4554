//! CREATE TABLE.

use super::Ddl;
use super::columns::ColumnPlan;
use super::place::placed;
use crate::session::names::fold;
use catalog::store::NameKind;
use catalog::{Column, Descriptor, POSTGRES_ROLE, Sequence, Table, TableKind};
use sqlparser::ast::{
    CreateTable, CreateTableLikeDefaults, CreateTableLikeKind, CreateTableOptions, Spanned,
    TableConstraint,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use types::{SqlError, sqlstate};

impl Ddl<'_> {
    pub(super) async fn create_table(&mut self, create: &CreateTable) -> Result<(), SqlError> {
        refuse_unsupported(create)?;
        let found = self.schema_for(&create.name, create.temporary).await;
        let (schema, name) =
            found.map_err(|error| match error.code == sqlstate::UNDEFINED_SCHEMA {
                true => placed(error, self.sql, |places| places.at(create.name.span())),
                false => error,
            })?;
        if self.exists_already(schema.oid, &name, create.if_not_exists)? {
            return Ok(());
        }
        let mut table = self.empty_table(schema.oid, name, create.temporary).await?;
        table.options = storage_options(&create.table_options);
        let mut constraints: Vec<TableConstraint> = Vec::new();
        let mut plans = Vec::with_capacity(create.columns.len());
        if let Some(like) = &create.like {
            self.copy_columns(&mut table, like)?;
        }
        for def in &create.columns {
            let mut plan = self.plan_column(&table.name, def)?;
            constraints.append(&mut plan.constraints);
            let column = plan.column.clone();
            let position = self.place_column(&mut table, column)?;
            plans.push((position, plan));
        }
        constraints.extend(create.constraints.iter().cloned());
        let mut taken = BTreeSet::from([table.name.clone()]);
        let sequences = self.finish_columns(&mut table, &plans, &mut taken).await?;
        self.add_constraints(&mut table, &constraints, &mut taken).await?;
        if table.primary_key().is_none() {
            table.add_row_id();
        }
        self.create(Descriptor::Table(Arc::new(table))).await?;
        for sequence in sequences {
            self.create(Descriptor::Sequence(Arc::new(sequence))).await?;
        }
        Ok(())
    }

    /// True, with a notice, when the relation exists and IF NOT EXISTS was given; an error when it
    /// exists without.
    pub(super) fn exists_already(
        &mut self,
        schema: catalog::Oid,
        name: &str,
        if_not_exists: bool,
    ) -> Result<bool, SqlError> {
        if self.view().catalog.relation(schema, name).is_none() {
            return Ok(false);
        }
        if !if_not_exists {
            return Err(crate::session::errors::name_taken(NameKind::Relation, name));
        }
        self.notice(
            sqlstate::DUPLICATE_TABLE,
            format!("relation \"{name}\" already exists, skipping"),
        );
        Ok(true)
    }

    /// A table without columns.
    pub(super) async fn empty_table(
        &mut self,
        schema: catalog::Oid,
        name: String,
        is_temporary: bool,
    ) -> Result<Table, SqlError> {
        let oid = self.new_oid().await?;
        Ok(Table {
            oid,
            schema,
            name,
            owner: POSTGRES_ROLE,
            kind: if is_temporary { TableKind::Temporary } else { TableKind::Ordinary },
            storage_id: oid,
            version: 1,
            columns: Vec::new(),
            key: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            next_column: 1,
            next_index: base::layout::PRIMARY_INDEX + 1,
            options: Vec::new(),
            rows_estimate: -1,
            comment: None,
        })
    }

    /// Defaults and sequences, once all columns are known.
    pub(super) async fn finish_columns(
        &mut self,
        table: &mut Table,
        plans: &[(usize, ColumnPlan)],
        taken: &mut BTreeSet<String>,
    ) -> Result<Vec<Sequence>, SqlError> {
        let mut sequences = Vec::new();
        for (position, plan) in plans {
            self.check_defaults(table, *position, plan.default.as_ref(), plan.generated.as_ref())?;
            if let Some(options) = &plan.sequence {
                let sequence = self.plan_sequence(table, *position, options, taken).await?;
                sequences.push(sequence);
            }
        }
        Ok(sequences)
    }

    fn copy_columns(
        &mut self,
        table: &mut Table,
        like: &CreateTableLikeKind,
    ) -> Result<(), SqlError> {
        let (CreateTableLikeKind::Parenthesized(like) | CreateTableLikeKind::Plain(like)) = like;
        let source = match self.find(&like.name)? {
            catalog::Relation::Table(source) => source,
            other => {
                return Err(SqlError::new(
                    sqlstate::WRONG_OBJECT_TYPE,
                    format!("\"{}\" is not a table", other.name()),
                ));
            }
        };
        let with_defaults = like.defaults == Some(CreateTableLikeDefaults::Including);
        for column in source.visible_columns() {
            let mut copy = Column::new(0, 0, &column.name, column.ty);
            copy.is_not_null = column.is_not_null;
            if with_defaults {
                copy.default.clone_from(&column.default);
            }
            self.place_column(table, copy)?;
        }
        Ok(())
    }
}

fn refuse_unsupported(create: &CreateTable) -> Result<(), SqlError> {
    let unsupported = [
        (create.inherits.is_some(), "INHERITS"),
        (create.partition_of.is_some() || create.partition_by.is_some(), "partitioned tables"),
    ];
    match unsupported.iter().find(|(is_used, _)| *is_used) {
        Some((_, what)) => Err(SqlError::not_supported(format!("{what} is not supported"))),
        None => Ok(()),
    }
}

/// WITH (…) as `pg_class.reloptions` shows it.
fn storage_options(options: &CreateTableOptions) -> Vec<String> {
    let (CreateTableOptions::With(options)
    | CreateTableOptions::Options(options)
    | CreateTableOptions::Plain(options)) = options
    else {
        return Vec::new();
    };
    options.iter().map(|option| option.to_string().replace(" = ", "=")).collect()
}

/// Names of columns in a list.
pub(super) fn fold_all(idents: &[sqlparser::ast::Ident]) -> Vec<String> {
    idents.iter().map(fold).collect()
}
