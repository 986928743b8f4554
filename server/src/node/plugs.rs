//! Where crates that do not know each other meet: what `shard` asks of the process, answered by
//! `txn`.

use base::{BoxFuture, Key, KvError, KvResult, NodeId, Timestamp};
use shard::{Lookup, Oracle, Route};
use txn::TxnClient;

/// The coordinator's client, as the shard sees it.
pub(crate) struct FromTxn(pub(crate) TxnClient);

impl Oracle for FromTxn {
    fn now(&self) -> BoxFuture<'static, KvResult<Timestamp>> {
        let client = self.0.clone();
        Box::pin(async move { client.now().await })
    }
}

impl Lookup for FromTxn {
    fn lookup(&self, key: Key) -> BoxFuture<'static, KvResult<Route>> {
        let client = self.0.clone();
        Box::pin(async move {
            let route = client.router().lookup(&key).await?;
            let leader = route.first_target(client.node()).unwrap_or(NodeId(0));
            Ok(Route {
                range: route.descriptor.range,
                epoch: route.descriptor.epoch,
                span: route.descriptor.span.clone(),
                leader,
            })
        })
    }

    fn refused(&self, route: &Route, error: &KvError) {
        let client = self.0.clone();
        let (start, error) = (route.span.start.clone(), error.clone());
        let clock = client.clock().clone();
        clock.spawn(Box::pin(async move {
            match error {
                KvError::StaleEpoch { current } => client.router().insert(current, None),
                // The next lookup answers from the old entry if meta cannot be reached; it will be
                // refused again and end up here.
                _ => drop(client.router().refresh(&start).await),
            }
        }));
    }
}
