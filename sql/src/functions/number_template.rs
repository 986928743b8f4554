//! `to_char` and `to_number` of numbers.

use super::native::{
    Native, integer_of, numeric as numeric_result, numeric_of, text as text_result, text_of,
};
use super::{EvalContext, Function};
use types::oid::*;
use types::{Datum, Numeric, SqlError, SqlResult, numeric, sqlstate};

/// A piece of a number template.
#[derive(Clone, Copy, PartialEq)]
enum Piece {
    /// `9`.
    Digit,
    /// `0`.
    Zero,
    /// `.` or `D`.
    Point,
    /// `,` or `G`.
    Group,
    Currency,
    /// `S`: its place was noted while reading.
    Sign,
    Minus,
    Plus,
    PlusMinus,
    /// `PR`.
    Brackets,
    /// `TH` or `th`.
    Ordinal {
        upper: bool,
    },
    /// `RN` or `rn`.
    Roman {
        upper: bool,
    },
    /// `V`.
    Shift,
    /// `EEEE`.
    Exponent,
    Literal(char),
}

#[derive(Clone, Copy, PartialEq)]
enum SignPlace {
    None,
    Before,
    After,
}

/// A template and what follows from it as a whole.
struct Template {
    pieces: Vec<Piece>,
    before: usize,
    after: usize,
    shift: usize,
    /// `FM`.
    fill: bool,
    /// Place of the first `0` before the point.
    zero_start: Option<usize>,
    /// Digits up to the last `0`.
    zero_end: usize,
    has_point: bool,
    sign: SignPlace,
    digits_before_sign: usize,
    plus: bool,
    minus: bool,
    brackets: bool,
    roman: bool,
    exponent: bool,
}

const NAMES: &[(&str, Piece)] = &[
    ("EEEE", Piece::Exponent),
    ("MI", Piece::Minus),
    ("PL", Piece::Plus),
    ("PR", Piece::Brackets),
    ("SG", Piece::PlusMinus),
    ("S", Piece::Sign),
    ("TH", Piece::Ordinal { upper: true }),
    ("th", Piece::Ordinal { upper: false }),
    ("RN", Piece::Roman { upper: true }),
    ("rn", Piece::Roman { upper: false }),
    ("D", Piece::Point),
    (".", Piece::Point),
    ("G", Piece::Group),
    (",", Piece::Group),
    ("L", Piece::Currency),
    ("V", Piece::Shift),
    ("9", Piece::Digit),
    ("0", Piece::Zero),
];

fn syntax(message: &str) -> SqlError {
    SqlError::new(sqlstate::SYNTAX_ERROR, message)
}

impl Template {
    fn parse(text: &str) -> SqlResult<Template> {
        let mut template = Template {
            pieces: Vec::new(),
            before: 0,
            after: 0,
            shift: 0,
            fill: false,
            zero_start: None,
            zero_end: 0,
            has_point: false,
            sign: SignPlace::None,
            digits_before_sign: 0,
            plus: false,
            minus: false,
            brackets: false,
            roman: false,
            exponent: false,
        };
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if rest.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("FM")) {
                template.fill = true;
                rest = &rest[2..];
            } else if c == '"' {
                let end = rest[1..].find('"').map_or(rest.len(), |at| at + 1);
                template.pieces.extend(rest[1..end].chars().map(Piece::Literal));
                rest = rest.get(end + 1..).unwrap_or("");
            } else if let Some((length, piece)) = named(rest) {
                template.take(piece)?;
                rest = &rest[length..];
            } else {
                template.pieces.push(Piece::Literal(c));
                rest = &rest[c.len_utf8()..];
            }
        }
        Ok(template)
    }

    fn take(&mut self, piece: Piece) -> SqlResult<()> {
        if self.exponent {
            return Err(syntax("\"EEEE\" must be the last pattern used"));
        }
        match piece {
            Piece::Digit if self.brackets => {
                return Err(syntax("\"9\" must be ahead of \"PR\""));
            }
            Piece::Digit if self.pieces.contains(&Piece::Shift) => self.shift += 1,
            Piece::Digit if self.has_point => self.after += 1,
            Piece::Digit => self.before += 1,
            Piece::Zero if self.brackets => {
                return Err(syntax("\"0\" must be ahead of \"PR\""));
            }
            Piece::Zero => {
                if self.has_point {
                    self.after += 1;
                } else {
                    self.zero_start.get_or_insert(self.before);
                    self.before += 1;
                }
                self.zero_end = self.before + self.after;
            }
            Piece::Point if self.has_point => return Err(syntax("multiple decimal points")),
            Piece::Point => self.has_point = true,
            Piece::Sign if self.sign != SignPlace::None => {
                return Err(syntax("cannot use \"S\" twice"));
            }
            Piece::Sign if self.plus || self.minus || self.brackets => {
                return Err(syntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together"));
            }
            Piece::Sign if self.has_point => self.sign = SignPlace::After,
            Piece::Sign => {
                self.sign = SignPlace::Before;
                self.digits_before_sign = self.before;
            }
            Piece::Minus => self.minus = true,
            Piece::Plus => self.plus = true,
            Piece::PlusMinus => (self.plus, self.minus) = (true, true),
            Piece::Brackets => self.brackets = true,
            Piece::Roman { .. } => self.roman = true,
            Piece::Exponent => {
                let others = self.fill || self.plus || self.minus || self.brackets || self.roman;
                if others || self.sign != SignPlace::None || self.pieces.contains(&Piece::Shift) {
                    return Err(syntax("\"EEEE\" is incompatible with other formats").with_detail(
                        "\"EEEE\" may only be used together with digit and decimal point patterns.",
                    ));
                }
                self.exponent = true;
            }
            _ => {}
        }
        self.pieces.push(piece);
        Ok(())
    }
}

