//! After the commit of DDL: telling every process.

use crate::session::errors;
use crate::session::shared::Shared;
use base::Timestamp;
use std::sync::Arc;
use types::SqlError;

/// Announces a committed change.
pub(crate) async fn publish(shared: &Arc<Shared>, at: Timestamp) -> Result<(), SqlError> {
    let catalog = shared.engine.catalog();
    let announced = catalog.announce(at, None).await;
    announced.map_err(|error| errors::from_catalog(error, &catalog.current()))
}
