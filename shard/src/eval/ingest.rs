//! Ingest: writes rows whatever is there. Touches their keys.

use super::write::{self, Chosen};
use crate::call::Call;
use crate::conflict::{Conflicts, Purpose};
use crate::effects::Effects;
use crate::latches::Touch;
use crate::proposal::{Plan, replicate};
use base::api::snapshot::IngestRequest;
use base::api::{Write, WriteCondition, WriteOp};
use base::{Key, KvError, KvResult, Timestamp};

pub(super) async fn run(call: &Call, request: IngestRequest) -> KvResult<()> {
    let IngestRequest { rows, ts } = request;
    let condition = WriteCondition::NotNewerThan(Timestamp::MAX);
    let as_write = |(key, value)| Write { key, op: WriteOp::Put(value), condition };
    let writes: Vec<Write> = rows.into_iter().map(as_write).collect();
    write::check_disk(call, &writes)?;
    let mut keys: Vec<Key> = writes.iter().map(|write| write.key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.len() < writes.len() {
        return Err(KvError::Fatal("a row occurs twice".into()));
    }
    let mut conflicts = Conflicts::default();
    loop {
        let term = call.leading().await?;
        let latch = call.replica.sequencer.write(Touch::keys(&keys), ts).await;
        let view = call.pin(term).await?;
        view.check_keys(&keys)?;
        let foreign = write::foreign(call, &writes, &write::intents(&view, &writes)?);
        if !foreign.is_empty() {
            drop((latch, view));
            conflicts.settle(call, foreign, Purpose::Write).await?;
            continue;
        }
        let newest = write::newest(&view, &writes)?;
        let newest = newest.into_iter().flatten().map(|version| version.ts).max();
        let floor = call.replica.sequencer.floor(&keys, call.txn).max(newest.unwrap_or_default());
        let Chosen::Take(at) = write::choose(call, ts, floor, false).await? else {
            return Err(KvError::Fatal("an ingest takes any timestamp".into()));
        };
        let mut effects = Effects::with_capacity(writes.len());
        for write in &writes {
            effects.put_version(&write.key, at, write::value(&write.op), None);
        }
        let plan = Plan { effects, max_ts: at, ..Plan::default() };
        return replicate(&call.replica, &view, latch, plan).await;
    }
}
