//! PostgreSQL's regular expressions in the dialect of the `regex` crate.
//!
//! The two agree on nearly everything. What differs in letters is translated here; what one has and
//! the other lacks (back references, look-around) is refused with a clear error. A longest match is
//! not enforced: alternatives are tried from the left.

use types::{SqlError, SqlResult, sqlstate};

/// Flags of the `regexp_*` functions and of the operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Flags {
    pub(super) case_insensitive: bool,
    /// `.` and `[^...]` stop at line ends (`n`, `p`).
    pub(super) newline_stops: bool,
    /// `^` and `$` match at line ends (`n`, `w`).
    pub(super) line_anchors: bool,
    /// White space and comments in the pattern are skipped.
    pub(super) expanded: bool,
    /// The pattern is plain text.
    pub(super) literal: bool,
    /// All matches, not only the first.
    pub(super) global: bool,
}

impl Flags {
    /// Reads the flags argument.
    pub(super) fn parse(text: &str) -> SqlResult<Flags> {
        let mut flags = Flags::default();
        for c in text.chars() {
            match c {
                'g' => flags.global = true,
                'i' => flags.case_insensitive = true,
                'c' => flags.case_insensitive = false,
                'm' | 'n' => (flags.newline_stops, flags.line_anchors) = (true, true),
                'p' => (flags.newline_stops, flags.line_anchors) = (true, false),
                's' => (flags.newline_stops, flags.line_anchors) = (false, false),
                'w' => (flags.newline_stops, flags.line_anchors) = (false, true),
                'x' => flags.expanded = true,
                't' => flags.expanded = false,
                'q' => flags.literal = true,
                'b' | 'e' => {}
                other => {
                    return Err(SqlError::new(
                        sqlstate::INVALID_PARAMETER_VALUE,
                        format!("invalid regular expression option: \"{other}\""),
                    ));
                }
            }
        }
        Ok(flags)
    }
}

/// `invalid regular expression: ...`.
pub(super) fn invalid(reason: &str) -> SqlError {
    SqlError::new(
        sqlstate::INVALID_REGULAR_EXPRESSION,
        format!("invalid regular expression: {reason}"),
    )
}

/// Translates a pattern. A director such as `(?i)` or `***=` in front changes the flags.
pub(super) fn translate(pattern: &str, flags: &mut Flags) -> SqlResult<String> {
    let mut body = pattern;
    if let Some(rest) = body.strip_prefix("***=") {
        flags.literal = true;
        body = rest;
    } else if let Some(rest) = body.strip_prefix("***:") {
        body = rest;
    }
    if flags.literal {
        return Ok(regex::escape(body));
    }
    if let Some(rest) = body.strip_prefix("(?") {
        let end = rest.find(')').unwrap_or(0);
        let options = &rest[..end];
        if end > 0 && options.bytes().all(|b| b.is_ascii_lowercase()) {
            let global = flags.global;
            let given = Flags::parse(options)?;
            *flags = Flags {
                global,
                case_insensitive: given.case_insensitive
                    || (flags.case_insensitive && !options.contains('c')),
                ..given
            };
            body = &rest[end + 1..];
        }
    }
    let mut translator = Translator { chars: body.chars().peekable(), out: String::new(), flags };
    translator.run()?;
    Ok(translator.out)
}

struct Translator<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    out: String,
    flags: &'a Flags,
}

