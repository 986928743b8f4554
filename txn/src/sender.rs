//! One request to one range: follows the leader, keeps trying through elections and dead nodes,
//! and says when the range has changed its bounds so that the request must be cut anew.

use crate::client::Core;
use crate::patience::{Patience, within};
use crate::router::Route;
use base::api::{RangeOp, RangeRequest, RangeResponse};
use base::{KvError, NodeId, RangeDescriptor, RangeId, Span, TxnId};
use std::sync::Arc;
use std::time::Duration;

/// How much longer than its own timeout a request may take before it counts as lost.
const ANSWER_GRACE: Duration = Duration::from_secs(5);
/// An attempt that lasted this long was waiting for a lock, not for a leader.
const LONG_ATTEMPT: Duration = Duration::from_secs(2);
/// How long a look at meta may hold up a request that could also try the next replica.
const REFRESH_WAIT: Duration = Duration::from_secs(1);

/// How long a replica on this node may take to catch up with a follower read before the leader is
/// asked instead.
const FOLLOWER_WAIT: Duration = Duration::from_secs(2);

/// On whose behalf, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending {
    pub(crate) txn: Option<TxnId>,
    /// How long it may wait for locks.
    pub(crate) wait: Duration,
    /// A read that a replica on this node may answer.
    pub(crate) any_replica: bool,
}

impl Sending {
    /// To leaders only.
    pub(crate) fn new(txn: Option<TxnId>, wait: Duration) -> Sending {
        Sending { txn, wait, any_replica: false }
    }
}

/// Which attempt an operation is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// At the leader, for the first time or after attempts that did nothing.
    Leader,
    /// At the leader, and an earlier attempt may have taken effect.
    Retry,
    /// At a replica that need not lead.
    Follower,
}

/// An answer and where it came from.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) response: RangeResponse,
    pub(crate) range: RangeId,
    pub(crate) node: NodeId,
    /// The range's bounds when it answered.
    pub(crate) span: Span,
}

/// No answer.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The range's bounds have changed and the router knows better by now. `maybe_done`: an
    /// attempt may have taken effect.
    Recut { maybe_done: bool },
    /// Final. `maybe_done`: an earlier attempt may have taken effect all the same.
    Error { error: KvError, maybe_done: bool },
}

/// What to do after a failed attempt.
enum Next {
    /// Send again to this node; at once if the answer named it.
    Again {
        target: Option<NodeId>,
        at_once: bool,
    },
    Recut,
    Fail,
}

impl Core {
    /// Sends until there is an answer, the bounds have changed, or patience ends. `make` builds
    /// the operation of an attempt.
    pub(crate) async fn send(
        &self,
        mut route: Arc<Route>,
        sending: Sending,
        mut make: impl FnMut(Attempt) -> RangeOp,
    ) -> Result<Sent, Failed> {
        let own = self.env.transport.local_node();
        if sending.any_replica && route.descriptor.replica_on(own).is_some() {
            let sending = Sending { wait: FOLLOWER_WAIT, ..sending };
            let body = make(Attempt::Follower);
            if let Ok(sent) = self.attempt(&route, Some(own), sending, body).await {
                return Ok(sent);
            }
        }
        let mut target = route.first_target(own);
        let mut patience = Patience::default();
        let mut maybe_done = false;
        let mut misses = 0;
        loop {
            let started = self.env.clock.now();
            let body = make(if maybe_done { Attempt::Retry } else { Attempt::Leader });
            let error = match self.attempt(&route, target, sending, body).await {
                Ok(sent) => {
                    if route.leader != target {
                        self.router.set_leader(&route, target);
                    }
                    return Ok(sent);
                }
                Err(error) => error,
            };
            maybe_done |= error.is_ambiguous();
            if self.env.clock.now().since(started) > LONG_ATTEMPT && error.is_reroute() {
                patience.restart();
            }
            misses += 1;
            match self.next(&mut route, target, &error, misses).await {
                Next::Again { target: next, at_once } => {
                    target = next.or_else(|| route.first_target(own));
                    self.router.set_leader(&route, target);
                    if let Err(error) = patience.wait(&self.env, at_once, &error).await {
                        return Err(Failed::Error { error, maybe_done });
                    }
                }
                Next::Recut => return Err(Failed::Recut { maybe_done }),
                Next::Fail => return Err(Failed::Error { error, maybe_done }),
            }
        }
    }

