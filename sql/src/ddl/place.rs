//! Where in the statement an error of DDL is. The grammar's tree keeps the places of names only, so
//! types and constraints are looked for among the tokens around them.

use crate::parse::Locator;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer};
use types::SqlError;

/// The tokens of a query string. Made when there is an error to be placed.
pub(crate) struct Places<'a> {
    locator: Locator<'a>,
    tokens: Vec<TokenWithSpan>,
}

impl Places<'_> {
    fn new(sql: &str) -> Places<'_> {
        let dialect = PostgreSqlDialect {};
        let mut tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().unwrap_or_default();
        tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
        Places { locator: Locator::new(sql), tokens }
    }

    /// A name itself.
    pub(crate) fn at(&self, name: Span) -> Option<u32> {
        self.locator.position(name.start)
    }

    /// What follows a name: the type of a column.
    pub(super) fn after(&self, name: Span) -> Option<u32> {
        self.nth_after(name, 0)
    }

    /// The n-th token behind the one that follows a name.
    pub(crate) fn nth_after(&self, name: Span, n: usize) -> Option<u32> {
        self.position(self.behind(name)? + n)
    }

    /// What follows a word in the definition that a name begins.
    pub(super) fn after_word(&self, name: Span, word: &str) -> Option<u32> {
        self.position(*self.words(name, word).first()? + 1)
    }

    /// The n-th time that a definition says a word, by the name it begins with. A constraint's place
    /// is its own name's if it has one.
    pub(super) fn word(&self, name: Span, word: &str, n: usize) -> Option<u32> {
        let at = *self.words(name, word).get(n)?;
        let is = |at: Option<usize>, word| at.is_some_and(|at| self.is_word(at, word));
        self.position(match at.checked_sub(2) {
            named if is(named, "CONSTRAINT") => at - 2,
            _ if is(at.checked_sub(1), "NOT") => at - 1,
            _ => at,
        })
    }

    /// The constraint of a table in whose list of columns a name stands.
    pub(super) fn constraint_around(&self, name: Span) -> Option<u32> {
        let mut at = self.tokens.iter().position(|token| token.span.start == name.start)?;
        while self.tokens[at].token != Token::LParen {
            at = at.checked_sub(1)?;
        }
        while !matches!(self.tokens[at.checked_sub(1)?].token, Token::LParen | Token::Comma) {
            at -= 1;
        }
        self.position(at)
    }

    /// Is the name one of a list, rather than what a definition begins with?
    pub(super) fn is_listed(&self, name: Span) -> bool {
        let next = self.behind(name).and_then(|at| self.tokens.get(at));
        next.is_some_and(|next| matches!(next.token, Token::Comma | Token::RParen))
    }

    /// Where the definition that a name begins says a word, parentheses left out.
    fn words(&self, name: Span, word: &str) -> Vec<usize> {
        let mut found = Vec::new();
        let mut depth = 0;
        for at in self.behind(name).unwrap_or(self.tokens.len())..self.tokens.len() {
            match self.tokens[at].token {
                Token::LParen => depth += 1,
                Token::RParen if depth == 0 => break,
                Token::RParen => depth -= 1,
                Token::Comma | Token::SemiColon if depth == 0 => break,
                _ if depth == 0 && self.is_word(at, word) => found.push(at),
                _ => {}
            }
        }
        found
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        let is = |token: &TokenWithSpan| match &token.token {
            Token::Word(found) => {
                found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word)
            }
            _ => false,
        };
        self.tokens.get(at).is_some_and(is)
    }

    fn behind(&self, name: Span) -> Option<usize> {
        if name == Span::empty() {
            return None;
        }
        self.tokens.iter().position(|token| token.span.start >= name.end)
    }

    fn position(&self, at: usize) -> Option<u32> {
        self.locator.position(self.tokens.get(at)?.span.start)
    }
}

/// Adds to an error that has no place yet the one that is found.
pub(crate) fn placed(
    error: SqlError,
    sql: &str,
    find: impl FnOnce(&Places<'_>) -> Option<u32>,
) -> SqlError {
    if error.position.is_some() {
        return error;
    }
    match find(&Places::new(sql)) {
        Some(position) => error.with_position(position),
        None => error,
    }
}

/// The same error without its place: where PostgreSQL does not know it either.
pub(super) fn unplaced(mut error: SqlError) -> SqlError {
    error.position = None;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The span of the n-th token.
    fn nth(places: &Places<'_>, n: usize) -> Span {
        places.tokens[n].span
    }

    #[test]
    fn definitions_and_constraints_are_found() {
        let sql = "CREATE TABLE t (a int\n  CONSTRAINT c PRIMARY KEY, b text NULL NOT NULL, UNIQUE (a, b))";
        let places = Places::new(sql);
        let at = |text: &str| Some(sql.find(text).expect("it is there") as u32 + 1);
        let (a, b) = (nth(&places, 4), nth(&places, 11));
        assert_eq!(places.after(a), at("int"));
        assert_eq!(places.word(a, "PRIMARY", 0), at("CONSTRAINT c"));
        assert_eq!(places.word(b, "NULL", 1), at("NOT NULL"));
        assert_eq!(places.word(b, "PRIMARY", 0), None);
        let listed = nth(&places, places.tokens.len() - 3);
        assert_eq!(places.constraint_around(listed), at("UNIQUE"));
        assert!(places.is_listed(listed) && !places.is_listed(a));
        assert_eq!(places.after(Span::empty()), None);
    }
}
