//! The simulated network: delays, losses, partitions, and requests that arrive when their sender
//! has long given up.
//!
//! Requests behave as over connections: the caller learns that the answer is lost, never whether the
//! request was. Raft traffic may lose any message but keeps its order.

use crate::executor::{Executor, Owner};
use base::api::{RangeRequest, RangeResponse};
use base::codec::{from_message, to_message};
use base::meta_api::{MetaRequest, MetaResponse};
use base::peer_api::PeerMessage;
use base::{BoxFuture, KvError, KvResult, NodeId};
use bincode::{Decode, Encode};
use futures::channel::oneshot;
use meta::MetaService;
use parking_lot::Mutex;
use shard::Store;
use shard::raft::RaftHandle;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What can be reached of a node that is up.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) owner: Owner,
    pub(crate) store: Arc<Store>,
    pub(crate) meta: Arc<MetaService>,
    pub(crate) raft: RaftHandle,
}

/// How bad the network is.
#[derive(Clone, Debug)]
pub struct Weather {
    /// Probability that a message or an answer is lost.
    pub loss: f64,
    /// Probability that a message takes long.
    pub slow: f64,
    /// Probability that a lost request arrives much later all the same.
    pub zombie: f64,
}

struct State {
    endpoints: BTreeMap<NodeId, Endpoint>,
    blocked: BTreeSet<(NodeId, NodeId)>,
    weather: Weather,
    /// When the last Raft traffic between two nodes arrives.
    last_arrival: BTreeMap<(NodeId, NodeId), u64>,
}

/// All connections. Clones are the same network.
#[derive(Clone)]
pub struct Network {
    executor: Executor,
    state: Arc<Mutex<State>>,
}

