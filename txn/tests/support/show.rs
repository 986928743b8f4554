//! Requests and answers in one line each.

use base::api::commit_1pc::Commit1PcResponse;
use base::api::end_txn::EndTxnAction;
use base::api::lock::LockedValue;
use base::api::prewrite::PrewriteResponse;
use base::api::{
    RangeOp, RangeRequest, RangeResponse, ReadAt, TxnStatus, Write, WriteCondition, WriteOp,
};
use base::{Key, KvError, KvResult, NodeId, Span, Timestamp};

pub(crate) fn key(key: &[u8]) -> String {
    if key == [0xff] { "max".into() } else { String::from_utf8_lossy(key).into_owned() }
}

pub(crate) fn keys(keys: &[Key]) -> String {
    keys.iter().map(|k| key(k)).collect::<Vec<_>>().join(" ")
}

pub(crate) fn span(span: &Span) -> String {
    format!("[{},{})", key(&span.start), key(&span.end))
}

pub(crate) fn request(node: NodeId, request: &RangeRequest) -> String {
    let body = match &request.body {
        RangeOp::Get(get) => format!("get {}{}", keys(&get.keys), at(get.at)),
        RangeOp::Scan(scan) => {
            let limit = if scan.limit_rows == 0 {
                String::new()
            } else {
                format!(" limit {}", scan.limit_rows)
            };
            let reverse = if scan.reverse { " reverse" } else { "" };
            let fragment = if scan.fragment.is_some() { " fragment" } else { "" };
            format!("scan {}{reverse}{limit}{fragment}{}", span(&scan.span), at(scan.at))
        }
        RangeOp::Lock(lock) if lock.keys.is_empty() => "sign of life".into(),
        RangeOp::Lock(lock) => format!("lock {} {:?}", keys(&lock.keys), lock.strength),
        RangeOp::Unlock(unlock) => format!("unlock {}", keys(&unlock.keys)),
        RangeOp::Commit1Pc(commit) => format!(
            "commit {} @{}{}{}",
            writes(&commit.writes),
            commit.commit_ts.0,
            if commit.exact { " exact" } else { "" },
            if commit.is_retry { " retry" } else { "" }
        ),
        RangeOp::Prewrite(prewrite) => format!(
            "prewrite {} @{}{}{}",
            writes(&prewrite.writes),
            prewrite.ts.0,
            if prewrite.exact { " exact" } else { "" },
            match &prewrite.staging {
                Some(staging) => format!(" staging({})", keys(&staging.keys)),
                None => String::new(),
            }
        ),
        RangeOp::EndTxn(end) => match &end.action {
            EndTxnAction::Heartbeat { .. } => "heartbeat".into(),
            EndTxnAction::Commit { ts, spans, .. } => {
                let spans: String = spans.iter().map(|s| format!(" {}", span(s))).collect();
                format!("end commit @{}{spans}", ts.0)
            }
            EndTxnAction::Abort => "end abort".into(),
            EndTxnAction::Forget => "end forget".into(),
        },
        RangeOp::Resolve(resolve) => {
            format!("resolve {} {}", keys(&resolve.keys), status(resolve.status))
        }
        RangeOp::Refresh(refresh) => {
            let spans: Vec<String> = refresh.spans.iter().map(span).collect();
            format!("refresh {} {}..{}", spans.join(" "), refresh.from.0, refresh.to.0)
        }
        _ => "other".into(),
    };
    format!("{node} {}/{} {body}", request.range, request.epoch)
}

fn at(at: ReadAt) -> String {
    match at {
        ReadAt::Snapshot(ts) => format!(" @{}", ts.0),
        ReadAt::Leader => " @leader".into(),
        ReadAt::Follower(ts) => format!(" @{} follower", ts.0),
    }
}

fn writes(writes: &[Write]) -> String {
    let one = |write: &Write| {
        let condition = match write.condition {
            WriteCondition::NotNewerThan(Timestamp::MAX) => String::new(),
            WriteCondition::NotNewerThan(ts) => format!("<={}", ts.0),
            WriteCondition::Unchanged(ts) => format!("@{}", ts.0),
            WriteCondition::Held(ts) => format!("@{}+lock", ts.0),
            WriteCondition::Absent => "!".into(),
        };
        match &write.op {
            WriteOp::Put(value) => {
                format!("{}{condition}={}", key(&write.key), String::from_utf8_lossy(value))
            }
            WriteOp::Delete => format!("-{}{condition}", key(&write.key)),
            WriteOp::Check => format!("?{}{condition}", key(&write.key)),
        }
    };
    writes.iter().map(one).collect::<Vec<_>>().join(" ")
}

pub(crate) fn status(status: TxnStatus) -> String {
    match status {
        TxnStatus::Pending => "pending".into(),
        TxnStatus::Staging(ts) => format!("staging@{}", ts.0),
        TxnStatus::Committed(ts) => format!("committed@{}", ts.0),
        TxnStatus::Aborted => "aborted".into(),
    }
}

pub(crate) fn result(result: &KvResult<RangeResponse>) -> String {
    match result {
        Err(error) => self::error(error),
        Ok(RangeResponse::Get(get)) => format!("{} values", get.values.iter().flatten().count()),
        Ok(RangeResponse::Scan(scan)) => match &scan.resume {
            Some(rest) => format!("{} rows, rest {}", scan.rows.len(), span(rest)),
            None => format!("{} rows", scan.rows.len()),
        },
        Ok(RangeResponse::Lock(lock)) => {
            let one = |value: &LockedValue| match value {
                LockedValue::Held { observed, .. } => format!("held@{}", observed.0),
                LockedValue::Skipped => "skipped".into(),
            };
            lock.values.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        Ok(RangeResponse::Commit1Pc(Commit1PcResponse::Committed(ts))) => {
            format!("committed@{}", ts.0)
        }
        Ok(RangeResponse::Commit1Pc(Commit1PcResponse::TooLate(_))) => "too late".into(),
        Ok(RangeResponse::Prewrite(PrewriteResponse::Written(ts))) => format!("written@{}", ts.0),
        Ok(RangeResponse::Prewrite(PrewriteResponse::TooLate(_))) => "too late".into(),
        Ok(RangeResponse::EndTxn(end)) => status(end.status),
        Ok(_) => "done".into(),
    }
}

pub(crate) fn error(error: &KvError) -> String {
    match error {
        KvError::WriteConflict { key: k, newer } => {
            format!("conflict on {} with {}", key(k), newer.0)
        }
        KvError::KeyExists { key: k } => format!("{} exists", key(k)),
        KvError::LockNotAvailable { key: k } => format!("{} is locked", key(k)),
        KvError::StaleEpoch { current } => {
            format!("stale: {} is {}", current.range, span(&current.span))
        }
        KvError::Unreachable { maybe_sent, .. } => {
            if *maybe_sent {
                "answer lost".into()
            } else {
                "unreachable".into()
            }
        }
        KvError::NotLeader { leader, .. } => match leader {
            Some(leader) => format!("not the leader, try {}", leader.node),
            None => "not the leader".into(),
        },
        other => other.to_string(),
    }
}
