//! What must hold in every cluster.

use crate::cluster::{Cluster, Node, content};
use base::{NodeId, RangeDescriptor, RangeId, Span, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use storage::mvcc;

impl Cluster {
    /// No two nodes may serve reads of the same key at once, and none may begin to lead while another
    /// serves on.
    pub(crate) fn check_leases(&self) {
        let mut serving: Vec<(Span, NodeId)> = Vec::new();
        for (id, node) in &self.nodes {
            for replica in node.host.replicas.lock().values() {
                if let Ok(term) = replica.lead(self.now) {
                    let descriptor = replica.descriptor();
                    self.check_successors(*id, descriptor.range, term);
                    let span = descriptor.span.clone();
                    for (other_span, other) in &serving {
                        assert!(
                            other == id || !other_span.overlaps(&span),
                            "{id} and {other} both hold a lease over {span}"
                        );
                    }
                    serving.push((span, *id));
                }
            }
        }
    }

    /// `id` serves in `term`: nobody may have begun a later one.
    fn check_successors(&self, id: NodeId, range: RangeId, term: u64) {
        for (other, node) in &self.nodes {
            let later = node.host.leads.lock().get(&range).copied().filter(|later| *later > term);
            assert_eq!(later, None, "{other} leads {range} while {id} serves in term {term}");
        }
    }

    /// Everything that was acknowledged is on every replica of its range, and replicas are equal.
    pub(crate) fn check_ledger(&mut self) {
        self.step();
        let end = self.now + Duration::from_secs(60);
        while let Some(difference) = self.disagreement() {
            assert!(self.now < end, "replicas never agree: {difference}\n{}", self.views());
            self.run(Duration::from_millis(100));
        }
        for (key, value) in &self.acked {
            let descriptor =
                self.descriptor_of(key).unwrap_or_else(|| panic!("no range for {key}"));
            for replica in &descriptor.replicas {
                let view = self.nodes[&replica.node].engine.snapshot();
                let version = mvcc::get(&view, key, Timestamp::MAX).unwrap();
                let found = version.and_then(|version| version.value);
                let node = replica.node;
                assert_eq!(
                    found.as_deref(),
                    Some(&value[..]),
                    "acknowledged {key} is lost on {node}"
                );
            }
        }
    }

    /// The newest descriptor of the range that holds a key.
    fn descriptor_of(&self, key: &[u8]) -> Option<Arc<RangeDescriptor>> {
        let of_node = |node: &Node| {
            let replicas = node.host.replicas.lock();
            let descriptors = replicas.values().map(|replica| replica.descriptor());
            let holding = descriptors.filter(|descriptor| descriptor.contains(key));
            holding.max_by_key(|descriptor| descriptor.epoch)
        };
        self.nodes.values().filter_map(of_node).max_by_key(|descriptor| descriptor.epoch)
    }

    fn views(&self) -> String {
        let of_node = |(id, node): (&NodeId, &Node)| format!("{id}: {:?}\n", node.handle.groups());
        self.nodes.iter().map(of_node).collect()
    }

    /// Two replicas of a range that differ, in progress or content, or one that is missing.
    pub(crate) fn disagreement(&self) -> Option<String> {
        let mut seen: BTreeMap<RangeId, (u64, RangeDescriptor, Vec<Vec<u8>>)> = BTreeMap::new();
        for (id, node) in &self.nodes {
            for (range, replica) in node.host.replicas.lock().iter() {
                let descriptor = (*replica.descriptor()).clone();
                let (_, applied) = replica.progress();
                let content = content(&node.engine, &descriptor.span);
                match seen.get(range) {
                    None => drop(seen.insert(*range, (applied, descriptor, content))),
                    Some(other) if other.0 != applied || other.1 != descriptor => {
                        return Some(format!(
                            "{range}: {id} is at {applied} with {descriptor:?}, another at {} with {:?}",
                            other.0, other.1
                        ));
                    }
                    Some(other) => assert!(other.2 == content, "{range} differs on {id}"),
                }
            }
        }
        for (range, (_, descriptor, _)) in &seen {
            let is_missing = |id: &NodeId| self.replica(*id, *range).is_none();
            if let Some(id) = descriptor.replicas.iter().map(|r| r.node).find(is_missing) {
                return Some(format!("{range} is not on {id}"));
            }
        }
        None
    }
}
