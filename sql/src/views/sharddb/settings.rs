//! `sharddb.settings`: cluster settings that differ from their defaults.

use super::super::row::{Rows, text};
use crate::session::errors;
use crate::session::view::SessionView;
use base::meta_api::{MetaRequest, MetaResponse};
use types::SqlError;

pub(super) async fn fill(view: &SessionView, rows: &mut Rows) -> Result<(), SqlError> {
    let request = MetaRequest::GetSettings { prefix: String::new() };
    let answer = view.shared.engine.client().meta(request).await;
    let answer = answer.map_err(|error| errors::from_kv(error, &view.catalog))?;
    let MetaResponse::Settings(settings) = answer else { return Ok(()) };
    for (name, value) in settings {
        rows.add(&[("name", text(name)), ("value", text(String::from_utf8_lossy(&value)))]);
    }
    Ok(())
}
