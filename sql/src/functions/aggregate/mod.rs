//! The aggregates.

use super::Aggregate;

/// The families of aggregates.
pub(super) const AGGREGATES: &[&[Aggregate]] = &[];
