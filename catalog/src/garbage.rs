//! Garbage: keys that no descriptor names, noted as rows until somebody has deleted them.
//!
//! What DDL abandons (dropped tables and indexes, storage that a rewrite has left) it notes in its
//! own transaction: the note appears together with the change.
//!
//! What DDL writes outside of its own transaction (a new index of an existing table, the rows of a
//! rewritten one) it notes beforehand, in a transaction that commits at once, and takes the note
//! back in its own. So the note outlives a rollback, a failure and the end of the process. As long
//! as the table's fence stands the work may still be under way; note and fence go in one commit.

use crate::CatalogError;
use crate::descriptor::Oid;
use crate::fence;
use crate::layout::GARBAGE_TABLE;
use base::codec::{CodecError, Direction, KeyReader, put_i64, put_present};
use base::{Key, KvError, Span, layout};
use std::collections::BTreeSet;
use txn::{Isolation, Txn, TxnClient, TxnScan};

const VERSION: u8 = 1;

/// Keys to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Garbage {
    pub storage: u32,
    /// One index of the storage; `None` for all of it.
    pub index: Option<u16>,
    /// The table it belonged to, or was meant for.
    pub table: Oid,
}

impl Garbage {
    /// All of its keys.
    pub fn span(&self) -> Span {
        match self.index {
            Some(index) => layout::index_span(self.storage, index),
            None => layout::table_span(self.storage),
        }
    }

    fn key(&self) -> Key {
        let mut out = layout::index_prefix(GARBAGE_TABLE, layout::PRIMARY_INDEX);
        put_present(&mut out, Direction::Asc, |out| put_i64(out, i64::from(self.storage)));
        let index = i64::from(self.index.unwrap_or(0));
        put_present(&mut out, Direction::Asc, |out| put_i64(out, index));
        out.into()
    }

    fn value(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.table.to_le_bytes());
        out
    }

    fn decode(key: &Key, value: &[u8]) -> Result<Garbage, CodecError> {
        let malformed = || CodecError("garbage");
        let (_, _, columns) = layout::split_key(key).ok_or_else(malformed)?;
        let mut reader = KeyReader::new(columns);
        let mut number = || -> Result<i64, CodecError> {
            reader.present(Direction::Asc)?;
            reader.i64()
        };
        let storage = u32::try_from(number()?).map_err(|_| malformed())?;
        let index = u16::try_from(number()?).map_err(|_| malformed())?;
        let (&[VERSION], rest) = value.split_at_checked(1).ok_or_else(malformed)? else {
            return Err(CodecError("garbage version"));
        };
        let table = rest.try_into().map(u32::from_le_bytes).map_err(|_| malformed())?;
        Ok(Garbage { storage, index: (index != 0).then_some(index), table })
    }
}

/// Leaves keys to be deleted once the transaction is committed.
pub fn leave(txn: &mut Txn, garbage: &Garbage) {
    txn.put_unconditional(garbage.key(), garbage.value().into());
}

/// Takes a note back: with the transaction's commit the keys are in use, or gone.
pub fn forget(txn: &mut Txn, garbage: &Garbage) {
    txn.delete_unconditional(garbage.key());
}

/// Notes keys that are about to be written, at once and for whatever may come.
pub async fn announce(client: &TxnClient, garbage: &Garbage) -> Result<(), CatalogError> {
    let mut txn = client.begin(Isolation::ReadCommitted, false);
    leave(&mut txn, garbage);
    txn.commit().await?;
    Ok(())
}

/// All that can be deleted now: nobody is at work on its table.
pub async fn list(client: &TxnClient) -> Result<Vec<Garbage>, CatalogError> {
    let mut txn = client.begin(Isolation::RepeatableRead, true);
    let fences = fence::load(&mut txn).await?;
    let fenced: BTreeSet<Oid> = fences.into_iter().map(|(table, _)| table).collect();
    let mut out = Vec::new();
    let mut next = Some(layout::index_span(GARBAGE_TABLE, layout::PRIMARY_INDEX));
    while let Some(span) = next {
        let page = txn.scan(TxnScan::forward(span)).await?;
        for (key, value) in &page.rows {
            let garbage = Garbage::decode(key, value)
                .map_err(|error| CatalogError::Kv(KvError::Fatal(error.to_string())))?;
            if !fenced.contains(&garbage.table) {
                out.push(garbage);
            }
        }
        next = page.resume;
    }
    txn.rollback().await;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_back() {
        for index in [None, Some(2), Some(u16::MAX)] {
            let garbage = Garbage { storage: u32::MAX, index, table: 16384 };
            let read = Garbage::decode(&garbage.key(), &garbage.value());
            assert_eq!(read.expect("decodes"), garbage);
        }
        let garbage = Garbage { storage: 1, index: None, table: 1 };
        assert!(Garbage::decode(&garbage.key(), &[9, 0, 0, 0, 0]).is_err());
        assert!(Garbage::decode(&garbage.key(), &[VERSION, 0]).is_err());
    }
}
