//! What is known about one configuration parameter, and how its values are checked.

use types::{SqlError, sqlstate};

/// A configuration parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub context: Context,
    /// Value at start, in canonical form.
    pub default: &'static str,
    /// Sent to the client as ParameterStatus when it changes.
    pub is_reported: bool,
    pub category: &'static str,
    pub description: &'static str,
}

/// Types of parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Bool,
    /// Lowest, highest, unit (empty without).
    Int(i64, i64, &'static str),
    /// Lowest, highest.
    Real(f64, f64),
    Enum(&'static [&'static str]),
    Text,
}

/// Who may change a parameter, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    User,
    Superuser,
    /// Only with the configuration file.
    Sighup,
    /// Only at start.
    Postmaster,
    /// Nobody.
    Internal,
}

pub(super) const fn p(
    name: &'static str,
    kind: Kind,
    context: Context,
    default: &'static str,
    is_reported: bool,
    category: &'static str,
    description: &'static str,
) -> Parameter {
    Parameter { name, kind, context, default, is_reported, category, description }
}

impl Parameter {
    /// Checks a value and brings it into canonical form: `on`/`off`, a number in the parameter's
    /// unit, a word of the enumeration.
    pub(crate) fn canonical(&self, value: &str) -> Result<String, SqlError> {
        match self.kind {
            Kind::Bool => parse_bool(value)
                .map(|on| if on { "on" } else { "off" }.to_owned())
                .ok_or_else(|| {
                    let message = format!("parameter \"{}\" requires a Boolean value", self.name);
                    SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message)
                }),
            Kind::Int(min, max, unit) => self.integer(value, min, max, unit),
            Kind::Real(min, max) => self.real(value, min, max),
            Kind::Enum(words) => self.word(value, words),
            Kind::Text => Ok(value.to_owned()),
        }
    }

    /// What SHOW prints for a canonical value: numbers with the largest unit that fits.
    pub(crate) fn shown(&self, canonical: &str) -> String {
        let Kind::Int(_, _, unit) = self.kind else { return canonical.to_owned() };
        let Ok(number) = canonical.parse::<i64>() else { return canonical.to_owned() };
        if number <= 0 || unit.is_empty() {
            return canonical.to_owned();
        }
        let factors = units(unit);
        let Some(base) = factors.iter().find(|(name, _)| *name == unit).map(|(_, f)| *f) else {
            return canonical.to_owned();
        };
        let total = number.saturating_mul(base);
        let best = factors.iter().rev().find(|(name, f)| !name.starts_with('8') && total % f == 0);
        best.map_or_else(|| canonical.to_owned(), |(name, f)| format!("{}{name}", total / f))
    }

    /// Type name, unit, bounds and words, as `pg_settings` shows them.
    pub(crate) fn facts(
        &self,
    ) -> (&'static str, &'static str, Option<String>, Option<String>, &'static [&'static str]) {
        match self.kind {
            Kind::Bool => ("bool", "", None, None, &[]),
            Kind::Int(min, max, unit) => {
                ("integer", unit, Some(min.to_string()), Some(max.to_string()), &[])
            }
            Kind::Real(min, max) => ("real", "", Some(min.to_string()), Some(max.to_string()), &[]),
            Kind::Enum(words) => ("enum", "", None, None, words),
            Kind::Text => ("string", "", None, None, &[]),
        }
    }

    /// Who may change it, in PostgreSQL's words.
    pub(crate) fn context_name(&self) -> &'static str {
        match self.context {
            Context::User => "user",
            Context::Superuser => "superuser",
            Context::Sighup => "sighup",
            Context::Postmaster => "postmaster",
            Context::Internal => "internal",
        }
    }

    /// `invalid value for parameter`.
    pub(crate) fn invalid(&self, value: &str) -> SqlError {
        SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("invalid value for parameter \"{}\": \"{value}\"", self.name),
        )
    }

    fn word(&self, value: &str, words: &[&str]) -> Result<String, SqlError> {
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(value));
        match found {
            Some(word) => Ok((*word).to_owned()),
            // Enumerations with "on" take Boolean words as well.
            None => match parse_bool(value).filter(|_| words.contains(&"on")) {
                Some(on) => Ok(if on { "on" } else { "off" }.to_owned()),
                None => Err(self
                    .invalid(value)
                    .with_hint(format!("Available values: {}.", words.join(", ")))),
            },
        }
    }

    fn integer(&self, value: &str, min: i64, max: i64, unit: &str) -> Result<String, SqlError> {
        let number = parse_integer(value, unit).ok_or_else(|| self.invalid(value))?;
        if number < min || number > max {
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            return Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!(
                    "{number}{unit} is outside the valid range for parameter \"{}\" ({min} .. \
                     {max})",
                    self.name
                ),
            ));
        }
        Ok(number.to_string())
    }

    fn real(&self, value: &str, min: f64, max: f64) -> Result<String, SqlError> {
        let number: f64 = value.trim().parse().map_err(|_| self.invalid(value))?;
        if !(min..=max).contains(&number) {
            return Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!(
                    "{number} is outside the valid range for parameter \"{}\" ({min} .. {max})",
                    self.name
                ),
            ));
        }
        Ok(number.to_string())
    }
}

