//! After the decision: record, intents, record again. In the background, best effort: whoever
//! meets what is left does the rest.

use super::CommitJob;
use crate::client::{Core, fate};
use crate::meta_client::mismatch;
use crate::patience::Patience;
use crate::release::{self, Release};
use crate::sender::{Attempt, Failed, Sending};
use base::api::end_txn::{EndTxnAction, EndTxnRequest};
use base::api::resolve::ResolveRequest;
use base::api::{RangeOp, RangeResponse, TxnAnchor, TxnStatus};
use base::{Key, KvResult, Span, Timestamp};
use std::sync::Arc;

/// Most spans that stand for keys in a record.
const RECORD_SPANS: usize = 256;

/// What has been decided.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    Commit(Timestamp),
    /// As above, and the record says so already.
    Committed(Timestamp),
    /// Unless it turns out to be committed.
    Abort,
}

impl CommitJob {
    /// Cleans up behind the caller's back; also releases locks that no intent stands for.
    pub(super) fn finish_in_background(&self, anchor: TxnAnchor, keys: Vec<Key>, verdict: Verdict) {
        let is_written = |key: &Key| keys.binary_search(key).is_ok();
        let strays = self.locks.keys().into_iter().filter(|key| !is_written(key)).collect();
        self.release_in_background(strays);
        let (core, txn) = (self.core.clone(), self.txn);
        self.core.env.clock.spawn(Box::pin(async move {
            if let Err(error) = finish(&core, anchor, keys, verdict).await {
                tracing::debug!(%txn, %error, "cleanup is left to others");
            }
        }));
    }
}

/// The order matters: as long as the record does not say COMMITTED, intents that are gone look
/// like intents that never stood; and the record must outlive them all.
async fn finish(
    core: &Arc<Core>,
    anchor: TxnAnchor,
    keys: Vec<Key>,
    verdict: Verdict,
) -> KvResult<()> {
    let action = match verdict {
        Verdict::Commit(ts) => Some(commit(core, ts, &keys)),
        Verdict::Committed(_) => None,
        Verdict::Abort => Some(EndTxnAction::Abort),
    };
    let recorded = match action {
        Some(action) => Some(end_txn(core, &anchor, action).await?),
        None => None,
    };
    let status = match (recorded, verdict) {
        (Some(TxnStatus::Committed(ts)), _) | (None, Verdict::Committed(ts)) => {
            TxnStatus::Committed(ts)
        }
        (Some(TxnStatus::Aborted), Verdict::Abort) => TxnStatus::Aborted,
        (status, _) => {
            tracing::error!(txn = %anchor.txn, ?status, ?verdict, "a decision was not kept");
            return Ok(());
        }
    };
    resolve(core, &anchor, keys, status).await?;
    end_txn(core, &anchor, EndTxnAction::Forget).await?;
    Ok(())
}

async fn resolve(
    core: &Arc<Core>,
    anchor: &TxnAnchor,
    keys: Vec<Key>,
    status: TxnStatus,
) -> KvResult<()> {
    let sending = Sending::new(Some(anchor.txn), core.env.config.outage);
    let make = |keys: &[Key], _: Attempt| {
        let (keys, spans) = (keys.to_vec(), Vec::new());
        RangeOp::Resolve(ResolveRequest { txn: anchor.txn, status, keys, spans })
    };
    let scattered = core.scatter(keys.clone(), sending, make).await;
    if scattered.error.is_some() && status == TxnStatus::Aborted {
        release::run(core, Release { txn: anchor.txn, keys }).await;
    }
    scattered.complete().map(drop)
}

/// The decision for a transaction that wrote these sorted keys: named as far as a record has room,
/// else covered by some spans.
pub(super) fn commit(core: &Core, ts: Timestamp, keys: &[Key]) -> EndTxnAction {
    if record_bytes(keys) <= core.env.config.record_bytes_max {
        return EndTxnAction::Commit { ts, keys: keys.to_vec(), spans: Vec::new() };
    }
    let runs = keys.chunks(keys.len().div_ceil(RECORD_SPANS));
    let cover = |run: &[Key]| Some(Span::new(run.first()?.clone(), run.last()?.after()));
    EndTxnAction::Commit { ts, keys: Vec::new(), spans: runs.filter_map(cover).collect() }
}

/// Bytes that keys take in a record.
pub(super) fn record_bytes(keys: &[Key]) -> usize {
    keys.iter().map(|key| key.len()).sum()
}

/// Sends a decision to the record's range.
pub(super) async fn end_txn(
    core: &Core,
    anchor: &TxnAnchor,
    action: EndTxnAction,
) -> KvResult<TxnStatus> {
    let sending = Sending::new(Some(anchor.txn), core.env.config.outage);
    let mut patience = Patience::default();
    loop {
        let route = core.router.lookup(&anchor.anchor).await?;
        let make = |_: Attempt| {
            RangeOp::EndTxn(EndTxnRequest { anchor: anchor.clone(), action: action.clone() })
        };
        match core.send(route, sending, make).await {
            Ok(sent) => match sent.response {
                RangeResponse::EndTxn(response) => return Ok(response.status),
                _ => return Err(mismatch("the end of a transaction")),
            },
            Err(Failed::Recut { .. }) => patience.recut(&core.env).await?,
            Err(Failed::Error { error, maybe_done }) => return Err(fate(error, maybe_done)),
        }
    }
}
