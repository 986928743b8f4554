//! Numbers handed out in blocks: hidden row ids and sequence values. A block is fetched from its
//! counter once and then used up in memory by all sessions of the process; what is left of it when
//! the process ends is skipped for ever. Index numbers are drawn one by one.

use crate::descriptor::{Sequence, Table};
use crate::layout::{index_number_key, row_id_key, sequence_key};
use base::KvResult;
use base::api::increment::IncrementOp;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use txn::TxnClient;

/// Row ids fetched at once; large inserts fetch what they need.
const ROW_ID_BLOCK: u64 = 1024;
/// Sequence values fetched at once, as many as PostgreSQL logs ahead.
const SEQUENCE_BLOCK: i64 = 32;

#[derive(Clone, Copy)]
struct Block {
    next: i64,
    left: i64,
    by: i64,
}

/// Blocks in use by this process.
#[derive(Default)]
pub struct Counters {
    row_ids: Mutex<FxHashMap<u32, Block>>,
    sequences: Mutex<FxHashMap<u32, Arc<SequenceSlot>>>,
}

/// A sequence's block. Locked while it is fetched or the sequence is set: what was fetched before a
/// setval, or before somebody else's refill, must not be handed out after it.
type SequenceSlot = futures::lock::Mutex<Option<SequenceBlock>>;

#[derive(Clone, Copy)]
struct SequenceBlock {
    block: Block,
    epoch: u64,
}

impl Counters {
    /// The first of `count` fresh, consecutive row ids.
    pub async fn row_ids(&self, client: &TxnClient, storage_id: u32, count: u64) -> KvResult<i64> {
        let wanted = i64::try_from(count).unwrap_or(i64::MAX);
        if let Some(first) = take(self.row_ids.lock().get_mut(&storage_id), wanted) {
            return Ok(first);
        }
        let op = IncrementOp::Next {
            by: 1,
            count: count.max(ROW_ID_BLOCK) as i64,
            min: 1,
            max: i64::MAX,
            start: 1,
            cycle: false,
        };
        let got = client.increment(row_id_key(storage_id), op).await?;
        let first = got.first.ok_or_else(|| base::KvError::Fatal("row ids are used up".into()))?;
        let mut block = Block { next: first, left: got.count, by: 1 };
        let taken = take(Some(&mut block), wanted)
            .ok_or_else(|| base::KvError::Fatal("row ids are used up".into()))?;
        self.row_ids.lock().insert(storage_id, block);
        Ok(taken)
    }

    /// The next value of a sequence, `None` at its end. Blocks of an older catalog epoch are not
    /// used: setval and ALTER SEQUENCE may have happened in between.
    pub async fn next_value(
        &self,
        client: &TxnClient,
        sequence: &Sequence,
        epoch: u64,
    ) -> KvResult<Option<i64>> {
        let slot = self.slot(sequence);
        let mut slot = slot.lock().await;
        if let Some(entry) = &mut *slot
            && entry.epoch == epoch
            && let Some(value) = take(Some(&mut entry.block), 1)
        {
            return Ok(Some(value));
        }
        let op = IncrementOp::Next {
            by: sequence.increment,
            count: sequence.cache.max(SEQUENCE_BLOCK),
            min: sequence.min,
            max: sequence.max,
            start: sequence.start,
            cycle: sequence.cycle,
        };
        let got = client.increment(sequence_key(sequence), op).await?;
        let Some(first) = got.first else { return Ok(None) };
        let mut block = Block { next: first, left: got.count, by: sequence.increment };
        let value = take(Some(&mut block), 1);
        *slot = Some(SequenceBlock { block, epoch });
        Ok(value)
    }

    /// How many values of a sequence are fetched but not yet handed out: the counter runs ahead
    /// of `last_value` by as much.
    pub fn unused_values(&self, sequence: &Sequence, epoch: u64) -> i64 {
        match self.slot(sequence).try_lock().as_deref() {
            Some(Some(entry)) if entry.epoch == epoch => entry.block.left,
            _ => 0,
        }
    }

    /// Sets a sequence. The caller announces a new catalog epoch afterwards.
    pub async fn set_value(
        &self,
        client: &TxnClient,
        sequence: &Sequence,
        value: i64,
        is_called: bool,
    ) -> KvResult<()> {
        let op = IncrementOp::Set { value, is_called };
        let slot = self.slot(sequence);
        let mut slot = slot.lock().await;
        *slot = None;
        client.increment(sequence_key(sequence), op).await.map(drop)
    }

    fn slot(&self, sequence: &Sequence) -> Arc<SequenceSlot> {
        self.sequences.lock().entry(sequence.storage_id).or_default().clone()
    }
}

/// A number for a new index of an existing table, `None` when all are used up. It is drawn outside
/// of the transaction that makes the index: entries are written outside of it too, and whatever
/// becomes of it, no other index may ever find them.
pub async fn next_index_number(client: &TxnClient, table: &Table) -> KvResult<Option<u16>> {
    let op = IncrementOp::Next {
        by: 1,
        count: 1,
        min: 1,
        max: i64::from(u16::MAX),
        start: i64::from(table.next_index),
        cycle: false,
    };
    let got = client.increment(index_number_key(table.oid), op).await?;
    Ok(got.first.and_then(|number| u16::try_from(number).ok()))
}

fn take(block: Option<&mut Block>, count: i64) -> Option<i64> {
    let block = block.filter(|block| block.left >= count)?;
    let first = block.next;
    block.left -= count;
    if block.left > 0 {
        block.next = first.saturating_add(block.by.saturating_mul(count));
    }
    Some(first)
}
