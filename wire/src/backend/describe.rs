//! The shape of results and parameters.

use super::{MessageTooLong, Writer, put_text};
use crate::frontend::Format;
use bytes::BufMut;

/// One column of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    pub name: &'a str,
    /// The table it comes from, 0 for an expression.
    pub table_oid: u32,
    /// Its number in that table, 0 for an expression.
    pub attribute: i16,
    pub type_oid: u32,
    /// Bytes of the type, negative for variable length.
    pub type_size: i16,
    /// The type's modifier, -1 for none.
    pub type_modifier: i32,
    pub format: Format,
}

impl Writer {
    /// The columns of the rows to come.
    pub fn row_description<'a>(
        &mut self,
        columns: impl ExactSizeIterator<Item = Column<'a>>,
    ) -> Result<(), MessageTooLong> {
        let count = u16::try_from(columns.len()).map_err(|_| MessageTooLong)?;
        self.framed(b'T', |out| {
            out.put_u16(count);
            for column in columns {
                put_text(out, column.name);
                out.put_u32(column.table_oid);
                out.put_i16(column.attribute);
                out.put_u32(column.type_oid);
                out.put_i16(column.type_size);
                out.put_i32(column.type_modifier);
                out.put_u16(column.format.code());
            }
        })
    }

    /// The types of a statement's parameters.
    pub fn parameter_description(&mut self, types: &[u32]) -> Result<(), MessageTooLong> {
        let count = u16::try_from(types.len()).map_err(|_| MessageTooLong)?;
        self.framed(b't', |out| {
            out.put_u16(count);
            types.iter().for_each(|oid| out.put_u32(*oid));
        })
    }

    /// The statement returns no rows.
    pub fn no_data(&mut self) {
        self.bare(b'n');
    }
}
