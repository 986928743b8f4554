//! Descriptors: what the catalog knows about each object. A descriptor is the value of an ordinary
//! MVCC row; its first two bytes are its kind and the version of that kind's layout.

mod constraint;
mod index;
mod objects;
mod sequence;
mod table;

pub use constraint::{Check, ForeignKey, ForeignKeyAction};
pub use index::{Index, IndexColumn, IndexState};
pub use objects::{Database, Role, Schema, View, ViewColumn};
pub use sequence::{OwnedBy, Sequence};
pub use table::{Column, ColumnId, Identity, Table, TableKind};

use crate::wire::{Input, Malformed, Wire};
use std::sync::Arc;

/// PostgreSQL's object id.
pub type Oid = u32;

/// Layout version of every kind at present.
const VERSION: u8 = 1;

/// Any object of the catalog.
#[derive(Clone, Debug, PartialEq)]
pub enum Descriptor {
    Database(Arc<Database>),
    Schema(Arc<Schema>),
    Table(Arc<Table>),
    View(Arc<View>),
    Sequence(Arc<Sequence>),
    Role(Arc<Role>),
}

impl Descriptor {
    /// The object's id.
    pub fn oid(&self) -> Oid {
        match self {
            Descriptor::Database(d) => d.oid,
            Descriptor::Schema(d) => d.oid,
            Descriptor::Table(d) => d.oid,
            Descriptor::View(d) => d.oid,
            Descriptor::Sequence(d) => d.oid,
            Descriptor::Role(d) => d.oid,
        }
    }

    /// The object's name.
    pub fn name(&self) -> &str {
        match self {
            Descriptor::Database(d) => &d.name,
            Descriptor::Schema(d) => &d.name,
            Descriptor::Table(d) => &d.name,
            Descriptor::View(d) => &d.name,
            Descriptor::Sequence(d) => &d.name,
            Descriptor::Role(d) => &d.name,
        }
    }

    /// The byte form: kind, version, fields.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        let (kind, put): (u8, &dyn Fn(&mut Vec<u8>)) = match self {
            Descriptor::Database(d) => (1, &|out| d.put(out)),
            Descriptor::Schema(d) => (2, &|out| d.put(out)),
            Descriptor::Table(d) => (3, &|out| d.put(out)),
            Descriptor::View(d) => (4, &|out| d.put(out)),
            Descriptor::Sequence(d) => (5, &|out| d.put(out)),
            Descriptor::Role(d) => (6, &|out| d.put(out)),
        };
        out.extend_from_slice(&[kind, VERSION]);
        put(&mut out);
        out
    }

    /// Reads what [`Descriptor::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Descriptor, Malformed> {
        let [kind, version, rest @ ..] = bytes else {
            return Err(Malformed("it ends early"));
        };
        if *version != VERSION {
            return Err(Malformed("unknown version"));
        }
        let mut input = Input(rest);
        let descriptor = match kind {
            1 => Descriptor::Database(Arc::new(Wire::get(&mut input)?)),
            2 => Descriptor::Schema(Arc::new(Wire::get(&mut input)?)),
            3 => Descriptor::Table(Arc::new(Wire::get(&mut input)?)),
            4 => Descriptor::View(Arc::new(Wire::get(&mut input)?)),
            5 => Descriptor::Sequence(Arc::new(Wire::get(&mut input)?)),
            6 => Descriptor::Role(Arc::new(Wire::get(&mut input)?)),
            _ => return Err(Malformed("unknown kind")),
        };
        if input.0.is_empty() { Ok(descriptor) } else { Err(Malformed("trailing bytes")) }
    }
}

#[cfg(test)]
mod tests;
