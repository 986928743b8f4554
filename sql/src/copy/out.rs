//! COPY TO STDOUT.

use super::binary::SIGNATURE;
use super::options::{CopyForm, CopyOptions};
use super::target::positions;
use crate::session::names::qualified;
use crate::session::planning::{name_objects, plan_statement};
use crate::session::shared::Shared;
use crate::session::transaction::Transaction;
use crate::session::view::SessionView;
use crate::session::{CopyFormat, Field, RowSink, query, quote};
use catalog::Relation;
use sqlparser::ast::{CopySource, Statement};
use std::sync::Arc;
use types::{Datum, Settings, SqlError, sqlstate};

/// Sends the rows of a table or query to the client; how many.
pub(super) async fn copy_out<S: RowSink>(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    view: &Arc<SessionView>,
    source: &CopySource,
    options: &CopyOptions,
    sql: &str,
    sink: &mut S,
) -> Result<u64, SqlError> {
    let settings = shared.settings();
    let planned = match source {
        CopySource::Query(query) => {
            plan_statement(view, &Statement::Query(query.clone()), sql, &[], &settings)?
        }
        CopySource::Table { table_name, columns } => {
            let select = table_query(shared, view, table_name, columns)?;
            let Some(parsed) = crate::parse::parse(&select)?.pop() else {
                return Err(SqlError::internal("a SELECT without a statement"));
            };
            plan_statement(view, &parsed.ast, &select, &[], &settings)?
        }
    };
    let fields = planned.fields.clone().ok_or_else(|| {
        SqlError::new(sqlstate::FEATURE_NOT_SUPPORTED, "COPY query must have a RETURNING clause")
    })?;
    let mut settings = settings;
    name_objects(&mut settings, Some(&fields), view);
    let is_binary = options.form == CopyForm::Binary;
    sink.begin_copy_out(&CopyFormat { is_binary, columns: fields.len() });
    let mut writer = Writer { options, fields, settings, line: Vec::new(), text: String::new() };
    writer.start();
    writer.flush(sink);
    let mut run = Arc::new(planned).start(Arc::new([]), shared.settings());
    let mut count = 0;
    while let Some(rows) = query::next_rows(shared, tx, &mut run).await? {
        for row in &rows {
            writer.row(row);
            writer.flush(sink);
            count += 1;
        }
        sink.ready().await?;
    }
    writer.end();
    writer.flush(sink);
    sink.end_copy_out();
    Ok(count)
}

fn table_query(
    shared: &Shared,
    view: &SessionView,
    name: &sqlparser::ast::ObjectName,
    columns: &[sqlparser::ast::Ident],
) -> Result<String, SqlError> {
    let (schema, relation) = qualified(name, &shared.database_name)?;
    let table = match view.find(schema.as_deref(), &relation) {
        Some(Relation::Table(table)) => table,
        Some(Relation::View(_)) => {
            return Err(SqlError::new(
                sqlstate::WRONG_OBJECT_TYPE,
                format!("cannot copy from view \"{relation}\""),
            )
            .with_hint("Try the COPY (SELECT ...) TO variant."));
        }
        Some(_) => {
            return Err(SqlError::new(
                sqlstate::WRONG_OBJECT_TYPE,
                format!("cannot copy from \"{relation}\""),
            ));
        }
        None => return Err(crate::ddl::missing_relation(schema.as_deref(), &relation)),
    };
    let names: Vec<String> = positions(table, columns)?
        .into_iter()
        .map(|position| quote::identifier(&table.columns[position].name))
        .collect();
    Ok(format!("SELECT {} FROM {}", names.join(", "), view.display_name(table.oid)))
}

struct Writer<'a> {
    options: &'a CopyOptions,
    fields: Arc<[Field]>,
    settings: Settings,
    line: Vec<u8>,
    text: String,
}

impl Writer<'_> {
    fn flush<S: RowSink>(&mut self, sink: &mut S) {
        if !self.line.is_empty() {
            sink.copy_out(&self.line);
            self.line.clear();
        }
    }

    fn start(&mut self) {
        match self.options.form {
            CopyForm::Binary => {
                self.line.extend_from_slice(SIGNATURE);
                self.line.extend_from_slice(&[0; 8]);
            }
            _ if self.options.has_header => {
                let fields = self.fields.clone();
                for (at, field) in fields.iter().enumerate() {
                    self.delimit(at);
                    self.put_text(&field.name, false);
                }
                self.line.push(b'\n');
            }
            _ => {}
        }
    }

    fn end(&mut self) {
        if self.options.form == CopyForm::Binary {
            self.line.extend_from_slice(&(-1i16).to_be_bytes());
        }
    }

    fn row(&mut self, row: &[Datum]) {
        if self.options.form == CopyForm::Binary {
            return self.binary_row(row);
        }
        let fields = self.fields.clone();
        for (at, (value, field)) in row.iter().zip(fields.iter()).enumerate() {
            self.delimit(at);
            if matches!(value, Datum::Null) {
                self.line.extend_from_slice(self.options.null.as_bytes());
                continue;
            }
            let mut text = std::mem::take(&mut self.text);
            text.clear();
            types::text::format(value, field.ty, &self.settings, &mut text);
            let force = &self.options.force_quote;
            let is_forced = force.iter().any(|name| *name == field.name || name == "*");
            self.put_text(&text, is_forced);
            self.text = text;
        }
        self.line.push(b'\n');
    }

    fn delimit(&mut self, at: usize) {
        if at > 0 {
            self.line.push(self.options.delimiter);
        }
    }

    fn put_text(&mut self, text: &str, is_forced: bool) {
        if self.options.form == CopyForm::Csv {
            self.put_csv(text, is_forced);
        } else {
            self.put_escaped(text);
        }
    }

    fn put_escaped(&mut self, text: &str) {
        for &byte in text.as_bytes() {
            let escaped = match byte {
                8 => b'b',
                12 => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                11 => b'v',
                b'\\' => b'\\',
                other if other == self.options.delimiter => other,
                other => {
                    self.line.push(other);
                    continue;
                }
            };
            self.line.extend_from_slice(&[b'\\', escaped]);
        }
    }

    fn put_csv(&mut self, text: &str, is_forced: bool) {
        let (delimiter, quote, escape) =
            (self.options.delimiter, self.options.quote, self.options.escape);
        let is_special =
            |byte: &u8| *byte == delimiter || *byte == quote || *byte == b'\n' || *byte == b'\r';
        let needs_quotes = is_forced
            || text == self.options.null
            || (text == "\\." && self.fields.len() == 1)
            || text.as_bytes().iter().any(is_special);
        if !needs_quotes {
            self.line.extend_from_slice(text.as_bytes());
            return;
        }
        self.line.push(quote);
        for &byte in text.as_bytes() {
            if byte == quote || byte == escape {
                self.line.push(escape);
            }
            self.line.push(byte);
        }
        self.line.push(quote);
    }

    fn binary_row(&mut self, row: &[Datum]) {
        self.line.extend_from_slice(&(row.len() as i16).to_be_bytes());
        for (value, field) in row.iter().zip(self.fields.iter()) {
            if matches!(value, Datum::Null) {
                self.line.extend_from_slice(&(-1i32).to_be_bytes());
                continue;
            }
            let at = self.line.len();
            self.line.extend_from_slice(&[0; 4]);
            types::binary::encode(value, field.ty, &mut self.line);
            let len = (self.line.len() - at - 4) as u32;
            self.line[at..at + 4].copy_from_slice(&len.to_be_bytes());
        }
    }
}
