//! Portals that are run piece by piece, and where their rows go.

use super::RowSink;
use super::classify::{Class, command_name};
use super::commands::RowKeeper;
use super::job::{Done, Job, Output, Reading};
use super::portal::Portal;
use super::prepared::Statement;
use super::session::Session;
use super::sink::NoSink;
use std::collections::VecDeque;
use std::sync::Arc;
use types::{Datum, SqlError};

/// How far a portal has come.
pub(crate) enum Progress {
    /// Not started.
    Fresh,
    /// Paused between rows. Rows of the last batch that were not wanted yet wait in front.
    Paused(Box<Paused>),
    /// At its end.
    Done,
}

/// A run between two Executes.
pub(crate) struct Paused {
    /// `None` once the plan has ended and only waiting rows are left.
    pub reading: Option<Box<Reading>>,
    pub waiting: VecDeque<Vec<Datum>>,
    /// The command tag; the number in it is that of the rows sent by each Execute.
    pub tag: String,
}
impl Session {
    /// Runs a portal until `limit` rows have gone to the taker; true at its end. As long as rows
    /// keep coming nobody looks whether it was the last one.
    pub(super) async fn advance<T: TakeRow>(
        &mut self,
        portal: &mut Portal,
        limit: u64,
        sent: &mut u64,
        taker: &mut T,
    ) -> Result<(String, bool), SqlError> {
        let mut paused = match std::mem::replace(&mut portal.progress, Progress::Done) {
            Progress::Done => return Ok((portal.empty_tag(), true)),
            Progress::Paused(paused) => paused,
            Progress::Fresh => {
                let (statement, params) = (portal.statement.clone(), portal.params.clone());
                self.begin_portal(&statement, &params).await?
            }
        };
        while *sent < limit {
            if let Some(row) = paused.waiting.pop_front() {
                taker.take(&row)?;
                *sent += 1;
                taker.ready().await?;
                continue;
            }
            let Some(reading) = paused.reading.take() else { break };
            let part = Job::Part { reading: Some(reading) };
            if let Done::Batch { reading, rows } = self.run_job(part, false, &mut NoSink).await? {
                paused.reading = Some(reading);
                paused.waiting = rows;
            }
        }
        let tag = with_count(&paused.tag, *sent);
        let is_done = *sent < limit;
        if !is_done {
            portal.progress = Progress::Paused(paused);
        }
        Ok((tag, is_done))
    }

    /// Begins to run a portal: what only reads is read piece by piece, everything else is run to
    /// its end at once, and its rows wait.
    pub(super) async fn begin_portal(
        &mut self,
        statement: &Arc<Statement>,
        params: &Arc<[Datum]>,
    ) -> Result<Box<Paused>, SqlError> {
        let mut paused = Paused { reading: None, waiting: VecDeque::new(), tag: String::new() };
        if statement.class == Class::Plan {
            let planned = statement.plan(&self.view(), &self.settings())?;
            if planned.only_reads() {
                let open = Job::Open { planned: &planned, params };
                if let Done::Open(reading) = self.run_job(open, false, &mut NoSink).await? {
                    paused.reading = Some(reading);
                }
                paused.tag = "SELECT 0".to_owned();
                return Ok(Box::new(paused));
            }
        }
        let mut keeper = RowKeeper::default();
        let run = self.run(statement, params, Output::SIMPLE, false, &mut keeper);
        Box::pin(run).await?;
        paused.waiting = keeper.rows.into();
        paused.tag = keeper.tag;
        Ok(Box::new(paused))
    }
}

impl Portal {
    /// The tag of an Execute that finds the portal at its end.
    fn empty_tag(&self) -> String {
        match &self.statement.ast {
            Some(ast) if self.statement.class != Class::Plan => with_count(&command_name(ast), 0),
            Some(sqlparser::ast::Statement::Insert(_)) => "INSERT 0 0".to_owned(),
            Some(sqlparser::ast::Statement::Update(_)) => "UPDATE 0".to_owned(),
            Some(sqlparser::ast::Statement::Delete(_)) => "DELETE 0".to_owned(),
            _ => "SELECT 0".to_owned(),
        }
    }
}

/// A command tag with another number of rows, if it has one.
fn with_count(tag: &str, rows: u64) -> String {
    match tag.rsplit_once(' ') {
        Some((word, count)) if count.parse::<u64>().is_ok() => format!("{word} {rows}"),
        _ => tag.to_owned(),
    }
}

/// Where rows of a portal go.
pub(crate) trait TakeRow: Send {
    fn take(&mut self, row: &[Datum]) -> Result<(), SqlError>;
    fn ready(&mut self) -> impl Future<Output = Result<(), SqlError>> + Send;
}

/// Rows go to the client.
pub(crate) struct Sender<'a, S> {
    pub sink: &'a mut S,
}

impl<S: RowSink> TakeRow for Sender<'_, S> {
    fn take(&mut self, row: &[Datum]) -> Result<(), SqlError> {
        self.sink.row(row)
    }
    fn ready(&mut self) -> impl Future<Output = Result<(), SqlError>> + Send {
        self.sink.ready()
    }
}

/// Rows are kept.
#[derive(Default)]
pub(crate) struct Keeper {
    pub rows: Vec<Vec<Datum>>,
}

impl TakeRow for Keeper {
    fn take(&mut self, row: &[Datum]) -> Result<(), SqlError> {
        self.rows.push(row.to_vec());
        Ok(())
    }
    async fn ready(&mut self) -> Result<(), SqlError> {
        Ok(())
    }
}
