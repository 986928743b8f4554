//! The catalog: databases, schemas, tables, indexes, sequences, views and roles as versioned
//! descriptors in ordinary MVCC rows, so that DDL is transactional like any other write.
//!
//! ```text
//!  table 1  descriptors  oid -> Descriptor
//!  table 2  names        (kind, parent, name) -> oid     unique through Txn::insert
//!  table 3  version      one row that every catalog change rewrites
//!  table 4  counters of sequences        table 5  counters of hidden row ids
//!  table 6  fences                       table 7  keys to be deleted
//!  table 8  counters of index numbers
//! ```
//!
//! A process keeps the newest committed catalog in memory ([`CatalogSnapshot`]); a transaction that
//! runs DDL keeps its changes beside it ([`CatalogChanges`]) and sees both.
//!
//! **No statement reads a descriptor from the key space**: they all see the snapshot.

mod bootstrap;
mod catalog;
mod counters;
pub mod descriptor;
mod error;
pub mod fence;
pub mod garbage;
pub mod layout;
mod snapshot;
pub mod store;
mod sweeper;
mod wire;

pub use catalog::{Catalog, CatalogBroadcast, NobodyElse, Pin};
pub use counters::{Counters, next_index_number};

pub use descriptor::{
    Check, Column, ColumnId, Database, Descriptor, ForeignKey, ForeignKeyAction, Identity, Index,
    IndexColumn, IndexState, Oid, OwnedBy, Role, Schema, Sequence, Table, TableKind, View,
    ViewColumn,
};
pub use error::CatalogError;
pub use fence::FenceOwner;
pub use garbage::Garbage;
pub use snapshot::{
    CatalogSnapshot, INFORMATION_SCHEMA, PG_CATALOG, POSTGRES_DATABASE, POSTGRES_ROLE, PUBLIC,
    Relation, SHARDDB,
};
pub use store::CatalogChanges;
pub use sweeper::Sweeper;
pub use wire::Malformed;
