//! `sharddb.ranges`: how the key space is divided, who holds what and who leads.

use super::super::row::{Rows, array, int, opt_text, text};
use crate::session::errors;
use crate::session::view::SessionView;
use base::meta_api::{MetaRequest, MetaResponse, RangeStatus};
use base::{Key, ReplicaKind, layout};
use catalog::Table;
use std::sync::Arc;
use types::{SqlError, oid};

pub(super) async fn fill(view: &SessionView, rows: &mut Rows) -> Result<(), SqlError> {
    let request = MetaRequest::Ranges { from: Key::MIN, limit: 0 };
    let answer = view.shared.engine.client().meta(request).await;
    let answer = answer.map_err(|error| errors::from_kv(error, &view.catalog))?;
    let MetaResponse::Ranges(ranges) = answer else { return Ok(()) };
    ranges.iter().for_each(|range| add(view, range, rows));
    Ok(())
}

fn add(view: &SessionView, status: &RangeStatus, rows: &mut Rows) {
    let range = &status.descriptor;
    let nodes = |kind: ReplicaKind| {
        let of_kind = range.replicas.iter().filter(|replica| replica.kind == kind);
        array(oid::INT8, of_kind.map(|replica| int(replica.node.0)).collect())
    };
    let table = layout::table_of(&range.span.start)
        .and_then(|storage| view.catalog.table_by_storage(storage));
    let schema = table.and_then(|table| view.catalog.schema(table.schema));
    let database = schema.and_then(|schema| view.catalog.database(schema.database));
    let index = table.and_then(|table| {
        let (_, id, _) = layout::split_key(&range.span.start)?;
        Some(table.index(id)?.name.clone())
    });
    rows.add(&[
        ("range_id", int(range.range.0)),
        ("start_key", text(shown_key(view, &range.span.start))),
        ("end_key", text(shown_key(view, &range.span.end))),
        ("database_name", opt_text(database.map(|d| &d.name))),
        ("table_name", opt_text(table.map(|t| &t.name))),
        ("index_name", opt_text(index)),
        ("leader", status.leader.map_or(types::Datum::Null, |node| int(node.0))),
        ("replicas", nodes(ReplicaKind::Voter)),
        ("learners", nodes(ReplicaKind::Learner)),
        ("epoch", int(range.epoch)),
        ("bytes", int(status.bytes)),
    ]);
}

/// A bound as people read it: `/table/index/values`; hexadecimal where it is not a row's key.
fn shown_key(view: &SessionView, key: &Key) -> String {
    if *key == Key::MIN {
        return "/min".to_owned();
    }
    if *key == Key::max() {
        return "/max".to_owned();
    }
    readable(view, key).unwrap_or_else(|| format!("/{key}"))
}

fn readable(view: &SessionView, key: &Key) -> Option<String> {
    let (storage, id, rest) = layout::split_key(key)?;
    let table: &Arc<Table> = view.catalog.table_by_storage(storage)?;
    let columns = match table.index(id) {
        Some(index) => &index.columns,
        None if id == layout::PRIMARY_INDEX => &table.key,
        None => return None,
    };
    let mut shown = format!("/{}/{id}", table.name);
    let mut reader = base::codec::KeyReader::new(rest);
    let settings = types::Settings::default();
    for column in columns {
        if reader.rest().is_empty() {
            break;
        }
        let ty = table.column(column.column)?.ty;
        let value = types::key::read(ty, column.direction, &mut reader).ok()?;
        let value = match value {
            types::Datum::Null => "NULL".to_owned(),
            value => types::text::to_string(&value, ty, &settings),
        };
        shown.push('/');
        shown.push_str(&value);
    }
    Some(shown)
}
