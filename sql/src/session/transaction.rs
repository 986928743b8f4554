//! An open transaction of a session, and the state of the session's transaction block.

use super::guc::GucMark;
use super::shared::Shared;
use crate::ddl::fence::Fences;
use catalog::{CatalogChanges, CatalogSnapshot, Oid, Pin};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use txn::{Isolation, SavepointId, Txn};

static NEXT_CHANGES: AtomicU64 = AtomicU64::new(1);

/// A transaction with what SQL keeps beside it.
pub(crate) struct Transaction {
    pub txn: Txn,
    pub isolation: Isolation,
    pub is_read_only: bool,
    /// What it has changed in the catalog.
    pub changes: CatalogChanges,
    /// Another number, never used before in this process, with every change of `changes`.
    pub changes_version: u64,
    pub savepoints: Vec<Savepoint>,
    /// Tables that it has written to.
    pub pins: Vec<Pin>,
    /// Tables that it has written rows to.
    pub written: BTreeSet<Oid>,
    /// Tables whose fence it has.
    pub fences: Fences,
    /// Its end may leave keys to be deleted.
    pub has_garbage: bool,
    /// True once a statement has run: the isolation level is settled.
    pub has_run: bool,
    /// With one snapshot for all statements: the catalog before it was drawn.
    pub first_catalog: Option<Arc<CatalogSnapshot>>,
    /// `now()` in it, microseconds since 2000.
    pub started: i64,
}

/// A SAVEPOINT.
pub(crate) struct Savepoint {
    pub name: String,
    pub id: SavepointId,
    pub changes: CatalogChanges,
    pub guc: GucMark,
    /// Number of the session's newest portal when it was set.
    pub portal: u64,
}

/// Where a session stands between statements.
#[derive(Default)]
pub(crate) enum State {
    /// Outside of any transaction.
    #[default]
    Idle,
    /// Inside a query string of several statements, or a pipeline that awaits its Sync.
    Implicit(Box<Transaction>),
    /// Inside BEGIN … COMMIT.
    Block(Box<Transaction>),
    /// A statement of the block failed. The transaction is kept while it has savepoints to return
    /// to.
    Failed(Option<Box<Transaction>>),
}

impl Transaction {
    /// Nothing has happened in it yet.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        txn: Txn,
        isolation: Isolation,
        is_read_only: bool,
        started: i64,
    ) -> Transaction {
        Transaction {
            txn,
            isolation,
            is_read_only,
            changes: CatalogChanges::default(),
            changes_version: 0,
            savepoints: Vec::new(),
            pins: Vec::new(),
            written: BTreeSet::new(),
            fences: Fences::new(shared.clone()),
            has_garbage: false,
            has_run: false,
            first_catalog: None,
            started,
        }
    }

    /// `changes` are different now.
    pub(crate) fn changed(&mut self) {
        self.changes_version = NEXT_CHANGES.fetch_add(1, Ordering::Relaxed);
    }

    /// True when the table is pinned already.
    pub(crate) fn has_pinned(&self, table: Oid) -> bool {
        self.pins.iter().any(|pin| pin.table() == table)
    }

    /// Position of the innermost savepoint with this name.
    pub(crate) fn find_savepoint(&self, name: &str) -> Option<usize> {
        self.savepoints.iter().rposition(|savepoint| savepoint.name == name)
    }
}
