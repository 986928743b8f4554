//! sql
mod copy;
mod ddl;
pub mod session;
mod utility;
mod views;

pub use session::{CancelToken, Engine, EngineEnv, Session};
pub mod functions;

pub mod bind;
pub mod exec;
pub mod explain;
pub mod optimize;
pub mod parse;
pub mod plan;
pub mod pushdown;
