//! Split: one range becomes two. Touches the whole range: writes wait until it is through, because
//! they would be refused at apply with the old epoch; and reads of the right-hand part wait, because
//! from the moment the command is committed the new range may be led, and written to, elsewhere.
//!
//! The right-hand range inherits the reads that were served: its first leader begins its timestamp
//! cache with a draw from the oracle, which is made after the last of them.

use crate::call::Call;
use crate::command::Trigger;
use crate::latches::Touch;
use crate::proposal::{Plan, replicate};
use base::api::admin::{SplitRequest, SplitResponse};
use base::{KvError, KvResult, RangeDescriptor, RangeId, Span, Timestamp};

pub(super) async fn run(call: &Call, request: SplitRequest) -> KvResult<SplitResponse> {
    let before = call.descriptor()?;
    check(&before, &request)?;
    let left = [Span::new(before.span.start.clone(), request.key.clone())];
    let right = [Span::new(request.key.clone(), before.span.end.clone())];
    let writes = (Touch::spans(&left), Timestamp::MAX);
    let all = (Touch::spans(&right), Timestamp::ZERO);
    let latches = call.replica.sequencer.write_both(writes, all).await;
    let term = call.leading().await?;
    let view = call.pin(term).await?;
    check(&view.descriptor, &request)?;
    let (left, right) = halves(&view.descriptor, &request);
    let trigger = Trigger::Split { left: left.clone(), right: right.clone() };
    let shrunk_to = Some(left.span.clone());
    let plan = Plan { trigger: Some(trigger), shrunk_to, ..Plan::default() };
    replicate(&call.replica, &view, latches, plan).await?;
    Ok(SplitResponse { left, right })
}

fn check(descriptor: &RangeDescriptor, request: &SplitRequest) -> KvResult<()> {
    let fail = |reason: &str| Err(KvError::Fatal(format!("cannot split: {reason}")));
    if !descriptor.contains(&request.key) || request.key == descriptor.span.start {
        return fail("the key is not strictly inside the range");
    }
    if request.new_range == descriptor.range || request.new_range == RangeId::META {
        return fail("the new range needs an id of its own");
    }
    Ok(())
}

/// Both halves, on the same replicas. Epochs go on from the old range's: whoever knows the old one
/// takes either half for newer.
fn halves(
    descriptor: &RangeDescriptor,
    request: &SplitRequest,
) -> (RangeDescriptor, RangeDescriptor) {
    let epoch = descriptor.epoch + 1;
    let Span { start, end } = descriptor.span.clone();
    let left = RangeDescriptor {
        span: Span::new(start, request.key.clone()),
        epoch,
        ..descriptor.clone()
    };
    let right = RangeDescriptor {
        range: request.new_range,
        span: Span::new(request.key.clone(), end),
        epoch,
        ..descriptor.clone()
    };
    (left, right)
}
