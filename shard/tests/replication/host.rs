//! The place of the store in these tests.

use base::{RangeDescriptor, RangeId, ReplicaDescriptor};
use parking_lot::Mutex;
use shard::command::Command;
use shard::replication::{ReplicaHost, ReplicaObserver, Replication};
use std::collections::BTreeMap;
use std::sync::Arc;

type Shelf = Arc<Mutex<BTreeMap<RangeId, Arc<dyn Replication>>>>;

/// The place of the store: keeps replicas, notes what it is told.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) replicas: Shelf,
    pub(crate) events: Arc<Mutex<Vec<(RangeId, String)>>>,
    /// The terms that the node was told it leads.
    pub(crate) leads: Arc<Mutex<BTreeMap<RangeId, u64>>>,
}

struct Watch {
    range: RangeId,
    replicas: Shelf,
    own: Arc<dyn Replication>,
    events: Arc<Mutex<Vec<(RangeId, String)>>>,
    leads: Arc<Mutex<BTreeMap<RangeId, u64>>>,
}

impl ReplicaHost for Host {
    fn add_replica(&self, range: RangeId, own: Arc<dyn Replication>) -> Arc<dyn ReplicaObserver> {
        self.replicas.lock().insert(range, own.clone());
        let (replicas, events) = (self.replicas.clone(), self.events.clone());
        Arc::new(Watch { range, replicas, own, events, leads: self.leads.clone() })
    }
}

impl Watch {
    fn note(&self, what: String) {
        self.events.lock().push((self.range, what));
    }
}

impl ReplicaObserver for Watch {
    fn on_lead(&self, term: u64) {
        self.note(format!("lead {term}"));
        self.leads.lock().insert(self.range, term);
    }
    fn on_follow(&self, _leader: Option<ReplicaDescriptor>) {
        self.note("follow".to_string());
        self.leads.lock().remove(&self.range);
    }
    fn on_apply(&self, _command: &Command) {}
    fn on_descriptor(&self, descriptor: &Arc<RangeDescriptor>) {
        assert_eq!(descriptor.range, self.range);
        self.note(format!("epoch {}", descriptor.epoch));
    }
    fn on_destroy(&self) {
        self.note("destroy".to_string());
        self.leads.lock().remove(&self.range);
        let mut replicas = self.replicas.lock();
        if replicas.get(&self.range).is_some_and(|r| Arc::ptr_eq(r, &self.own)) {
            replicas.remove(&self.range);
        }
    }
}
