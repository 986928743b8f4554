//! The owner of all Raft groups of a node.

use crate::raft::config::RaftStoreConfig;
use crate::raft::error::RaftError;
use crate::raft::events::{ApplyTask, LoopInput};
use crate::raft::group::Slot;
use crate::raft::handle::HandleCore;
use crate::raft::hibernate::Peers;
use crate::raft::inbox::Inbox;
use crate::raft::outbox::Outbox;
use crate::raft::ready::Round;
use crate::raft::snapshot_recv::IncomingSnapshot;
use crate::raft::transfer::Drain;
use base::peer_api::PeerMessage;
use base::{MonoTime, NodeId, RangeId, ReplicaId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use storage::{Durability, Engine, Room, StorageError, WriteBatch};

/// What a poll leaves to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Poll {
    /// Something was done; there may be more to do at once.
    pub did_work: bool,
    /// Without new input, poll again at this time at the latest.
    pub next_wake: Option<MonoTime>,
}

/// All Raft groups of one node. Owned by one thread.
pub struct RaftLoop {
    pub(crate) engine: Engine,
    pub(crate) config: RaftStoreConfig,
    pub(crate) core: Arc<HandleCore>,
    pub(crate) slots: BTreeMap<RangeId, Slot>,
    /// Groups for which time passes.
    pub(crate) awake: BTreeSet<RangeId>,
    /// Groups that may have something to write, send or apply.
    pub(crate) dirty: BTreeSet<RangeId>,
    /// Groups with proposals or reads from the last drain.
    pub(crate) asked: BTreeSet<RangeId>,
    /// Groups of which the applier was asked for an empty replica.
    pub(crate) creating: BTreeSet<RangeId>,
    /// Groups that the applier is still removing, with the replica that goes.
    pub(crate) destroying: BTreeMap<RangeId, ReplicaId>,
    /// Groups whose replica here is damaged and takes no part.
    pub(crate) damaged: BTreeMap<RangeId, ReplicaId>,
    /// Groups that are led here and whose older leases may still last.
    pub(crate) settling: BTreeSet<RangeId>,
    /// Groups with snapshots on their way from here.
    pub(crate) sending: BTreeSet<RangeId>,
    /// Snapshots on their way here.
    pub(crate) incoming: BTreeMap<RangeId, IncomingSnapshot>,
    pub(crate) peers: Peers,
    pub(crate) drain: Option<Drain>,
    /// What the next write of the log carries beside the groups' own.
    pub(crate) batch: WriteBatch,
    /// Tasks for the applier, handed over once a round.
    pub(crate) tasks: Vec<ApplyTask>,
    pub(crate) ticks: u64,
    pub(crate) last_context: u64,
    pub(crate) last_stream: u64,
    pub(crate) last_stage: u64,
    /// The list of groups that others see is wrong.
    pub(crate) views_stale: bool,
    next_views: MonoTime,
    next_tick: Option<MonoTime>,
    out: BTreeMap<NodeId, Vec<PeerMessage>>,
    outbox: Arc<dyn Outbox>,
    applier: Inbox<ApplyTask>,
    scratch: Vec<LoopInput>,
    /// A round whose write found the disk full.
    stalled: Option<(WriteBatch, Round)>,
}

/// How old the list of groups may be.
const VIEWS_AGE_MAX: Duration = Duration::from_secs(1);

/// Rounds of writing in one poll before input is looked at again.
const ROUNDS_MAX: usize = 4;

impl RaftLoop {
    pub(crate) fn new(
        engine: Engine,
        config: RaftStoreConfig,
        core: Arc<HandleCore>,
        outbox: Arc<dyn Outbox>,
        applier: Inbox<ApplyTask>,
    ) -> RaftLoop {
        RaftLoop {
            engine,
            config,
            core,
            slots: BTreeMap::new(),
            awake: BTreeSet::new(),
            dirty: BTreeSet::new(),
            asked: BTreeSet::new(),
            creating: BTreeSet::new(),
            destroying: BTreeMap::new(),
            damaged: BTreeMap::new(),
            settling: BTreeSet::new(),
            sending: BTreeSet::new(),
            incoming: BTreeMap::new(),
            peers: Peers::default(),
            drain: None,
            batch: WriteBatch::new(),
            tasks: Vec::new(),
            ticks: 0,
            last_context: 0,
            last_stream: 0,
            last_stage: 0,
            views_stale: true,
            next_views: MonoTime(0),
            next_tick: None,
            out: BTreeMap::new(),
            outbox,
            applier,
            scratch: Vec::new(),
            stalled: None,
        }
    }

    /// Does what there is to do. After an error the process ends.
    pub fn poll(&mut self, now: MonoTime) -> Result<Poll, RaftError> {
        if !self.retry_stalled(now)? {
            return Ok(Poll { did_work: false, next_wake: Some(now + self.config.tick) });
        }
        self.announce_leads(now);
        let mut did_work = self.take_inputs(now)?;
        did_work |= self.tick_if_due(now)?;
        did_work |= self.pump_snapshots(now)?;
        for _ in 0..ROUNDS_MAX {
            if self.stalled.is_some() || !self.run_round(now)? {
                break;
            }
            did_work = true;
        }
        self.publish_groups(now);
        Ok(Poll { did_work, next_wake: self.next_wake() })
    }

    fn take_inputs(&mut self, now: MonoTime) -> Result<bool, RaftError> {
        let mut inputs = std::mem::take(&mut self.scratch);
        self.core.inbox.drain_into(&mut inputs);
        let did_work = !inputs.is_empty();
        for input in inputs.drain(..) {
            self.dispatch(input, now)?;
        }
        self.scratch = inputs;
        for range in std::mem::take(&mut self.asked) {
            self.append_proposals(range, now);
            self.start_reads(range, now);
        }
        Ok(did_work)
    }

