//! Names of the internal API's operations, for labels.

use base::api::RangeOp;
use base::meta_api::MetaRequest;

/// The name of a request to a range.
pub(crate) fn range_operation(operation: &RangeOp) -> &'static str {
    match operation {
        RangeOp::Get(_) => "get",
        RangeOp::Scan(_) => "scan",
        RangeOp::Lock(_) => "lock",
        RangeOp::Unlock(_) => "unlock",
        RangeOp::Commit1Pc(_) => "commit_1pc",
        RangeOp::Prewrite(_) => "prewrite",
        RangeOp::EndTxn(_) => "end_txn",
        RangeOp::Resolve(_) => "resolve",
        RangeOp::Push(_) => "push",
        RangeOp::QueryIntent(_) => "query_intent",
        RangeOp::Recover(_) => "recover",
        RangeOp::Refresh(_) => "refresh",
        RangeOp::Increment(_) => "increment",
        RangeOp::Gc(_) => "gc",
        RangeOp::Split(_) => "split",
        RangeOp::ChangeReplicas(_) => "change_replicas",
        RangeOp::TransferLeader(_) => "transfer_leader",
        RangeOp::Snapshot(_) => "snapshot",
        RangeOp::Ingest(_) => "ingest",
        RangeOp::Stats(_) => "stats",
    }
}

/// The name of a request to meta.
pub(crate) fn meta_operation(request: &MetaRequest) -> &'static str {
    match request {
        MetaRequest::Timestamps { .. } => "timestamps",
        MetaRequest::AllocateIds { .. } => "allocate_ids",
        MetaRequest::Join { .. } => "join",
        MetaRequest::Heartbeat(_) => "heartbeat",
        MetaRequest::Lookup { .. } => "lookup",
        MetaRequest::Ranges { .. } => "ranges",
        MetaRequest::Nodes => "nodes",
        MetaRequest::ReportRange(_) => "report_range",
        MetaRequest::ReportSplit { .. } => "report_split",
        MetaRequest::GetSettings { .. } => "get_settings",
        MetaRequest::SetSetting { .. } => "set_setting",
        MetaRequest::SafePoint => "safe_point",
        MetaRequest::Wait(_) => "wait",
        MetaRequest::WaitDone { .. } => "wait_done",
        MetaRequest::Leader => "leader",
    }
}
