//! Versions, intents and transaction records: what the bytes in [`crate::Keyspace::Data`]
//! and [`crate::Keyspace::Locks`] mean.
//!
//! ```text
//! Data    key ++ !ts (u64 BE)                 version byte, flags, [requested ts], value
//! Locks   01 ++ key                           Intent
//!         02 ++ anchor key ++ txn (u128 BE)   TxnRecord
//! ```
//!
//! The inverted timestamp puts the newest version of a key first, so a read at a snapshot is one
//! seek to `key ++ !snapshot`. Keys are prefix-free (see [`base::Key`]), so appending to a key never
//! moves it past another key, and a key's versions stand together. Everything that belongs to a
//! range lies in the three stretches that [`range_parts`] names.
//!
//! All functions read a [`crate::Snapshot`] or add to a [`WriteBatch`]; none decides anything.

mod count;
pub mod gc;
mod layout;
mod locks;
mod many;
mod point;
mod scan;
mod version;

pub use count::count;
pub use layout::range_parts;
pub use locks::{
    Intent, TxnRecord, encode_intent, encode_record, intent, intents, put_intent, put_record,
    record, records, remove_intent, remove_record,
};
pub use many::{intents_of, newest_of};
pub use point::{Reader, any_newer, get, newest, versions};
pub use scan::{Scan, Visitor};
pub use version::{Version, encode_version, put_version, remove_version};

use crate::WriteBatch;
use base::Span;

/// Removes everything of a span: versions, intents, records. For replicas that are destroyed or
/// about to be replaced by a snapshot.
pub fn clear(batch: &mut WriteBatch, span: &Span) {
    for (keyspace, lower, upper) in range_parts(span) {
        batch.delete_range(keyspace, &lower, &upper);
    }
}
