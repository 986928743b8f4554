//! Statements of PostgreSQL that the grammar does not know, read token by token.

use crate::parse::{ParsedStatement, parse};
use sqlparser::ast::{Ident, ObjectName, SequenceOptions, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Span, Token, Tokenizer, Word};
use types::SqlError;

/// A statement outside of the grammar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Extra {
    /// VACUUM and ANALYZE; no tables means all.
    Vacuum { vacuum: bool, analyze: bool, tables: Vec<ObjectName> },
    /// ALTER SEQUENCE. `restart`: RESTART, with a value if one was given.
    AlterSequence {
        name: ObjectName,
        if_exists: bool,
        options: Vec<SequenceOptions>,
        restart: Option<Option<i64>>,
    },
    /// ALTER SEQUENCE … RENAME TO.
    RenameSequence { name: ObjectName, to: Ident },
    /// Accepted without effect; the command tag.
    Nothing(&'static str),
}

/// A query string cut into statements.
pub(crate) fn parse_string(sql: &str) -> Result<Vec<(ParsedStatement, Option<Extra>)>, SqlError> {
    if let Some(role) = user_as_role(sql) {
        return Ok(parse(&role)?.into_iter().map(|p| (p, None)).collect());
    }
    // The grammar knows VACUUM without its options: ANALYZE would be the name of a table.
    if starts_with_word(sql, "vacuum")
        && let Some(extra) = read(sql)
    {
        return Ok(vec![outside_of_grammar(sql, extra?)]);
    }
    let copy = copy_switches(sql);
    let error = match parse(copy.as_deref().unwrap_or(sql)) {
        Ok(parsed) => return Ok(parsed.into_iter().map(|p| (p, None)).collect()),
        Err(error) => error,
    };
    let Some(extra) = read(sql) else { return Err(error) };
    Ok(vec![outside_of_grammar(sql, extra?)])
}

fn outside_of_grammar(sql: &str, extra: Extra) -> (ParsedStatement, Option<Extra>) {
    // The syntax tree is not looked at; it only fills the place.
    let ast = Statement::ReleaseSavepoint { name: Ident::new("") };
    (ParsedStatement { ast, text: 0..sql.len() }, Some(extra))
}

fn starts_with_word(sql: &str, word: &str) -> bool {
    let first = sql.trim_start().get(..word.len());
    first.is_some_and(|first| first.eq_ignore_ascii_case(word))
}

/// COPY's options may be switched `on` and `off`; the grammar wants `true` and `false`.
fn copy_switches(sql: &str) -> Option<String> {
    let word = sql.trim_start().get(..5)?;
    if !word.eq_ignore_ascii_case("copy ") {
        return None;
    }
    let open = sql.rfind('(')?;
    let (head, options) = sql.split_at(open);
    let lower = options.to_ascii_lowercase();
    if lower.contains('\'') || !(lower.contains(" on") || lower.contains(" off")) {
        return None;
    }
    let switched =
        [(" on,", " true,"), (" on)", " true)"), (" off,", " false,"), (" off)", " false)")]
            .iter()
            .fold(lower, |text, (from, to)| text.replace(from, to));
    Some(format!("{head}{switched}"))
}

/// CREATE USER is CREATE ROLE … LOGIN, ALTER USER is ALTER ROLE.
fn user_as_role(sql: &str) -> Option<String> {
    let text = sql.trim().trim_end_matches(';');
    let mut words = text.split_ascii_whitespace();
    let (first, second) = (words.next()?, words.next()?);
    if !second.eq_ignore_ascii_case("user") || text.contains(';') {
        return None;
    }
    let at = first.len() + text[first.len()..].find(second)? + second.len();
    let rest = &text[at..];
    if rest.trim_start().to_ascii_lowercase().starts_with("mapping") {
        return None;
    }
    match first.to_ascii_lowercase().as_str() {
        "create" if rest.to_ascii_lowercase().contains("nologin") => {
            Some(format!("CREATE ROLE{rest}"))
        }
        "create" => Some(format!("CREATE ROLE{rest} LOGIN")),
        "alter" => Some(format!("ALTER ROLE{rest}")),
        _ => None,
    }
}

fn read(sql: &str) -> Option<Result<Extra, SqlError>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().ok()?;
    let mut words: Vec<Token> =
        tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    while words.last() == Some(&Token::SemiColon) {
        words.pop();
    }
    if words.contains(&Token::SemiColon) {
        return None;
    }
    let mut tokens = Tokens { words: &words };
    if tokens.take("vacuum") {
        return tokens.vacuum(true).map(Ok);
    }
    if tokens.take("analyze") || tokens.take("analyse") {
        return tokens.vacuum(false).map(Ok);
    }
    if tokens.take("alter") && tokens.take("sequence") {
        return tokens.alter_sequence();
    }
    let first: Vec<String> =
        words.iter().take(3).map(|token| token.to_string().to_lowercase()).collect();
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    match first.as_slice() {
        ["checkpoint"] => Some(Ok(Extra::Nothing("CHECKPOINT"))),
        ["reindex", ..] => Some(Ok(Extra::Nothing("REINDEX"))),
        ["cluster", ..] => Some(Ok(Extra::Nothing("CLUSTER"))),
        ["alter", "database", ..] => Some(Ok(Extra::Nothing("ALTER DATABASE"))),
        ["alter", "system", ..] => Some(Ok(Extra::Nothing("ALTER SYSTEM"))),
        ["alter", "default", "privileges"] => Some(Ok(Extra::Nothing("ALTER DEFAULT PRIVILEGES"))),
        ["set", "constraints", ..] => Some(Ok(Extra::Nothing("SET CONSTRAINTS"))),
        _ => None,
    }
}

