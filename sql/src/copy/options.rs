//! Options of COPY, in the new spelling and the old.

use crate::session::names::fold;
use sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption, Ident};
use types::{SqlError, sqlstate};

/// The form of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyForm {
    Text,
    Csv,
    Binary,
}

/// All options.
#[derive(Clone, Debug)]
pub(super) struct CopyOptions {
    pub(super) form: CopyForm,
    pub(super) delimiter: u8,
    pub(super) null: String,
    pub(super) has_header: bool,
    pub(super) quote: u8,
    pub(super) escape: u8,
    pub(super) force_quote: Vec<String>,
    pub(super) force_not_null: Vec<String>,
    pub(super) force_null: Vec<String>,
}

/// What was said, before defaults.
#[derive(Default)]
struct Said {
    form: Option<CopyForm>,
    delimiter: Option<char>,
    null: Option<String>,
    has_header: bool,
    quote: Option<char>,
    escape: Option<char>,
    force_quote: Vec<String>,
    force_not_null: Vec<String>,
    force_null: Vec<String>,
}

impl CopyOptions {
    pub(super) fn of(
        options: &[CopyOption],
        legacy: &[CopyLegacyOption],
    ) -> Result<CopyOptions, SqlError> {
        let mut said = Said::default();
        for option in options {
            said.take(option)?;
        }
        for option in legacy {
            said.take_legacy(option)?;
        }
        said.settle()
    }
}

impl Said {
    fn take(&mut self, option: &CopyOption) -> Result<(), SqlError> {
        match option {
            CopyOption::Format(ident) => {
                self.form = Some(match fold(ident).as_str() {
                    "text" => CopyForm::Text,
                    "csv" => CopyForm::Csv,
                    "binary" => CopyForm::Binary,
                    other => {
                        return Err(SqlError::new(
                            sqlstate::INVALID_PARAMETER_VALUE,
                            format!("COPY format \"{other}\" not recognized"),
                        ));
                    }
                });
            }
            // Loaded rows are never frozen; the option only promises that they may be.
            CopyOption::Freeze(_) => {}
            CopyOption::Delimiter(c) => self.delimiter = Some(*c),
            CopyOption::Null(text) => self.null = Some(text.clone()),
            CopyOption::Header(on) => self.has_header = *on,
            CopyOption::Quote(c) => self.quote = Some(*c),
            CopyOption::Escape(c) => self.escape = Some(*c),
            CopyOption::ForceQuote(columns) => self.force_quote = names(columns),
            CopyOption::ForceNotNull(columns) => self.force_not_null = names(columns),
            CopyOption::ForceNull(columns) => self.force_null = names(columns),
            CopyOption::Encoding(name) => check_encoding(name)?,
        }
        Ok(())
    }

    fn take_legacy(&mut self, option: &CopyLegacyOption) -> Result<(), SqlError> {
        match option {
            CopyLegacyOption::Binary => self.form = Some(CopyForm::Binary),
            CopyLegacyOption::Delimiter(c) => self.delimiter = Some(*c),
            CopyLegacyOption::Null(text) => self.null = Some(text.clone()),
            CopyLegacyOption::Header => self.has_header = true,
            CopyLegacyOption::Csv(options) => {
                self.form = Some(CopyForm::Csv);
                for option in options {
                    match option {
                        CopyLegacyCsvOption::Header => self.has_header = true,
                        CopyLegacyCsvOption::Quote(c) => self.quote = Some(*c),
                        CopyLegacyCsvOption::Escape(c) => self.escape = Some(*c),
                        CopyLegacyCsvOption::ForceQuote(c) => self.force_quote = names(c),
                        CopyLegacyCsvOption::ForceNotNull(c) => self.force_not_null = names(c),
                    }
                }
            }
            other => {
                return Err(SqlError::new(
                    sqlstate::SYNTAX_ERROR,
                    format!("option \"{other}\" not recognized"),
                ));
            }
        }
        Ok(())
    }

    fn settle(self) -> Result<CopyOptions, SqlError> {
        let form = self.form.unwrap_or(CopyForm::Text);
        let is_csv = form == CopyForm::Csv;
        if form == CopyForm::Binary {
            for (is_set, name) in
                [(self.delimiter.is_some(), "DELIMITER"), (self.null.is_some(), "NULL")]
            {
                if is_set {
                    return Err(SqlError::new(
                        sqlstate::SYNTAX_ERROR,
                        format!("cannot specify {name} in BINARY mode"),
                    ));
                }
            }
        }
        let delimiter = single(self.delimiter, if is_csv { ',' } else { '\t' }, "COPY delimiter")?;
        let quote = single(self.quote, '"', "COPY quote")?;
        let escape = single(self.escape, quote as char, "COPY escape")?;
        if !is_csv && (self.quote.is_some() || self.escape.is_some()) {
            return Err(SqlError::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                "COPY quote available only in CSV mode",
            ));
        }
        let forbidden = b"\\.abcdefghijklmnopqrstuvwxyz0123456789";
        if !is_csv && forbidden.contains(&delimiter) {
            return Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!("COPY delimiter cannot be \"{}\"", delimiter as char),
            ));
        }
        if is_csv && delimiter == quote {
            return Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                "COPY delimiter and quote must be different",
            ));
        }
        let null = self.null.unwrap_or_else(|| if is_csv { "" } else { "\\N" }.to_owned());
        Ok(CopyOptions {
            form,
            delimiter,
            null,
            has_header: self.has_header,
            quote,
            escape,
            force_quote: self.force_quote,
            force_not_null: self.force_not_null,
            force_null: self.force_null,
        })
    }
}

fn single(given: Option<char>, default: char, what: &str) -> Result<u8, SqlError> {
    let c = given.unwrap_or(default);
    if c == '\n' || c == '\r' {
        return Err(SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("{what} cannot be newline or carriage return"),
        ));
    }
    u8::try_from(c).ok().filter(u8::is_ascii).ok_or_else(|| {
        SqlError::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            format!("{what} must be a single one-byte character"),
        )
    })
}

fn names(idents: &[Ident]) -> Vec<String> {
    idents.iter().map(fold).collect()
}

fn check_encoding(name: &str) -> Result<(), SqlError> {
    let plain = name.trim_matches('\'').to_ascii_uppercase().replace(['-', '_'], "");
    if matches!(plain.as_str(), "UTF8" | "UNICODE" | "SQLASCII") {
        return Ok(());
    }
    Err(SqlError::new(
        sqlstate::INVALID_PARAMETER_VALUE,
        format!("argument to option \"encoding\" must be a valid encoding name: \"{name}\""),
    ))
}
