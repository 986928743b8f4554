//! Which node leads the range of a key: a cached RangeMap that meta and the ranges' own answers
//! correct.

use crate::client::TxnEnv;
use crate::meta_client::{MetaClient, mismatch};
use crate::patience::Patience;
use crate::range_map::RangeMap;
use base::meta_api::{MetaRequest, MetaResponse, RangeStatus};
use base::{Key, KvError, KvResult, NodeId, RangeDescriptor, RangeId, ReplicaKind, Span};
use parking_lot::RwLock;
use std::sync::Arc;

/// A range as the router knows it. A hint: the range itself refuses what does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The descriptor.
    pub descriptor: RangeDescriptor,
    /// The node believed to lead.
    pub leader: Option<NodeId>,
}

impl Route {
    /// Where to try first: the leader, else the own node if it may lead, else any voter.
    pub fn first_target(&self, own: NodeId) -> Option<NodeId> {
        let may_lead = |node: NodeId| self.voters().any(|voter| voter == node);
        self.leader.or_else(|| may_lead(own).then_some(own)).or_else(|| self.voters().next())
    }

    /// Where to try after a node that does not lead.
    pub(crate) fn target_after(&self, node: NodeId) -> Option<NodeId> {
        let mut behind = self.voters().skip_while(|voter| *voter != node).skip(1);
        behind.next().or_else(|| self.voters().next())
    }

    /// Nodes that may lead.
    pub(crate) fn voters(&self) -> impl Iterator<Item = NodeId> {
        let replicas = self.descriptor.replicas.iter();
        replicas.filter(|replica| replica.kind == ReplicaKind::Voter).map(|replica| replica.node)
    }
}

/// The cached RangeMap.
pub struct Router {
    env: Arc<TxnEnv>,
    meta: Arc<MetaClient>,
    map: RwLock<RangeMap>,
}

impl Router {
    pub(crate) fn new(env: Arc<TxnEnv>, meta: Arc<MetaClient>) -> Router {
        Router { env, meta, map: RwLock::default() }
    }

    /// The range that holds a key, if it is in the cache.
    pub fn cached(&self, key: &[u8]) -> Option<Arc<Route>> {
        self.map.read().get(key).cloned()
    }

    /// The range that holds a key, from the cache or from meta.
    pub async fn lookup(&self, key: &Key) -> KvResult<Arc<Route>> {
        let mut patience = Patience::default();
        loop {
            if let Some(route) = self.cached(key) {
                return Ok(route);
            }
            self.refresh(key).await?;
            if let Some(route) = self.cached(key) {
                return Ok(route);
            }
            // Meta still tells of the time before a split that the cache knows about.
            let why = KvError::Unavailable(format!("no range is known to hold {key}"));
            patience.wait(&self.env, false, &why).await?;
        }
    }

    /// The range that holds the last keys of a span.
    pub async fn lookup_last(&self, span: &Span) -> KvResult<Arc<Route>> {
        if let Some(route) = self.map.read().get_before(&span.end) {
            return Ok(route.clone());
        }
        let last = self.ranges(span).await?.pop();
        last.ok_or_else(|| KvError::Fatal(format!("span {span} is empty")))
    }

    /// The ranges that a span overlaps, in key order.
    pub async fn ranges(&self, span: &Span) -> KvResult<Vec<Arc<Route>>> {
        let mut routes: Vec<Arc<Route>> = Vec::new();
        let mut from = span.start.clone();
        while from < span.end {
            let route = self.lookup(&from).await?;
            from = route.descriptor.span.end.clone();
            routes.push(route);
        }
        Ok(routes)
    }

    /// The range with an id: from the cache, else meta is asked for all ranges.
    pub async fn find(&self, range: RangeId) -> KvResult<Arc<Route>> {
        if let Some(route) = self.map.read().find(range) {
            return Ok(route.clone());
        }
        for status in self.fetch(MetaRequest::Ranges { from: Key::MIN, limit: 0 }).await? {
            self.insert(status.descriptor, status.leader);
        }
        self.map.read().find(range).cloned().ok_or(KvError::RangeNotFound(range))
    }

    /// Takes in a descriptor that a range or meta has shown.
    pub fn insert(&self, descriptor: RangeDescriptor, leader: Option<NodeId>) {
        self.map.write().insert(descriptor, leader);
    }

    /// Notes who leads.
    pub(crate) fn set_leader(&self, of: &Route, leader: Option<NodeId>) {
        self.map.write().set_leader(of, leader);
    }

    /// Asks meta about the range of a key, whatever the cache says.
    pub async fn refresh(&self, key: &Key) -> KvResult<()> {
        for status in self.fetch(MetaRequest::Lookup { key: key.clone() }).await? {
            self.insert(status.descriptor, status.leader);
        }
        Ok(())
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.map.write().clear();
    }

    async fn fetch(&self, request: MetaRequest) -> KvResult<Vec<RangeStatus>> {
        match self.meta.call(request).await? {
            MetaResponse::Ranges(ranges) => Ok(ranges),
            _ => Err(mismatch("a lookup of ranges")),
        }
    }
}
