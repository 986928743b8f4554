//! Iteration in key order, both ways.

use crate::StorageResult;
use crate::memory::MemIter;
use crate::rocks::RocksIter;

/// Walks a stretch of one keyspace. Starts nowhere: seek first. Every step says whether it found an
/// entry; an error is an error and never the end.
pub struct Iter {
    inner: Inner,
    lower: Vec<u8>,
    upper: Vec<u8>,
    is_valid: bool,
}

enum Inner {
    Rocks(RocksIter),
    Memory(MemIter),
}

/// Calls the same method on whichever engine's iterator this is.
macro_rules! step {
    ($self:ident, $method:ident($($arg:expr),*)) => {
        match &mut $self.inner {
            Inner::Rocks(iter) => iter.$method($($arg),*),
            Inner::Memory(iter) => iter.$method($($arg),*),
        }
    };
}

impl Iter {
    pub(crate) fn rocks(iter: RocksIter, lower: &[u8], upper: &[u8]) -> Iter {
        Iter::new(Inner::Rocks(iter), lower, upper)
    }

    pub(crate) fn memory(iter: MemIter, lower: &[u8], upper: &[u8]) -> Iter {
        Iter::new(Inner::Memory(iter), lower, upper)
    }

    fn new(inner: Inner, lower: &[u8], upper: &[u8]) -> Iter {
        Iter { inner, lower: lower.to_vec(), upper: upper.to_vec(), is_valid: false }
    }

    /// Goes to the first entry.
    pub fn seek_to_first(&mut self) -> StorageResult<bool> {
        let found = step!(self, seek(&self.lower))?;
        Ok(self.settle(found))
    }

    /// Goes to the last entry.
    pub fn seek_to_last(&mut self) -> StorageResult<bool> {
        let found = if self.upper.is_empty() {
            step!(self, seek_to_last())?
        } else {
            step!(self, seek_before(&self.upper))?
        };
        Ok(self.settle(found))
    }

    /// Goes to the first entry at or behind the key.
    pub fn seek(&mut self, key: &[u8]) -> StorageResult<bool> {
        if key <= &self.lower[..] {
            return self.seek_to_first();
        }
        let found = step!(self, seek(key))?;
        Ok(self.settle(found))
    }

    /// Goes to the last entry at or before the key.
    pub fn seek_for_prev(&mut self, key: &[u8]) -> StorageResult<bool> {
        if !self.upper.is_empty() && key >= &self.upper[..] {
            return self.seek_to_last();
        }
        let found = step!(self, seek_for_prev(key))?;
        Ok(self.settle(found))
    }

    /// Goes to the following entry. Stays nowhere when it is nowhere.
    #[expect(clippy::should_implement_trait, reason = "a step can fail and yields no item")]
    pub fn next(&mut self) -> StorageResult<bool> {
        if !self.is_valid {
            return Ok(false);
        }
        let found = step!(self, next())?;
        Ok(self.settle(found))
    }

    /// Goes to the preceding entry. Stays nowhere when it is nowhere.
    pub fn prev(&mut self) -> StorageResult<bool> {
        if !self.is_valid {
            return Ok(false);
        }
        let found = step!(self, prev())?;
        Ok(self.settle(found))
    }

    /// True on an entry.
    pub fn valid(&self) -> bool {
        self.is_valid
    }

    /// The entry's key; empty when there is no entry.
    pub fn key(&self) -> &[u8] {
        match (&self.inner, self.is_valid) {
            (_, false) => &[],
            (Inner::Rocks(iter), true) => iter.key(),
            (Inner::Memory(iter), true) => iter.key(),
        }
    }

    /// The entry's value; empty when there is no entry.
    pub fn value(&self) -> &[u8] {
        match (&self.inner, self.is_valid) {
            (_, false) => &[],
            (Inner::Rocks(iter), true) => iter.value(),
            (Inner::Memory(iter), true) => iter.value(),
        }
    }

    /// Both engines stop at their own idea of the bounds; this one decides.
    fn settle(&mut self, found: bool) -> bool {
        self.is_valid = found;
        if found {
            let key = self.key();
            self.is_valid =
                &self.lower[..] <= key && (self.upper.is_empty() || key < &self.upper[..]);
        }
        self.is_valid
    }
}
