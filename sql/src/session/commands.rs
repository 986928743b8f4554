//! Statements about the session itself: SET, SHOW, RESET, DISCARD, PREPARE, EXECUTE, DEALLOCATE.

use super::classify::Class;
use super::job::Output;
use super::prepared::Statement;
use super::session::Session;
use super::transaction::State;
use super::{Field, RowSink, blocks, guc, names};
use crate::bind;
use crate::ddl::placed;
use crate::parse::ParsedStatement;
use sqlparser::ast::{self, DiscardObject, Set, Spanned, TransactionMode};
use std::sync::Arc;
use types::{Datum, SqlError, SqlType, sqlstate};

impl Session {
    /// Carries out a statement of the class [`Class::Session`].
    pub(super) async fn run_session_command<S: RowSink>(
        &mut self,
        statement: &Statement,
        ast: &ast::Statement,
        output: Output<'_>,
        alone: bool,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        let tag = match ast {
            ast::Statement::Set(set) => self.set_command(set)?,
            ast::Statement::Reset(reset) => self.reset(&reset.reset)?,
            ast::Statement::ShowVariable { variable } => {
                let name = variable.iter().map(names::fold).collect::<Vec<_>>();
                self.show(&name, output, sink)?
            }
            ast::Statement::Discard { object_type } => self.discard(object_type).await?,
            ast::Statement::Prepare { name, data_types, statement: inner } => {
                self.prepare_command(statement, name, data_types, inner)?
            }
            ast::Statement::Execute { name: Some(name), parameters, .. } => {
                let name = names::simple(name);
                let sql = &statement.sql;
                return self.execute_command(&name, parameters, sql, output, alone, sink).await;
            }
            ast::Statement::Deallocate { name, .. } => self.deallocate(name)?,
            ast::Statement::Declare { stmts, .. } => self.declare(statement, stmts).await?,
            ast::Statement::Fetch { name, direction, .. } => {
                return self.fetch(&names::fold(name), direction, output, sink).await;
            }
            ast::Statement::Close { cursor } => self.close_cursor(cursor)?,
            ast::Statement::LISTEN { .. } => return Err(not_supported("LISTEN")),
            ast::Statement::NOTIFY { .. } => return Err(not_supported("NOTIFY")),
            ast::Statement::UNLISTEN { .. } => "UNLISTEN".to_owned(),
            other => return Err(SqlError::not_supported(format!("{other} is not supported"))),
        };
        self.send_reports(sink);
        sink.complete(&tag);
        Ok(())
    }

