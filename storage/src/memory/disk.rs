//! A simulated disk: holds what was written, loses what was not synced when it crashes.

use crate::memory::table::Tables;
use crate::{StorageError, StorageResult, WriteBatch};
use parking_lot::Mutex;
use std::sync::Arc;

/// Synced batches are folded into the base when they take this much, and more than the base.
const FOLD_BYTES: usize = 4 << 20;

/// A disk that outlives the engines opened on it. Clones are the same disk.
#[derive(Clone, Default)]
pub struct MemDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Everything older than the log, overwritten values left out.
    base: WriteBatch,
    /// Every batch since, in order.
    log: Vec<WriteBatch>,
    /// Bytes of the log.
    log_bytes: usize,
    /// How many batches of the log survive a crash.
    synced: usize,
    opening: u64,
    is_full: bool,
    fails_sync: bool,
    ignores_syncs: bool,
}

impl MemDisk {
    /// An empty disk.
    pub fn new() -> MemDisk {
        MemDisk::default()
    }

    /// How many batches a crash now could lose.
    pub fn unsynced(&self) -> usize {
        let state = self.0.lock();
        state.log.len() - state.synced
    }

    /// Crashes the machine: of the unsynced batches the first `survivors` are kept, the rest is
    /// lost. Engines that are open on the disk can write no more.
    pub fn crash(&self, survivors: usize) {
        let mut state = self.0.lock();
        let kept = state.log.len().min(state.synced + survivors);
        state.log.truncate(kept);
        state.log_bytes = state.log.iter().map(WriteBatch::bytes).sum();
        state.synced = kept;
        state.opening += 1;
        state.fails_sync = false;
    }

    /// Makes every write fail for lack of space, or lets them through again.
    pub fn set_full(&self, is_full: bool) {
        self.0.lock().is_full = is_full;
    }

    /// Makes the next sync fail.
    pub fn fail_next_sync(&self) {
        self.0.lock().fails_sync = true;
    }

    /// From now on syncs succeed and do nothing: what a disk does that lies.
    pub fn ignore_syncs(&self) {
        self.0.lock().ignores_syncs = true;
    }

    /// Starts a new opening: feeds everything written to `apply`.
    pub(crate) fn open(&self, mut apply: impl FnMut(&WriteBatch)) -> u64 {
        let mut state = self.0.lock();
        state.opening += 1;
        apply(&state.base);
        state.log.iter().for_each(apply);
        state.opening
    }

    pub(crate) fn append(&self, opening: u64, batch: WriteBatch) -> StorageResult<()> {
        let mut state = self.0.lock();
        state.check(opening)?;
        if state.is_full {
            return Err(StorageError::DiskFull);
        }
        state.log_bytes += batch.bytes();
        state.log.push(batch);
        Ok(())
    }

    pub(crate) fn sync(&self, opening: u64) -> StorageResult<()> {
        let mut state = self.0.lock();
        state.check(opening)?;
        if std::mem::take(&mut state.fails_sync) {
            return Err(StorageError::SyncFailed("simulated".into()));
        }
        if state.ignores_syncs {
            return Ok(());
        }
        state.synced = state.log.len();
        if state.log_bytes > FOLD_BYTES.max(2 * state.base.bytes()) {
            state.fold();
        }
        Ok(())
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        if self.0.lock().is_full { 0 } else { 1 << 40 }
    }
}

impl State {
    /// Turns the log, all of it synced, into part of the base.
    fn fold(&mut self) {
        let mut tables = Tables::default();
        tables.apply(&self.base);
        self.log.drain(..).for_each(|batch| tables.apply(&batch));
        self.base = tables.to_batch();
        self.log_bytes = 0;
        self.synced = 0;
    }

    fn check(&self, opening: u64) -> StorageResult<()> {
        if self.opening == opening {
            Ok(())
        } else {
            Err(StorageError::Io("the simulated machine has crashed".into()))
        }
    }
}
