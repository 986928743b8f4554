//! The internal protocol between processes: length-prefixed, versioned, checksummed frames over
//! TCP, many requests at once on one connection.
//!
//! ```text
//!   call_range ─► Channel ─► Session ─► Link ═══ TCP ═══ Link ─► server connection ─► Handler
//!                (reconnects) (pending   (frames,              (one task a request)
//!                              answers)   one writer at a time)
//! ```
//!
//! * **Frames** ([`frame`]): length, CRC-32, version, kind, request id, payload. A frame whose
//!   checksum is wrong ends its connection: nothing behind it can be trusted.
//! * **Handshake**: both sides name protocol version, cluster and node. Another cluster is refused
//!   with a reason in words; a process without a cluster yet may use control requests only.
//! * **Two connections a peer**: requests on one, Raft traffic on the other, so that a snapshot
//!   chunk never stands in front of a read.
//! * **Fate of a request**: before its bytes are handed to the connection it certainly did nothing
//!   (`maybe_sent: false`); from then on, without an answer, it may have.
//! * **Back-pressure**: requests in flight and bytes queued are bounded on both sides. A full
//!   queue refuses requests (`Unavailable`), and drops Raft messages, which Raft repeats. A server
//!   whose answers are not read stops reading.
//! * **Silence**: a connection on which nothing arrives although it is asked to (ping) is closed.
//! * **Ends**: the connection for Raft messages is made anew as soon as it ends, so that the owner of
//!   a pool hears at once when nobody listens at a node's address any more ([`Pool::on_gone`]).
//!
//! Writing wakes nobody in the usual case: the caller encodes its frame into the connection's
//! buffer and, if no one else is writing, writes it to the socket itself; frames of others that
//! arrive meanwhile go out with the next write.

mod client;
mod config;
mod error;
pub mod frame;
mod handler;
mod handshake;
mod identity;
mod link;
mod server;

pub use client::{OnGone, Peer, Pool};
pub use config::RpcConfig;
pub use error::RpcError;
pub use handler::{Caller, Handler};
pub use identity::LocalIdentity;
pub use server::serve;
