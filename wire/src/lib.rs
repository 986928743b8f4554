//! PostgreSQL protocol v3: bytes in, messages out. Knows no table, no socket and no clock.
//!
//! ```text
//!   socket bytes ──feed──► Connection ──next──► FrontendEvent ──► session
//!   socket bytes ◄──────── Writer     ◄──────── rows, tags, errors ┘
//! ```
//!
//! [`Connection`] is a stepped value: it takes bytes in pieces of any size, cuts them into frames
//! (type, length, body), holds every frame against the state table of its phase, decodes the body
//! strictly and hands out one event after the other. Only when the caller asks for the next event is
//! the next frame looked at, so an error in one message stops the pipelined ones behind it.
//!
//! **Absences.** Nothing is decoded beyond the end of its own frame; no byte of a frame is left
//! unread; no text leaves this crate that was not valid UTF-8 on the wire; nothing that arrives
//! before authentication is kept beyond [`Limits::startup_bytes_max`] and
//! [`Limits::unauthenticated_bytes_max`]; every error before the connection is ready is FATAL and
//! ends it; after an error inside an extended query nothing but Sync gets through.
//!
//! Backend messages that occur once a connection are encoded by `pgwire`'s message types; those
//! that occur once a row or a statement go straight into the reused output buffer.

mod backend;
mod connection;
mod error;
mod frame;
pub mod frontend;
mod limits;
mod reader;
mod startup;

pub use backend::{Column, CopyFormat, MessageTooLong, RowWriter, Writer};
pub use connection::{Connection, FrontendEvent, Phase};
pub use error::{ErrorFields, Recovery, Severity, WireError};
pub use frontend::{Format, Formats, Target};
pub use limits::Limits;
pub use pgwire::messages::response::TransactionStatus;
pub use startup::{CancelKey, Startup};
