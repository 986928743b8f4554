//! What can go wrong in the catalog.

use crate::store::Name;
use crate::wire::Malformed;
use base::KvError;

/// An error of the catalog, by what the caller does about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// Another object has the name.
    #[error("name \"{}\" is taken", .0.name)]
    NameTaken(Name),
    /// The store said no: rerun, retry or give up as its variants say.
    #[error(transparent)]
    Kv(#[from] KvError),
    /// A stored descriptor cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}
