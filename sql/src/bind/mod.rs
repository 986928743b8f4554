//! Names and types: from a syntax tree to a logical plan whose every expression is resolved.
//!
//! The binder makes the plan in one pass. Types follow PostgreSQL's rules (`resolve`, `common`,
//! `coerce`), and so do the texts and codes of errors.

pub mod catalog_view;
mod coerce;
mod common;
mod dml;
mod expr;
mod names;
mod query;
mod resolve;
mod scope;
mod stored;
mod suggest;
mod types_of;

pub use catalog_view::{CatalogView, HostFunction, Relation};
pub(crate) use coerce::is_reg;
pub use coerce::{can_coerce, resolve_reg_constant};
pub use stored::{Stored, check_stored};
pub use types_of::data_type;
pub(crate) use types_of::data_type_in;

use crate::parse::Locator;
use crate::plan::expr::{ColId, Expr, ExprKind};
use crate::plan::rel::Rel;
use scope::Scope;
use sqlparser::ast::{self, Statement};
use types::{Datum, Oid, Settings, SqlError, SqlType, oid, sqlstate};

/// What binding depends on besides the statement.
pub struct BindContext<'a> {
    /// The whole query string: errors carry positions in it.
    pub sql: &'a str,
    /// The catalog, seen through the search path.
    pub catalog: &'a dyn CatalogView,
    /// Settings that the meaning of literals depends on.
    pub settings: &'a Settings,
    /// Declared types of parameters; oid 0 or beyond the end: to be inferred.
    pub param_types: &'a [Oid],
}

/// What a statement's command tag is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `SELECT n`.
    Select,
    /// `INSERT 0 n`.
    Insert,
    /// `UPDATE n`.
    Update,
    /// `DELETE n`.
    Delete,
    /// `EXPLAIN`.
    Explain,
}

/// An output column.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// The table it comes from, 0 for computed ones.
    pub table_oid: Oid,
    /// Its number there.
    pub attnum: i16,
}

/// A bound statement.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The plan; its result is `output`.
    pub rel: Rel,
    /// Columns of the result, in order. Empty for a write without RETURNING.
    pub output: Vec<(ColId, OutputColumn)>,
    /// Types of the parameters.
    pub params: Vec<SqlType>,
    /// What it is.
    pub command: Command,
    /// Facts about every column of the statement, by [`ColId`].
    pub columns: Vec<ColumnMeta>,
    /// Set for EXPLAIN: `rel` is the statement to explain.
    pub explain: Option<ExplainOptions>,
}

/// Options of EXPLAIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExplainOptions {
    /// Run the statement and show what happened.
    pub analyze: bool,
    /// Show output columns.
    pub verbose: bool,
    /// Show estimates.
    pub costs: bool,
    /// Show times.
    pub timing: bool,
    /// FORMAT JSON.
    pub json: bool,
}

/// What is known about a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnMeta {
    /// Name of the table reference it belongs to, empty for computed ones.
    pub relation: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// The table it comes from and its number there.
    pub origin: Option<(Oid, i16)>,
}

/// Binds a query, a data-modifying statement, or EXPLAIN of one.
pub fn bind_statement(statement: &Statement, context: &BindContext<'_>) -> Result<Bound, SqlError> {
    let mut binder = Binder::new(context);
    binder.statement(statement)
}

/// The state of binding one statement.
pub(crate) struct Binder<'a> {
    pub(crate) context: &'a BindContext<'a>,
    locator: Locator<'a>,
    pub(crate) columns: Vec<ColumnMeta>,
    params: Vec<SqlType>,
    /// WITH queries in sight, innermost last.
    ctes: Vec<query::CteEntry>,
    next_cte: usize,
    /// Collects aggregates and windows of the query level being bound.
    levels: Vec<query::Level>,
    view_depth: usize,
    /// Output literals of undecided type stay undecided.
    keep_unknown: bool,
    /// Where literals of undecided type stand, by the address of their text.
    literals: rustc_hash::FxHashMap<usize, sqlparser::tokenizer::Span>,
}

/// How deep views may refer to views.
const VIEW_DEPTH_MAX: usize = 64;

impl<'a> Binder<'a> {
    pub(crate) fn new(context: &'a BindContext<'a>) -> Self {
        let params = context
            .param_types
            .iter()
            .map(|&p| SqlType::new(if p == 0 { oid::UNKNOWN } else { p }))
            .collect();
        Binder {
            context,
            locator: Locator::new(context.sql),
            columns: Vec::new(),
            params,
            ctes: Vec::new(),
            next_cte: 0,
            levels: Vec::new(),
            view_depth: 0,
            keep_unknown: false,
            literals: rustc_hash::FxHashMap::default(),
        }
    }

