//! What the loop does with each input.

use crate::raft::error::RaftError;
use crate::raft::events::{ApplyEvent, ApplyTask, LoopInput};
use crate::raft::group::Slot;
use crate::raft::local;
use crate::raft::raft_loop::RaftLoop;
use crate::raft::stats::StatsBoard;
use base::peer_api::{PeerMessage, RaftEnvelope};
use base::{KvError, MonoTime, NodeId, RangeId, ReplicaId};
use bytes::Bytes;
use consensus::{ConsensusError, Envelope, Payload};

/// A replica's question whether it is still a member is passed on so many times.
pub(crate) const QUESTIONS_MAX: u64 = 4;

impl RaftLoop {
    pub(crate) fn dispatch(&mut self, input: LoopInput, now: MonoTime) -> Result<(), RaftError> {
        match input {
            LoopInput::Propose { range, term, command, waiter } => {
                match self.slots.get_mut(&range) {
                    Some(slot) => {
                        slot.inbound.push((term, command, waiter));
                        self.asked.insert(range);
                    }
                    None => waiter.finish(Err(KvError::RangeNotFound(range))),
                }
            }
            LoopInput::Peer { from, messages } => self.on_peer(from, messages, now)?,
            LoopInput::Gone(node) => self.on_gone(node, now),
            LoopInput::Bootstrap(descriptor) => self.bootstrap(descriptor, now)?,
            LoopInput::AddMachine { descriptor, machine, slot } => {
                self.add_machine(descriptor, machine, slot, now)?
            }
            LoopInput::ReadIndex { range, reply } => self.on_read_index(range, reply),
            LoopInput::ChangeReplicas { range, add, remove, reply } => {
                self.start_change(range, add, remove, reply, now)
            }
            LoopInput::Transfer { range, target, reply } => {
                self.start_transfer(range, target, reply, now)
            }
            LoopInput::Drain { reply } => self.start_drain(reply, now),
            LoopInput::Done(event) => self.on_applied(event, now)?,
        }
        Ok(())
    }

