//! Concurrent draws share requests, but never one that was sent before they asked.

#[path = "support/clock.rs"]
mod clock;

use base::api::{RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse};
use base::{BoxFuture, FragmentRun, KvError, KvResult, NodeId, Pushdown, Timestamp, Transport};
use clock::{Runner, TestClock};
use futures::channel::oneshot;
use parking_lot::Mutex;
use std::sync::Arc;
use txn::{TxnClient, TxnConfig, TxnEnv};

type Answer = oneshot::Sender<KvResult<MetaResponse>>;

/// Keeps draws until the test answers them.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<Vec<(u32, Answer)>>>);

impl Held {
    /// Answers the one request that is on its way; tells how many timestamps it asked for.
    fn answer(&self, first: u64) -> u32 {
        let (count, answer) = self.0.lock().pop().expect("a request");
        let response = MetaResponse::Timestamps { first: Timestamp(first), count };
        let _ = answer.send(Ok(response));
        count
    }
}

impl Transport for Held {
    fn local_node(&self) -> NodeId {
        NodeId(1)
    }

    fn send_range(
        &self,
        node: NodeId,
        _: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        Box::pin(async move { Err(KvError::Unreachable { node, maybe_sent: false }) })
    }

    fn send_meta(
        &self,
        _: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        let (sender, receiver) = oneshot::channel();
        if let MetaRequest::Timestamps { count } = request {
            self.0.lock().push((count, sender));
        }
        Box::pin(async move { receiver.await.unwrap_or(Err(KvError::Shutdown)) })
    }

    fn meta_nodes(&self) -> Vec<NodeId> {
        vec![NodeId(1)]
    }
}

struct NoFragments;

impl Pushdown for NoFragments {
    fn start(&self, _: &[u8]) -> KvResult<Box<dyn FragmentRun>> {
        Err(KvError::Fatal("no fragments".into()))
    }
}

fn client() -> (Held, Runner, TxnClient) {
    let (held, runner) = (Held::default(), Runner::new(TestClock::default()));
    let client = TxnClient::new(TxnEnv {
        transport: Arc::new(held.clone()),
        clock: Arc::new(runner.clock.clone()),
        pushdown: Arc::new(NoFragments),
        config: TxnConfig::default(),
    });
    (held, runner, client)
}

#[test]
fn late_callers_wait_for_the_next_request() {
    let (held, mut runner, client) = client();
    let draw = || {
        let client = client.clone();
        async move { client.now().await }
    };
    let first = runner.start(draw());
    runner.settle();
    let (second, third) = (runner.start(draw()), runner.start(draw()));
    runner.pass(std::time::Duration::from_millis(1));
    assert_eq!(held.answer(10), 1);
    runner.settle();
    assert_eq!(*first.borrow(), Some(Ok(Timestamp(10))));
    assert_eq!((second.borrow().is_some(), third.borrow().is_some()), (false, false));
    assert_eq!(held.answer(20), 2);
    runner.settle();
    assert_eq!(*second.borrow(), Some(Ok(Timestamp(20))));
    assert_eq!(*third.borrow(), Some(Ok(Timestamp(21))));
}

#[test]
fn a_caller_that_goes_away_hands_its_turn_on() {
    let (held, mut runner, client) = client();
    let abandoned = {
        let client = client.clone();
        let (draw, handle) = futures::future::abortable(async move { client.now().await });
        (runner.start(draw), handle)
    };
    runner.settle();
    let waiting = {
        let client = client.clone();
        runner.start(async move { client.now().await })
    };
    runner.settle();
    abandoned.1.abort();
    runner.settle();
    assert_eq!(held.answer(30), 1);
    assert_eq!(runner.finish(&waiting), Some(Ok(Timestamp(30))));
}