    fn statement(&mut self, statement: &Statement) -> Result<Bound, SqlError> {
        let scope = Scope::default();
        let (rel, output, command, explain) = match statement {
            Statement::Query(query) => {
                let bound = self.top_query(query, &scope)?;
                (bound.rel, bound.output, bound.command, None)
            }
            Statement::Insert(insert) => {
                let bound = self.insert(insert, &scope)?;
                (bound.rel, bound.output, Command::Insert, None)
            }
            Statement::Update(update) => {
                let bound = self.update(update, &scope)?;
                (bound.rel, bound.output, Command::Update, None)
            }
            Statement::Delete(delete) => {
                let bound = self.delete(delete, &scope)?;
                (bound.rel, bound.output, Command::Delete, None)
            }
            Statement::Explain { .. } => return self.explain(statement),
            other => {
                let word = other.to_string();
                let word = word.split_whitespace().next().unwrap_or_default().to_owned();
                return Err(SqlError::not_supported(format!("{word} cannot be planned")));
            }
        };
        self.settle_params(&rel)?;
        Ok(Bound {
            rel,
            output,
            params: std::mem::take(&mut self.params),
            command,
            columns: std::mem::take(&mut self.columns),
            explain,
        })
    }

    fn explain(&mut self, statement: &Statement) -> Result<Bound, SqlError> {
        let Statement::Explain { analyze, verbose, statement, format, options, .. } = statement
        else {
            return Err(SqlError::internal("not EXPLAIN"));
        };
        let explained = explain_options(*analyze, *verbose, format.as_ref(), options.as_deref())?;
        let mut bound = self.statement(statement)?;
        bound.explain = Some(explained);
        bound.command = Command::Explain;
        Ok(bound)
    }

    /// Parameters of which nothing is known are an error; those that are only shown are text.
    fn settle_params(&mut self, rel: &Rel) -> Result<(), SqlError> {
        let mut undecided = Vec::new();
        rel.visit_exprs(&mut |e| {
            if let ExprKind::Param(i) = e.kind
                && e.ty.oid == oid::UNKNOWN
            {
                undecided.push(i);
            }
        });
        for (i, ty) in self.params.iter().enumerate() {
            if ty.oid == oid::UNKNOWN {
                return Err(SqlError::new(
                    sqlstate::INDETERMINATE_DATATYPE,
                    format!("could not determine data type of parameter ${}", i + 1),
                ));
            }
        }
        Ok(())
    }

    /// A fresh column.
    pub(crate) fn new_column(&mut self, name: &str, ty: SqlType) -> ColId {
        self.columns.push(ColumnMeta {
            relation: String::new(),
            name: name.to_owned(),
            ty,
            origin: None,
        });
        ColId(self.columns.len() as u32 - 1)
    }

    pub(crate) fn meta(&self, id: ColId) -> &ColumnMeta {
        &self.columns[id.0 as usize]
    }

    pub(crate) fn column_expr(&self, id: ColId) -> Expr {
        Expr::column(id, self.meta(id).ty)
    }

    /// The position of an identifier.
    pub(crate) fn at(&self, span: sqlparser::tokenizer::Span) -> Option<u32> {
        if self.view_depth > 0 {
            return None;
        }
        self.locator.position(span.start)
    }

    /// An error at an identifier or literal.
    pub(crate) fn error_at(
        &self,
        span: sqlparser::tokenizer::Span,
        code: types::SqlState,
        message: impl Into<String>,
    ) -> SqlError {
        self.place(SqlError::new(code, message), span)
    }

    /// Adds a position to an error that has none.
    pub(crate) fn place(&self, error: SqlError, span: sqlparser::tokenizer::Span) -> SqlError {
        match self.at(span) {
            Some(position) if error.position.is_none() => error.with_position(position),
            _ => error,
        }
    }

    /// The position of the operator that follows an operand: the tokenizer's tree does not keep it.
    pub(crate) fn operator_position(&self, left: sqlparser::tokenizer::Span) -> Option<u32> {
        self.at(left)?;
        let from = self.locator.byte(left.end);
        let rest = self.context.sql.get(from..)?;
        let skipped = rest.find(|c: char| !c.is_whitespace() && c != ')')?;
        Some(self.context.sql[..from + skipped].chars().count() as u32 + 1)
    }

    /// The position of the nearest word or symbol in front of an expression.
    pub(crate) fn position_before(
        &self,
        span: sqlparser::tokenizer::Span,
        what: &str,
    ) -> Option<u32> {
        self.at(span)?;
        let before = self.context.sql.get(..self.locator.byte(span.start))?;
        // Folding keeps the places of bytes: what is searched for is ASCII.
        let at = before.to_ascii_lowercase().rfind(what)?;
        Some(before[..at].chars().count() as u32 + 1)
    }

