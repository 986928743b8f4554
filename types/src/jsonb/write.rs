//! Text output of `jsonb`.

use super::Jsonb;
use crate::numeric;

/// Appends the text form: `{"a": 1, "b": [1, 2]}`.
pub fn format(value: &Jsonb, out: &mut String) {
    match value {
        Jsonb::Array(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                format(value, out);
            }
            out.push(']');
        }
        Jsonb::Object(pairs) => {
            out.push('{');
            for (at, (key, value)) in pairs.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                escape(key, out);
                out.push_str(": ");
                format(value, out);
            }
            out.push('}');
        }
        scalar => format_scalar(scalar, out),
    }
}

/// Appends the form of `jsonb_pretty`: four spaces a level.
pub fn pretty(value: &Jsonb, out: &mut String) {
    pretty_level(value, 0, out);
}

fn pretty_level(value: &Jsonb, depth: usize, out: &mut String) {
    let new_line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', depth * 4));
    };
    match value {
        Jsonb::Array(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                new_line(depth + 1, out);
                pretty_level(value, depth + 1, out);
            }
            new_line(depth, out);
            out.push(']');
        }
        Jsonb::Object(pairs) => {
            out.push('{');
            for (at, (key, value)) in pairs.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                new_line(depth + 1, out);
                escape(key, out);
                out.push_str(": ");
                pretty_level(value, depth + 1, out);
            }
            new_line(depth, out);
            out.push('}');
        }
        scalar => format_scalar(scalar, out),
    }
}

fn format_scalar(value: &Jsonb, out: &mut String) {
    match value {
        Jsonb::Null => out.push_str("null"),
        Jsonb::Bool(true) => out.push_str("true"),
        Jsonb::Bool(false) => out.push_str("false"),
        Jsonb::Number(value) => numeric::format(value, out),
        Jsonb::String(value) => escape(value, out),
        Jsonb::Array(_) | Jsonb::Object(_) => format(value, out),
    }
}

/// Appends a JSON string literal.
pub fn escape(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            control if control < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}