    fn set_command(&mut self, set: &Set) -> Result<String, SqlError> {
        match set {
            Set::SingleAssignment { scope, variable, values, .. } => {
                let name = names::parts(variable).join(".");
                let is_local = matches!(scope, Some(ast::ContextModifier::Local));
                let value = setting_value(&name, values)?;
                self.set_parameter(&name, value.as_deref(), is_local)?;
            }
            Set::SetTimeZone { local, value } => {
                let value = setting_value("timezone", std::slice::from_ref(value))?;
                self.set_parameter("TimeZone", value.as_deref(), *local)?;
            }
            Set::SetNames { charset_name, .. } => {
                self.set_parameter("client_encoding", Some(&charset_name.value), false)?;
            }
            Set::SetNamesDefault {} => self.set_parameter("client_encoding", None, false)?,
            Set::SetTransaction { modes, session, .. } => {
                self.set_transaction(modes, *session)?;
            }
            Set::SetRole { role_name, .. } => {
                let name = role_name.as_ref().map(names::fold);
                if let Some(name) = &name
                    && self.view().catalog.role_named(name).is_none()
                {
                    let message = format!("role \"{name}\" does not exist");
                    return Err(SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message));
                }
                self.set_parameter("role", name.as_deref().or(Some("none")), false)?;
            }
            Set::SetSessionAuthorization(_) => {}
            other => return Err(SqlError::not_supported(format!("{other} is not supported"))),
        }
        Ok("SET".to_owned())
    }

    fn set_transaction(
        &mut self,
        modes: &[TransactionMode],
        session: bool,
    ) -> Result<(), SqlError> {
        if session {
            for mode in modes {
                let (name, value) = match mode {
                    TransactionMode::IsolationLevel(level) => {
                        ("default_transaction_isolation", level.to_string().to_lowercase())
                    }
                    TransactionMode::AccessMode(mode) => {
                        let is_read_only = *mode == ast::TransactionAccessMode::ReadOnly;
                        ("default_transaction_read_only", on_off(is_read_only))
                    }
                };
                self.set_parameter(name, Some(&value), false)?;
            }
            return Ok(());
        }
        if matches!(self.state, State::Idle) {
            self.notice(blocks::warning(
                sqlstate::NO_ACTIVE_SQL_TRANSACTION,
                "SET TRANSACTION can only be used in transaction blocks",
            ));
            return Ok(());
        }
        self.set_transaction_modes(modes)
    }

    fn set_parameter(
        &mut self,
        name: &str,
        value: Option<&str>,
        is_local: bool,
    ) -> Result<(), SqlError> {
        match name.to_ascii_lowercase().as_str() {
            "transaction_isolation" => {
                let mode = transaction_mode(value.unwrap_or("read committed"))?;
                return self.set_transaction_modes(&[mode]);
            }
            "transaction_read_only" => {
                let on = guc::parse_bool(value.unwrap_or("off")).unwrap_or(false);
                let mode = if on {
                    ast::TransactionAccessMode::ReadOnly
                } else {
                    ast::TransactionAccessMode::ReadWrite
                };
                return self.set_transaction_modes(&[TransactionMode::AccessMode(mode)]);
            }
            "session_authorization" => return Ok(()),
            _ => {}
        }
        if is_local && matches!(self.state, State::Idle) {
            self.notice(blocks::warning(
                sqlstate::NO_ACTIVE_SQL_TRANSACTION,
                "SET LOCAL can only be used in transaction blocks",
            ));
            return Ok(());
        }
        let mut guc = self.shared.guc.lock();
        guc.set(name, value, is_local)?;
        if matches!(self.state, State::Idle) {
            guc.commit();
        }
        Ok(())
    }

    fn reset(&mut self, reset: &ast::Reset) -> Result<String, SqlError> {
        match reset {
            ast::Reset::ALL => self.reset_parameters(),
            ast::Reset::SessionAuthorization => {}
            ast::Reset::ConfigurationParameter(name) => {
                let name = names::parts(name).join(".");
                self.set_parameter(&name, None, false)?;
            }
        }
        Ok("RESET".to_owned())
    }

    fn show<S: RowSink>(
        &mut self,
        words: &[String],
        output: Output<'_>,
        sink: &mut S,
    ) -> Result<String, SqlError> {
        let settings = self.settings();
        if let [all] = words
            && all == "all"
        {
            let fields = text_fields(&["name", "setting", "description"]);
            sink.begin_rows(&fields, output.formats, &settings, output.announce);
            let guc = self.shared.guc.lock();
            for parameter in guc::parameters() {
                let value = guc.show(parameter.name)?;
                sink.row(&[text(parameter.name), text(&value), text(parameter.description)])?;
            }
            return Ok("SHOW".to_owned());
        }
        let name = show_name(words);
        let value = self.shown_value(&name)?;
        let title = guc::parameter(&name).map_or(name.as_str(), |p| p.name);
        sink.begin_rows(&text_fields(&[title]), output.formats, &settings, output.announce);
        sink.row(&[text(&value)])?;
        Ok("SHOW".to_owned())
    }

    /// What SHOW prints for a parameter; those of the transaction come from the open one.
    pub(crate) fn shown_value(&self, name: &str) -> Result<String, SqlError> {
        let open = match &self.state {
            State::Implicit(open) | State::Block(open) | State::Failed(Some(open)) => Some(open),
            _ => None,
        };
        let guc = self.shared.guc.lock();
        match name.to_ascii_lowercase().as_str() {
            "transaction_isolation" => {
                let isolation = open.map_or(guc.derived().isolation, |open| open.isolation);
                Ok(isolation_name(isolation).to_owned())
            }
            "transaction_read_only" => {
                Ok(on_off(open.map_or(guc.derived().is_read_only, |open| open.is_read_only)))
            }
            _ => guc.show(name),
        }
    }

    async fn discard(&mut self, what: &DiscardObject) -> Result<String, SqlError> {
        match what {
            DiscardObject::ALL => {
                if !matches!(self.state, State::Idle) {
                    return Err(SqlError::new(
                        sqlstate::ACTIVE_SQL_TRANSACTION,
                        "DISCARD ALL cannot run inside a transaction block",
                    ));
                }
                self.portals.clear();
                self.statements.clear();
                *self.shared.sequences.lock() = Default::default();
                self.reset_parameters();
                self.drop_temporary_schema().await?;
                Ok("DISCARD ALL".to_owned())
            }
            DiscardObject::PLANS => Ok("DISCARD PLANS".to_owned()),
            DiscardObject::SEQUENCES => {
                *self.shared.sequences.lock() = Default::default();
                Ok("DISCARD SEQUENCES".to_owned())
            }
            DiscardObject::TEMP => {
                self.drop_temporary_schema().await?;
                Ok("DISCARD TEMP".to_owned())
            }
        }
    }

    fn reset_parameters(&self) {
        let mut guc = self.shared.guc.lock();
        guc.reset_all();
        if matches!(self.state, State::Idle) {
            guc.commit();
        }
    }

    fn prepare_command(
        &mut self,
        outer: &Statement,
        name_ident: &ast::Ident,
        data_types: &[ast::DataType],
        inner: &ast::Statement,
    ) -> Result<String, SqlError> {
        let name = names::fold(name_ident);
        if self.statements.contains_key(&name) {
            return Err(SqlError::new(
                sqlstate::DUPLICATE_PSTATEMENT,
                format!("prepared statement \"{name}\" already exists"),
            ));
        }
        let view = self.view();
        let declared = declared_types(name_ident, data_types, &outer.sql, &*view)?;
        let whole = 0..outer.sql.len();
        let parsed = ParsedStatement { ast: inner.clone(), text: whole };
        let mut statement = Statement::new(outer.sql.clone(), parsed, declared);
        statement.text.clone_from(&outer.text);
        statement.is_from_sql = true;
        if statement.class == Class::Plan {
            statement.plan(&view, &self.settings())?;
        }
        self.statements.insert(name, Arc::new(statement));
        Ok("PREPARE".to_owned())
    }

    async fn execute_command<S: RowSink>(
        &mut self,
        name: &str,
        arguments: &[ast::Expr],
        sql: &str,
        output: Output<'_>,
        alone: bool,
        sink: &mut S,
    ) -> Result<(), SqlError> {
        let statement = self.statement(name)?;
        let types = match statement.class {
            Class::Plan => statement.plan(&self.view(), &self.settings())?.param_types.clone(),
            _ => Vec::new(),
        };
        if types.len() != arguments.len() {
            return Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                format!("wrong number of parameters for prepared statement \"{name}\""),
            )
            .with_detail(format!(
                "Expected {} parameters but got {}.",
                types.len(),
                arguments.len()
            )));
        }
        let params = self.evaluate(arguments, &types, sql).await?;
        Box::pin(self.run(&statement, &params, output, alone, sink)).await
    }

    /// Values of expressions without columns.
    async fn evaluate(
        &mut self,
        exprs: &[ast::Expr],
        types: &[SqlType],
        sql: &str,
    ) -> Result<Arc<[Datum]>, SqlError> {
        if exprs.is_empty() {
            return Ok(Arc::new([]));
        }
        let casts: Vec<String> =
            exprs.iter().zip(types).map(|(expr, ty)| format!("CAST({expr} AS {ty})")).collect();
        let rows = self.query_rows(&format!("SELECT {}", casts.join(", "))).await;
        let rows = rows.map_err(|error| place_argument(error, exprs, &casts, sql))?;
        Ok(rows.into_iter().next().unwrap_or_default().into())
    }

    /// Runs a query and keeps its rows.
    pub(crate) async fn query_rows(&mut self, sql: &str) -> Result<Vec<Vec<Datum>>, SqlError> {
        let sql: Arc<str> = sql.into();
        let Some(parsed) = crate::parse::parse(&sql)?.pop() else { return Ok(Vec::new()) };
        let statement = Statement::new(sql, parsed, Vec::new());
        let mut keeper = RowKeeper::default();
        let none: Arc<[Datum]> = Arc::new([]);
        let alone = matches!(self.state, State::Idle);
        self.run_in_transaction(&statement, &none, Output::SIMPLE, alone, &mut keeper).await?;
        Ok(keeper.rows)
    }

    fn deallocate(&mut self, name: &ast::Ident) -> Result<String, SqlError> {
        let folded = names::fold(name);
        if folded == "all" && name.quote_style.is_none() {
            self.statements.clear();
            return Ok("DEALLOCATE ALL".to_owned());
        }
        match self.statements.remove(&folded) {
            Some(_) => Ok("DEALLOCATE".to_owned()),
            None => Err(SqlError::new(
                sqlstate::UNDEFINED_PSTATEMENT,
                format!("prepared statement \"{folded}\" does not exist"),
            )),
        }
    }
}

