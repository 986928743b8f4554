//! Places in the query string: the tokenizer counts lines and columns, PostgreSQL characters.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, TokenizerError};
use types::{SqlError, sqlstate};

/// Turns lines and columns into positions.
pub struct Locator<'a> {
    sql: &'a str,
    /// Byte and character offset of every line's first character.
    lines: Vec<(usize, usize)>,
}

impl<'a> Locator<'a> {
    /// Indexes a query string.
    pub fn new(sql: &'a str) -> Self {
        let mut lines = vec![(0, 0)];
        for (chars, (byte, c)) in sql.char_indices().enumerate() {
            if c == '\n' {
                lines.push((byte + 1, chars + 1));
            }
        }
        Self { sql, lines }
    }

    /// The byte offset of a location.
    pub fn byte(&self, at: Location) -> usize {
        let Some((start, _)) = self.line(at) else { return self.sql.len() };
        let column = (at.column as usize).saturating_sub(1);
        self.sql[start..].char_indices().nth(column).map_or(self.sql.len(), |(i, _)| start + i)
    }

    /// PostgreSQL's position of a location: characters from 1; `None` for a made-up location.
    pub fn position(&self, at: Location) -> Option<u32> {
        self.line(at).map(|(_, chars)| (chars as u64 + at.column.max(1)) as u32)
    }

    fn line(&self, at: Location) -> Option<(usize, usize)> {
        (at.line as usize).checked_sub(1).and_then(|i| self.lines.get(i)).copied()
    }

    fn end(&self) -> u32 {
        self.sql.chars().count() as u32 + 1
    }
}

/// `syntax error at or near "token"`.
pub(super) fn near(locator: &Locator<'_>, token: &TokenWithSpan) -> SqlError {
    if token.token == Token::EOF {
        return at_end(locator);
    }
    let from = locator.byte(token.span.start);
    let to = locator.byte(token.span.end).max(from);
    let text = &locator.sql[from..to];
    let error =
        SqlError::new(sqlstate::SYNTAX_ERROR, format!("syntax error at or near \"{text}\""));
    match locator.position(token.span.start) {
        Some(position) => error.with_position(position),
        None => error,
    }
}

/// The message for a statement that ends too early.
pub(super) const END_OF_INPUT: &str = "syntax error at end of input";

fn at_end(locator: &Locator<'_>) -> SqlError {
    SqlError::new(sqlstate::SYNTAX_ERROR, END_OF_INPUT).with_position(locator.end())
}

/// An error of the grammar. Its message ends with the place of the token it stumbled over, or with
/// none at the end of the input.
pub(super) fn parser_error(
    locator: &Locator<'_>,
    tokens: &[TokenWithSpan],
    message: &str,
) -> SqlError {
    match place(message) {
        Some(at) => match tokens.iter().find(|t| t.span.start == at) {
            Some(token) => near(locator, token),
            None => at_end(locator),
        },
        None if message.ends_with("found: EOF") => at_end(locator),
        None => SqlError::new(sqlstate::SYNTAX_ERROR, format!("syntax error: {message}")),
    }
}

fn place(message: &str) -> Option<Location> {
    let (_, tail) = message.rsplit_once(" at Line: ")?;
    let (line, column) = tail.split_once(", Column: ")?;
    Some(Location { line: line.parse().ok()?, column: column.parse().ok()? })
}

/// An unterminated string, comment or quoted name.
pub(super) fn tokenizer_error(locator: &Locator<'_>, error: &TokenizerError) -> SqlError {
    let from = locator.byte(error.location);
    let rest = locator.sql.get(from..).unwrap_or_default();
    let what = match rest.chars().next() {
        Some('\'') => "unterminated quoted string",
        Some('"') => "unterminated quoted identifier",
        Some('$') => "unterminated dollar-quoted string",
        Some('/') => "unterminated /* comment",
        _ if error.message.contains("multi-line comment") => "unterminated /* comment",
        _ if error.message.contains("Unterminated") => "unterminated quoted string",
        _ => "syntax error",
    };
    let rest = if rest.is_empty() { "end of input" } else { rest };
    let error = SqlError::new(sqlstate::SYNTAX_ERROR, format!("{what} at or near \"{rest}\""));
    match locator.position(Location { line: 1, column: 1 }) {
        Some(_) => error.with_position(locator.sql[..from].chars().count() as u32 + 1),
        None => error,
    }
}
