//! Casts between types: which exist and in which context they apply by themselves, and how values
//! are converted.

mod convert;
mod table;

pub use convert::cast;

use crate::oid::{self, Oid};
use crate::{element_of, type_by_oid};

/// Where a cast applies without being written, weakest demand first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CastContext {
    /// In any expression.
    Implicit,
    /// When storing into a column.
    Assignment,
    /// Only when written as a cast.
    Explicit,
}

/// The context of the cast from one type to another; None when there is none. Knows `pg_cast`, the
/// casts through text that exist for every type, and casts of arrays by their elements.
pub fn context(from: Oid, to: Oid) -> Option<CastContext> {
    if from == to || from == oid::UNKNOWN {
        return Some(CastContext::Implicit);
    }
    if let Some(found) = in_catalog(from, to) {
        return Some(found);
    }
    if let (Some(from), Some(to)) = (element_of(from), element_of(to)) {
        // `int2vector` and `oidvector` are arrays in all but name.
        return context(from, to);
    }
    let is_string = |oid| type_by_oid(oid).is_some_and(|info| info.category == 'S');
    if is_string(to) && type_by_oid(from).is_some() && from != oid::VOID {
        return Some(CastContext::Assignment);
    }
    if is_string(from) && type_by_oid(to).is_some() {
        return Some(CastContext::Explicit);
    }
    None
}

/// The entry of `pg_cast` alone: overload resolution looks no further.
pub fn in_catalog(from: Oid, to: Oid) -> Option<CastContext> {
    let at = table::CASTS.binary_search_by_key(&(from, to), |row| (row.0, row.1)).ok()?;
    Some(table::CASTS[at].2)
}

/// All rows of `pg_cast`: source, target, context.
pub fn all() -> &'static [(Oid, Oid, CastContext)] {
    table::CASTS
}
