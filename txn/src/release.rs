//! Gives locks back. Best effort: a lock that stays behind costs others a wait until its
//! transaction is found to be gone, nothing more.

use crate::client::Core;
use crate::run_to_end::RunToEnd;
use crate::sender::Sending;
use base::api::RangeOp;
use base::api::lock::UnlockRequest;
use base::{Key, TxnId};
use std::sync::Arc;
use std::time::Duration;

/// How long the caller waits for the release; the rest happens in the background.
const RELEASE_WAIT: Duration = Duration::from_secs(1);

/// Locks of a transaction that ends.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) txn: TxnId,
    pub(crate) keys: Vec<Key>,
}

/// Releases locks; after a second without an answer the caller goes on and the rest happens in
/// the background.
pub(crate) async fn run(core: &Arc<Core>, release: Release) {
    unlock_keys(core, release.txn, release.keys).await;
}

/// Releases the locks on keys.
pub(crate) async fn unlock_keys(core: &Arc<Core>, txn: TxnId, keys: Vec<Key>) {
    let clock = core.env.clock.clone();
    let task = {
        let core = core.clone();
        async move {
            let sending = Sending::new(Some(txn), core.env.config.outage);
            let make = |keys: &[Key], _| RangeOp::Unlock(UnlockRequest { keys: keys.to_vec() });
            if let Some(error) = core.scatter(keys, sending, make).await.error {
                tracing::debug!(%txn, %error, "locks were not released");
            }
        }
    };
    let task = RunToEnd::new(clock.clone(), Box::pin(task));
    crate::patience::within(&*clock, RELEASE_WAIT, Box::pin(task)).await;
}
