//! Functions about sessions: waiting, cancelling, terminating.

use super::super::view::SessionView;
use super::{int_arg, void};
use std::time::Duration;
use types::{Datum, SqlError};

/// Longest sleep: a hundred years.
const SLEEP_SECONDS_MAX: f64 = 3_155_760_000.0;

/// `pg_sleep(seconds)`; a cancelled statement ends it.
pub(super) async fn sleep(view: &SessionView, args: &[Datum]) -> Result<Datum, SqlError> {
    if let Some(Datum::Float8(seconds)) = args.first()
        && *seconds > 0.0
    {
        let duration = Duration::from_secs_f64(seconds.min(SLEEP_SECONDS_MAX));
        view.shared.engine.clock().sleep(duration).await;
    }
    Ok(void())
}

/// `pg_cancel_backend`, `pg_terminate_backend`: sessions of this process only.
pub(super) fn signal(
    view: &SessionView,
    args: &[Datum],
    terminate: bool,
) -> Result<Datum, SqlError> {
    let process = int_arg(args, 0)?;
    let sessions = view.shared.engine.sessions();
    let Some(session) = sessions.iter().find(|s| i64::from(s.process_id) == process) else {
        let message = format!("PID {process} is not a PostgreSQL server process");
        let warning = SqlError::new(types::sqlstate::WARNING, message)
            .with_severity(types::Severity::Warning);
        view.shared.notices.lock().push(warning);
        return Ok(Datum::Bool(false));
    };
    if terminate {
        session.cancel.terminate();
    } else {
        session.cancel.cancel();
    }
    Ok(Datum::Bool(true))
}
