//! TRUNCATE: the tables get new, empty storage.

use super::Ddl;
use catalog::{Descriptor, Oid, Table};
use sqlparser::ast::{CascadeOption, Truncate, TruncateIdentityOption};
use std::sync::Arc;
use types::{SqlError, sqlstate};

impl Ddl<'_> {
    pub(super) async fn truncate(&mut self, truncate: &Truncate) -> Result<(), SqlError> {
        let mut tables: Vec<Arc<Table>> = Vec::new();
        for target in &truncate.table_names {
            match self.find_table(&target.name) {
                Ok(table) => tables.push(table),
                Err(error) if truncate.if_exists && error.code == sqlstate::UNDEFINED_TABLE => {
                    self.skip(&error.message);
                }
                Err(error) => return Err(error),
            }
        }
        let cascade = matches!(truncate.cascade, Some(CascadeOption::Cascade));
        self.add_referencing(&mut tables, cascade)?;
        // In one order for everybody, so that two of them do not wait for each other.
        tables.sort_by_key(|table| table.oid);
        tables.dedup_by_key(|table| table.oid);
        for table in &tables {
            self.fence(table.oid).await?;
        }
        let restart = matches!(truncate.identity, Some(TruncateIdentityOption::Restart));
        for table in &tables {
            self.truncate_table(table.oid, restart).await?;
        }
        Ok(())
    }

    async fn truncate_table(&mut self, oid: Oid, restart: bool) -> Result<(), SqlError> {
        let old = self.lock_table(oid).await?;
        let mut new = (*old).clone();
        self.move_storage(&mut new).await?;
        new.rows_estimate = 0;
        self.replace_table(&old, new).await?;
        if !restart {
            return Ok(());
        }
        let owned: Vec<Oid> = self
            .view()
            .catalog
            .objects()
            .filter_map(|object| match object {
                Descriptor::Sequence(s) if s.owned_by.is_some_and(|o| o.table == oid) => {
                    Some(s.oid)
                }
                _ => None,
            })
            .collect();
        for sequence in owned {
            let old = self.lock(sequence).await?;
            if let Descriptor::Sequence(locked) = &old {
                let mut new = (**locked).clone();
                self.restart(&mut new, None).await?;
                self.replace(&old, Descriptor::Sequence(Arc::new(new))).await?;
            }
        }
        Ok(())
    }

    /// Tables whose foreign keys point to one of these have to be truncated with them.
    fn add_referencing(
        &mut self,
        tables: &mut Vec<Arc<Table>>,
        cascade: bool,
    ) -> Result<(), SqlError> {
        let view = self.view();
        let mut at = 0;
        while let Some(table) = tables.get(at).cloned() {
            at += 1;
            let refers =
                |other: &&Arc<Table>| other.foreign_keys.iter().any(|k| k.references == table.oid);
            for other in view.catalog.tables().filter(refers) {
                if tables.iter().any(|t| t.oid == other.oid) {
                    continue;
                }
                if !cascade {
                    return Err(SqlError::new(
                        sqlstate::FEATURE_NOT_SUPPORTED,
                        "cannot truncate a table referenced in a foreign key constraint",
                    )
                    .with_detail(format!("Table \"{}\" references \"{}\".", other.name, table.name))
                    .with_hint(format!(
                        "Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.",
                        other.name
                    )));
                }
                self.notice(
                    sqlstate::SUCCESSFUL_COMPLETION,
                    format!("truncate cascades to table \"{}\"", other.name),
                );
                tables.push(other.clone());
            }
        }
        Ok(())
    }
}
