//! Tokens of JSON text, with PostgreSQL's complaints.

use crate::{SqlError, SqlResult, sqlstate};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    End,
    String,
    Number,
    True,
    False,
    Null,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    Comma,
    Colon,
}

/// Cuts the input into tokens. The current token's text lies between `start` and `end`.
pub(super) struct Lexer<'a> {
    input: &'a str,
    start: usize,
    end: usize,
    previous_end: usize,
    line: u32,
    line_start: usize,
    token: Token,
    /// Whether escapes are decoded, and so must mean something: jsonb wants it, json does not.
    decode: bool,
    /// The decoded text of a string token.
    pub(super) text: String,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a str, decode: bool) -> Self {
        Lexer {
            input,
            start: 0,
            end: 0,
            previous_end: 0,
            line: 1,
            line_start: 0,
            token: Token::End,
            decode,
            text: String::new(),
        }
    }

    pub(super) fn token(&self) -> Token {
        self.token
    }

    /// Where the current token starts.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Where the token before the current one ended.
    pub(super) fn previous_end(&self) -> usize {
        self.previous_end
    }

    /// The current token as it stands in the input.
    pub(super) fn raw(&self) -> &'a str {
        &self.input[self.start..self.end]
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.input.as_bytes().get(at).copied()
    }

    /// Moves to the next token.
    pub(super) fn advance(&mut self) -> SqlResult<()> {
        self.previous_end = self.end;
        let mut at = self.end;
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.byte(at) {
            at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = at;
            }
        }
        self.start = at;
        self.end = at + 1;
        self.token = match self.byte(at) {
            None => {
                self.end = at;
                Token::End
            }
            Some(b'{') => Token::OpenBrace,
            Some(b'}') => Token::CloseBrace,
            Some(b'[') => Token::OpenBracket,
            Some(b']') => Token::CloseBracket,
            Some(b',') => Token::Comma,
            Some(b':') => Token::Colon,
            Some(b'"') => return self.string(),
            Some(b'-' | b'0'..=b'9') => return self.number(),
            Some(_) => return self.word(),
        };
        Ok(())
    }

    fn word(&mut self) -> SqlResult<()> {
        let rest = &self.input.as_bytes()[self.start..];
        let length = rest.iter().take_while(|&&byte| is_word_byte(byte)).count();
        if length == 0 {
            let c = self.input[self.start..].chars().next().map_or(1, char::len_utf8);
            self.end = self.start + c;
            return Err(self.invalid_token());
        }
        self.end = self.start + length;
        self.token = match self.raw() {
            "true" => Token::True,
            "false" => Token::False,
            "null" => Token::Null,
            _ => return Err(self.invalid_token()),
        };
        Ok(())
    }

    fn number(&mut self) -> SqlResult<()> {
        let mut at = self.start;
        let mut valid = true;
        let digits = |mut at: usize, input: &str| {
            let start = at;
            while input.as_bytes().get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            (at, at > start)
        };
        if self.byte(at) == Some(b'-') {
            at += 1;
        }
        match self.byte(at) {
            Some(b'0') => at += 1,
            _ => (at, valid) = digits(at, self.input),
        }
        if self.byte(at) == Some(b'.') {
            let (after, some) = digits(at + 1, self.input);
            (at, valid) = (after, valid && some);
        }
        if matches!(self.byte(at), Some(b'e' | b'E')) {
            at += 1;
            if matches!(self.byte(at), Some(b'+' | b'-')) {
                at += 1;
            }
            let (after, some) = digits(at, self.input);
            (at, valid) = (after, valid && some);
        }
        while self.byte(at).is_some_and(is_word_byte) {
            valid = false;
            at += 1;
        }
        self.end = at;
        self.token = Token::Number;
        if valid { Ok(()) } else { Err(self.invalid_token()) }
    }

    fn string(&mut self) -> SqlResult<()> {
        self.text.clear();
        self.token = Token::String;
        let mut at = self.start + 1;
        let mut run = at;
        let mut high: Option<u32> = None;
        loop {
            let byte = self.byte(at);
            if byte != Some(b'\\') && high.is_some() {
                self.end = at;
                return Err(self.error("Unicode low surrogate must follow a high surrogate."));
            }
            match byte {
                None => {
                    self.end = at;
                    return Err(self.invalid_token());
                }
                Some(b'"') => break,
                Some(control @ 0..=31) => {
                    self.end = at;
                    return Err(self
                        .error(&format!("Character with value 0x{control:02x} must be escaped.")));
                }
                Some(b'\\') => {
                    if self.decode {
                        self.text.push_str(&self.input[run..at]);
                    }
                    at = self.escape(at + 1, &mut high)?;
                    run = at;
                }
                Some(_) => at += 1,
            }
        }
        if self.decode {
            self.text.push_str(&self.input[run..at]);
        }
        self.end = at + 1;
        Ok(())
    }

    /// One escape; `at` is behind the backslash. Returns the place behind it.
    fn escape(&mut self, at: usize, high: &mut Option<u32>) -> SqlResult<usize> {
        let Some(c) = self.input[at..].chars().next() else {
            self.end = at;
            return Err(self.invalid_token());
        };
        if c == 'u' {
            return self.unicode(at + 1, high);
        }
        let after = at + c.len_utf8();
        if high.is_some() {
            self.end = after;
            return Err(self.error("Unicode low surrogate must follow a high surrogate."));
        }
        let plain = match c {
            '"' | '\\' | '/' => c,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            _ => {
                self.end = after;
                return Err(self.error(&format!("Escape sequence \"\\{c}\" is invalid.")));
            }
        };
        if self.decode {
            self.text.push(plain);
        }
        Ok(after)
    }

    fn unicode(&mut self, at: usize, high: &mut Option<u32>) -> SqlResult<usize> {
        let mut code = 0;
        for place in at..at + 4 {
            let Some(digit) = self.byte(place).and_then(|byte| char::from(byte).to_digit(16))
            else {
                self.end = match self.input[place..].chars().next() {
                    Some(c) => place + c.len_utf8(),
                    None => place,
                };
                if self.byte(place).is_none() {
                    return Err(self.invalid_token());
                }
                return Err(self.error("\"\\u\" must be followed by four hexadecimal digits."));
            };
            code = code * 16 + digit;
        }
        let after = at + 4;
        if !self.decode {
            return Ok(after);
        }
        self.end = after;
        match (code, high.take()) {
            (0xd800..=0xdbff, Some(_)) => {
                return Err(self.error("Unicode high surrogate must not follow a high surrogate."));
            }
            (0xd800..=0xdbff, None) => *high = Some(code),
            (0xdc00..=0xdfff, Some(first)) => {
                let combined = 0x10000 + ((first & 0x3ff) << 10) + (code & 0x3ff);
                self.text.extend(char::from_u32(combined));
            }
            (0xdc00..=0xdfff, None) | (_, Some(_)) => {
                return Err(self.error("Unicode low surrogate must follow a high surrogate."));
            }
            (0, None) => {
                let error = SqlError::new(
                    sqlstate::UNTRANSLATABLE_CHARACTER,
                    "unsupported Unicode escape sequence",
                );
                return Err(error
                    .with_detail("\\u0000 cannot be converted to text.")
                    .with_context(self.context()));
            }
            (code, None) => self.text.extend(char::from_u32(code)),
        }
        Ok(after)
    }

    fn invalid_token(&self) -> SqlError {
        self.error(&format!("Token \"{}\" is invalid.", self.raw()))
    }

    /// "Expected this, but found that."
    pub(super) fn expected(&self, what: &str) -> SqlError {
        if self.token == Token::End {
            return self.error("The input string ended unexpectedly.");
        }
        self.error(&format!("Expected {what}, but found \"{}\".", self.raw()))
    }

    fn error(&self, detail: &str) -> SqlError {
        SqlError::new(sqlstate::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json")
            .with_detail(detail)
            .with_context(self.context())
    }

    /// The line and what stands before the end of the token, shortened as PostgreSQL does.
    fn context(&self) -> String {
        let mut start = self.line_start.min(self.end);
        while self.end - start >= 50 {
            start += self.input[start..].chars().next().map_or(1, char::len_utf8);
        }
        if start - self.line_start <= 3 {
            start = self.line_start;
        }
        let prefix = if start > self.line_start { "..." } else { "" };
        let more = self.token != Token::End
            && self.byte(self.end).is_some_and(|byte| !matches!(byte, b'\n' | b'\r'));
        let suffix = if more { "..." } else { "" };
        format!("JSON data, line {}: {prefix}{}{suffix}", self.line, &self.input[start..self.end])
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
