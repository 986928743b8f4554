//! One replica of one Raft group.

mod handover;
mod hibernate;
mod outgoing;
mod status;

pub use status::{GroupStatus, PeerProgress};

use crate::config::GroupConfig;
use crate::election::ElectionTimeout;
use crate::envelope::{Envelope, Payload};
use crate::lease::{Lease, LeaseView};
use crate::log::{Entry, GroupState, HardState, LogReader, SnapshotMeta};
use crate::log_cache::LogCache;
use crate::ready::Ready;
use crate::validate;
use crate::{Change, ConsensusError, Membership};
use base::MonoTime;
use bytes::Bytes;
use raft::eraftpb::{self, MessageType};
use raft::{RawNode, StateRole};
use std::collections::BTreeSet;

/// A replica of a Raft group: a value that is stepped.
pub struct Group {
    node: RawNode<LogCache>,
    config: GroupConfig,
    timeout: ElectionTimeout,
    lease: Lease,
    membership: Membership,
    /// The entry as of which `membership` holds.
    membership_index: u64,
    /// Between `ready` and `persisted`.
    pending: Option<raft::Ready>,
    is_hibernating: bool,
    /// Term and role when last looked at.
    seen: (u64, StateRole),
    /// The term in which a successor was told to take over.
    handed_over: Option<u64>,
    retry: Retry,
}

/// The leader is known to be lost: a candidacy that nobody heard is tried again before the next
/// election timeout.
#[derive(Clone, Copy, Debug, Default)]
struct Retry {
    /// Ticks from one try to the next.
    every: usize,
    left: u32,
}

impl Group {
    /// Starts a replica from what the disk holds.
    pub fn new(
        config: GroupConfig,
        mut state: GroupState,
        reader: Box<dyn LogReader>,
        now: MonoTime,
    ) -> Result<Group, ConsensusError> {
        if state.last.0 < state.applied || state.applied < state.truncated.0 {
            return Err(ConsensusError::Corrupt(format!(
                "log {}..={} does not reach the applied entry {}",
                state.truncated.0, state.last.0, state.applied
            )));
        }
        // The commit index is written lazily; what is applied was committed.
        state.hard_state.commit = state.hard_state.commit.clamp(state.applied, state.last.0);
        state.hard_state.term = state.hard_state.term.max(state.last.1);
        let raft_config = config.to_raft(state.applied)?;
        let membership = state.membership.clone();
        let applied = state.applied;
        let log = LogCache::open(state, reader)?;
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let node = RawNode::new(&raft_config, log, &logger)
            .map_err(|e| ConsensusError::Corrupt(e.to_string()))?;
        let timeout = ElectionTimeout::new(config.seed, config.election_ticks);
        let lease = Lease::new(config.lease, now);
        let seen = (node.raft.term, node.raft.state);
        Ok(Group {
            node,
            config,
            timeout,
            lease,
            membership,
            membership_index: applied,
            pending: None,
            is_hibernating: false,
            seen,
            handed_over: None,
            retry: Retry::default(),
        })
    }

    /// Time passes by one tick.
    pub fn tick(&mut self, now: MonoTime) {
        if self.is_hibernating || self.is_settled_alone() {
            return;
        }
        self.node.raft.set_randomized_election_timeout(self.timeout.ticks());
        if self.node.raft.leader_id != raft::INVALID_ID {
            self.retry.left = 0;
        }
        let has_campaigned = self.node.tick() && self.node.raft.state != StateRole::Leader;
        if has_campaigned {
            self.timeout.redraw();
        }
        self.observe(now);
        if has_campaigned {
            self.try_again_soon();
        }
        self.finish_handover(now);
    }

    /// A lone voter that leads has nothing to do when time passes.
    fn is_settled_alone(&self) -> bool {
        self.is_leader()
            && self.membership.is_lone(self.config.replica)
            && self.membership.learners.is_empty()
    }

    /// Tries to become leader at once.
    pub fn campaign(&mut self, now: MonoTime) {
        self.wake(now);
        // Refused only where it makes no sense.
        let _ = self.node.campaign();
        self.observe(now);
    }

    /// Appends commands to the log. Returns the index of the first one; all have the present term.
    pub fn propose(&mut self, commands: Vec<Bytes>, now: MonoTime) -> Result<u64, ConsensusError> {
        let entry = |data| eraftpb::Entry { data, ..eraftpb::Entry::default() };
        self.append(commands.into_iter().map(entry).collect(), now)
    }

