//! Groups with a state machine in memory.

use crate::cluster::Cluster;
use base::{KvError, KvResult, NodeId, RangeDescriptor, RangeId};
use bytes::Bytes;
use consensus::{MetaGroup, StateMachine};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Appends every command to a list and answers with its length.
#[derive(Default)]
struct Recorder {
    pairs: BTreeMap<Bytes, Bytes>,
    mirror: Arc<Mutex<Vec<Bytes>>>,
    leads: Arc<Mutex<bool>>,
}

impl Recorder {
    fn reflect(&self) {
        *self.mirror.lock() = self.pairs.values().cloned().collect();
    }
}

impl StateMachine for Recorder {
    fn apply(&mut self, index: u64, command: &[u8]) -> (Bytes, Vec<(Bytes, Option<Bytes>)>) {
        let name = Bytes::copy_from_slice(&index.to_be_bytes());
        let value = Bytes::copy_from_slice(command);
        self.pairs.insert(name.clone(), value.clone());
        self.reflect();
        (Bytes::from(self.pairs.len().to_string()), vec![(name, Some(value))])
    }
    fn snapshot(&self) -> Vec<(Bytes, Bytes)> {
        self.pairs.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }
    fn restore(&mut self, pairs: Vec<(Bytes, Bytes)>) -> KvResult<()> {
        self.pairs = pairs.into_iter().collect();
        self.reflect();
        Ok(())
    }
    fn on_lead(&mut self, _term: u64) {
        *self.leads.lock() = true;
    }
    fn on_follow(&mut self) {
        *self.leads.lock() = false;
    }
}

struct Member {
    group: Arc<dyn MetaGroup>,
    mirror: Arc<Mutex<Vec<Bytes>>>,
    leads: Arc<Mutex<bool>>,
}

fn join(cluster: &Cluster, id: NodeId) -> Member {
    let members = [NodeId(1), NodeId(2), NodeId(3)];
    let descriptor = RangeDescriptor::bootstrap(RangeId::META, &members);
    let recorder = Recorder::default();
    let (mirror, leads) = (recorder.mirror.clone(), recorder.leads.clone());
    let handle = &cluster.nodes[&id].handle;
    let group = handle.add_state_machine(RangeId::META, descriptor, Box::new(recorder));
    Member { group, mirror, leads }
}

fn propose(cluster: &mut Cluster, members: &BTreeMap<NodeId, Member>, command: &str) -> Bytes {
    let deadline = cluster.now + Duration::from_secs(60);
    loop {
        let serves = |(id, m): &(&NodeId, &Member)| {
            cluster.nodes.contains_key(id) && m.group.lead(cluster.now).is_ok()
        };
        let leader = members.iter().find(serves).map(|(_, m)| m.group.clone());
        let Some(leader) = leader else {
            assert!(cluster.now < deadline, "nobody leads");
            members.values().for_each(|member| drop(member.group.read_index()));
            cluster.step();
            continue;
        };
        let answer = leader.propose(Bytes::copy_from_slice(command.as_bytes()));
        match cluster.wait(answer) {
            Ok(answer) => return answer,
            Err(error) => assert!(error.is_reroute() || error.is_ambiguous(), "{error:?}"),
        }
    }
}

#[test]
fn the_machine_survives_leaders_restarts_and_snapshots() {
    let mut cluster = Cluster::new(3, 51);
    cluster.config.log_entries_max = 20;
    cluster.config.log_entries_kept = 5;
    let mut members = BTreeMap::new();
    for id in [1, 2, 3].map(NodeId) {
        cluster.boot(id);
        members.insert(id, join(&cluster, id));
    }
    assert!(matches!(
        members[&NodeId(1)].group.lead(cluster.now),
        Err(KvError::MetaNotLeader { .. })
    ));
    let mut count = 0;
    for round in 0..6 {
        for n in 0..30 {
            count += 1;
            let answer = propose(&mut cluster, &members, &format!("{round}.{n}"));
            assert_eq!(answer, count.to_string(), "every command is applied once, in order");
        }
        cluster.run(Duration::from_millis(500));
        let away = NodeId(1 + round % 3);
        cluster.crash(away);
        for n in 0..60 {
            count += 1;
            propose(&mut cluster, &members, &format!("{round}.away.{n}"));
        }
        cluster.run(Duration::from_millis(500));
        cluster.boot(away);
        members.insert(away, join(&cluster, away));
        cluster.run(Duration::from_secs(3));
    }
    let state = |id: u64| members[&NodeId(id)].mirror.lock().clone();
    cluster.until("all have the same state", |_| state(1) == state(2) && state(1) == state(3));
    assert!(members[&NodeId(1)].mirror.lock().len() >= count);
    assert_eq!(members.values().filter(|m| *m.leads.lock()).count(), 1);
    let installed: u64 = cluster.nodes.values().map(|n| n.handle.stats().snapshots_installed).sum();
    assert!(installed > 0, "some member was caught up by a snapshot");
}

#[test]
fn a_node_outside_the_group_never_leads_it() {
    let mut cluster = Cluster::new(4, 53);
    cluster.boot(NodeId(4));
    let member = join(&cluster, NodeId(4));
    cluster.run(Duration::from_secs(5));
    assert!(member.group.lead(cluster.now).is_err());
    assert_eq!(member.group.leader(), None);
}
