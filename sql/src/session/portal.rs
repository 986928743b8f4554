//! Portals: bound statements on their way through execution, and SQL cursors, which are portals
//! that FETCH reads.

use super::api::{BindParams, PortalDescription};
use super::classify::Class;
use super::job::Output;
use super::paused::{Progress, Sender};
use super::planning::name_objects;
use super::prepared::Statement;
use super::session::Session;
use super::transaction::State;
use super::{Field, Format, RowSink};
use bytes::Bytes;
use std::sync::Arc;
use types::{Datum, SqlError, SqlType, sqlstate};

/// A bound statement.
pub(crate) struct Portal {
    pub statement: Arc<Statement>,
    pub params: Arc<[Datum]>,
    pub formats: Arc<[Format]>,
    pub fields: Option<Arc<[Field]>>,
    pub progress: Progress,
    /// Counts up with every portal of the session.
    pub number: u64,
    /// Made by DECLARE; WITH HOLD ones have all their rows in memory.
    pub is_cursor: bool,
    pub is_held: bool,
    /// WITH HOLD.
    pub wants_hold: bool,
    /// Rows read so far, of cursors that can move back or outlive their transaction.
    pub kept: Option<Vec<Vec<Datum>>>,
    /// Rows before the cursor's place, where they are kept.
    pub position: u64,
}

impl Session {
    /// Bind: makes a portal. The empty name is replaced silently.
    pub async fn bind(
        &mut self,
        portal: &str,
        statement: &str,
        params: BindParams,
    ) -> Result<(), SqlError> {
        let result = self.make_portal(portal, statement, params);
        if result.is_err() {
            self.statement_failed().await;
        }
        result
    }

