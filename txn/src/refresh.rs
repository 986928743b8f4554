//! Moves what was read up to a later timestamp, if it would read the same there.

use crate::client::Core;
use crate::patience::Patience;
use crate::router::Route;
use crate::sender::{Failed, Sending};
use base::api::RangeOp;
use base::api::refresh::RefreshRequest;
use base::{KvResult, Span, Timestamp};
use futures::stream::{StreamExt, iter};
use std::sync::Arc;

/// Proves that the spans read the same at `to` as at `from`, and that they will stay so.
/// `WriteConflict` when they do not.
pub(crate) async fn run(
    core: &Core,
    sending: Sending,
    mut spans: Vec<Span>,
    from: Timestamp,
    to: Timestamp,
) -> KvResult<()> {
    let sending = Sending { any_replica: false, ..sending };
    let mut patience = Patience::default();
    while !spans.is_empty() {
        let groups = cut_spans(core, std::mem::take(&mut spans)).await?;
        let sends = groups.into_iter().map(|(route, part)| async move {
            let make = |_| RangeOp::Refresh(RefreshRequest { spans: part.clone(), from, to });
            let result = core.send(route, sending, make).await;
            (part, result)
        });
        let results: Vec<_> = iter(sends).buffered(core.env.config.parallelism).collect().await;
        for (part, result) in results {
            match result {
                Ok(_) => {}
                Err(Failed::Recut { .. }) => spans.extend(part),
                Err(Failed::Error { error, .. }) => return Err(error),
            }
        }
        if !spans.is_empty() {
            patience.recut(&core.env).await?;
        }
    }
    Ok(())
}

/// Cuts spans at the bounds of ranges and groups the pieces by range.
async fn cut_spans(core: &Core, spans: Vec<Span>) -> KvResult<Vec<(Arc<Route>, Vec<Span>)>> {
    let mut groups: Vec<(Arc<Route>, Vec<Span>)> = Vec::new();
    for span in spans {
        for route in core.router.ranges(&span).await? {
            let piece = span.intersect(&route.descriptor.span);
            match groups.last_mut() {
                Some((last, pieces)) if last.descriptor == route.descriptor => pieces.push(piece),
                _ => groups.push((route, vec![piece])),
            }
        }
    }
    Ok(groups)
}
