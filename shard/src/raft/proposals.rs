//! Proposals that are in the log and whose fate is not known yet.

use crate::raft::waiter::ProposalWaiter;
use base::KvError;
use consensus::Entry;
use std::collections::VecDeque;

/// One group's open proposals, in log order.
#[derive(Default)]
pub(crate) struct Proposals {
    open: VecDeque<(u64, u64, ProposalWaiter)>,
}

impl Proposals {
    /// A proposal was appended at this index in this term.
    pub(crate) fn push(&mut self, index: u64, term: u64, waiter: ProposalWaiter) {
        debug_assert!(self.open.back().is_none_or(|(last, _, _)| *last < index));
        self.open.push_back((index, term, waiter));
    }

    /// An entry is committed: returns who waits for it. Whoever waits for another entry at its index
    /// waits in vain: that one can never be committed.
    pub(crate) fn take(
        &mut self,
        entry: &Entry,
        lost: impl Fn() -> KvError,
    ) -> Option<ProposalWaiter> {
        while let Some((index, term, _)) = self.open.front() {
            if *index > entry.index {
                return None;
            }
            let is_it = *index == entry.index && *term == entry.term;
            let (_, _, waiter) = self.open.pop_front()?;
            if is_it {
                return Some(waiter);
            }
            waiter.finish(Err(lost()));
        }
        None
    }

    /// Nothing will be known in time: ends all waits.
    pub(crate) fn give_up(&mut self, why: &str) {
        for (_, _, waiter) in self.open.drain(..) {
            waiter.finish(Err(KvError::Ambiguous(why.to_string())));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The log is about to be written again from this index on, by this replica as leader or on
    /// behalf of another. What was proposed there may live on in other logs.
    pub(crate) fn replaced_from(&mut self, index: u64) {
        while self.open.back().is_some_and(|(last, _, _)| *last >= index) {
            if let Some((_, _, waiter)) = self.open.pop_back() {
                waiter.finish(Err(KvError::Ambiguous("another leader took over".to_string())));
            }
        }
    }
}
