//! A split, on every replica of the range that is split.
//!
//! Propose: evaluation, as a command with both descriptors; from then until it is applied the leader
//! serves no read by lease, because another node may serve the right half earlier than this one
//! learns that it has lost it.
//! Apply: one batch with the left descriptor and the whole initial state of the right replica, the
//! same on every node.
//! On result: the loop starts the right group; the node that leads the left one campaigns for it.

use crate::raft::applier::{After, Applier};
use crate::raft::error::RaftError;
use crate::raft::events::{ApplyEvent, OpenReplica};
use crate::raft::local::{self, AppliedState, KnownState};
use crate::raft::raft_loop::RaftLoop;
use crate::raft::shared::ReplicaShared;
use crate::raft::start::{members_of, put_initial};
use base::{KvError, KvResult, MonoTime, RangeDescriptor, RangeId};
use std::sync::Arc;
use storage::mvcc;

impl Applier {
    /// Refuses a split that does not fit the present descriptor.
    pub(crate) fn check_split(
        known: &KnownState,
        left: &RangeDescriptor,
        right: &RangeDescriptor,
    ) -> KvResult<()> {
        let old = &known.descriptor;
        let fits = left.range == old.range
            && right.range != old.range
            && left.epoch == old.epoch + 1
            && left.replicas == old.replicas
            && left.span.start == old.span.start
            && left.span.end == right.span.start
            && right.span.end == old.span.end
            && !left.span.is_empty()
            && !right.span.is_empty();
        if !fits {
            return Err(KvError::Fatal(format!("split of {} does not fit", old.range)));
        }
        if known.membership.is_joint() {
            return Err(KvError::Unavailable(format!("members of {} are changing", old.range)));
        }
        Ok(())
    }

    /// Adds the right half to the batch. The left descriptor is the caller's.
    pub(crate) fn split_right(
        &mut self,
        left: RangeId,
        right: RangeDescriptor,
        floor: AppliedState,
        campaign: bool,
    ) -> Result<(), RaftError> {
        let Some(own) = right.replica_on(self.node).copied() else { return Ok(()) };
        let range = right.range;
        let newer = local::replica(&self.engine.snapshot(), range)?
            .is_some_and(|s| s.replica > own.replica);
        if newer || own.replica <= local::tombstone(&self.engine, range)?.replica {
            // The right half has lived on without this replica; its data here is nobody's.
            mvcc::clear(&mut self.batch, &right.span);
            let event = ApplyEvent::Split { left, right: None, campaign: false };
            self.after.push(After::Tell(event));
            return Ok(());
        }
        let membership = members_of(&right);
        let known = KnownState { descriptor: right.clone(), membership };
        let applied = put_initial(&mut self.batch, own.replica, known.clone(), floor);
        let shared = ReplicaShared::new(self.node, own.replica, right, &applied);
        let open = OpenReplica { shared: shared.clone(), known, applied, machine: None };
        self.after.push(After::Open(Box::new(open)));
        let event = ApplyEvent::Split { left, right: Some(shared), campaign };
        self.after.push(After::Tell(event));
        Ok(())
    }
}

impl RaftLoop {
    /// The right half is on disk: start it.
    pub(crate) fn on_split(
        &mut self,
        left: RangeId,
        right: Option<Arc<ReplicaShared>>,
        campaign: bool,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        self.touch(left);
        let Some(shared) = right else { return Ok(()) };
        let range = shared.range;
        self.drop_incoming(range);
        self.reload(range, Some(shared), now)?;
        let eager_ticks = 3 * self.config.election_ticks as u64;
        let young_until = self.ticks + self.config.election_ticks as u64;
        if let Some(slot) = self.slots.get_mut(&range) {
            slot.young_until = young_until;
            if campaign && !slot.group.is_leader() {
                slot.eager_ticks = eager_ticks;
                slot.group.campaign(now);
            }
        }
        self.touch(range);
        Ok(())
    }
}
