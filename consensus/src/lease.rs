//! The leader's lease: how long it may answer reads without asking anybody.
//!
//! Every message of a leader carries its sending time, and every answer returns the newest one seen.
//! When a quorum has answered messages sent at or after `t`, the lease runs until `t + lease`.
//!
//! **A new leader waits until every older lease has run out.** A voter that grants a vote says how
//! long ago it last heard a leader; an older lease rests on a quorum of such answers, one of which is
//! among the votes, so it ends at the latest `lease` after the most recent of those moments. This
//! needs no assumption about election timeouts, only clocks that run at nearly the same speed, for
//! which [`DRIFT_DIVISOR`] leaves a margin.
//!
//! A leader that hands over gives up its lease first and says so; its successor need not wait.

use crate::Membership;
use base::MonoTime;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Clocks may differ in speed by a tenth.
const DRIFT_DIVISOR: u32 = 10;

/// From when until when a leader may serve reads. Empty when `until <= from`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaseView {
    /// Older leases may last until then.
    pub from: MonoTime,
    /// The own lease lasts until then.
    pub until: MonoTime,
}

/// Keeps count of what the lease rests on.
#[derive(Debug)]
pub(crate) struct Lease {
    lease: Duration,
    /// Leader: the newest of the own stamps that each replica has echoed.
    acks: BTreeMap<u64, u64>,
    /// Leader and candidate: older leases may last until then.
    wait_until: MonoTime,
    /// The lease of this term was given up.
    forfeited: bool,
    /// Follower: the newest stamp of the present leader.
    echo: u64,
    /// When a leader was last heard.
    contact: MonoTime,
    /// The next term was begun at the request of a leader that had given up its lease.
    invited: Option<u64>,
}

impl Lease {
    pub(crate) fn new(lease: Duration, now: MonoTime) -> Lease {
        Lease {
            lease,
            acks: BTreeMap::new(),
            wait_until: MonoTime(0),
            forfeited: false,
            echo: 0,
            contact: now,
            invited: None,
        }
    }

    /// A leader's message has arrived.
    pub(crate) fn heard_leader(&mut self, stamp: u64, now: MonoTime) {
        self.echo = self.echo.max(stamp);
        self.contact = now;
    }

    /// The stamp to return in an answer to the leader.
    pub(crate) fn echo(&self) -> u64 {
        self.echo
    }

    /// For a granted vote: how long ago a leader was heard.
    pub(crate) fn silence(&self, now: MonoTime) -> u64 {
        now.since(self.contact).as_nanos() as u64
    }

    /// The term has changed: stamps of other terms mean nothing.
    pub(crate) fn on_term(&mut self) {
        self.echo = 0;
        self.acks.clear();
        self.forfeited = false;
    }

    /// This replica campaigns: its own vote counts like every other.
    pub(crate) fn on_campaign(&mut self, now: MonoTime) {
        self.wait_until = MonoTime(0);
        self.on_vote(self.silence(now), now);
    }

    /// A vote was granted by a replica that has heard no leader for so long.
    pub(crate) fn on_vote(&mut self, silence: u64, now: MonoTime) {
        let rest = self.waiting_time().saturating_sub(Duration::from_nanos(silence));
        self.wait_until = self.wait_until.max(now + rest);
    }

    /// The leader of `term` has given up its lease in favour of this replica.
    pub(crate) fn on_invitation(&mut self, term: u64) {
        self.invited = Some(term);
    }

    /// This replica leads `term` now. `fresh`: no older lease can exist.
    pub(crate) fn on_lead(&mut self, term: u64, fresh: bool, now: MonoTime) {
        if fresh || self.invited == Some(term - 1) {
            self.wait_until = now;
        }
        self.invited = None;
        self.forfeited = false;
        self.acks.clear();
    }

    /// A follower has answered a message of this term sent at `stamp`.
    pub(crate) fn on_ack(&mut self, replica: u64, stamp: u64) {
        let ack = self.acks.entry(replica).or_default();
        *ack = (*ack).max(stamp);
    }

    /// Gives the lease up for the rest of the term, or takes that back.
    pub(crate) fn forfeit(&mut self, forfeited: bool) {
        self.forfeited = forfeited;
    }