fn named(text: &str) -> Option<(usize, Piece)> {
    NAMES.iter().find_map(|(name, piece)| {
        let head = text.get(..name.len())?;
        // Two pieces say by their case how their letters are printed.
        let exact = matches!(piece, Piece::Ordinal { .. } | Piece::Roman { .. });
        let same = if exact { head == *name } else { head.eq_ignore_ascii_case(name) };
        same.then_some((name.len(), *piece))
    })
}

/// Walks the template with the digits of a number.
struct Printer<'a> {
    template: &'a Template,
    /// Digits with a point; shorter than the template by `missing`.
    number: &'a [u8],
    negative: bool,
    missing: usize,
    /// Next digit of `number`.
    at: usize,
    /// Digit places of the template that are done.
    done: usize,
    /// Last digit that is shown under `FM`.
    last_relevant: Option<usize>,
    sign_written: bool,
    in_number: bool,
    sign: SignPlace,
    brackets: bool,
    out: String,
}

impl Printer<'_> {
    fn run(mut self) -> String {
        for piece in &self.template.pieces {
            match *piece {
                Piece::Digit | Piece::Zero | Piece::Point => self.digit(*piece),
                Piece::Group if self.in_number => self.out.push(','),
                Piece::Group if !self.template.fill => self.out.push(' '),
                Piece::Currency => self.out.push(' '),
                Piece::Minus if self.negative => self.out.push('-'),
                Piece::Plus if !self.negative => self.out.push('+'),
                Piece::Minus | Piece::Plus if !self.template.fill => self.out.push(' '),
                Piece::PlusMinus => self.out.push(if self.negative { '-' } else { '+' }),
                Piece::Ordinal { upper } => self.ordinal(upper),
                Piece::Literal(c) => self.out.push(c),
                _ => {}
            }
        }
        self.out
    }

    fn is_relevant_point(&self) -> bool {
        self.last_relevant.is_some_and(|last| self.number[last] == b'.')
    }

    /// A zero before the point that the template has no `0` for.
    fn is_blank_zero(&self) -> bool {
        self.template.zero_start.is_none()
            && self.at == 0
            && self.number.first() == Some(&b'0')
            && self.template.after != 0
    }

    fn leading_sign(&mut self) {
        let zero_here = self.template.zero_start == Some(self.done);
        let reached = self.done >= self.missing || zero_here;
        if self.sign_written || !reached || (self.is_blank_zero() && !self.is_relevant_point()) {
            return;
        }
        match (self.sign, self.brackets) {
            (SignPlace::Before, _) => self.out.push(if self.negative { '-' } else { '+' }),
            (SignPlace::After, _) => return,
            (_, true) => self.out.push(if self.negative { '<' } else { ' ' }),
            _ if self.negative => self.out.push('-'),
            _ if !self.template.fill => self.out.push(' '),
            _ => {}
        }
        self.sign_written = true;
    }

    fn digit(&mut self, piece: Piece) {
        self.in_number = false;
        self.leading_sign();
        let zeros = self.template.zero_start.is_some_and(|start| start <= self.done);
        if self.done < self.missing && !zeros {
            if !self.template.fill {
                self.out.push(' ');
            }
        } else if self.done < self.missing {
            self.out.push('0');
            self.in_number = true;
        } else {
            self.place(piece);
            if self.at < self.number.len() {
                self.at += 1;
            }
        }
        self.trailing_sign();
        self.done += 1;
    }

    /// The next character of the number.
    fn place(&mut self, piece: Piece) {
        let Some(&next) = self.number.get(self.at) else { return };
        if next == b'.' {
            if !self.is_relevant_point() || self.template.fill {
                self.out.push('.');
            }
        } else if self.last_relevant.is_some_and(|last| self.at > last) && piece != Piece::Zero {
            // Dropped by FM.
        } else if self.is_blank_zero() {
            if !self.template.fill {
                self.out.push(' ');
            } else if self.is_relevant_point() {
                self.out.push('0');
            }
        } else {
            self.out.push(char::from(next));
            self.in_number = true;
        }
    }

    fn trailing_sign(&mut self) {
        let places = self.template.before + self.template.after;
        let mut end = places + usize::from(self.template.has_point);
        if self.last_relevant == Some(self.at) {
            end = self.done;
        }
        if self.done + 1 != end {
            return;
        }
        if self.sign_written && self.brackets {
            self.out.push(if self.negative { '>' } else { ' ' });
        } else if self.sign == SignPlace::After {
            self.out.push(if self.negative { '-' } else { '+' });
        }
    }

    fn ordinal(&mut self, upper: bool) {
        if self.negative || self.template.has_point || self.number.first() == Some(&b'#') {
            return;
        }
        let number = self.number;
        let teens = number.len() > 1 && number[number.len() - 2] == b'1';
        let suffix = match number.last() {
            Some(b'1') if !teens => "st",
            Some(b'2') if !teens => "nd",
            Some(b'3') if !teens => "rd",
            _ => "th",
        };
        self.out.push_str(&if upper { suffix.to_uppercase() } else { suffix.to_owned() });
    }
}