    /// Ticks are never caught up: after a pause followers are owed as much patience as before.
    fn tick_if_due(&mut self, now: MonoTime) -> Result<bool, RaftError> {
        if !self.needs_ticks() {
            self.next_tick = None;
            return Ok(false);
        }
        match self.next_tick {
            Some(due) if now < due => return Ok(false),
            Some(_) => {}
            None => {
                self.next_tick = Some(now + self.config.tick);
                return Ok(false);
            }
        }
        self.next_tick = Some(now + self.config.tick);
        self.ticks += 1;
        self.tick_peers(now);
        for range in self.awake.clone() {
            self.tick_group(range, now)?;
        }
        self.tick_drain(now);
        self.nudge_applier();
        Ok(true)
    }

    fn needs_ticks(&self) -> bool {
        !self.awake.is_empty()
            || self.peers.is_any()
            || self.drain.is_some()
            || self.core.applier_stalled.load(Ordering::Relaxed)
    }

    /// An applier that waits for space on the disk tries again with every tick.
    fn nudge_applier(&self) {
        if self.core.applier_stalled.load(Ordering::Relaxed) {
            self.applier.notify();
        }
    }

    fn tick_group(&mut self, range: RangeId, now: MonoTime) -> Result<(), RaftError> {
        let Some(slot) = self.slots.get_mut(&range) else {
            self.awake.remove(&range);
            return Ok(());
        };
        slot.sync_applied();
        slot.group.tick(now);
        if slot.eager_ticks > 0 {
            slot.eager_ticks -= 1;
            // Not on every tick: votes need time to arrive.
            if slot.eager_ticks.is_multiple_of(3) && slot.group.status().leader.is_none() {
                slot.group.campaign(now);
            }
        }
        self.dirty.insert(range);
        self.retry_reads(range, now);
        self.expire_proposals(range);
        self.drive_change(range, now);
        self.drive_farewell(range, now);
        self.watch_transfer(range);
        self.cut_log(range)?;
        self.ask_membership(range);
        self.maybe_hibernate(range);
        Ok(())
    }

    /// Time passes for the group, and it may have something to do.
    pub(crate) fn touch(&mut self, range: RangeId) {
        self.dirty.insert(range);
        if self.slots.get(&range).is_some_and(|slot| !slot.group.is_hibernating()) {
            self.awake.insert(range);
        }
    }

    /// One synced write for all groups that are ready. False when there was nothing to do.
    fn run_round(&mut self, now: MonoTime) -> Result<bool, RaftError> {
        let round = self.collect_round(now);
        let batch = std::mem::take(&mut self.batch);
        if round.is_empty() && batch.is_empty() {
            self.hand_over();
            return Ok(false);
        }
        // Followers write while this node does.
        self.flush_out();
        self.finish_round(batch, round, now)?;
        Ok(true)
    }

    fn finish_round(
        &mut self,
        batch: WriteBatch,
        round: Round,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        let durability = if round.must_sync() { Durability::Synced } else { Durability::Buffered };
        // Only when space is short may the write have to be repeated.
        let again = self.engine.check_room(Room::Growth).is_err().then(|| batch.clone());
        if !batch.is_empty() {
            match self.engine.write(batch, durability) {
                Ok(()) => self.count_write(durability, &round),
                Err(StorageError::DiskFull) if again.is_some() => {
                    tracing::error!("disk full: replication waits for space");
                    self.stalled = again.map(|batch| (batch, round));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.complete_round(round, now)?;
        self.hand_over();
        Ok(())
    }

    /// True when nothing is held back by a full disk (any more).
    fn retry_stalled(&mut self, now: MonoTime) -> Result<bool, RaftError> {
        if let Some((batch, round)) = self.stalled.take() {
            self.finish_round(batch, round, now)?;
        }
        Ok(self.stalled.is_none())
    }

    /// Queues a message for another node.
    pub(crate) fn send(&mut self, to: NodeId, message: PeerMessage) {
        self.out.entry(to).or_default().push(message);
    }

    pub(crate) fn flush_out(&mut self) {
        for (to, messages) in std::mem::take(&mut self.out) {
            if let Err(dropped) = self.outbox.send(to, messages) {
                self.on_dropped(&dropped);
            }
        }
    }

    /// Messages have not left: leaders need not wait for answers to find out.
    fn on_dropped(&mut self, messages: &[PeerMessage]) {
        for message in messages {
            if let PeerMessage::Raft(envelope) = message
                && let Some(slot) = self.slots.get_mut(&envelope.range)
            {
                slot.group.report_unreachable(envelope.to.0);
            }
        }
    }

    /// Everything queued goes out: messages and the applier's tasks.
    fn hand_over(&mut self) {
        self.flush_out();
        self.applier.append(&mut self.tasks);
    }

    fn next_wake(&self) -> Option<MonoTime> {
        [self.next_tick, self.next_snapshot_part(), self.next_settled()].into_iter().flatten().min()
    }

    /// Groups on this node, for metrics and views: at once when leaders or replicas have changed,
    /// else when the last list is a while old.
    fn publish_groups(&mut self, now: MonoTime) {
        if self.views_stale || now >= self.next_views {
            self.views_stale = false;
            self.next_views = now + VIEWS_AGE_MAX;
            let views = self.slots.values().map(Slot::view).collect();
            self.core.stats.set_groups(views);
        }
    }
}
