//! Plan fragments: the part of a plan that runs next to the data. A fragment decodes the columns it
//! needs, filters, and emits columns of all rows or of the first in an order, or aggregates; its
//! output is encoded column batches.
//!
//! ```text
//! fragment = version, columns, with key?, filter?, limit,
//!            (emit slots | partial aggregate | emit slots, sort keys)
//! output   = version, columns, rows, column data
//! ```
//!
//! Functions and operators travel by name and argument types: both sides look them up in the same
//! registry, and a node that does not know one refuses the fragment.

mod expr_codec;
mod fragment;
mod partial;
mod run;
mod top;
mod wire;

pub use fragment::{Fragment, Output, PartialCall};
pub use run::FragmentHost;
pub use wire::decode_batch;
