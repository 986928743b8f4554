//! Sessions: what stands between a connection and the planner. One [`Engine`] a process, one
//! [`Session`] a connection, driven by the protocol's messages; what a statement produces goes to
//! the connection's [`RowSink`].
//!
//! # How a connection drives it
//!
//! ```text
//! startup      engine.connect(ConnectParams{user, database, options}).await -> Session | FATAL
//!              then session.parameters() are sent as ParameterStatus
//! Query        session.simple_query(text, &mut sink).await
//! Parse        session.parse(name, text, param_type_oids).await
//! Bind         session.bind(portal, statement, BindParams{..}).await
//! Describe     session.describe_statement(name).await / session.describe_portal(name)
//! Execute      session.execute(portal, max_rows, sync_follows, &mut sink).await
//! Close        session.close_statement(name) / session.close_portal(name)
//! Sync         session.sync(&mut sink).await
//! anything     on Err(error): send ErrorResponse; in the extended protocol skip to Sync
//! afterwards   ReadyForQuery(session.status())     after Query and Sync
//! Terminate    session.close().await               drops temporary tables, rolls back
//! cancel key   session.cancel_token() is an Arc; CancelToken::cancel() from any thread
//! ```
//!
//! ```rust,ignore
//! impl Engine {
//!     pub fn new(env: EngineEnv{ client: TxnClient, clock, node: NodeId, .. }) -> Arc<Engine>;
//!     pub async fn open(&self) -> SqlResult<()>;      // first start: bootstrap; loads the catalog
//!     pub async fn connect(self: &Arc<Self>, params: ConnectParams) -> SqlResult<Session>;
//! }
//! impl Session {
//!     pub async fn simple_query<S: RowSink>(&mut self, sql: &str, sink: &mut S) -> SqlResult<()>;
//!     pub async fn parse(&mut self, name: &str, sql: &str, params: &[Oid]) -> SqlResult<()>;
//!     pub async fn bind(&mut self, portal: &str, statement: &str, params: BindParams)
//!         -> SqlResult<()>;
//!     pub async fn describe_statement(&mut self, name: &str) -> SqlResult<StatementDescription>;
//!     pub fn describe_portal(&mut self, name: &str) -> SqlResult<PortalDescription>;
//!     pub async fn execute<S: RowSink>(&mut self, portal: &str, max_rows: u64,
//!         sync_follows: bool, sink: &mut S) -> SqlResult<()>;
//!     pub fn close_statement(&mut self, name: &str);
//!     pub fn close_portal(&mut self, name: &str);
//!     pub async fn sync<S: RowSink>(&mut self, sink: &mut S) -> SqlResult<()>;
//!     pub fn status(&self) -> TxnStatus;
//!     pub fn parameters(&self) -> Vec<(String, String)>;
//!     pub fn cancel_token(&self) -> Arc<CancelToken>;
//!     pub async fn close(self);
//! }
//! ```
//!
//! * The futures of long and of rare ways are boxed: a future is moved whole with every message, so
//!   the one of the common way is kept small.
//! * Every method takes `&mut self` and every future is `Send`; a dropped future leaves a session
//!   that may only be dropped.
//! * `sync_follows`: the connection has already read the Sync that comes next (the common
//!   Bind/Execute/Sync packet). The statement then commits as part of Execute, in one round;
//!   without it the implicit transaction stays open until `sync`.
//! * Notices and changed parameters reach the sink in the order in which they happen, before the
//!   CommandComplete they belong to.
//! * A statement is run again inside the server (READ COMMITTED after a write conflict) only while
//!   [`RowSink::rewind`] can take back what it has produced.
//! * COPY FROM STDIN pulls its data with [`RowSink::copy_data`], also inside `simple_query`.
//!
//! # Inside
//!
//! `run` executes one statement with retries; `transaction` is the state machine of transaction
//! blocks; `prepared` and `portal` hold the extended protocol's names; `settings` is the table of
//! configuration parameters; `errors` turns errors of the store into SQLSTATEs, once.

mod api;
mod blocks;
mod cancel;
pub(crate) mod classify;
mod commands;
mod cursors;
mod engine;
pub(crate) mod errors;
pub(crate) mod functions;
pub(crate) mod guc;
mod host;
pub(crate) mod internal;
pub(crate) mod job;
pub(crate) mod names;
mod paused;
pub(crate) mod planning;
mod point;
pub(crate) mod portal;
mod prepared;
pub(crate) mod query;
pub(crate) mod quote;
#[expect(clippy::module_inception, reason = "the session itself")]
pub(crate) mod session;
pub(crate) mod shared;
mod simple;
mod sink;
pub(crate) mod transaction;
pub(crate) mod view;

pub use api::{BindParams, ConnectParams, PortalDescription, StatementDescription, TxnStatus};
pub use cancel::CancelToken;
pub use engine::{Activity, Engine, EngineEnv, SessionInfo};
pub use session::Session;
pub use sink::{CopyFormat, CopyInput, Field, Format, RowSink};
