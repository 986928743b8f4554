//! Which node leads the range of a key: a cached RangeMap that meta and the ranges' own answers
//! correct.

use base::{Key, KvResult, NodeId, RangeDescriptor, Span};
use std::sync::Arc;

/// A range as the router knows it. A hint: the range itself refuses what does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The descriptor.
    pub descriptor: RangeDescriptor,
    /// The node believed to lead.
    pub leader: Option<NodeId>,
}

/// The cached RangeMap.
pub struct Router {}

impl Router {
    /// The range that holds a key, from the cache or from meta.
    pub async fn lookup(&self, key: &Key) -> KvResult<Arc<Route>> {
        let _ = key;
        Err(crate::client::unfinished())
    }

    /// The ranges that a span overlaps, in key order.
    pub async fn ranges(&self, span: &Span) -> KvResult<Vec<Arc<Route>>> {
        let _ = span;
        Err(crate::client::unfinished())
    }
}
