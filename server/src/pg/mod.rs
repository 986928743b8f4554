//! PostgreSQL connections: the accept loop, one task a connection, and the glue between `wire`
//! (bytes), `sql` (sessions) and the socket.
//!
//! ```text
//! socket ─read─► wire::Connection ─event─► dispatch ─► sql::Session
//!        ◄─write─ wire::Writer    ◄─rows── Client (RowSink)  ◄──┘
//! ```

mod cancel;
mod client;
mod connection;
mod dispatch;
mod errors;
mod listener;
mod sink;
mod trust;

pub(crate) use listener::{PgServer, serve};
pub(crate) use trust::Trust;
