//! Which snapshot a transaction reads at.
//!
//! READ COMMITTED takes a fresh one a statement, the other levels one for the whole transaction,
//! each drawn when something is first read. A statement that is a transaction of its own and stays
//! within one range draws none: the range's leader picks the highest timestamp it has seen, which
//! covers all that was acknowledged *in that range*. Should the statement then read elsewhere
//! after all, the view is moved up to a drawn snapshot, which holds if what was read has not
//! changed since.

use crate::snapshots::PinnedSnapshot;
use base::api::ReadAt;
use base::{Span, Timestamp};

/// The view of the current statement.
#[derive(Debug, Default)]
pub(crate) enum View {
    /// Nothing was read yet.
    #[default]
    Open,
    /// At a drawn snapshot.
    Drawn(PinnedSnapshot),
    /// At the timestamp that the leader of one range picked.
    Picked {
        ts: Timestamp,
        /// Where it holds.
        within: Span,
        /// What was read at it.
        reads: Vec<Span>,
    },
}

impl View {
    /// The timestamp read at, if there is one.
    pub(crate) fn ts(&self) -> Option<Timestamp> {
        match self {
            View::Open => None,
            View::Drawn(snapshot) => Some(snapshot.ts),
            View::Picked { ts, .. } => Some(*ts),
        }
    }

    /// How to read a span, if the view covers it.
    pub(crate) fn covering(&self, span: &Span) -> Option<ReadAt> {
        match self {
            View::Open => None,
            View::Drawn(snapshot) => Some(ReadAt::Snapshot(snapshot.ts)),
            View::Picked { ts, within, .. } => within.covers(span).then_some(ReadAt::Snapshot(*ts)),
        }
    }

    /// Notes a read that the leader's choice covered.
    pub(crate) fn note(&mut self, span: &Span) {
        if let View::Picked { reads, .. } = self
            && !reads.iter().any(|read| read.covers(span))
        {
            reads.push(span.clone());
        }
    }
}
