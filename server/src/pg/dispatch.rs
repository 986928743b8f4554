//! What each message of a ready connection makes the session do.

use super::client::Client;
use super::errors;
use sql::session::{BindParams, Format, Session, TxnStatus};
use types::SqlError;
use wire::frontend::Bind;
use wire::{FrontendEvent, Target, TransactionStatus};

/// What the connection does next.
pub(super) enum Next {
    Continue,
    /// Everything produced so far is wanted as soon as the input has run dry.
    Flush,
    /// ReadyForQuery, then flush.
    Ready,
    Close,
}

/// Carries out one message.
pub(super) async fn dispatch(
    event: FrontendEvent,
    session: &mut Session,
    client: &mut Client,
) -> Next {
    match event {
        FrontendEvent::Query(sql) => {
            let outcome = Box::pin(session.simple_query(&sql, client)).await;
            settle(outcome, client);
            Next::Ready
        }
        FrontendEvent::Sync => {
            let outcome = session.sync(client).await;
            settle(outcome, client);
            Next::Ready
        }
        FrontendEvent::Flush => Next::Flush,
        FrontendEvent::Terminate => Next::Close,
        extended => match step(extended, session, client).await {
            Ok(()) => Next::Continue,
            Err(error) => {
                client.failure = Some(error.code.0);
                session.fail().await;
                client.out.error(&errors::fields(&error));
                client.input.statement_failed();
                Next::Flush
            }
        },
    }
}

/// One message of the extended protocol; an error drops what follows up to Sync.
async fn step(
    event: FrontendEvent,
    session: &mut Session,
    client: &mut Client,
) -> Result<(), SqlError> {
    match event {
        FrontendEvent::Parse(parse) => {
            session.parse(&parse.name, &parse.sql, &parse.param_types).await?;
            client.out.parse_complete();
        }
        FrontendEvent::Bind(bind) => {
            let params = bind_params(&bind);
            session.bind(&bind.portal, &bind.statement, params).await?;
            client.out.bind_complete();
        }
        FrontendEvent::Describe(target) => describe(target, session, client).await?,
        FrontendEvent::Execute(execute) => {
            let sync_follows = client.sync_follows();
            let max_rows = execute.max_rows.map_or(0, u64::from);
            session.execute(&execute.portal, max_rows, sync_follows, client).await?;
        }
        FrontendEvent::Close(target) => {
            match target {
                Target::Statement(name) => session.close_statement(&name),
                Target::Portal(name) => session.close_portal(&name),
            }
            client.out.close_complete();
        }
        // COPY messages after a COPY that failed: dropped, as PostgreSQL does.
        FrontendEvent::CopyData(_) | FrontendEvent::CopyDone | FrontendEvent::CopyFail(_) => {}
        other => return Err(SqlError::internal(format!("unexpected message {other:?}"))),
    }
    Ok(())
}

async fn describe(
    target: Target,
    session: &mut Session,
    client: &mut Client,
) -> Result<(), SqlError> {
    match target {
        Target::Statement(name) => {
            let description = session.describe_statement(&name).await?;
            // A statement has at most 65535 parameters.
            let _ = client.out.parameter_description(&description.params);
            match description.fields {
                Some(fields) => client.row_description(&fields, &[]),
                None => client.out.no_data(),
            }
        }
        Target::Portal(name) => {
            let description = session.describe_portal(&name)?;
            match description.fields {
                Some(fields) => client.row_description(&fields, &description.formats),
                None => client.out.no_data(),
            }
        }
    }
    Ok(())
}

/// Sends a statement's error and brings the input side back to the simple protocol.
fn settle(outcome: Result<(), SqlError>, client: &mut Client) {
    if let Err(error) = outcome {
        client.failure = Some(error.code.0);
        client.out.error(&errors::fields(&error));
        client.input.statement_failed();
    }
}

fn bind_params(bind: &Bind) -> BindParams {
    let formats = |given: &wire::Formats, count: usize| -> Vec<Format> {
        (0..given.given().min(count.max(1))).map(|i| format(given.of(i))).collect()
    };
    BindParams {
        param_formats: (0..bind.params.len()).map(|i| format(bind.params.format(i))).collect(),
        params: (0..bind.params.len()).map(|i| bind.params.bytes(i)).collect(),
        result_formats: formats(&bind.result_formats, usize::MAX),
    }
}

fn format(format: wire::Format) -> Format {
    match format {
        wire::Format::Text => Format::Text,
        wire::Format::Binary => Format::Binary,
    }
}

/// The status byte of ReadyForQuery.
pub(super) fn status(session: &Session) -> TransactionStatus {
    match session.status() {
        TxnStatus::Idle => TransactionStatus::Idle,
        TxnStatus::InTransaction => TransactionStatus::Transaction,
        TxnStatus::Failed => TransactionStatus::Error,
    }
}