struct Tokens<'a> {
    words: &'a [Token],
}

impl<'a> Tokens<'a> {
    fn peek_word(&self) -> Option<&'a Word> {
        match self.words.first() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn take(&mut self, keyword: &str) -> bool {
        let found = self
            .peek_word()
            .is_some_and(|w| w.quote_style.is_none() && w.value.eq_ignore_ascii_case(keyword));
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn take_token(&mut self, token: &Token) -> bool {
        let found = self.words.first() == Some(token);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn name(&mut self) -> Option<ObjectName> {
        let mut idents = Vec::new();
        loop {
            let word = self.peek_word()?;
            self.words = &self.words[1..];
            idents.push(Ident {
                value: word.value.clone(),
                quote_style: word.quote_style,
                span: Span::empty(),
            });
            if !self.take_token(&Token::Period) {
                return Some(ObjectName::from(idents));
            }
        }
    }

    /// `(a, b)`, nested parentheses included; the words inside, in lower case.
    fn parenthesized(&mut self) -> Vec<String> {
        let mut inside = Vec::new();
        let mut depth = 0;
        while let Some((first, rest)) = self.words.split_first() {
            match first {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ if depth == 0 => break,
                other => inside.push(other.to_string().to_lowercase()),
            }
            self.words = rest;
            if depth == 0 {
                break;
            }
        }
        inside
    }

    fn vacuum(&mut self, vacuum: bool) -> Option<Extra> {
        let mut analyze = !vacuum;
        let options = self.parenthesized();
        analyze |=
            options.windows(2).any(|w| w[0] == "analyze" && w[1] != "false" && w[1] != "off")
                || options.last().is_some_and(|last| last == "analyze");
        loop {
            if self.take("analyze") || self.take("analyse") {
                analyze = true;
            } else if !(self.take("full") || self.take("freeze") || self.take("verbose")) {
                break;
            }
        }
        let mut tables = Vec::new();
        while !self.words.is_empty() {
            tables.push(self.name()?);
            self.parenthesized();
            if !self.take_token(&Token::Comma) && !self.words.is_empty() {
                return None;
            }
        }
        Some(Extra::Vacuum { vacuum, analyze, tables })
    }

    fn alter_sequence(&mut self) -> Option<Result<Extra, SqlError>> {
        let if_exists = self.take("if") && self.take("exists");
        let name = self.name()?;
        if self.take("rename") && self.take("to") {
            let to = self.name()?;
            let ident = to.0.first()?.as_ident()?.clone();
            return Some(Ok(Extra::RenameSequence { name, to: ident }));
        }
        if self.take("owner") || self.take("set") {
            return Some(Ok(Extra::Nothing("ALTER SEQUENCE")));
        }
        let mut restart = None;
        let mut rest = Vec::new();
        while let Some((first, tail)) = self.words.split_first() {
            if self.take("restart") {
                let _ = self.take("with");
                restart = Some(self.number());
                continue;
            }
            rest.push(first.to_string());
            self.words = tail;
        }
        // The options are those of CREATE SEQUENCE, which the grammar knows.
        let create = format!("CREATE SEQUENCE s {}", rest.join(" "));
        Some(parse(&create).map(|mut parsed| {
            let options = match parsed.pop().map(|p| p.ast) {
                Some(Statement::CreateSequence { sequence_options, .. }) => sequence_options,
                _ => Vec::new(),
            };
            Extra::AlterSequence { name, if_exists, options, restart }
        }))
    }

    fn number(&mut self) -> Option<i64> {
        let negative = self.take_token(&Token::Minus);
        let Some(Token::Number(text, _)) = self.words.first() else { return None };
        let number: i64 = text.parse().ok()?;
        self.words = &self.words[1..];
        Some(if negative { -number } else { number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extra(sql: &str) -> Extra {
        read(sql).unwrap().unwrap()
    }

    #[test]
    fn vacuum_takes_options_and_tables() {
        let Extra::Vacuum { vacuum, analyze, tables } = extra("vacuum analyze a, s.\"B\" (x);")
        else {
            panic!("not VACUUM");
        };
        assert!(vacuum && analyze);
        assert_eq!(tables.len(), 2);
        assert!(matches!(
            extra("VACUUM (VERBOSE, ANALYZE) t"),
            Extra::Vacuum { analyze: true, .. }
        ));
        assert!(matches!(extra("ANALYZE"), Extra::Vacuum { vacuum: false, .. }));
        let (_, parsed) = parse_string("VACUUM ANALYZE;").unwrap().remove(0);
        let all = Extra::Vacuum { vacuum: true, analyze: true, tables: Vec::new() };
        assert_eq!(parsed, Some(all));
    }

    #[test]
    fn alter_sequence_restarts() {
        let Extra::AlterSequence { restart, options, .. } =
            extra("alter sequence s restart with 5 increment by 2")
        else {
            panic!("not ALTER SEQUENCE");
        };
        assert_eq!(restart, Some(Some(5)));
        assert_eq!(options.len(), 1);
    }
}
