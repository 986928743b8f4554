//! One statement's work inside a transaction: opened, retried, committed and interrupted in one
//! place for everything that reads or writes.

use super::blocks::outside_block;
use super::cancel::interruptible;
use super::classify::{Class, command_name, needs_no_block};
use super::planning::{Planned, Run};
use super::prepared::Statement;
use super::session::{Session, statement_view};
use super::shared::Shared;
use super::transaction::{State, Transaction};
use super::{Format, RowSink, errors, query};
use crate::{copy, ddl, utility};
use sqlparser::ast;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use txn::Isolation;
use types::{Datum, SqlError, sqlstate};

/// How often a statement is run again after a conflict before the client hears of it.
const ATTEMPTS_MAX: u32 = 100;
/// First pause between attempts; doubles up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(1);
const BACKOFF_MAX: Duration = Duration::from_millis(100);
/// How long a statement waits on a node that is cut off: as long as others wait for their data.
const LEASE_PATIENCE: Duration = Duration::from_secs(30);

/// How rows of a statement are sent.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a> {
    /// RowDescription comes first (simple query).
    pub announce: bool,
    pub formats: &'a [Format],
}

impl Output<'static> {
    /// As the simple protocol sends rows.
    pub(crate) const SIMPLE: Output<'static> = Output { announce: true, formats: &[] };
}

/// Something to do in a transaction.
pub(crate) enum Job<'a> {
    /// Run a plan to its end.
    Plan {
        statement: &'a Statement,
        /// `None`: plan it (again) first.
        planned: Option<Arc<Planned>>,
        params: &'a Arc<[Datum]>,
        output: Output<'a>,
    },
    /// Begin to read a plan piece by piece.
    Open { planned: &'a Arc<Planned>, params: &'a Arc<[Datum]> },
    /// Read on, one batch.
    Part { reading: Option<Box<Reading>> },
    /// Everything else that needs a transaction.
    Command { statement: &'a Statement },
}

/// What a job came to.
pub(crate) enum Done {
    /// It is complete; the tag.
    Tag(String),
    /// A plan at its begin.
    Open(Box<Reading>),
    /// A batch of a plan that is read piece by piece, and the plan.
    Batch { reading: Box<Reading>, rows: VecDeque<Vec<Datum>> },
}

/// A plan between two batches. It reads through a transaction of its own: the snapshot of its
/// first statement and the writes up to then, whatever its transaction does in between.
pub(crate) struct Reading {
    pub run: Run,
    pub reader: txn::Txn,
}

impl Session {
    /// Runs any statement but those of the class [`Class::Session`] and [`Class::Transaction`].
    pub(super) async fn run_in_transaction<S: RowSink>(
        &mut self,
        statement: &Statement,
        params: &Arc<[Datum]>,
        output: Output<'_>,
        alone: bool,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        let vacuum = matches!(statement.extra, Some(utility::Extra::Vacuum { vacuum: true, .. }));
        let command = match &statement.ast {
            _ if vacuum => Some("VACUUM"),
            Some(ast) => needs_no_block(ast),
            None => None,
        };
        if let Some(command) = command
            && !alone
        {
            return Err(SqlError::new(
                sqlstate::ACTIVE_SQL_TRANSACTION,
                format!("{command} cannot run inside a transaction block"),
            ));
        }
        if alone && matches!(statement.ast, Some(ast::Statement::Lock(_))) {
            return Err(outside_block("LOCK TABLE"));
        }
        if !self.has_lease() {
            Box::pin(wait_for_lease(self.shared.clone())).await?;
        }
        let job = match statement.class {
            Class::Plan => {
                let planned = statement.plan(&self.view(), &self.settings())?;
                if alone && self.read_point(&planned, params, output, sink)? {
                    return Ok(());
                }
                Job::Plan { statement, planned: Some(planned), params, output }
            }
            _ => Job::Command { statement },
        };
        if let Done::Tag(tag) = Box::pin(self.run_job(job, alone, sink)).await? {
            self.send_reports(sink);
            sink.complete(&tag);
        }
        Ok(())
    }

