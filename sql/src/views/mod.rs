//! Relations without stored rows: `pg_catalog`, `information_schema` and `sharddb`. Their rows are
//! made from the catalog snapshot, the session or the cluster when a query reads them.
//!
//! The shapes of PostgreSQL's relations are a table (`shapes`); a relation for which there is
//! nothing to tell has a shape and no rows. Columns that a row does not set are false, 0 or NULL.

pub(crate) mod describe;
mod information_schema;
mod pg_catalog;
mod row;
mod sharddb;

use crate::session::view::SessionView;
use base::layout::PRIMARY_INDEX;
use catalog::{
    Column, INFORMATION_SCHEMA, Oid, PG_CATALOG, POSTGRES_ROLE, SHARDDB, Table, TableKind,
};
use row::Rows;
use rustc_hash::FxHashMap;
use std::sync::{Arc, LazyLock};
use types::{Datum, SqlError, SqlType};

/// Name, OID and columns of a relation.
type Shape = (&'static str, Oid, &'static [(&'static str, Oid)]);

/// All relations by OID, with their schemas.
static SHAPES: LazyLock<FxHashMap<Oid, (Oid, Shape)>> = LazyLock::new(|| {
    let schemas = [
        (PG_CATALOG, pg_catalog::SHAPES),
        (INFORMATION_SCHEMA, information_schema::SHAPES),
        (SHARDDB, sharddb::SHAPES),
    ];
    schemas
        .into_iter()
        .flat_map(|(schema, shapes)| shapes.iter().map(move |shape| (shape.1, (schema, *shape))))
        .collect()
});

/// Descriptors of all of them.
pub(crate) fn tables() -> Vec<Arc<Table>> {
    let mut tables: Vec<_> =
        SHAPES.values().map(|(schema, shape)| Arc::new(table(*schema, *shape))).collect();
    tables.sort_by_key(|table| table.oid);
    tables
}

/// The rows of one.
pub(crate) async fn rows(view: &SessionView, oid: Oid) -> Result<Vec<Vec<Datum>>, SqlError> {
    let Some((schema, shape)) = SHAPES.get(&oid) else { return Ok(Vec::new()) };
    let mut rows = Rows::new(shape.2);
    match *schema {
        PG_CATALOG => pg_catalog::fill(shape.0, view, &mut rows),
        INFORMATION_SCHEMA => information_schema::fill(shape.0, view, &mut rows),
        _ => sharddb::fill(shape.0, view, &mut rows).await?,
    }
    Ok(rows.finish())
}

fn table(schema: Oid, (name, oid, columns): Shape) -> Table {
    let columns: Vec<Column> = columns
        .iter()
        .zip(1i16..)
        .map(|((name, ty), attnum)| Column::new(attnum as u32, attnum, name, SqlType::new(*ty)))
        .collect();
    Table {
        oid,
        schema,
        name: name.to_owned(),
        owner: POSTGRES_ROLE,
        kind: TableKind::Virtual,
        storage_id: oid,
        version: 1,
        next_column: columns.len() as u32 + 1,
        columns,
        key: Vec::new(),
        indexes: Vec::new(),
        checks: Vec::new(),
        foreign_keys: Vec::new(),
        next_index: PRIMARY_INDEX + 1,
        options: Vec::new(),
        rows_estimate: -1,
        comment: None,
    }
}
