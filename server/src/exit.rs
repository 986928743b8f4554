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

/// What is wrong with a command line, of a text that goes on with tips and usage.
pub(crate) fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_about_flags_is_one_line() {
        let text = "error: invalid value 'x' for '--roles <ROLES>'\n  [possible values: meta]\n\n\
                    For more information, try '--help'.\n";
        let line = "invalid value 'x' for '--roles <ROLES>' [possible values: meta]";
        assert_eq!(first_paragraph(text), line);
    }
}
