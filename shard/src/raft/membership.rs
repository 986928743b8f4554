//! Changing the members of a range's group.
//!
//! Steps, each of them one log entry that also carries the new descriptor:
//!
//! 1. every new replica is added as a learner, which makes the library send it a snapshot;
//! 2. once all of them follow the log, one joint change makes them voters and takes the others out;
//! 3. a leader that stays leaves the joint state; one that goes hands over first, and its successor
//!    does.
//!
//! **Whoever leads finishes a joint state**, with or without somebody waiting for it, so a change
//! survives its leader. A change that got no further than a learner is taken up again by asking for
//! it again, and taken back when it makes no headway for long. Replicas that were taken out are told so by the leader once nothing can bring them back
//! ([`crate::raft::farewell`]), and destroy themselves only then.

use crate::raft::committed::MembershipCommand;
use crate::raft::error::RaftError;
use crate::raft::group::Slot;
use crate::raft::raft_loop::RaftLoop;
use crate::raft::snapshot_send::SnapshotSend;
use crate::raft::waiter::Reply;
use base::ReplicaKind;
use base::codec::to_message;
use base::{KvError, MonoTime, NodeId, RangeDescriptor, RangeId, ReplicaDescriptor, ReplicaId};
use consensus::{Change, ConsensusError};

/// A change that somebody waits for.
pub(crate) struct ChangeJob {
    add: Vec<NodeId>,
    remove: Vec<NodeId>,
    /// `None` when nobody waits: what is left of a change that was given up is taken back.
    reply: Option<Reply<RangeDescriptor>>,
    /// How far it was, and the tick at which it got there.
    headway: (Headway, u64),
}

/// How far a change is: the descriptor's epoch, the parts of snapshots that have arrived, and the
/// entries that the new replicas hold.
type Headway = (u64, u64, u64);

/// A learner that lacks no more entries than this is as good as caught up.
const LAG_MAX: u64 = 64;
/// A change that makes no headway for so many election timeouts is given up.
const PATIENCE: u64 = 60;
/// The same when one of the new nodes is silent. It may not exist.
const PATIENCE_WITH_SILENCE: u64 = 5;

impl RaftLoop {
    pub(crate) fn start_change(
        &mut self,
        range: RangeId,
        add: Vec<NodeId>,
        remove: Vec<NodeId>,
        reply: Reply<RangeDescriptor>,
        now: MonoTime,
    ) {
        let Some(slot) = self.slots.get_mut(&range) else {
            let _ = reply.send(Err(KvError::RangeNotFound(range)));
            return;
        };
        let refusal = if slot.shared.serving_term() != Some(slot.group.term()) {
            Some(slot.shared.not_leader())
        } else if slot.change.as_ref().is_some_and(ChangeJob::is_awaited) {
            Some(KvError::Unavailable(format!("the members of {range} are being changed")))
        } else {
            senseless(slot, &add, &remove)
        };
        if let Some(error) = refusal {
            let _ = reply.send(Err(error));
            return;
        }
        let headway = (Headway::default(), self.ticks);
        slot.change = Some(ChangeJob { add, remove, reply: Some(reply), headway });
        slot.group.wake(now);
        self.drive_change(range, now);
        self.touch(range);
    }

    /// Takes the next step if it is time for one.
    pub(crate) fn drive_change(&mut self, range: RangeId, now: MonoTime) {
        let (ticks, election) = (self.ticks, self.config.election_ticks as u64);
        let Some(slot) = self.slots.get_mut(&range) else { return };
        if slot.change.is_none() && !slot.group.membership().is_joint() {
            return;
        }
        slot.sync_applied();
        let is_silent = |node: &NodeId| self.peers.is_gone(*node);
        let hears_all = slot.change.as_ref().is_none_or(|job| !job.add.iter().any(is_silent));
        let patience = election * if hears_all { PATIENCE } else { PATIENCE_WITH_SILENCE };
        if finish_job(slot, ticks, patience)
            || slot.shared.serving_term() != Some(slot.group.term())
        {
            return;
        }
        let step = match next_step(slot) {
            Ok(step) => step,
            Err(error) => {
                end_job(slot, Err(error));
                return;
            }
        };
        match step {
            Step::Propose(command) => propose(slot, command, now),
            Step::HandOver(successor) => {
                if slot.group.status().transferee.is_none() {
                    // Repeated on the next tick if it comes to nothing.
                    let _ = slot.group.transfer(successor, now);
                }
            }
            Step::Wait => {}
        }
        self.dirty.insert(range);
    }