    /// The positions of the nearest word or symbol behind an expression and of what follows it.
    pub(crate) fn positions_behind(
        &self,
        span: sqlparser::tokenizer::Span,
        what: &str,
    ) -> Option<(u32, u32)> {
        self.at(span)?;
        let sql = self.context.sql;
        let from = self.locator.byte(span.end);
        let at = from + sql.get(from..)?.to_ascii_lowercase().find(what)?;
        let behind = &sql[at + what.len()..];
        let next = sql.len() - behind.trim_start().len();
        let position = |byte: usize| sql[..byte].chars().count() as u32 + 1;
        Some((position(at), position(next)))
    }

    /// The type that a type name stands for.
    pub(crate) fn data_type(&self, ty: &ast::DataType) -> Result<SqlType, SqlError> {
        data_type_in(ty, self.context.catalog)
    }

    /// Remembers where a literal of undecided type stands: its type is decided elsewhere.
    pub(crate) fn note_literal(&mut self, expr: &Expr, span: sqlparser::tokenizer::Span) {
        if let ExprKind::Const(Datum::Text(text)) = &expr.kind {
            self.literals.insert(text.as_ptr() as usize, span);
        }
    }

    /// Adds the position of a literal to the error about it.
    pub(crate) fn place_literal(&self, error: SqlError, text: &str) -> SqlError {
        match self.literals.get(&(text.as_ptr() as usize)) {
            Some(span) => self.place(error, *span),
            None => error,
        }
    }

    /// The position of the opening parenthesis in front of a subquery.
    pub(crate) fn parenthesis_before(
        &self,
        error: SqlError,
        span: sqlparser::tokenizer::Span,
    ) -> SqlError {
        let Some(inside) = self.at(span) else { return error };
        let upto = self.locator.byte(span.start);
        let before = self.context.sql.get(..upto).unwrap_or_default();
        match before.rfind('(') {
            Some(byte) => error.with_position(before[..byte].chars().count() as u32 + 1),
            None => error.with_position(inside),
        }
    }

    /// The type of a parameter, growing the list when it is met for the first time.
    pub(crate) fn param(&mut self, index: usize) -> SqlType {
        if self.params.len() <= index {
            self.params.resize(index + 1, SqlType::UNKNOWN);
        }
        self.params[index]
    }

    /// Decides the type of a parameter; the first decision stands.
    pub(crate) fn decide_param(&mut self, index: usize, ty: SqlType) -> SqlType {
        if self.param(index).oid == oid::UNKNOWN {
            self.params[index] = SqlType::new(ty.oid);
        }
        self.params[index]
    }
}

fn explain_options(
    analyze: bool,
    verbose: bool,
    format: Option<&ast::AnalyzeFormatKind>,
    options: Option<&[ast::UtilityOption]>,
) -> Result<ExplainOptions, SqlError> {
    let mut out = ExplainOptions { analyze, verbose, costs: true, timing: true, json: false };
    if let Some(ast::AnalyzeFormatKind::Keyword(f) | ast::AnalyzeFormatKind::Assignment(f)) = format
    {
        out.json = matches!(f, ast::AnalyzeFormat::JSON);
    }
    for option in options.unwrap_or_default() {
        let text = option.arg.as_ref().map(|a| a.to_string().to_lowercase());
        let text = text.as_deref().unwrap_or("true").trim_matches('\'').to_owned();
        let on = !matches!(text.as_str(), "false" | "off" | "0");
        match option.name.value.to_lowercase().as_str() {
            "analyze" => out.analyze = on,
            "verbose" => out.verbose = on,
            "costs" => out.costs = on,
            "timing" => out.timing = on,
            "format" => match text.as_str() {
                "json" => out.json = true,
                "text" => out.json = false,
                other => {
                    return Err(SqlError::not_supported(format!(
                        "EXPLAIN format \"{other}\" is not supported"
                    )));
                }
            },
            "summary" | "buffers" | "settings" | "wal" | "generic_plan" => {}
            other => {
                return Err(SqlError::new(
                    sqlstate::SYNTAX_ERROR,
                    format!("unrecognized EXPLAIN option \"{other}\""),
                ));
            }
        }
    }
    Ok(out)
}

/// A text constant of undecided type.
pub(crate) fn unknown_text(text: &str) -> Expr {
    Expr::constant(Datum::Text(text.into()), SqlType::UNKNOWN)
}
