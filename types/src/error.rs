//! The error of SQL: what an ErrorResponse carries.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Result of anything that may fail with an error of SQL.
pub type SqlResult<T> = Result<T, SqlError>;

/// Five characters that name the kind of an error; the constants are in [`crate::sqlstate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SqlState(pub &'static str);

impl SqlState {
    /// The known code with these characters, for errors that arrive as text from other nodes.
    pub fn from_code(code: &str) -> Option<SqlState> {
        let all = crate::sqlstate::ALL;
        all.binary_search_by(|state| state.0.cmp(code)).ok().map(|at| all[at])
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How bad it is, and whether it is an error at all: notices use the same fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Fatal,
    Panic,
    Warning,
    Notice,
    Debug,
    Info,
    Log,
}

impl Severity {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
            Severity::Panic => "PANIC",
            Severity::Warning => "WARNING",
            Severity::Notice => "NOTICE",
            Severity::Debug => "DEBUG",
            Severity::Info => "INFO",
            Severity::Log => "LOG",
        }
    }
}

/// The fields of an error, by PostgreSQL's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorFields {
    pub severity: Severity,
    pub code: SqlState,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// Character position in the statement, from 1.
    pub position: Option<u32>,
    /// What was going on ("COPY t, line 3, ...").
    pub context: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub data_type: Option<String>,
    pub constraint: Option<String>,
}

/// An error of SQL. One pointer wide, so that results stay small; the fields are reached by
/// dereferencing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError(Box<ErrorFields>);

impl SqlError {
    /// An ERROR with a code and a primary message.
    pub fn new(code: SqlState, message: impl Into<String>) -> Self {
        SqlError(Box::new(ErrorFields {
            severity: Severity::Error,
            code,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            context: None,
            schema: None,
            table: None,
            column: None,
            data_type: None,
            constraint: None,
        }))
    }

    /// A broken invariant of our own (XX000).
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(crate::sqlstate::INTERNAL_ERROR, message)
    }

    /// Something that PostgreSQL has and we do not (0A000).
    pub fn not_supported(message: impl Into<String>) -> Self {
        Self::new(crate::sqlstate::FEATURE_NOT_SUPPORTED, message)
    }

    /// `invalid input syntax for type T: "text"` (22P02).
    pub fn invalid_text(type_name: &str, input: &str) -> Self {
        Self::new(
            crate::sqlstate::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type {type_name}: \"{input}\""),
        )
    }

    /// `value "text" is out of range for type T` (22003).
    pub fn text_out_of_range(type_name: &str, input: &str) -> Self {
        Self::new(
            crate::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("value \"{input}\" is out of range for type {type_name}"),
        )
    }

    /// `T out of range` (22003).
    pub fn out_of_range(type_name: &str) -> Self {
        Self::new(crate::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, format!("{type_name} out of range"))
    }

    /// `division by zero` (22012).
    pub fn division_by_zero() -> Self {
        Self::new(crate::sqlstate::DIVISION_BY_ZERO, "division by zero")
    }

    /// `incorrect binary data format` and its kin (22P03).
    pub fn bad_binary(message: impl Into<String>) -> Self {
        Self::new(crate::sqlstate::INVALID_BINARY_REPRESENTATION, message)
    }

    /// Adds DETAIL.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds HINT.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the position in the statement, from 1.
    pub fn with_position(mut self, position: u32) -> Self {
        self.position = Some(position);
        self
    }

    /// Adds CONTEXT.
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Changes the severity.
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Names the table.
    pub fn with_table(mut self, schema: impl Into<String>, table: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self.table = Some(table.into());
        self
    }

    /// Names the column.
    pub fn with_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Names the constraint.
    pub fn with_constraint(mut self, constraint: impl Into<String>) -> Self {
        self.constraint = Some(constraint.into());
        self
    }
}

impl Deref for SqlError {
    type Target = ErrorFields;
    fn deref(&self) -> &ErrorFields {
        &self.0
    }
}

impl DerefMut for SqlError {
    fn deref_mut(&mut self) -> &mut ErrorFields {
        &mut self.0
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:  {}: {}", self.severity.as_str(), self.code, self.message)
    }
}

impl std::error::Error for SqlError {}

impl From<base::codec::CodecError> for SqlError {
    fn from(error: base::codec::CodecError) -> Self {
        Self::new(crate::sqlstate::DATA_CORRUPTED, error.to_string())
    }
}
