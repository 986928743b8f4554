//! Where a key's parts lie in the keyspaces.

use crate::{Keyspace, StorageError, StorageResult};
use base::api::TxnAnchor;
use base::{Span, Timestamp};

/// Bytes of the inverted timestamp behind a key.
pub(super) const TIMESTAMP_LEN: usize = 8;
/// First byte of an intent's key.
pub(super) const INTENT: u8 = 0x01;
/// First byte of a transaction record's key.
pub(super) const RECORD: u8 = 0x02;
/// Bytes of the transaction id behind a record's anchor.
pub(super) const TXN_LEN: usize = 16;

/// Every stretch that belongs to a span of keys, as `(keyspace, lower, upper)`: versions, intents,
/// records. For range snapshots, destruction and statistics.
pub fn range_parts(span: &Span) -> Vec<(Keyspace, Vec<u8>, Vec<u8>)> {
    let mut parts = vec![(Keyspace::Data, span.start.to_vec(), span.end.to_vec())];
    for tag in [INTENT, RECORD] {
        let (lower, upper) = lock_bounds(tag, span);
        parts.push((Keyspace::Locks, lower, upper));
    }
    parts
}

/// The stretch of the intents or the records of a span.
pub(super) fn lock_bounds(tag: u8, span: &Span) -> (Vec<u8>, Vec<u8>) {
    (tagged(tag, &span.start), tagged(tag, &span.end))
}

/// Key of an intent.
pub(super) fn intent_key(key: &[u8]) -> Vec<u8> {
    tagged(INTENT, key)
}

/// Key of a transaction's record.
pub(super) fn record_key(anchor: &TxnAnchor) -> Vec<u8> {
    let mut out = tagged(RECORD, &anchor.anchor);
    out.extend_from_slice(&anchor.txn.to_bytes());
    out
}

/// Key of a version, into a buffer whose contents it replaces.
pub(super) fn version_key(out: &mut Vec<u8>, key: &[u8], ts: Timestamp) {
    out.clear();
    out.reserve(key.len() + TIMESTAMP_LEN);
    out.extend_from_slice(key);
    out.extend_from_slice(&(!ts.0).to_be_bytes());
}

/// Takes a version's key apart.
pub(super) fn split_version_key(entry: &[u8]) -> StorageResult<(&[u8], Timestamp)> {
    let (key, ts) = entry
        .split_last_chunk::<TIMESTAMP_LEN>()
        .ok_or_else(|| StorageError::Corrupt("version key is too short".into()))?;
    Ok((key, Timestamp(!u64::from_be_bytes(*ts))))
}

fn tagged(tag: u8, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + key.len() + TXN_LEN);
    out.push(tag);
    out.extend_from_slice(key);
    out
}
