//! Reads on replicas that do not lead.
//!
//! A replica may answer at T once it has applied everything that will ever stand at or below T. It
//! lets the leader record the read (an empty refresh: after it, nothing more is written at or below
//! T, and what was under way is applied there), asks the leader how far it has applied, and waits
//! until it has applied as much itself. The rows travel from here, and the leader's part is two
//! short messages.

use super::read::{Sight, check_safe_point};
use crate::call::{Call, cut};
use crate::conflict::{Conflicts, Outcome, Purpose};
use crate::latches::Touch;
use base::api::refresh::RefreshRequest;
use base::api::stats::StatsRequest;
use base::api::{RangeOp, RangeRequest, RangeResponse};
use base::{KvError, KvResult, NodeId, Span, Timestamp};
use std::time::Duration;

/// Longest pause before the own progress is looked at again.
const PROGRESS_PAUSE: Duration = Duration::from_millis(50);

/// Reads at `at` from what this replica has applied.
pub(super) async fn read<T>(
    call: &Call,
    at: Timestamp,
    touch: Touch<'_>,
    evaluate: impl Fn(&Sight<'_>) -> KvResult<Outcome<T>>,
) -> KvResult<(T, Timestamp)> {
    let spans = spans(call, touch)?;
    let mut conflicts = Conflicts::default();
    loop {
        let leader = match call.replica.replication.leader() {
            Some(leader) if leader.node != call.replica.env.node => leader.node,
            _ => return Err(call.replica.not_leader()),
        };
        let refresh = RefreshRequest { spans: spans.clone(), from: at, to: at };
        ask(call, leader, RangeOp::Refresh(refresh)).await?;
        let applied = match ask(call, leader, RangeOp::Stats(StatsRequest::default())).await? {
            RangeResponse::Stats(stats) => stats.applied,
            other => return Err(KvError::Fatal(format!("unexpected answer: {other:?}"))),
        };
        catch_up(call, applied).await?;
        let view = call.pin_applied()?;
        check_safe_point(call, at)?;
        let sight = Sight { view: &view, at, own: call.txn, conflicts: &conflicts };
        match evaluate(&sight)? {
            Outcome::Done(value) => return Ok((value, at)),
            Outcome::Blocked(intents) => {
                drop(view);
                conflicts.settle(call, intents, Purpose::Read(at)).await?;
            }
        }
    }
}

/// What is touched, as spans inside the range.
fn spans(call: &Call, touch: Touch<'_>) -> KvResult<Vec<Span>> {
    let descriptor = call.descriptor()?;
    let keys = touch.keys.iter().map(|key| Span::point(key.clone()));
    keys.chain(touch.spans.iter().cloned()).map(|span| cut(&descriptor, &span)).collect()
}

async fn ask(call: &Call, leader: NodeId, body: RangeOp) -> KvResult<RangeResponse> {
    let left = call.deadline.since(call.now()).min(call.config().patience);
    let request = RangeRequest {
        range: call.replica.range,
        epoch: call.epoch,
        txn: None,
        timeout_ms: (left.as_millis() as u64).max(1),
        body,
    };
    call.replica.env.peers.send_range(leader, request).await
}

/// Waits until this replica has applied the log up to `index`.
async fn catch_up(call: &Call, index: u64) -> KvResult<()> {
    loop {
        let more = call.replica.on_applied();
        if call.replica.replication.progress().1 >= index {
            return Ok(());
        }
        call.check_deadline()?;
        // Applying and counting are two steps: look again even if nothing is reported.
        call.within(PROGRESS_PAUSE, more).await;
    }
}
