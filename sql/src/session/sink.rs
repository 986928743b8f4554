//! What a connection does for its session: takes rows, tags and notices, gives COPY data.

use bytes::Bytes;
use std::sync::Arc;
use types::{Datum, Oid, Settings, SqlError, SqlType};

/// A column of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The table it comes from, 0 for an expression.
    pub table_oid: Oid,
    /// Its number in that table, 0 for an expression.
    pub attnum: i16,
    /// Its type.
    pub ty: SqlType,
}

/// How a value is written on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Binary,
}

/// How COPY data is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFormat {
    /// Binary COPY; else text or csv.
    pub is_binary: bool,
    /// Number of columns; all have the same format.
    pub columns: usize,
}

/// What the client sends during COPY FROM STDIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyInput {
    /// CopyData.
    Data(Bytes),
    /// CopyDone.
    Done,
    /// CopyFail, with the client's words.
    Fail(String),
}

/// The session's way to its client. Messages are buffered in order; `ready` lets them out.
pub trait RowSink: Send {
    /// Rows of this shape follow. `announce`: send a RowDescription first (simple query). `formats`
    /// is empty (all text), of length one (for all columns) or one a column. `settings` hold for
    /// all rows up to the next call.
    fn begin_rows(
        &mut self,
        fields: &Arc<[Field]>,
        formats: &[Format],
        settings: &Settings,
        announce: bool,
    );

    /// One row, a value for each field.
    fn row(&mut self, row: &[Datum]) -> Result<(), SqlError>;

    /// CommandComplete.
    fn complete(&mut self, tag: &str);

    /// EmptyQueryResponse.
    fn empty_query(&mut self);

    /// PortalSuspended.
    fn suspended(&mut self);

    /// NoticeResponse; the severity is in the fields.
    fn notice(&mut self, notice: &SqlError);

    /// ParameterStatus.
    fn parameter_status(&mut self, name: &str, value: &str);

    /// Back-pressure: ends once little enough is buffered. May send. An error means that the
    /// client is gone.
    fn ready(&mut self) -> impl Future<Output = Result<(), SqlError>> + Send;

    /// Where the buffered output ends now, for `rewind`.
    fn mark(&self) -> usize;

    /// Takes back everything after the mark; false (and nothing happens) when some of it has been
    /// sent.
    fn rewind(&mut self, mark: usize) -> bool;

    /// CopyInResponse, flushed.
    fn begin_copy_in(
        &mut self,
        format: &CopyFormat,
    ) -> impl Future<Output = Result<(), SqlError>> + Send;

    /// The next COPY message of the client (Flush and Sync in between are skipped).
    fn copy_data(&mut self) -> impl Future<Output = Result<CopyInput, SqlError>> + Send;

    /// CopyOutResponse.
    fn begin_copy_out(&mut self, format: &CopyFormat);

    /// CopyData.
    fn copy_out(&mut self, data: &[u8]);

    /// CopyDone.
    fn end_copy_out(&mut self);
}

/// Implements [`RowSink`] for a type that sends nothing, with some methods written out.
macro_rules! forward_sink {
    ($name:ident { $($methods:tt)* }) => {
        impl $crate::session::RowSink for $name {
            $($methods)*
            fn begin_rows(
                &mut self,
                _: &std::sync::Arc<[$crate::session::Field]>,
                _: &[$crate::session::Format],
                _: &types::Settings,
                _: bool,
            ) {
            }
            fn empty_query(&mut self) {}
            fn suspended(&mut self) {}
            fn notice(&mut self, _: &types::SqlError) {}
            fn parameter_status(&mut self, _: &str, _: &str) {}
            async fn ready(&mut self) -> Result<(), types::SqlError> {
                Ok(())
            }
            async fn begin_copy_in(
                &mut self,
                _: &$crate::session::CopyFormat,
            ) -> Result<(), types::SqlError> {
                Err(types::SqlError::internal("COPY has no client here"))
            }
            async fn copy_data(&mut self) -> Result<$crate::session::CopyInput, types::SqlError> {
                Err(types::SqlError::internal("COPY has no client here"))
            }
            fn begin_copy_out(&mut self, _: &$crate::session::CopyFormat) {}
            fn copy_out(&mut self, _: &[u8]) {}
            fn end_copy_out(&mut self) {}
        }
    };
}
pub(crate) use forward_sink;

/// Takes everything and keeps nothing: for work whose rows go elsewhere.
pub(crate) struct NoSink;

forward_sink!(NoSink {
    fn row(&mut self, _: &[Datum]) -> Result<(), SqlError> {
        Ok(())
    }
    fn complete(&mut self, _: &str) {}
    fn mark(&self) -> usize {
        0
    }
    fn rewind(&mut self, _: usize) -> bool {
        true
    }
});
