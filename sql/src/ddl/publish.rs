//! After the commit of DDL: telling every process, then clearing away.

use super::AfterCommit;
use crate::session::errors;
use crate::session::shared::Shared;
use base::{Key, Timestamp, layout};
use std::sync::Arc;
use std::time::Duration;
use txn::{Isolation, TxnClient, TxnScan};
use types::SqlError;

/// Keys deleted in one transaction.
const DELETE_BATCH: u64 = 2000;
/// How long statements that were planned before may still be reading what is about to go.
const DELETE_DELAY: Duration = Duration::from_secs(10);
/// Pause between batches: clearing away is in no hurry.
const DELETE_PAUSE: Duration = Duration::from_millis(20);

/// Announces a committed change and starts what it left to be done.
pub(crate) async fn publish(
    shared: &Arc<Shared>,
    at: Timestamp,
    after_commit: Vec<AfterCommit>,
) -> Result<(), SqlError> {
    let engine = &shared.engine;
    let announced = engine.catalog().announce(at, None).await;
    announced.map_err(|error| errors::from_catalog(error, &engine.catalog().current()))?;
    for step in after_commit {
        let AfterCommit::RemoveStorage(storage) = step;
        let client = engine.client().clone();
        engine.clock().spawn(Box::pin(async move {
            client.clock().sleep(DELETE_DELAY).await;
            if let Err(error) = remove_storage(&client, storage).await {
                tracing::warn!(%error, storage, "dropped data could not be deleted");
            }
        }));
    }
    Ok(())
}

/// Deletes every key under a storage id that no descriptor names any more.
async fn remove_storage(client: &TxnClient, storage: u32) -> base::KvResult<()> {
    let mut next = Some(layout::table_span(storage));
    while let Some(span) = next {
        let mut txn = client.begin(Isolation::ReadCommitted, false);
        txn.begin_statement(false);
        let request = TxnScan { limit_rows: DELETE_BATCH, ..TxnScan::forward(span) };
        let page = txn.scan(request).await?;
        let keys: Vec<Key> = page.rows.into_iter().map(|(key, _)| key).collect();
        next = page.resume;
        if keys.is_empty() {
            continue;
        }
        keys.into_iter().for_each(|key| txn.delete_unconditional(key));
        txn.commit().await?;
        client.clock().sleep(DELETE_PAUSE).await;
    }
    Ok(())
}
