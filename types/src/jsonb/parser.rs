//! The grammar of JSON: into a [`Jsonb`], or only checked.

use super::lexer::{Lexer, Token};
use super::{DEPTH_MAX, Jsonb};
use crate::{SqlError, SqlResult, numeric, sqlstate};

/// Reads JSON text.
pub fn parse(input: &str) -> SqlResult<Jsonb> {
    let mut lexer = Lexer::new(input, true);
    lexer.advance()?;
    let value = value(&mut lexer, 0)?;
    end(&lexer)?;
    Ok(value)
}

/// Checks JSON text without building a value; escapes need not mean anything.
pub fn check(input: &str) -> SqlResult<()> {
    let mut lexer = Lexer::new(input, false);
    lexer.advance()?;
    check_value(&mut lexer, 0)?;
    end(&lexer)
}

fn end(lexer: &Lexer<'_>) -> SqlResult<()> {
    if lexer.token() == Token::End { Ok(()) } else { Err(lexer.expected("end of input")) }
}

fn too_deep(depth: u32) -> SqlResult<()> {
    if depth > DEPTH_MAX {
        return Err(SqlError::new(sqlstate::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
    }
    Ok(())
}

fn value(lexer: &mut Lexer<'_>, depth: u32) -> SqlResult<Jsonb> {
    too_deep(depth)?;
    let scalar = match lexer.token() {
        Token::OpenBrace => return object(lexer, depth),
        Token::OpenBracket => return array(lexer, depth),
        Token::String => Jsonb::String(lexer.text.as_str().into()),
        Token::Number => Jsonb::Number(numeric::parse(lexer.raw())?),
        Token::True => Jsonb::Bool(true),
        Token::False => Jsonb::Bool(false),
        Token::Null => Jsonb::Null,
        _ => return Err(lexer.expected("JSON value")),
    };
    lexer.advance()?;
    Ok(scalar)
}

fn array(lexer: &mut Lexer<'_>, depth: u32) -> SqlResult<Jsonb> {
    let mut values = Vec::new();
    elements(lexer, |lexer| {
        values.push(value(lexer, depth + 1)?);
        Ok(())
    })?;
    Ok(Jsonb::Array(values))
}

fn object(lexer: &mut Lexer<'_>, depth: u32) -> SqlResult<Jsonb> {
    let mut pairs = Vec::new();
    members(lexer, |lexer, key| {
        pairs.push((key.into(), value(lexer, depth + 1)?));
        Ok(())
    })?;
    Ok(Jsonb::object(pairs))
}

pub(super) fn check_value(lexer: &mut Lexer<'_>, depth: u32) -> SqlResult<()> {
    too_deep(depth)?;
    match lexer.token() {
        Token::OpenBrace => members(lexer, |lexer, _| check_value(lexer, depth + 1)),
        Token::OpenBracket => elements(lexer, |lexer| check_value(lexer, depth + 1)),
        Token::String | Token::Number | Token::True | Token::False | Token::Null => lexer.advance(),
        _ => Err(lexer.expected("JSON value")),
    }
}

/// `[` element `,` ... `]`
pub(super) fn elements<'a>(
    lexer: &mut Lexer<'a>,
    mut element: impl FnMut(&mut Lexer<'a>) -> SqlResult<()>,
) -> SqlResult<()> {
    lexer.advance()?;
    if lexer.token() == Token::CloseBracket {
        return lexer.advance();
    }
    loop {
        element(lexer)?;
        match lexer.token() {
            Token::Comma => lexer.advance()?,
            Token::CloseBracket => return lexer.advance(),
            _ => return Err(lexer.expected("\",\" or \"]\"")),
        }
    }
}

/// `{` string `:` value `,` ... `}`
pub(super) fn members<'a>(
    lexer: &mut Lexer<'a>,
    mut member: impl FnMut(&mut Lexer<'a>, String) -> SqlResult<()>,
) -> SqlResult<()> {
    lexer.advance()?;
    match lexer.token() {
        Token::CloseBrace => return lexer.advance(),
        Token::String => {}
        _ => return Err(lexer.expected("string or \"}\"")),
    }
    loop {
        if lexer.token() != Token::String {
            return Err(lexer.expected("string"));
        }
        let key = std::mem::take(&mut lexer.text);
        lexer.advance()?;
        if lexer.token() != Token::Colon {
            return Err(lexer.expected("\":\""));
        }
        lexer.advance()?;
        member(lexer, key)?;
        match lexer.token() {
            Token::Comma => lexer.advance()?,
            Token::CloseBrace => return lexer.advance(),
            _ => return Err(lexer.expected("\",\" or \"}\"")),
        }
    }
}
