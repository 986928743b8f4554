//! Transaction blocks: BEGIN, COMMIT, ROLLBACK, savepoints, and what happens to an open transaction
//! when a statement fails.

use super::cancel::interruption;
use super::guc::Guc;
use super::job::{NO_TRANSACTION, failed_block};
use super::prepared::Statement;
use super::query::catalog_changed;
use super::session::Session;
use super::transaction::{Savepoint, State, Transaction};
use super::{RowSink, classify::Class, errors, names};
use crate::ddl::{self, fence::Fences};
use base::KvError;
use catalog::{Pin, store};
use sqlparser::ast::{
    self, TransactionAccessMode, TransactionIsolationLevel, TransactionMode, TransactionModifier,
};
use std::sync::Arc;
use txn::{Isolation, Txn, TxnClient};
use types::{Severity, SqlError, sqlstate};

impl Session {
    /// A transaction under the session's defaults.
    pub(crate) fn new_transaction(&self) -> Transaction {
        let mut guc = self.shared.guc.lock();
        let (isolation, is_read_only) = (guc.derived().isolation, guc.derived().is_read_only);
        let started = self.now_micros();
        guc.set_times(started, started);
        let txn = begin(self.engine().client(), &guc, isolation, is_read_only);
        Transaction::new(&self.shared, txn, isolation, is_read_only, started)
    }

    /// Commits, then does what DDL has left to be done.
    pub(crate) async fn commit_transaction(
        &mut self,
        mut transaction: Transaction,
    ) -> Result<(), SqlError> {
        let has_ddl = !transaction.changes.is_empty() || !transaction.fences.is_empty();
        if let Err(error) = self.prepare_commit(&mut transaction, has_ddl).await {
            self.roll_back(transaction).await;
            return Err(error);
        }
        let Transaction { txn, changes, pins, mut fences, has_garbage, .. } = transaction;
        let (token, clock) = (self.shared.cancel.clone(), self.clock().clone());
        let result = match txn.commit_unless(interruption(&token, &clock)).await {
            Ok(at) => {
                fences.forget_taken();
                self.shared.guc.lock().commit();
                drop(pins);
                match at.filter(|_| has_ddl) {
                    Some(at) => ddl::publish(&self.shared, at).await,
                    None => Ok(()),
                }
            }
            Err(error) => {
                self.shared.guc.lock().rollback();
                let mut catalog = self.engine().catalog().current();
                if has_ddl {
                    catalog = Arc::new(catalog.with_changes(&changes.objects));
                }
                release_fences(fences).await;
                let interrupted =
                    token.interrupted(&*clock).filter(|_| error == KvError::Cancelled);
                Err(interrupted.unwrap_or_else(|| errors::from_kv(error, &catalog)))
            }
        };
        self.sweep(has_garbage);
        result
    }

    /// The last checks and writes before COMMIT.
    async fn prepare_commit(
        &mut self,
        transaction: &mut Transaction,
        has_ddl: bool,
    ) -> Result<(), SqlError> {
        // A process that was cut off has not heard of fences, and nobody has waited for it.
        if !transaction.pins.iter().all(Pin::holds) {
            return Err(catalog_changed());
        }
        if has_ddl {
            transaction.fences.release_with(&mut transaction.txn).await?;
            let draw = self.engine().client().now().await.map_err(|e| self.kv_error(e))?;
            store::bump_version(&mut transaction.txn, draw);
        }
        Ok(())
    }

    /// Rolls a transaction back and gives up what it holds.
    pub(crate) async fn roll_back(&mut self, transaction: Transaction) {
        let Transaction { txn, pins, fences, has_garbage, .. } = transaction;
        txn.rollback().await;
        drop(pins);
        self.shared.guc.lock().rollback();
        release_fences(fences).await;
        self.sweep(has_garbage);
    }

    /// Keys may have been left to be deleted.
    fn sweep(&self, has_garbage: bool) {
        if has_garbage {
            self.engine().catalog().sweeper().wake();
        }
    }

