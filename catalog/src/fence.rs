//! Fences: while a table has one, only its owner's transaction writes to it. Rewrites, index builds
//! and new constraints take the fence, drain the table, and work undisturbed; readers go on.
//!
//! A fence is a row that is committed and announced before the work begins and that the work's own
//! transaction removes, so that the end of the fence and the new descriptor become visible together.

use crate::CatalogError;
use crate::descriptor::Oid;
use crate::layout::{FENCE_TABLE, counter_key};
use base::api::lock::{LockStrength, LockWait};
use base::codec::{CodecError, Direction, KeyReader};
use base::{KvError, NodeId, layout};
use txn::{Isolation, Txn, TxnLocked, TxnScan};

/// Whose fence it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FenceOwner {
    pub node: NodeId,
    /// The session, unique within the node's process.
    pub session: u64,
    /// When the process of the owner started, milliseconds since 1970: a fence of an earlier life
    /// of the node belongs to nobody.
    pub process_started: u64,
}

const VERSION: u8 = 1;

impl FenceOwner {
    fn encode(self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.node.0.to_le_bytes());
        out.extend_from_slice(&self.session.to_le_bytes());
        out.extend_from_slice(&self.process_started.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Result<FenceOwner, CodecError> {
        let (&[VERSION], rest) = bytes.split_at_checked(1).ok_or(CodecError("fence"))? else {
            return Err(CodecError("fence version"));
        };
        let number = |at: usize| -> Result<u64, CodecError> {
            let bytes = rest.get(at * 8..at * 8 + 8).ok_or(CodecError("fence"))?;
            bytes.try_into().map(u64::from_le_bytes).map_err(|_| CodecError("fence"))
        };
        Ok(FenceOwner {
            node: NodeId(number(0)?),
            session: number(1)?,
            process_started: number(2)?,
        })
    }
}

/// Takes a table's fence; answers the owner who has it when it is not free.
pub async fn take(
    txn: &mut Txn,
    table: Oid,
    owner: FenceOwner,
) -> Result<Option<FenceOwner>, CatalogError> {
    let key = counter_key(FENCE_TABLE, table);
    let locked = txn.lock(vec![key.clone()], LockStrength::Exclusive, LockWait::Block).await?;
    if let Some(TxnLocked::Held { value: Some(value), .. }) = locked.first() {
        let other = FenceOwner::decode(value).map_err(damaged)?;
        if other != owner {
            return Ok(Some(other));
        }
    }
    txn.put(key, owner.encode().into());
    Ok(None)
}

/// Removes a table's fence with the transaction's commit; false when it is not the owner's any more.
pub async fn release(txn: &mut Txn, table: Oid, owner: FenceOwner) -> Result<bool, CatalogError> {
    let key = counter_key(FENCE_TABLE, table);
    if txn.isolation() != Isolation::ReadCommitted {
        // The fence is newer than the transaction's snapshot, which no lock would forgive.
        txn.delete_unconditional(key);
        return Ok(true);
    }
    let locked = txn.lock(vec![key.clone()], LockStrength::Exclusive, LockWait::Block).await?;
    let Some(TxnLocked::Held { value: Some(value), .. }) = locked.first() else { return Ok(false) };
    if FenceOwner::decode(value).map_err(damaged)? != owner {
        return Ok(false);
    }
    txn.delete(key);
    Ok(true)
}

/// All fences at the transaction's snapshot.
pub async fn load(txn: &mut Txn) -> Result<Vec<(Oid, FenceOwner)>, CatalogError> {
    let mut out = Vec::new();
    let mut next = Some(layout::index_span(FENCE_TABLE, layout::PRIMARY_INDEX));
    while let Some(span) = next {
        let page = txn.scan(TxnScan::forward(span)).await?;
        for (key, value) in &page.rows {
            let (_, _, columns) = layout::split_key(key).ok_or(damaged(CodecError("fence key")))?;
            let mut reader = KeyReader::new(columns);
            reader.present(Direction::Asc).map_err(damaged)?;
            let table = reader.i64().map_err(damaged)?;
            let table = Oid::try_from(table).map_err(|_| damaged(CodecError("fence key")))?;
            out.push((table, FenceOwner::decode(value).map_err(damaged)?));
        }
        next = page.resume;
    }
    Ok(out)
}

fn damaged(error: CodecError) -> CatalogError {
    CatalogError::Kv(KvError::Fatal(error.to_string()))
}
