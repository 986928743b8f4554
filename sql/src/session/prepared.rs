//! Prepared statements: a text, its syntax tree, and the plan made from it for the catalog of the
//! moment.

use super::Field;
use super::classify::{Class, classify};
use super::commands::utility_fields;
use super::planning::{Planned, plan_statement};
use super::session::Session;
use super::view::SessionView;
use crate::parse::ParsedStatement;
use crate::utility::{Extra, parse_string};
use parking_lot::Mutex;
use sqlparser::ast;
use std::sync::Arc;
use types::{Oid, Settings, SqlError, sqlstate};

/// One statement, prepared under a name or for one use.
pub(crate) struct Statement {
    /// The whole query string that it came in: positions in errors count from its start.
    pub sql: Arc<str>,
    /// Itself as the client wrote it.
    pub text: String,
    /// `None` for an empty query.
    pub ast: Option<ast::Statement>,
    /// A statement that the grammar lacks; then `ast` means nothing.
    pub extra: Option<Extra>,
    pub class: Class,
    /// Types of parameters that the client declared; 0 is undeclared.
    pub declared: Vec<Oid>,
    /// Made by PREPARE, for `pg_prepared_statements`.
    pub is_from_sql: bool,
    planned: Mutex<Option<Arc<Planned>>>,
}

impl Statement {
    /// A statement of a query string.
    pub(crate) fn new(sql: Arc<str>, parsed: ParsedStatement, declared: Vec<Oid>) -> Statement {
        Statement {
            text: sql.get(parsed.text.clone()).unwrap_or_default().to_owned(),
            sql,
            class: classify(&parsed.ast),
            ast: Some(parsed.ast),
            extra: None,
            declared,
            is_from_sql: false,
            planned: Mutex::new(None),
        }
    }

    /// A statement of a query string that may be outside of the grammar.
    pub(crate) fn with_extra(
        sql: Arc<str>,
        (parsed, extra): (ParsedStatement, Option<Extra>),
        declared: Vec<Oid>,
    ) -> Statement {
        let mut statement = Statement::new(sql, parsed, declared);
        if extra.is_some() {
            statement.class = Class::Maintenance;
            statement.extra = extra;
        }
        statement
    }

    /// A query string without any statement.
    pub(crate) fn empty(sql: Arc<str>) -> Statement {
        Statement {
            sql,
            text: String::new(),
            ast: None,
            extra: None,
            class: Class::Session,
            declared: Vec::new(),
            is_from_sql: false,
            planned: Mutex::new(None),
        }
    }

    /// The plan for this view of the catalog: the one made before if it still fits.
    pub(crate) fn plan(
        &self,
        view: &Arc<SessionView>,
        settings: &Settings,
    ) -> Result<Arc<Planned>, SqlError> {
        let known = self.planned.lock().clone();
        if let Some(planned) = &known
            && planned.fits(view)
        {
            return Ok(planned.clone());
        }
        let Some(ast) = &self.ast else {
            return Err(SqlError::internal("an empty query has no plan"));
        };
        let fresh = Arc::new(plan_statement(view, ast, &self.sql, &self.declared, settings)?);
        if known.is_some_and(|old| old.fields != fresh.fields) {
            return Err(SqlError::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                "cached plan must not change result type",
            ));
        }
        *self.planned.lock() = Some(fresh.clone());
        Ok(fresh)
    }
}

impl Session {
    /// Parse: prepares a statement. The empty name is replaced silently.
    pub async fn parse(&mut self, name: &str, sql: &str, params: &[Oid]) -> Result<(), SqlError> {
        let result = self.prepare(name, sql, params);
        if result.is_err() {
            self.statement_failed().await;
        }
        result
    }

    fn prepare(&mut self, name: &str, sql: &str, params: &[Oid]) -> Result<(), SqlError> {
        if !name.is_empty() && self.statements.contains_key(name) {
            return Err(SqlError::new(
                sqlstate::DUPLICATE_PSTATEMENT,
                format!("prepared statement \"{name}\" already exists"),
            ));
        }
        // The same text again under the same name: clients that prepare before every use.
        if let Some(old) = self.statements.get(name)
            && &*old.sql == sql
            && old.declared == params
            && old.class == Class::Plan
            && !self.is_failed()
        {
            return Ok(());
        }
        let sql: Arc<str> = sql.into();
        let mut parsed = parse_string(&sql)?;
        if parsed.len() > 1 {
            return Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                "cannot insert multiple commands into a prepared statement",
            ));
        }
        let statement = match parsed.pop() {
            Some(parsed) => Statement::with_extra(sql, parsed, params.to_vec()),
            None => Statement::empty(sql),
        };
        self.check_not_failed(&statement)?;
        if statement.class == Class::Plan {
            let view = self.view();
            statement.plan(&view, &self.settings())?;
        }
        self.statements.insert(name.to_owned(), Arc::new(statement));
        Ok(())
    }

    /// Describe of a statement.
    pub async fn describe_statement(
        &mut self,
        name: &str,
    ) -> Result<super::StatementDescription, SqlError> {
        let result = self.describe_prepared(name);
        if result.is_err() {
            self.statement_failed().await;
        }
        result
    }

    fn describe_prepared(&mut self, name: &str) -> Result<super::StatementDescription, SqlError> {
        let statement = self.statement(name)?;
        if statement.class == Class::Plan {
            self.check_not_failed(&statement)?;
            let planned = statement.plan(&self.view(), &self.settings())?;
            return Ok(super::StatementDescription {
                params: planned.params.clone(),
                fields: planned.fields.clone(),
            });
        }
        Ok(super::StatementDescription {
            params: statement.declared.clone().into(),
            fields: self.utility_fields(&statement)?,
        })
    }

    /// A prepared statement by name.
    pub(super) fn statement(&self, name: &str) -> Result<Arc<Statement>, SqlError> {
        self.statements.get(name).cloned().ok_or_else(|| {
            let message = if name.is_empty() {
                "unnamed prepared statement does not exist".to_owned()
            } else {
                format!("prepared statement \"{name}\" does not exist")
            };
            SqlError::new(sqlstate::UNDEFINED_PSTATEMENT, message)
        })
    }

    /// Close of a statement; a name that is not there is no error.
    pub fn close_statement(&mut self, name: &str) {
        self.statements.remove(name);
    }

    /// The columns that a statement without a plan returns.
    pub(super) fn utility_fields(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<Arc<[Field]>>, SqlError> {
        let Some(ast) = &statement.ast else { return Ok(None) };
        match ast {
            ast::Statement::Execute { name: Some(name), .. } => {
                let name = super::names::simple(name);
                let prepared = self.statement(&name)?;
                match prepared.class {
                    Class::Plan => {
                        Ok(prepared.plan(&self.view(), &self.settings())?.fields.clone())
                    }
                    _ => Ok(utility_fields(prepared.ast.as_ref())),
                }
            }
            ast::Statement::Fetch { name, .. } => {
                let name = super::names::fold(name);
                Ok(self.portals.get(&name).and_then(|portal| portal.fields.clone()))
            }
            other => Ok(utility_fields(Some(other))),
        }
    }
}
