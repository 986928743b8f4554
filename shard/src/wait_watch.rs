//! Watches over one wait of one transaction: a wait that lasts is reported to the deadlock detector,
//! again and again, until it ends.

use crate::call::Call;
use crate::replica::Env;
use base::meta_api::WaitEdge;
use base::{Key, KvError, KvResult, MonoTime, TxnId};
use std::sync::Arc;
use std::time::Duration;

/// One wait.
pub(crate) struct WaitWatch {
    env: Arc<Env>,
    waiter: Option<TxnId>,
    next_report: MonoTime,
    is_reported: bool,
}

impl WaitWatch {
    /// The wait begins. A request without transaction holds nothing, so nobody waits for it and
    /// nothing is reported.
    pub(crate) fn new(call: &Call) -> WaitWatch {
        let next_report = call.now() + call.config().report_wait_after;
        let env = Arc::clone(&call.replica.env);
        WaitWatch { env, waiter: call.txn, next_report, is_reported: false }
    }

    /// How long until the next report is due.
    pub(crate) fn due_in(&self, now: MonoTime) -> Duration {
        self.next_report.since(now)
    }

    /// Reports, if it is time to; fails when the wait closes a cycle.
    pub(crate) async fn report_if_due(
        &mut self,
        call: &Call,
        key: &Key,
        holders: impl FnOnce() -> Vec<TxnId>,
    ) -> KvResult<()> {
        let now = call.now();
        let Some(waiter) = self.waiter else { return Ok(()) };
        if now < self.next_report {
            return Ok(());
        }
        self.next_report = now + self.env.config.report_wait_again;
        let holders = holders();
        if holders.is_empty() {
            return Ok(());
        }
        self.is_reported = true;
        let edge = WaitEdge { waiter, holders, key: key.clone(), range: call.replica.range };
        let report = self.env.waits.wait(edge);
        // Without an answer the wait just goes on; it is reported again.
        match call.within(self.env.config.report_wait_again, report).await {
            Some(Ok(cycle)) if !cycle.is_empty() => {
                Err(KvError::Deadlock { detail: describe(&cycle) })
            }
            _ => Ok(()),
        }
    }
}

impl Drop for WaitWatch {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter
            && self.is_reported
        {
            self.env.clock.spawn(self.env.waits.done(waiter));
        }
    }
}

fn describe(cycle: &[TxnId]) -> String {
    let next = cycle.iter().cycle().skip(1);
    let edges = cycle.iter().zip(next);
    let lines: Vec<String> = edges
        .map(|(waiter, holder)| {
            format!("Transaction {waiter} waits for a lock of transaction {holder}.")
        })
        .collect();
    lines.join("\n")
}
