//! Snapshot: exports live rows of a span as they were at one timestamp, page by page. Touches the
//! span's part inside the range, as a read.

use super::scan;
use crate::call::Call;
use base::KvResult;
use base::api::ReadAt;
use base::api::scan::ScanRequest;
use base::api::snapshot::{SnapshotRequest, SnapshotResponse};

pub(super) async fn run(call: &Call, request: SnapshotRequest) -> KvResult<SnapshotResponse> {
    let scan = ScanRequest {
        span: request.span,
        reverse: false,
        at: ReadAt::Snapshot(request.at),
        limit_rows: 0,
        limit_bytes: request.limit_bytes,
        fragment: None,
    };
    let page = scan::run(call, scan).await?;
    Ok(SnapshotResponse { rows: page.rows, resume: page.resume })
}
