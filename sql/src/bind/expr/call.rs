//! Calls by name: scalar functions, aggregates, window functions, set-returning functions, functions
//! of the session, and types used as functions.

use crate::bind::query::Clause;
use crate::bind::resolve::{self, Choice, Signature};
use crate::bind::scope::{Scope, fold};
use crate::bind::{Binder, HostFunction};
use crate::functions::{self, Aggregate, Body, Function};
use crate::plan::expr::{Callee, Expr, ExprKind};
use crate::plan::rel::{AggregateCall, SortKey};
use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments};
use sqlparser::tokenizer::Span;
use std::sync::Arc;
use types::{Oid, SqlError, SqlType, sqlstate};

/// A call's name, taken apart.
pub(crate) struct CallName {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) span: Span,
}

/// Takes a function's name apart.
pub(crate) fn call_name(name: &ast::ObjectName) -> Result<CallName, SqlError> {
    let idents: Vec<&ast::Ident> = name.0.iter().filter_map(|p| p.as_ident()).collect();
    match idents.as_slice() {
        [ident] => Ok(CallName { schema: None, name: fold(ident), span: ident.span }),
        [schema, ident] => {
            Ok(CallName { schema: Some(fold(schema)), name: fold(ident), span: schema.span })
        }
        _ => Err(SqlError::new(
            sqlstate::SYNTAX_ERROR,
            format!("improper qualified name (too many dotted names): {name}"),
        )),
    }
}

