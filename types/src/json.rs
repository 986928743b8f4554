//! `json`: the text as it was given, checked.

use crate::SqlResult;

/// Checks the syntax.
pub(crate) fn validate(input: &str) -> SqlResult<()> {
    crate::jsonb::check(input)
}
