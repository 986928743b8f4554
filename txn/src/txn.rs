//! One transaction: its state, and the parts of its life that send nothing. Reading, locking and
//! the commit have files of their own.

use crate::buffer::{Change, Guard, WriteBuffer};
use crate::client::Core;
use crate::keeper::KeptLocks;
use crate::locks::{HeldLock, LockSet};
use crate::read_set::ReadSet;
use crate::release;
use crate::sender::Sending;
use crate::view::View;
use base::api::WriteCondition;
use base::{Key, KvError, KvResult, NodeId, RangeId, Timestamp, TxnId};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// A lock wait "without limit" ends after this long.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// Isolation level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// A fresh snapshot a statement.
    ReadCommitted,
    /// One snapshot; the first committer of a row wins.
    RepeatableRead,
    /// As if one after the other.
    Serializable,
}

/// A place to roll back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SavepointId(u64);

/// What a locked key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxnLocked {
    /// Locked. The newest committed value or the transaction's own; `changed` when it is newer
    /// than the statement's snapshot.
    Held { value: Option<Bytes>, changed: bool },
    /// Locked by somebody else and skipped.
    Skipped,
}

/// Ranges and nodes that a statement has sent requests to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TouchLog {
    /// Pairs in the order of first contact.
    pub touched: Vec<(RangeId, NodeId)>,
}

impl TouchLog {
    pub(crate) fn add(&mut self, range: RangeId, node: NodeId) {
        if !self.touched.contains(&(range, node)) {
            self.touched.push((range, node));
        }
    }
}

/// Marks of one savepoint.
#[derive(Clone, Copy, Debug)]
struct Savepoint {
    id: SavepointId,
    buffer: usize,
    locks: usize,
}

/// One transaction. Dropped without [`Txn::commit`] it is rolled back in the background.
pub struct Txn {
    pub(crate) core: Arc<Core>,
    pub(crate) isolation: Isolation,
    pub(crate) is_read_only: bool,
    pub(crate) id: Option<TxnId>,
    pub(crate) view: View,
    /// The transaction's own view while the newest state is looked at.
    aside: Option<View>,
    /// The statement is a transaction of its own.
    pub(crate) is_alone: bool,
    /// A leader's choice of snapshot has not been enough once.
    pub(crate) reads_widely: bool,
    pub(crate) follower_reads: bool,
    pub(crate) lock_timeout: Option<Duration>,
    pub(crate) buffer: WriteBuffer,
    pub(crate) locks: LockSet,
    pub(crate) kept: Option<KeptLocks>,
    pub(crate) reads: ReadSet,
    pub(crate) touched: TouchLog,
    savepoints: Vec<Savepoint>,
    next_savepoint: u64,
}

impl Txn {
    pub(crate) fn new(core: Arc<Core>, isolation: Isolation, is_read_only: bool) -> Txn {
        Txn {
            core,
            isolation,
            is_read_only,
            id: None,
            view: View::Open,
            aside: None,
            is_alone: false,
            reads_widely: false,
            follower_reads: false,
            lock_timeout: None,
            buffer: WriteBuffer::default(),
            locks: LockSet::default(),
            kept: None,
            reads: ReadSet::default(),
            touched: TouchLog::default(),
            savepoints: Vec::new(),
            next_savepoint: 1,
        }
    }

    /// Its id; `None` until the first lock or the commit.
    pub fn id(&self) -> Option<TxnId> {
        self.id
    }

    /// Its isolation level.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// How long locks are waited for; `None` (the default) is without limit.
    pub fn set_lock_timeout(&mut self, timeout: Option<Duration>) {
        self.lock_timeout = timeout;
    }

    /// Reads go to a replica on this node if there is one, instead of the range's leader. They
    /// wait there until the replica knows all of the snapshot.
    pub fn set_follower_reads(&mut self, on: bool) {
        self.follower_reads = on;
    }

    /// A statement begins. READ COMMITTED: the next read draws a fresh snapshot. `alone` says that
    /// the statement is a transaction of its own: if its reads stay within one range, the leader
    /// picks the snapshot.
    pub fn begin_statement(&mut self, alone: bool) {
        self.read_snapshot();
        self.touched = TouchLog::default();
        if self.isolation == Isolation::ReadCommitted {
            self.view = View::Open;
        }
        self.is_alone = alone && !self.reads_widely;
    }

    /// From now on reads see what is committed by now, whatever the transaction's snapshot, besides
    /// own writes; until [`Txn::read_snapshot`] or the next statement. For what must hold of the
    /// newest state: constraints, and DDL behind its fence. Nothing is noted for the proof at
    /// COMMIT: the caller has made sure by locks that what it looks for cannot change.
    pub async fn read_newest(&mut self) -> KvResult<()> {
        let ts = self.core.oracle.now().await?;
        let newest = View::Drawn(self.core.snapshots.pin(ts));
        let view = std::mem::replace(&mut self.view, newest);
        self.aside.get_or_insert(view);
        Ok(())
    }

    /// Back to the transaction's own snapshot.
    pub fn read_snapshot(&mut self) {
        if let Some(view) = self.aside.take() {
            self.view = view;
        }
    }

    /// Reads as of this timestamp from now on (historical reads; the caller has made sure that
    /// garbage collection keeps it).
    pub fn set_snapshot(&mut self, at: Timestamp) {
        self.view = View::Drawn(self.core.snapshots.pin(at));
    }

