//! A range's state on its way to a replica that cannot be caught up from the log.
//!
//! Steps: the library finds that a follower needs what the log has no more (*wanted*); the applier
//! pins the state (*pinned*); the library announces it with a message, which is held back while the
//! parts are sent ([`crate::raft::snapshot_stream`]) and goes with the last part; the follower's
//! answer, or the lack of one, ends it (*sent*).

use crate::raft::error::RaftError;
use crate::raft::events::ApplyTask;
use crate::raft::group::Slot;
use crate::raft::local::{AppliedState, KnownState};
use crate::raft::raft_loop::RaftLoop;
use crate::raft::snapshot_stream::{Parts, Stream};
use crate::raft::stats::StatsBoard;
use base::codec::{Blob, to_message};
use base::peer_api::{PeerMessage, SnapshotChunk};
use base::{MonoTime, RangeId, ReplicaId};
use bincode::{Decode, Encode};
use bytes::Bytes;
use consensus::SnapshotMeta;
use storage::{Snapshot, chunks};

/// The state of a replica, pinned at one applied entry.
pub(crate) struct PinnedState {
    pub(crate) known: KnownState,
    pub(crate) applied: AppliedState,
    pub(crate) data: PinnedData,
}

/// Where the data is read from.
pub(crate) enum PinnedData {
    /// A range: its part of a pinned view.
    Range(Snapshot),
    /// A state machine: all its pairs.
    Pairs(Vec<(Bytes, Bytes)>),
}

/// What goes with the last part.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct SnapshotTail {
    pub(crate) known: KnownState,
    pub(crate) applied: AppliedState,
    /// The Raft message that announces the snapshot.
    pub(crate) message: Blob,
}

/// One snapshot to one replica.
pub(crate) struct SnapshotSend {
    phase: Phase,
    /// Tick of the last step.
    tick: u64,
    /// Index of the snapshot, once pinned: the log behind it must stay.
    pub(crate) index: Option<u64>,
}

enum Phase {
    Wanted,
    Pinned(Box<PinnedState>),
    Streaming(Box<Stream>),
    Sent,
    /// Refused or lost: not again before some time has passed.
    Resting,
}

impl SnapshotSend {
    /// Parts that have arrived so far.
    pub(crate) fn parts(&self) -> u64 {
        match &self.phase {
            Phase::Streaming(stream) => stream.acknowledged(),
            _ => 0,
        }
    }
}

impl Slot {
    /// The library has announced a snapshot: its parts go first.
    pub(crate) fn announce_snapshot(
        &mut self,
        to: ReplicaId,
        index: u64,
        message: Vec<u8>,
        part_bytes: usize,
    ) {
        let Some(send) = self.sends.get_mut(&to) else { return };
        let Phase::Pinned(state) = std::mem::replace(&mut send.phase, Phase::Resting) else {
            return;
        };
        if state.applied.index != index {
            self.group.report_snapshot(to.0, false);
            return;
        }
        let PinnedState { known, applied, data } = *state;
        let span = known.descriptor.span.clone();
        let parts: Parts = match data {
            PinnedData::Range(view) => Box::new(chunks::export(&view, &span, part_bytes)),
            PinnedData::Pairs(pairs) => Box::new(std::iter::once(Ok(encode_pairs(pairs)))),
        };
        let tail = SnapshotTail { known, applied, message: message.into() };
        send.phase = Phase::Streaming(Box::new(Stream::new(parts, tail)));
    }
}

fn encode_pairs(pairs: Vec<(Bytes, Bytes)>) -> Vec<u8> {
    let pairs: Vec<(Blob, Blob)> = pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
    to_message(&pairs)
}

