//! Replays the scenarios of `testdata/wire` and compares with what PostgreSQL answered to the same
//! bytes (`record.py` wrote that down). A stub that knows five statements stands in for SQL.

mod support;

use std::fmt::Write;
use std::path::PathBuf;
use support::scenario::{Scenario, parse};
use support::stub::Stub;

/// Ours may differ from the reference in exactly these ways.
fn is_allowed(scenario: &Scenario, ours: &str) -> bool {
    let reference = &scenario.reference;
    let says_why = reference.replace(" closed", "").replace("closed", "");
    let fatal = format!("{says_why} E:FATAL:08P01 closed");
    let is_silent = reference.ends_with("closed") && !reference.contains("E:FATAL");
    let lost_place = reference.replace("E:ERROR:08P01 E:FATAL:08P01", "E:FATAL:08P01");
    let function_call = reference.replace("42883", "0A000").replace("25P02", "0A000");
    ours == reference
        || (is_silent && ours == fatal.trim_start())
        || (reference.contains(" G ") && ours == lost_place)
        || (scenario.name.starts_with("FunctionCall") && ours == function_call)
}

fn check(file: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/wire").join(file);
    let text = std::fs::read_to_string(&path).expect("scenarios are in the repository");
    let scenarios = parse(&text);
    assert!(scenarios.len() > 20, "{file} was read");
    let mut wrong = String::new();
    for scenario in &scenarios {
        for piece in [1, usize::MAX] {
            let ours = Stub::run(&scenario.bytes, piece);
            let is_right = match &scenario.differs {
                Some(expected) => ours == *expected,
                None => is_allowed(scenario, &ours),
            };
            if !is_right {
                let Scenario { name, reference, .. } = scenario;
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