    /// Carries out a statement of the class [`Class::Transaction`].
    pub(super) async fn run_transaction_command<S: RowSink>(
        &mut self,
        statement: &ast::Statement,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        let tag = match statement {
            ast::Statement::StartTransaction { modes, begin, modifier, .. } => {
                refuse_modifier(modifier.as_ref())?;
                self.begin_block(modes)?;
                if *begin { "BEGIN" } else { "START TRANSACTION" }
            }
            ast::Statement::Commit { chain, modifier, .. } => {
                refuse_modifier(modifier.as_ref())?;
                self.commit_block(*chain).await?
            }
            ast::Statement::Rollback { chain, savepoint: None } => {
                self.roll_back_block(*chain).await?
            }
            ast::Statement::Rollback { savepoint: Some(name), .. } => {
                self.roll_back_to(&names::fold(name)).await?;
                "ROLLBACK"
            }
            ast::Statement::Savepoint { name } => {
                self.set_savepoint(names::fold(name))?;
                "SAVEPOINT"
            }
            ast::Statement::ReleaseSavepoint { name } => {
                self.release_savepoint(&names::fold(name))?;
                "RELEASE"
            }
            other => {
                return Err(SqlError::internal(format!("not a transaction command: {other}")));
            }
        };
        self.send_reports(sink);
        sink.complete(tag);
        Ok(())
    }

    fn begin_block(&mut self, modes: &[TransactionMode]) -> Result<(), SqlError> {
        match std::mem::take(&mut self.state) {
            State::Idle => {
                self.state = State::Block(Box::new(self.new_transaction()));
                let applied = self.set_transaction_modes(modes);
                if applied.is_err() {
                    self.state = State::Idle;
                }
                applied
            }
            // What the query string has done so far becomes part of the block.
            State::Implicit(transaction) => {
                self.state = State::Block(transaction);
                self.set_transaction_modes(modes)
            }
            State::Block(transaction) => {
                self.state = State::Block(transaction);
                self.notice(warning(
                    sqlstate::ACTIVE_SQL_TRANSACTION,
                    "there is already a transaction in progress",
                ));
                self.set_transaction_modes(modes)
            }
            failed => {
                self.state = failed;
                Err(failed_block())
            }
        }
    }

    /// SET TRANSACTION, and the modes of BEGIN.
    pub(super) fn set_transaction_modes(
        &mut self,
        modes: &[TransactionMode],
    ) -> Result<(), SqlError> {
        let client = self.engine().client().clone();
        let guc = self.shared.guc.lock();
        let (State::Implicit(open) | State::Block(open)) = &mut self.state else {
            return Ok(());
        };
        for mode in modes {
            match mode {
                TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => {
                    open.is_read_only = true;
                }
                TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => {
                    if open.is_read_only && open.has_run {
                        return Err(SqlError::new(
                            sqlstate::ACTIVE_SQL_TRANSACTION,
                            "transaction read-write mode must be set before any query",
                        ));
                    }
                    open.is_read_only = false;
                }
                TransactionMode::IsolationLevel(level) => {
                    let isolation = isolation_of(level);
                    if isolation == open.isolation {
                        continue;
                    }
                    if open.has_run {
                        return Err(SqlError::new(
                            sqlstate::ACTIVE_SQL_TRANSACTION,
                            "SET TRANSACTION ISOLATION LEVEL must be called before any query",
                        ));
                    }
                    if !open.savepoints.is_empty() {
                        return Err(SqlError::new(
                            sqlstate::ACTIVE_SQL_TRANSACTION,
                            "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction",
                        ));
                    }
                    open.isolation = isolation;
                    open.txn = begin(&client, &guc, isolation, false);
                }
            }
        }
        Ok(())
    }

