//! Parse: prepares a statement.

use crate::error::WireError;
use crate::reader::BodyReader;
use bytes::Bytes;

/// A statement to prepare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parse {
    /// Empty for the unnamed statement.
    pub name: String,
    pub sql: String,
    /// OIDs of the first parameters' types; 0 leaves the type to the server.
    pub param_types: Vec<u32>,
}

impl Parse {
    pub(crate) fn decode(body: &Bytes) -> Result<Parse, WireError> {
        let mut reader = BodyReader::new(body);
        let name = reader.text()?.to_owned();
        let sql = reader.text()?.to_owned();
        let count = reader.count(4)?;
        let param_types = (0..count).map(|_| reader.u32()).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(Parse { name, sql, param_types })
    }
}
