//! Text or binary, for parameters and result columns.

use crate::error::{PROTOCOL_VIOLATION, WireError};
use crate::reader::BodyReader;
use smallvec::SmallVec;

/// How a value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Binary,
}

impl Format {
    /// The code on the wire.
    pub fn code(self) -> u16 {
        match self {
            Format::Text => 0,
            Format::Binary => 1,
        }
    }
}

/// The formats of a list of values as Bind gives them: none (all text), one for all, or one each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formats(SmallVec<[Format; 8]>);

impl Formats {
    /// One for all.
    pub fn all(format: Format) -> Formats {
        Formats(SmallVec::from_slice(&[format]))
    }

    pub(crate) fn decode(reader: &mut BodyReader<'_>) -> Result<Formats, WireError> {
        let count = reader.count(2)?;
        let mut formats = SmallVec::with_capacity(count);
        for _ in 0..count {
            formats.push(match reader.i16()? {
                0 => Format::Text,
                1 => Format::Binary,
                // 22023 is what PostgreSQL says to a code that it does not know.
                code => {
                    let message = format!("unsupported format code: {code}");
                    return Err(WireError::error("22023", message));
                }
            });
        }
        Ok(Formats(formats))
    }

    /// How many codes were given: 0, 1, or as many as there are values.
    pub fn given(&self) -> usize {
        self.0.len()
    }

    /// True when the codes fit this many values.
    pub fn fits(&self, values: usize) -> bool {
        self.0.len() <= 1 || self.0.len() == values
    }

    /// The format of one value. Out of range is text, never a panic.
    pub fn of(&self, index: usize) -> Format {
        match self.0.as_slice() {
            [one] => *one,
            each => each.get(index).copied().unwrap_or_default(),
        }
    }

    /// Refuses result formats that do not fit the columns of the query.
    pub fn check_columns(&self, columns: usize) -> Result<(), WireError> {
        if self.fits(columns) {
            return Ok(());
        }
        let message = format!(
            "bind message has {} result formats but query has {columns} columns",
            self.given()
        );
        Err(WireError::error(PROTOCOL_VIOLATION, message))
    }
}