    /// One attempt at one node.
    async fn attempt(
        &self,
        route: &Route,
        target: Option<NodeId>,
        sending: Sending,
        body: RangeOp,
    ) -> Result<Sent, KvError> {
        let range = route.descriptor.range;
        let node = target.ok_or(KvError::RangeNotFound(range))?;
        let request = RangeRequest {
            range,
            epoch: route.descriptor.epoch,
            txn: sending.txn,
            timeout_ms: sending.wait.as_millis() as u64,
            body,
        };
        let response = match self.env.transport.answer_now(node, &request) {
            Some(answer) => answer?,
            None => {
                let answer = self.env.transport.send_range(node, request);
                within(&*self.env.clock, sending.wait + ANSWER_GRACE, answer)
                    .await
                    .unwrap_or(Err(KvError::Unreachable { node, maybe_sent: true }))?
            }
        };
        Ok(Sent { response, range, node, span: route.descriptor.span.clone() })
    }

    /// Learns from a failed attempt at `target`.
    async fn next(
        &self,
        route: &mut Arc<Route>,
        target: Option<NodeId>,
        error: &KvError,
        misses: usize,
    ) -> Next {
        match error {
            KvError::NotLeader { leader: Some(leader), .. } if Some(leader.node) != target => {
                Next::Again { target: Some(leader.node), at_once: true }
            }
            KvError::StaleEpoch { current } => self.adopt(route, current, target),
            KvError::Unavailable(_) | KvError::Ambiguous(_) if !misses.is_multiple_of(4) => {
                Next::Again { target, at_once: false }
            }
            error if error.is_reroute() || error.is_ambiguous() => {
                let circle = route.voters().count().max(1);
                if matches!(error, KvError::RangeNotFound(_)) || misses.is_multiple_of(circle) {
                    return self.ask_meta(route, target).await;
                }
                let next = target.and_then(|target| route.target_after(target));
                Next::Again { target: next, at_once: false }
            }
            _ => Next::Fail,
        }
    }

    /// The range has shown its newer descriptor.
    fn adopt(
        &self,
        route: &mut Arc<Route>,
        current: &RangeDescriptor,
        target: Option<NodeId>,
    ) -> Next {
        let is_old = current.epoch < route.descriptor.epoch;
        if is_old && current.range == route.descriptor.range {
            // A replica that has been removed, or one that lags behind.
            let next = target.and_then(|target| route.target_after(target));
            return Next::Again { target: next, at_once: false };
        }
        self.router.insert(current.clone(), target);
        let is_same = current.range == route.descriptor.range
            && current.span == route.descriptor.span
            && current.epoch != route.descriptor.epoch;
        if !is_same {
            return Next::Recut;
        }
        *route = Arc::new(Route { descriptor: current.clone(), leader: target });
        Next::Again { target, at_once: true }
    }

    /// Nobody that was asked leads: asks meta about the range, else goes on to the next replica.
    async fn ask_meta(&self, route: &mut Arc<Route>, target: Option<NodeId>) -> Next {
        let start = route.descriptor.span.start.clone();
        let refresh = Box::pin(self.router.refresh(&start));
        // Meta may be in the same trouble as the range; then the circle goes on without it.
        let _ = within(&*self.env.clock, REFRESH_WAIT, refresh).await;
        let next = target.and_then(|target| route.target_after(target));
        match self.router.cached(&start) {
            Some(known) if known.descriptor == route.descriptor => {
                let hinted = known.leader.filter(|leader| Some(*leader) != target);
                Next::Again { target: hinted.or(next), at_once: false }
            }
            Some(known)
                if known.descriptor.range == route.descriptor.range
                    && known.descriptor.span == route.descriptor.span =>
            {
                *route = known;
                Next::Again { target: None, at_once: false }
            }
            Some(_) => Next::Recut,
            None => Next::Again { target: next, at_once: false },
        }
    }
}
