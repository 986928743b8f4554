//! What may arrive before a session exists: requests for encryption, a cancel request, the startup
//! packet. These have no type byte; the length comes first, then a code or the protocol version.

use crate::error::{
    CHARACTER_NOT_IN_REPERTOIRE, FEATURE_NOT_SUPPORTED, INVALID_AUTHORIZATION, PROTOCOL_VIOLATION,
    WireError,
};
use crate::limits::Limits;
use crate::reader::BodyReader;
use bytes::{Bytes, BytesMut};

const CANCEL_CODE: u32 = (1234 << 16) | 5678;
const SSL_CODE: u32 = (1234 << 16) | 5679;
const GSS_CODE: u32 = (1234 << 16) | 5680;
/// The only major version.
const MAJOR_VERSION: u32 = 3;
/// The newest minor version; clients that ask for a newer one are told so and go on with this.
const MINOR_VERSION: u32 = 0;
/// Length word and code.
const PACKET_BYTES_MIN: usize = 8;
/// Names are cut here as PostgreSQL cuts them (`NAMEDATALEN - 1`).
const NAME_BYTES_MAX: usize = 63;

/// Identifies a running session to a cancel request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CancelKey {
    pub process: i32,
    pub secret: i32,
}

/// Who wants what, from the startup packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Startup {
    pub user: String,
    /// The user's name when the client named no database.
    pub database: String,
    /// Everything else in the order given: run-time settings, and `options` as the client sent it.
    pub parameters: Vec<(String, String)>,
    /// Set when the client asked for a newer minor version or for protocol options (listed here):
    /// it must be told with NegotiateProtocolVersion before anything else.
    pub negotiate: Option<Vec<String>>,
}

/// One packet before the session.
#[derive(Debug)]
pub(crate) enum Packet {
    Ssl,
    Gss,
    Cancel(CancelKey),
    Startup(Startup),
}

/// What has been asked for on this connection: each kind of encryption may be requested once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) ssl: bool,
    pub(crate) gss: bool,
}

/// Takes the first packet off the input; `None` while it is not complete. Every error is FATAL.
pub(crate) fn take(
    input: &mut BytesMut,
    limits: &Limits,
    asked: Asked,
) -> Result<Option<Packet>, WireError> {
    let Some(word) = input.get(..4).and_then(|word| word.try_into().ok()) else {
        return Ok(None);
    };
    let length = usize::try_from(i32::from_be_bytes(word)).unwrap_or(0);
    if !(PACKET_BYTES_MIN..=limits.startup_bytes_max).contains(&length) {
        return Err(WireError::fatal(PROTOCOL_VIOLATION, "invalid length of startup packet"));
    }
    if input.len() < length {
        return Ok(None);
    }
    let packet = input.split_to(length).freeze().split_off(4);
    decode(&packet, !input.is_empty(), asked).map(Some).map_err(into_fatal)
}

fn decode(packet: &Bytes, more_follows: bool, asked: Asked) -> Result<Packet, WireError> {
    let mut reader = BodyReader::new(packet);
    let code = reader.u32()?;
    match code {
        SSL_CODE if !asked.ssl => encryption_request(reader, more_follows, "SSL", Packet::Ssl),
        GSS_CODE if !asked.gss => encryption_request(reader, more_follows, "GSSAPI", Packet::Gss),
        CANCEL_CODE => {
            let key = CancelKey { process: reader.i32()?, secret: reader.i32()? };
            reader.end()?;
            Ok(Packet::Cancel(key))
        }
        version if version >> 16 == MAJOR_VERSION => startup(reader, version & 0xffff),
        other => Err(WireError::fatal(
            FEATURE_NOT_SUPPORTED,
            format!(
                "unsupported frontend protocol {}.{}: server supports 3.0 to 3.0",
                other >> 16,
                other & 0xffff
            ),
        )),
    }
}

/// Bytes behind a request for encryption were sent in clear by somebody who should have waited for
/// the answer: an attacker may have put them there, so they must never be read as part of the
/// encrypted stream.
fn encryption_request(
    reader: BodyReader<'_>,
    more_follows: bool,
    kind: &str,
    packet: Packet,
) -> Result<Packet, WireError> {
    reader.end()?;
    if more_follows {
        let message = format!("received unencrypted data after {kind} request");
        return Err(WireError::fatal(PROTOCOL_VIOLATION, message).with_detail(
            "This could be either a client-software bug or evidence of an attempted \
             man-in-the-middle attack.",
        ));
    }
    Ok(packet)
}

fn startup(mut reader: BodyReader<'_>, minor: u32) -> Result<Packet, WireError> {
    let (mut user, mut database) = (String::new(), String::new());
    let (mut parameters, mut options) = (Vec::new(), Vec::new());
    loop {
        let name = setting(&mut reader)?;
        if name.is_empty() {
            break;
        }
        let value = setting(&mut reader)?;
        match name {
            "user" => user = truncated(value),
            "database" => database = truncated(value),
            "replication" => refuse_replication(value)?,
            _ if name.starts_with("_pq_.") => options.push(name.to_owned()),
            _ => parameters.push((name.to_owned(), value.to_owned())),
        }
    }
    reader.end().map_err(|_| bad_layout())?;
    if user.is_empty() {
        let message = "no PostgreSQL user name specified in startup packet";
        return Err(WireError::fatal(INVALID_AUTHORIZATION, message));
    }
    if database.is_empty() {
        database.clone_from(&user);
    }
    let negotiate = (minor > MINOR_VERSION || !options.is_empty()).then_some(options);
    Ok(Packet::Startup(Startup { user, database, parameters, negotiate }))
}

/// One string of the packet. A missing terminator is a matter of layout, not of the string.
fn setting<'a>(reader: &mut BodyReader<'a>) -> Result<&'a str, WireError> {
    reader.text().map_err(|error| match &*error.fields.code {
        CHARACTER_NOT_IN_REPERTOIRE => error,
        _ => bad_layout(),
    })
}

fn bad_layout() -> WireError {
    let message = "invalid startup packet layout: expected terminator as last byte";
    WireError::fatal(PROTOCOL_VIOLATION, message)
}

fn refuse_replication(value: &str) -> Result<(), WireError> {
    match value {
        "false" | "off" | "no" | "0" => Ok(()),
        _ => Err(WireError::fatal(
            FEATURE_NOT_SUPPORTED,
            "replication connections are not supported",
        )),
    }
}

fn truncated(name: &str) -> String {
    let mut end = name.len().min(NAME_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

fn into_fatal(error: WireError) -> WireError {
    let mut fields = error.fields;
    fields.severity = crate::Severity::Fatal;
    WireError { fields, recovery: crate::Recovery::Close }
}
