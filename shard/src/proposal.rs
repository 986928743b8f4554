//! From an evaluated request to an applied command.
//!
//! **A latch outlives its proposal.** Once a command is proposed its latches stay until its fate is
//! known, even if the caller has gone: released earlier, a reader would pass a write that is about to
//! become visible below it. So a proposal whose caller is dropped runs on in the background.

use crate::call::View;
use crate::command::{Command, Trigger};
use crate::effects::Effects;
use crate::replica::Replica;
use base::{BoxFuture, Clock, Key, KvError, KvResult, Span, Timestamp, TxnId};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

/// An evaluated command.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) effects: Effects,
    /// The highest timestamp among the effects.
    pub(crate) max_ts: Timestamp,
    pub(crate) trigger: Option<Trigger>,
    /// Intents that it lays where none stood.
    pub(crate) intents_added: usize,
    /// Intents that it removes.
    pub(crate) intents_removed: usize,
    /// Locks that end with it.
    pub(crate) unlock: Unlock,
    /// What the range has shrunk to once it is applied: the intents left are counted again.
    pub(crate) shrunk_to: Option<Span>,
}

/// Locks that a command ends.
#[derive(Default)]
pub(crate) enum Unlock {
    #[default]
    Nothing,
    /// All that the transaction holds in the range.
    All(TxnId),
    /// The transaction's locks on these keys; its intents under them are gone.
    Keys(TxnId, Vec<Key>),
}

/// Proposes a command and waits until it is applied. `latches` are held until then.
pub(crate) async fn replicate<L: Send + 'static>(
    replica: &Arc<Replica>,
    view: &View,
    latches: L,
    plan: Plan,
) -> KvResult<()> {
    let (term, added) = (view.term, plan.intents_added);
    let command = Command {
        epoch: view.descriptor.epoch,
        term,
        max_ts: plan.max_ts,
        effects: plan.effects.into_list(),
        trigger: plan.trigger,
    };
    replica.writes.fetch_add(1, Ordering::Relaxed);
    if added > 0 {
        replica.intents.add(term, added);
    }
    let proposal = replica.replication.propose(command);
    let (removed, unlock, max_ts) = (plan.intents_removed, plan.unlock, plan.max_ts);
    let shrunk_to = plan.shrunk_to;
    let owner = Arc::clone(replica);
    let run = async move {
        let result = proposal.await;
        match &result {
            Ok(()) => {
                owner.saw(max_ts);
                owner.intents.remove(term, removed);
                if let Some(span) = &shrunk_to {
                    owner.intents.set(term, owner.count_intents(span));
                }
            }
            // Its intents may stand: the count stays high.
            Err(KvError::Ambiguous(_)) => {}
            Err(_) => owner.intents.remove(term, added),
        }
        drop(latches);
        if result.is_ok() {
            finish(&owner, unlock);
        }
        result
    };
    Detached { future: Some(Box::pin(run)), clock: Arc::clone(&replica.env.clock) }.await
}

fn finish(replica: &Replica, unlock: Unlock) {
    match unlock {
        Unlock::Nothing => {}
        Unlock::All(txn) => replica.with_locks(|locks| ((), locks.release_all(txn))),
        Unlock::Keys(txn, keys) => {
            replica.with_locks(|locks| {
                ((), keys.iter().flat_map(|key| locks.release(txn, key)).collect())
            });
            replica.resolved(txn);
        }
    }
}

/// A future that goes on in the background when its owner drops it.
struct Detached {
    future: Option<BoxFuture<'static, KvResult<()>>>,
    clock: Arc<dyn Clock>,
}

impl Future for Detached {
    type Output = KvResult<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.future else {
            return Poll::Ready(Err(KvError::Fatal("proposal polled after its end".into())));
        };
        let result = future.as_mut().poll(cx);
        if result.is_ready() {
            self.future = None;
        }
        result
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            self.clock.spawn(Box::pin(async move {
                // Nobody is left to tell.
                let _ = future.await;
            }));
        }
    }
}
