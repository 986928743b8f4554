//! A range's state in pieces, for a replica that is too far behind.
//!
//! ```text
//! chunk: version byte, then pairs: keyspace (u8), key length (u32 LE), value length (u32 LE), key, value
//! ```

use crate::mvcc::range_parts;
use crate::{Iter, Keyspace, Snapshot, StorageError, StorageResult, WriteBatch};
use base::Span;

const LAYOUT: u8 = 1;
/// Keyspace and two lengths.
const HEADER_LEN: usize = 9;

/// Cuts everything of a span into chunks of about `limit_bytes`, in order.
pub fn export(snapshot: &Snapshot, span: &Span, limit_bytes: usize) -> Export {
    let parts = if span.is_empty() { Vec::new() } else { range_parts(span) };
    Export { snapshot: snapshot.clone(), parts: parts.into_iter(), open: None, limit_bytes }
}

/// A running export. Yields nothing for an empty span; ends after an error.
pub struct Export {
    snapshot: Snapshot,
    parts: std::vec::IntoIter<(Keyspace, Vec<u8>, Vec<u8>)>,
    /// The part under way; its iterator stands on the next pair.
    open: Option<(Keyspace, Iter)>,
    limit_bytes: usize,
}

impl Export {
    fn chunk(&mut self) -> StorageResult<Option<Vec<u8>>> {
        let mut out = vec![LAYOUT];
        loop {
            if self.open.is_none() && !self.open_next_part()? {
                break;
            }
            let Some((keyspace, iter)) = &mut self.open else { break };
            while iter.valid() && out.len() < self.limit_bytes {
                push_pair(&mut out, *keyspace, iter.key(), iter.value());
                iter.next()?;
            }
            if iter.valid() {
                break;
            }
            self.open = None;
        }
        Ok((out.len() > 1).then_some(out))
    }

    fn open_next_part(&mut self) -> StorageResult<bool> {
        let Some((keyspace, lower, upper)) = self.parts.next() else { return Ok(false) };
        let mut iter = self.snapshot.iter(keyspace, &lower, &upper);
        iter.seek_to_first()?;
        self.open = Some((keyspace, iter));
        Ok(true)
    }
}

impl Iterator for Export {
    type Item = StorageResult<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.chunk();
        if chunk.is_err() {
            self.open = None;
            self.parts = Vec::new().into_iter();
        }
        chunk.transpose()
    }
}

/// Adds a chunk's pairs to a batch. Every pair must belong to the span. Clear the span first
/// ([`crate::mvcc::clear`]).
pub fn ingest(batch: &mut WriteBatch, span: &Span, chunk: &[u8]) -> StorageResult<()> {
    let malformed = || StorageError::Corrupt("malformed snapshot chunk".into());
    let mut rest = chunk.strip_prefix(&[LAYOUT]).ok_or_else(malformed)?;
    let parts = range_parts(span);
    while !rest.is_empty() {
        let (header, body) = rest.split_first_chunk::<HEADER_LEN>().ok_or_else(malformed)?;
        let [tag, k0, k1, k2, k3, v0, v1, v2, v3] = *header;
        let keyspace = Keyspace::try_from(tag)?;
        let key_len = u32::from_le_bytes([k0, k1, k2, k3]) as usize;
        let value_len = u32::from_le_bytes([v0, v1, v2, v3]) as usize;
        let (key, body) = body.split_at_checked(key_len).ok_or_else(malformed)?;
        let (value, body) = body.split_at_checked(value_len).ok_or_else(malformed)?;
        let belongs = parts
            .iter()
            .any(|(part, lower, upper)| *part == keyspace && &lower[..] <= key && key < &upper[..]);
        if !belongs {
            return Err(StorageError::Corrupt("snapshot chunk reaches beyond its range".into()));
        }
        batch.put(keyspace, key, value);
        rest = body;
    }
    Ok(())
}

fn push_pair(out: &mut Vec<u8>, keyspace: Keyspace, key: &[u8], value: &[u8]) {
    out.push(keyspace as u8);
    out.extend_from_slice(&(key.len() as u32).to_le_bytes());
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(value);
}
