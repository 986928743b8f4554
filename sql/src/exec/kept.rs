//! Rows with their sort keys: all of them, or the first ones only.

use super::batch::Batch;
use super::hash_key;
use super::vector::Vector;
use crate::plan::physical::SortSlot;
use std::sync::Arc;
use types::SqlType;

/// Rows gathered beyond the wanted ones before they are cut back.
const SLACK_ROWS: usize = 1024;
/// Bytes that a row's entry takes beside its key.
const ENTRY_BYTES: usize = 32;

/// Rows under way to their order.
pub(crate) struct Kept {
    /// Types of the columns.
    types: Vec<SqlType>,
    keys: Vec<SortSlot>,
    /// How many of the first rows are kept; `None` is all.
    wanted: Option<usize>,
    batches: Vec<Batch>,
    /// Sort key, batch and row. The latter break ties: rows that are equal stay as they came.
    rows: Vec<(Box<[u8]>, u32, u32)>,
    /// Once there are enough rows: the key of the last of them. Nothing from here on is kept.
    bound: Option<Box<[u8]>>,
    key_bytes: usize,
    batch_bytes: usize,
}

/// Rows in order.
pub(crate) struct Sorted {
    batches: Vec<Batch>,
    /// Batch and row, in order.
    order: Vec<(u32, u32)>,
}

impl Kept {
    pub(crate) fn new(types: Vec<SqlType>, keys: Vec<SortSlot>, wanted: Option<usize>) -> Kept {
        let (batches, rows) = (Vec::new(), Vec::new());
        Kept { types, keys, wanted, batches, rows, bound: None, key_bytes: 0, batch_bytes: 0 }
    }

    /// Takes rows.
    pub(crate) fn push(&mut self, batch: Batch) {
        if self.wanted == Some(0) {
            return;
        }
        let number = self.batches.len() as u32;
        let before = self.rows.len();
        let mut batch = batch;
        let mut key = Vec::new();
        for row in 0..batch.rows {
            key.clear();
            for slot in &self.keys {
                let value = batch.get(slot.slot, row);
                hash_key::put_sorted(&value, slot.ty, slot.desc, slot.nulls_first, &mut key);
            }
            if self.bound.as_ref().is_some_and(|bound| **bound <= key[..]) {
                continue;
            }
            self.key_bytes += key.len();
            self.rows.push((key.as_slice().into(), number, row as u32));
        }
        if self.rows.len() == before {
            return;
        }
        let kept = &mut self.rows[before..];
        if kept.len() < batch.rows / 2 {
            // Few of its rows are kept: let go of the others.
            let rows: Vec<u32> = kept.iter().map(|entry| entry.2).collect();
            batch = batch.gather(&rows);
            kept.iter_mut().zip(0..).for_each(|(entry, place)| entry.2 = place);
        }
        self.batch_bytes += batch.memory();
        self.batches.push(batch);
        if let Some(wanted) = self.wanted
            && self.rows.len() > wanted.saturating_add(wanted.max(SLACK_ROWS))
        {
            self.cut(wanted);
        }
    }

    /// Bytes held, roughly.
    pub(crate) fn memory(&self) -> usize {
        self.batch_bytes + self.key_bytes + self.rows.len() * ENTRY_BYTES
    }

    /// The rows in order.
    pub(crate) fn finish(mut self) -> Sorted {
        self.rows.sort_unstable();
        self.rows.truncate(self.wanted.unwrap_or(usize::MAX));
        let order = self.rows.iter().map(|(_, batch, row)| (*batch, *row)).collect();
        Sorted { batches: self.batches, order }
    }

    /// Gives back all but the first rows.
    fn cut(&mut self, wanted: usize) {
        self.rows.sort_unstable();
        self.rows.truncate(wanted);
        let columns = gather(&self.batches, self.rows.iter().map(|r| (r.1, r.2)), &self.types);
        let batch = Batch::new(columns, self.rows.len());
        self.batch_bytes = batch.memory();
        self.batches = vec![batch];
        for (place, entry) in self.rows.iter_mut().enumerate() {
            (entry.1, entry.2) = (0, place as u32);
        }
        self.key_bytes = self.rows.iter().map(|row| row.0.len()).sum();
        self.bound = self.rows.last().map(|row| row.0.clone());
    }
}

impl Sorted {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// A stretch of the rows, `types` being those of the columns that are wanted: the first ones.
    pub(crate) fn slice(&self, from: usize, to: usize, types: &[SqlType]) -> Batch {
        let rows = self.order[from..to].iter().copied();
        Batch::new(gather(&self.batches, rows, types), to - from)
    }
}

/// Columns of rows that lie in several batches.
fn gather(
    batches: &[Batch],
    rows: impl Iterator<Item = (u32, u32)> + Clone,
    types: &[SqlType],
) -> Vec<Arc<Vector>> {
    let column = |(at, ty): (usize, &SqlType)| {
        let mut column = Vector::for_type(ty.oid, 0);
        for (batch, row) in rows.clone() {
            column.push(batches[batch as usize].get(at, row as usize));
        }
        Arc::new(column)
    };
    types.iter().enumerate().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Datum;

    /// Rows of a scrambled number and a text of 500 bytes.
    fn batch(number: usize) -> Batch {
        let mut columns =
            vec![Vector::for_type(SqlType::INT4.oid, 0), Vector::for_type(SqlType::TEXT.oid, 0)];
        for row in 0..1024 {
            let scrambled = ((number * 1024 + row) * 7919) % 1_000_003;
            columns[0].push(Datum::Int4(scrambled as i32));
            columns[1].push(Datum::Text(format!("{scrambled:0500}").into()));
        }
        Batch::new(columns.into_iter().map(Arc::new).collect(), 1024)
    }

    /// Few rows of each batch are kept, and no more than those: what is held does not grow with what
    /// goes through.
    #[test]
    fn the_first_rows_are_kept_and_no_others() {
        const WANTED: usize = 1000;
        let types = vec![SqlType::INT4, SqlType::TEXT];
        let key = SortSlot { slot: 0, desc: false, nulls_first: false, ty: SqlType::INT4 };
        let mut kept = Kept::new(types.clone(), vec![key], Some(WANTED));
        let mut all = Vec::new();
        let mut most = 0;
        for number in 0..200 {
            let batch = batch(number);
            all.extend((0..batch.rows).map(|row| batch.get(0, row)));
            kept.push(batch);
            most = most.max(kept.memory());
        }
        let row_bytes = batch(0).memory() / 1024;
        assert!(most < 8 * WANTED * row_bytes, "{most} bytes at {row_bytes} bytes a row");
        let mut expected: Vec<i32> =
            all.iter().map(|v| if let Datum::Int4(v) = v { *v } else { -1 }).collect();
        expected.sort_unstable();
        let sorted = kept.finish();
        assert_eq!(sorted.len(), WANTED);
        let first = sorted.slice(0, WANTED, &types);
        for (row, value) in expected.iter().take(WANTED).enumerate() {
            assert_eq!(first.get(0, row), Datum::Int4(*value));
            assert_eq!(first.get(1, row), Datum::Text(format!("{value:0500}").into()));
        }
    }
}
