//! SQL cursors: DECLARE, FETCH, CLOSE. A cursor is a portal; rows move forward only, except that
//! WITH HOLD and SCROLL cursors keep their rows and so can move back.

use super::classify::Class;
use super::job::Output;
use super::paused::{Keeper, Progress};
use super::planning::name_objects;
use super::portal::Portal;
use super::prepared::Statement;
use super::session::Session;
use super::transaction::State;
use super::{RowSink, blocks, names};
use crate::parse::ParsedStatement;
use sqlparser::ast::{self, CloseCursor, FetchDirection};
use std::sync::Arc;
use types::{Datum, SqlError, sqlstate};

impl Session {
    /// DECLARE: the cursor sees what its transaction sees now, whenever it is read.
    pub(super) async fn declare(
        &mut self,
        outer: &Statement,
        declarations: &[ast::Declare],
    ) -> Result<String, SqlError> {
        let [declare] = declarations else {
            return Err(SqlError::not_supported("DECLARE of several cursors"));
        };
        let (Some(ident), Some(query)) = (declare.names.first(), &declare.for_query) else {
            return Err(SqlError::not_supported("DECLARE without a query"));
        };
        let wants_hold = declare.hold == Some(true);
        let name = names::fold(ident);
        let parsed =
            ParsedStatement { ast: ast::Statement::Query(query.clone()), text: 0..outer.sql.len() };
        let mut statement = Statement::new(outer.sql.clone(), parsed, Vec::new());
        statement.text.clone_from(&outer.text);
        if statement.class != Class::Plan {
            return Err(SqlError::new(
                sqlstate::INVALID_CURSOR_DEFINITION,
                "cannot open a cursor for a query that creates a table",
            ));
        }
        let planned = statement.plan(&self.view(), &self.settings())?;
        if matches!(self.state, State::Idle) && !wants_hold {
            return Err(blocks::outside_block("DECLARE CURSOR"));
        }
        if self.portals.contains_key(&name) {
            let message = format!("cursor \"{name}\" already exists");
            return Err(SqlError::new(sqlstate::DUPLICATE_CURSOR, message));
        }
        let mut portal = Portal {
            statement: Arc::new(statement),
            params: Arc::new([]),
            formats: Arc::new([]),
            fields: planned.fields.clone(),
            progress: Progress::Fresh,
            number: self.next_portal(),
            is_cursor: true,
            is_held: false,
            wants_hold,
            kept: (wants_hold || declare.scroll == Some(true)).then(Vec::new),
            position: 0,
        };
        if planned.only_reads() {
            let (statement, params) = (portal.statement.clone(), portal.params.clone());
            let paused = self.begin_portal(&statement, &params).await?;
            portal.progress = Progress::Paused(paused);
        }
        self.portals.insert(name, portal);
        Ok("DECLARE CURSOR".to_owned())
    }

