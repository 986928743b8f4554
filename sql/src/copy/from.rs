//! COPY FROM STDIN.

use super::binary::BinaryRows;
use super::lines::{FieldText, Rows, split_csv, split_text};
use super::options::{CopyForm, CopyOptions};
use super::target::{BATCH_ROWS, Target};
use crate::session::shared::Shared;
use crate::session::transaction::Transaction;
use crate::session::{CopyFormat, CopyInput, RowSink};
use std::sync::Arc;
use types::{Datum, Settings, SqlError, sqlstate};

/// Longest piece of data that an error's context repeats.
const CONTEXT_BYTES_MAX: usize = 100;

/// Reads rows from the client into the table; how many.
pub(super) async fn copy_in<S: RowSink>(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    target: Target,
    options: &CopyOptions,
    sink: &mut S,
) -> Result<u64, SqlError> {
    let format =
        CopyFormat { is_binary: options.form == CopyForm::Binary, columns: target.positions.len() };
    sink.begin_copy_in(&format).await?;
    let settings = shared.settings();
    let mut load =
        Load { shared, tx, target, options, settings, batch: Vec::new(), count: 0, line: 0 };
    let mut source = Source::new(options);
    loop {
        match sink.copy_data().await? {
            CopyInput::Data(data) => {
                source.push(&data)?;
                load.drain(&mut source, false).await?;
            }
            CopyInput::Done => break,
            CopyInput::Fail(reason) => {
                return Err(SqlError::new(
                    sqlstate::QUERY_CANCELED,
                    format!("COPY from stdin failed: {reason}"),
                )
                .with_context(format!(
                    "COPY {}, line {}",
                    load.target.table.name,
                    load.line + 1
                )));
            }
        }
    }
    load.drain(&mut source, true).await?;
    load.flush().await?;
    load.target.finish(load.tx).await?;
    Ok(load.count)
}

enum Source {
    Lines(Rows),
    Binary(BinaryRows),
}

impl Source {
    fn new(options: &CopyOptions) -> Source {
        match options.form {
            CopyForm::Binary => Source::Binary(BinaryRows::default()),
            _ => Source::Lines(Rows::new(options)),
        }
    }

    fn push(&mut self, data: &[u8]) -> Result<(), SqlError> {
        match self {
            Source::Lines(rows) => rows.push(data),
            Source::Binary(rows) => rows.push(data),
        }
    }
}

struct Load<'a> {
    shared: &'a Arc<Shared>,
    tx: &'a mut Transaction,
    target: Target,
    options: &'a CopyOptions,
    settings: Settings,
    batch: Vec<Vec<Datum>>,
    count: u64,
    line: u64,
}

impl Load<'_> {
    async fn drain(&mut self, source: &mut Source, is_last: bool) -> Result<(), SqlError> {
        match source {
            Source::Lines(rows) => {
                let mut fields = Vec::new();
                let mut quoted = Vec::new();
                while let Some(row) = rows.next(is_last) {
                    self.line += 1;
                    if self.options.has_header && self.line == 1 {
                        continue;
                    }
                    let values = self.read_row(row, &mut fields, &mut quoted)?;
                    self.add(values).await?;
                }
                Ok(())
            }
            Source::Binary(rows) => {
                while let Some(values) = self.read_binary(rows, is_last)? {
                    self.line += 1;
                    self.add(values).await?;
                }
                Ok(())
            }
        }
    }

    async fn add(&mut self, values: Vec<Datum>) -> Result<(), SqlError> {
        self.batch.push(values);
        if self.batch.len() >= BATCH_ROWS { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), SqlError> {
        let rows = std::mem::take(&mut self.batch);
        if rows.is_empty() {
            return Ok(());
        }
        self.count += rows.len() as u64;
        // Rows are counted, not the line ends inside of them.
        let first_line = (self.line + 1).saturating_sub(rows.len() as u64);
        self.target.put(self.shared, self.tx, rows, first_line).await
    }

    fn read_row(
        &self,
        row: &[u8],
        fields: &mut Vec<FieldText>,
        quoted: &mut Vec<(String, bool)>,
    ) -> Result<Vec<Datum>, SqlError> {
        let split = match self.options.form {
            CopyForm::Csv => split_csv(row, self.options, quoted).map(|()| {
                fields.clear();
                fields.extend(
                    quoted.drain(..).enumerate().map(|(at, field)| self.csv_field(at, field)),
                );
            }),
            _ => split_text(row, self.options, fields),
        };
        split.map_err(|error| self.in_line(error, row))?;
        self.check_width(row, fields)?;
        let mut values = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            let (name, ty) = self.target.column(at);
            values.push(match field {
                None => Datum::Null,
                Some(text) => types::text::parse(ty, text, &self.settings)
                    .map_err(|error| self.in_column(error, name, Some(text)))?,
            });
        }
        Ok(values)
    }

    fn csv_field(&self, at: usize, (text, is_quoted): (String, bool)) -> FieldText {
        let name = self.target.positions.get(at).map(|_| self.target.column(at).0);
        let is_listed = |list: &[String]| name.is_some_and(|name| list.iter().any(|n| n == name));
        let is_null = text == self.options.null
            && (!is_quoted || is_listed(&self.options.force_null))
            && !is_listed(&self.options.force_not_null);
        if is_null { None } else { Some(text) }
    }

    fn check_width(&self, row: &[u8], fields: &[FieldText]) -> Result<(), SqlError> {
        let wanted = self.target.positions.len();
        if fields.len() < wanted {
            let (name, _) = self.target.column(fields.len());
            let message = format!("missing data for column \"{name}\"");
            let error = SqlError::new(sqlstate::BAD_COPY_FILE_FORMAT, message);
            return Err(self.in_line(error, row));
        }
        if fields.len() > wanted {
            let message = "extra data after last expected column";
            let error = SqlError::new(sqlstate::BAD_COPY_FILE_FORMAT, message);
            return Err(self.in_line(error, row));
        }
        Ok(())
    }

    fn read_binary(
        &self,
        rows: &mut BinaryRows,
        is_last: bool,
    ) -> Result<Option<Vec<Datum>>, SqlError> {
        let wanted = self.target.positions.len();
        let Some(fields) = rows.next(wanted, is_last).map_err(|e| self.at_line(e))? else {
            return Ok(None);
        };
        let mut values = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            let (name, ty) = self.target.column(at);
            values.push(match field {
                None => Datum::Null,
                Some(bytes) => types::binary::decode(ty, bytes)
                    .map_err(|error| self.in_column(error, name, None))?,
            });
        }
        Ok(Some(values))
    }

    fn at_line(&self, error: SqlError) -> SqlError {
        let context = format!("COPY {}, line {}", self.target.table.name, self.line + 1);
        error.with_context(context)
    }

    fn in_line(&self, error: SqlError, row: &[u8]) -> SqlError {
        let text = String::from_utf8_lossy(row);
        error.with_context(format!(
            "COPY {}, line {}: \"{}\"",
            self.target.table.name,
            self.line,
            clipped(&text)
        ))
    }

    fn in_column(&self, error: SqlError, column: &str, text: Option<&str>) -> SqlError {
        let place = format!("COPY {}, line {}, column {column}", self.target.table.name, self.line);
        error.with_context(match text {
            Some(text) => format!("{place}: \"{}\"", clipped(text)),
            None => place,
        })
    }
}

fn clipped(text: &str) -> String {
    if text.len() <= CONTEXT_BYTES_MAX {
        return text.to_owned();
    }
    format!("{}...", &text[..text.floor_char_boundary(CONTEXT_BYTES_MAX)])
}
