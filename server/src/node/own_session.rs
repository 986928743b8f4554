//! A session of the process's own, for operators' requests that are best said in SQL.

use sql::Engine;
use sql::session::{ConnectParams, CopyFormat, CopyInput, Field, Format, RowSink};
use std::sync::Arc;
use types::{Datum, Settings, SqlError, sqlstate};

/// Runs statements as postgres; their rows are dropped.
pub(crate) async fn run(engine: &Arc<Engine>, sql: &str) -> Result<(), String> {
    let params = ConnectParams {
        user: "postgres".into(),
        database: "postgres".into(),
        ..ConnectParams::default()
    };
    let mut session = engine.connect(params).await.map_err(|e| e.message.clone())?;
    let outcome = session.simple_query(sql, &mut Nobody).await;
    session.close().await;
    outcome.map_err(|e| e.message.clone())
}

/// Wants to see nothing.
struct Nobody;

impl RowSink for Nobody {
    fn begin_rows(&mut self, _: &Arc<[Field]>, _: &[Format], _: &Settings, _: bool) {}

    fn row(&mut self, _: &[Datum]) -> Result<(), SqlError> {
        Ok(())
    }

    fn complete(&mut self, _: &str) {}

    fn empty_query(&mut self) {}

    fn suspended(&mut self) {}

    fn notice(&mut self, _: &SqlError) {}

    fn parameter_status(&mut self, _: &str, _: &str) {}

    async fn ready(&mut self) -> Result<(), SqlError> {
        Ok(())
    }

    fn mark(&self) -> usize {
        0
    }

    fn rewind(&mut self, _: usize) -> bool {
        true
    }

    async fn begin_copy_in(&mut self, _: &CopyFormat) -> Result<(), SqlError> {
        Err(SqlError::new(sqlstate::FEATURE_NOT_SUPPORTED, "COPY is not possible here"))
    }

    async fn copy_data(&mut self) -> Result<CopyInput, SqlError> {
        Ok(CopyInput::Fail("COPY is not possible here".into()))
    }

    fn begin_copy_out(&mut self, _: &CopyFormat) {}

    fn copy_out(&mut self, _: &[u8]) {}

    fn end_copy_out(&mut self) {}
}
