//! Cuts pieces out of JSON text as they stand: `json` keeps its text, its parts do too.

use super::lexer::{Lexer, Token};
use super::parser::{check_value, elements as each_element, members as each_member};
use crate::SqlResult;

/// Whether the text is an array.
pub fn is_array(text: &str) -> bool {
    text.trim_start().starts_with('[')
}

/// The elements of an array; of anything else none.
pub fn elements(text: &str) -> SqlResult<Vec<&str>> {
    let mut lexer = Lexer::new(text, true);
    lexer.advance()?;
    let mut pieces = Vec::new();
    if lexer.token() == Token::OpenBracket {
        each_element(&mut lexer, |lexer| {
            let start = lexer.start();
            check_value(lexer, 1)?;
            pieces.push(text[start..lexer.previous_end()].trim_end());
            Ok(())
        })?;
    }
    Ok(pieces)
}

/// The members of an object in the order of the text; of anything else none.
pub fn members(text: &str) -> SqlResult<Vec<(String, &str)>> {
    let mut lexer = Lexer::new(text, true);
    lexer.advance()?;
    let mut pieces = Vec::new();
    if lexer.token() == Token::OpenBrace {
        each_member(&mut lexer, |lexer, key| {
            let start = lexer.start();
            check_value(lexer, 1)?;
            pieces.push((key, text[start..lexer.previous_end()].trim_end()));
            Ok(())
        })?;
    }
    Ok(pieces)
}

/// The last member of this name.
pub fn member<'a>(text: &'a str, name: &str) -> SqlResult<Option<&'a str>> {
    let found = members(text)?.into_iter().rev().find(|(key, _)| key == name);
    Ok(found.map(|(_, piece)| piece))
}

/// The element at a place; negative places count from the end.
pub fn element(text: &str, place: i64) -> SqlResult<Option<&str>> {
    let pieces = elements(text)?;
    let at = if place < 0 { place + pieces.len() as i64 } else { place };
    Ok(usize::try_from(at).ok().and_then(|at| pieces.get(at).copied()))
}

/// The text without blanks and without members that are null.
pub fn strip_nulls(text: &str) -> SqlResult<String> {
    let mut lexer = Lexer::new(text, true);
    lexer.advance()?;
    let mut out = String::new();
    strip_value(&mut lexer, &mut out)?;
    Ok(out)
}

fn strip_value(lexer: &mut Lexer<'_>, out: &mut String) -> SqlResult<()> {
    let mut first = true;
    match lexer.token() {
        Token::OpenBracket => {
            out.push('[');
            each_element(lexer, |lexer| {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                strip_value(lexer, out)
            })?;
            out.push(']');
            Ok(())
        }
        Token::OpenBrace => {
            out.push('{');
            each_member(lexer, |lexer, key| {
                if lexer.token() == Token::Null {
                    return lexer.advance();
                }
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                super::escape(&key, out);
                out.push(':');
                strip_value(lexer, out)
            })?;
            out.push('}');
            Ok(())
        }
        Token::String => {
            super::escape(&lexer.text, out);
            lexer.advance()
        }
        _ => {
            out.push_str(lexer.raw());
            lexer.advance()
        }
    }
}