    async fn commit_block(&mut self, chain: bool) -> Result<&'static str, SqlError> {
        let modes = self.chained_modes();
        if matches!(self.state, State::Block(_)) {
            self.finish_held_cursors().await?;
        }
        let outcome = match std::mem::take(&mut self.state) {
            State::Idle => {
                self.no_transaction(chain, "COMMIT AND CHAIN")?;
                return Ok("COMMIT");
            }
            State::Implicit(transaction) => {
                if chain {
                    self.state = State::Implicit(transaction);
                    return Err(chain_without_block("COMMIT AND CHAIN"));
                }
                self.notice(warning(sqlstate::NO_ACTIVE_SQL_TRANSACTION, NO_TRANSACTION));
                self.end_portals();
                self.commit_transaction(*transaction).await.map(|()| "COMMIT")
            }
            State::Block(transaction) => {
                self.end_portals();
                self.commit_transaction(*transaction).await.map(|()| "COMMIT")
            }
            State::Failed(transaction) => {
                self.end_portals();
                self.shared.guc.lock().rollback();
                if let Some(transaction) = transaction {
                    self.roll_back(*transaction).await;
                }
                Ok("ROLLBACK")
            }
        }?;
        self.chain(chain, modes)?;
        Ok(outcome)
    }

    async fn roll_back_block(&mut self, chain: bool) -> Result<&'static str, SqlError> {
        let modes = self.chained_modes();
        match &self.state {
            State::Idle => {
                self.no_transaction(chain, "ROLLBACK AND CHAIN")?;
                return Ok("ROLLBACK");
            }
            State::Implicit(_) => {
                if chain {
                    return Err(chain_without_block("ROLLBACK AND CHAIN"));
                }
                self.notice(warning(sqlstate::NO_ACTIVE_SQL_TRANSACTION, NO_TRANSACTION));
            }
            State::Block(_) | State::Failed(_) => {}
        }
        self.roll_back_open().await;
        self.chain(chain, modes)?;
        Ok("ROLLBACK")
    }

    fn no_transaction(&self, chain: bool, command: &str) -> Result<(), SqlError> {
        if chain {
            return Err(chain_without_block(command));
        }
        self.notice(warning(sqlstate::NO_ACTIVE_SQL_TRANSACTION, NO_TRANSACTION));
        Ok(())
    }

    fn chained_modes(&self) -> Option<(Isolation, bool)> {
        match &self.state {
            State::Block(t) | State::Failed(Some(t)) => Some((t.isolation, t.is_read_only)),
            _ => None,
        }
    }

    fn chain(&mut self, chain: bool, modes: Option<(Isolation, bool)>) -> Result<(), SqlError> {
        if !chain {
            return Ok(());
        }
        let mut next = self.new_transaction();
        if let Some((isolation, is_read_only)) = modes {
            next.isolation = isolation;
            next.is_read_only = is_read_only;
            let guc = self.shared.guc.lock();
            next.txn = begin(self.engine().client(), &guc, isolation, is_read_only);
        }
        self.state = State::Block(Box::new(next));
        Ok(())
    }

    /// Rolls back whatever is open; the session is idle afterwards.
    pub(super) async fn roll_back_open(&mut self) {
        self.end_portals();
        match std::mem::take(&mut self.state) {
            State::Implicit(t) | State::Block(t) | State::Failed(Some(t)) => {
                self.roll_back(*t).await;
            }
            State::Idle | State::Failed(None) => {}
        }
        self.shared.guc.lock().rollback();
    }

    fn set_savepoint(&mut self, name: String) -> Result<(), SqlError> {
        let (guc, portal) = (self.shared.guc.lock().mark(), self.last_portal);
        match &mut self.state {
            State::Block(open) => {
                let savepoint = Savepoint {
                    name,
                    id: open.txn.savepoint(),
                    changes: open.changes.clone(),
                    guc,
                    portal,
                };
                open.savepoints.push(savepoint);
                Ok(())
            }
            State::Failed(_) => Err(failed_block()),
            _ => Err(outside_block("SAVEPOINT")),
        }
    }

    fn release_savepoint(&mut self, name: &str) -> Result<(), SqlError> {
        match &mut self.state {
            State::Block(open) => {
                let at = open.find_savepoint(name).ok_or_else(|| no_savepoint(name))?;
                let id = open.savepoints[at].id;
                open.savepoints.truncate(at);
                open.txn.release(id);
                Ok(())
            }
            State::Failed(_) => Err(failed_block()),
            _ => Err(outside_block("RELEASE SAVEPOINT")),
        }
    }

    async fn roll_back_to(&mut self, name: &str) -> Result<(), SqlError> {
        let mut open = match std::mem::take(&mut self.state) {
            State::Block(open) | State::Failed(Some(open)) => open,
            State::Failed(None) => {
                self.state = State::Failed(None);
                return Err(no_savepoint(name));
            }
            other => {
                self.state = other;
                return Err(outside_block("ROLLBACK TO SAVEPOINT"));
            }
        };
        let Some(at) = open.find_savepoint(name) else {
            self.state = State::Failed(Some(open));
            return Err(no_savepoint(name));
        };
        open.savepoints.truncate(at + 1);
        let savepoint = &open.savepoints[at];
        let newest = savepoint.portal;
        if let Err(error) = open.txn.rollback_to(savepoint.id).await {
            let error = errors::from_kv(error, &self.engine().catalog().current());
            self.state = State::Failed(Some(open));
            return Err(error);
        }
        open.changes = savepoint.changes.clone();
        self.shared.guc.lock().rollback_to(&savepoint.guc);
        open.changed();
        self.portals.retain(|_, portal| portal.is_held || portal.number <= newest);
        self.state = State::Block(open);
        Ok(())
    }

    /// A statement has failed: its transaction fails with it.
    pub(super) async fn statement_failed(&mut self) {
        match std::mem::take(&mut self.state) {
            State::Idle => self.shared.guc.lock().rollback(),
            State::Implicit(open) => {
                self.end_portals();
                Box::pin(self.roll_back(*open)).await;
            }
            State::Block(open) if open.savepoints.is_empty() => {
                self.end_portals();
                Box::pin(self.roll_back(*open)).await;
                self.state = State::Failed(None);
            }
            State::Block(open) => self.state = State::Failed(Some(open)),
            failed => self.state = failed,
        }
    }

    /// In a failed block only its end is accepted.
    pub(super) fn check_not_failed(&self, statement: &Statement) -> Result<(), SqlError> {
        let is_end = statement.ast.is_none()
            || (statement.class == Class::Transaction
                && matches!(
                    statement.ast,
                    Some(ast::Statement::Commit { .. } | ast::Statement::Rollback { .. })
                ));
        if self.is_failed() && !is_end { Err(failed_block()) } else { Ok(()) }
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self.state, State::Failed(_))
    }

    /// The transaction ends: portals end with it, held cursors stay.
    pub(super) fn end_portals(&mut self) {
        self.portals.retain(|_, portal| portal.is_held);
    }
}

