//! The parts of one snapshot on their way to one replica.
//!
//! A few parts travel unacknowledged at a time, so that a slow link or disk at the other end sets the
//! pace; they are kept until they are acknowledged, and sent again when no answer comes.

use crate::raft::snapshot_send::SnapshotTail;
use base::MonoTime;
use base::codec::{Blob, to_message};
use std::collections::VecDeque;
use storage::StorageResult;

/// Most parts without an acknowledgement.
const WINDOW: usize = 8;

/// Where the parts come from, encoded one by one as they are needed.
pub(crate) type Parts = Box<dyn Iterator<Item = StorageResult<Vec<u8>>> + Send>;

/// What is sent of a snapshot, and what has arrived.
pub(crate) struct Stream {
    /// Names the stream to the receiver; 0 until the first part is sent.
    pub(crate) id: u64,
    pub(crate) tail: SnapshotTail,
    /// The next part may leave at this time.
    pub(crate) due: MonoTime,
    parts: Option<Parts>,
    /// Parts from `acknowledged` on.
    window: VecDeque<Part>,
    acknowledged: u64,
    /// The next part to send, again or for the first time.
    next: u64,
    /// The tick at which parts were last sent again.
    went_back: u64,
}

/// One part.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) sequence: u64,
    pub(crate) data: Blob,
    /// Set on the last one.
    pub(crate) tail: Option<Blob>,
}

impl Stream {
    pub(crate) fn new(parts: Parts, tail: SnapshotTail) -> Stream {
        Stream {
            id: 0,
            tail,
            due: MonoTime(0),
            parts: Some(parts),
            window: VecDeque::new(),
            acknowledged: 0,
            next: 0,
            went_back: 0,
        }
    }

    /// The next part, if one may be sent now. An empty one with the tail comes last.
    pub(crate) fn next_part(&mut self) -> StorageResult<Option<Part>> {
        let known = (self.next - self.acknowledged) as usize;
        if known == self.window.len() {
            let Some(parts) = self.parts.as_mut().filter(|_| known < WINDOW) else {
                return Ok(None);
            };
            let data = parts.next().transpose()?;
            let tail = data.is_none().then(|| Blob::from(to_message(&self.tail)));
            if tail.is_some() {
                self.parts = None;
            }
            let data = data.unwrap_or_default().into();
            self.window.push_back(Part { sequence: self.next, data, tail });
        }
        self.next += 1;
        Ok(self.window.get(known).cloned())
    }

    /// True when the next part waits for nothing but its time.
    pub(crate) fn may_send(&self) -> bool {
        let known = (self.next - self.acknowledged) as usize;
        known < self.window.len() || (self.parts.is_some() && known < WINDOW)
    }

    /// The first `parts` parts have arrived; true when that is news.
    pub(crate) fn acknowledge(&mut self, parts: u64) -> bool {
        let sent = self.acknowledged + self.window.len() as u64;
        if parts <= self.acknowledged || parts > sent {
            return false;
        }
        self.window.drain(..(parts - self.acknowledged) as usize);
        self.acknowledged = parts;
        self.next = self.next.max(parts);
        true
    }

    /// No answer: everything that is not acknowledged is sent again, once in this tick.
    pub(crate) fn go_back(&mut self, tick: u64) {
        if std::mem::replace(&mut self.went_back, tick) != tick {
            self.next = self.acknowledged;
        }
    }

    /// Parts that have arrived.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Everything has arrived.
    pub(crate) fn is_done(&self) -> bool {
        self.parts.is_none() && self.window.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::local::{AppliedState, KnownState};
    use base::{NodeId, RangeDescriptor};
    use consensus::Membership;

    fn stream(parts: u8) -> Stream {
        let descriptor = RangeDescriptor::first(&[NodeId(1)]);
        let known = KnownState { descriptor, membership: Membership::of_voters([1]) };
        let applied = AppliedState::default();
        let tail = SnapshotTail { known, applied, message: Blob::from(Vec::new()) };
        Stream::new(Box::new((0..parts).map(|n| Ok(vec![n]))), tail)
    }

    fn send_all(stream: &mut Stream) -> Vec<u64> {
        std::iter::from_fn(|| stream.next_part().unwrap()).map(|part| part.sequence).collect()
    }

    #[test]
    fn a_window_travels_at_a_time_and_again_when_it_is_lost() {
        let mut stream = stream(9);
        assert_eq!(send_all(&mut stream), (0..8).collect::<Vec<_>>());
        assert!(!stream.may_send());
        assert!(stream.acknowledge(2));
        assert!(!stream.acknowledge(2) && !stream.acknowledge(11));
        assert_eq!(send_all(&mut stream), [8, 9]);
        stream.go_back(1);
        assert!(stream.may_send());
        assert_eq!(send_all(&mut stream), (2..10).collect::<Vec<_>>());
        assert!(!stream.is_done());
        assert!(stream.acknowledge(10));
        assert!(stream.is_done() && !stream.may_send());
    }
}
