//! Stored rows: decoding the wanted columns into batches.

use super::batch::{Batch, BatchBuilder};
use crate::plan::physical::{Scan, ScanColumn};
use base::codec::CodecError;
use types::{Datum, SqlType, tuple};

/// Decodes rows of one table into slots.
pub(crate) struct RowDecoder {
    /// Column id and slot, ascending by id.
    wanted: Vec<(u32, usize)>,
    /// What slots hold before a row is read.
    missing: Vec<Datum>,
    slots: Vec<Datum>,
    with_key: bool,
}

impl RowDecoder {
    /// For these columns; with the row's key as one more slot.
    pub(crate) fn new(columns: &[ScanColumn], with_key: bool) -> RowDecoder {
        let columns = columns.iter().map(|c| (c.id, c.missing.clone()));
        RowDecoder::for_ids(columns, with_key)
    }

    /// For columns given by id and default.
    pub(crate) fn for_ids(
        columns: impl IntoIterator<Item = (u32, Datum)>,
        with_key: bool,
    ) -> RowDecoder {
        let (ids, mut missing): (Vec<u32>, Vec<Datum>) = columns.into_iter().unzip();
        let mut wanted: Vec<(u32, usize)> =
            ids.into_iter().enumerate().map(|(slot, id)| (id, slot)).collect();
        wanted.sort_unstable();
        if with_key {
            missing.push(Datum::Null);
        }
        RowDecoder { wanted, slots: missing.clone(), missing, with_key }
    }

    /// Decodes a row; the slots are valid until the next call.
    pub(crate) fn decode(&mut self, key: &[u8], value: &[u8]) -> Result<&[Datum], CodecError> {
        self.slots.clone_from_slice(&self.missing);
        tuple::read_into(value, &self.wanted, &mut self.slots)?;
        if self.with_key
            && let Some(last) = self.slots.last_mut()
        {
            *last = Datum::Bytea(bytes::Bytes::copy_from_slice(key));
        }
        Ok(&self.slots)
    }
}

/// Types of a scan's slots.
pub(crate) fn slot_types(scan: &Scan, with_key: bool) -> Vec<SqlType> {
    let mut types: Vec<SqlType> = scan.columns.iter().map(|c| c.ty).collect();
    if with_key {
        types.push(SqlType::BYTEA);
    }
    types
}

/// Gathers decoded rows.
pub(crate) fn builder(scan: &Scan, with_key: bool) -> BatchBuilder {
    BatchBuilder::new(&slot_types(scan, with_key))
}

/// Takes what a builder gathered, `None` when nothing.
pub(crate) fn take(builder: &mut BatchBuilder) -> Option<Batch> {
    (builder.rows() > 0).then(|| builder.finish())
}