/// Keeps rows instead of sending them.
#[derive(Default)]
pub(crate) struct RowKeeper {
    pub(crate) rows: Vec<Vec<Datum>>,
    pub(crate) tag: String,
}

super::sink::forward_sink!(RowKeeper {
    fn row(&mut self, row: &[Datum]) -> Result<(), SqlError> {
        self.rows.push(row.to_vec());
        Ok(())
    }
    fn complete(&mut self, tag: &str) {
        tag.clone_into(&mut self.tag);
    }
    fn mark(&self) -> usize {
        self.rows.len()
    }
    fn rewind(&mut self, mark: usize) -> bool {
        self.rows.truncate(mark);
        true
    }
});

/// Columns of type text.
pub(crate) fn text_fields(names: &[&str]) -> Arc<[Field]> {
    names
        .iter()
        .map(|name| Field { name: (*name).to_owned(), table_oid: 0, attnum: 0, ty: SqlType::TEXT })
        .collect()
}

/// A text value.
pub(crate) fn text(value: &str) -> Datum {
    Datum::Text(value.into())
}

/// The parameter that SHOW names: some have names of several words.
pub(super) fn show_name(words: &[String]) -> String {
    match words.join(" ").as_str() {
        "time zone" => "TimeZone".to_owned(),
        "transaction isolation level" => "transaction_isolation".to_owned(),
        "session authorization" => "session_authorization".to_owned(),
        _ => words.join("."),
    }
}