    /// Appends a change of members, with the command that records it in the state machine.
    pub fn propose_change(
        &mut self,
        change: &Change,
        command: Bytes,
        now: MonoTime,
    ) -> Result<u64, ConsensusError> {
        self.membership.after(change)?;
        if self.node.raft.has_pending_conf() {
            return Err(ConsensusError::Busy);
        }
        let mut entry = eraftpb::Entry::default();
        entry.set_entry_type(eraftpb::EntryType::EntryConfChangeV2);
        entry.data = protobuf::Message::write_to_bytes(&change.to_raft())
            .map_err(|e| ConsensusError::BadChange(e.to_string()))?
            .into();
        entry.context = command;
        self.append(vec![entry], now)
    }

    fn append(
        &mut self,
        entries: Vec<eraftpb::Entry>,
        now: MonoTime,
    ) -> Result<u64, ConsensusError> {
        if !self.is_leader() {
            return Err(ConsensusError::NotLeader);
        }
        if entries.is_empty() {
            return Err(ConsensusError::BadMessage("nothing proposed"));
        }
        self.wake(now);
        let first = self.node.raft.raft_log.last_index() + 1;
        let mut message = eraftpb::Message::default();
        message.set_msg_type(MessageType::MsgPropose);
        message.from = self.config.replica;
        message.set_entries(entries.into());
        self.node.raft.step(message).map_err(|_| ConsensusError::Busy)?;
        Ok(first)
    }

