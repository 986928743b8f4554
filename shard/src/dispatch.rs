//! Requests of this node's ranges to other ranges, by key: pushes, recovery, resolving. All of them
//! may be sent twice without harm, so anything that might help is tried again until the deadline.

use crate::call::Call;
use crate::env::Route;
use crate::replica::Env;
use crate::store::Core;
use base::api::resolve::ResolveRequest;
use base::api::{RangeOp, RangeRequest, RangeResponse, TxnStatus};
use base::{Key, KvError, KvResult, MonoTime, RangeId, Span, TxnId};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// First pause before a request is sent again; doubles.
const RETRY_PAUSE: Duration = Duration::from_millis(5);
/// Longest pause.
const RETRY_PAUSE_MAX: Duration = Duration::from_millis(200);

/// Sends requests to whoever leads a key's range.
#[derive(Clone)]
pub(crate) struct Dispatch {
    env: Arc<Env>,
    store: Weak<Core>,
    deadline: MonoTime,
}

/// A range that can be asked.
struct Target {
    range: RangeId,
    epoch: u64,
    span: Span,
    /// How it was found, unless it is led here.
    route: Option<Route>,
}

impl Dispatch {
    /// On behalf of a request, within its deadline.
    pub(crate) fn of(call: &Call) -> Dispatch {
        let patience = call.now() + call.config().patience;
        Dispatch {
            env: Arc::clone(&call.replica.env),
            store: call.replica.store.clone(),
            deadline: call.deadline.min(patience),
        }
    }

    /// The same with a deadline of its own, for work that goes on when the request is over.
    fn detached(&self) -> Dispatch {
        let deadline = self.env.clock.now() + self.env.config.patience;
        Dispatch { deadline, ..self.clone() }
    }

    /// Sends one request to the range of a key.
    pub(crate) async fn send(&self, key: &Key, body: RangeOp) -> KvResult<RangeResponse> {
        let mut retry = Retry::default();
        loop {
            let result = match self.locate(key).await {
                Ok(target) => self.attempt(&target, body.clone()).await,
                Err(error) => Err(error),
            };
            match result {
                Err(error) if is_transient(&error) => retry.pause(self, error).await?,
                other => return other,
            }
        }
    }

    /// Cuts sorted keys by range and sends one request to each; `keep_on` says after each answer
    /// whether the others are still wanted.
    pub(crate) async fn send_each(
        &self,
        mut keys: Vec<Key>,
        make: impl Fn(Vec<Key>) -> RangeOp,
        mut keep_on: impl FnMut(RangeResponse) -> KvResult<bool>,
    ) -> KvResult<()> {
        let mut retry = Retry::default();
        while let Some(first) = keys.first() {
            let result = match self.locate(first).await {
                Ok(target) => {
                    let count = keys.iter().take_while(|key| target.span.contains(key)).count();
                    let count = count.max(1);
                    let answer = self.attempt(&target, make(keys[..count].to_vec())).await;
                    answer.map(|answer| (count, answer))
                }
                Err(error) => Err(error),
            };
            match result {
                Ok((count, answer)) => {
                    keys.drain(..count);
                    retry = Retry::default();
                    if !keep_on(answer)? {
                        return Ok(());
                    }
                }
                Err(error) if is_transient(&error) => retry.pause(self, error).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Resolves the intents of a finished transaction under these keys, in all their ranges.
    pub(crate) async fn resolve(
        &self,
        txn: TxnId,
        status: TxnStatus,
        mut keys: Vec<Key>,
    ) -> KvResult<()> {
        keys.sort_unstable();
        keys.dedup();
        let make = |keys| RangeOp::Resolve(ResolveRequest { txn, status, keys, spans: Vec::new() });
        self.send_each(keys, make, |_| Ok(true)).await
    }

    /// Resolves all intents of a finished transaction in a span.
    pub(crate) async fn resolve_span(
        &self,
        txn: TxnId,
        status: TxnStatus,
        mut span: Span,
    ) -> KvResult<()> {
        let mut retry = Retry::default();
        while !span.is_empty() {
            let result = match self.locate(&span.start).await {
                Ok(target) => {
                    let part = span.intersect(&target.span);
                    let (keys, spans) = (Vec::new(), vec![part.clone()]);
                    let body = RangeOp::Resolve(ResolveRequest { txn, status, keys, spans });
                    self.attempt(&target, body).await.map(|_| part.end)
                }
                Err(error) => Err(error),
            };
            match result {
                Ok(end) => {
                    span.start = end;
                    retry = Retry::default();
                }
                Err(error) if is_transient(&error) => retry.pause(self, error).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// [`Dispatch::resolve`] in the background. One such task for a transaction is enough: what it
    /// misses is met and asked about again.
    pub(crate) fn resolve_later(&self, txn: TxnId, status: TxnStatus, keys: Vec<Key>) {
        if !self.env.resolving.lock().insert(txn) {
            return;
        }
        let detached = self.detached();
        self.env.clock.spawn(Box::pin(async move {
            if let Err(error) = detached.resolve(txn, status, keys).await {
                // Whoever meets the intents next asks again.
                tracing::debug!(%txn, %error, "left intents of a finished transaction");
            }
            detached.env.resolving.lock().remove(&txn);
        }));
    }

    async fn locate(&self, key: &Key) -> KvResult<Target> {
        let store = self.store.upgrade().ok_or(KvError::Shutdown)?;
        if let Some((range, descriptor)) = store.serving(key) {
            let (epoch, span) = (descriptor.epoch, descriptor.span.clone());
            return Ok(Target { range, epoch, span, route: None });
        }
        let route = self.env.router.lookup(key.clone()).await?;
        let Route { range, epoch, span, .. } = route.clone();
        Ok(Target { range, epoch, span, route: Some(route) })
    }

    async fn attempt(&self, target: &Target, body: RangeOp) -> KvResult<RangeResponse> {
        let left = self.deadline.since(self.env.clock.now());
        let request = RangeRequest {
            range: target.range,
            epoch: target.epoch,
            txn: None,
            timeout_ms: (left.as_millis() as u64).max(1),
            body,
        };
        let Some(route) = &target.route else {
            let store = self.store.upgrade().ok_or(KvError::Shutdown)?;
            return store.execute(request).await;
        };
        let result = self.env.peers.send_range(route.leader, request).await;
        if let Err(error) = &result
            && is_transient(error)
        {
            self.env.router.refused(route, error);
        }
        result
    }
}

/// True when another attempt may do better.
fn is_transient(error: &KvError) -> bool {
    error.is_reroute() || error.is_ambiguous()
}

/// Pauses between attempts.
#[derive(Default)]
struct Retry {
    attempts: u32,
}

impl Retry {
    /// Pauses, or gives the error back when time is up. The first attempt to do better is at once.
    async fn pause(&mut self, dispatch: &Dispatch, error: KvError) -> KvResult<()> {
        let left = dispatch.deadline.since(dispatch.env.clock.now());
        if left.is_zero() || matches!(error, KvError::Shutdown) {
            return Err(error);
        }
        if self.attempts > 0 {
            let pause = (RETRY_PAUSE * (1 << self.attempts.min(6))).min(RETRY_PAUSE_MAX);
            dispatch.env.clock.sleep(pause.min(left)).await;
        }
        self.attempts += 1;
        Ok(())
    }
}