    /// Writes a value. The key must have been locked by the transaction or read by the current
    /// statement: COMMIT fails with `WriteConflict` if a newer version than that has appeared.
    pub fn put(&mut self, key: Key, value: Bytes) {
        let guard = self.guard(&key);
        self.buffer.change(key, Change::Put(value), guard);
    }

    /// Deletes; as for [`Txn::put`].
    pub fn delete(&mut self, key: Key) {
        let guard = self.guard(&key);
        self.buffer.change(key, Change::Delete, guard);
    }

    /// Writes a value under a key that must be absent: `KeyExists` from [`Txn::check_inserts`] or
    /// from COMMIT otherwise.
    pub fn insert(&mut self, key: Key, value: Bytes) {
        self.buffer.insert(key, value);
    }

    /// Writes a value whatever is there: index entries that their row's lock guards.
    pub fn put_unconditional(&mut self, key: Key, value: Bytes) {
        self.buffer.change(key, Change::Put(value), Guard::Free);
    }

    /// Deletes whatever is there: index entries that their row's lock guards.
    pub fn delete_unconditional(&mut self, key: Key) {
        self.buffer.change(key, Change::Delete, Guard::Free);
    }

    /// Marks a place to roll back to.
    pub fn savepoint(&mut self) -> SavepointId {
        let id = SavepointId(self.next_savepoint);
        self.next_savepoint += 1;
        let savepoint = Savepoint { id, buffer: self.buffer.mark(), locks: self.locks.mark() };
        self.savepoints.push(savepoint);
        id
    }

    /// Undoes everything since the savepoint, which stays; releases locks taken since. What they
    /// showed has been read all the same.
    pub async fn rollback_to(&mut self, savepoint: SavepointId) -> KvResult<()> {
        let Some(at) = self.savepoints.iter().position(|other| other.id == savepoint) else {
            return Err(KvError::Fatal("the savepoint is not one of this transaction".into()));
        };
        self.read_snapshot();
        self.savepoints.truncate(at + 1);
        let marks = self.savepoints[at];
        self.buffer.undo_to(marks.buffer);
        let keys = self.locks.undo_to(marks.locks);
        self.note_observed(&keys).await?;
        if let Some(id) = self.id
            && !keys.is_empty()
        {
            release::unlock_keys(&self.core, id, keys).await;
        }
        Ok(())
    }

    /// Forgets a savepoint and all later ones, keeping what was done.
    pub fn release(&mut self, savepoint: SavepointId) {
        self.savepoints.retain(|other| other.id < savepoint);
        if self.savepoints.is_empty() {
            self.buffer.forget_undo();
        }
    }

    /// Undoes everything and releases all locks.
    pub async fn rollback(mut self) {
        if let Some(release) = self.take_locks() {
            release::run(&self.core, release).await;
        }
    }

    /// A transaction that reads what the statement reads now, whatever this one does later: cursors.
    pub async fn reader(&mut self) -> KvResult<Txn> {
        let ts = self.snapshot().await?;
        let mut reader = Txn::new(self.core.clone(), self.isolation, true);
        reader.view = View::Drawn(self.core.snapshots.pin(ts));
        reader.follower_reads = self.follower_reads;
        reader.buffer = self.buffer.to_read();
        Ok(reader)
    }

    /// What a reader of this transaction has read counts as its own.
    pub fn answer_for(&mut self, reader: &mut Txn) {
        self.reads.append(&mut reader.reads);
    }

    /// True when something is buffered.
    pub fn has_writes(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Rough size of the write buffer in memory.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.bytes()
    }

    /// Ranges and nodes that the statement has touched so far.
    pub fn touched(&self) -> &TouchLog {
        &self.touched
    }

    /// True while the newest state is read instead of the snapshot.
    pub(crate) fn reads_newest(&self) -> bool {
        self.aside.is_some()
    }

    /// The id, drawn now if there is none yet.
    pub(crate) async fn ensure_id(&mut self) -> KvResult<TxnId> {
        if let Some(id) = self.id {
            return Ok(id);
        }
        let id = self.core.ids.next(self.core.env.transport.local_node()).await?;
        self.id = Some(id);
        Ok(id)
    }

    /// Requests that read: they wait for nobody's locks, only for commits under way.
    pub(crate) fn reading(&self) -> Sending {
        Sending {
            txn: self.id,
            wait: self.core.env.config.outage,
            any_replica: self.follower_reads,
        }
    }

    /// How long a lock may be waited for.
    pub(crate) fn lock_wait(&self) -> Duration {
        self.lock_timeout.unwrap_or(LOCK_WAIT_MAX)
    }

    /// Takes over the duty to release all locks.
    pub(crate) fn take_locks(&mut self) -> Option<release::Release> {
        let locks = std::mem::take(&mut self.locks);
        let txn = self.id?;
        (!locks.is_empty()).then(|| release::Release { txn, keys: locks.keys() })
    }

    /// What a write under the key may rest on. A key that was neither locked nor read by the
    /// statement may hold nothing at all.
    fn guard(&self, key: &Key) -> Guard {
        let read = || WriteCondition::NotNewerThan(self.view.ts().unwrap_or(Timestamp::ZERO));
        Guard::Seen(self.locks.get(key).map_or_else(read, HeldLock::condition))
    }
}

impl Drop for Txn {
    fn drop(&mut self) {
        if let Some(release) = self.take_locks() {
            let core = self.core.clone();
            let task = async move { release::run(&core, release).await };
            self.core.env.clock.spawn(Box::pin(task));
        }
    }
}