pub(super) fn isolation_name(isolation: txn::Isolation) -> &'static str {
    match isolation {
        txn::Isolation::ReadCommitted => "read committed",
        txn::Isolation::RepeatableRead => "repeatable read",
        txn::Isolation::Serializable => "serializable",
    }
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn transaction_mode(value: &str) -> Result<TransactionMode, SqlError> {
    use ast::TransactionIsolationLevel as Level;
    let level = match value.to_ascii_lowercase().as_str() {
        "serializable" => Level::Serializable,
        "repeatable read" => Level::RepeatableRead,
        "read committed" => Level::ReadCommitted,
        "read uncommitted" => Level::ReadUncommitted,
        _ => {
            return Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!("invalid value for parameter \"transaction_isolation\": \"{value}\""),
            )
            .with_hint(
                "Available values: serializable, repeatable read, read committed, read \
                 uncommitted.",
            ));
        }
    };
    Ok(TransactionMode::IsolationLevel(level))
}

/// The value of SET: words, numbers and strings, a list of them for list parameters.
fn setting_value(name: &str, values: &[ast::Expr]) -> Result<Option<String>, SqlError> {
    let is_list = name.eq_ignore_ascii_case("search_path")
        || name.eq_ignore_ascii_case("datestyle")
        || name.eq_ignore_ascii_case("temp_tablespaces");
    if values.len() > 1 && !is_list {
        let message = format!("SET {name} takes only one argument");
        return Err(SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message));
    }
    let mut parts = Vec::with_capacity(values.len());
    for value in values {
        let (text, is_quoted) = match value {
            ast::Expr::Value(value) => match value.value.clone().into_string() {
                Some(text) => (text, true),
                None => (value.to_string(), false),
            },
            ast::Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("default") => {
                return Ok(None);
            }
            ast::Expr::Identifier(ident) => (names::fold(ident), ident.quote_style.is_some()),
            ast::Expr::Interval(interval) => (interval.value.to_string().replace('\'', ""), false),
            other => (other.to_string(), false),
        };
        let needs_quotes = is_list && is_quoted && values.len() > 1;
        parts.push(if needs_quotes { super::quote::identifier(&text) } else { text });
    }
    let joined = parts.join(", ");
    // A lone string is taken as it is: SET search_path = 'a, b' names one schema in PostgreSQL.
    if name.eq_ignore_ascii_case("search_path") && values.len() == 1 {
        let is_string = matches!(&values[0], ast::Expr::Value(_));
        return Ok(Some(if is_string && !joined.is_empty() {
            super::quote::identifier(&joined)
        } else {
            joined
        }));
    }
    Ok(Some(joined))
}

