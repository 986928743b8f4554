//! Runner of golden scripts, shared by the tests of several crates through `#[path]`.
//!
//! A script is a list of blocks, parted by empty lines: a name or comments (`#`), commands, a line
//! `---`, and the output that the commands gave. `REWRITE=1` writes the output anew.

use std::fs;
use std::path::Path;

/// Runs every script of a directory; `run` gets a fresh state per script, then one command at a
/// time, and returns its output.
pub(crate) fn run_all<S>(
    directory: &Path,
    start: impl Fn() -> S,
    run: impl Fn(&mut S, &[&str]) -> String,
) {
    let mut scripts: Vec<_> = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.expect("directory entry").path())
        .filter(|path| path.is_file())
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "no scripts in {}", directory.display());
    for path in scripts {
        let script = fs::read_to_string(&path).expect("script");
        let actual = run_script(&script, start(), &run);
        if std::env::var_os("REWRITE").is_some() {
            fs::write(&path, &actual).expect("rewrite");
            continue;
        }
        assert_eq!(actual, script, "{} differs; REWRITE=1 accepts", path.display());
    }
}

fn run_script<S>(script: &str, mut state: S, run: &impl Fn(&mut S, &[&str]) -> String) -> String {
    let mut out = String::new();
    for block in script.split("\n\n").filter(|block| !block.trim().is_empty()) {
        if !out.is_empty() {
            out.push('\n');
        }
        let commands = block.trim().split("\n---").next().unwrap_or_default();
        let mut answers = String::new();
        let mut has_commands = false;
        for line in commands.lines().filter(|line| *line != "---") {
            out.push_str(line);
            out.push('\n');
            let words: Vec<&str> = line.split_whitespace().collect();
            if words.first().is_some_and(|word| !word.starts_with('#')) {
                has_commands = true;
                let answer = run(&mut state, &words);
                answers.push_str(answer.trim_end());
                if !answer.trim_end().is_empty() {
                    answers.push('\n');
                }
            }
        }
        if has_commands {
            out.push_str("---\n");
            out.push_str(if answers.is_empty() { "ok\n" } else { &answers });
        }
    }
    out
}
