//! What goes wrong between bytes and messages, and what an error looks like to a client.

use std::borrow::Cow;
use std::fmt;

/// Severity of an error or a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The statement failed; the connection lives.
    Error,
    /// The connection ends.
    Fatal,
    /// Every connection ends.
    Panic,
    Warning,
    Notice,
    Debug,
    Info,
    Log,
}

impl Severity {
    /// The word on the wire, in both the S and the V field (messages are not translated).
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

/// The fields of an ErrorResponse or a NoticeResponse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorFields {
    pub severity: Severity,
    /// SQLSTATE, five characters.
    pub code: Cow<'static, str>,
    pub message: Cow<'static, str>,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// Where in the statement, in characters from 1.
    pub position: Option<u32>,
    /// Where in `internal_query`, in characters from 1.
    pub internal_position: Option<u32>,
    pub internal_query: Option<String>,
    /// The context: "COPY t, line 3", "PL/pgSQL function …".
    pub context: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub data_type: Option<String>,
    pub constraint: Option<String>,
}

impl ErrorFields {
    /// Severity, SQLSTATE and message; the rest is empty.
    pub fn new(
        severity: Severity,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> ErrorFields {
        ErrorFields {
            severity,
            code: code.into(),
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            internal_position: None,
            internal_query: None,
            context: None,
            schema: None,
            table: None,
            column: None,
            data_type: None,
            constraint: None,
        }
    }
}

/// How the connection goes on after a [`WireError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Send the error and close: framing is lost, or the peer is not authenticated.
    Close,
    /// Send the error, fail the transaction; everything up to Sync is dropped from now on.
    SkipUntilSync,
    /// Send the error, fail the transaction, send ReadyForQuery.
    Ready,
}

/// A message that is not what the protocol allows. Carries the answer to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct WireError {
    /// What the client is told. Boxed: errors are rare and travel through hot signatures.
    pub fields: Box<ErrorFields>,
    /// How to go on.
    pub recovery: Recovery,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fields.code, self.fields.message)
    }
}

impl WireError {
    /// True when the connection must be closed after the error has been sent.
    pub fn closes(&self) -> bool {
        self.recovery == Recovery::Close
    }

    /// An error that ends the connection.
    pub(crate) fn fatal(code: &'static str, message: impl Into<Cow<'static, str>>) -> WireError {
        let fields = Box::new(ErrorFields::new(Severity::Fatal, code, message));
        WireError { fields, recovery: Recovery::Close }
    }

    /// An error inside one intact frame; the connection decides how to recover.
    pub(crate) fn error(code: &'static str, message: impl Into<Cow<'static, str>>) -> WireError {
        let fields = Box::new(ErrorFields::new(Severity::Error, code, message));
        WireError { fields, recovery: Recovery::Ready }
    }

    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> WireError {
        self.fields.detail = Some(detail.into());
        self
    }
}

/// SQLSTATE of every breach of the protocol itself.
pub(crate) const PROTOCOL_VIOLATION: &str = "08P01";
/// SQLSTATE of text that is not valid in its encoding.
pub(crate) const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
/// SQLSTATE of what the protocol has and we do not.
pub(crate) const FEATURE_NOT_SUPPORTED: &str = "0A000";
/// SQLSTATE of a start without a usable identity.
pub(crate) const INVALID_AUTHORIZATION: &str = "28000";
/// SQLSTATE of a message beyond the limits.
pub(crate) const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
