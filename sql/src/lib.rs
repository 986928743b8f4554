//! sql
pub mod session;
pub mod functions;
