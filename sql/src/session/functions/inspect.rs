//! What one node stores of a range.

use super::super::errors;
use super::super::view::SessionView;
use super::id_arg;
use base::api::stats::{StatsRequest, StoredCounts};
use base::{KvError, NodeId, RangeId};
use types::{Datum, SqlError};

/// `sharddb.count_versions(range, node)`, `sharddb.count_intents(range, node)`: the node reads all
/// that it has of the range.
pub(super) async fn count(
    view: &SessionView,
    args: &[Datum],
    which: impl Fn(&StoredCounts) -> u64,
) -> Result<Datum, SqlError> {
    let (range, node) = (RangeId(id_arg(args, 0)?), NodeId(id_arg(args, 1)?));
    let request = StatsRequest { count: true };
    let stats = view.shared.engine.client().stats(node, range, request).await;
    let counts = stats.and_then(|stats| {
        stats.counts.ok_or_else(|| KvError::Fatal("statistics without counts".into()))
    });
    let counts = counts.map_err(|error| errors::from_kv(error, &view.catalog))?;
    Ok(Datum::Int8(which(&counts) as i64))
}
