//! Get: the values under some keys. Touches the keys, as a read.

use super::overlay::Overlay;
use super::read::{self, Sight, check_safe_point, timestamp};
use crate::call::Call;
use crate::conflict::{Conflicts, Outcome};
use crate::latches::Touch;
use base::KvResult;
use base::api::ReadAt;
use base::api::get::{GetRequest, GetResponse};
use base::codec::Blob;
use std::sync::atomic::Ordering;
use storage::mvcc;

type Values = Vec<Option<Blob>>;

pub(super) async fn run(call: &Call, request: GetRequest) -> KvResult<GetResponse> {
    let GetRequest { keys, at } = request;
    let look = |sight: &Sight<'_>| evaluate(sight, &keys);
    let (values, read_ts) = read::read(call, at, Touch::keys(&keys), look).await?;
    Ok(GetResponse { values, read_ts })
}

/// The short way: answers at once if nobody is in the way and nothing has to be asked. `None` sends
/// the request the long way.
pub(crate) fn try_now(call: &Call, request: &GetRequest) -> Option<KvResult<GetResponse>> {
    if matches!(request.at, ReadAt::Follower(_)) {
        return None;
    }
    let term = call.replica.leadership.serving()?;
    let at = timestamp(call, request.at);
    if !call.replica.sequencer.try_read(Touch::keys(&request.keys), at, None) {
        return None;
    }
    let view = match call.try_pin(term)? {
        Ok(view) => view,
        Err(error) => return Some(Err(error)),
    };
    if let Err(error) = check_safe_point(call, at) {
        return Some(Err(error));
    }
    let conflicts = Conflicts::default();
    let sight = Sight { view: &view, at, own: call.txn, conflicts: &conflicts };
    match evaluate(&sight, &request.keys) {
        Ok(Outcome::Done(values)) => {
            call.replica.reads.fetch_add(1, Ordering::Relaxed);
            Some(Ok(GetResponse { values, read_ts: at }))
        }
        Ok(Outcome::Blocked(_)) => None,
        Err(error) => Some(Err(error)),
    }
}

fn evaluate(sight: &Sight<'_>, keys: &[base::Key]) -> KvResult<Outcome<Values>> {
    sight.view.check_keys(keys)?;
    let mut reader = mvcc::Reader::new(&sight.view.snapshot);
    let mut values = Vec::with_capacity(keys.len());
    let mut blocked = Vec::new();
    for key in keys {
        let mut overlay = Overlay::of_key(sight, key)?;
        blocked.append(&mut overlay.blocked);
        let value = match overlay.rows.pop_first() {
            Some((_, value)) => value,
            None => reader.get(key, sight.at)?.and_then(|v| v.value).map(Blob),
        };
        values.push(value);
    }
    Ok(if blocked.is_empty() { Outcome::Done(values) } else { Outcome::Blocked(blocked) })
}
