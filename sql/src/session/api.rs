//! Arguments and answers of the session's methods.

use super::{Field, Format};
use bytes::Bytes;
use std::sync::Arc;
use types::Oid;

/// What a StartupMessage says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectParams {
    /// Role, already authenticated.
    pub user: String,
    /// Database; empty means the user's name.
    pub database: String,
    /// Other parameters (`application_name`, `client_encoding`, `options`, …), in order.
    pub options: Vec<(String, String)>,
    /// Process id of BackendKeyData: `pg_backend_pid()`.
    pub process_id: i32,
}

/// What a Bind message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindParams {
    /// Formats of the parameters: none, one for all, or one each.
    pub param_formats: Vec<Format>,
    /// Values as sent; `None` is NULL.
    pub params: Vec<Option<Bytes>>,
    /// Formats of the result columns: none, one for all, or one each.
    pub result_formats: Vec<Format>,
}

/// What Describe of a statement answers.
#[derive(Clone, Debug, PartialEq)]
pub struct StatementDescription {
    /// ParameterDescription.
    pub params: Arc<[Oid]>,
    /// RowDescription (all columns in text format), `None` for NoData.
    pub fields: Option<Arc<[Field]>>,
}

/// What Describe of a portal answers: RowDescription with these formats, or NoData.
#[derive(Clone, Debug, PartialEq)]
pub struct PortalDescription {
    /// `None` for NoData.
    pub fields: Option<Arc<[Field]>>,
    /// As given to Bind.
    pub formats: Arc<[Format]>,
}

/// The status byte of ReadyForQuery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxnStatus {
    Idle,
    InTransaction,
    Failed,
}

impl TxnStatus {
    /// `I`, `T` or `E`.
    pub fn byte(self) -> u8 {
        match self {
            TxnStatus::Idle => b'I',
            TxnStatus::InTransaction => b'T',
            TxnStatus::Failed => b'E',
        }
    }
}
