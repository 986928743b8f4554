//! Replays the scenarios of `testdata/wire` and compares with what PostgreSQL answered to the same
//! bytes (`record.py` wrote that down). A stub that knows five statements stands in for SQL.

mod support;

use std::fmt::Write;
use support::scenario;
use support::stub::Stub;

fn check(file: &str) {
    let mut wrong = String::new();
    for scenario in scenario::read(file) {
        for piece in [1, usize::MAX] {
            let ours = Stub::run(&scenario.bytes, piece);
            if !scenario.allows(&ours) {
                let (name, reference) = (&scenario.name, &scenario.reference);
                let _ = writeln!(wrong, "{name} ({piece} at a time)\n  {reference}\n  {ours}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn malformed_input_is_answered_as_postgresql_does() {
    check("malformed.txt");
}

#[test]
fn every_message_in_every_state_is_answered_as_postgresql_does() {
    check("matrix.txt");
}

#[test]
fn damaged_streams_are_answered_as_postgresql_does() {
    check("mutations.txt");
}
