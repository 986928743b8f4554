//! The aggregates: each declared with its argument and result types beside its state.
//!
//! States that are small can be computed in parts next to the data: encoded there, merged here.

mod bits;
mod collect;
mod count;
mod extreme;
mod json;

mod regression;
mod sum;
mod variance;

use super::{AggState, Aggregate};
use types::Oid;

/// The families of aggregates.
pub(super) const AGGREGATES: &[&[Aggregate]] = &[
    count::AGGREGATES,
    sum::AGGREGATES,
    extreme::AGGREGATES,
    bits::AGGREGATES,
    collect::AGGREGATES,
    json::AGGREGATES,
    variance::AGGREGATES,
    regression::AGGREGATES,
];

/// An aggregate that skips NULLs and whose parts can be merged.
const fn splittable(
    name: &'static str,
    args: &'static [Oid],
    returns: Oid,
    state: fn() -> Box<dyn AggState>,
) -> Aggregate {
    Aggregate { name, args, returns, strict: true, splittable: true, state }
}

/// An aggregate that sees NULLs and keeps its input, whose order matters.
const fn gathering(
    name: &'static str,
    args: &'static [Oid],
    returns: Oid,
    state: fn() -> Box<dyn AggState>,
) -> Aggregate {
    Aggregate { name, args, returns, strict: false, splittable: false, state }
}

/// An empty state.
fn start<S: AggState + Default + 'static>() -> Box<dyn AggState> {
    Box::new(S::default())
}
