//! FOR UPDATE and FOR SHARE.

use crate::bind::Binder;
use crate::bind::scope::{Scope, fold};
use crate::plan::expr::ColId;
use crate::plan::rel::{Rel, RowLock};
use base::api::lock::{LockStrength, LockWait};
use catalog::descriptor::Table;
use sqlparser::ast;
use std::sync::Arc;
use types::{SqlError, sqlstate};

impl Binder<'_> {
    /// FOR UPDATE and FOR SHARE: which tables are locked. Their scans hand out row keys.
    pub(super) fn row_locks(
        &mut self,
        rel: &mut Rel,
        query: Option<&ast::Query>,
        scope: &Scope<'_>,
    ) -> Result<Vec<LockOf>, SqlError> {
        let mut out = Vec::new();
        for clause in query.map(|q| q.locks.as_slice()).unwrap_or_default() {
            let strength = match clause.lock_type {
                ast::LockType::Share => LockStrength::Shared,
                ast::LockType::Update => LockStrength::Exclusive,
            };
            let wait = match clause.nonblock {
                None => LockWait::Block,
                Some(ast::NonBlock::Nowait) => LockWait::Error,
                Some(ast::NonBlock::SkipLocked) => LockWait::Skip,
            };
            let lock = RowLock { strength, wait };
            let of = clause.of.as_ref().and_then(|n| n.0.last()?.as_ident()).map(fold);
            if let Some(name) = &of
                && !scope.items.iter().any(|i| i.name == *name)
            {
                return Err(SqlError::new(
                    sqlstate::UNDEFINED_TABLE,
                    format!("relation \"{name}\" in FOR UPDATE clause not found in FROM clause"),
                ));
            }
            self.lock_gets(rel, of.as_deref(), lock, &mut out);
        }
        Ok(out)
    }

    fn lock_gets(&mut self, rel: &mut Rel, of: Option<&str>, lock: RowLock, out: &mut Vec<LockOf>) {
        match rel {
            Rel::Get(get) if of.is_none_or(|name| name == get.alias) => {
                if get.row_key.is_some() {
                    return;
                }
                let key = self.new_column("?key?", types::SqlType::BYTEA);
                get.row_key = Some(key);
                let key_out = self.new_column("?key?", types::SqlType::BYTEA);
                out.push(LockOf { table: get.table.clone(), key, key_out, lock });
            }
            Rel::Join { left, right, .. } => {
                self.lock_gets(left, of, lock, out);
                self.lock_gets(right, of, lock, out);
            }
            Rel::Filter { input, .. } | Rel::Extend { input, .. } => {
                self.lock_gets(input, of, lock, out);
            }
            _ => {}
        }
    }

    pub(super) fn check_locks(
        &self,
        select: &ast::Select,
        grouped: bool,
        aggregated: bool,
        windows: &[crate::plan::rel::WindowCall],
    ) -> Result<(), SqlError> {
        let with = if select.distinct.is_some() {
            "DISTINCT clause"
        } else if grouped {
            "GROUP BY clause"
        } else if select.having.is_some() {
            "HAVING clause"
        } else if aggregated {
            "aggregate functions"
        } else if !windows.is_empty() {
            "window functions"
        } else {
            return Ok(());
        };
        Err(SqlError::not_supported(format!("FOR UPDATE is not allowed with {with}")))
    }
}

/// A table whose rows the query locks.
pub(super) struct LockOf {
    pub(super) table: Arc<Table>,
    pub(super) key: ColId,
    pub(super) key_out: ColId,
    pub(super) lock: RowLock,
}
