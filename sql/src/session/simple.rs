//! The simple protocol: a query string of any number of statements; and the running of any one
//! statement.

use super::RowSink;
use super::classify::Class;
use super::job::Output;
use super::prepared::Statement;
use super::session::Session;
use super::transaction::State;
use std::sync::Arc;
use types::{Datum, SqlError};

impl Session {
    /// Query: runs all statements of a query string. Without BEGIN they are one transaction.
    pub async fn simple_query<S: RowSink>(
        &mut self,
        sql: &str,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        self.begin_activity(sql);
        let mut result = self.query_string(sql, sink).await;
        if result.is_ok() {
            result = self.end_implicit().await;
        }
        if result.is_err() {
            self.statement_failed().await;
        }
        self.send_reports(sink);
        self.end_activity();
        result
    }

    async fn query_string<S: RowSink>(&mut self, sql: &str, sink: &mut S) -> Result<(), SqlError> {
        // The unnamed statement and portal do not survive a simple query.
        self.statements.remove("");
        self.portals.remove("");
        let sql: Arc<str> = sql.into();
        let parsed = crate::utility::parse_string(&sql)?;
        if parsed.is_empty() {
            sink.empty_query();
            return Ok(());
        }
        let is_single = parsed.len() == 1;
        let none: Arc<[Datum]> = Arc::new([]);
        for parsed in parsed {
            let statement = Statement::with_extra(sql.clone(), parsed, Vec::new());
            self.check_not_failed(&statement)?;
            let alone = is_single && matches!(self.state, State::Idle);
            self.run(&statement, &none, Output::SIMPLE, alone, sink).await?;
            sink.ready().await?;
        }
        Ok(())
    }

    /// Runs one statement to its end and says so to the sink.
    pub(super) async fn run<S: RowSink>(
        &mut self,
        statement: &Statement,
        params: &Arc<[Datum]>,
        output: Output<'_>,
        alone: bool,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        self.start_statement();
        let Some(ast) = &statement.ast else {
            sink.empty_query();
            return Ok(());
        };
        match statement.class {
            Class::Transaction => Box::pin(self.run_transaction_command(ast, sink)).await,
            Class::Session => {
                Box::pin(self.run_session_command(statement, ast, output, alone, sink)).await
            }
            _ => self.run_in_transaction(statement, params, output, alone, sink).await,
        }
    }

    /// Notes times and deadlines of a statement that begins now.
    pub(super) fn start_statement(&mut self) {
        let now = self.now_micros();
        let mut guc = self.shared.guc.lock();
        let transaction = match &mut self.state {
            State::Implicit(open) | State::Block(open) => {
                open.txn.set_lock_timeout(guc.derived().lock_timeout);
                open.started
            }
            _ => now,
        };
        guc.set_times(transaction, now);
        let timeout = guc.derived().statement_timeout;
        let deadline = timeout.map(|timeout| self.shared.engine.clock().now() + timeout);
        self.shared.cancel.begin(deadline);
    }

    /// Sync: the end of an implicit transaction, which may fail only now.
    pub async fn sync<S: RowSink>(&mut self, sink: &mut S) -> Result<(), SqlError> {
        let result = self.end_implicit().await;
        if result.is_err() {
            self.statement_failed().await;
        }
        self.send_reports(sink);
        result
    }

    async fn end_implicit(&mut self) -> Result<(), SqlError> {
        match std::mem::take(&mut self.state) {
            State::Implicit(open) => {
                self.state = State::Implicit(open);
                Box::pin(self.finish_held_cursors()).await?;
                self.end_portals();
                match std::mem::take(&mut self.state) {
                    State::Implicit(open) => Box::pin(self.commit_transaction(*open)).await,
                    _ => Ok(()),
                }
            }
            State::Idle => {
                self.end_portals();
                self.shared.guc.lock().commit();
                Ok(())
            }
            other => {
                self.state = other;
                Ok(())
            }
        }
    }

    pub(super) fn begin_activity(&self, text: &str) {
        let mut activity = self.info.activity.lock();
        activity.state = "active";
        activity.query.clear();
        activity.query.push_str(&text[..text.floor_char_boundary(1024)]);
        activity.query_start_millis = self.clock().wall_millis();
    }

    pub(super) fn end_activity(&self) {
        self.info.activity.lock().state = match self.state {
            State::Idle | State::Implicit(_) => "idle",
            State::Block(_) => "idle in transaction",
            State::Failed(_) => "idle in transaction (aborted)",
        };
    }
}
