//! Temporary tables live in a schema of the session's own, which goes with the session.

use super::Ddl;
use crate::session::Session;
use catalog::Schema;
use std::sync::Arc;
use types::SqlError;

impl Ddl<'_> {
    /// The session's schema for temporary tables, made when there is none yet.
    pub(super) async fn temporary_schema(&mut self) -> Result<Arc<Schema>, SqlError> {
        let name = self.shared.temp_schema_name();
        match self.view().schema_named(&name).cloned() {
            Some(schema) => Ok(schema),
            None => self.new_schema(name).await,
        }
    }
}

impl Session {
    /// Drops the session's temporary tables.
    pub(crate) async fn drop_temporary_schema(&mut self) -> Result<(), SqlError> {
        let name = self.shared().temp_schema_name();
        let Some(schema) = self.view().schema_named(&name).cloned() else { return Ok(()) };
        let shared = self.shared().clone();
        let mut transaction = self.new_transaction();
        let mut ddl = Ddl::new(&shared, &mut transaction, "");
        let dropped = ddl.drop_schema(&schema, true).await;
        shared.notices.lock().clear();
        match dropped {
            Ok(()) => self.commit_transaction(transaction).await,
            Err(error) => {
                self.roll_back(transaction).await;
                Err(error)
            }
        }
    }
}