    /// The applier has carried out, or refused, a change of members.
    pub(crate) fn on_changed(
        &mut self,
        range: RangeId,
        index: u64,
        change: Option<Change>,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        let Some(slot) = self.slots.get_mut(&range) else { return Ok(()) };
        let before = slot.group.membership().clone();
        if let Some(change) = &change {
            slot.group.apply_change(index, change, now)?;
        }
        slot.open_changes = slot.open_changes.split_off(&(index + 1));
        slot.sync_applied();
        let gone: Vec<u64> = before
            .all()
            .into_iter()
            .filter(|replica| !slot.group.membership().contains(*replica))
            .collect();
        let own = slot.shared.replica;
        let gone: Vec<(NodeId, ReplicaId)> = gone
            .into_iter()
            .filter(|replica| *replica != own.0)
            .filter_map(|replica| Some((*slot.addresses.get(&replica)?, ReplicaId(replica))))
            .collect();
        slot.remember_addresses();
        slot.farewell.add(gone);
        self.peers.is_stale = true;
        self.touch(range);
        self.drive_change(range, now);
        self.drive_farewell(range, now);
        Ok(())
    }
}

/// A replacement that would only add or only remove: what it was decided on has changed. One that is
/// done, or was begun by an earlier attempt, is none.
fn senseless(slot: &Slot, add: &[NodeId], remove: &[NodeId]) -> Option<KvError> {
    let descriptor = slot.shared.descriptor();
    let is_voter = |node: &&NodeId| {
        descriptor.replica_on(**node).is_some_and(|replica| replica.kind == ReplicaKind::Voter)
    };
    let is_absent = |node: &&NodeId| descriptor.replica_on(**node).is_none();
    let is_done = add.iter().all(|n| is_voter(&n)) && remove.iter().all(|n| is_absent(&n));
    if add.is_empty() || remove.is_empty() || is_done || slot.group.membership().is_joint() {
        return None;
    }
    let range = slot.shared.range.0;
    let has = |node: &NodeId| format!("range {range} already has a replica on node {}", node.0);
    let lacks = |node: &NodeId| format!("range {range} has no replica on node {}", node.0);
    let refusal = add.iter().find(is_voter).map(has);
    refusal.or_else(|| remove.iter().find(is_absent).map(lacks)).map(KvError::Fatal)
}

enum Step {
    Propose(MembershipCommand),
    HandOver(u64),
    Wait,
}

impl ChangeJob {
    /// True while somebody waits.
    fn is_awaited(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| !reply.is_canceled())
    }
}

/// Ends the job when its goal is reached, or when there has been no headway for `patience` ticks.
fn finish_job(slot: &mut Slot, ticks: u64, patience: u64) -> bool {
    let headway = headway(slot);
    let Some(job) = &mut slot.change else { return false };
    let descriptor = slot.shared.descriptor();
    let has_voter = |node: &NodeId| {
        descriptor.replica_on(*node).is_some_and(|replica| replica.kind == ReplicaKind::Voter)
    };
    let is_done = !slot.group.membership().is_joint()
        && job.add.iter().all(has_voter)
        && job.remove.iter().all(|node| descriptor.replica_on(*node).is_none());
    if is_done {
        end_job(slot, Ok((*descriptor).clone()));
        return true;
    }
    if job.headway.0 != headway {
        job.headway = (headway, ticks);
    }
    if ticks >= job.headway.1 + patience {
        give_up(slot, ticks);
    }
    false
}

fn headway(slot: &Slot) -> Headway {
    let learners = &slot.group.membership().learners;
    let progress = slot.group.progress();
    let held = progress.iter().filter(|p| learners.contains(&p.replica)).map(|p| p.matched).sum();
    let parts = slot.sends.values().map(SnapshotSend::parts).sum();
    (slot.shared.descriptor().epoch, parts, held)
}

/// Answers whoever waits, and takes the replicas back that got no further than learners: a leader
/// would go on to send them snapshots for ever.
fn give_up(slot: &mut Slot, ticks: u64) {
    let descriptor = slot.shared.descriptor();
    let Some(job) = &slot.change else { return };
    let is_learner = |node: &&NodeId| {
        descriptor.replica_on(**node).is_some_and(|replica| replica.kind == ReplicaKind::Learner)
    };
    let remove: Vec<NodeId> = job.add.iter().filter(is_learner).copied().collect();
    let why = format!("change of members of {} makes no headway", slot.shared.range);
    end_job(slot, Err(KvError::Ambiguous(why)));
    if !remove.is_empty() {
        let headway = (Headway::default(), ticks);
        slot.change = Some(ChangeJob { add: Vec::new(), remove, reply: None, headway });
    }
}

pub(crate) fn end_job(slot: &mut Slot, result: Result<RangeDescriptor, KvError>) {
    if let Some(reply) = slot.change.take().and_then(|job| job.reply) {
        let _ = reply.send(result);
    }
}

