//! Random requests against what must hold after each of them: holders agree with each other, nobody
//! waits who could have the lock, whoever was granted a lock was told, and nothing leaks.

use super::*;
use base::NodeId;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Request { key: u8, txn: u64, strength: LockStrength },
    Release { key: u8, txn: u64 },
    ReleaseAll(u64),
    GiveUp(usize),
}

struct Waiting {
    key: Key,
    txn: TxnId,
    ticket: Ticket,
    receiver: oneshot::Receiver<KvResult<()>>,
}

fn step() -> impl Strategy<Value = Step> {
    let strength = prop_oneof![Just(LockStrength::Shared), Just(LockStrength::Exclusive)];
    prop_oneof![
        5 => (0u8..3, 0u64..5, strength)
            .prop_map(|(key, txn, strength)| Step::Request { key, txn, strength }),
        2 => (0u8..3, 0u64..5).prop_map(|(key, txn)| Step::Release { key, txn }),
        1 => (0u64..5).prop_map(Step::ReleaseAll),
        1 => any::<usize>().prop_map(Step::GiveUp),
    ]
}

fn key(byte: u8) -> Key {
    Key::copy_from(&[b'a' + byte])
}

fn txn(unique: u64) -> TxnId {
    TxnId::new(NodeId(1), unique)
}

fn fire(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(|waker| waker.send(Ok(())).expect("the waiter is there"));
}

/// Carries a step out; a transaction asks for one thing at a time.
fn take(table: &mut LockTable, waiting: &mut Vec<Waiting>, step: Step) {
    match step {
        Step::Request { key: k, txn: t, strength } => {
            if waiting.iter().any(|w| w.txn == txn(t)) {
                return;
            }
            match table.request(&key(k), txn(t), strength, MonoTime(1)) {
                Requested::Held { .. } => assert!(table.holds(&key(k), txn(t))),
                Requested::Waiting(ticket, receiver) => {
                    waiting.push(Waiting { key: key(k), txn: txn(t), ticket, receiver });
                }
            }
        }
        Step::Release { key: k, txn: t } => fire(table.release(txn(t), &key(k))),
        Step::ReleaseAll(t) => fire(table.release_all(txn(t))),
        Step::GiveUp(pick) if !waiting.is_empty() => {
            let gone = waiting.swap_remove(pick % waiting.len());
            let (was_waiting, wakers) = table.cancel(&gone.key, gone.ticket);
            assert!(was_waiting, "whoever was granted the lock was told");
            fire(wakers);
        }
        Step::GiveUp(_) => {}
    }
}

fn check(table: &mut LockTable, waiting: &mut Vec<Waiting>) {
    waiting.retain_mut(|w| match w.receiver.try_recv() {
        Ok(Some(result)) => {
            assert_eq!(result, Ok(()));
            assert!(table.holds(&w.key, w.txn), "told, but does not hold it");
            false
        }
        Ok(None) => true,
        Err(_) => panic!("forgotten in the queue"),
    });
    for (key, lock) in &table.locks {
        let exclusive = lock.holders.iter().any(|(_, held)| *held == LockStrength::Exclusive);
        assert!(!exclusive || lock.holders.len() == 1, "{key} is held by too many");
        assert!(!lock.holders.is_empty(), "{key} is held by nobody, and somebody waits");
        if let Some(first) = lock.queue.front() {
            assert!(!lock.admits(first.txn, first.strength), "the first waiter could go");
        }
        for (holder, _) in &lock.holders {
            let noted = table.txns.get(holder).is_some_and(|held| held.keys.contains(key));
            assert!(noted, "{holder} holds {key} and would not release it");
        }
    }
    assert_eq!(table.waiting(), waiting.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_forgotten(steps in proptest::collection::vec(step(), 1..80)) {
        let mut table = LockTable::default();
        let mut waiting = Vec::new();
        for step in steps {
            take(&mut table, &mut waiting, step);
            check(&mut table, &mut waiting);
        }
        while !table.is_empty() {
            for unique in 0..5 {
                fire(table.release_all(txn(unique)));
                check(&mut table, &mut waiting);
            }
        }
        prop_assert!(table.txns.is_empty() && waiting.is_empty());
    }
}

#[test]
fn a_node_s_transactions_are_told_apart_by_its_lives() {
    let mut table = LockTable::default();
    let others = [TxnId::new(NodeId(0), 7), TxnId::new(NodeId(2), 1)];
    for (n, txn) in [txn(1), txn(9), txn(10)].into_iter().chain(others).enumerate() {
        let lock = table.try_request(&key(n as u8), txn, LockStrength::Exclusive, MonoTime(1));
        assert_eq!(lock, Some(true));
    }
    assert_eq!(table.of_node(NodeId(1), 9), [txn(1), txn(9)]);
    assert_eq!(table.of_node(NodeId(1), u64::MAX), [txn(1), txn(9), txn(10)]);
    assert_eq!(table.of_node(NodeId(3), u64::MAX), []);
}
