//! Taking a table's fence: from then on to the end of the transaction nobody else writes to it.

use super::Ddl;
use crate::session::Engine;
use crate::session::errors;
use crate::session::query::catalog_changed;
use crate::session::shared::Shared;
use crate::session::transaction::Transaction;
use base::MonoTime;
use catalog::{FenceOwner, Oid, fence, store};
use futures::future::{Either, select};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use txn::{Isolation, Txn};
use types::{SqlError, sqlstate};

/// Pause between looks at somebody else's fence.
const FENCE_POLL: Duration = Duration::from_millis(5);
/// After how many looks the fence's owner is looked after.
const ABANDONED_LOOKS: u32 = 200;

/// The fences of one transaction. They go with its commit, and not before: savepoints do not undo
/// them. Whatever else ends the transaction releases them, in the background if need be.
pub(crate) struct Fences {
    shared: Arc<Shared>,
    /// By table; false as long as it may or may not be taken yet.
    held: BTreeMap<Oid, bool>,
}

impl Fences {
    pub(crate) fn new(shared: Arc<Shared>) -> Fences {
        Fences { shared, held: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// True when nobody else writes to the table.
    pub(crate) fn has(&self, table: Oid) -> bool {
        self.held.get(&table) == Some(&true)
    }

    /// Makes the transaction's commit remove them.
    pub(crate) async fn release_with(&self, txn: &mut Txn) -> Result<(), SqlError> {
        let catalog = self.shared.engine.catalog().current();
        for (table, _) in self.held.iter().filter(|(_, is_taken)| **is_taken) {
            let released = fence::release(txn, *table, self.shared.fence_owner()).await;
            if !released.map_err(|error| errors::from_catalog(error, &catalog))? {
                return Err(catalog_changed());
            }
        }
        Ok(())
    }

    /// Those that were taken are gone with a commit.
    pub(crate) fn forget_taken(&mut self) {
        self.held.retain(|_, is_taken| !*is_taken);
    }

    /// Removes them after a rollback.
    pub(crate) async fn release(&mut self) -> Result<(), SqlError> {
        let tables: Vec<Oid> = self.held.keys().copied().collect();
        if tables.is_empty() {
            return Ok(());
        }
        release(&self.shared.engine, &tables, self.shared.fence_owner()).await?;
        self.held.clear();
        Ok(())
    }
}

impl Drop for Fences {
    fn drop(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let (engine, owner) = (self.shared.engine.clone(), self.shared.fence_owner());
        let tables: Vec<Oid> = std::mem::take(&mut self.held).into_keys().collect();
        self.shared.engine.clock().spawn(Box::pin(async move {
            if let Err(error) = release(&engine, &tables, owner).await {
                // The next writer finds the fence abandoned once the session has ended.
                tracing::warn!(%error, "fences could not be released");
            }
        }));
    }
}

impl Ddl<'_> {
    /// Takes the table's fence unless the transaction made the table or has the fence already, and
    /// waits for transactions that have written to it.
    pub(super) async fn fence(&mut self, table: Oid) -> Result<(), SqlError> {
        if self.is_own(table) || self.tx.fences.has(table) {
            return Ok(());
        }
        // Noted before it is taken, so that a cancelled wait releases it.
        self.tx.fences.held.insert(table, false);
        let mut waiting = Waiting::new(self.shared);
        while let Some(other) = self.try_fence(table).await? {
            if self.locked.contains(&table) {
                // The other one goes on to lock the table too: run again, behind it.
                return Err(catalog_changed());
            }
            waiting.look(self.tx, table, other).await?;
        }
        drop(waiting);
        // Its own writes do not have to be waited for.
        self.tx.pins.retain(|pin| pin.table() != table);
        let engine = &self.shared.engine;
        let to_sql = |error| errors::from_kv(error, &engine.catalog().current());
        let now = engine.client().now().await.map_err(to_sql)?;
        let drain = async {
            let announced = engine.catalog().announce(now, Some(table)).await;
            announced.map_err(|error| errors::from_catalog(error, &engine.catalog().current()))
        };
        match lock_timeout(self.shared) {
            None => drain.await?,
            Some(limit) => match select(pin!(drain), engine.clock().sleep(limit)).await {
                Either::Left((drained, _)) => drained?,
                Either::Right(_) => return Err(timed_out()),
            },
        }
        self.tx.fences.held.insert(table, true);
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

/// Waits until nobody else has a table's fence.
pub(crate) async fn wait(
    shared: &Arc<Shared>,
    transaction: &Transaction,
    table: Oid,
) -> Result<(), SqlError> {
    let mut waiting = Waiting::new(shared);
    while !transaction.fences.has(table) {
        let Some(owner) = shared.engine.catalog().current().fence(table).copied() else {
            break;
        };
        waiting.look(transaction, table, owner).await?;
    }
    Ok(())
}

/// Somebody who waits for a fence. Waits within the process are known to each other, so that a
/// circle of them does not last.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    looks: u32,
    waits_for: Option<FenceOwner>,
    until: Option<MonoTime>,
}

impl<'a> Waiting<'a> {
    fn new(shared: &'a Arc<Shared>) -> Waiting<'a> {
        let until = lock_timeout(shared).map(|limit| shared.engine.clock().now() + limit);
        Waiting { shared, looks: 0, waits_for: None, until }
    }

    /// The fence is somebody else's: pauses until the next look, unless that would be for ever.
    /// A fence whose owner is gone is removed.
    async fn look(
        &mut self,
        transaction: &Transaction,
        table: Oid,
        owner: FenceOwner,
    ) -> Result<(), SqlError> {
        let engine = &self.shared.engine;
        if self.waits_for != Some(owner) {
            self.waits_for = Some(owner);
            if engine.fence_waits().begin(self.shared.fence_owner(), owner) {
                return Err(deadlock(&owner));
            }
        }
        // Whoever has the fence of a table waits for all that have written to it, then for its lock.
        let catalog = engine.catalog().current();
        if transaction.pins.iter().any(|pin| catalog.fence(pin.table()) == Some(&owner))
            || transaction.changes.objects.contains_key(&table)
        {
            return Err(deadlock(&owner));
        }
        if self.until.is_some_and(|until| engine.clock().now() >= until) {
            return Err(timed_out());
        }
        self.looks += 1;
        if self.looks.is_multiple_of(ABANDONED_LOOKS) && is_abandoned(engine, &owner).await {
            return release(engine, &[table], owner).await;
        }
        engine.clock().sleep(FENCE_POLL).await;
        Ok(())
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.engine.fence_waits().end(self.shared.session_id);
    }
}

fn lock_timeout(shared: &Shared) -> Option<Duration> {
    shared.guc.lock().derived().lock_timeout
}

fn timed_out() -> SqlError {
    SqlError::new(sqlstate::LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")
}

fn deadlock(owner: &FenceOwner) -> SqlError {
    SqlError::new(sqlstate::T_R_DEADLOCK_DETECTED, "deadlock detected").with_detail(format!(
        "A session of node {} changes the table and waits for this transaction.",
        owner.node.0
    ))
}

/// Removes fences outside of the transaction that took them.
async fn release(engine: &Arc<Engine>, tables: &[Oid], owner: FenceOwner) -> Result<(), SqlError> {
    let catalog = engine.catalog().current();
    let to_sql = |error| errors::from_kv(error, &catalog);
    let to_sql_too = |error| errors::from_catalog(error, &catalog);
    let mut txn = engine.client().begin(Isolation::ReadCommitted, false);
    for table in tables {
        fence::release(&mut txn, *table, owner).await.map_err(to_sql_too)?;
    }
    store::bump_version(&mut txn, engine.client().now().await.map_err(to_sql)?);
    let at = txn.commit().await.map_err(to_sql)?;
    if let Some(at) = at {
        engine.catalog().announce(at, None).await.map_err(to_sql_too)?;
    }
    Ok(())
}

/// Removes what an earlier life of this process has left: nobody else can tell that it is over.
pub(crate) async fn release_of_earlier_life(engine: &Arc<Engine>) -> Result<(), SqlError> {
    let catalog = engine.catalog().current();
    let earlier: Vec<(Oid, FenceOwner)> = catalog
        .fences()
        .map(|(table, owner)| (table, *owner))
        .filter(|(_, owner)| {
            owner.node == engine.node() && owner.process_started != engine.started_millis()
        })
        .collect();
    for (table, owner) in earlier {
        release(engine, &[table], owner).await?;
    }
    Ok(())
}

/// True when the fence's owner cannot release it any more: its session or process is gone.
async fn is_abandoned(engine: &Arc<Engine>, owner: &FenceOwner) -> bool {
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

/// Which sessions of the process wait for whose fence.
#[derive(Default)]
pub(crate) struct FenceWaits {
    by_session: parking_lot::Mutex<BTreeMap<u64, FenceOwner>>,
}

impl FenceWaits {
    /// Notes a wait; true when it closes a circle, and is not noted.
    fn begin(&self, waiter: FenceOwner, owner: FenceOwner) -> bool {
        let mut waits = self.by_session.lock();
        let mut at = owner;
        for _ in 0..=waits.len() {
            if at == waiter {
                return true;
            }
            match waits.get(&at.session).filter(|_| at.node == waiter.node) {
                Some(next) => at = *next,
                None => break,
            }
        }
        waits.insert(waiter.session, owner);
        false
    }

    fn end(&self, session: u64) {
        self.by_session.lock().remove(&session);
    }
}
