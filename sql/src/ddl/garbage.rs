//! What DDL abandons, and what it writes outside of its own transaction.

use super::Ddl;
use crate::session::errors;
use catalog::{Garbage, Table, garbage};
use types::SqlError;

impl Ddl<'_> {
    /// Leaves the keys of a table, or of one of its indexes, to be deleted after the commit.
    pub(super) fn abandon(&mut self, table: &Table, index: Option<u16>) {
        self.tx.has_garbage = true;
        garbage::leave(&mut self.tx.txn, &of(table, index));
    }

    /// Keys of a fenced table are about to be written in transactions of their own: they are
    /// garbage unless this transaction commits.
    pub(super) async fn answer_for(
        &mut self,
        table: &Table,
        index: Option<u16>,
    ) -> Result<(), SqlError> {
        self.tx.has_garbage = true;
        let announced = garbage::announce(self.shared.engine.client(), &of(table, index)).await;
        announced.map_err(|error| errors::from_catalog(error, &self.view.catalog))?;
        garbage::forget(&mut self.tx.txn, &of(table, index));
        Ok(())
    }
}

fn of(table: &Table, index: Option<u16>) -> Garbage {
    Garbage { storage: table.storage_id, index, table: table.oid }
}
