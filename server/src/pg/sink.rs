//! A client as its session sees it.

use super::client::{Client, Shape};
use super::errors;
use sql::session::{CopyFormat, CopyInput, Field, Format, RowSink};
use std::sync::Arc;
use types::{Datum, Settings, SqlError, sqlstate};
use wire::{Column, FrontendEvent};

impl RowSink for Client {
    fn begin_rows(
        &mut self,
        fields: &Arc<[Field]>,
        formats: &[Format],
        settings: &Settings,
        announce: bool,
    ) {
        if announce {
            self.row_description(fields, formats);
        }
        self.shape = Some(Shape {
            fields: fields.clone(),
            formats: formats.to_vec(),
            settings: settings.clone(),
        });
    }

    fn row(&mut self, row: &[Datum]) -> Result<(), SqlError> {
        let Some(shape) = &self.shape else {
            return Err(SqlError::internal("a row without a description"));
        };
        let width = u16::try_from(row.len()).map_err(|_| too_long())?;
        let mut writer = self.out.data_row(width);
        for (i, (value, field)) in row.iter().zip(shape.fields.iter()).enumerate() {
            if matches!(value, Datum::Null) {
                writer.null();
                continue;
            }
            match format_of(&shape.formats, i) {
                Format::Text => {
                    self.text.clear();
                    types::text::format(value, field.ty, &shape.settings, &mut self.text);
                    writer.value(self.text.as_bytes());
                }
                Format::Binary => {
                    self.binary.clear();
                    types::binary::encode(value, field.ty, &mut self.binary);
                    writer.value(&self.binary);
                }
            }
        }
        writer.finish().map_err(|_| too_long())
    }

    fn complete(&mut self, tag: &str) {
        // A tag is a few words; it fits.
        let _ = self.out.command_complete(tag);
    }

    fn empty_query(&mut self) {
        self.out.empty_query_response();
    }

    fn suspended(&mut self) {
        self.out.portal_suspended();
    }

    fn notice(&mut self, notice: &SqlError) {
        self.out.notice(&errors::fields(notice));
    }

    fn parameter_status(&mut self, name: &str, value: &str) {
        // Settings are bounded far below the limit of a message.
        let _ = self.out.parameter_status(name, value);
    }

    async fn ready(&mut self) -> Result<(), SqlError> {
        self.flush_if_large().await.map_err(|_| gone())
    }

    fn mark(&self) -> usize {
        self.sent + self.out.len()
    }

    fn rewind(&mut self, mark: usize) -> bool {
        match mark.checked_sub(self.sent) {
            Some(kept) => {
                self.out.truncate(kept);
                true
            }
            None => false,
        }
    }

    async fn begin_copy_in(&mut self, format: &CopyFormat) -> Result<(), SqlError> {
        self.out.copy_in_response(copy_format(format)?);
        self.input.enter_copy_in();
        self.flush().await.map_err(|_| gone())
    }

    async fn copy_data(&mut self) -> Result<CopyInput, SqlError> {
        loop {
            match self.input.next_event() {
                Ok(Some(FrontendEvent::CopyData(data))) => return Ok(CopyInput::Data(data)),
                Ok(Some(FrontendEvent::CopyDone)) => return Ok(CopyInput::Done),
                Ok(Some(FrontendEvent::CopyFail(reason))) => return Ok(CopyInput::Fail(reason)),
                Ok(Some(_)) => return Err(gone()),
                Err(error) => {
                    let message = error.fields.message.into_owned();
                    return Err(SqlError::new(sqlstate::PROTOCOL_VIOLATION, message));
                }
                Ok(None) => {
                    if !self.read().await.map_err(|_| gone())? {
                        return Err(gone());
                    }
                }
            }
        }
    }

    fn begin_copy_out(&mut self, format: &CopyFormat) {
        if let Ok(format) = copy_format(format) {
            self.out.copy_out_response(format);
        }
    }

    fn copy_out(&mut self, data: &[u8]) {
        // A row that was read fits into a message.
        let _ = self.out.copy_data(data);
    }

    fn end_copy_out(&mut self) {
        self.out.copy_done();
    }
}

impl Client {
    /// RowDescription.
    pub(super) fn row_description(&mut self, fields: &[Field], formats: &[Format]) {
        let columns = fields.iter().enumerate().map(|(i, field)| Column {
            name: &field.name,
            table_oid: field.table_oid,
            attribute: field.attnum,
            type_oid: field.ty.oid,
            type_size: types::type_by_oid(field.ty.oid).map_or(-1, |info| info.len),
            type_modifier: field.ty.typmod,
            format: wire_format(format_of(formats, i)),
        });
        // A result has at most 1664 columns with names of at most 63 bytes.
        let _ = self.out.row_description(columns);
    }
}

fn format_of(formats: &[Format], column: usize) -> Format {
    match formats {
        [one] => *one,
        each => each.get(column).copied().unwrap_or_default(),
    }
}

fn wire_format(format: Format) -> wire::Format {
    match format {
        Format::Text => wire::Format::Text,
        Format::Binary => wire::Format::Binary,
    }
}

fn copy_format(format: &CopyFormat) -> Result<wire::CopyFormat, SqlError> {
    Ok(wire::CopyFormat {
        format: if format.is_binary { wire::Format::Binary } else { wire::Format::Text },
        columns: u16::try_from(format.columns).map_err(|_| too_long())?,
    })
}

fn too_long() -> SqlError {
    SqlError::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "message is too long")
}

fn gone() -> SqlError {
    SqlError::new(sqlstate::CONNECTION_FAILURE, "connection to client lost")
}