fn not_supported(what: &str) -> SqlError {
    SqlError::not_supported(format!("{what} is not supported"))
}

/// The columns that a statement without a plan returns.
pub(super) fn utility_fields(statement: Option<&ast::Statement>) -> Option<Arc<[Field]>> {
    match statement? {
        ast::Statement::ShowVariable { variable } => {
            let words: Vec<_> = variable.iter().map(names::fold).collect();
            if words == ["all"] {
                return Some(text_fields(&["name", "setting", "description"]));
            }
            let name = show_name(&words);
            Some(text_fields(&[guc::parameter(&name).map_or(name.as_str(), |p| p.name)]))
        }
        _ => None,
    }
}

/// Types of the parameters in PREPARE. A place is known of the first only, behind the name.
fn declared_types(
    name: &ast::Ident,
    data_types: &[ast::DataType],
    sql: &str,
    view: &dyn bind::CatalogView,
) -> Result<Vec<types::Oid>, SqlError> {
    let mut declared = Vec::with_capacity(data_types.len());
    for (number, ty) in data_types.iter().enumerate() {
        let ty = bind::data_type_in(ty, view).map_err(|error| {
            placed(error, sql, |places| match number {
                0 => places.nth_after(name.span, 1),
                _ => None,
            })
        })?;
        declared.push(ty.oid);
    }
    Ok(declared)
}

/// The place of an argument of EXECUTE, given the one in the statement that was made of them all.
fn place_argument(
    mut error: SqlError,
    exprs: &[ast::Expr],
    made: &[String],
    sql: &str,
) -> SqlError {
    let Some(position) = error.position.take() else { return error };
    let mut end = "SELECT ".len();
    for (expr, text) in exprs.iter().zip(made) {
        end += text.chars().count() + ", ".len();
        if position as usize <= end {
            return placed(error, sql, |places| places.at(expr.span()));
        }
    }
    error
}
