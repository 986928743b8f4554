//! UNION, INTERSECT, EXCEPT, and ORDER BY over their output.

use super::BoundQuery;
use crate::bind::scope::{Scope, fold};
use crate::bind::{Binder, OutputColumn};
use crate::plan::expr::{ColId, Expr, ExprKind};
use crate::plan::rel::{Rel, SetOp, SetOpKind};
use sqlparser::ast::{self, SetExpr, Spanned};
use types::{SqlError, SqlType, oid, sqlstate};

impl Binder<'_> {
    pub(super) fn set_operation(
        &mut self,
        left: &SetExpr,
        op: ast::SetOperator,
        quantifier: ast::SetQuantifier,
        right: &SetExpr,
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let (kind, word) = match op {
            ast::SetOperator::Union => (SetOpKind::Union, "UNION"),
            ast::SetOperator::Intersect => (SetOpKind::Intersect, "INTERSECT"),
            ast::SetOperator::Except | ast::SetOperator::Minus => (SetOpKind::Except, "EXCEPT"),
        };
        let all = match quantifier {
            ast::SetQuantifier::All => true,
            ast::SetQuantifier::None | ast::SetQuantifier::Distinct => false,
            _ => return Err(SqlError::not_supported("UNION BY NAME is not supported")),
        };
        let a = self.undecided(|b| b.set_expr(left, scope))?;
        let b = self.undecided(|b| b.set_expr(right, scope))?;
        if a.output.len() != b.output.len() {
            return Err(self.error_at(
                first_output(right),
                sqlstate::SYNTAX_ERROR,
                format!("each {word} query must have the same number of columns"),
            ));
        }
        let mut output = Vec::with_capacity(a.output.len());
        let mut types = Vec::with_capacity(a.output.len());
        for ((left_id, x), (right_id, y)) in a.output.iter().zip(&b.output) {
            let pair = [&Expr::column(*left_id, x.ty), &Expr::column(*right_id, y.ty)];
            let ty = self.common_of(&pair, word).map_err(|e| self.place(e, first_output(right)))?;
            types.push(ty);
            let id = self.new_column(&x.name, ty);
            let column = OutputColumn { name: x.name.clone(), ty, table_oid: 0, attnum: 0 };
            output.push((id, column));
        }
        let a = self.coerce_output(a, &types)?;
        let b = self.coerce_output(b, &types)?;
        let ids = |list: &[(ColId, OutputColumn)]| list.iter().map(|(id, _)| *id).collect();
        let rel = Rel::SetOp(SetOp {
            kind,
            all,
            columns: ids(&output),
            left_columns: ids(&a.output),
            left: Box::new(a.rel),
            right_columns: ids(&b.output),
            right: Box::new(b.rel),
        });
        Ok(BoundQuery { rel, output })
    }

    /// Binds a query whose literals of undecided type stay so: the context decides.
    pub(crate) fn undecided<R>(&mut self, bind: impl FnOnce(&mut Self) -> R) -> R {
        let saved = std::mem::replace(&mut self.keep_unknown, true);
        let bound = bind(self);
        self.keep_unknown = saved;
        bound
    }

    /// Brings a query's output to these types. Literals and parameters that were undecided get
    /// their type in place.
    pub(crate) fn coerce_output(
        &mut self,
        mut query: BoundQuery,
        types: &[SqlType],
    ) -> Result<BoundQuery, SqlError> {
        for ((id, column), ty) in query.output.iter_mut().zip(types) {
            if column.ty.oid == oid::UNKNOWN {
                self.decide_in_place(&mut query.rel, *id, *ty)?;
                column.ty = self.meta(*id).ty;
            }
        }
        let same = query.output.iter().zip(types).all(|((_, c), ty)| c.ty.oid == ty.oid);
        if same {
            return Ok(query);
        }
        let mut exprs = Vec::with_capacity(types.len());
        let mut output = Vec::with_capacity(types.len());
        for ((id, column), ty) in query.output.into_iter().zip(types) {
            let expr = Expr::column(id, column.ty);
            let expr = if column.ty.oid == ty.oid { expr } else { self.implicit(expr, *ty)? };
            let id = self.new_column(&column.name, *ty);
            exprs.push((id, expr));
            output.push((id, OutputColumn { ty: *ty, ..column }));
        }
        Ok(BoundQuery { rel: Rel::Project { input: Box::new(query.rel), exprs }, output })
    }

    pub(crate) fn decide_in_place(
        &mut self,
        rel: &mut Rel,
        id: ColId,
        ty: SqlType,
    ) -> Result<(), SqlError> {
        match rel {
            Rel::Sort { input, .. } | Rel::Limit { input, .. } | Rel::Distinct { input, .. } => {
                self.decide_in_place(input, id, ty)
            }
            Rel::Project { exprs, .. } => {
                let Some((_, expr)) = exprs.iter_mut().find(|(c, _)| *c == id) else {
                    return Ok(());
                };
                let is_literal = matches!(expr.kind, ExprKind::Const(_) | ExprKind::Param(_));
                if expr.ty.oid == oid::UNKNOWN && is_literal {
                    let old = std::mem::replace(expr, Expr::null(ty));
                    *expr = self.implicit(old, ty)?;
                    self.columns[id.0 as usize].ty = expr.ty;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// ORDER BY of a set operation or of VALUES: output columns by name or number only.
    pub(super) fn order_output(
        &mut self,
        rel: Rel,
        output: &[(ColId, OutputColumn)],
        items: &[ast::OrderByExpr],
    ) -> Result<Rel, SqlError> {
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            let id = match self.output_reference(&item.expr, output, "ORDER BY")? {
                Some(id) => id,
                None => {
                    return Err(self
                        .error_at(
                            item.expr.span(),
                            sqlstate::FEATURE_NOT_SUPPORTED,
                            "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                        )
                        .with_detail(
                            "Only result column names can be used, not expressions or functions.",
                        )
                        .with_hint(
                            "Add the expression/function to every SELECT, or move the UNION into \
                             a FROM clause.",
                        ));
                }
            };
            let expr = self.column_expr(id);
            keys.push(crate::bind::expr::sort_key(expr, &item.options));
        }
        Ok(Rel::Sort { input: Box::new(rel), keys })
    }

    /// An item of ORDER BY, GROUP BY or DISTINCT ON that names an output column or gives its number.
    pub(super) fn output_reference(
        &self,
        expr: &ast::Expr,
        output: &[(ColId, OutputColumn)],
        clause: &str,
    ) -> Result<Option<ColId>, SqlError> {
        match expr {
            ast::Expr::Identifier(ident) => {
                let name = fold(ident);
                let mut found = output.iter().filter(|(_, c)| c.name == name).map(|(id, _)| *id);
                let first = found.next();
                if let (Some(first), Some(second)) = (first, found.next())
                    && first != second
                {
                    return Err(self.error_at(
                        ident.span,
                        sqlstate::AMBIGUOUS_COLUMN,
                        format!("{clause} \"{name}\" is ambiguous"),
                    ));
                }
                Ok(first)
            }
            ast::Expr::Value(value) => match &value.value {
                ast::Value::Number(text, _) => {
                    let place = text.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                    match place.and_then(|i| output.get(i)) {
                        Some((id, _)) => Ok(Some(*id)),
                        None if text.contains(['.', 'e', 'E']) => Err(self.error_at(
                            value.span,
                            sqlstate::SYNTAX_ERROR,
                            format!("non-integer constant in {clause}"),
                        )),
                        None => Err(self.error_at(
                            value.span,
                            sqlstate::INVALID_COLUMN_REFERENCE,
                            format!("{clause} position {text} is not in select list"),
                        )),
                    }
                }
                ast::Value::Null | ast::Value::Placeholder(_) => Ok(None),
                _ => Err(self.error_at(
                    value.span,
                    sqlstate::SYNTAX_ERROR,
                    format!("non-integer constant in {clause}"),
                )),
            },
            _ => Ok(None),
        }
    }
}

/// Where the first output expression of a query stands.
fn first_output(body: &SetExpr) -> sqlparser::tokenizer::Span {
    match body {
        SetExpr::Select(select) => {
            select.projection.first().map_or_else(|| select.span(), |item| item.span())
        }
        SetExpr::SetOperation { left, .. } => first_output(left),
        other => other.span(),
    }
}