/// Fills a template with a rounded number, given as text.
fn print(template: &Template, shown: &str) -> String {
    let negative = shown.starts_with('-');
    let digits = shown.trim_start_matches('-');
    let width = template.before + template.shift;
    let whole = digits.find('.').unwrap_or(digits.len());
    let (number, missing) = if whole > width {
        let mut filled = "#".repeat(width);
        if template.has_point {
            filled.push('.');
            filled.push_str(&"#".repeat(template.after));
        }
        (filled, 0)
    } else {
        (digits.to_owned(), width - whole)
    };
    let own_sign = template.plus || template.minus;
    let quiet = template.fill && !negative;
    let sign_written =
        if own_sign { template.minus } else { quiet && template.sign == SignPlace::None };
    let after_digits =
        template.sign == SignPlace::Before && template.before == template.digits_before_sign;
    let printer = Printer {
        template,
        last_relevant: last_relevant(template, number.as_bytes(), missing),
        number: number.as_bytes(),
        negative,
        missing,
        at: 0,
        done: 0,
        sign_written,
        in_number: false,
        sign: if after_digits { SignPlace::After } else { template.sign },
        brackets: template.brackets && !quiet,
        out: String::new(),
    };
    printer.run()
}

/// Under `FM` zeros at the end of the fraction go, unless the template has a `0` there.
fn last_relevant(template: &Template, number: &[u8], missing: usize) -> Option<usize> {
    if !template.fill || !template.has_point {
        return None;
    }
    let point = number.iter().position(|&byte| byte == b'.')?;
    let mut last = point;
    for (at, byte) in number.iter().enumerate().skip(point + 1) {
        if *byte != b'0' {
            last = at;
        }
    }
    if template.zero_end > missing {
        let kept = (template.zero_end - missing).min(number.len() - 1);
        last = last.max(kept);
    }
    Some(last)
}

