//! Latches against a naive model: a list of requests in order of arrival, in which a request runs
//! when no earlier one that conflicts with it is left.

use base::{Key, Span, Timestamp};
use futures::channel::oneshot;
use proptest::prelude::*;
use shard::latches::{Access, LatchId, Latched, Latches, Touch};

#[derive(Clone, Debug)]
enum Step {
    Acquire { keys: Vec<Key>, spans: Vec<Span>, access: Access },
    Release(usize),
    Read { keys: Vec<Key>, spans: Vec<Span>, at: Timestamp },
}

struct Request {
    id: LatchId,
    keys: Vec<Key>,
    spans: Vec<Span>,
    access: Access,
    receiver: Option<oneshot::Receiver<()>>,
    is_held: bool,
}

fn key() -> impl Strategy<Value = Key> {
    (0u8..6).prop_map(|byte| Key::copy_from(&[b'a' + byte]))
}

fn span() -> impl Strategy<Value = Span> {
    (key(), key()).prop_map(|(a, b)| Span::new(a, b))
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    proptest::collection::btree_set(key(), 0..3).prop_map(|keys| keys.into_iter().collect())
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    proptest::collection::vec(span(), 0..2)
}

fn ts() -> impl Strategy<Value = Timestamp> {
    (0u64..4).prop_map(Timestamp)
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![ts().prop_map(Access::Read), ts().prop_map(Access::Write)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (keys(), spans(), access())
            .prop_map(|(keys, spans, access)| Step::Acquire { keys, spans, access }),
        3 => any::<usize>().prop_map(Step::Release),
        1 => (keys(), spans(), ts()).prop_map(|(keys, spans, at)| Step::Read { keys, spans, at }),
    ]
}

fn overlap(a: (&[Key], &[Span]), b: (&[Key], &[Span])) -> bool {
    let meets = |key: &Key, span: &Span| span.contains(key);
    let apart = |x: &Span, y: &Span| x.is_empty() || y.is_empty() || !x.overlaps(y);
    a.0.iter().any(|key| b.0.contains(key) || b.1.iter().any(|span| meets(key, span)))
        || a.1.iter().any(|span| b.0.iter().any(|key| meets(key, span)))
        || a.1.iter().any(|x| b.1.iter().any(|y| !apart(x, y)))
}

fn conflict(a: Access, b: Access) -> bool {
    match (a, b) {
        (Access::Read(_), Access::Read(_)) => false,
        (Access::Write(_), Access::Write(_)) => true,
        (Access::Read(at), Access::Write(min)) | (Access::Write(min), Access::Read(at)) => {
            min <= at
        }
    }
}

impl Request {
    fn touch(&self) -> (&[Key], &[Span]) {
        (&self.keys, &self.spans)
    }

    fn blocks(&self, later: &Request) -> bool {
        conflict(self.access, later.access) && overlap(self.touch(), later.touch())
    }
}

/// Everybody holds a latch exactly when the model says so.
fn check(requests: &mut [Request]) {
    for i in 0..requests.len() {
        let should_hold = (0..i).all(|earlier| !requests[earlier].blocks(&requests[i]));
        let request = &mut requests[i];
        if let Some(receiver) = &mut request.receiver
            && !request.is_held
        {
            request.is_held = receiver.try_recv().expect("nobody is forgotten").is_some();
        }
        assert_eq!(request.is_held, should_hold, "request {i} of {}", request.id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(steps in proptest::collection::vec(step(), 1..60)) {
        let mut latches = Latches::default();
        let mut requests: Vec<Request> = Vec::new();
        for step in steps {
            match step {
                Step::Acquire { keys, spans, access } => {
                    let latched = latches.acquire(Touch { keys: &keys, spans: &spans }, access);
                    let (id, receiver) = match latched {
                        Latched::Held(id) => (id, None),
                        Latched::Waiting(id, receiver) => (id, Some(receiver)),
                    };
                    let is_held = receiver.is_none();
                    requests.push(Request { id, keys, spans, access, receiver, is_held });
                }
                Step::Release(pick) if !requests.is_empty() => {
                    // Whoever holds it, or whoever gives up.
                    let request = requests.remove(pick % requests.len());
                    for waker in latches.release(request.id) {
                        let _ = waker.send(());
                    }
                }
                Step::Release(_) => {}
                Step::Read { keys, spans, at } => {
                    let blocks = latches.blocks_read(Touch { keys: &keys, spans: &spans }, at);
                    let expected = requests.iter().any(|request| {
                        request.is_held
                            && conflict(request.access, Access::Read(at))
                            && overlap(request.touch(), (&keys, &spans))
                    });
                    prop_assert_eq!(blocks, expected);
                }
            }
            check(&mut requests);
        }
        for request in requests {
            let _ = latches.release(request.id);
        }
        prop_assert!(latches.is_empty());
    }
}
