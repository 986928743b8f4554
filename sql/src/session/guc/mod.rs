//! Configuration parameters of a session: SET, RESET, SHOW, and what follows from them.
//!
//! Changes belong to the transaction that makes them: they go back with ROLLBACK (also to a
//! savepoint), SET LOCAL goes back at the end of the transaction in any case.

mod derived;
mod parameter;
mod table;

pub(crate) use derived::Derived;
pub(crate) use parameter::{Context, Parameter, parse_bool};

use std::collections::BTreeMap;
use std::sync::Arc;
use types::{SqlError, sqlstate};

/// Values that differ from the defaults, by name in lower case.
type Values = Arc<BTreeMap<String, String>>;

/// The parameters of one session.
#[derive(Clone, Debug)]
pub(crate) struct Guc {
    values: Values,
    /// What RESET goes back to: defaults and what the StartupMessage said.
    initial: Values,
    /// Values of before SET LOCAL, to return to at the end of the transaction.
    before_local: BTreeMap<String, Option<String>>,
    /// Values at the start of the transaction, once it has changed some.
    at_start: Option<Values>,
    derived: Derived,
    /// Reported parameters that have changed since they were last told.
    to_report: Vec<&'static str>,
    path_version: u64,
}

/// A place to roll back to.
#[derive(Clone, Debug)]
pub(crate) struct GucMark {
    values: Values,
    before_local: BTreeMap<String, Option<String>>,
}

/// All parameters, sorted by name.
pub(crate) fn parameters() -> &'static [Parameter] {
    table::TABLE
}

/// A parameter by name, in any case.
pub(crate) fn parameter(name: &str) -> Option<&'static Parameter> {
    table::TABLE.iter().find(|p| p.name.eq_ignore_ascii_case(name))
}

impl Guc {
    /// The parameters of a new session of a role.
    pub(crate) fn new(user: &str) -> Guc {
        let mut initial = BTreeMap::new();
        initial.insert("session_authorization".to_owned(), user.to_owned());
        let initial = Arc::new(initial);
        let mut guc = Guc {
            values: initial.clone(),
            initial,
            before_local: BTreeMap::new(),
            at_start: None,
            derived: Derived::default(),
            to_report: Vec::new(),
            path_version: 0,
        };
        guc.derive();
        guc
    }

    /// What follows from the values.
    pub(crate) fn derived(&self) -> &Derived {
        &self.derived
    }

    /// Grows with every change of the search path.
    pub(crate) fn path_version(&self) -> u64 {
        self.path_version
    }

    /// The canonical value of a parameter; `None` when there is no such parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let key = name.to_ascii_lowercase();
        match self.values.get(&key) {
            Some(value) => Some(value),
            None => parameter(&key).map(|p| p.default),
        }
    }

    /// What SHOW prints.
    pub(crate) fn show(&self, name: &str) -> Result<String, SqlError> {
        let value = self.get(name).ok_or_else(|| unrecognized(name))?;
        Ok(parameter(name).map_or_else(|| value.to_owned(), |p| p.shown(value)))
    }

    /// What a parameter is reset to.
    pub(crate) fn reset_value(&self, name: &str) -> Option<&str> {
        let key = name.to_ascii_lowercase();
        match self.initial.get(&key) {
            Some(value) => Some(value),
            None => parameter(&key).map(|p| p.default),
        }
    }

    /// SET. `value` `None` is DEFAULT. `is_local`: until the end of the transaction.
    pub(crate) fn set(
        &mut self,
        name: &str,
        value: Option<&str>,
        is_local: bool,
    ) -> Result<(), SqlError> {
        let key = name.to_ascii_lowercase();
        let new = match value {
            Some(value) => Some(check(&key, name, value)?),
            None => {
                changeable(&key, name)?;
                self.initial.get(&key).cloned()
            }
        };
        let old = self.values.get(&key).cloned();
        if self.at_start.is_none() {
            self.at_start = Some(self.values.clone());
        }
        if is_local {
            self.before_local.entry(key.clone()).or_insert(old);
        } else {
            self.before_local.remove(&key);
        }
        self.store(key, new);
        Ok(())
    }

    /// A parameter of the StartupMessage: RESET returns to it.
    pub(crate) fn set_initial(&mut self, name: &str, value: &str) -> Result<(), SqlError> {
        let key = name.to_ascii_lowercase();
        let value = check(&key, name, value)?;
        Arc::make_mut(&mut self.initial).insert(key.clone(), value.clone());
        self.store(key, Some(value));
        Ok(())
    }

    /// RESET ALL.
    pub(crate) fn reset_all(&mut self) {
        if self.at_start.is_none() {
            self.at_start = Some(self.values.clone());
        }
        self.restore(self.initial.clone());
    }

    /// The transaction has committed.
    pub(crate) fn commit(&mut self) {
        if self.at_start.take().is_none() {
            return;
        }
        for (key, value) in std::mem::take(&mut self.before_local) {
            self.store(key, value);
        }
    }

    /// The transaction was rolled back.
    pub(crate) fn rollback(&mut self) {
        self.before_local.clear();
        if let Some(values) = self.at_start.take() {
            self.restore(values);
        }
    }

    /// A savepoint.
    pub(crate) fn mark(&self) -> GucMark {
        GucMark { values: self.values.clone(), before_local: self.before_local.clone() }
    }

    /// Back to a savepoint.
    pub(crate) fn rollback_to(&mut self, mark: &GucMark) {
        self.before_local = mark.before_local.clone();
        self.restore(mark.values.clone());
    }

    /// Reported parameters that have changed, with their values; empties the list.
    pub(crate) fn take_reports(&mut self) -> Vec<(&'static str, String)> {
        if self.to_report.is_empty() {
            return Vec::new();
        }
        let names = std::mem::take(&mut self.to_report);
        names.into_iter().map(|name| (name, self.get(name).unwrap_or("").to_owned())).collect()
    }

    /// All reported parameters, for the start of a session.
    pub(crate) fn reports(&self) -> Vec<(String, String)> {
        parameters()
            .iter()
            .filter(|p| p.is_reported)
            .map(|p| (p.name.to_owned(), self.get(p.name).unwrap_or("").to_owned()))
            .collect()
    }

    /// Marks the start of a transaction or statement in what `now()` reads.
    pub(crate) fn set_times(&mut self, transaction: i64, statement: i64) {
        self.derived.types.transaction_timestamp = transaction;
        self.derived.types.statement_timestamp = statement;
    }

    fn restore(&mut self, values: Values) {
        let old = std::mem::replace(&mut self.values, values);
        for parameter in parameters().iter().filter(|p| p.is_reported) {
            let key = parameter.name.to_ascii_lowercase();
            if old.get(&key) != self.values.get(&key) {
                self.report(parameter.name);
            }
        }
        self.derive();
    }

    fn store(&mut self, key: String, value: Option<String>) {
        if self.values.get(&key) == value.as_ref() {
            return;
        }
        if let Some(parameter) = parameter(&key).filter(|p| p.is_reported) {
            self.report(parameter.name);
        }
        let values = Arc::make_mut(&mut self.values);
        match value {
            Some(value) => values.insert(key, value),
            None => values.remove(&key),
        };
        self.derive();
    }

    fn report(&mut self, name: &'static str) {
        if !self.to_report.contains(&name) {
            self.to_report.push(name);
        }
    }

    fn derive(&mut self) {
        let (transaction, statement) =
            (self.derived.types.transaction_timestamp, self.derived.types.statement_timestamp);
        let next = Derived::of(self);
        if next.search_path != self.derived.search_path {
            self.path_version += 1;
        }
        self.derived = next;
        self.set_times(transaction, statement);
    }
}