fn roman(value: &Numeric, template: &Template) -> SqlResult<String> {
    const PARTS: [(i32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let number = numeric::to_i32(value).unwrap_or(0);
    let mut text = String::new();
    if (1..4000).contains(&number) {
        let mut rest = number;
        for (worth, letters) in PARTS {
            while rest >= worth {
                text.push_str(letters);
                rest -= worth;
            }
        }
    } else {
        text = "#".repeat(15);
    }
    if template.pieces.contains(&Piece::Roman { upper: false }) {
        text = text.to_lowercase();
    }
    Ok(if template.fill { text } else { format!("{text:>15}") })
}

/// `1.23e+05`.
fn scientific(value: &Numeric, template: &Template) -> SqlResult<String> {
    let blank = " ".repeat(usize::from(!template.fill || value.signum() < 0));
    if !value.is_finite() {
        let hashes = "#".repeat(template.before + template.after + 5);
        return Ok(format!("{blank}{hashes}"));
    }
    let shown = value.to_string();
    let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
    let whole = shown.trim_start_matches('-').find('.').unwrap_or(digits.len()) as i32;
    let leading = digits.find(|c| c != '0');
    // A mantissa that rounds up to 10 stays so, as PostgreSQL prints it.
    let exponent = leading.map_or(0, |at| whole - 1 - at as i32);
    let scaled = |exponent: i32| -> SqlResult<Numeric> {
        let (mantissa, scale) =
            value.abs().big_parts().ok_or_else(|| SqlError::internal("to_char"))?;
        let places = template.after as i32;
        // value / 10^exponent, as a number with enough digits, then rounded.
        let scale = i32::from(scale) + exponent;
        let ten = num_bigint::BigInt::from(10u8);
        let exact = if scale >= 0 {
            Numeric::from_big(mantissa, scale)?
        } else {
            Numeric::from_big(mantissa * num_traits::Pow::pow(ten, scale.unsigned_abs()), 0)?
        };
        numeric::round(&exact, places)
    };
    let mantissa = scaled(exponent)?;
    let sign = if value.signum() < 0 {
        "-"
    } else if template.fill {
        ""
    } else {
        " "
    };
    let direction = if exponent < 0 { '-' } else { '+' };
    Ok(format!("{sign}{mantissa}e{direction}{:02}", exponent.abs()))
}

fn fill(value: &Numeric, template: &Template) -> SqlResult<String> {
    if template.roman {
        return roman(value, template);
    }
    if template.exponent {
        return scientific(value, template);
    }
    let shifted = if template.shift > 0 {
        let factor = numeric::parse(&format!("1e{}", template.shift))?;
        numeric::mul(value, &factor)?
    } else {
        value.clone()
    };
    let rounded = numeric::round(&shifted, template.after as i32)?;
    Ok(print(template, &rounded.to_string()))
}

fn numeric_to_char(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let pattern = text_of(&args[1])?;
    if pattern.is_empty() {
        return Ok(Datum::Null);
    }
    text_result(fill(numeric_of(&args[0])?, &Template::parse(pattern)?)?)
}

fn integer_to_char(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let pattern = text_of(&args[1])?;
    if pattern.is_empty() {
        return Ok(Datum::Null);
    }
    text_result(fill(&Numeric::from(integer_of(&args[0])?), &Template::parse(pattern)?)?)
}

fn float_to_char(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let pattern = text_of(&args[1])?;
    if pattern.is_empty() {
        return Ok(Datum::Null);
    }
    let (value, digits) = match &args[0] {
        Datum::Float4(value) => (f64::from(*value), 6),
        other => (f64::get(other)?, 15),
    };
    let mut template = Template::parse(pattern)?;
    let exact = if value.is_finite() {
        // No more digits than the type has.
        let whole = format!("{:.0}", value.abs()).len();
        let places = if whole >= digits { 0 } else { template.after.min(digits - whole) };
        if !template.exponent && !template.roman && template.shift == 0 {
            template.after = places.min(template.after);
        }
        numeric::parse(&format!("{value:.places$}"))?
    } else {
        numeric::from_f64(value)?
    };
    let source = if template.exponent || template.roman || template.shift > 0 {
        numeric::parse(&format!("{value:e}")).unwrap_or(exact)
    } else {
        exact
    };
    text_result(fill(&source, &template)?)
}

/// `to_number(text, template)`: the digits where the template has digits.
fn to_number(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let template = Template::parse(text_of(&args[1])?)?;
    let mut rest = text_of(&args[0])?;
    let mut digits = String::new();
    let mut negative = false;
    for piece in &template.pieces {
        rest = rest.trim_start_matches(' ');
        if let Some(after) = rest.strip_prefix(['-', '<']) {
            negative = true;
            rest = after;
        } else if let Some(after) = rest.strip_prefix('+') {
            rest = after;
        }
        let Some(next) = rest.chars().next() else { break };
        let matching = match piece {
            Piece::Digit | Piece::Zero => next.is_ascii_digit() || next == '.',
            Piece::Point => next == '.',
            Piece::Group => next == ',',
            Piece::Literal(_) | Piece::Currency => !next.is_ascii_digit(),
            _ => false,
        };
        if !matching {
            continue;
        }
        if next.is_ascii_digit() || (next == '.' && !digits.contains('.')) {
            digits.push(next);
        }
        rest = &rest[next.len_utf8()..];
    }
    if rest.starts_with('-') {
        negative = true;
    }
    if !digits.bytes().any(|b| b.is_ascii_digit()) {
        return Err(SqlError::invalid_text("numeric", " "));
    }
    let value = numeric::parse(&format!("{}{digits}", if negative { "-" } else { "" }))?;
    if template.shift > 0 {
        let ten = Numeric::from(10);
        let factor = numeric::power(&ten, &Numeric::from(template.shift as i64))?;
        return numeric_result(numeric::div(&value, &factor)?);
    }
    numeric_result(value)
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("to_char", &[NUMERIC, TEXT], TEXT, numeric_to_char).stable(),
    Function::new("to_char", &[INT4, TEXT], TEXT, integer_to_char).stable(),
    Function::new("to_char", &[INT8, TEXT], TEXT, integer_to_char).stable(),
    Function::new("to_char", &[FLOAT4, TEXT], TEXT, float_to_char).stable(),
    Function::new("to_char", &[FLOAT8, TEXT], TEXT, float_to_char).stable(),
    Function::new("to_number", &[TEXT, TEXT], NUMERIC, to_number).stable(),
];
