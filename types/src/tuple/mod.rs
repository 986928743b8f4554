//! Row values: a version byte, then each column as its id and a tagged payload.
//!
//! ```text
//! row    = version, column*
//! column = header, [varint delta], payload        ids ascending
//! header = delta (high 3 bits) | tag (low 5 bits)
//! ```
//!
//! The delta counts from the previous id (0 before the first); 7 says that it follows as a varint.
//! Integers are zigzag varints, strings have a length in front. A column that is not there was
//! added later: its default is the reader's affair; NULL is written as such.

mod payload;
mod varint;

pub use payload::{put_value, take_value};
pub use varint::{put_sized, put_varint, take_sized, take_varint, unzigzag, zigzag};

use crate::Datum;
use base::codec::CodecError;
use payload::{payload_length, put_payload, tag, tag_of, take_payload};

/// First byte of every row.
pub const VERSION: u8 = 1;

const TAG_MASK: u8 = 0x1f;
/// The delta that says "a varint follows".
const DELTA_FOLLOWS: u32 = 7;

/// Writes a row, column by column, ids ascending.
pub struct TupleWriter {
    out: Vec<u8>,
    last_id: u32,
}

impl Default for TupleWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl TupleWriter {
    /// An empty row.
    pub fn new() -> Self {
        Self { out: vec![VERSION], last_id: 0 }
    }

    /// Starts a row in a buffer that is reused; what it held is dropped.
    pub fn reuse(mut out: Vec<u8>) -> Self {
        out.clear();
        out.push(VERSION);
        Self { out, last_id: 0 }
    }

    /// Appends a column. Ids must ascend.
    pub fn put(&mut self, id: u32, value: &Datum) {
        debug_assert!(id > self.last_id || self.out.len() == 1, "column ids ascend");
        let delta = id.wrapping_sub(self.last_id);
        self.last_id = id;
        let tag = tag_of(value);
        if delta < DELTA_FOLLOWS {
            self.out.push((delta as u8) << 5 | tag);
        } else {
            self.out.push((DELTA_FOLLOWS as u8) << 5 | tag);
            put_varint(&mut self.out, u64::from(delta));
        }
        put_payload(&mut self.out, value);
    }

    /// The row's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Encodes a whole row; ids ascending.
pub fn encode<'a>(columns: impl IntoIterator<Item = (u32, &'a Datum)>) -> Vec<u8> {
    let mut writer = TupleWriter::new();
    columns.into_iter().for_each(|(id, value)| writer.put(id, value));
    writer.finish()
}

/// Reads a row's columns in the order of their ids, decoding only what is asked for.
#[derive(Clone)]
pub struct TupleReader<'a> {
    rest: &'a [u8],
    last_id: u32,
}

impl<'a> TupleReader<'a> {
    /// Checks the version.
    pub fn new(bytes: &'a [u8]) -> Result<Self, CodecError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Ok(Self { rest, last_id: 0 }),
            _ => Err(CodecError("row version")),
        }
    }

    /// Id and tag of the next column; its payload comes next.
    #[inline]
    fn next_header(&mut self) -> Result<Option<(u32, u8)>, CodecError> {
        let Some((&header, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let mut delta = u32::from(header >> 5);
        if delta == DELTA_FOLLOWS {
            delta = u32::try_from(take_varint(&mut self.rest)?)
                .map_err(|_| CodecError("row column id"))?;
        }
        self.last_id = self.last_id.wrapping_add(delta);
        Ok(Some((self.last_id, header & TAG_MASK)))
    }

    #[inline]
    fn take_raw(&mut self, tag: u8) -> Result<RawValue<'a>, CodecError> {
        let length = payload_length(tag, self.rest)?;
        let (payload, rest) =
            self.rest.split_at_checked(length).ok_or(CodecError("row: it ends early"))?;
        self.rest = rest;
        Ok(RawValue { tag, payload })
    }

    /// The next column, its payload still raw.
    #[inline]
    pub fn next_column(&mut self) -> Result<Option<(u32, RawValue<'a>)>, CodecError> {
        match self.next_header()? {
            Some((id, tag)) => Ok(Some((id, self.take_raw(tag)?))),
            None => Ok(None),
        }
    }

    /// The column with this id; None when the row was written before the column existed. Reads
    /// forward only: ask for ids in ascending order, or clone the reader.
    #[inline]
    pub fn column(&mut self, id: u32) -> Result<Option<RawValue<'a>>, CodecError> {
        loop {
            let (rest, last_id) = (self.rest, self.last_id);
            match self.next_header()? {
                Some((found, tag)) if found == id => return self.take_raw(tag).map(Some),
                Some((found, tag)) if found < id => {
                    self.take_raw(tag)?;
                }
                Some(_) => {
                    (self.rest, self.last_id) = (rest, last_id);
                    return Ok(None);
                }
                None => return Ok(None),
            }
        }
    }
}

/// Decodes the wanted columns into slots: `wanted` pairs column ids, ascending, with places in
/// `slots`. Slots of columns that the row lacks are left as they are (the caller puts defaults
/// there first).
pub fn read_into(
    bytes: &[u8],
    wanted: &[(u32, usize)],
    slots: &mut [Datum],
) -> Result<(), CodecError> {
    let mut reader = TupleReader::new(bytes)?;
    let mut next = 0;
    while let Some(&(id, slot)) = wanted.get(next) {
        let Some((found, tag)) = reader.next_header()? else { return Ok(()) };
        if found < id {
            reader.take_raw(tag)?;
            continue;
        }
        // The row may lack some of what is wanted.
        let mut place = (found == id).then_some(slot);
        while place.is_none() && wanted.get(next + 1).is_some_and(|(id, _)| *id <= found) {
            next += 1;
            place = (wanted[next].0 == found).then_some(wanted[next].1);
        }
        match place {
            Some(slot) => {
                slots[slot] = take_payload(tag, &mut reader.rest, 0)?;
                next += 1;
            }
            None => {
                reader.take_raw(tag)?;
            }
        }
    }
    Ok(())
}

/// A column's value, not decoded yet.
#[derive(Clone, Copy)]
pub struct RawValue<'a> {
    tag: u8,
    payload: &'a [u8],
}

impl<'a> RawValue<'a> {
    pub fn is_null(&self) -> bool {
        self.tag == tag::NULL
    }

    /// The number under an integer, date or time type.
    #[inline]
    pub fn as_i64(&self) -> Option<i64> {
        match self.tag {
            tag::INT2
            | tag::INT4
            | tag::INT8
            | tag::DATE
            | tag::TIME
            | tag::TIMESTAMP
            | tag::TIMESTAMPTZ => {
                let mut rest = self.payload;
                take_varint(&mut rest).ok().map(unzigzag)
            }
            _ => None,
        }
    }

    /// The number under a float type.
    pub fn as_f64(&self) -> Option<f64> {
        match self.tag {
            tag::FLOAT4 => self.payload.try_into().ok().map(|b| f64::from(f32::from_le_bytes(b))),
            tag::FLOAT8 => self.payload.try_into().ok().map(f64::from_le_bytes),
            _ => None,
        }
    }

    /// The bytes of a text.
    pub fn as_str_bytes(&self) -> Option<&'a [u8]> {
        let mut rest = self.payload;
        if self.tag != tag::TEXT || take_varint(&mut rest).is_err() {
            return None;
        }
        Some(rest)
    }

    /// Decodes.
    #[inline]
    pub fn to_datum(&self) -> Result<Datum, CodecError> {
        let mut rest = self.payload;
        take_payload(self.tag, &mut rest, 0)
    }
}
