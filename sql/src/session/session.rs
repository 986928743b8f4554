//! A session's own state and its life from startup to end.

use super::RowSink;
use super::api::{ConnectParams, TxnStatus};
use super::cancel::CancelToken;
use super::engine::{Engine, SessionInfo};
use super::errors;
use super::guc::Guc;
use super::portal::Portal;
use super::prepared::Statement;
use super::shared::{Random, SessionSequences, Shared};
use super::transaction::{State, Transaction};
use super::view::SessionView;
use base::Clock;
use catalog::{CatalogSnapshot, Descriptor, Index, IndexState, Table};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use types::{Settings, SqlError, sqlstate};

/// One client's session.
pub struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) info: Arc<SessionInfo>,
    pub(super) state: State,
    pub(super) statements: FxHashMap<String, Arc<Statement>>,
    pub(super) portals: FxHashMap<String, Portal>,
    /// Number of the newest portal.
    pub(super) last_portal: u64,
    view: Arc<SessionView>,
    view_key: ViewKey,
}

/// What a view was made from: a new one is needed when it differs.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ViewKey {
    catalog: u64,
    changes: u64,
    first: u64,
    path: u64,
}

impl Session {
    pub(super) fn open(
        engine: Arc<Engine>,
        catalog: &Arc<CatalogSnapshot>,
        params: ConnectParams,
    ) -> Result<Session, SqlError> {
        let name = if params.database.is_empty() { &params.user } else { &params.database };
        let role = catalog.role_named(&params.user).filter(|role| role.can_login);
        if role.is_none() {
            return Err(SqlError::new(
                sqlstate::INVALID_AUTHORIZATION_SPECIFICATION,
                format!("role \"{}\" does not exist", params.user),
            ));
        }
        let database = catalog.database_named(name).ok_or_else(|| {
            let message = format!("database \"{name}\" does not exist");
            SqlError::new(sqlstate::UNDEFINED_DATABASE, message)
        })?;
        let guc = initial_parameters(&params)?;
        let cancel = Arc::new(CancelToken::default());
        let info = engine.register(params.process_id, &params.user, database.oid, cancel.clone());
        info.activity.lock().application_name = guc.get("application_name").unwrap_or("").into();
        let seed = engine.clock().now().0 ^ (info.id << 32);
        let sequence = engine.clock().wall_millis() ^ (engine.node().0 << 48);
        let path = guc.derived().search_path.clone();
        let path_version = guc.path_version();
        let shared = Arc::new(Shared {
            engine,
            database: database.oid,
            database_name: database.name.clone(),
            user: params.user,
            process_id: params.process_id,
            session_id: info.id,
            cancel,
            guc: Mutex::new(guc),
            sequences: Mutex::new(SessionSequences::default()),
            notices: Mutex::new(Vec::new()),
            random: Mutex::new(Random::new(seed, sequence)),
        });
        let view = Arc::new(SessionView::new(shared.clone(), catalog.clone(), path));
        Ok(Session {
            shared,
            info,
            state: State::Idle,
            statements: FxHashMap::default(),
            portals: FxHashMap::default(),
            last_portal: 0,
            view,
            view_key: ViewKey { catalog: catalog.id(), changes: 0, first: 0, path: path_version },
        })
    }

    /// The status byte of ReadyForQuery.
    pub fn status(&self) -> TxnStatus {
        match self.state {
            State::Idle | State::Implicit(_) => TxnStatus::Idle,
            State::Block(_) => TxnStatus::InTransaction,
            State::Failed(_) => TxnStatus::Failed,
        }
    }

    /// All reported parameters, for the start of the session.
    pub fn parameters(&self) -> Vec<(String, String)> {
        self.shared.guc.lock().reports()
    }

    /// What a cancel request interrupts this session with.
    pub fn cancel_token(&self) -> Arc<CancelToken> {
        self.shared.cancel.clone()
    }

    /// `idle_in_transaction_session_timeout`, while it applies: the connection ends the session
    /// with 25P03 when the client stays silent for longer.
    pub fn idle_timeout(&self) -> Option<Duration> {
        match self.state {
            State::Block(_) | State::Failed(_) => {
                self.shared.guc.lock().derived().idle_in_transaction_timeout
            }
            _ => None,
        }
    }

    /// The protocol failed between statements: an open block fails with it; outside of one, the
    /// portals go.
    pub async fn fail(&mut self) {
        if matches!(self.state, State::Idle) {
            self.end_portals();
        }
        self.statement_failed().await;
    }

    /// The client is gone: rolls back and drops temporary tables.
    pub async fn close(mut self) {
        self.portals.clear();
        self.roll_back_open().await;
        if let Err(error) = self.drop_temporary_schema().await {
            tracing::warn!(%error, "temporary tables could not be dropped");
        }
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.shared.engine
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        self.shared.engine.clock()
    }

    /// The session as functions and views see it.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The catalog as the next statement sees it: the newest committed one and, inside a
    /// transaction that has changed it, those changes.
    pub(crate) fn view(&mut self) -> Arc<SessionView> {
        let transaction = match &self.state {
            State::Implicit(t) | State::Block(t) => Some(&**t),
            _ => None,
        };
        let key = ViewKey {
            catalog: self.shared.engine.catalog().current_id(),
            changes: transaction.map_or(0, |t| t.changes_version),
            first: transaction.and_then(|t| t.first_catalog.as_ref()).map_or(0, |c| c.id()),
            path: self.shared.guc.lock().path_version(),
        };
        if key != self.view_key {
            self.view = Arc::new(statement_view(&self.shared, transaction));
            self.view_key = key;
        }
        self.view.clone()
    }

