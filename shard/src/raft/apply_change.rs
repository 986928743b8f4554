//! A change of members, on every replica: members and descriptor change with the same entry.

use crate::raft::applier::{After, Applier};
use crate::raft::committed::MembershipCommand;
use crate::raft::error::RaftError;
use crate::raft::events::ApplyEvent;
use base::RangeId;
use base::codec::from_message;
use consensus::Entry;

impl Applier {
    /// Accepts the change if nothing has changed the descriptor since it was proposed, and tells the
    /// loop either way.
    pub(crate) fn apply_change(&mut self, range: RangeId, entry: &Entry) -> Result<(), RaftError> {
        let Some(state) = self.states.get_mut(&range) else { return Ok(()) };
        let command: MembershipCommand = from_message(&entry.data)
            .map_err(|e| RaftError::Corrupt(format!("{range}: entry {}: {e}", entry.index)))?;
        let is_next = command.descriptor.epoch == state.known.descriptor.epoch + 1;
        let members = state.known.membership.after(&command.change);
        let change = match members {
            Ok(members) if is_next => {
                state.known.membership = members;
                self.set_descriptor(range, command.descriptor);
                Some(command.change)
            }
            _ => None,
        };
        let event = ApplyEvent::Changed { range, index: entry.index, change };
        self.after.push(After::Tell(event));
        Ok(())
    }
}
