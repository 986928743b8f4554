//! One round: collect what all groups want written, write it once, go on with what that allows.
//!
//! See [`consensus::Ready`] for the order of duties in a group.

use crate::raft::committed::Committed;
use crate::raft::engine_log;
use crate::raft::error::RaftError;
use crate::raft::events::ApplyTask;
use crate::raft::raft_loop::RaftLoop;
use crate::raft::stats::StatsBoard;
use base::peer_api::{PeerMessage, RaftEnvelope};
use base::{MonoTime, RangeId, ReplicaId};
use consensus::{Entry, EntryKind, Message, Ready};
use storage::{Durability, raft_log};

/// The groups that take part in a write.
#[derive(Default)]
pub(crate) struct Round {
    ready: Vec<(RangeId, Ready)>,
}

impl Round {
    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    pub(crate) fn must_sync(&self) -> bool {
        self.ready.iter().any(|(_, ready)| ready.must_sync)
    }
}

impl RaftLoop {
    /// Collects what is ready into the batch, and sends what may go before the write.
    pub(crate) fn collect_round(&mut self, now: MonoTime) -> Round {
        let mut round = Round::default();
        for range in std::mem::take(&mut self.dirty) {
            let Some(slot) = self.slots.get_mut(&range) else { continue };
            slot.sync_applied();
            // Before any message leaves that another replica may act on.
            slot.publish();
            if slot.group.has_ready() {
                let mut ready = slot.group.ready(now);
                self.write_ready(range, &ready);
                self.send_all(range, std::mem::take(&mut ready.messages));
                round.ready.push((range, ready));
            }
            self.observe_role(range);
            self.request_snapshots(range);
        }
        round
    }

    fn write_ready(&mut self, range: RangeId, ready: &Ready) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        if let Some(first) = ready.entries.first() {
            if first.index <= slot.last_written {
                slot.proposals.replaced_from(first.index);
            }
            engine_log::append(&mut self.batch, range, &ready.entries, slot.last_written);
            slot.last_written = ready.entries[ready.entries.len() - 1].index;
            slot.log_bytes += ready.entries.iter().map(|e| e.data.len() as u64).sum::<u64>();
        }
        if let Some(hard_state) = &ready.hard_state {
            raft_log::set_hard_state(&mut self.batch, range, &hard_state.encode());
        }
    }

    /// What was collected is on disk.
    pub(crate) fn complete_round(&mut self, round: Round, now: MonoTime) -> Result<(), RaftError> {
        for (range, ready) in round.ready {
            self.send_all(range, ready.messages_after);
            let Some(slot) = self.slots.get_mut(&range) else { continue };
            let more = slot.group.persisted(now);
            slot.publish();
            self.send_all(range, more.messages);
            self.hand_to_applier(range, ready.committed, now);
            self.hand_to_applier(range, more.committed, now);
            self.on_reads(range, ready.reads);
            if self.slots.get(&range).is_some_and(|slot| slot.group.has_ready()) {
                self.dirty.insert(range);
            }
        }
        Ok(())
    }

    /// Committed entries go to the applier, with whoever waits for them.
    fn hand_to_applier(&mut self, range: RangeId, entries: Vec<Entry>, now: MonoTime) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        if entries.is_empty() {
            return;
        }
        let term = slot.group.term();
        let begins = slot.is_beginning() && entries.iter().any(|entry| entry.term == term);
        let changes = entries.iter().filter(|e| matches!(e.kind, EntryKind::Change(_)));
        slot.open_changes.extend(changes.map(|entry| entry.index));
        let shared = slot.shared.clone();
        let mut with_waiter = |entry: Entry| {
            let waiter = slot.proposals.take(&entry, || shared.not_leader());
            Committed { entry, waiter }
        };
        let entries = entries.into_iter().map(&mut with_waiter).collect();
        self.tasks.push(ApplyTask::Entries { range, entries });
        if begins {
            slot.begun = term;
            self.settling.insert(range);
            self.announce_lead(range, now);
        }
    }

    pub(crate) fn count_write(&self, durability: Durability, round: &Round) {
        if durability == Durability::Synced {
            StatsBoard::add(&self.core.stats.syncs, 1);
            StatsBoard::add(&self.core.stats.groups_synced, round.ready.len() as u64);
        }
    }

    /// Addresses a group's messages. One that announces a snapshot waits for the snapshot's parts.
    pub(crate) fn send_all(&mut self, range: RangeId, messages: Vec<Message>) {
        for message in messages {
            let Some(slot) = self.slots.get_mut(&range) else { return };
            if let Some(index) = message.snapshot {
                let part_bytes = self.config.snapshot_chunk_bytes;
                let to = ReplicaId(message.to);
                slot.announce_snapshot(to, index, message.bytes, part_bytes);
                continue;
            }
            let Some(node) = slot.node_of(message.to) else { continue };
            let envelope = RaftEnvelope {
                range,
                from_node: self.config.node,
                from: slot.shared.replica,
                to: ReplicaId(message.to),
                message: message.bytes.into(),
            };
            StatsBoard::add(&self.core.stats.messages_sent, 1);
            self.send(node, PeerMessage::Raft(envelope));
        }
    }
}