/// `unrecognized configuration parameter`.
pub(crate) fn unrecognized(name: &str) -> SqlError {
    SqlError::new(
        sqlstate::UNDEFINED_OBJECT,
        format!("unrecognized configuration parameter \"{name}\""),
    )
}

fn check(key: &str, name: &str, value: &str) -> Result<String, SqlError> {
    changeable(key, name)?;
    match parameter(key) {
        Some(parameter) => derived::check(parameter, parameter.canonical(value)?),
        None => Ok(value.to_owned()),
    }
}

fn changeable(key: &str, name: &str) -> Result<(), SqlError> {
    let Some(parameter) = parameter(key) else {
        // Names with a dot belong to applications.
        return if key.contains('.') { Ok(()) } else { Err(unrecognized(name)) };
    };
    let refuse = |how: &str| {
        let message = format!("parameter \"{}\" cannot be changed{how}", parameter.name);
        Err(SqlError::new(sqlstate::CANT_CHANGE_RUNTIME_PARAM, message))
    };
    match parameter.context {
        Context::User | Context::Superuser => Ok(()),
        Context::Internal => refuse(""),
        Context::Postmaster => refuse(" without restarting the server"),
        Context::Sighup => refuse(" now"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        let names: Vec<_> = parameters().iter().map(|p| p.name.to_ascii_lowercase()).collect();
        assert!(names.is_sorted());
    }

    #[test]
    fn changes_belong_to_the_transaction() {
        let mut guc = Guc::new("postgres");
        guc.set("search_path", Some("a"), false).unwrap();
        guc.commit();
        guc.set("search_path", Some("b"), true).unwrap();
        assert_eq!(guc.get("search_path"), Some("b"));
        guc.commit();
        assert_eq!(guc.get("search_path"), Some("a"));
        guc.set("search_path", Some("c"), false).unwrap();
        let mark = guc.mark();
        guc.set("search_path", Some("d"), false).unwrap();
        guc.rollback_to(&mark);
        assert_eq!(guc.get("search_path"), Some("c"));
        guc.rollback();
        assert_eq!(guc.get("search_path"), Some("a"));
    }

    #[test]
    fn reported_parameters_are_told_once() {
        let mut guc = Guc::new("postgres");
        guc.set("application_name", Some("x"), false).unwrap();
        guc.set("work_mem", Some("5MB"), false).unwrap();
        assert_eq!(guc.take_reports(), [("application_name", "x".to_owned())]);
        assert!(guc.take_reports().is_empty());
        assert_eq!(guc.show("work_mem").unwrap(), "5MB");
    }

    #[test]
    fn errors_are_those_of_postgresql() {
        let mut guc = Guc::new("postgres");
        let mut error = |name: &str, value: &str| {
            let e = guc.set(name, Some(value), false).unwrap_err();
            (e.code.0, e.message.clone())
        };
        assert_eq!(
            error("nope", "1"),
            ("42704", "unrecognized configuration parameter \"nope\"".into())
        );
        assert_eq!(
            error("server_version", "1"),
            ("55P02", "parameter \"server_version\" cannot be changed".into())
        );
        assert_eq!(
            error("timezone", "nowhere"),
            ("22023", "invalid value for parameter \"TimeZone\": \"nowhere\"".into())
        );
    }
}