    /// Runs a job. `alone`: in a transaction of its own that is committed before this returns.
    pub(super) async fn run_job<S: RowSink>(
        &mut self,
        mut job: Job<'_>,
        alone: bool,
        sink: &mut S,
    ) -> Result<Done, SqlError> {
        if !self.has_lease() {
            wait_for_lease(self.shared.clone()).await?;
            // The catalog may have changed meanwhile.
            if let Job::Plan { planned, .. } = &mut job {
                *planned = None;
            }
        }
        if alone { self.run_alone(job, sink).await } else { self.run_inside(job, sink).await }
    }

    async fn run_alone<S: RowSink>(
        &mut self,
        mut job: Job<'_>,
        sink: &mut S,
    ) -> Result<Done, SqlError> {
        let mark = sink.mark();
        let mut backoff = BACKOFF_MIN;
        for attempt in 1.. {
            let mut transaction = self.new_transaction();
            // A leader's choice of snapshot that was not enough once is not tried again.
            transaction.txn.begin_statement(attempt == 1);
            let clock = self.clock().clone();
            let result = {
                let work = pin!(work(&self.shared, &mut transaction, &mut job, true, sink));
                interruptible(&self.shared.cancel, &clock, work).await
            };
            let error = match result {
                Ok(done) => match self.commit_transaction(transaction).await {
                    Ok(()) => return Ok(done),
                    Err(error) => error,
                },
                Err(error) => {
                    self.roll_back(transaction).await;
                    error
                }
            };
            if let Job::Plan { planned, .. } = &mut job {
                *planned = None;
            }
            let again = errors::is_retryable(&error)
                && attempt < ATTEMPTS_MAX
                && !matches!(job, Job::Part { .. })
                && sink.rewind(mark);
            if !again {
                return Err(error);
            }
            clock.sleep(backoff).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
        Err(SqlError::internal("the statement was never run"))
    }

    async fn run_inside<S: RowSink>(
        &mut self,
        mut job: Job<'_>,
        sink: &mut S,
    ) -> Result<Done, SqlError> {
        let (mut transaction, is_block) = match std::mem::take(&mut self.state) {
            State::Idle => (Box::new(self.new_transaction()), false),
            State::Implicit(open) => (open, false),
            State::Block(open) => (open, true),
            failed => {
                self.state = failed;
                return Err(failed_block());
            }
        };
        let shared = self.shared.clone();
        if !transaction.has_run && transaction.isolation != Isolation::ReadCommitted {
            transaction.first_catalog = Some(shared.engine.catalog().current());
        }
        transaction.has_run = true;
        let result = attempts(&shared, &mut transaction, &mut job, sink).await;
        self.state =
            if is_block { State::Block(transaction) } else { State::Implicit(transaction) };
        result
    }
}

/// A node that has not heard from the cluster for long may serve an old catalog no more: its
/// statements wait until it hears again.
async fn wait_for_lease(shared: Arc<Shared>) -> Result<(), SqlError> {
    let wait = async {
        if shared.engine.catalog().wait_for_lease(LEASE_PATIENCE).await {
            return Ok(());
        }
        let message = "this node is cut off from the cluster";
        Err(SqlError::new(sqlstate::CANNOT_CONNECT_NOW, message)
            .with_hint("Nothing was changed. Try again once a majority of the nodes is up."))
    };
    interruptible(&shared.cancel, shared.engine.clock(), wait).await
}

/// Runs a job in an open transaction, again after conflicts as far as that is allowed.
async fn attempts<S: RowSink>(
    shared: &Arc<Shared>,
    transaction: &mut Transaction,
    job: &mut Job<'_>,
    sink: &mut S,
) -> Result<Done, SqlError> {
    let clock = shared.engine.clock().clone();
    let mark = sink.mark();
    let can_repeat =
        transaction.isolation == Isolation::ReadCommitted && !matches!(job, Job::Part { .. });
    let savepoint = can_repeat.then(|| transaction.txn.savepoint());
    let changes = transaction.changes.clone();
    let mut backoff = BACKOFF_MIN;
    for attempt in 1.. {
        if !matches!(job, Job::Part { .. }) {
            transaction.txn.begin_statement(false);
        }
        let result = {
            let work = pin!(work(shared, transaction, job, false, sink));
            interruptible(&shared.cancel, &clock, work).await
        };
        match (result, savepoint) {
            (Ok(done), savepoint) => {
                if let Some(savepoint) = savepoint {
                    transaction.txn.release(savepoint);
                }
                return Ok(done);
            }
            (Err(error), Some(savepoint))
                if errors::is_retryable(&error) && attempt < ATTEMPTS_MAX && sink.rewind(mark) =>
            {
                let undone = transaction.txn.rollback_to(savepoint).await;
                undone.map_err(|e| errors::from_kv(e, &shared.engine.catalog().current()))?;
                transaction.changes = changes.clone();
                transaction.changed();
                if let Job::Plan { planned, .. } = job {
                    *planned = None;
                }
                clock.sleep(backoff).await;
                backoff = (backoff * 2).min(BACKOFF_MAX);
            }
            (Err(error), _) => return Err(error),
        }
    }
    Err(SqlError::internal("the statement was never run"))
}

/// Message of the warning for COMMIT and ROLLBACK outside of a block.
pub(super) const NO_TRANSACTION: &str = "there is no transaction in progress";

/// `current transaction is aborted`.
pub(super) fn failed_block() -> SqlError {
    SqlError::new(
        sqlstate::IN_FAILED_SQL_TRANSACTION,
        "current transaction is aborted, commands ignored until end of transaction block",
    )
}

async fn work<S: RowSink>(
    shared: &Arc<Shared>,
    transaction: &mut Transaction,
    job: &mut Job<'_>,
    is_alone: bool,
    sink: &mut S,
) -> Result<Done, SqlError> {
    match job {
        Job::Plan { statement, planned, params, output } => {
            let planned = match planned.take() {
                Some(planned) => planned,
                None => {
                    let view = Arc::new(statement_view(shared, Some(transaction)));
                    statement.plan(&view, &shared.settings())?
                }
            };
            let run = planned.start((*params).clone(), shared.settings());
            query::run_plan(shared, transaction, run, *output, is_alone, sink).await.map(Done::Tag)
        }
        Job::Open { planned, params } => {
            let reader = transaction.txn.reader().await;
            let reader = reader.map_err(|e| errors::from_kv(e, &planned.view.catalog))?;
            let run = planned.start((*params).clone(), shared.settings());
            Ok(Done::Open(Box::new(Reading { run, reader })))
        }
        Job::Part { reading } => {
            let Some(mut reading) = reading.take() else {
                return Err(SqlError::internal("a paused query was run twice"));
            };
            let rows = query::read_on(&mut reading).await;
            transaction.txn.answer_for(&mut reading.reader);
            match rows? {
                Some(rows) => Ok(Done::Batch { reading, rows }),
                None => Ok(Done::Tag(reading.run.tag())),
            }
        }
        Job::Command { statement } => {
            command(shared, transaction, statement, sink).await.map(Done::Tag)
        }
    }
}

async fn command<S: RowSink>(
    shared: &Arc<Shared>,
    transaction: &mut Transaction,
    statement: &Statement,
    sink: &mut S,
) -> Result<String, SqlError> {
    let Some(ast) = &statement.ast else {
        return Err(SqlError::internal("an empty query has no work"));
    };
    if let Some(extra) = &statement.extra {
        return utility::run_extra(shared, transaction, extra, &statement.sql).await;
    }
    match statement.class {
        Class::Copy => copy::run(shared, transaction, ast, &statement.sql, sink).await,
        Class::Maintenance => utility::maintain(shared, transaction, ast).await,
        _ => {
            if transaction.is_read_only {
                return Err(read_only(&command_name(ast)));
            }
            ddl::run(shared, transaction, ast, &statement.sql).await
        }
    }
}

/// `cannot execute … in a read-only transaction`.
pub(crate) fn read_only(command: &str) -> SqlError {
    SqlError::new(
        sqlstate::READ_ONLY_SQL_TRANSACTION,
        format!("cannot execute {command} in a read-only transaction"),
    )
}