impl Binder<'_> {
    pub(super) fn function(
        &mut self,
        call: &ast::Function,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let name = call_name(&call.name)?;
        if let Some(over) = &call.over {
            return self.window_call(call, &name, over, scope);
        }
        if crate::bind::names::is_bare_call(call)
            && let Some(expr) = self.bare_word(&name.name)?
        {
            return Ok(expr);
        }
        if name.schema.as_deref().is_none_or(|s| s == "pg_catalog") {
            if let Some(expr) = self.keyword_call(call, &name, scope)? {
                return Ok(expr);
            }
            if !functions::aggregates(&name.name).is_empty() {
                return self.aggregate(call, &name, scope);
            }
        }
        if call.filter.is_some() || !call.within_group.is_empty() {
            return Err(self.error_at(
                name.span,
                sqlstate::WRONG_OBJECT_TYPE,
                format!("FILTER specified, but {} is not an aggregate function", name.name),
            ));
        }
        let args = self.call_args(call, scope)?;
        self.call(&name, args)
    }

    /// The positional arguments of a call.
    pub(crate) fn call_args(
        &mut self,
        call: &ast::Function,
        scope: &Scope<'_>,
    ) -> Result<Vec<Expr>, SqlError> {
        plain_args(call)?.into_iter().map(|arg| self.expr(arg, scope)).collect()
    }

    /// A call of a function by name from another construct (`LIKE … ESCAPE`, EXTRACT).
    pub(crate) fn call_named(
        &mut self,
        name: &str,
        args: Vec<Expr>,
        span: Span,
    ) -> Result<Expr, SqlError> {
        self.call(&CallName { schema: None, name: name.to_owned(), span }, args)
    }

    pub(super) fn named_call(
        &mut self,
        name: &str,
        args: &[&ast::Expr],
        span: Span,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let args = args.iter().map(|arg| self.expr(arg, scope)).collect::<Result<Vec<_>, _>>()?;
        self.call_named(name, args, span)
    }

    /// Resolves and builds a call of a scalar, set-returning or session function.
    pub(crate) fn call(&mut self, name: &CallName, args: Vec<Expr>) -> Result<Expr, SqlError> {
        let actual: Vec<Oid> = args.iter().map(|a| a.ty.oid).collect();
        let host = self.context.catalog.host_functions(name.schema.as_deref(), &name.name);
        if !host.is_empty() {
            return self.host_call(name, &host, args, &actual);
        }
        let builtin = name.schema.as_deref().is_none_or(|s| s == "pg_catalog");
        let candidates: Vec<&'static Function> =
            if builtin { functions::lookup(&name.name).to_vec() } else { Vec::new() };
        let (signatures, declared) = spread_all(
            candidates.iter().enumerate().map(|(i, f)| (i, f.args, f.variadic)),
            actual.len(),
        );
        match resolve::choose(&signatures, &actual) {
            Choice::One(i) => self
                .build_call(candidates[declared[i]], &signatures[i], args)
                .map_err(|e| self.place_misplaced(e, name)),
            choice => {
                if let Some(cast) = self.function_style_cast(name, &args)? {
                    return Ok(cast);
                }
                if builtin && is_window(&name.name) {
                    let message = format!("window function {} requires an OVER clause", name.name);
                    return Err(self.error_at(name.span, sqlstate::WRONG_OBJECT_TYPE, message));
                }
                Err(self.place(no_function(name, &actual, choice), name.span))
            }
        }
    }

    /// Functions that are not allowed where they stand.
    fn place_misplaced(&self, error: SqlError, name: &CallName) -> SqlError {
        match error.code == sqlstate::FEATURE_NOT_SUPPORTED {
            true => self.place(error, name.span),
            false => error,
        }
    }

    fn build_call(
        &mut self,
        function: &'static Function,
        signature: &Signature,
        args: Vec<Expr>,
    ) -> Result<Expr, SqlError> {
        let actual: Vec<Oid> = args.iter().map(|a| a.ty.oid).collect();
        let poly = resolve::polymorphic(&signature.args, &actual).unwrap_or_default();
        let mut bound = Vec::with_capacity(args.len());
        for (arg, &declared) in args.into_iter().zip(&signature.args) {
            let is_literal =
                arg.ty.oid == types::oid::UNKNOWN && matches!(arg.kind, ExprKind::Const(_));
            let mut arg = self.argument(arg, declared, &poly)?;
            if is_literal && function.name == "pg_typeof" {
                arg.ty = SqlType::new(types::oid::UNKNOWN);
            }
            bound.push(arg);
        }
        let returns = poly.actual(function.returns).unwrap_or(function.returns);
        let ty = SqlType::new(returns);
        match function.body {
            Body::Set(_) => return self.set_call(function, bound, ty),
            Body::Session => {
                return Ok(Expr::new(
                    ExprKind::Host(Arc::new(session_function(function)), bound),
                    ty,
                ));
            }
            Body::Scalar(_) => {}
        }
        Ok(Expr::new(ExprKind::Call(Callee::Function(function), bound), ty))
    }

    fn set_call(
        &mut self,
        function: &'static Function,
        args: Vec<Expr>,
        ty: SqlType,
    ) -> Result<Expr, SqlError> {
        let column = self.new_column(function.name, ty);
        let Some(level) = self.levels.last_mut().filter(|l| l.clause.allows_sets()) else {
            let clause = self.levels.last().map_or("this context", |l| l.clause.words());
            return Err(SqlError::not_supported(format!(
                "set-returning functions are not allowed in {clause}"
            )));
        };
        level.sets.push((column, function, args));
        Ok(Expr::column(column, ty))
    }

    fn host_call(
        &mut self,
        name: &CallName,
        candidates: &[Arc<HostFunction>],
        args: Vec<Expr>,
        actual: &[Oid],
    ) -> Result<Expr, SqlError> {
        let (signatures, declared) = spread_all(
            candidates.iter().enumerate().map(|(i, f)| (i, f.args.as_slice(), f.variadic)),
            actual.len(),
        );
        match resolve::choose(&signatures, actual) {
            Choice::One(i) => {
                let function = candidates[declared[i]].clone();
                let mut bound = Vec::with_capacity(args.len());
                let poly = resolve::polymorphic(&signatures[i].args, actual).unwrap_or_default();
                for (arg, &declared) in args.into_iter().zip(&signatures[i].args) {
                    bound.push(self.argument(arg, declared, &poly)?);
                }
                let ty = function.returns;
                Ok(Expr::new(ExprKind::Host(function, bound), ty))
            }
            choice => Err(self.place(no_function(name, actual, choice), name.span)),
        }
    }

    /// `float8('1')`: a type's name called with one argument is a cast.
    fn function_style_cast(
        &mut self,
        name: &CallName,
        args: &[Expr],
    ) -> Result<Option<Expr>, SqlError> {
        let [arg] = args else { return Ok(None) };
        let Some(info) = types::type_by_name(&name.name).filter(|i| i.name == name.name) else {
            return Ok(None);
        };
        let to = SqlType::new(info.oid);
        if !crate::bind::can_coerce(arg.ty.oid, to.oid, types::cast::CastContext::Explicit) {
            return Ok(None);
        }
        self.explicit(arg.clone(), to).map(Some)
    }

    fn aggregate(
        &mut self,
        call: &ast::Function,
        name: &CallName,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let aggregate = self.aggregate_call(call, name, scope)?;
        let ty = aggregate.ty;
        let column = self.new_column(&name.name, ty);
        match self.levels.last_mut() {
            Some(level) => level.aggregates.push((column, aggregate)),
            None => {
                return Err(self.error_at(
                    name.span,
                    sqlstate::GROUPING_ERROR,
                    "aggregate functions are not allowed here",
                ));
            }
        }
        Ok(Expr::column(column, ty))
    }

    /// Binds an aggregate's arguments where aggregates are allowed.
    fn aggregate_call(
        &mut self,
        call: &ast::Function,
        name: &CallName,
        scope: &Scope<'_>,
    ) -> Result<AggregateCall, SqlError> {
        let clause = self.levels.last().map_or(Clause::None, |l| l.clause);
        if let Some(error) = clause.aggregate_error() {
            return Err(self.error_at(name.span, sqlstate::GROUPING_ERROR, error));
        }
        let saved = self.enter(Clause::AggregateArgument);
        let bound = self.aggregate_parts(call, name, scope);
        self.leave(saved);
        bound
    }

    pub(crate) fn aggregate_parts(
        &mut self,
        call: &ast::Function,
        name: &CallName,
        scope: &Scope<'_>,
    ) -> Result<AggregateCall, SqlError> {
        let (distinct, star, mut order_asts) = aggregate_modifiers(call);
        if !call.within_group.is_empty() {
            order_asts = &call.within_group;
        }
        let mut args = if star { Vec::new() } else { self.call_args(call, scope)? };
        let mut order = Vec::new();
        for item in order_asts {
            let expr = self.expr(&item.expr, scope)?;
            let expr = self.decided(expr)?;
            order.push(sort_key(expr, &item.options));
        }
        // An ordered-set aggregate takes what it orders by as its last argument.
        if !call.within_group.is_empty() {
            args.extend(order.iter().map(|k: &SortKey| k.expr.clone()));
        }
        let (function, args, ty) = self.resolve_aggregate(name, args, star)?;
        let filter = match &call.filter {
            Some(filter) => Some(self.condition(filter, "FILTER", scope)?),
            None => None,
        };
        Ok(AggregateCall { function, args, distinct, order, filter, ty })
    }

    fn resolve_aggregate(
        &mut self,
        name: &CallName,
        args: Vec<Expr>,
        star: bool,
    ) -> Result<(&'static Aggregate, Vec<Expr>, SqlType), SqlError> {
        let actual: Vec<Oid> = args.iter().map(|a| a.ty.oid).collect();
        if args.is_empty() && !star && name.name == "count" {
            return Err(self.error_at(
                name.span,
                sqlstate::WRONG_OBJECT_TYPE,
                "count(*) must be used to call a parameterless aggregate function",
            ));
        }
        let candidates: Vec<&'static Aggregate> = functions::aggregates(&name.name).to_vec();
        let (signatures, declared) = spread_all(
            candidates.iter().enumerate().map(|(i, a)| (i, a.args, false)),
            actual.len(),
        );
        match resolve::choose(&signatures, &actual) {
            Choice::One(i) => {
                let function = candidates[declared[i]];
                let poly = resolve::polymorphic(&signatures[i].args, &actual).unwrap_or_default();
                let mut bound = Vec::with_capacity(args.len());
                for (arg, &declared) in args.into_iter().zip(&signatures[i].args) {
                    bound.push(self.argument(arg, declared, &poly)?);
                }
                let returns = poly.actual(function.returns).unwrap_or(function.returns);
                Ok((function, bound, SqlType::new(returns)))
            }
            choice => Err(self.place(no_function(name, &actual, choice), name.span)),
        }
    }
}

