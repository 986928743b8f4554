//! Taking a table's fence: from then on to the end of the transaction nobody else writes to it.

use super::Ddl;
use crate::session::errors;
use crate::session::shared::Shared;
use catalog::{FenceOwner, Oid, fence, store};
use std::sync::Arc;
use std::time::Duration;
use txn::Isolation;
use types::{SqlError, sqlstate};

/// Pause between looks at somebody else's fence.
const FENCE_POLL: Duration = Duration::from_millis(10);

impl Ddl<'_> {
    /// Takes the table's fence unless the transaction made the table or has the fence already, and
    /// waits for transactions that have written to it.
    pub(super) async fn fence(&mut self, table: Oid) -> Result<(), SqlError> {
        if self.is_own(table) || self.tx.fences.contains(&table) {
            return Ok(());
        }
        let has_written = self.tx.has_pinned(table);
        // Noted before it is taken, so that a cancelled wait releases it.
        self.tx.fences.push(table);
        while let Some(other) = self.try_fence(table).await? {
            if has_written {
                return Err(SqlError::new(sqlstate::T_R_DEADLOCK_DETECTED, "deadlock detected")
                    .with_detail(format!(
                        "Node {} changes the table and waits for this transaction.",
                        other.node.0
                    )));
            }
            if is_abandoned(self.shared, &other).await {
                release(self.shared, &[table]).await?;
                continue;
            }
            self.shared.engine.clock().sleep(FENCE_POLL).await;
        }
        // Its own writes do not have to be waited for.
        self.tx.pins.retain(|pin| pin.table() != table);
        let engine = &self.shared.engine;
        let to_sql = |error| errors::from_kv(error, &engine.catalog().current());
        let now = engine.client().now().await.map_err(to_sql)?;
        let announced = engine.catalog().announce(now, Some(table)).await;
        announced.map_err(|error| errors::from_catalog(error, &engine.catalog().current()))?;
        // The fence goes with the transaction's own commit.
        fence::release(&mut self.tx.txn, table);
        // Rows that others have committed meanwhile are to be seen.
        self.tx.txn.begin_statement(false);
        Ok(())
    }

    async fn try_fence(&self, table: Oid) -> Result<Option<FenceOwner>, SqlError> {
        let engine = &self.shared.engine;
        let catalog = engine.catalog().current();
        let to_sql = |error| errors::from_kv(error, &catalog);
        let mut txn = engine.client().begin(Isolation::ReadCommitted, false);
        let taken = fence::take(&mut txn, table, self.shared.fence_owner()).await;
        if let Some(other) = taken.map_err(|e| errors::from_catalog(e, &catalog))? {
            txn.rollback().await;
            return Ok(Some(other));
        }
        store::bump_version(&mut txn, engine.client().now().await.map_err(to_sql)?);
        txn.commit().await.map_err(to_sql)?;
        Ok(None)
    }
}

/// Removes fences outside of the transaction that took them: it was rolled back.
pub(crate) async fn release(shared: &Arc<Shared>, tables: &[Oid]) -> Result<(), SqlError> {
    if tables.is_empty() {
        return Ok(());
    }
    let engine = &shared.engine;
    let catalog = engine.catalog().current();
    let to_sql = |error| errors::from_kv(error, &catalog);
    let mut txn = engine.client().begin(Isolation::ReadCommitted, false);
    tables.iter().for_each(|table| fence::release(&mut txn, *table));
    store::bump_version(&mut txn, engine.client().now().await.map_err(to_sql)?);
    let at = txn.commit().await.map_err(to_sql)?;
    if let Some(at) = at {
        let announced = engine.catalog().announce(at, None).await;
        announced.map_err(|error| errors::from_catalog(error, &catalog))?;
    }
    Ok(())
}

/// True when the fence's owner cannot release it any more: its session or process is gone.
pub(crate) async fn is_abandoned(shared: &Arc<Shared>, owner: &FenceOwner) -> bool {
    let engine = &shared.engine;
    if owner.node == engine.node() {
        return owner.process_started != engine.started_millis()
            || !engine.sessions().iter().any(|session| session.id == owner.session);
    }
    let nodes = engine.client().meta(base::meta_api::MetaRequest::Nodes).await;
    match nodes {
        Ok(base::meta_api::MetaResponse::Nodes(nodes)) => {
            !nodes.iter().any(|node| node.descriptor.node == owner.node && node.is_live)
        }
        _ => false,
    }
}
