//! Messages that no correct peer sends: they are refused or harmless, in every role.

use crate::world::World;
use bytes::Bytes;
use consensus::{Envelope, Payload};
use raft::eraftpb::{Entry, Message, MessageType};
use std::time::Duration;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn of(&mut self, choices: &[u64]) -> u64 {
        choices[(self.next() % choices.len() as u64) as usize]
    }

    /// A number near one that means something, or at an end.
    fn near(&mut self, number: u64) -> u64 {
        let around = [number.saturating_sub(1), number, number + 1];
        let ends = [0, 1, u64::MAX - 1, u64::MAX];
        if self.next().is_multiple_of(4) { self.of(&ends) } else { self.of(&around) }
    }
}

fn message(random: &mut Random, to: u64, term: u64, places: &[u64]) -> Message {
    let kinds = [
        MessageType::MsgAppend,
        MessageType::MsgAppendResponse,
        MessageType::MsgHeartbeat,
        MessageType::MsgHeartbeatResponse,
        MessageType::MsgSnapshot,
        MessageType::MsgRequestVote,
        MessageType::MsgRequestVoteResponse,
        MessageType::MsgRequestPreVote,
        MessageType::MsgRequestPreVoteResponse,
        MessageType::MsgTimeoutNow,
        MessageType::MsgUnreachable,
        MessageType::MsgPropose,
        MessageType::MsgReadIndex,
        MessageType::MsgTransferLeader,
    ];
    let mut place = |random: &mut Random| {
        let place = random.of(places);
        random.near(place)
    };
    let mut message = Message::default();
    message.set_msg_type(kinds[(random.next() % kinds.len() as u64) as usize]);
    message.to = to;
    message.from = random.of(&[1, 2, 3, 4]);
    message.term = random.near(term);
    message.index = place(random);
    message.log_term = random.near(term);
    message.commit = place(random);
    message.reject = random.next().is_multiple_of(2);
    message.reject_hint = place(random);
    message.request_snapshot = random.of(&[0, 0, 0, 1]);
    let meta = message.mut_snapshot().mut_metadata();
    (meta.index, meta.term) = (place(random), random.near(term));
    let entries = (0..random.next() % 3).map(|n| Entry {
        index: message.index.wrapping_add(1 + n),
        term: random.near(term),
        data: Bytes::from_static(b"forged"),
        ..Entry::default()
    });
    let entries: Vec<Entry> = entries.collect();
    message.set_entries(entries.into());
    message
}

fn run(seed: u64) -> usize {
    let mut random = Random(seed);
    let (mut world, mut out) = (World::new(), String::new());
    world.create(1, &[1, 2, 3]);
    let mut accepted = 0;
    for _ in 0..300 {
        let id = (1, random.of(&[1, 2, 3]));
        world.now = world.now + Duration::from_millis(random.next() % 100);
        let now = world.now;
        let group = world.group(id);
        match random.next() % 10 {
            0 => group.campaign(now),
            1 => group.tick(now),
            // Refused by those that do not lead.
            2 => drop(group.propose(vec![Bytes::from_static(b"true")], now)),
            3 => drop(group.transfer(1 + id.1 % 3, now)),
            _ => {
                let status = group.status();
                let places = [status.first, status.commit, status.last];
                let message = message(&mut random, id.1, status.term, &places);
                let from = message.from;
                let envelope = Envelope {
                    stamp: random.near(now.0),
                    payload: Payload::Raft(Box::new(message)),
                };
                let group = world.group(id);
                accepted += usize::from(group.step(from, envelope, now).is_ok());
                group.progress();
            }
        }
        world.settle(&mut out);
        match random.next() % 4 {
            0 => world.deliver(&mut out),
            1 => world.flights.clear(),
            _ => {}
        }
    }
    accepted
}

#[test]
fn forged_messages_end_nobody() {
    let accepted: usize = (1..=300).map(run).sum();
    assert!(accepted > 1000, "forgeries must be good enough to be looked at: {accepted}");
}
