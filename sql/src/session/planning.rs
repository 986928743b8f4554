//! From a syntax tree to a plan that can be run any number of times, and one run of it.

use super::Field;
use super::view::SessionView;
use crate::bind::{self, BindContext, Bound, Command};
use crate::exec::{self, Execution};
use crate::plan::rel::Rel;
use crate::plan::{self, Plan};
use catalog::Oid;
use sqlparser::ast;
use std::sync::Arc;
use types::{Datum, Settings, SqlError, SqlType};

/// A plan with what the session has to know of it.
pub(crate) struct Planned {
    pub plan: Arc<Plan>,
    /// The catalog it was made for.
    pub view: Arc<SessionView>,
    /// Result columns; `None` for writes without RETURNING.
    pub fields: Option<Arc<[Field]>>,
    pub params: Arc<[Oid]>,
    pub param_types: Vec<SqlType>,
    pub command: Command,
    /// Tables that it writes to.
    pub written: Vec<Oid>,
    /// It locks rows that it reads.
    pub has_locks: bool,
}

/// One run of a plan.
pub(crate) struct Run {
    pub execution: Execution,
    pub planned: Arc<Planned>,
    pub settings: Settings,
    /// Rows that went to the client so far.
    pub rows_sent: u64,
}

/// Binds and plans a statement.
pub(crate) fn plan_statement(
    view: &Arc<SessionView>,
    statement: &ast::Statement,
    sql: &str,
    declared: &[Oid],
    settings: &Settings,
) -> Result<Planned, SqlError> {
    let context = BindContext { sql, catalog: &**view, settings, param_types: declared };
    let bound = bind::bind_statement(statement, &context)?;
    let fields = fields_of(&bound);
    let param_types = bound.params.clone();
    let is_explain = bound.explain.is_some_and(|options| !options.analyze);
    let written = if is_explain { Vec::new() } else { written_tables(&bound.rel) };
    let has_locks = has_locks(&bound.rel);
    let command = bound.command;
    let plan = plan::plan(bound, &plan::Planner { settings, catalog: &**view })?;
    Ok(Planned {
        plan: Arc::new(plan),
        view: view.clone(),
        fields,
        params: param_types.iter().map(|ty| ty.oid).collect(),
        param_types,
        command,
        written,
        has_locks,
    })
}

impl Planned {
    /// True while a session that sees this catalog may use the plan.
    pub(crate) fn fits(&self, view: &SessionView) -> bool {
        self.view.catalog.id() == view.catalog.id() && self.view.path == view.path
    }

    /// True when it changes rows.
    pub(crate) fn is_write(&self) -> bool {
        !self.written.is_empty()
    }

    /// True when it can be run piece by piece by somebody who only reads.
    pub(crate) fn only_reads(&self) -> bool {
        self.command == Command::Select && !self.is_write() && !self.has_locks
    }

    /// The word for messages and tags.
    pub(crate) fn command_name(&self) -> &'static str {
        match self.command {
            Command::Select => "SELECT",
            Command::Insert => "INSERT",
            Command::Update => "UPDATE",
            Command::Delete => "DELETE",
            Command::Explain => "EXPLAIN",
        }
    }

    /// Begins a run.
    pub(crate) fn start(self: &Arc<Self>, params: Arc<[Datum]>, settings: Settings) -> Run {
        let mut settings = settings;
        name_objects(&mut settings, self.fields.as_deref(), &self.view);
        let context = exec::Context { host: self.view.clone(), settings: settings.clone() };
        let execution = exec::start(&self.plan, params, context);
        Run { execution, planned: self.clone(), settings, rows_sent: 0 }
    }
}

/// Lets output name objects where a column's values are such names.
pub(crate) fn name_objects(
    settings: &mut Settings,
    fields: Option<&[Field]>,
    view: &Arc<SessionView>,
) {
    let names_objects = |field: &Field| {
        types::is_reg(field.ty.oid) || types::element_of(field.ty.oid).is_some_and(types::is_reg)
    };
    if fields.into_iter().flatten().any(names_objects) {
        settings.names = Some(types::Names(view.clone()));
    }
}

impl Run {
    /// The command tag, once the run has ended.
    pub(crate) fn tag(&self) -> String {
        let affected = self.execution.rows_affected();
        match self.planned.command {
            Command::Select => format!("SELECT {}", self.rows_sent),
            Command::Insert => format!("INSERT 0 {affected}"),
            Command::Update => format!("UPDATE {affected}"),
            Command::Delete => format!("DELETE {affected}"),
            Command::Explain => "EXPLAIN".to_owned(),
        }
    }
}

fn fields_of(bound: &Bound) -> Option<Arc<[Field]>> {
    if bound.explain.is_some() {
        return Some(Arc::new([Field {
            name: "QUERY PLAN".to_owned(),
            table_oid: 0,
            attnum: 0,
            ty: SqlType::TEXT,
        }]));
    }
    if bound.output.is_empty() && bound.command != Command::Select {
        return None;
    }
    let field = |column: &bind::OutputColumn| Field {
        name: column.name.clone(),
        table_oid: column.table_oid,
        attnum: column.attnum,
        ty: column.ty,
    };
    Some(bound.output.iter().map(|(_, column)| field(column)).collect())
}

fn has_locks(rel: &Rel) -> bool {
    let mut found = false;
    rel.visit(&mut |node| {
        found |= matches!(node, Rel::Lock { .. });
    });
    found
}

fn written_tables(rel: &Rel) -> Vec<Oid> {
    let mut out = Vec::new();
    rel.visit(&mut |node| {
        let table = match node {
            Rel::Insert(insert) => insert.target.table.oid,
            Rel::Update(update) => update.target.table.oid,
            Rel::Delete(delete) => delete.target.table.oid,
            _ => return,
        };
        if !out.contains(&table) {
            out.push(table);
        }
    });
    out
}