    /// Appends what was collected for a group, as one run of entries.
    pub(crate) fn append_proposals(&mut self, range: RangeId, now: MonoTime) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        if slot.inbound.is_empty() {
            return;
        }
        let term = slot.group.term();
        let is_leader = slot.group.is_leader();
        let mut commands = Vec::with_capacity(slot.inbound.len());
        let mut waiters = Vec::with_capacity(slot.inbound.len());
        for (expected, command, waiter) in std::mem::take(&mut slot.inbound) {
            if is_leader && expected == term {
                commands.push(command);
                waiters.push(waiter);
            } else {
                waiter.finish(Err(slot.shared.not_leader()));
            }
        }
        if commands.is_empty() {
            return;
        }
        append(slot, commands, waiters, now, &self.core.stats);
        slot.idle_ticks = 0;
        self.touch(range);
    }

    fn on_peer(
        &mut self,
        from: NodeId,
        messages: Vec<PeerMessage>,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        self.heard(from, now);
        StatsBoard::add(&self.core.stats.messages_received, messages.len() as u64);
        for message in messages {
            match message {
                PeerMessage::Raft(envelope) => self.on_raft(envelope, now)?,
                PeerMessage::SnapshotChunk(chunk) => self.on_snapshot_part(chunk),
                PeerMessage::Alive(alive) => self.on_alive(&alive, now),
            }
        }
        Ok(())
    }

    fn on_raft(&mut self, envelope: RaftEnvelope, now: MonoTime) -> Result<(), RaftError> {
        let RaftEnvelope { range, from_node, from, to, message } = envelope;
        let Ok(message) = Envelope::decode(&message) else {
            tracing::warn!(%range, node = %from_node, "malformed message");
            return Ok(());
        };
        let sender = (from_node, from);
        if message.payload == Payload::Present && !self.slots.contains_key(&range) {
            return self.ask_heirs(range, sender, to, &message);
        }
        if self.damaged.get(&range).is_some_and(|damaged| {
            to > *damaged || (to == *damaged && message.payload == Payload::Gone)
        }) {
            self.destroy_damaged(range, sender);
            return Ok(());
        }
        let can_create = message.is_from_leader();
        let asked = if message.payload == Payload::Present { message.stamp } else { 0 };
        if !self.admit(range, sender, to, can_create, asked) {
            return Ok(());
        }
        if message.payload == Payload::Gone {
            self.destroy(range, sender);
            return Ok(());
        }
        if message.payload == Payload::SnapshotRefused {
            self.snapshot_refused(range, from);
        }
        if let Payload::PartsReceived { stream, parts } = message.payload {
            self.parts_received(range, from, stream, parts);
        }
        let Some(slot) = self.slots.get_mut(&range) else { return Ok(()) };
        slot.addresses.insert(from.0, from_node);
        slot.heard_at = self.ticks;
        match slot.group.step(from.0, message, now) {
            Ok(()) => self.touch(range),
            Err(ConsensusError::Corrupt(why)) => self.quarantine(range, &why),
            Err(ConsensusError::Log(why)) => return Err(RaftError::Corrupt(why)),
            Err(refused) => tracing::debug!(%range, %refused, "message refused"),
        }
        Ok(())
    }

    /// Decides whether a message may reach the own replica; has one made if it may exist.
    pub(crate) fn admit(
        &mut self,
        range: RangeId,
        from: (NodeId, ReplicaId),
        to: ReplicaId,
        can_create: bool,
        asked: u64,
    ) -> bool {
        if self.destroying.contains_key(&range) || self.damaged.contains_key(&range) {
            return false;
        }
        let Some(slot) = self.slots.get(&range) else {
            if can_create {
                self.create_empty(range, to);
            }
            return false;
        };
        let own = slot.shared.replica;
        let descriptor = slot.shared.descriptor();
        let was_removed = slot.is_known
            && from.1 < descriptor.next_replica
            && descriptor.node_of(from.1).is_none()
            && !slot.group.membership().contains(from.1.0);
        if was_removed {
            self.answer_removed(range, from, asked);
            return false;
        }
        if to > own {
            // The range has removed this replica and added a new one on this node.
            self.destroy(range, from);
        }
        to == own
    }

    /// Tells a replica that the range goes on without it.
    pub(crate) fn say_gone(&mut self, range: RangeId, to: (NodeId, ReplicaId), from: ReplicaId) {
        let message = Envelope::plain(Payload::Gone).encode().into();
        let from_node = self.config.node;
        let envelope = RaftEnvelope { range, from_node, from, to: to.1, message };
        self.send(to.0, PeerMessage::Raft(envelope));
    }

    /// Somebody asks a replica that is destroyed whether it is still a member: its heirs know.
    fn ask_heirs(
        &mut self,
        range: RangeId,
        from: (NodeId, ReplicaId),
        to: ReplicaId,
        message: &Envelope,
    ) -> Result<(), RaftError> {
        let tombstone = local::tombstone(&self.engine, range)?;
        // The stamp counts the way, so that nothing goes round in circles for ever.
        if to > tombstone.replica || message.stamp >= QUESTIONS_MAX {
            return Ok(());
        }
        for (node, replica) in tombstone.heirs {
            if node != self.config.node && node != from.0 {
                let message = Envelope { stamp: message.stamp + 1, payload: Payload::Present };
                let message = message.encode().into();
                let (from_node, from) = from;
                let envelope = RaftEnvelope { range, from_node, from, to: replica, message };
                self.send(node, PeerMessage::Raft(envelope));
            }
        }
        Ok(())
    }

    /// A leader addresses a replica that this node does not have yet: the applier makes one, unless
    /// a split that it is about to apply does. Messages wait for that; Raft repeats itself.
    fn create_empty(&mut self, range: RangeId, replica: ReplicaId) {
        if range != RangeId::META && self.creating.insert(range) {
            self.tasks.push(ApplyTask::Create { range, replica });
        }
    }

    /// The applier has looked for the replica, and made it if there was none.
    fn on_created(
        &mut self,
        range: RangeId,
        replica: ReplicaId,
        is_new: bool,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        self.creating.remove(&range);
        if is_new && !self.slots.contains_key(&range) {
            let slot = self.empty_slot(range, replica, now)?;
            self.slots.insert(range, slot);
            self.touch(range);
        }
        Ok(())
    }

    /// The replica's log is not what it has promised: it takes part no more. Other nodes have the
    /// data; whoever runs the cluster moves the replica.
    fn quarantine(&mut self, range: RangeId, why: &str) {
        tracing::error!(%range, why, "replica is damaged and stops");
        if let Some(mut slot) = self.slots.remove(&range) {
            slot.shared.set_destroyed();
            slot.proposals.give_up("the replica is damaged");
            slot.refuse_waiting(|| KvError::RangeNotFound(range));
            self.awake.remove(&range);
            // None but the news that it is no member any more: no message makes a new replica in its
            // place.
            self.damaged.insert(range, slot.shared.replica);
            self.views_stale = true;
            self.tasks.push(ApplyTask::Follow { range, leader: None });
        }
    }

    fn on_applied(&mut self, event: ApplyEvent, now: MonoTime) -> Result<(), RaftError> {
        match event {
            ApplyEvent::Changed { range, index, change } => {
                self.on_changed(range, index, change, now)?
            }
            ApplyEvent::Split { left, right, campaign } => {
                self.on_split(left, right, campaign, now)?
            }
            ApplyEvent::Truncate { range, index } => self.cut_log_to(range, index)?,
            ApplyEvent::Pinned { range, to, state } => self.on_pinned(range, to, *state),
            ApplyEvent::Installed { install, is_refused, shared } => {
                self.on_installed(*install, is_refused, shared, now)?
            }
            ApplyEvent::Created { range, replica, is_new } => {
                self.on_created(range, replica, is_new, now)?
            }
            ApplyEvent::Destroyed { range } => drop(self.destroying.remove(&range)),
        }
        Ok(())
    }
}

fn append(
    slot: &mut Slot,
    commands: Vec<Bytes>,
    waiters: Vec<crate::raft::waiter::ProposalWaiter>,
    now: MonoTime,
    stats: &StatsBoard,
) {
    StatsBoard::add(&stats.proposals, commands.len() as u64);
    let term = slot.group.term();
    match slot.group.propose(commands, now) {
        Ok(first) => {
            for (waiter, index) in waiters.into_iter().zip(first..) {
                slot.proposals.push(index, term, waiter);
            }
        }
        Err(ConsensusError::Busy) => {
            let range = slot.shared.range;
            for waiter in waiters {
                waiter.finish(Err(KvError::Unavailable(format!("{range} is changing its leader"))));
            }
        }
        Err(_) => {
            for waiter in waiters {
                waiter.finish(Err(slot.shared.not_leader()));
            }
        }
    }
}
