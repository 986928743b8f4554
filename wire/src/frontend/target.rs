//! Describe and Close: a statement or a portal, by name.

use crate::error::{PROTOCOL_VIOLATION, WireError};
use crate::reader::BodyReader;
use bytes::Bytes;

/// What is described or closed. The empty name is the unnamed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Statement(String),
    Portal(String),
}

impl Target {
    /// `message` names the message in the error text.
    pub(crate) fn decode(body: &Bytes, message: &str) -> Result<Target, WireError> {
        let mut reader = BodyReader::new(body);
        let kind = reader.u8()?;
        let name = reader.text()?.to_owned();
        reader.end()?;
        match kind {
            b'S' => Ok(Target::Statement(name)),
            b'P' => Ok(Target::Portal(name)),
            _ => Err(WireError::error(
                PROTOCOL_VIOLATION,
                format!("invalid {message} message subtype {kind}"),
            )),
        }
    }
}
