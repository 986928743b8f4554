//! A group of writes that become visible and durable together.

use crate::Keyspace;
use std::fmt;

/// One write of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchOp<'a> {
    /// Sets a key.
    Put(&'a [u8], &'a [u8]),
    /// Removes a key.
    Delete(&'a [u8]),
    /// Removes every key in `[lower, upper)`.
    DeleteRange(&'a [u8], &'a [u8]),
}

const TAG_PUT: u8 = 0x10;
const TAG_DELETE: u8 = 0x20;
const TAG_DELETE_RANGE: u8 = 0x30;
const TAG_MASK: u8 = 0xf0;
/// Tag, then two lengths.
const HEADER_LEN: usize = 9;

/// Writes in order, kept in one flat buffer: tag and keyspace, two lengths, two byte strings. Later
/// writes of the same key win. Lives in memory only, so the layout carries no version.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WriteBatch {
    buffer: Vec<u8>,
    count: usize,
}

impl WriteBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch with room for this many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { buffer: Vec::with_capacity(bytes), count: 0 }
    }

    /// Sets a key.
    pub fn put(&mut self, keyspace: Keyspace, key: &[u8], value: &[u8]) {
        self.push(TAG_PUT, keyspace, key, value);
    }

    /// Removes a key.
    pub fn delete(&mut self, keyspace: Keyspace, key: &[u8]) {
        self.push(TAG_DELETE, keyspace, key, &[]);
    }

    /// Removes every key in `[lower, upper)`. Costly for later reads: for destroying whole parts
    /// only, never on a statement's path.
    pub fn delete_range(&mut self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) {
        self.push(TAG_DELETE_RANGE, keyspace, lower, upper);
    }

    /// Adds another batch's writes behind this one's.
    pub fn append(&mut self, other: &WriteBatch) {
        self.buffer.extend_from_slice(&other.buffer);
        self.count += other.count;
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.count = 0;
    }

    /// Number of writes.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True without any write.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.buffer.len()
    }

    /// The writes, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Keyspace, BatchOp<'_>)> {
        BatchIter { rest: &self.buffer }
    }

    fn push(&mut self, tag: u8, keyspace: Keyspace, first: &[u8], second: &[u8]) {
        self.buffer.reserve(HEADER_LEN + first.len() + second.len());
        self.buffer.push(tag | keyspace as u8);
        self.buffer.extend_from_slice(&(first.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(&(second.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(first);
        self.buffer.extend_from_slice(second);
        self.count += 1;
    }
}

impl fmt::Debug for WriteBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

struct BatchIter<'a> {
    rest: &'a [u8],
}

impl<'a> BatchIter<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(len)?;
        self.rest = tail;
        Some(head)
    }

    fn length(&mut self) -> Option<usize> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?) as usize)
    }
}

impl<'a> Iterator for BatchIter<'a> {
    type Item = (Keyspace, BatchOp<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.take(1)?[0];
        let keyspace = Keyspace::try_from(tag & !TAG_MASK).ok()?;
        let (first, second) = (self.length()?, self.length()?);
        let (first, second) = (self.take(first)?, self.take(second)?);
        let op = match tag & TAG_MASK {
            TAG_PUT => BatchOp::Put(first, second),
            TAG_DELETE => BatchOp::Delete(first),
            _ => BatchOp::DeleteRange(first, second),
        };
        Some((keyspace, op))
    }
}
