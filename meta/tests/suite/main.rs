//! Tests of the meta group: oracle, RangeMap, and golden scripts of everything else.

mod golden;
mod oracle;
mod range_map;
#[path = "../../../testdata/support/script.rs"]
mod script;
mod support;