impl Translator<'_> {
    fn run(&mut self) -> SqlResult<()> {
        // Whether the next `?` belongs to the quantifier before it.
        let mut reluctant = false;
        while let Some(c) = self.chars.next() {
            let quantifier = matches!(c, '*' | '+' | '?') && !reluctant;
            reluctant = quantifier && self.chars.peek() == Some(&'?');
            if quantifier {
                self.quantifier_ends()?;
            }
            match c {
                '\\' => self.escape()?,
                '[' => self.bracket()?,
                '(' => self.open_group()?,
                '{' if !self.chars.peek().is_some_and(char::is_ascii_digit) => {
                    self.out.push_str("\\{");
                }
                '}' => self.close_brace(),
                c => self.out.push(c),
            }
        }
        Ok(())
    }

    /// Behind a quantifier only `?` may follow, once: it says "as few as possible".
    fn quantifier_ends(&mut self) -> SqlResult<()> {
        let mut ahead = self.chars.clone();
        ahead.next_if_eq(&'?');
        match ahead.peek() {
            Some('*' | '+' | '?') => Err(invalid("quantifier operand invalid")),
            _ => Ok(()),
        }
    }

    /// A brace that closes no bound is plain.
    fn close_brace(&mut self) {
        let opened = self
            .out
            .rfind('{')
            .is_some_and(|at| !self.out[..at].ends_with('\\') && !self.out[at..].contains('}'));
        self.out.push_str(if opened { "}" } else { "\\}" });
    }

    fn open_group(&mut self) -> SqlResult<()> {
        self.out.push('(');
        if self.chars.peek() != Some(&'?') {
            return Ok(());
        }
        self.chars.next();
        match self.chars.next() {
            Some(':') => self.out.push_str("?:"),
            Some('#') => {
                // A comment.
                self.out.pop();
                for c in self.chars.by_ref() {
                    if c == ')' {
                        break;
                    }
                }
            }
            Some('=' | '!' | '<') => {
                return Err(SqlError::not_supported(
                    "look-around in regular expressions is not supported",
                ));
            }
            _ => return Err(invalid("quantifier operand invalid")),
        }
        Ok(())
    }

    fn escape(&mut self) -> SqlResult<()> {
        let Some(c) = self.chars.next() else {
            return Err(invalid("invalid escape \\ sequence"));
        };
        match c {
            'm' => self.out.push_str("\\b{start}"),
            'M' => self.out.push_str("\\b{end}"),
            'y' => self.out.push_str("\\b"),
            'Y' => self.out.push_str("\\B"),
            'A' => self.out.push_str("\\A"),
            'Z' => self.out.push_str("\\z"),
            'a' => self.out.push_str("\\x07"),
            'b' => self.out.push_str("\\x08"),
            'B' => self.out.push_str("\\\\"),
            'e' => self.out.push_str("\\x1B"),
            'f' | 'n' | 'r' | 't' | 'v' | 'd' | 's' | 'w' | 'D' | 'S' | 'W' => {
                self.out.push('\\');
                self.out.push(c);
            }
            '0' => self.out.push_str("\\x00"),
            'u' => self.code_point(4)?,
            'U' => self.code_point(8)?,
            'x' => self.code_point(2)?,
            '1'..='9' => {
                return Err(SqlError::not_supported(
                    "back references in regular expressions are not supported",
                ));
            }
            c if c.is_ascii_alphabetic() => return Err(invalid("invalid escape \\ sequence")),
            c => self.literal(c),
        }
        Ok(())
    }

    fn code_point(&mut self, digits: usize) -> SqlResult<()> {
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.chars.next().and_then(|c| c.to_digit(16));
            code = code * 16 + digit.ok_or_else(|| invalid("invalid escape \\ sequence"))?;
        }
        let c = char::from_u32(code).ok_or_else(|| invalid("invalid escape \\ sequence"))?;
        self.literal(c);
        Ok(())
    }

    fn literal(&mut self, c: char) {
        self.out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
    }

    /// `[...]`: what would mean something only to the other dialect is escaped.
    fn bracket(&mut self) -> SqlResult<()> {
        let unbalanced = || invalid("brackets [] not balanced");
        let rest: String = self.chars.clone().take(6).collect();
        if rest == "[:<:]]" || rest == "[:>:]]" {
            self.chars.nth(5);
            self.out.push_str(if rest == "[:<:]]" { "\\b{start}" } else { "\\b{end}" });
            return Ok(());
        }
        self.out.push('[');
        let negated = self.chars.next_if_eq(&'^').is_some();
        if negated {
            self.out.push('^');
            if self.flags.newline_stops {
                self.out.push_str("\\n");
            }
        }
        let mut first = true;
        loop {
            match self.chars.next().ok_or_else(unbalanced)? {
                ']' if !first => break,
                ']' => self.out.push_str("\\]"),
                '[' => self.bracket_element()?,
                '\\' => self.bracket_escape()?,
                c @ ('&' | '~' | '^' | '#' | ' ') => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                '-' => {
                    // A range, unless it stands at an end.
                    let at_end = self.chars.peek() == Some(&']');
                    self.out.push_str(if first || at_end { "\\-" } else { "-" });
                }
                c => self.out.push(c),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// `[:class:]`, `[.x.]`, `[=x=]`, or a plain bracket.
    fn bracket_element(&mut self) -> SqlResult<()> {
        let Some(kind @ (':' | '.' | '=')) = self.chars.peek().copied() else {
            self.out.push_str("\\[");
            return Ok(());
        };
        self.chars.next();
        let mut name = String::new();
        loop {
            match self.chars.next() {
                Some(c) if c == kind && self.chars.next_if_eq(&']').is_some() => break,
                Some(c) => name.push(c),
                None => return Err(invalid("brackets [] not balanced")),
            }
        }
        if kind != ':' {
            let mut characters = name.chars();
            return match (characters.next(), characters.next()) {
                (Some(only), None) => {
                    self.literal(only);
                    Ok(())
                }
                _ => Err(invalid("invalid collating element")),
            };
        }
        let class = match name.as_str() {
            "alpha" => "\\p{Alphabetic}",
            "digit" => "0-9",
            "alnum" => "\\p{Alphabetic}0-9",
            "upper" => "\\p{Uppercase}",
            "lower" => "\\p{Lowercase}",
            "space" => "\\s",
            "word" => "\\w",
            "blank" | "punct" | "cntrl" | "graph" | "print" | "xdigit" | "ascii" => {
                self.out.push_str(&format!("[:{name}:]"));
                return Ok(());
            }
            _ => return Err(invalid("invalid character class")),
        };
        self.out.push_str(class);
        Ok(())
    }

    fn bracket_escape(&mut self) -> SqlResult<()> {
        match self.chars.peek() {
            Some('d' | 's' | 'w' | 'D' | 'S' | 'W' | 'n' | 't' | 'r' | 'f' | 'v') => {
                self.out.push('\\');
                self.out.extend(self.chars.next());
                Ok(())
            }
            _ => self.escape(),
        }
    }
}
