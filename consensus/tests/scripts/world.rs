//! The replicas of a script, and the messages between them.

use crate::disk::{Content, Disk};
use base::MonoTime;
use bytes::Bytes;
use consensus::{
    Change, Entry, EntryKind, Envelope, Group, GroupConfig, GroupState, Membership, Message,
    Payload, Ready, SnapshotMeta,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

/// Group and replica.
pub(crate) type Id = (u64, u64);

/// A message on its way.
pub(crate) struct Flight {
    pub(crate) group: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) message: Message,
}

/// Everything.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) now: MonoTime,
    pub(crate) replicas: BTreeMap<Id, Group>,
    pub(crate) disks: BTreeMap<Id, Disk>,
    pub(crate) flights: VecDeque<Flight>,
    pub(crate) cut: BTreeSet<u64>,
    pub(crate) contexts: u64,
    /// Writes reach the disk but are not synced, and nothing that waits for that is done.
    pub(crate) unsynced: BTreeMap<Id, Ready>,
    pub(crate) slow: BTreeSet<u64>,
}

impl World {
    pub(crate) fn new() -> World {
        // Not 0: that is the stamp of messages without one.
        World { now: MonoTime(1_000_000_000), ..World::default() }
    }

    /// A new group with these voters.
    pub(crate) fn create(&mut self, group: u64, voters: &[u64]) {
        let state = GroupState::initial(Membership::of_voters(voters.iter().copied()));
        for replica in voters {
            let content = Content {
                hard_state: state.hard_state,
                truncated: state.truncated,
                membership: state.membership.clone(),
                applied: state.applied,
                ..Content::default()
            };
            self.disks.insert((group, *replica), Disk::new(content));
            self.boot((group, *replica));
        }
    }

    pub(crate) fn boot(&mut self, id: Id) {
        let disk = self.disks.entry(id).or_default();
        // The election timeouts of replicas 1, 2, 3… differ, and are the same in every run.
        let config = GroupConfig::new(id.1, id.0 * 1000 + id.1 * 7);
        let group = Group::new(config, disk.state(), disk.reader(), self.now).expect("replica");
        self.replicas.insert(id, group);
    }

    pub(crate) fn group(&mut self, id: Id) -> &mut Group {
        self.replicas.get_mut(&id).unwrap_or_else(|| panic!("no replica {id:?}"))
    }

    /// Does what the replicas want done, until they want nothing.
    pub(crate) fn settle(&mut self, out: &mut String) {
        let now = self.now;
        for id in self.replicas.keys().copied().collect::<Vec<_>>() {
            while self.replicas[&id].has_ready() {
                let ready = self.group(id).ready(now);
                self.write(id, &ready, out);
                self.post(id, ready.messages.clone());
                if self.slow.contains(&id.1) {
                    self.unsynced.insert(id, ready);
                    break;
                }
                self.finish(id, ready, out);
            }
            self.offer_snapshots(id, out);
        }
    }

    fn write(&mut self, id: Id, ready: &Ready, out: &mut String) {
        self.disks[&id].with(|content| {
            if let Some(hard_state) = ready.hard_state {
                if (hard_state.term, hard_state.vote)
                    != (content.hard_state.term, content.hard_state.vote)
                {
                    let (term, vote) = (hard_state.term, hard_state.vote);
                    writeln!(out, "{} term {term}, vote {vote}", name(id)).unwrap();
                }
                content.hard_state = hard_state;
            }
            if let Some(first) = ready.entries.first() {
                let gone = content.entries.split_off(&first.index);
                if !gone.is_empty() {
                    writeln!(out, "{} drops {} entries", name(id), gone.len()).unwrap();
                }
                for entry in &ready.entries {
                    let line = describe(entry);
                    writeln!(out, "{} appends {line}", name(id)).unwrap();
                    content.entries.insert(entry.index, (entry.term, entry.clone()));
                }
            }
        });
    }

    /// The write of a ready is on disk.
    pub(crate) fn finish(&mut self, id: Id, ready: Ready, out: &mut String) {
        if ready.must_sync {
            self.disks[&id].sync();
        }
        self.post(id, ready.messages_after);
        let now = self.now;
        let more = self.group(id).persisted(now);
        self.post(id, more.messages);
        for entry in ready.committed.into_iter().chain(more.committed) {
            self.apply(id, &entry, out);
        }
        for (context, index) in ready.reads {
            writeln!(out, "{} read {context} confirmed at {index}", name(id)).unwrap();
        }
    }

