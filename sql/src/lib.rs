//! sql
pub mod session;
pub mod functions;

pub mod parse;
pub mod bind;
pub mod plan;
pub mod optimize;
pub mod exec;
