//! Deletes garbage behind the back of those who have left it.
//!
//! Every process sweeps when it starts and after DDL of its own has ended; each sweep takes all
//! there is, whoever left it. Several may be at it at once: deleting twice does no harm.

use crate::CatalogError;
use crate::garbage::{self, Garbage};
use base::Key;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use txn::{Isolation, TxnClient, TxnScan};

/// Keys deleted in one transaction.
const DELETE_BATCH: u64 = 2000;
/// How long statements that were planned before may still begin to read what is about to go. What
/// is being read already stays readable at its snapshot.
const DELETE_DELAY: Duration = Duration::from_secs(10);
/// Pause between batches: clearing away is in no hurry.
const DELETE_PAUSE: Duration = Duration::from_millis(20);

/// One per process.
pub struct Sweeper {
    client: TxnClient,
    /// Wishes for a sweep that no sweep has begun after yet.
    wishes: AtomicU64,
}

impl Sweeper {
    pub(crate) fn new(client: TxnClient) -> Arc<Sweeper> {
        Arc::new(Sweeper { client, wishes: AtomicU64::new(0) })
    }

    /// There may be garbage: it is swept in the background.
    pub fn wake(self: &Arc<Self>) {
        if self.wishes.fetch_add(1, Ordering::AcqRel) == 0 {
            let sweeper = self.clone();
            self.client.clock().spawn(Box::pin(async move { sweeper.run().await }));
        }
    }

    async fn run(&self) {
        loop {
            let heard = self.wishes.load(Ordering::Acquire);
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "dropped data could not be deleted; a later sweep will");
            }
            if self.wishes.fetch_sub(heard, Ordering::AcqRel) == heard {
                return;
            }
        }
    }

    async fn sweep(&self) -> Result<(), CatalogError> {
        let found = garbage::list(&self.client).await?;
        if found.is_empty() {
            return Ok(());
        }
        self.client.clock().sleep(DELETE_DELAY).await;
        for garbage in &found {
            self.delete(garbage).await?;
        }
        Ok(())
    }

    /// Deletes every key of a piece of garbage, then the note.
    async fn delete(&self, garbage: &Garbage) -> Result<(), CatalogError> {
        let mut next = Some(garbage.span());
        while let Some(span) = next {
            let mut txn = self.client.begin(Isolation::ReadCommitted, false);
            let request = TxnScan { limit_rows: DELETE_BATCH, ..TxnScan::forward(span) };
            let page = txn.scan(request).await?;
            let keys: Vec<Key> = page.rows.into_iter().map(|(key, _)| key).collect();
            next = page.resume;
            if keys.is_empty() {
                continue;
            }
            keys.into_iter().for_each(|key| txn.delete_unconditional(key));
            txn.commit().await?;
            self.client.clock().sleep(DELETE_PAUSE).await;
        }
        let mut txn = self.client.begin(Isolation::ReadCommitted, false);
        garbage::forget(&mut txn, garbage);
        txn.commit().await?;
        Ok(())
    }
}
