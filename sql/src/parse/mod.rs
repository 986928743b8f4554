//! From SQL text to syntax trees: `sqlparser` with PostgreSQL's dialect, a depth limit, and errors
//! in PostgreSQL's words.

mod locate;
mod tokens;

pub use locate::Locator;

use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use std::ops::Range;
use types::{SqlError, sqlstate};

/// How deep parentheses, subqueries and operators may nest.
const DEPTH_MAX: usize = 160;

/// One statement of a query string.
#[derive(Clone, Debug)]
pub struct ParsedStatement {
    /// The syntax tree.
    pub ast: Statement,
    /// Its bytes in the query string, without the semicolon.
    pub text: Range<usize>,
}

/// Parses a query string of any number of statements.
pub fn parse(sql: &str) -> Result<Vec<ParsedStatement>, SqlError> {
    let dialect = PostgreSqlDialect {};
    let locator = Locator::new(sql);
    let tokens = Tokenizer::new(&dialect, sql)
        .tokenize_with_location()
        .map_err(|error| locate::tokenizer_error(&locator, &error))?;
    let mut out = Vec::new();
    for (statement, end) in tokens::statements(tokens) {
        tokens::check_depth(&statement)?;
        out.push(parse_one(&dialect, &locator, statement, end)?);
    }
    Ok(out)
}

/// Parses a scalar expression alone: a column's default, a check constraint.
pub fn parse_expression(sql: &str) -> Result<sqlparser::ast::Expr, SqlError> {
    let dialect = PostgreSqlDialect {};
    let locator = Locator::new(sql);
    let tokens = Tokenizer::new(&dialect, sql)
        .tokenize_with_location()
        .map_err(|error| locate::tokenizer_error(&locator, &error))?;
    let tokens: Vec<_> = tokens.into_iter().filter(|t| !tokens::is_blank(&t.token)).collect();
    let mut parser = parser_over(&dialect, tokens.clone());
    let expr = parser.parse_expr().map_err(|error| syntax_error(&locator, &tokens, &error))?;
    match parser.peek_token().token {
        Token::EOF => Ok(expr),
        _ => Err(locate::near(&locator, &parser.peek_token())),
    }
}

fn parser_over(dialect: &PostgreSqlDialect, tokens: Vec<TokenWithSpan>) -> Parser<'_> {
    Parser::new(dialect).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens)
}

fn parse_one(
    dialect: &PostgreSqlDialect,
    locator: &Locator<'_>,
    tokens: Vec<TokenWithSpan>,
    end: Option<TokenWithSpan>,
) -> Result<ParsedStatement, SqlError> {
    let first = tokens.first().map(|t| locator.byte(t.span.start)).unwrap_or(0);
    let last = tokens.last().map(|t| locator.byte(t.span.end)).unwrap_or(first);
    if let Some(table) = tokens::table_of_bare_delete(&tokens) {
        return Err(locate::near(locator, table));
    }
    let tokens = tokens::rewrite(tokens);
    let kept = tokens.clone();
    let mut parser = parser_over(dialect, tokens);
    let ast = parser.parse_statement().map_err(|error| {
        let error = syntax_error(locator, &kept, &error);
        // What ends too early ends at its semicolon, if it has one.
        match &end {
            Some(end) if error.message == locate::END_OF_INPUT => locate::near(locator, end),
            _ => error,
        }
    })?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        return Err(locate::near(locator, &next));
    }
    Ok(ParsedStatement { ast, text: first..last })
}

fn syntax_error(locator: &Locator<'_>, tokens: &[TokenWithSpan], error: &ParserError) -> SqlError {
    match error {
        ParserError::RecursionLimitExceeded => too_deep(),
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            locate::parser_error(locator, tokens, message)
        }
    }
}

pub(crate) fn too_deep() -> SqlError {
    SqlError::new(sqlstate::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
        .with_hint("The statement nests expressions deeper than the server allows.")
}

#[cfg(test)]
mod tests;
