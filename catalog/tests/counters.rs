//! Blocks of sequence values while a setval or another refill is under way.

use base::api::increment::{IncrementOp, IncrementResponse};
use base::api::{RangeOp, RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse, RangeStatus};
use base::{
    BoxFuture, Clock, FragmentRun, KvError, KvResult, MonoTime, NodeId, Pushdown, RangeDescriptor,
    Transport,
};
use catalog::{Counters, Sequence};
use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::future::join;
use futures::poll;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use txn::{TxnClient, TxnConfig, TxnEnv};

/// One counter behind a network whose answers wait until they are let through.
#[derive(Clone, Default)]
struct Network(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    counter: i64,
    draws: u64,
    held: Option<VecDeque<oneshot::Sender<()>>>,
}

impl Network {
    /// From now on answers are held back.
    fn hold(&self) {
        self.0.lock().held = Some(VecDeque::new());
    }

    /// Lets through what is held, the last answer first.
    fn release(&self) {
        let held = self.0.lock().held.take().unwrap_or_default();
        held.into_iter().rev().for_each(|answer| answer.send(()).expect("somebody waits"));
    }
}

impl State {
    fn increment(&mut self, op: IncrementOp) -> IncrementResponse {
        match op {
            IncrementOp::Set { value, .. } => {
                self.counter = value;
                IncrementResponse { first: Some(value), count: 1 }
            }
            IncrementOp::Next { by, count, .. } => {
                let first = Some(self.counter + by);
                self.counter += by * count;
                IncrementResponse { first, count }
            }
        }
    }
}

impl Transport for Network {
    fn local_node(&self) -> NodeId {
        NodeId(1)
    }

    fn send_range(
        &self,
        _: NodeId,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        let mut state = self.0.lock();
        let RangeOp::Increment(increment) = request.body else { panic!("not a counter's request") };
        let response = state.increment(increment.op);
        let passed = state.held.as_mut().map(|held| {
            let (sender, receiver) = oneshot::channel();
            held.push_back(sender);
            receiver
        });
        Box::pin(async move {
            if let Some(passed) = passed {
                passed.await.map_err(|_| KvError::Shutdown)?;
            }
            Ok(RangeResponse::Increment(response))
        })
    }

    fn send_meta(
        &self,
        _: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        let answer = match request {
            MetaRequest::Timestamps { count } => {
                let mut state = self.0.lock();
                state.draws += u64::from(count);
                let first = base::Timestamp(state.draws - u64::from(count) + 1);
                MetaResponse::Timestamps { first, count }
            }
            MetaRequest::Lookup { .. } => {
                let descriptor = RangeDescriptor::first(&[NodeId(1)]);
                let leader = Some(NodeId(1));
                MetaResponse::Ranges(vec![RangeStatus { descriptor, leader, bytes: 0 }])
            }
            other => panic!("not a counter's request: {other:?}"),
        };
        Box::pin(async move { Ok(answer) })
    }

    fn meta_nodes(&self) -> Vec<NodeId> {
        vec![NodeId(1)]
    }
}

/// No time passes.
struct Still;

impl Clock for Still {
    fn now(&self) -> MonoTime {
        MonoTime(0)
    }
    fn wall_millis(&self) -> u64 {
        0
    }
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
    fn spawn(&self, _: BoxFuture<'static, ()>) {}
}

struct NoFragments;

impl Pushdown for NoFragments {
    fn start(&self, _: &[u8]) -> KvResult<Box<dyn FragmentRun>> {
        Err(KvError::Fatal("there are no fragments".into()))
    }
}

fn client(network: &Network) -> TxnClient {
    TxnClient::new(TxnEnv {
        transport: Arc::new(network.clone()),
        clock: Arc::new(Still),
        pushdown: Arc::new(NoFragments),
        config: TxnConfig::default(),
    })
}

fn sequence() -> Sequence {
    Sequence {
        oid: 20_000,
        schema: 2200,
        name: "s".into(),
        owner: 10,
        ty: types::SqlType::INT8,
        start: 1,
        increment: 1,
        min: 1,
        max: i64::MAX,
        cache: 1,
        cycle: false,
        storage_id: 20_000,
        owned_by: None,
        comment: None,
    }
}

/// Runs both to their ends. Answers are held back until both have sent what they can.
fn run<A, B>(
    network: &Network,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    network.hold();
    let mut both = pin!(join(first, second));
    let mut pool = LocalPool::new();
    let is_done = pool.run_until(async { poll!(&mut both).is_ready() });
    assert!(!is_done, "an answer was not held back");
    network.release();
    pool.run_until(both)
}

#[test]
fn a_block_from_before_setval_is_not_used_after_it() {
    let network = Network::default();
    let (client, counters, sequence) = (client(&network), Counters::default(), sequence());
    let (value, set) = run(
        &network,
        counters.next_value(&client, &sequence, 1),
        counters.set_value(&client, &sequence, 1000, true),
    );
    assert_eq!((value, set), (Ok(Some(1)), Ok(())));
    let next = LocalPool::new().run_until(counters.next_value(&client, &sequence, 1));
    assert_eq!(next, Ok(Some(1001)));
}

#[test]
fn two_refills_at_once_hand_out_no_value_late() {
    let network = Network::default();
    let (client, counters, sequence) = (client(&network), Counters::default(), sequence());
    let next = || counters.next_value(&client, &sequence, 1);
    let (a, b) = run(&network, next(), next());
    let (c, d) = LocalPool::new().run_until(join(next(), next()));
    assert_eq!([a, b, c, d], [1, 2, 3, 4].map(|value| Ok(Some(value))));
}
