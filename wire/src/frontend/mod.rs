//! Messages of a client, each decoded to the last byte of its frame.
//!
//! The texts of errors are PostgreSQL's.

mod bind;
mod execute;
mod format;
mod parse;
mod target;

pub use bind::{Bind, Params};
pub use execute::Execute;
pub use format::{Format, Formats};
pub use parse::Parse;
pub use target::Target;

use crate::error::WireError;
use crate::reader::BodyReader;
use bytes::Bytes;

/// Query: one string.
pub(crate) fn query(body: &Bytes) -> Result<String, WireError> {
    single_text(body)
}

/// CopyFail: the reason.
pub(crate) fn copy_fail(body: &Bytes) -> Result<String, WireError> {
    single_text(body)
}

/// Flush, Sync: nothing in it.
pub(crate) fn empty<T>(body: &Bytes, event: T) -> Result<T, WireError> {
    BodyReader::new(body).end().map(|()| event)
}

fn single_text(body: &Bytes) -> Result<String, WireError> {
    let mut reader = BodyReader::new(body);
    let text = reader.text()?.to_owned();
    reader.end()?;
    Ok(text)
}