    fn make_portal(
        &mut self,
        name: &str,
        statement: &str,
        bind: BindParams,
    ) -> Result<(), SqlError> {
        let statement = self.statement(statement)?;
        self.check_not_failed(&statement)?;
        if !name.is_empty() && self.portals.contains_key(name) {
            let message = format!("cursor \"{name}\" already exists");
            return Err(SqlError::new(sqlstate::DUPLICATE_CURSOR, message));
        }
        let (types, fields): (Vec<SqlType>, _) = if statement.class == Class::Plan {
            let planned = statement.plan(&self.view(), &self.settings())?;
            (planned.param_types.clone(), planned.fields.clone())
        } else {
            let types = statement.declared.iter().map(|oid| SqlType::new(*oid)).collect();
            (types, self.utility_fields(&statement)?)
        };
        let params = self.decode_params(&types, &bind)?;
        check_result_formats(&bind.result_formats, fields.as_deref())?;
        let portal = Portal {
            statement,
            params,
            formats: bind.result_formats.into(),
            fields,
            progress: Progress::Fresh,
            number: self.next_portal(),
            is_cursor: false,
            is_held: false,
            wants_hold: false,
            kept: None,
            position: 0,
        };
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    /// Describe of a portal.
    pub fn describe_portal(&mut self, name: &str) -> Result<PortalDescription, SqlError> {
        let portal = self.portals.get(name).ok_or_else(|| no_portal(name))?;
        Ok(PortalDescription { fields: portal.fields.clone(), formats: portal.formats.clone() })
    }

    /// Close of a portal; a name that is not there is no error.
    pub fn close_portal(&mut self, name: &str) {
        self.portals.remove(name);
    }

    /// Execute: runs a portal to its end or for `max_rows` rows (0: no limit).
    pub async fn execute<S: RowSink>(
        &mut self,
        portal: &str,
        max_rows: u64,
        sync_follows: bool,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        let result = self.execute_portal(portal, max_rows, sync_follows, sink).await;
        if result.is_err() {
            self.statement_failed().await;
        }
        self.send_reports(sink);
        result
    }

    async fn execute_portal<S: RowSink>(
        &mut self,
        name: &str,
        max_rows: u64,
        sync_follows: bool,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        let Some(mut portal) = self.portals.remove(name) else { return Err(no_portal(name)) };
        let statement = portal.statement.clone();
        if statement.ast.is_none() {
            self.portals.insert(name.to_owned(), portal);
            sink.empty_query();
            return Ok(());
        }
        self.check_not_failed(&statement)?;
        self.begin_activity(&statement.text);
        let has_rows = portal.fields.is_some();
        let result = match portal.progress {
            Progress::Done if !has_rows => Err(SqlError::new(
                sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("portal \"{name}\" cannot be run"),
            )),
            Progress::Fresh if max_rows == 0 || !has_rows => {
                let output = Output { announce: false, formats: &portal.formats };
                let alone = sync_follows && matches!(self.state, State::Idle);
                portal.progress = Progress::Done;
                self.run(&statement, &portal.params, output, alone, sink).await
            }
            _ => Box::pin(self.execute_part(&mut portal, max_rows, sink)).await,
        };
        self.end_activity();
        // COMMIT and ROLLBACK have closed all portals; this one included.
        if result.is_ok() && !matches!(self.state, State::Idle) {
            self.portals.insert(name.to_owned(), portal);
        }
        result
    }

    /// Runs a query for some rows and keeps the rest for later.
    async fn execute_part<S: RowSink>(
        &mut self,
        portal: &mut Portal,
        max_rows: u64,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        self.start_statement();
        let mut settings = self.settings();
        if let Some(fields) = &portal.fields {
            name_objects(&mut settings, Some(fields), &self.view());
            sink.begin_rows(fields, &portal.formats, &settings, false);
        }
        let limit = if max_rows == 0 { u64::MAX } else { max_rows };
        let mut sent = 0;
        let (tag, is_done) = self.advance(portal, limit, &mut sent, &mut Sender { sink }).await?;
        if is_done {
            self.send_reports(sink);
            sink.complete(&tag);
        } else {
            sink.suspended();
        }
        Ok(())
    }

    /// A number for a new portal.
    pub(super) fn next_portal(&mut self) -> u64 {
        self.last_portal += 1;
        self.last_portal
    }

    fn decode_params(
        &self,
        types: &[SqlType],
        bind: &BindParams,
    ) -> Result<Arc<[Datum]>, SqlError> {
        if bind.params.len() != types.len() {
            return Err(SqlError::new(
                sqlstate::PROTOCOL_VIOLATION,
                format!(
                    "bind message supplies {} parameters, but prepared statement requires {}",
                    bind.params.len(),
                    types.len()
                ),
            ));
        }
        let settings = self.settings();
        let mut out = Vec::with_capacity(types.len());
        for (i, (ty, value)) in types.iter().zip(&bind.params).enumerate() {
            let format = match bind.param_formats.as_slice() {
                [one] => *one,
                each => each.get(i).copied().unwrap_or_default(),
            };
            out.push(match value {
                None => Datum::Null,
                Some(bytes) => decode_param(*ty, format, bytes, &settings)
                    .map_err(|error| in_parameter(error, i))?,
            });
        }
        Ok(out.into())
    }
}

/// `portal "x" does not exist`.
pub(super) fn no_portal(name: &str) -> SqlError {
    SqlError::new(sqlstate::UNDEFINED_CURSOR, format!("portal \"{name}\" does not exist"))
}

fn decode_param(
    ty: SqlType,
    format: Format,
    bytes: &Bytes,
    settings: &types::Settings,
) -> Result<Datum, SqlError> {
    match format {
        Format::Binary => types::binary::decode(ty, bytes),
        Format::Text => {
            let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
            let text = text.ok_or_else(|| invalid_utf8(bytes))?;
            types::text::parse(ty, text, settings)
        }
    }
}

fn in_parameter(error: SqlError, index: usize) -> SqlError {
    if error.context.is_some() {
        return error;
    }
    error.with_context(format!("unnamed portal parameter ${}", index + 1))
}

/// `invalid byte sequence for encoding "UTF8"`, with the offending bytes.
pub(crate) fn invalid_utf8(bytes: &[u8]) -> SqlError {
    let at = match std::str::from_utf8(bytes) {
        Err(error) => error.valid_up_to(),
        Ok(text) => text.find('\0').unwrap_or(0),
    };
    let len = match bytes.get(at) {
        Some(0xf0..=0xf7) => 4,
        Some(0xe0..=0xef) => 3,
        Some(0xc0..=0xdf) => 2,
        _ => 1,
    };
    let shown: Vec<String> =
        bytes[at..].iter().take(len).map(|byte| format!("0x{byte:02x}")).collect();
    SqlError::new(
        sqlstate::CHARACTER_NOT_IN_REPERTOIRE,
        format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" ")),
    )
}

fn check_result_formats(formats: &[Format], fields: Option<&[Field]>) -> Result<(), SqlError> {
    let columns = fields.map_or(0, <[Field]>::len);
    if formats.len() > 1 && formats.len() != columns {
        return Err(SqlError::new(
            sqlstate::PROTOCOL_VIOLATION,
            format!(
                "bind message has {} result formats but query has {columns} columns",
                formats.len()
            ),
        ));
    }
    Ok(())
}
