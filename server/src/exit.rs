//! How commands end and speak: one line on standard error and a non-zero exit, or lines on
//! standard output.

use std::io::Write;

/// Why a command ended: one clear line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure with this line.
    pub(crate) fn new(line: impl Into<String>) -> Failure {
        Failure(line.into().replace('\n', " "))
    }
}

/// Prints a line for people or scripts and makes sure that it is out.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that went away does not stop a server.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints a line on standard error.
pub(crate) fn complain(line: &str) {
    // There is nobody else to tell.
    let _ = writeln!(std::io::stderr(), "sharddb: {line}");
}
