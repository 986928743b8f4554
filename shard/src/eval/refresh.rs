//! Refresh: would what was read at `from` read the same at `to`? Touches the spans, as a read at `to`
//! whose owner may still write there itself.

use super::read::check_safe_point;
use crate::call::{Call, cut};
use crate::conflict::{Conflicts, Meaning, Purpose};
use crate::latches::Touch;
use base::api::refresh::RefreshRequest;
use base::{Key, KvError, KvResult, Span, Timestamp, TxnId};
use storage::Snapshot;
use storage::mvcc::{self, Intent};

/// A transaction that has to wait longer than this for another's fate gives up: the other may be
/// waiting for it in the same way.
const ROUNDS_MAX: u32 = 8;

pub(super) async fn run(call: &Call, request: RefreshRequest) -> KvResult<()> {
    let descriptor = call.descriptor()?;
    let cut = request.spans.iter().map(|span| cut(&descriptor, span));
    let spans: Vec<Span> = cut.collect::<KvResult<_>>()?;
    let RefreshRequest { from, to, .. } = request;
    let mut conflicts = Conflicts::default();
    for _ in 0..ROUNDS_MAX {
        let term = call.leading().await?;
        call.replica.sequencer.read(Touch::spans(&spans), to, call.txn).await;
        let view = call.pin(term).await?;
        if from < to {
            // Versions and tombstones that would tell of a change may be collected.
            check_safe_point(call, from)?;
        }
        for span in &spans {
            if let Some((key, newer)) = mvcc::any_newer(&view.snapshot, span, from, to)? {
                return Err(KvError::WriteConflict { key, newer });
            }
        }
        // An empty interval asks nothing of intents; it only leaves its trace.
        if view.is_free_of_intents || from >= to {
            return Ok(());
        }
        let mut unknown = Vec::new();
        for (key, intent) in foreign_intents(&view.snapshot, &spans, to, call.txn)? {
            match conflicts.meaning(&intent, to, None) {
                Meaning::Ignore => {}
                Meaning::Unknown => unknown.push((key, intent)),
                Meaning::Visible => check_commit(&conflicts, key, &intent, from)?,
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        drop(view);
        conflicts.settle(call, unknown, Purpose::Read(to)).await?;
    }
    let key = spans.into_iter().next().unwrap_or_default().start;
    Err(KvError::WriteConflict { key, newer: to })
}

/// Fails when the intent has committed after `from`.
fn check_commit(conflicts: &Conflicts, key: Key, intent: &Intent, from: Timestamp) -> KvResult<()> {
    match conflicts.commit_of(intent.anchor.txn) {
        Some(newer) if newer > from => Err(KvError::WriteConflict { key, newer }),
        _ => Ok(()),
    }
}

fn foreign_intents(
    snapshot: &Snapshot,
    spans: &[Span],
    to: Timestamp,
    own: Option<TxnId>,
) -> KvResult<Vec<(Key, Intent)>> {
    let mut found = Vec::new();
    for span in spans {
        let intents = mvcc::intents(snapshot, span, 0)?;
        found.extend(
            intents
                .into_iter()
                .filter(|(_, intent)| Some(intent.anchor.txn) != own && intent.ts <= to),
        );
    }
    Ok(found)
}