/// Begins a transaction of the store under the session's settings.
fn begin(client: &TxnClient, guc: &Guc, isolation: Isolation, is_read_only: bool) -> Txn {
    let mut txn = client.begin(isolation, is_read_only);
    txn.set_lock_timeout(guc.derived().lock_timeout);
    txn.set_follower_reads(guc.derived().follower_reads);
    txn
}

async fn release_fences(mut fences: Fences) {
    if let Err(error) = fences.release().await {
        // Tried once more in the background, when they are dropped.
        tracing::warn!(%error, "fences could not be released");
    }
}

fn isolation_of(level: &TransactionIsolationLevel) -> Isolation {
    match level {
        TransactionIsolationLevel::Serializable => Isolation::Serializable,
        TransactionIsolationLevel::RepeatableRead | TransactionIsolationLevel::Snapshot => {
            Isolation::RepeatableRead
        }
        TransactionIsolationLevel::ReadCommitted | TransactionIsolationLevel::ReadUncommitted => {
            Isolation::ReadCommitted
        }
    }
}

fn refuse_modifier(modifier: Option<&TransactionModifier>) -> Result<(), SqlError> {
    match modifier {
        None => Ok(()),
        Some(_) => Err(SqlError::new(sqlstate::SYNTAX_ERROR, "syntax error in BEGIN or COMMIT")),
    }
}

pub(super) fn warning(code: types::SqlState, message: &str) -> SqlError {
    SqlError::new(code, message).with_severity(Severity::Warning)
}

fn chain_without_block(command: &str) -> SqlError {
    outside_block(command)
}

pub(super) fn outside_block(command: &str) -> SqlError {
    SqlError::new(
        sqlstate::NO_ACTIVE_SQL_TRANSACTION,
        format!("{command} can only be used in transaction blocks"),
    )
}

fn no_savepoint(name: &str) -> SqlError {
    SqlError::new(
        sqlstate::S_E_INVALID_SPECIFICATION,
        format!("savepoint \"{name}\" does not exist"),
    )
}