    /// False when this node may not know the newest catalog.
    pub(super) fn has_lease(&self) -> bool {
        self.shared.engine.catalog().has_lease()
    }

    pub(super) fn settings(&self) -> Settings {
        self.shared.settings()
    }

    pub(super) fn kv_error(&self, error: base::KvError) -> SqlError {
        errors::from_kv(error, &self.view.catalog)
    }

    /// Microseconds since 2000.
    pub(super) fn now_micros(&self) -> i64 {
        self.shared.now_micros()
    }

    /// Sends notices that have gathered and parameters that have changed.
    pub(super) fn send_reports<S: RowSink>(&mut self, sink: &mut S) {
        let notices = std::mem::take(&mut *self.shared.notices.lock());
        let mut guc = self.shared.guc.lock();
        for notice in notices.iter().filter(|n| guc.derived().wants(n.severity)) {
            sink.notice(notice);
        }
        for (name, value) in guc.take_reports() {
            if name == "application_name" {
                self.info.activity.lock().application_name.clone_from(&value);
            }
            sink.parameter_status(name, &value);
        }
    }

    pub(super) fn notice(&self, notice: SqlError) {
        self.shared.notices.lock().push(notice);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.engine.unregister(self.info.id);
    }
}

/// [`make_view`] for statements that read at the transaction's snapshot: an index that is younger
/// has no entries there for the rows that are.
pub(crate) fn statement_view(
    shared: &Arc<Shared>,
    transaction: Option<&Transaction>,
) -> SessionView {
    let mut view = make_view(shared, transaction);
    if let Some(first) = transaction.and_then(|t| t.first_catalog.as_ref())
        && let Some(known) = without_young_indexes(&view.catalog, first)
    {
        view.catalog = Arc::new(known);
    }
    view
}

/// The catalog with indexes that `first` did not have in use kept for writes alone; `None` when
/// there are none.
fn without_young_indexes(
    catalog: &CatalogSnapshot,
    first: &CatalogSnapshot,
) -> Option<CatalogSnapshot> {
    if catalog.id() == first.id() {
        return None;
    }
    let is_young = |index: &Index| {
        !index.is_primary && !first.index(index.oid).is_some_and(|(_, known)| known.is_readable())
    };
    let mut changes = BTreeMap::new();
    for table in catalog.tables().filter(|table| table.indexes.iter().any(is_young)) {
        let mut table = Table::clone(table);
        for index in table.indexes.iter_mut().filter(|index| is_young(index)) {
            index.state = IndexState::WriteOnly;
        }
        changes.insert(table.oid, Some(Descriptor::Table(Arc::new(table))));
    }
    (!changes.is_empty()).then(|| catalog.with_changes(&changes))
}

/// The catalog that a statement sees, through the search path.
pub(crate) fn make_view(shared: &Arc<Shared>, transaction: Option<&Transaction>) -> SessionView {
    let mut catalog = shared.engine.catalog().current();
    if let Some(transaction) = transaction.filter(|t| !t.changes.is_empty()) {
        catalog = Arc::new(catalog.with_changes(&transaction.changes.objects));
    }
    let path = shared.guc.lock().derived().search_path.clone();
    SessionView::new(shared.clone(), catalog, path)
}

fn initial_parameters(params: &ConnectParams) -> Result<Guc, SqlError> {
    let mut guc = Guc::new(&params.user);
    for (name, value) in &params.options {
        match name.as_str() {
            "options" => {
                for (name, value) in command_line_options(value) {
                    guc.set_initial(&name, &value)?;
                }
            }
            "replication" => {}
            _ => guc.set_initial(name, value)?,
        }
    }
    guc.take_reports();
    Ok(guc)
}

/// `-c name=value` and `--name=value`, with backslashes in front of blanks in values.
fn command_line_options(text: &str) -> Vec<(String, String)> {
    let mut words = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let last = words.len() - 1;
        match c {
            '\\' => words[last].extend(chars.next()),
            c if c.is_whitespace() => words.push(String::new()),
            c => words[last].push(c),
        }
    }
    words
        .iter()
        .filter_map(|word| {
            let word = word.strip_prefix("-c").or_else(|| word.strip_prefix("--")).unwrap_or(word);
            let (name, value) = word.split_once('=')?;
            Some((name.replace('-', "_"), value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Connections move between threads while a statement runs.
    #[expect(dead_code, reason = "it has only to compile")]
    fn futures_can_move(
        session: &'static mut Session,
        sink: &'static mut super::super::sink::NoSink,
    ) {
        fn check(_: impl Send) {}
        check(session.simple_query("", sink));
    }

    #[expect(dead_code, reason = "it has only to compile")]
    fn executes_can_move(
        session: &'static mut Session,
        sink: &'static mut super::super::sink::NoSink,
    ) {
        fn check(_: impl Send) {}
        check(session.execute("", 0, true, sink));
    }

    #[test]
    fn options_are_read_as_postgres_reads_them() {
        let options = command_line_options("-c a=b --search-path=x\\ y  -c work_mem=1MB");
        let want = [("a", "b"), ("search_path", "x y"), ("work_mem", "1MB")];
        assert_eq!(options, want.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
