//! `sharddb.nodes`: the processes of the cluster as meta knows them.

use super::super::row::{Rows, int, text, yes};
use crate::session::errors;
use crate::session::view::SessionView;
use base::meta_api::{MetaRequest, MetaResponse};
use types::SqlError;

pub(super) async fn fill(view: &SessionView, rows: &mut Rows) -> Result<(), SqlError> {
    let answer = view.shared.engine.client().meta(MetaRequest::Nodes).await;
    let answer = answer.map_err(|error| errors::from_kv(error, &view.catalog))?;
    let MetaResponse::Nodes(nodes) = answer else { return Ok(()) };
    for status in nodes {
        let node = &status.descriptor;
        let roles = [(node.is_meta, "meta"), (node.is_shard, "shard"), (node.is_proxy, "proxy")];
        let roles: Vec<&str> = roles.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        rows.add(&[
            ("node_id", int(node.node.0)),
            ("rpc_address", text(&node.rpc_addr)),
            ("sql_address", text(&node.sql_addr)),
            ("http_address", text(&node.http_addr)),
            ("roles", text(roles.join(","))),
            ("is_live", yes(status.is_live)),
            ("replicas", int(status.replicas)),
            ("leaders", int(status.leaders)),
            ("bytes", int(status.bytes)),
            ("leads_meta", yes(status.leads_meta)),
        ]);
    }
    Ok(())
}
