//! Gathers what a command writes.

use crate::command::Effect;
use base::api::TxnAnchor;
use base::codec::Blob;
use base::{Key, Timestamp};
use storage::mvcc::{self, Intent, TxnRecord};
use storage::{BatchOp, Keyspace, WriteBatch};

/// The writes of a command under construction.
#[derive(Default)]
pub(crate) struct Effects {
    list: Vec<Effect>,
}

impl Effects {
    pub(crate) fn with_capacity(writes: usize) -> Effects {
        Effects { list: Vec::with_capacity(writes) }
    }

    pub(crate) fn into_list(self) -> Vec<Effect> {
        self.list
    }

    /// A version; `None` is a tombstone.
    pub(crate) fn put_version(
        &mut self,
        key: &Key,
        ts: Timestamp,
        value: Option<&[u8]>,
        requested_ts: Option<Timestamp>,
    ) {
        self.put(Keyspace::Data, mvcc::encode_version(key, ts, value, requested_ts));
    }

    pub(crate) fn put_intent(&mut self, key: &Key, intent: &Intent) {
        self.put(Keyspace::Locks, mvcc::encode_intent(key, intent));
    }

    pub(crate) fn remove_intent(&mut self, key: &Key) {
        let mut batch = WriteBatch::new();
        mvcc::remove_intent(&mut batch, key);
        self.append(&batch);
    }

    pub(crate) fn put_record(&mut self, anchor: &TxnAnchor, record: &TxnRecord) {
        self.put(Keyspace::Locks, mvcc::encode_record(anchor, record));
    }

    pub(crate) fn remove_record(&mut self, anchor: &TxnAnchor) {
        let mut batch = WriteBatch::new();
        mvcc::remove_record(&mut batch, anchor);
        self.append(&batch);
    }

    /// What storage has gathered.
    pub(crate) fn append(&mut self, batch: &WriteBatch) {
        for (keyspace, op) in batch.iter() {
            let (key, value) = match op {
                BatchOp::Put(key, value) => (key, Some(value.to_vec().into())),
                BatchOp::Delete(key) => (key, None),
                // Whole stretches go with replicas, never by a command.
                BatchOp::DeleteRange(..) => continue,
            };
            self.push(keyspace, key.to_vec().into(), value);
        }
    }

    fn put(&mut self, keyspace: Keyspace, (key, value): (Vec<u8>, Vec<u8>)) {
        self.push(keyspace, key.into(), Some(value.into()));
    }

    fn push(&mut self, keyspace: Keyspace, key: Blob, value: Option<Blob>) {
        self.list.push(Effect { keyspace: keyspace as u8, key, value });
    }
}
