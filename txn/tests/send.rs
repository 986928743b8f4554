//! What sessions await can move between threads.

use base::Key;
use base::api::lock::{LockStrength, LockWait};
use txn::{Txn, TxnScan};

fn is_send<T: Send>(_: T) {}

/// Never run: that it compiles is the test.
fn all_futures(mut txn: Txn) {
    is_send(txn.get(&[]));
    is_send(txn.scan(TxnScan::default()));
    is_send(txn.lock(Vec::<Key>::new(), LockStrength::Shared, LockWait::Block));
    is_send(txn.check_inserts());
    is_send(txn.snapshot());
    let savepoint = txn.savepoint();
    is_send(txn.rollback_to(savepoint));
    is_send(txn.commit());
}

#[test]
fn futures_are_send() {
    let _compiles: fn(Txn) = all_futures;
}