/// DISTINCT, `*`, ORDER BY of a call.
fn aggregate_modifiers(call: &ast::Function) -> (bool, bool, &[ast::OrderByExpr]) {
    let FunctionArguments::List(list) = &call.args else { return (false, false, &[]) };
    let distinct = matches!(list.duplicate_treatment, Some(ast::DuplicateTreatment::Distinct));
    let star = matches!(
        list.args.as_slice(),
        [FunctionArg::Unnamed(FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_))]
    );
    let order = list.clauses.iter().find_map(|clause| match clause {
        ast::FunctionArgumentClause::OrderBy(order) => Some(order.as_slice()),
        _ => None,
    });
    (distinct, star, order.unwrap_or_default())
}

/// The expressions of a call's arguments; named and starred ones are refused.
pub(crate) fn plain_args(call: &ast::Function) -> Result<Vec<&ast::Expr>, SqlError> {
    match &call.args {
        FunctionArguments::None => Ok(Vec::new()),
        FunctionArguments::Subquery(_) => {
            Err(SqlError::not_supported("a subquery as the only argument needs more parentheses"))
        }
        FunctionArguments::List(list) => list.args.iter().map(plain_arg).collect(),
    }
}

pub(crate) fn plain_arg(arg: &FunctionArg) -> Result<&ast::Expr, SqlError> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
        FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. } => Ok(expr),
        other => Err(SqlError::not_supported(format!("argument is not supported: {other}"))),
    }
}

