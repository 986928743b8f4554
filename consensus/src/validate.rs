//! Checks a peer's message before the library sees it: the library trusts its peers and answers
//! what cannot be with a panic.

use crate::ConsensusError;
use crate::log_cache::LogCache;
use raft::eraftpb::{Message, MessageType};
use raft::{Raft, Storage};

/// Far above every term that elections lead to. What follows from a term or an index below it can be
/// counted up for ever.
const NUMBER_MAX: u64 = 1 << 62;

/// Refuses a message that no correct peer sends, or whose handling would panic.
pub(crate) fn check(
    raft: &Raft<LogCache>,
    from: u64,
    message: &Message,
) -> Result<(), ConsensusError> {
    if message.from != from || from == raft.id || message.to != raft.id {
        return Err(ConsensusError::BadMessage("address"));
    }
    if message.term == 0 || message.term > NUMBER_MAX {
        return Err(ConsensusError::BadMessage("term"));
    }
    if message.index > NUMBER_MAX {
        return Err(ConsensusError::BadMessage("index"));
    }
    match message.get_msg_type() {
        MessageType::MsgAppend => check_append(raft, message),
        MessageType::MsgAppendResponse => check_append_response(raft, message),
        MessageType::MsgHeartbeat => check_heartbeat(raft, message),
        MessageType::MsgSnapshot => check_snapshot(raft, message),
        MessageType::MsgRequestVote
        | MessageType::MsgRequestVoteResponse
        | MessageType::MsgRequestPreVote
        | MessageType::MsgRequestPreVoteResponse
        | MessageType::MsgHeartbeatResponse
        | MessageType::MsgTimeoutNow => Ok(()),
        // Proposals and reads are never forwarded; the rest is local.
        _ => Err(ConsensusError::BadMessage("type")),
    }
}

fn check_append(raft: &Raft<LogCache>, message: &Message) -> Result<(), ConsensusError> {
    let mut term = message.log_term;
    // The library takes term 0 for that of every entry it does not have.
    if term == 0 && message.index != 0 {
        return Err(ConsensusError::BadMessage("entries without a place"));
    }
    for (entry, index) in message.get_entries().iter().zip(message.index + 1..) {
        if entry.index != index || entry.term < term || entry.term > message.term {
            return Err(ConsensusError::BadMessage("entries out of order"));
        }
        term = entry.term;
        let is_settled = index <= raft.raft_log.committed && message.term >= raft.term;
        // The library says 0 for entries that were cut off.
        let contradicts = |own: u64| own != 0 && own != entry.term;
        if is_settled && raft.raft_log.term(index).is_ok_and(contradicts) {
            return Err(ConsensusError::BadMessage("contradicts a committed entry"));
        }
    }
    Ok(())
}

fn check_append_response(raft: &Raft<LogCache>, message: &Message) -> Result<(), ConsensusError> {
    if message.request_snapshot != 0 {
        return Err(ConsensusError::BadMessage("request for a snapshot"));
    }
    if message.term == raft.term && message.index > raft.raft_log.last_index() {
        return Err(ConsensusError::BadMessage("acknowledges entries that do not exist"));
    }
    if message.reject && message.reject_hint > message.index {
        return Err(ConsensusError::BadMessage("hint behind what is rejected"));
    }
    // The library would step back behind what the follower has acknowledged.
    let progress = raft.prs().get(message.from);
    if message.reject && progress.is_some_and(|p| message.index <= p.matched) {
        return Err(ConsensusError::BadMessage("late rejection"));
    }
    Ok(())
}

/// A leader tells a follower of commits only up to what the follower has acknowledged. If that is
/// not in the log any more, the disk has lost it.
fn check_heartbeat(raft: &Raft<LogCache>, message: &Message) -> Result<(), ConsensusError> {
    if message.term >= raft.term && message.commit > raft.raft_log.last_index() {
        return Err(ConsensusError::Corrupt(format!(
            "acknowledged up to {}, but the log ends at {}",
            message.commit,
            raft.raft_log.last_index()
        )));
    }
    Ok(())
}

/// A snapshot is installed before the group hears of it; the message only moves the commit index.
fn check_snapshot(raft: &Raft<LogCache>, message: &Message) -> Result<(), ConsensusError> {
    let meta = message.get_snapshot().get_metadata();
    let is_installed = meta.index <= raft.raft_log.committed
        || raft.store().term(meta.index).is_ok_and(|term| term == meta.term);
    if is_installed { Ok(()) } else { Err(ConsensusError::BadMessage("snapshot not installed")) }
}
