//! Bind: gives a statement its parameters and makes a portal of it.

use super::{Format, Formats};
use crate::error::{PROTOCOL_VIOLATION, WireError};
use crate::reader::BodyReader;
use bytes::Bytes;
use smallvec::SmallVec;

/// Length on the wire that means NULL.
const NULL: i32 = -1;

/// A portal to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Empty for the unnamed portal.
    pub portal: String,
    /// Empty for the unnamed statement.
    pub statement: String,
    pub params: Params,
    /// Of the result's columns; whether they fit is known once the statement is.
    pub result_formats: Formats,
}

/// Parameter values, left where they lie in the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    body: Bytes,
    /// Start and length of each value; `None` is NULL.
    values: SmallVec<[Option<(u32, u32)>; 8]>,
    formats: Formats,
}

impl Params {
    /// How many.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The bytes of one parameter, `None` for NULL (and beyond the last).
    pub fn value(&self, index: usize) -> Option<&[u8]> {
        let (start, len) = (*self.values.get(index)?)?;
        self.body.get(start as usize..(start + len) as usize)
    }

    /// As [`Params::value`], sharing the message's memory.
    pub fn bytes(&self, index: usize) -> Option<Bytes> {
        let (start, len) = (*self.values.get(index)?)?;
        Some(self.body.slice(start as usize..(start + len) as usize))
    }

    /// How one parameter is written.
    pub fn format(&self, index: usize) -> Format {
        self.formats.of(index)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Format, Option<&[u8]>)> {
        (0..self.len()).map(|index| (self.format(index), self.value(index)))
    }

    fn decode(reader: &mut BodyReader<'_>, body: &Bytes) -> Result<Params, WireError> {
        let formats = Formats::decode(reader)?;
        let count = reader.count(4)?;
        if !formats.fits(count) {
            let message = format!(
                "bind message has {} parameter formats but {count} parameters",
                formats.given()
            );
            return Err(WireError::error(PROTOCOL_VIOLATION, message));
        }
        let mut values = SmallVec::with_capacity(count);
        for _ in 0..count {
            values.push(match reader.i32()? {
                NULL => None,
                len => {
                    // A negative length other than NULL fits into no message.
                    let len = u32::try_from(len).unwrap_or(u32::MAX);
                    Some((reader.skip(len as usize)? as u32, len))
                }
            });
        }
        Ok(Params { body: body.clone(), values, formats })
    }
}

impl Bind {
    pub(crate) fn decode(body: &Bytes) -> Result<Bind, WireError> {
        let mut reader = BodyReader::new(body);
        let portal = reader.text()?.to_owned();
        let statement = reader.text()?.to_owned();
        let params = Params::decode(&mut reader, body)?;
        let result_formats = Formats::decode(&mut reader)?;
        reader.end()?;
        Ok(Bind { portal, statement, params, result_formats })
    }
}