impl RaftLoop {
    /// Asks the applier for the states that the library wants to send.
    pub(crate) fn request_snapshots(&mut self, range: RangeId) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        for to in slot.group.take_snapshots_wanted() {
            let is_away = slot.node_of(to).is_none_or(|node| self.peers.is_gone(node));
            let to = ReplicaId(to);
            if is_away || self.ticks < slot.young_until || slot.sends.contains_key(&to) {
                continue;
            }
            let send = SnapshotSend { phase: Phase::Wanted, tick: self.ticks, index: None };
            slot.sends.insert(to, send);
            self.sending.insert(range);
            self.tasks.push(ApplyTask::Pin { range, to });
        }
    }

    /// The state is pinned: announce it.
    pub(crate) fn on_pinned(&mut self, range: RangeId, to: ReplicaId, state: PinnedState) {
        let ticks = self.ticks;
        let Some(slot) = self.slots.get_mut(&range) else { return };
        slot.sync_applied();
        // Asked for twice, because the first state was long in coming.
        let is_wanted = |send: &&mut SnapshotSend| matches!(send.phase, Phase::Wanted);
        let Some(send) = slot.sends.get_mut(&to).filter(is_wanted) else { return };
        let meta = SnapshotMeta {
            index: state.applied.index,
            term: state.applied.term,
            membership: state.known.membership.clone(),
        };
        send.phase = Phase::Pinned(Box::new(state));
        send.tick = ticks;
        send.index = Some(meta.index);
        slot.group.send_snapshot(to.0, meta);
        self.touch(range);
    }

    /// Sends the parts that are due and looks after snapshots that lead nowhere.
    pub(crate) fn pump_snapshots(&mut self, now: MonoTime) -> Result<bool, RaftError> {
        let mut did_work = false;
        for range in self.sending.clone() {
            let Some(slot) = self.slots.get(&range) else {
                self.sending.remove(&range);
                continue;
            };
            for to in slot.sends.keys().copied().collect::<Vec<_>>() {
                did_work |= self.pump_snapshot(range, to, now)?;
            }
            if self.slots.get(&range).is_none_or(|slot| slot.sends.is_empty()) {
                self.sending.remove(&range);
            }
        }
        Ok(did_work)
    }

    fn pump_snapshot(
        &mut self,
        range: RangeId,
        to: ReplicaId,
        now: MonoTime,
    ) -> Result<bool, RaftError> {
        let (ticks, patience) = (self.ticks, self.config.election_ticks as u64);
        let Some(slot) = self.slots.get_mut(&range) else { return Ok(false) };
        let Some(send) = slot.sends.get_mut(&to) else { return Ok(false) };
        match &mut send.phase {
            Phase::Streaming(stream) if stream.may_send() && stream.due <= now => {
                return self.send_part(range, to, now).map(|()| true);
            }
            Phase::Streaming(stream) => {
                let silence = ticks.saturating_sub(send.tick);
                if silence > patience * 3 {
                    slot.group.report_snapshot(to.0, false);
                    send.phase = Phase::Resting;
                    send.tick = ticks;
                } else if silence > 0 && silence.is_multiple_of(patience / 2) {
                    stream.go_back(ticks);
                }
            }
            Phase::Sent => {
                let progress = slot.group.progress();
                let peer = progress.iter().find(|p| p.replica == to.0);
                if peer.is_none_or(|p| !p.is_in_snapshot) {
                    slot.sends.remove(&to);
                } else if ticks > send.tick + patience * 3 {
                    slot.group.report_snapshot(to.0, false);
                    send.phase = Phase::Resting;
                    send.tick = ticks;
                }
            }
            Phase::Wanted | Phase::Pinned(_) | Phase::Resting => {
                if ticks > send.tick + patience {
                    slot.sends.remove(&to);
                    // The library sends nothing to a replica that it takes to be busy with a snapshot.
                    slot.group.report_snapshot(to.0, false);
                }
            }
        }
        Ok(false)
    }

    fn send_part(&mut self, range: RangeId, to: ReplicaId, now: MonoTime) -> Result<(), RaftError> {
        let pace = self.config.snapshot_pace;
        let Some(slot) = self.slots.get_mut(&range) else { return Ok(()) };
        let (from, node) = (slot.shared.replica, slot.node_of(to.0));
        let Some(send) = slot.sends.get_mut(&to) else { return Ok(()) };
        let Phase::Streaming(stream) = &mut send.phase else { return Ok(()) };
        if stream.id == 0 {
            self.last_stream += 1;
            stream.id = self.last_stream.max(now.0);
            self.last_stream = stream.id;
        }
        let Some(part) = stream.next_part()? else { return Ok(()) };
        stream.due = now + pace;
        let chunk = SnapshotChunk {
            range,
            from_node: self.config.node,
            from,
            to,
            stream: stream.id,
            sequence: part.sequence,
            data: part.data,
            descriptor: stream.tail.known.descriptor.clone(),
            last: part.tail,
        };
        if let Some(node) = node {
            self.send(node, PeerMessage::SnapshotChunk(chunk));
        }
        Ok(())
    }

    /// Parts of a snapshot have arrived.
    pub(crate) fn parts_received(
        &mut self,
        range: RangeId,
        by: ReplicaId,
        stream: u64,
        parts: u64,
    ) {
        let ticks = self.ticks;
        let Some(slot) = self.slots.get_mut(&range) else { return };
        let Some(send) = slot.sends.get_mut(&by) else { return };
        let Phase::Streaming(sent) = &mut send.phase else { return };
        if sent.id != stream || !sent.acknowledge(parts) {
            return;
        }
        send.tick = ticks;
        if sent.is_done() {
            send.phase = Phase::Sent;
            StatsBoard::add(&self.core.stats.snapshots_sent, 1);
        }
    }

    /// When the next part of any snapshot is due.
    pub(crate) fn next_snapshot_part(&self) -> Option<MonoTime> {
        let sends = self.sending.iter().filter_map(|range| self.slots.get(range));
        sends
            .flat_map(|slot| slot.sends.values())
            .filter_map(|send| match &send.phase {
                Phase::Streaming(stream) if stream.may_send() => Some(stream.due),
                _ => None,
            })
            .min()
    }

    /// The follower could not take the snapshot: not again before some time has passed.
    pub(crate) fn snapshot_refused(&mut self, range: RangeId, by: ReplicaId) {
        let ticks = self.ticks;
        if let Some(send) = self.slots.get_mut(&range).and_then(|slot| slot.sends.get_mut(&by)) {
            send.phase = Phase::Resting;
            send.tick = ticks;
        }
    }
}
