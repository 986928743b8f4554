//! A snapshot on its way to this node.
//!
//! Parts are staged in the engine, beside the replica's present state, which stays whole until all
//! of the new one is here: a snapshot that breaks off leaves the replica as it was. When the last
//! part has arrived the applier exchanges the state ([`crate::raft::install`]), and only then does
//! the group hear of the snapshot.

use crate::raft::error::RaftError;
use crate::raft::events::{ApplyTask, InstallSnapshot};
use crate::raft::local;
use crate::raft::raft_loop::RaftLoop;
use crate::raft::shared::ReplicaShared;
use crate::raft::snapshot_send::SnapshotTail;
use crate::raft::stats::StatsBoard;
use base::codec::from_message;
use base::peer_api::{PeerMessage, RaftEnvelope, SnapshotChunk};
use base::{MonoTime, NodeId, RangeId, ReplicaId};
use consensus::{Envelope, Payload};
use std::sync::Arc;

/// Parts that have arrived.
pub(crate) struct IncomingSnapshot {
    /// Names the parts in the engine.
    stage: u64,
    stream: u64,
    from: ReplicaId,
    parts: u64,
    bytes: u64,
    /// All parts are with the applier.
    is_installing: bool,
}

impl RaftLoop {
    pub(crate) fn on_snapshot_part(&mut self, chunk: SnapshotChunk) {
        let range = chunk.range;
        let sender = (chunk.from_node, chunk.from);
        if !self.admit(range, sender, chunk.to, true, 0) {
            return;
        }
        let is_known = |i: &IncomingSnapshot| i.stream == chunk.stream && i.from == chunk.from;
        let is_older = |i: &IncomingSnapshot| chunk.stream < i.stream && i.from == chunk.from;
        let known = self.incoming.get(&range);
        if known.is_some_and(is_older) {
            return;
        }
        let is_installing = known.is_some_and(|incoming| incoming.is_installing);
        if !known.is_some_and(is_known) && (is_installing || !self.begin_incoming(&chunk)) {
            return;
        }
        let Some(incoming) = self.incoming.get_mut(&range) else { return };
        if incoming.is_installing || incoming.parts != chunk.sequence {
            // Sent again, or behind one that was lost: the sender learns where to go on.
            let (stream, parts) = (incoming.stream, incoming.parts);
            return self.acknowledge_parts(range, sender, chunk.to, stream, parts);
        }
        let place = (incoming.stage, incoming.parts);
        local::put_staged(&mut self.batch, range, place, &chunk.data);
        incoming.parts += 1;
        incoming.bytes += chunk.data.len() as u64;
        let (stream, parts) = (incoming.stream, incoming.parts);
        if let Some(tail) = &chunk.last {
            match from_message::<SnapshotTail>(tail) {
                Ok(tail) => {
                    incoming.is_installing = true;
                    let install = install(&chunk, tail, incoming);
                    self.tasks.push(ApplyTask::Install(install));
                }
                Err(_) => return self.drop_incoming(range),
            }
        }
        self.acknowledge_parts(range, sender, chunk.to, stream, parts);
    }

    fn acknowledge_parts(
        &mut self,
        range: RangeId,
        to: (NodeId, ReplicaId),
        from: ReplicaId,
        stream: u64,
        parts: u64,
    ) {
        self.answer_snapshot(range, to, from, Payload::PartsReceived { stream, parts });
    }

    /// The first part: parts of an older snapshot are void. Refused when another replica on this
    /// node still owns some of the keys, as the unsplit neighbour does until it applies the split; and
    /// when the parts before were lost with this process's memory.
    fn begin_incoming(&mut self, chunk: &SnapshotChunk) -> bool {
        let range = chunk.range;
        let overlaps = |id: &RangeId| {
            let slot = &self.slots[id];
            *id != range
                && *id != RangeId::META
                && slot.is_known
                && slot.shared.descriptor().span.overlaps(&chunk.descriptor.span)
        };
        let has_begun = chunk.sequence > 0;
        if has_begun || (range != RangeId::META && self.slots.keys().any(overlaps)) {
            self.refuse(range, (chunk.from_node, chunk.from), chunk.to);
            return false;
        }
        self.drop_incoming(range);
        self.last_stage += 1;
        let incoming = IncomingSnapshot {
            stage: self.last_stage,
            stream: chunk.stream,
            from: chunk.from,
            parts: 0,
            bytes: 0,
            is_installing: false,
        };
        self.incoming.insert(range, incoming);
        true
    }

    /// The applier has exchanged the state, or could not.
    pub(crate) fn on_installed(
        &mut self,
        install: InstallSnapshot,
        is_refused: bool,
        shared: Option<Arc<ReplicaShared>>,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        let range = install.range;
        if self.incoming.get(&range).is_some_and(|incoming| incoming.stage == install.stage) {
            self.incoming.remove(&range);
        }
        let is_current =
            self.slots.get(&range).is_some_and(|slot| slot.shared.replica == install.replica);
        if !is_current {
            return Ok(());
        }
        if is_refused {
            self.refuse(range, (install.from_node, install.from), install.replica);
            return Ok(());
        }
        StatsBoard::add(&self.core.stats.snapshots_installed, 1);
        self.reload(range, shared, now)?;
        let Some(slot) = self.slots.get_mut(&range) else { return Ok(()) };
        slot.addresses.insert(install.from.0, install.from_node);
        if let Ok(message) = Envelope::decode(&install.message)
            && let Err(refused) = slot.group.step(install.from.0, message, now)
        {
            tracing::debug!(%range, %refused, "announcement of a snapshot refused");
        }
        self.touch(range);
        Ok(())
    }

    fn refuse(&mut self, range: RangeId, to: (NodeId, ReplicaId), from: ReplicaId) {
        self.answer_snapshot(range, to, from, Payload::SnapshotRefused);
    }

    fn answer_snapshot(
        &mut self,
        range: RangeId,
        to: (NodeId, ReplicaId),
        from: ReplicaId,
        payload: Payload,
    ) {
        let message = Envelope::plain(payload).encode().into();
        let from_node = self.config.node;
        let envelope = RaftEnvelope { range, from_node, from, to: to.1, message };
        self.send(to.0, PeerMessage::Raft(envelope));
    }

    /// Forgets the parts that have arrived. If the applier has them already it removes them itself: it
    /// may be in the middle of them.
    pub(crate) fn drop_incoming(&mut self, range: RangeId) {
        let incoming = self.incoming.remove(&range);
        if let Some(incoming) = incoming.filter(|incoming| !incoming.is_installing) {
            local::clear_staged(&mut self.batch, range, incoming.stage, incoming.parts);
        }
    }
}

fn install(
    chunk: &SnapshotChunk,
    tail: SnapshotTail,
    incoming: &IncomingSnapshot,
) -> InstallSnapshot {
    InstallSnapshot {
        range: chunk.range,
        replica: chunk.to,
        from: chunk.from,
        from_node: chunk.from_node,
        known: tail.known,
        applied: tail.applied,
        stage: incoming.stage,
        parts: incoming.parts,
        bytes: incoming.bytes,
        message: tail.message,
    }
}
