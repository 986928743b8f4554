//! Answers as text.

use super::parse::Names;
use base::api::commit_1pc::Commit1PcResponse;
use base::api::lock::LockedValue;
use base::api::prewrite::PrewriteResponse;
use base::api::push::PushResponse;
use base::api::{RangeResponse, TxnStatus};
use base::{Key, KvError, KvResult, Span};

pub(crate) fn result(names: &Names, result: &KvResult<RangeResponse>) -> String {
    match result {
        Ok(response) => show(names, response),
        Err(error) => failure(names, error),
    }
}

pub(crate) fn key(key: &Key) -> String {
    match key[..] {
        [] => "min".into(),
        [0xff] => "max".into(),
        _ => String::from_utf8_lossy(key).into_owned(),
    }
}

fn span(span: &Span) -> String {
    format!("[{}, {})", key(&span.start), key(&span.end))
}

fn value(value: Option<&[u8]>) -> String {
    value.map_or("-".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn status(names: &Names, status: TxnStatus) -> String {
    match status {
        TxnStatus::Pending => "pending".into(),
        TxnStatus::Staging(ts) => format!("staging at {}", names.show(ts)),
        TxnStatus::Committed(ts) => format!("committed at {}", names.show(ts)),
        TxnStatus::Aborted => "aborted".into(),
    }
}

fn show(names: &Names, response: &RangeResponse) -> String {
    match response {
        RangeResponse::Get(answer) => {
            let values: Vec<String> = answer.values.iter().map(|v| value(v.as_deref())).collect();
            format!("{} (at {})", values.join(" "), names.show(answer.read_ts))
        }
        RangeResponse::Scan(page) => {
            let mut out: Vec<String> =
                page.rows.iter().map(|(k, v)| format!("{}={}", key(k), value(Some(v)))).collect();
            out.extend(page.output.as_deref().map(|o| format!("output {}", value(Some(o)))));
            out.extend(page.resume.as_ref().map(|rest| format!("resume {}", span(rest))));
            out.extend(page.done.then(|| "done".to_string()));
            format!("{} (read {})", out.join(" "), page.rows_read)
        }
        RangeResponse::Lock(answer) => {
            let shown = answer.values.iter().map(|locked| match locked {
                LockedValue::Held { value: v, observed } => {
                    format!("{}@{}", value(v.as_deref()), names.show(*observed))
                }
                LockedValue::Skipped => "skipped".into(),
            });
            format!("locked {}", shown.collect::<Vec<_>>().join(" "))
        }
        RangeResponse::Commit1Pc(Commit1PcResponse::Committed(ts)) => {
            format!("committed at {}", names.show(*ts))
        }
        RangeResponse::Commit1Pc(Commit1PcResponse::TooLate(ts))
        | RangeResponse::Prewrite(PrewriteResponse::TooLate(ts)) => {
            format!("too late: {}", names.show(*ts))
        }
        RangeResponse::Prewrite(PrewriteResponse::Written(ts)) => {
            format!("written at {}", names.show(*ts))
        }
        RangeResponse::EndTxn(answer) => status(names, answer.status),
        RangeResponse::Recover(answer) => status(names, answer.status),
        RangeResponse::Push(answer) => match answer {
            PushResponse::Finished(s) => format!("finished: {}", status(names, *s)),
            PushResponse::Pushed => "pushed".into(),
            PushResponse::Alive => "alive".into(),
            PushResponse::Recover(staging) => format!("recover from {}", names.show(staging.ts)),
        },
        RangeResponse::QueryIntent(answer) => {
            if answer.all_present {
                "all present".into()
            } else {
                "missing".into()
            }
        }
        RangeResponse::Increment(answer) => match answer.first {
            Some(first) => format!("{first} x{}", answer.count),
            None => "exhausted".into(),
        },
        RangeResponse::Split(halves) => {
            format!("{} | {}", span(&halves.left.span), span(&halves.right.span))
        }
        RangeResponse::Snapshot(page) => {
            let rows = page.rows.iter().map(|(k, v)| format!("{}={}", key(k), value(Some(v))));
            let mut out: Vec<String> = rows.collect();
            out.extend(page.resume.as_ref().map(|rest| format!("resume {}", span(rest))));
            out.join(" ")
        }
        RangeResponse::Descriptor(descriptor) => span(&descriptor.span),
        RangeResponse::Stats(stats) => {
            format!("{} safe point {}", span(&stats.descriptor.span), names.show(stats.safe_point))
        }
        RangeResponse::Done => "done".into(),
    }
}

fn failure(names: &Names, error: &KvError) -> String {
    let text = match error {
        KvError::WriteConflict { key: at, newer } => {
            format!("write conflict on {} with {}", key(at), names.show(*newer))
        }
        KvError::KeyExists { key: at } => format!("key {} exists", key(at)),
        KvError::LockNotAvailable { key: at } => format!("lock on {} not available", key(at)),
        KvError::SnapshotTooOld { read_ts, safe_point } => {
            format!("snapshot {} below {}", names.show(*read_ts), names.show(*safe_point))
        }
        KvError::Deadlock { detail } => format!("deadlock: {}", detail.replace('\n', " ")),
        other => other.to_string(),
    };
    format!("error: {text}")
}