    fn apply(&mut self, id: Id, entry: &Entry, out: &mut String) {
        writeln!(out, "{} applies {}", name(id), describe(entry)).unwrap();
        let now = self.now;
        if let EntryKind::Change(_) = entry.kind {
            let change: Change = base::codec::from_message(&entry.data).expect("change");
            self.group(id).apply_change(entry.index, &change, now).expect("change fits");
        }
        let membership = self.group(id).membership().clone();
        self.group(id).applied(entry.index);
        self.disks[&id].with(|content| {
            content.applied = entry.index;
            content.membership = membership;
            if entry.kind == EntryKind::Normal && !entry.data.is_empty() {
                content.machine.push(String::from_utf8_lossy(&entry.data).into_owned());
            }
        });
    }

    fn post(&mut self, (group, from): Id, messages: Vec<Message>) {
        for message in messages {
            self.flights.push_back(Flight { group, from, to: message.to, message });
        }
    }

    /// Snapshots are pinned at once; their data travels with the announcement.
    fn offer_snapshots(&mut self, id: Id, out: &mut String) {
        let wanted = self.group(id).take_snapshots_wanted();
        for to in wanted {
            let meta = self.pin(id);
            writeln!(out, "{} offers {to} a snapshot at {}", name(id), meta.index).unwrap();
            self.group(id).send_snapshot(to, meta);
        }
    }

    fn pin(&self, id: Id) -> SnapshotMeta {
        let (index, membership) =
            self.disks[&id].with(|content| (content.applied, content.membership.clone()));
        let term = self.replicas[&id].term_of(index).expect("term of the applied entry");
        SnapshotMeta { index, term, membership }
    }

    /// Hands a message over; that of a snapshot installs it first.
    pub(crate) fn arrive(&mut self, flight: Flight, out: &mut String) {
        let Flight { group, from, to, message } = flight;
        let id = (group, to);
        if self.cut.contains(&from) || self.cut.contains(&to) || !self.replicas.contains_key(&id) {
            return;
        }
        if let Some(index) = message.snapshot {
            self.install((group, from), id, index, out);
        }
        let envelope = Envelope::decode(&message.bytes).expect("envelope");
        let now = self.now;
        if let Err(refused) = self.group(id).step(from, envelope, now) {
            writeln!(out, "{} refuses: {refused}", name(id)).unwrap();
        }
    }

    fn install(&mut self, from: Id, to: Id, index: u64, out: &mut String) {
        let meta = self.pin(from);
        if meta.index < index || self.disks[&to].with(|content| content.applied >= index) {
            return;
        }
        writeln!(out, "{} installs a snapshot at {}", name(to), meta.index).unwrap();
        let machine = self.disks[&from].with(|content| content.machine.clone());
        self.disks[&to].with(|content| {
            let follows = content.entries.get(&meta.index).is_some_and(|e| e.0 == meta.term);
            if !follows {
                content.entries.clear();
                content.truncated = (meta.index, meta.term);
            }
            content.machine = machine;
            content.applied = meta.index;
            content.membership = meta.membership;
        });
        self.disks[&to].sync();
        self.boot(to);
    }

    /// Delivers everything that is on its way, and what that leads to.
    pub(crate) fn deliver(&mut self, out: &mut String) {
        self.settle(out);
        while let Some(flight) = self.flights.pop_front() {
            self.arrive(flight, out);
            self.settle(out);
        }
    }
}

pub(crate) fn name(id: Id) -> String {
    if id.0 == 1 { format!("n{}", id.1) } else { format!("g{}/n{}", id.0, id.1) }
}

fn describe(entry: &Entry) -> String {
    let what = match &entry.kind {
        EntryKind::Change(_) => {
            let change: Change = base::codec::from_message(&entry.data).expect("change");
            format!("{change:?}")
        }
        EntryKind::Normal if entry.data.is_empty() => "-".to_string(),
        EntryKind::Normal => String::from_utf8_lossy(&entry.data).into_owned(),
    };
    format!("{}@{} {what}", entry.index, entry.term)
}

/// One line about a message.
pub(crate) fn describe_message(flight: &Flight) -> String {
    let envelope = Envelope::decode(&flight.message.bytes).expect("envelope");
    let what = match envelope.payload {
        Payload::Raft(m) => {
            let mut text = format!("{:?} term {}", m.get_msg_type(), m.term);
            if m.index > 0 {
                write!(text, " index {}", m.index).unwrap();
            }
            if !m.get_entries().is_empty() {
                write!(text, " entries {}", m.get_entries().len()).unwrap();
            }
            if m.commit > 0 {
                write!(text, " commit {}", m.commit).unwrap();
            }
            if m.reject {
                text.push_str(" reject");
            }
            text
        }
        other => format!("{other:?}"),
    };
    format!("{} -> {}: {what}", name((flight.group, flight.from)), name((flight.group, flight.to)))
}

/// The command of a change, as the log carries it.
pub(crate) fn change_command(change: &Change) -> Bytes {
    base::codec::to_message(change).into()
}
