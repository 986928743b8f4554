//! Cuts date, time and interval text into fields, before anything is known of their meaning.

use super::words;

/// What a field looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Digits, perhaps with one point.
    Number,
    /// Digits or words with `-`, `/` or `.` between them.
    Date,
    /// Digits with colons.
    Time,
    /// A signed number: a zone offset or an interval part.
    Offset,
    /// A word.
    Word,
    /// A signed word: `-infinity`.
    Special,
}

/// One field, in lower case.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) shape: Shape,
    pub(super) text: String,
}

/// Most fields that any valid text has.
const FIELDS_MAX: usize = 25;
/// Longest text that is looked at.
const LENGTH_MAX: usize = 512;

/// None when the text has a form that no date or time has.
pub(super) fn split(input: &str) -> Option<Vec<Field>> {
    if input.len() > LENGTH_MAX {
        return None;
    }
    let mut cursor = Cursor { bytes: input.as_bytes(), at: 0, text: String::new() };
    let mut fields = Vec::new();
    while let Some(byte) = cursor.peek() {
        if is_space(byte) {
            cursor.at += 1;
            continue;
        }
        let shape = match byte {
            b'0'..=b'9' => cursor.digits_first(),
            b'.' => {
                cursor.take();
                cursor.take_while(|b| b.is_ascii_digit());
                Shape::Number
            }
            b'a'..=b'z' | b'A'..=b'Z' => cursor.letter_first(),
            b'+' | b'-' => cursor.sign_first()?,
            other if other.is_ascii_punctuation() => {
                // Other punctuation only separates.
                cursor.at += 1;
                continue;
            }
            _ => return None,
        };
        if fields.len() == FIELDS_MAX {
            return None;
        }
        fields.push(Field { shape, text: std::mem::take(&mut cursor.text) });
    }
    Some(fields)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    text: String,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self) {
        if let Some(byte) = self.peek() {
            self.text.push(char::from(byte.to_ascii_lowercase()));
            self.at += 1;
        }
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.take();
        }
    }

    fn digits_first(&mut self) -> Shape {
        self.take_while(|b| b.is_ascii_digit());
        match self.peek() {
            Some(b':') => {
                self.take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'));
                Shape::Time
            }
            Some(delimiter @ (b'-' | b'/' | b'.')) => {
                self.take();
                if self.peek().is_some_and(|b| b.is_ascii_digit()) {
                    self.take_while(|b| b.is_ascii_digit());
                    if self.peek() == Some(delimiter) {
                        self.take_while(|b| b.is_ascii_digit() || b == delimiter);
                        return Shape::Date;
                    }
                    return if delimiter == b'.' { Shape::Number } else { Shape::Date };
                }
                self.take_while(|b| b.is_ascii_alphanumeric() || b == delimiter);
                Shape::Date
            }
            _ => Shape::Number,
        }
    }

    fn letter_first(&mut self) -> Shape {
        self.take_while(|b| b.is_ascii_alphabetic());
        let is_date = match self.peek() {
            Some(b'-' | b'/' | b'.') => true,
            // A zone such as "foo+3", unless the letters mean something by themselves.
            Some(b) if b == b'+' || b.is_ascii_digit() => !words::is_date_word(&self.text),
            _ => false,
        };
        if is_date {
            self.take_while(|b| {
                b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'/' | b'_' | b'.' | b':')
            });
            return Shape::Date;
        }
        Shape::Word
    }

    fn sign_first(&mut self) -> Option<Shape> {
        self.take();
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0'..=b'9') => {
                self.take();
                self.take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'-'));
                Some(Shape::Offset)
            }
            Some(b'a'..=b'z' | b'A'..=b'Z') => {
                self.take_while(|b| b.is_ascii_alphabetic());
                Some(Shape::Special)
            }
            _ => None,
        }
    }
}
