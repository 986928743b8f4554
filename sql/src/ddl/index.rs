//! CREATE INDEX, ALTER INDEX.

use super::Ddl;
use super::constraints::{IndexPlan, KeyKind, column_names, include_columns};
use crate::bind::Stored;
use crate::session::names::simple;
use catalog::Descriptor;
use sqlparser::ast::{AlterIndexOperation, CreateIndex, Ident, IndexType, ObjectName};
use std::collections::BTreeSet;
use std::sync::Arc;
use types::{SqlError, SqlType, sqlstate};

impl Ddl<'_> {
    pub(super) async fn create_index(&mut self, create: &CreateIndex) -> Result<(), SqlError> {
        check_method(create.using.as_ref())?;
        let found = self.find_table(&create.table_name)?;
        let given = create.name.as_ref().map(|name| Ident::with_quote('"', simple(name)));
        if let Some(name) = &given
            && create.if_not_exists
            && self.exists_already(found.schema, &name.value, true)?
        {
            return Ok(());
        }
        self.fence(found.oid).await?;
        let old = self.lock_table(found.oid).await?;
        let mut table = (*old).clone();
        let columns = self.key_columns(&table, &create.columns, KeyKind::Index)?;
        let names = column_names(&table, &columns);
        if let Some(predicate) = &create.predicate {
            self.check_expression(predicate, Some(&table), Stored::Predicate, SqlType::BOOL)?;
        }
        let mut taken = BTreeSet::new();
        let plan = IndexPlan {
            name: self.index_name(&table, given.as_ref(), &names, "idx", &mut taken)?,
            columns,
            include: include_columns(&table, &create.include)?,
            is_unique: create.unique,
            is_constraint: false,
            nulls_not_distinct: create.nulls_distinct == Some(false),
            predicate: create.predicate.as_ref().map(ToString::to_string),
        };
        let id = self.add_index(&mut table, plan).await?;
        let table = self.replace_table(&old, table).await?;
        self.build_index(&table, id).await
    }

    pub(super) async fn alter_index(
        &mut self,
        name: &ObjectName,
        operation: &AlterIndexOperation,
    ) -> Result<(), SqlError> {
        let AlterIndexOperation::RenameIndex { index_name } = operation;
        let (table, index) = match self.find(name)? {
            catalog::Relation::Index(table, index) => (table, index),
            other => {
                return Err(SqlError::new(
                    sqlstate::WRONG_OBJECT_TYPE,
                    format!("\"{}\" is not an index", other.name()),
                ));
            }
        };
        let old = self.lock_table(table.oid).await?;
        let mut new = (*old).clone();
        if let Some(index) = new.indexes.iter_mut().find(|i| i.oid == index) {
            index.name = simple(index_name);
        }
        self.replace(&Descriptor::Table(old), Descriptor::Table(Arc::new(new))).await
    }
}

fn check_method(using: Option<&IndexType>) -> Result<(), SqlError> {
    match using {
        // One kind of index serves them all.
        None | Some(IndexType::BTree | IndexType::Hash) => Ok(()),
        Some(other) => {
            let name = other.to_string().to_lowercase();
            Err(SqlError::not_supported(format!("access method \"{name}\" is not supported")))
        }
    }
}