    pub(super) async fn fetch<S: RowSink>(
        &mut self,
        name: &str,
        direction: &FetchDirection,
        output: Output<'_>,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        let Some(mut portal) = self.portals.remove(name) else {
            let message = format!("cursor \"{name}\" does not exist");
            return Err(SqlError::new(sqlstate::UNDEFINED_CURSOR, message));
        };
        let movement = Movement::of(direction)?;
        let rows = self.move_cursor(&mut portal, movement).await;
        let fields = portal.fields.clone();
        self.portals.insert(name.to_owned(), portal);
        let rows = rows?;
        if let Some(fields) = &fields {
            let mut settings = self.settings();
            name_objects(&mut settings, Some(fields), &self.view());
            sink.begin_rows(fields, output.formats, &settings, output.announce);
        }
        for row in &rows {
            sink.row(row)?;
            sink.ready().await?;
        }
        self.send_reports(sink);
        sink.complete(&format!("FETCH {}", rows.len()));
        Ok(())
    }

    /// Runs cursors WITH HOLD to their end: their transaction is about to commit.
    pub(super) async fn finish_held_cursors(&mut self) -> Result<(), SqlError> {
        let wants: Vec<String> = self
            .portals
            .iter()
            .filter(|(_, portal)| portal.wants_hold && !portal.is_held)
            .map(|(name, _)| name.clone())
            .collect();
        for name in wants {
            if let Some(mut portal) = self.portals.remove(&name) {
                let position = portal.position;
                self.read_until(&mut portal, u64::MAX).await?;
                portal.position = position;
                portal.is_held = true;
                self.portals.insert(name, portal);
            }
        }
        Ok(())
    }

    async fn move_cursor(
        &mut self,
        portal: &mut Portal,
        movement: Movement,
    ) -> Result<Vec<Vec<Datum>>, SqlError> {
        let Some(kept) = &portal.kept else {
            let Movement::Forward(count) = movement else {
                return Err(SqlError::new(
                    sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE,
                    "cursor can only scan forward",
                )
                .with_hint("Declare it with SCROLL option to enable backward scan."));
            };
            let mut keeper = Keeper::default();
            let mut sent = 0;
            self.advance(portal, count, &mut sent, &mut keeper).await?;
            return Ok(keeper.rows);
        };
        let known = kept.len() as u64;
        match movement {
            Movement::Forward(count) => {
                let wanted = portal.position.saturating_add(count);
                if wanted > known {
                    self.read_until(portal, wanted).await?;
                }
                Ok(portal.kept_rows(portal.position, wanted))
            }
            Movement::Backward(count) => {
                let from = portal.position.saturating_sub(1);
                let to = from.saturating_sub(count);
                let mut rows = portal.kept_rows(to, from);
                rows.reverse();
                portal.position = if rows.len() as u64 == count { to + 1 } else { 0 };
                Ok(rows)
            }
            Movement::Absolute(row) => {
                let target = u64::try_from(row).unwrap_or(0);
                self.read_until(portal, target).await?;
                let rows = portal.kept_rows(target.saturating_sub(1), target);
                portal.position = target;
                Ok(if target == 0 { Vec::new() } else { rows })
            }
        }
    }

    /// Reads rows of a cursor that keeps them until it has this many.
    async fn read_until(&mut self, portal: &mut Portal, count: u64) -> Result<(), SqlError> {
        let known = portal.kept.as_ref().map_or(0, |kept| kept.len() as u64);
        if count <= known {
            return Ok(());
        }
        let mut keeper = Keeper::default();
        let mut sent = 0;
        self.advance(portal, count - known, &mut sent, &mut keeper).await?;
        if let Some(kept) = &mut portal.kept {
            kept.append(&mut keeper.rows);
        }
        Ok(())
    }

    pub(super) fn close_cursor(&mut self, cursor: &CloseCursor) -> Result<String, SqlError> {
        match cursor {
            CloseCursor::All => {
                self.portals.retain(|_, portal| !portal.is_cursor);
                Ok("CLOSE CURSOR ALL".to_owned())
            }
            CloseCursor::Specific { name } => {
                let name = names::fold(name);
                match self.portals.remove(&name) {
                    Some(_) => Ok("CLOSE CURSOR".to_owned()),
                    None => Err(SqlError::new(
                        sqlstate::UNDEFINED_CURSOR,
                        format!("cursor \"{name}\" does not exist"),
                    )),
                }
            }
        }
    }
}

impl Portal {
    fn kept_rows(&mut self, from: u64, to: u64) -> Vec<Vec<Datum>> {
        let Some(kept) = &self.kept else { return Vec::new() };
        let len = kept.len() as u64;
        let (from, to) = (from.min(len), to.min(len));
        self.position = to;
        kept[from as usize..to as usize].to_vec()
    }
}

/// Where a cursor goes.
#[derive(Clone, Copy)]
enum Movement {
    Forward(u64),
    Backward(u64),
    Absolute(i64),
}

impl Movement {
    fn of(direction: &FetchDirection) -> Result<Movement, SqlError> {
        let number = |value: &ast::ValueWithSpan| {
            value.to_string().parse::<i64>().map_err(|_| {
                SqlError::new(
                    sqlstate::SYNTAX_ERROR,
                    format!("syntax error at or near \"{value}\""),
                )
            })
        };
        let signed = |n: i64| match u64::try_from(n) {
            Ok(n) => Movement::Forward(n),
            Err(_) => Movement::Backward(n.unsigned_abs()),
        };
        Ok(match direction {
            FetchDirection::Count { limit } => signed(number(limit)?),
            FetchDirection::Next => Movement::Forward(1),
            FetchDirection::Forward { limit } => match limit {
                Some(limit) => signed(number(limit)?),
                None => Movement::Forward(1),
            },
            FetchDirection::All | FetchDirection::ForwardAll => Movement::Forward(u64::MAX),
            FetchDirection::Prior => Movement::Backward(1),
            FetchDirection::Backward { limit } => match limit {
                Some(limit) => signed(-number(limit)?),
                None => Movement::Backward(1),
            },
            FetchDirection::BackwardAll => Movement::Backward(u64::MAX),
            FetchDirection::First => Movement::Absolute(1),
            FetchDirection::Absolute { limit } => Movement::Absolute(number(limit)?),
            FetchDirection::Last | FetchDirection::Relative { .. } => {
                return Err(SqlError::not_supported(format!("FETCH {direction}")));
            }
        })
    }
}
