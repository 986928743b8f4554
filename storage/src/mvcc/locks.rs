//! Intents and transaction records.

use super::layout::{INTENT, RECORD, TXN_LEN, intent_key, lock_bounds, record_key};
use crate::{Keyspace, Snapshot, StorageError, StorageResult, WriteBatch};
use base::api::{TxnAnchor, TxnStatus, WriteOp};
use base::codec::{from_message, to_message};
use base::{Key, Span, Timestamp, TxnId};
use bincode::de::{Decoder, read::Reader};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

/// A write of a transaction whose fate is not known under its key yet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Intent {
    /// Whose it is, and where to ask about it.
    pub anchor: TxnAnchor,
    /// It commits at or above this.
    pub ts: Timestamp,
    /// What it will become.
    pub op: WriteOp,
}

/// What is known about a transaction, kept beside its anchor key. As bytes it ends with `keys` if
/// there are no spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnRecord {
    /// Its state.
    pub status: TxnStatus,
    /// Last sign of life of the coordinator.
    pub heartbeat: Timestamp,
    /// Readers have passed its intents up to here: it commits above, if at all.
    pub min_commit_ts: Timestamp,
    /// Every key it writes, known from STAGING on.
    pub keys: Vec<Key>,
    /// Where its keys are, once it is COMMITTED, if they were too many to name.
    pub spans: Vec<Span>,
}

impl Encode for TxnRecord {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let TxnRecord { status, heartbeat, min_commit_ts, keys, spans } = self;
        (status, heartbeat, min_commit_ts, keys).encode(encoder)?;
        if spans.is_empty() { Ok(()) } else { spans.encode(encoder) }
    }
}

impl<C> Decode<C> for TxnRecord {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let (status, heartbeat, min_commit_ts, keys) = Decode::decode(decoder)?;
        let has_spans = decoder.reader().peek_read(1).is_some();
        let spans = if has_spans { Decode::decode(decoder)? } else { Vec::new() };
        Ok(TxnRecord { status, heartbeat, min_commit_ts, keys, spans })
    }
}

/// The intent under a key.
pub fn intent(snapshot: &Snapshot, key: &Key) -> StorageResult<Option<Intent>> {
    let bytes = snapshot.get(Keyspace::Locks, &intent_key(key))?;
    bytes.map(|bytes| from_message(&bytes).map_err(StorageError::from)).transpose()
}

/// The intents in a span in key order, at most `limit` of them; 0 is no limit.
pub fn intents(
    snapshot: &Snapshot,
    span: &Span,
    limit: usize,
) -> StorageResult<Vec<(Key, Intent)>> {
    let mut out = Vec::new();
    if span.is_empty() {
        return Ok(out);
    }
    let (lower, upper) = lock_bounds(INTENT, span);
    let mut iter = snapshot.iter(Keyspace::Locks, &lower, &upper);
    let mut is_valid = iter.seek_to_first()?;
    while is_valid {
        out.push((Key::copy_from(&iter.key()[1..]), from_message(iter.value())?));
        if out.len() == limit {
            break;
        }
        is_valid = iter.next()?;
    }
    Ok(out)
}

/// Leaves an intent under a key, or replaces it.
pub fn put_intent(batch: &mut WriteBatch, key: &Key, intent: &Intent) {
    let (entry_key, entry) = encode_intent(key, intent);
    batch.put(Keyspace::Locks, &entry_key, &entry);
}

/// Removes the intent under a key.
pub fn remove_intent(batch: &mut WriteBatch, key: &Key) {
    batch.delete(Keyspace::Locks, &intent_key(key));
}

/// The key and value in [`Keyspace::Locks`] of an intent, for those that carry writes as bytes.
pub fn encode_intent(key: &Key, intent: &Intent) -> (Vec<u8>, Vec<u8>) {
    (intent_key(key), to_message(intent))
}

/// A transaction's record.
pub fn record(snapshot: &Snapshot, anchor: &TxnAnchor) -> StorageResult<Option<TxnRecord>> {
    let bytes = snapshot.get(Keyspace::Locks, &record_key(anchor))?;
    bytes.map(|bytes| from_message(&bytes).map_err(StorageError::from)).transpose()
}

/// The records whose anchors lie in a span, by anchor, at most `limit` of them; 0 is no limit.
pub fn records(
    snapshot: &Snapshot,
    span: &Span,
    limit: usize,
) -> StorageResult<Vec<(TxnAnchor, TxnRecord)>> {
    let mut out = Vec::new();
    if span.is_empty() {
        return Ok(out);
    }
    let (lower, upper) = lock_bounds(RECORD, span);
    let mut iter = snapshot.iter(Keyspace::Locks, &lower, &upper);
    let mut is_valid = iter.seek_to_first()?;
    while is_valid {
        out.push((split_record_key(iter.key())?, from_message(iter.value())?));
        if out.len() == limit {
            break;
        }
        is_valid = iter.next()?;
    }
    Ok(out)
}

/// Writes a transaction's record.
pub fn put_record(batch: &mut WriteBatch, anchor: &TxnAnchor, record: &TxnRecord) {
    let (entry_key, entry) = encode_record(anchor, record);
    batch.put(Keyspace::Locks, &entry_key, &entry);
}

/// Removes a transaction's record.
pub fn remove_record(batch: &mut WriteBatch, anchor: &TxnAnchor) {
    batch.delete(Keyspace::Locks, &record_key(anchor));
}

/// The key and value in [`Keyspace::Locks`] of a record, for those that carry writes as bytes.
pub fn encode_record(anchor: &TxnAnchor, record: &TxnRecord) -> (Vec<u8>, Vec<u8>) {
    (record_key(anchor), to_message(record))
}

fn split_record_key(entry: &[u8]) -> StorageResult<TxnAnchor> {
    let (head, txn) = entry
        .split_last_chunk::<TXN_LEN>()
        .ok_or_else(|| StorageError::Corrupt("transaction record's key is too short".into()))?;
    let anchor = head.get(1..).unwrap_or_default();
    Ok(TxnAnchor { txn: TxnId(u128::from_be_bytes(*txn)), anchor: Key::copy_from(anchor) })
}