    /// When older leases have run out.
    pub(crate) fn settled_at(&self) -> MonoTime {
        self.wait_until
    }

    /// True when older leases have run out.
    pub(crate) fn is_settled(&self, now: MonoTime) -> bool {
        now >= self.wait_until
    }

    /// The lease of a leader among these members.
    pub(crate) fn view(&self, own: u64, members: &Membership) -> LeaseView {
        if self.forfeited {
            return LeaseView::default();
        }
        let until = match self.quorum_stamp(own, members) {
            u64::MAX => MonoTime(u64::MAX),
            0 => MonoTime(0),
            stamp => MonoTime(stamp) + self.lease,
        };
        LeaseView { from: self.wait_until, until }
    }

    /// A moment at which a quorum still followed.
    fn quorum_stamp(&self, own: u64, members: &Membership) -> u64 {
        let of = |voters: &BTreeSet<u64>| {
            let mut stamps: Vec<u64> =
                voters.iter().map(|&voter| self.stamp_of(voter, own)).collect();
            stamps.sort_unstable_by(|a, b| b.cmp(a));
            stamps.get(voters.len() / 2).copied().unwrap_or(u64::MAX)
        };
        of(&members.voters).min(of(&members.outgoing))
    }

    fn stamp_of(&self, voter: u64, own: u64) -> u64 {
        if voter == own { u64::MAX } else { self.acks.get(&voter).copied().unwrap_or(0) }
    }

    fn waiting_time(&self) -> Duration {
        self.lease + self.lease / DRIFT_DIVISOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_nanos(1000);

    fn members(voters: &[u64], outgoing: &[u64]) -> Membership {
        Membership {
            voters: voters.iter().copied().collect(),
            outgoing: outgoing.iter().copied().collect(),
            learners: BTreeSet::new(),
        }
    }

    #[test]
    fn rests_on_a_quorum_of_both_halves() {
        let mut lease = Lease::new(LEASE, MonoTime(0));
        lease.on_ack(2, 100);
        assert_eq!(lease.view(1, &members(&[1, 2, 3], &[])).until, MonoTime(1100));
        assert_eq!(lease.view(1, &members(&[1, 2, 3], &[1, 4, 5])).until, MonoTime(0));
        lease.on_ack(5, 50);
        assert_eq!(lease.view(1, &members(&[1, 2, 3], &[1, 4, 5])).until, MonoTime(1050));
        assert_eq!(lease.view(1, &members(&[1, 2, 3, 4], &[])).until, MonoTime(0));
    }

    #[test]
    fn a_lone_voter_needs_nobody() {
        let lease = Lease::new(LEASE, MonoTime(0));
        assert_eq!(lease.view(1, &members(&[1], &[])).until, MonoTime(u64::MAX));
        assert_eq!(lease.view(1, &members(&[2], &[])).until, MonoTime(0));
    }

    #[test]
    fn a_new_leader_waits_for_the_most_recent_contact() {
        let mut lease = Lease::new(LEASE, MonoTime(0));
        let now = MonoTime(10_000);
        lease.on_campaign(now);
        lease.on_vote(300, now);
        lease.on_lead(8, false, now);
        assert!(!lease.is_settled(MonoTime(10_799)));
        assert!(lease.is_settled(MonoTime(10_800)));
    }

    #[test]
    fn an_invited_leader_does_not_wait() {
        let mut lease = Lease::new(LEASE, MonoTime(0));
        lease.on_invitation(7);
        lease.on_campaign(MonoTime(10));
        lease.on_lead(8, false, MonoTime(20));
        assert!(lease.is_settled(MonoTime(20)));
        lease.on_campaign(MonoTime(30));
        lease.on_lead(9, false, MonoTime(40));
        assert!(!lease.is_settled(MonoTime(40)));
    }

    #[test]
    fn forfeited_is_empty() {
        let mut lease = Lease::new(LEASE, MonoTime(0));
        lease.on_ack(2, 100);
        lease.forfeit(true);
        assert_eq!(lease.view(1, &members(&[1, 2], &[])), LeaseView::default());
    }
}
