//! Increment: advances a counter at once. Touches its key.
//!
//! **A counter is never set twice by one request**: repeated after its answer was lost, or arriving
//! twice, a late copy would take back what was handed out in between. An advance may be made again;
//! it leaves a gap.

use super::write::{self, Chosen};
use crate::call::{Call, View};
use crate::conflict::{Conflicts, Purpose};
use crate::effects::Effects;
use crate::latches::Touch;
use crate::proposal::{Plan, replicate};
use base::api::increment::{Counter, IncrementOp, IncrementRequest, IncrementResponse};
use base::{Key, KvError, KvResult, Timestamp};
use storage::mvcc::{self, Intent, Version};

pub(super) async fn run(call: &Call, request: IncrementRequest) -> KvResult<IncrementResponse> {
    let IncrementRequest { key, op, ts } = request;
    let keys = [key];
    let mut conflicts = Conflicts::default();
    loop {
        let term = call.leading().await?;
        let latch = call.replica.sequencer.write(Touch::keys(&keys), ts).await;
        let view = call.pin(term).await?;
        let key = &keys[0];
        view.check_keys([key])?;
        if let Some(intent) = foreign_intent(call, &view, key)? {
            drop((latch, view));
            conflicts.settle(call, vec![(key.clone(), intent)], Purpose::Write).await?;
            continue;
        }
        let newest = mvcc::newest(&view.snapshot, key)?;
        if let IncrementOp::Set { value, .. } = op
            && was_set(call, &view, key, newest.as_ref(), ts)?
        {
            return Ok(IncrementResponse { first: Some(value), count: 1 });
        }
        let known = newest.as_ref().and_then(|version| version.value.as_deref());
        let known = known.map(Counter::decode).transpose();
        let known = known.map_err(|error| KvError::Fatal(error.to_string()))?;
        let Some((counter, response)) = advance(known, op)? else {
            return Ok(IncrementResponse { first: None, count: 0 });
        };
        let newest_ts = newest.map(|version| version.ts).unwrap_or_default();
        let floor = newest_ts.max(call.replica.sequencer.floor([key], call.txn));
        let Chosen::Take(at) = write::choose(call, ts, floor, false).await? else {
            return Err(KvError::Fatal("an increment takes any timestamp".into()));
        };
        let mut effects = Effects::with_capacity(1);
        effects.put_version(key, at, Some(&counter.encode()), (at != ts).then_some(ts));
        let plan = Plan { effects, max_ts: at, ..Plan::default() };
        replicate(&call.replica, &view, latch, plan).await?;
        return Ok(response);
    }
}

/// True when an earlier copy of the request has set the counter: it has left a version at the
/// requested timestamp, or one that remembers it.
fn was_set(
    call: &Call,
    view: &View,
    key: &Key,
    newest: Option<&Version>,
    requested: Timestamp,
) -> KvResult<bool> {
    if newest.is_none_or(|newest| newest.ts < requested) {
        return Ok(false);
    }
    if requested <= call.replica.safe_point() {
        return Err(KvError::Ambiguous(
            "whether the counter was set cannot be told any more".into(),
        ));
    }
    let versions = mvcc::versions(&view.snapshot, key, requested.prev())?;
    Ok(versions.iter().any(|v| v.ts == requested || v.requested_ts == Some(requested)))
}

fn foreign_intent(call: &Call, view: &View, key: &Key) -> KvResult<Option<Intent>> {
    if view.is_free_of_intents {
        return Ok(None);
    }
    let intent = mvcc::intent(&view.snapshot, key)?;
    Ok(intent.filter(|intent| Some(intent.anchor.txn) != call.txn))
}

/// The counter afterwards and what was handed out; `None` when the bound is reached.
fn advance(
    known: Option<Counter>,
    op: IncrementOp,
) -> KvResult<Option<(Counter, IncrementResponse)>> {
    let (by, count, min, max, start, cycle) = match op {
        IncrementOp::Set { value, is_called } => {
            let response = IncrementResponse { first: Some(value), count: 1 };
            return Ok(Some((Counter { value, is_called }, response)));
        }
        IncrementOp::Next { by, count, min, max, start, cycle } => {
            (i128::from(by), count, i128::from(min), i128::from(max), start, cycle)
        }
    };
    if by == 0 || count <= 0 || min > max {
        return Err(KvError::Fatal("a counter has to move, within its bounds".into()));
    }
    let next = match known {
        None => i128::from(start),
        Some(Counter { value, is_called: false }) => i128::from(value),
        Some(Counter { value, is_called: true }) => i128::from(value) + by,
    };
    let (near, far) = if by > 0 { (min, max) } else { (max, min) };
    let is_beyond = if by > 0 { next > far } else { next < far };
    let first = match (is_beyond, cycle) {
        (false, _) => next,
        (true, true) => near,
        (true, false) => return Ok(None),
    };
    let room = (far - first) / by + 1;
    let count = room.min(i128::from(count));
    let last = first + by * (count - 1);
    let narrow = |wide: i128| {
        i64::try_from(wide).map_err(|_| KvError::Fatal("counter beyond its bounds".into()))
    };
    let response = IncrementResponse { first: Some(narrow(first)?), count: narrow(count)? };
    Ok(Some((Counter { value: narrow(last)?, is_called: true }, response)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(by: i64, count: i64, min: i64, max: i64, start: i64, cycle: bool) -> IncrementOp {
        IncrementOp::Next { by, count, min, max, start, cycle }
    }

    fn run(known: Option<(i64, bool)>, op: IncrementOp) -> Option<(i64, i64, i64)> {
        let known = known.map(|(value, is_called)| Counter { value, is_called });
        let (counter, response) = advance(known, op).expect("valid operation")?;
        Some((response.first.expect("a value"), response.count, counter.value))
    }

    #[test]
    fn starts_at_start() {
        assert_eq!(run(None, next(5, 1, 1, 100, 7, false)), Some((7, 1, 7)));
    }

    #[test]
    fn hands_out_what_fits() {
        assert_eq!(run(Some((7, true)), next(5, 10, 1, 20, 7, false)), Some((12, 2, 17)));
        assert_eq!(run(Some((17, true)), next(5, 10, 1, 20, 7, false)), None);
    }

    #[test]
    fn cycles_to_the_other_bound() {
        assert_eq!(run(Some((20, true)), next(1, 2, 3, 20, 7, true)), Some((3, 2, 4)));
        assert_eq!(run(Some((3, true)), next(-1, 1, 3, 20, 7, true)), Some((20, 1, 20)));
    }

    #[test]
    fn set_uncalled_is_handed_out_itself() {
        assert_eq!(run(Some((9, false)), next(1, 1, 1, 20, 1, false)), Some((9, 1, 9)));
        assert_eq!(run(Some((9, true)), next(1, 1, 1, 20, 1, false)), Some((10, 1, 10)));
    }

    #[test]
    fn survives_the_ends_of_int8() {
        let up = next(1, 5, i64::MIN, i64::MAX, 1, false);
        assert_eq!(run(Some((i64::MAX - 1, true)), up), Some((i64::MAX, 1, i64::MAX)));
        assert_eq!(run(Some((i64::MAX, true)), up), None);
        let down = next(i64::MIN, 3, i64::MIN, i64::MAX, 1, false);
        assert_eq!(run(Some((0, true)), down), Some((i64::MIN, 1, i64::MIN)));
    }
}