/// PostgreSQL's Boolean words and their unique abbreviations.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let is_start_of = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if text == "1" || is_start_of("true", 1) || is_start_of("yes", 1) || text == "on" {
        Some(true)
    } else if text == "0"
        || is_start_of("false", 1)
        || is_start_of("no", 1)
        || is_start_of("off", 2)
    {
        Some(false)
    } else {
        None
    }
}

fn parse_integer(value: &str, unit: &str) -> Option<i64> {
    let value = value.trim();
    let digits = value
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || (*i == 0 && (*c == '-' || *c == '+'))))
        .map_or(value.len(), |(i, _)| i);
    let (number, suffix) = value.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let suffix = suffix.trim();
    if suffix.is_empty() {
        return Some(number.round() as i64);
    }
    let factors = units(unit);
    let factor = |name: &str| factors.iter().find(|(n, _)| *n == name).map(|(_, f)| *f as f64);
    Some((number * factor(suffix)? / factor(unit)?).round() as i64)
}

/// Units of the family that a unit belongs to, small first, in the smallest one.
fn units(unit: &str) -> &'static [(&'static str, i64)] {
    match unit {
        "us" | "ms" | "s" | "min" | "h" | "d" => &[
            ("us", 1),
            ("ms", 1_000),
            ("s", 1_000_000),
            ("min", 60_000_000),
            ("h", 3_600_000_000),
            ("d", 86_400_000_000),
        ],
        "B" | "kB" | "8kB" | "MB" | "GB" | "TB" => &[
            ("B", 1),
            ("kB", 1 << 10),
            ("8kB", 8 << 10),
            ("MB", 1 << 20),
            ("GB", 1 << 30),
            ("TB", 1 << 40),
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Parameter =
        p("statement_timeout", Kind::Int(0, 2147483647, "ms"), Context::User, "0", false, "", "");

    #[test]
    fn integers_take_units() {
        assert_eq!(MS.canonical("5s").unwrap(), "5000");
        assert_eq!(MS.canonical("1.5min").unwrap(), "90000");
        assert_eq!(MS.shown("90000"), "90s");
        assert_eq!(MS.shown("0"), "0");
        assert!(MS.canonical("5kB").is_err());
        assert_eq!(
            MS.canonical("-1").unwrap_err().message,
            "-1 ms is outside the valid range for parameter \"statement_timeout\" (0 .. 2147483647)"
        );
    }

    #[test]
    fn booleans_take_abbreviations() {
        assert_eq!(parse_bool("T"), Some(true));
        assert_eq!(parse_bool("of"), Some(false));
        assert_eq!(parse_bool("o"), None);
    }
}
