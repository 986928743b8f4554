//! What all reads have in common: admission, a pinned view, and other people's intents.

use super::follower;
use crate::call::{Call, View};
use crate::conflict::{Conflicts, Outcome, Purpose};
use crate::latches::Touch;
use base::api::ReadAt;
use base::{KvError, KvResult, Timestamp, TxnId};
use std::sync::atomic::Ordering;

/// What an evaluation sees.
pub(super) struct Sight<'a> {
    pub(super) view: &'a View,
    /// The snapshot's timestamp.
    pub(super) at: Timestamp,
    /// Whose intents are visible.
    pub(super) own: Option<TxnId>,
    pub(super) conflicts: &'a Conflicts,
}

/// Reads: records `touch` in the timestamp cache, then evaluates on a view pinned after that, until
/// no intent of unknown fate is in the way. Answers the timestamp too.
pub(super) async fn read<T>(
    call: &Call,
    at: ReadAt,
    touch: Touch<'_>,
    evaluate: impl Fn(&Sight<'_>) -> KvResult<Outcome<T>>,
) -> KvResult<(T, Timestamp)> {
    call.replica.reads.fetch_add(1, Ordering::Relaxed);
    if let ReadAt::Follower(at) = at
        && call.replica.leadership.serving().is_none()
    {
        return follower::read(call, at, touch, evaluate).await;
    }
    let mut conflicts = Conflicts::default();
    loop {
        let term = call.leading().await?;
        let ts = timestamp(call, at).max(floor(at, &conflicts));
        call.replica.sequencer.read(touch, ts, None).await;
        let view = call.pin(term).await?;
        check_safe_point(call, ts)?;
        let sight = Sight { view: &view, at: ts, own: call.txn, conflicts: &conflicts };
        match evaluate(&sight)? {
            Outcome::Done(value) => return Ok((value, ts)),
            Outcome::Blocked(intents) => {
                drop(view);
                conflicts.settle(call, intents, Purpose::Read(ts)).await?;
            }
        }
    }
}

/// The timestamp at which a read looks.
pub(super) fn timestamp(call: &Call, at: ReadAt) -> Timestamp {
    match at {
        ReadAt::Snapshot(ts) | ReadAt::Follower(ts) => ts,
        // Nothing newer than `seen` is in the range, so the safe point does not reach it either.
        ReadAt::Leader => call.replica.seen().max(call.replica.safe_point()),
    }
}

/// A leader's read moves up to every commit that it learns of: it may have been acknowledged before
/// the read began.
fn floor(at: ReadAt, conflicts: &Conflicts) -> Timestamp {
    match at {
        ReadAt::Leader => conflicts.latest_commit(),
        ReadAt::Snapshot(_) | ReadAt::Follower(_) => Timestamp::ZERO,
    }
}

/// Refuses snapshots whose versions may be gone. Asked after the state is pinned: what goes later is
/// still in it.
pub(super) fn check_safe_point(call: &Call, at: Timestamp) -> KvResult<()> {
    let safe_point = call.replica.safe_point();
    if at < safe_point {
        return Err(KvError::SnapshotTooOld { read_ts: at, safe_point });
    }
    Ok(())
}
