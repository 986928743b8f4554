//! Stamps and encodes what the library wants sent.

use super::*;
use crate::ready::Message;

impl Group {
    pub(super) fn outgoing(
        &mut self,
        messages: Vec<eraftpb::Message>,
        now: MonoTime,
    ) -> Vec<Message> {
        messages.into_iter().map(|message| self.outgoing_one(message, now)).collect()
    }

    fn outgoing_one(&mut self, message: eraftpb::Message, now: MonoTime) -> Message {
        let stamp = self.stamp(&message, now);
        let to = message.to;
        let is_snapshot = message.get_msg_type() == MessageType::MsgSnapshot;
        let snapshot = is_snapshot.then(|| message.get_snapshot().get_metadata().index);
        let bytes = Envelope { stamp, payload: Payload::Raft(Box::new(message)) }.encode();
        Message { to, bytes, snapshot }
    }

    fn stamp(&mut self, message: &eraftpb::Message, now: MonoTime) -> u64 {
        match message.get_msg_type() {
            MessageType::MsgAppend | MessageType::MsgHeartbeat | MessageType::MsgSnapshot => now.0,
            MessageType::MsgAppendResponse | MessageType::MsgHeartbeatResponse => self.lease.echo(),
            MessageType::MsgRequestVoteResponse if !message.reject => self.lease.silence(now),
            MessageType::MsgTimeoutNow => {
                self.handed_over = Some(message.term);
                u64::from(self.lease.is_settled(now))
            }
            _ => 0,
        }
    }
}
