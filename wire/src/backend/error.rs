//! ErrorResponse and NoticeResponse.

use super::{Writer, put_text};
use crate::error::ErrorFields;
use bytes::{BufMut, BytesMut};

/// Texts of an error are cut here; an error about a huge value must not itself be one.
const FIELD_BYTES_MAX: usize = 64 << 10;

impl Writer {
    /// The statement (or the connection, by severity) failed.
    pub fn error(&mut self, fields: &ErrorFields) {
        self.fields(b'E', fields);
    }

    /// Something the user should know.
    pub fn notice(&mut self, fields: &ErrorFields) {
        self.fields(b'N', fields);
    }

    fn fields(&mut self, tag: u8, fields: &ErrorFields) {
        let number = |n: Option<u32>| n.map(|n| n.to_string());
        let (position, internal) = (number(fields.position), number(fields.internal_position));
        let optional = [
            (b'D', &fields.detail),
            (b'H', &fields.hint),
            (b'P', &position),
            (b'p', &internal),
            (b'q', &fields.internal_query),
            (b'W', &fields.context),
            (b's', &fields.schema),
            (b't', &fields.table),
            (b'c', &fields.column),
            (b'd', &fields.data_type),
            (b'n', &fields.constraint),
        ];
        let result = self.framed(tag, |out| {
            put_field(out, b'S', fields.severity.as_str());
            put_field(out, b'V', fields.severity.as_str());
            put_field(out, b'C', &fields.code);
            put_field(out, b'M', &fields.message);
            for (code, value) in optional {
                if let Some(value) = value {
                    put_field(out, code, value);
                }
            }
            out.put_u8(0);
        });
        assert!(result.is_ok(), "fields are cut");
    }
}

fn put_field(out: &mut BytesMut, code: u8, value: &str) {
    let mut end = value.len().min(FIELD_BYTES_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    out.put_u8(code);
    put_text(out, &value[..end]);
}