fn next_step(slot: &Slot) -> Result<Step, KvError> {
    let membership = slot.group.membership();
    let descriptor = slot.shared.descriptor();
    let own = slot.shared.replica.0;
    if membership.is_joint() {
        return Ok(if membership.voters.contains(&own) {
            Step::Propose(leave(&descriptor, membership))
        } else {
            successor(slot).map_or(Step::Wait, Step::HandOver)
        });
    }
    let Some(job) = &slot.change else { return Ok(Step::Wait) };
    if let Some(node) = job.add.iter().find(|node| descriptor.replica_on(**node).is_none()) {
        return Ok(Step::Propose(add_learner(&descriptor, *node)));
    }
    let of_kind = |nodes: &[NodeId], kind: ReplicaKind| -> Vec<u64> {
        let replicas = nodes.iter().filter_map(|node| descriptor.replica_on(*node));
        replicas.filter(|r| r.kind == kind).map(|r| r.replica.0).collect()
    };
    if let Some(learner) = of_kind(&job.remove, ReplicaKind::Learner).first() {
        return Ok(Step::Propose(remove_learner(&descriptor, *learner)));
    }
    let promote = of_kind(&job.add, ReplicaKind::Learner);
    let remove = of_kind(&job.remove, ReplicaKind::Voter);
    if !promote.iter().all(|learner| is_caught_up(slot, *learner)) {
        return Ok(Step::Wait);
    }
    if promote.is_empty() && remove.len() >= membership.voters.len() {
        return Err(KvError::Fatal(format!("{} cannot lose all its replicas", slot.shared.range)));
    }
    Ok(Step::Propose(replace(&descriptor, promote, remove)))
}

fn is_caught_up(slot: &Slot, replica: u64) -> bool {
    let last = slot.group.status().last;
    let progress = slot.group.progress();
    let peer = progress.iter().find(|p| p.replica == replica);
    peer.is_some_and(|p| !p.is_in_snapshot && p.matched > 0 && p.matched + LAG_MAX >= last)
}

/// The voter of the new set that is furthest.
pub(crate) fn successor(slot: &Slot) -> Option<u64> {
    let voters = &slot.group.membership().voters;
    let progress = slot.group.progress();
    let fit = progress.iter().filter(|p| voters.contains(&p.replica) && p.is_active);
    fit.max_by_key(|p| (p.matched, u64::MAX - p.replica)).map(|p| p.replica)
}

fn propose(slot: &mut Slot, command: MembershipCommand, now: MonoTime) {
    let data = to_message(&command).into();
    match slot.group.propose_change(&command.change, data, now) {
        // Not applied yet, or handing over: a later tick tries again.
        Ok(_) | Err(ConsensusError::Busy | ConsensusError::NotLeader) => {}
        Err(refused) => end_job(slot, Err(KvError::Fatal(refused.to_string()))),
    }
}

fn add_learner(descriptor: &RangeDescriptor, node: NodeId) -> MembershipCommand {
    let mut next = next_descriptor(descriptor);
    let replica = next.next_replica;
    next.next_replica = ReplicaId(replica.0 + 1);
    next.replicas.push(ReplicaDescriptor { node, replica, kind: ReplicaKind::Learner });
    MembershipCommand { change: Change::AddLearner(replica.0), descriptor: next }
}

fn remove_learner(descriptor: &RangeDescriptor, replica: u64) -> MembershipCommand {
    let mut next = next_descriptor(descriptor);
    next.replicas.retain(|r| r.replica.0 != replica);
    MembershipCommand { change: Change::RemoveLearner(replica), descriptor: next }
}

/// Voters that go stay in the descriptor until the joint state is left: they still vote.
fn replace(descriptor: &RangeDescriptor, promote: Vec<u64>, remove: Vec<u64>) -> MembershipCommand {
    let mut next = next_descriptor(descriptor);
    for replica in &mut next.replicas {
        if promote.contains(&replica.replica.0) {
            replica.kind = ReplicaKind::Voter;
        }
    }
    MembershipCommand { change: Change::Replace { promote, remove }, descriptor: next }
}

fn leave(descriptor: &RangeDescriptor, members: &consensus::Membership) -> MembershipCommand {
    let mut next = next_descriptor(descriptor);
    next.replicas.retain(|r| {
        members.voters.contains(&r.replica.0) || members.learners.contains(&r.replica.0)
    });
    MembershipCommand { change: Change::Leave, descriptor: next }
}

fn next_descriptor(descriptor: &RangeDescriptor) -> RangeDescriptor {
    RangeDescriptor { epoch: descriptor.epoch + 1, ..descriptor.clone() }
}
