//! Golden scripts: a scenario a file under `testdata/consensus`, commands and what they lead to.
//!
//! A block is one or more commands, a line `---`, and the expected output, ended by an empty line.
//! `UPDATE_GOLDEN=1 cargo test -p sharddb-consensus` writes the output of this run into the files.

mod command;
mod disk;
mod handover;
mod strangers;
mod world;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[test]
fn scripts_lead_where_they_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/consensus");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("scripts").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut failed = Vec::new();
    for file in files {
        let expected = std::fs::read_to_string(&file).expect("script");
        let actual = run(&expected);
        if is_update {
            std::fs::write(&file, actual).expect("script is written");
        } else if actual != expected {
            failed.push(format!("{}\n{}", file.display(), difference(&expected, &actual)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Runs a script and returns it with the output it leads to.
fn run(script: &str) -> String {
    let mut world = world::World::new();
    let mut out = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            writeln!(out, "{line}").unwrap();
            continue;
        }
        let mut commands = vec![line];
        commands.extend(lines.by_ref().take_while(|line| *line != "---"));
        // The old output goes.
        lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
        let mut output = String::new();
        for command in &commands {
            writeln!(out, "{command}").unwrap();
            if !command.starts_with('#') {
                command::run(&mut world, command, &mut output);
            }
        }
        out.push_str("---\n");
        out.push_str(if output.is_empty() { "ok\n" } else { &output });
        if lines.peek().is_some() {
            out.push('\n');
        }
    }
    out
}

fn difference(expected: &str, actual: &str) -> String {
    let pairs = expected.lines().zip(actual.lines()).enumerate();
    match pairs.into_iter().find(|(_, (e, a))| e != a) {
        Some((n, (e, a))) => format!("line {}:\n- {e}\n+ {a}", n + 1),
        None => "one is longer than the other".to_string(),
    }
}
