//! Lock: takes row locks and reads the newest committed versions. Touches the keys: it waits for
//! writes under way, but leaves no trace in the timestamp cache, because COMMIT checks what was
//! observed.
//!
//! A request without keys is a sign of life: it keeps the locks that the transaction holds in the
//! range from being taken by those who wait ([`crate::env::StoreConfig::lock_expiry`]).

use crate::call::{Call, View};
use crate::conflict::{Conflicts, Purpose};
use crate::latches::Touch;
use crate::lock_wait::Taken;
use base::api::lock::{LockRequest, LockResponse, LockWait, LockedValue};
use base::codec::Blob;
use base::{Key, KvError, KvResult, Timestamp, TxnId};
use storage::mvcc::{self, Intent};

pub(super) async fn run(call: &Call, request: LockRequest) -> KvResult<LockResponse> {
    let txn = call.require_txn()?;
    let LockRequest { keys, strength, wait } = request;
    let term = call.leading().await?;
    crate::call::check_keys(&*call.descriptor()?, &keys)?;
    call.replica.locks().touch(txn, call.now());
    let mut taken = Taken::new(call, txn);
    let mut held = Vec::with_capacity(keys.len());
    let mut is_held = vec![false; keys.len()];
    for (key, is_held) in keys.iter().zip(&mut is_held) {
        if taken.lock(call, key, strength, wait).await? {
            *is_held = true;
            held.push(key.clone());
        }
    }
    let mut conflicts = Conflicts::default();
    loop {
        call.replica.sequencer.settle(Touch::keys(&held), Timestamp::MAX).await;
        let view = call.pin(term).await?;
        let blocked = foreign_intents(&view, &held, txn)?;
        if blocked.is_empty() {
            let values = read(&view, &keys, &is_held)?;
            taken.keep();
            return Ok(LockResponse { values });
        }
        drop(view);
        let alive = conflicts.ask(call, blocked, Purpose::Write).await?;
        for alive in alive {
            match wait {
                LockWait::Block => {
                    conflicts.wait(call, alive).await.map_err(timed_out(&held))?;
                    break;
                }
                LockWait::Error => return Err(KvError::LockNotAvailable { key: alive.key }),
                LockWait::Skip => {
                    taken.give_back(&alive.key);
                    held.retain(|key| *key != alive.key);
                    let place = keys.iter().position(|key| *key == alive.key);
                    place.into_iter().for_each(|place| is_held[place] = false);
                }
            }
        }
    }
}

/// A wait for an intent that takes too long is a lock timeout like any other.
fn timed_out(held: &[Key]) -> impl Fn(KvError) -> KvError {
    let key = held.first().cloned().unwrap_or_default();
    move |error| match error {
        KvError::Unavailable(_) => KvError::LockNotAvailable { key: key.clone() },
        other => other,
    }
}

fn foreign_intents(view: &View, keys: &[Key], own: TxnId) -> KvResult<Vec<(Key, Intent)>> {
    let mut found = Vec::new();
    if view.is_free_of_intents {
        return Ok(found);
    }
    for key in keys {
        if let Some(intent) = mvcc::intent(&view.snapshot, key)?
            && intent.anchor.txn != own
        {
            found.push((key.clone(), intent));
        }
    }
    Ok(found)
}

fn read(view: &View, keys: &[Key], is_held: &[bool]) -> KvResult<Vec<LockedValue>> {
    let mut reader = mvcc::Reader::new(&view.snapshot);
    let mut values = Vec::with_capacity(keys.len());
    for (key, is_held) in keys.iter().zip(is_held) {
        values.push(match is_held {
            false => LockedValue::Skipped,
            true => match reader.get(key, Timestamp::MAX)? {
                Some(version) => {
                    LockedValue::Held { value: version.value.map(Blob), observed: version.ts }
                }
                None => LockedValue::Held { value: None, observed: Timestamp::ZERO },
            },
        });
    }
    Ok(values)
}