/// A built-in function that the session carries out, as a function of the session.
fn session_function(function: &Function) -> HostFunction {
    HostFunction {
        schema: "pg_catalog".to_owned(),
        name: function.name.to_owned(),
        args: function.args.to_vec(),
        variadic: function.variadic,
        strict: function.strict,
        returns: SqlType::new(function.returns),
        columns: Vec::new(),
    }
}

pub(crate) fn spread_all<'f>(
    candidates: impl Iterator<Item = (usize, &'f [Oid], bool)>,
    count: usize,
) -> (Vec<Signature>, Vec<usize>) {
    let mut signatures = Vec::new();
    let mut declared = Vec::new();
    for (i, args, variadic) in candidates {
        if let Some(spread) = resolve::spread(args, variadic, count) {
            signatures.push(spread);
            declared.push(i);
        }
    }
    (signatures, declared)
}

pub(crate) fn no_function(name: &CallName, actual: &[Oid], choice: Choice) -> SqlError {
    let args: Vec<String> = actual.iter().map(|&a| SqlType::new(a).to_string()).collect();
    let schema = name.schema.as_ref().map(|s| format!("{s}.")).unwrap_or_default();
    let shown = format!("{schema}{}({})", name.name, args.join(", "));
    if choice == Choice::Ambiguous {
        return SqlError::new(
            sqlstate::AMBIGUOUS_FUNCTION,
            format!("function {shown} is not unique"),
        )
        .with_hint(
            "Could not choose a best candidate function. You might need to add explicit type casts.",
        );
    }
    SqlError::new(sqlstate::UNDEFINED_FUNCTION, format!("function {shown} does not exist"))
        .with_hint(
            "No function matches the given name and argument types. You might need to add \
             explicit type casts.",
        )
}

/// A sort key with PostgreSQL's default for NULLs.
pub(crate) fn sort_key(expr: Expr, options: &ast::OrderByOptions) -> SortKey {
    let desc = matches!(options.sort, Some(ast::OrderBySort::Desc));
    SortKey { expr, desc, nulls_first: options.nulls_first.unwrap_or(desc) }
}

/// Functions that are nothing but window functions.
fn is_window(name: &str) -> bool {
    const NAMES: [&str; 11] = [
        "row_number",
        "rank",
        "dense_rank",
        "percent_rank",
        "cume_dist",
        "ntile",
        "lag",
        "lead",
        "first_value",
        "last_value",
        "nth_value",
    ];
    NAMES.contains(&name)
}