    /// Takes a message of another replica.
    pub fn step(
        &mut self,
        from: u64,
        envelope: Envelope,
        now: MonoTime,
    ) -> Result<(), ConsensusError> {
        let message = match envelope.payload {
            Payload::Raft(message) => *message,
            Payload::Hibernate { term, commit } => {
                self.on_hibernate(from, term, commit);
                return Ok(());
            }
            Payload::SnapshotRefused => {
                self.report_snapshot(from, false);
                return Ok(());
            }
            // The owner's business.
            Payload::Gone | Payload::Present | Payload::PartsReceived { .. } => return Ok(()),
        };
        validate::check(&self.node.raft, from, &message)?;
        if !self.is_mere_answer(&message) {
            self.wake(now);
        }
        self.before_step(from, &message, envelope.stamp, now);
        let (kind, term) = (message.get_msg_type(), message.term);
        match self.node.step(message) {
            Ok(()) | Err(raft::Error::StepPeerNotFound) => {}
            Err(_) => return Err(ConsensusError::BadMessage("refused by raft")),
        }
        self.observe(now);
        let is_leaders = matches!(
            kind,
            MessageType::MsgAppend | MessageType::MsgHeartbeat | MessageType::MsgSnapshot
        );
        if is_leaders && term == self.node.raft.term {
            self.lease.heard_leader(envelope.stamp, now);
        }
        match self.node.mut_store().take_failure() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// What a stamp means must be known before the library acts on the message.
    fn before_step(&mut self, from: u64, message: &eraftpb::Message, stamp: u64, now: MonoTime) {
        if message.term != self.node.raft.term {
            return;
        }
        match (message.get_msg_type(), self.node.raft.state) {
            (
                MessageType::MsgAppendResponse | MessageType::MsgHeartbeatResponse,
                StateRole::Leader,
            ) => self.lease.on_ack(from, stamp),
            (MessageType::MsgRequestVoteResponse, StateRole::Candidate) if !message.reject => {
                self.lease.on_vote(stamp, now)
            }
            (MessageType::MsgTimeoutNow, StateRole::Follower) if stamp == 1 => {
                self.lease.on_invitation(message.term)
            }
            _ => {}
        }
    }

    /// Follows changes of term and role.
    fn observe(&mut self, now: MonoTime) {
        let (term, role) = (self.node.raft.term, self.node.raft.state);
        if (term, role) == self.seen {
            return;
        }
        self.timeout.redraw();
        if term != self.seen.0 {
            self.lease.on_term();
            self.handed_over = None;
        }
        if role == StateRole::Candidate || (role == StateRole::Leader && term != self.seen.0) {
            self.lease.on_campaign(now);
        }
        if role == StateRole::Leader {
            let is_first = term <= GroupState::INITIAL_TERM + 1;
            let fresh = is_first || self.membership.is_lone(self.config.replica);
            self.lease.on_lead(term, fresh, now);
        }
        self.seen = (term, role);
    }

    /// True when there is something to do.
    pub fn has_ready(&self) -> bool {
        self.pending.is_none() && self.node.has_ready()
    }

    /// What is to be done now; see [`Ready`].
    pub fn ready(&mut self, now: MonoTime) -> Ready {
        assert!(self.pending.is_none(), "the last ready was not persisted");
        let mut ready = self.node.ready();
        assert!(ready.snapshot().is_empty(), "snapshots are installed before raft hears of them");
        self.node.mut_store().append(ready.entries());
        let reads = ready.take_read_states().into_iter();
        let out = Ready {
            messages: self.outgoing(ready.take_messages(), now),
            messages_after: self.outgoing(ready.take_persisted_messages(), now),
            hard_state: ready.hs().map(HardState::from_raft),
            must_sync: ready.must_sync(),
            committed: ready.take_committed_entries().into_iter().map(Entry::from_raft).collect(),
            reads: reads.filter_map(|r| Some((context_of(&r.request_ctx)?, r.index))).collect(),
            entries: ready.entries().iter().cloned().map(Entry::from_raft).collect(),
        };
        self.pending = Some(ready);
        out
    }

    /// What `ready` returned is on disk. Returns more to send and to apply.
    pub fn persisted(&mut self, now: MonoTime) -> Ready {
        let Some(ready) = self.pending.take() else { return Ready::default() };
        let mut light = self.node.advance_append(ready);
        let out = Ready {
            messages: self.outgoing(light.take_messages(), now),
            committed: light.take_committed_entries().into_iter().map(Entry::from_raft).collect(),
            ..Ready::default()
        };
        self.observe(now);
        out
    }

    /// The state machine holds everything up to this entry. Changes of members among them must have
    /// been passed to [`Group::apply_change`] before.
    pub fn applied(&mut self, index: u64) {
        let log = &self.node.raft.raft_log;
        let index = index.min(log.committed).min(log.persisted);
        if index > self.node.raft.raft_log.applied() {
            self.node.advance_apply_to(index);
            self.node.mut_store().evict(index, self.config.cache_bytes_max);
        }
    }

    /// The state machine has accepted the change in this entry. Ignored when the members are
    /// already known as of a later entry.
    pub fn apply_change(
        &mut self,
        index: u64,
        change: &Change,
        now: MonoTime,
    ) -> Result<(), ConsensusError> {
        if index <= self.membership_index {
            return Ok(());
        }
        let next = self.membership.after(change)?;
        let state = self
            .node
            .apply_conf_change(&change.to_raft())
            .map_err(|e| ConsensusError::BadChange(e.to_string()))?;
        assert_eq!(Membership::from_conf_state(&state), next, "members disagree with raft");
        self.membership = next;
        self.membership_index = index;
        self.observe(now);
        Ok(())
    }

    /// Drops the log up to this entry (or as far as it is applied). Returns the index and term
    /// behind which the log begins now.
    pub fn compact(&mut self, index: u64) -> Result<(u64, u64), ConsensusError> {
        let index = index.min(self.node.raft.raft_log.applied());
        let log = self.node.mut_store();
        if index <= log.truncated().0 { Ok(log.truncated()) } else { log.compact(index) }
    }

    /// Confirms leadership with a quorum; the answer comes with a later [`Ready`]. The context must
    /// be new for every attempt. Attempts can be lost: repeat with another context. Refused for now
    /// while an older leader may still serve by its lease: a quorum does not speak for that one.
    pub fn read_index(&mut self, context: u64, now: MonoTime) -> Result<(), ConsensusError> {
        if !self.is_leader() {
            return Err(ConsensusError::NotLeader);
        }
        if !self.node.raft.commit_to_current_term() || !self.lease.is_settled(now) {
            return Err(ConsensusError::Busy);
        }
        self.wake(now);
        self.node.read_index(context.to_le_bytes().to_vec());
        Ok(())
    }

    /// Replicas that cannot be caught up from the log.
    pub fn take_snapshots_wanted(&mut self) -> BTreeSet<u64> {
        self.node.mut_store().take_wanted()
    }

    /// A snapshot for `to` is pinned: announce it.
    pub fn send_snapshot(&mut self, to: u64, snapshot: SnapshotMeta) {
        if !self.is_leader() || self.node.raft.prs().get(to).is_none() {
            return;
        }
        self.node.mut_store().prepare(to, snapshot);
        self.node.raft.send_append(to);
        // Void if the library has changed its mind meanwhile.
        self.node.mut_store().take_prepared(to);
    }

    /// What became of a snapshot that was announced.
    pub fn report_snapshot(&mut self, to: u64, is_done: bool) {
        let status =
            if is_done { raft::SnapshotStatus::Finish } else { raft::SnapshotStatus::Failure };
        self.node.report_snapshot(to, status);
    }

    /// The node of this replica cannot be reached: messages on their way are lost.
    pub fn report_unreachable(&mut self, replica: u64) {
        self.node.report_unreachable(replica);
    }
}

fn context_of(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}
