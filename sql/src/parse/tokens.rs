//! Work on the token stream before the grammar sees it: cutting statements apart, a guard against
//! very long operator chains, and spellings of PostgreSQL that the grammar lacks.

use super::too_deep;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};
use types::SqlError;

/// Most operators in one chain without a comma or parenthesis: the tree they make is as deep as the
/// chain is long, and trees are walked and dropped by recursion.
const CHAIN_MAX: usize = 3000;

/// The tokens of one statement and the semicolon behind it.
pub(super) type Cut = (Vec<TokenWithSpan>, Option<TokenWithSpan>);

/// Cuts the tokens at semicolons; blanks and empty statements are dropped.
pub(super) fn statements(tokens: Vec<TokenWithSpan>) -> Vec<Cut> {
    let mut out: Vec<Cut> = Vec::new();
    let mut current = Vec::new();
    for token in tokens {
        match token.token {
            Token::SemiColon => out.push((std::mem::take(&mut current), Some(token))),
            Token::EOF => {}
            ref t if is_blank(t) => {}
            _ => current.push(token),
        }
    }
    out.push((current, None));
    out.retain(|(statement, _)| !statement.is_empty());
    out
}

pub(super) fn is_blank(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}

/// What follows DELETE in place of FROM. The grammar takes it for another dialect's.
pub(super) fn table_of_bare_delete(tokens: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let keyword = |token: &TokenWithSpan| match &token.token {
        Token::Word(word) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    let [first, second, ..] = tokens else { return None };
    let is_bare = keyword(first) == Keyword::DELETE && keyword(second) != Keyword::FROM;
    is_bare.then_some(second)
}

/// Refuses statements whose tree would be too deep for recursion.
pub(super) fn check_depth(tokens: &[TokenWithSpan]) -> Result<(), SqlError> {
    let mut chains = vec![0usize];
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket => chains.push(0),
            Token::RParen | Token::RBracket => {
                chains.pop();
                if chains.is_empty() {
                    chains.push(0);
                }
            }
            Token::Comma => set_last(&mut chains, 0),
            Token::Word(word) => match word.keyword {
                Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::JOIN
                | Keyword::IS => bump(&mut chains)?,
                _ => {}
            },
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) => {}
            Token::Period | Token::Colon | Token::SemiColon | Token::EOF => {}
            _ => bump(&mut chains)?,
        }
    }
    Ok(())
}

fn set_last(chains: &mut [usize], value: usize) {
    if let Some(last) = chains.last_mut() {
        *last = value;
    }
}

fn bump(chains: &mut [usize]) -> Result<(), SqlError> {
    match chains.last_mut() {
        Some(last) if *last >= CHAIN_MAX => Err(too_deep()),
        Some(last) => {
            *last += 1;
            Ok(())
        }
        None => Ok(()),
    }
}

/// Rewrites what the grammar does not know: `FOR NO KEY UPDATE` locks like `FOR UPDATE`, `FOR KEY
/// SHARE` like `FOR SHARE` (there are only two strengths of lock); an option of COPY may be `ON` or
/// `OFF`.
pub(super) fn rewrite(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    match tokens.first().and_then(|t| keyword(&t.token)) {
        Some(Keyword::COPY) => spell_out_booleans(&mut tokens),
        Some(Keyword::TABLE) => spell_out_table(&mut tokens),
        _ => {}
    }
    let mut drop_at = Vec::new();
    for i in 0..tokens.len() {
        let word = |n: usize| tokens.get(i + n).map(|t| keyword(&t.token));
        if word(0) != Some(Some(Keyword::FOR)) {
            continue;
        }
        if word(1) == Some(Some(Keyword::NO))
            && word(2) == Some(Some(Keyword::KEY))
            && word(3) == Some(Some(Keyword::UPDATE))
        {
            drop_at.extend([i + 1, i + 2]);
        } else if word(1) == Some(Some(Keyword::KEY)) && word(2) == Some(Some(Keyword::SHARE)) {
            drop_at.push(i + 1);
        }
    }
    if drop_at.is_empty() {
        return tokens;
    }
    tokens
        .into_iter()
        .enumerate()
        .filter(|(i, _)| !drop_at.contains(i))
        .map(|(_, token)| token)
        .collect()
}

/// `TABLE t` becomes `SELECT * FROM t`; the new words stand where TABLE stood.
fn spell_out_table(tokens: &mut Vec<TokenWithSpan>) {
    let span = tokens[0].span;
    let words = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
    tokens.splice(0..1, words.map(|token| TokenWithSpan { token, span }));
}

/// `FREEZE ON` becomes `FREEZE TRUE`, and likewise for the other options that are true or false.
fn spell_out_booleans(tokens: &mut [TokenWithSpan]) {
    for i in 1..tokens.len() {
        let is_option =
            matches!(keyword(&tokens[i - 1].token), Some(Keyword::FREEZE | Keyword::HEADER));
        let value = match &tokens[i].token {
            Token::Word(word) if word.value.eq_ignore_ascii_case("on") => "true",
            Token::Word(word) if word.value.eq_ignore_ascii_case("off") => "false",
            _ => continue,
        };
        if is_option {
            tokens[i].token = Token::make_keyword(value);
        }
    }
}

fn keyword(token: &Token) -> Option<Keyword> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}
