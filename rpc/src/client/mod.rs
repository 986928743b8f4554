//! The calling side: peers by node or by address.

mod channel;
mod peer;
mod pool;
mod session;
mod watch;

pub use peer::Peer;
pub use pool::Pool;
pub use watch::OnGone;
