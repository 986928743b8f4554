//! Execute: runs a portal, or goes on with a suspended one.

use crate::error::WireError;
use crate::reader::BodyReader;
use bytes::Bytes;

/// A portal to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execute {
    /// Empty for the unnamed portal.
    pub portal: String,
    /// Suspend after this many rows; `None` runs to the end (the client sent 0 or less).
    pub max_rows: Option<u32>,
}

impl Execute {
    pub(crate) fn decode(body: &Bytes) -> Result<Execute, WireError> {
        let mut reader = BodyReader::new(body);
        let portal = reader.text()?.to_owned();
        let max_rows = u32::try_from(reader.i32()?).ok().filter(|rows| *rows > 0);
        reader.end()?;
        Ok(Execute { portal, max_rows })
    }
}