impl Network {
    pub(crate) fn new(executor: Executor, weather: Weather) -> Network {
        let state = State {
            endpoints: BTreeMap::new(),
            blocked: BTreeSet::new(),
            weather,
            last_arrival: BTreeMap::new(),
        };
        Network { executor, state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn executor(&self) -> &Executor {
        &self.executor
    }

    pub(crate) fn plug(&self, node: NodeId, endpoint: Endpoint) {
        self.state.lock().endpoints.insert(node, endpoint);
    }

    pub(crate) fn unplug(&self, node: NodeId) {
        self.state.lock().endpoints.remove(&node);
    }

    pub(crate) fn endpoint(&self, node: NodeId) -> Option<Endpoint> {
        self.state.lock().endpoints.get(&node).cloned()
    }

    /// Nothing from one node reaches the other any more.
    pub fn block(&self, from: NodeId, to: NodeId) {
        self.state.lock().blocked.insert((from, to));
    }

    /// All partitions end; the weather clears up.
    pub fn heal(&self) {
        self.state.lock().blocked.clear();
    }

    /// Changes the weather.
    pub fn set_weather(&self, weather: Weather) {
        self.state.lock().weather = weather;
    }

    /// A request to a range on another node.
    pub(crate) fn call_range(
        &self,
        from: NodeId,
        to: NodeId,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        self.call(from, to, request, |endpoint, request| endpoint.store.execute(request))
    }

    /// A request to the meta replica on another node.
    pub(crate) fn call_meta(
        &self,
        from: NodeId,
        to: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        self.call(from, to, request, |endpoint, request| {
            let meta = endpoint.meta.clone();
            Box::pin(async move { meta.execute(request).await })
        })
    }

    /// Raft traffic.
    pub(crate) fn send_peer(&self, from: NodeId, to: NodeId, messages: Vec<PeerMessage>) {
        let loss = self.state.lock().weather.loss;
        let arrive: Vec<PeerMessage> =
            messages.into_iter().filter(|_| !self.executor.chance(loss)).collect();
        if arrive.is_empty() || self.is_blocked(from, to) {
            return;
        }
        let delay = self.delay();
        let now = self.executor.now();
        let at = {
            let mut state = self.state.lock();
            let last = state.last_arrival.entry((from, to)).or_default();
            *last = (*last + 1).max(now + delay.as_nanos() as u64);
            *last
        };
        let network = self.clone();
        self.executor.after(Duration::from_nanos(at - now), move || {
            if network.is_blocked(from, to) {
                return;
            }
            if let Some(endpoint) = network.endpoint(to) {
                network.executor.note(|| format!("{from} -> {to} raft x{}", arrive.len()));
                network.executor.mark(&to_message(&arrive));
                endpoint.raft.receive(from, arrive);
            }
        });
    }

    fn call<Request, Response>(
        &self,
        from: NodeId,
        to: NodeId,
        request: Request,
        handle: fn(&Endpoint, Request) -> BoxFuture<'static, KvResult<Response>>,
    ) -> BoxFuture<'static, KvResult<Response>>
    where
        Request: Encode + Decode<()> + Send + 'static,
        Response: Encode + Decode<()> + Send + 'static,
    {
        let network = self.clone();
        let bytes = to_message(&request);
        Box::pin(async move {
            let executor = network.executor.clone();
            let lost = KvError::Unreachable { node: to, maybe_sent: true };
            if network.endpoint(to).is_none() {
                executor.sleep(network.delay()).await;
                return Err(KvError::Unreachable { node: to, maybe_sent: false });
            }
            let weather = network.state.lock().weather.clone();
            let (sender, receiver) = oneshot::channel();
            let arrives = !network.is_blocked(from, to) && !executor.chance(weather.loss);
            if arrives {
                network.deliver(from, to, bytes, network.delay(), Some(sender), handle);
            } else {
                if executor.chance(weather.zombie) {
                    let late = executor.between(Duration::ZERO, Duration::from_secs(8));
                    network.deliver(from, to, bytes, late, None, handle);
                }
                drop(sender);
            }
            match receiver.await {
                Ok(answer) => {
                    from_message::<Wire<Response>>(&answer).map_or(Err(lost), |wire| wire.0)
                }
                Err(oneshot::Canceled) => {
                    // The broken connection is noticed after a while.
                    let notice = executor.between(Duration::from_millis(1), Duration::from_secs(1));
                    executor.sleep(notice).await;
                    Err(lost)
                }
            }
        })
    }

    fn deliver<Request, Response>(
        &self,
        from: NodeId,
        to: NodeId,
        bytes: Vec<u8>,
        delay: Duration,
        answer_to: Option<oneshot::Sender<Vec<u8>>>,
        handle: fn(&Endpoint, Request) -> BoxFuture<'static, KvResult<Response>>,
    ) where
        Request: Encode + Decode<()> + Send + 'static,
        Response: Encode + Decode<()> + Send + 'static,
    {
        let network = self.clone();
        self.executor.after(delay, move || {
            let Some(endpoint) = network.endpoint(to) else { return };
            let Ok(request) = from_message::<Request>(&bytes) else { return };
            let executor = network.executor.clone();
            executor.mark(&bytes);
            let owner = endpoint.owner;
            let task = async move {
                let answer = to_message(&Wire(handle(&endpoint, request).await));
                let loss = network.state.lock().weather.loss;
                if network.is_blocked(to, from) || network.executor.chance(loss) {
                    return;
                }
                let delay = network.delay();
                network.executor.after(delay, move || {
                    // The caller may have given up.
                    answer_to.map(|answer_to| answer_to.send(answer));
                });
            };
            executor.spawn(owner, Box::pin(task));
        });
    }

    fn is_blocked(&self, from: NodeId, to: NodeId) -> bool {
        self.state.lock().blocked.contains(&(from, to))
    }

    fn delay(&self) -> Duration {
        let slow = self.state.lock().weather.slow;
        let longest = if self.executor.chance(slow) {
            Duration::from_millis(200)
        } else {
            Duration::from_micros(800)
        };
        self.executor.between(Duration::from_micros(50), longest)
    }
}

/// An answer as it travels.
#[derive(Encode, Decode)]
struct Wire<T>(Result<T, KvError>);
