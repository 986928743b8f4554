//! Parameters and sessions.

use super::super::row::{Rows, array, id, int, moment, opt_text, text, yes};
use crate::session::guc;
use crate::session::view::SessionView;
use types::{Datum, oid};

pub(super) fn pg_settings(view: &SessionView, rows: &mut Rows) {
    let session = view.shared.guc.lock();
    for parameter in guc::parameters() {
        let (kind, unit, min, max, words) = parameter.facts();
        let words = words.iter().map(text).collect::<Vec<_>>();
        rows.add(&[
            ("name", text(parameter.name)),
            ("setting", opt_text(session.get(parameter.name))),
            ("unit", if unit.is_empty() { Datum::Null } else { text(unit) }),
            ("category", text(parameter.category)),
            ("short_desc", text(parameter.description)),
            ("context", text(parameter.context_name())),
            ("vartype", text(kind)),
            ("source", text("default")),
            ("min_val", opt_text(min)),
            ("max_val", opt_text(max)),
            ("enumvals", if words.is_empty() { Datum::Null } else { array(oid::TEXT, words) }),
            ("boot_val", text(parameter.default)),
            ("reset_val", opt_text(session.reset_value(parameter.name))),
            ("pending_restart", yes(false)),
        ]);
    }
}

pub(super) fn pg_stat_activity(view: &SessionView, rows: &mut Rows) {
    for session in view.shared.engine.sessions() {
        let activity = session.activity.lock().clone();
        let database = view.catalog.database(session.database);
        let role = view.catalog.role_named(&session.user);
        rows.add(&[
            ("datid", id(session.database)),
            ("datname", opt_text(database.map(|database| &database.name))),
            ("pid", int(session.process_id)),
            ("usesysid", id(role.map_or(0, |role| role.oid))),
            ("usename", text(&session.user)),
            ("application_name", text(&activity.application_name)),
            ("backend_start", moment(session.started_millis)),
            ("query_start", moment(activity.query_start_millis)),
            ("state_change", moment(activity.query_start_millis)),
            ("state", text(activity.state)),
            ("query", text(&activity.query)),
            ("backend_type", text("client backend")),
        ]);
    }
}

pub(super) fn pg_stat_database(view: &SessionView, rows: &mut Rows) {
    let sessions = view.shared.engine.sessions();
    for database in view.catalog.databases() {
        let backends = sessions.iter().filter(|s| s.database == database.oid).count();
        rows.add(&[
            ("datid", id(database.oid)),
            ("datname", text(&database.name)),
            ("numbackends", int(backends as i64)),
        ]);
    }
}
