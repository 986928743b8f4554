//! Comparisons of rows.

use super::operator::unnest;
use crate::bind::Binder;
use crate::bind::scope::Scope;
use crate::plan::expr::{Expr, ExprKind};
use sqlparser::ast;
use types::{SqlError, SqlType, sqlstate};

impl Binder<'_> {
    /// `(a, b) op (c, d)`: column by column for (in)equality, the first difference decides else.
    pub(super) fn row_comparison(
        &mut self,
        left: &ast::Expr,
        symbol: &str,
        right: &ast::Expr,
        scope: &Scope<'_>,
    ) -> Result<Option<Expr>, SqlError> {
        let (ast::Expr::Tuple(a), ast::Expr::Tuple(b)) = (unnest(left), unnest(right)) else {
            return Ok(None);
        };
        if a.len() != b.len() {
            return Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                "unequal number of entries in row expressions",
            ));
        }
        let mut pairs = Vec::with_capacity(a.len());
        for (x, y) in a.iter().zip(b) {
            pairs.push((self.expr(x, scope)?, self.expr(y, scope)?));
        }
        self.compare_rows(symbol, pairs).map(Some)
    }

    /// Compares rows given as pairs of fields.
    pub(crate) fn compare_rows(
        &mut self,
        symbol: &str,
        pairs: Vec<(Expr, Expr)>,
    ) -> Result<Expr, SqlError> {
        let tests = |binder: &mut Self, op: &str| -> Result<Vec<Expr>, SqlError> {
            pairs.iter().map(|(a, b)| binder.operator(op, a.clone(), b.clone())).collect()
        };
        let kind = match symbol {
            "=" => ExprKind::And(tests(self, "=")?),
            "<>" => ExprKind::Or(tests(self, "<>")?),
            "<" | "<=" | ">" | ">=" => {
                let strict = &symbol[..1];
                let firsts = tests(self, strict)?;
                let equals = tests(self, "=")?;
                let last = tests(self, symbol)?;
                return Ok(lexicographic(firsts, equals, last));
            }
            other => {
                return Err(SqlError::not_supported(format!(
                    "operator {other} is not supported for rows"
                )));
            }
        };
        Ok(Expr::new(kind, SqlType::BOOL))
    }
}

/// `a < x OR (a = x AND (b < y OR …))`.
fn lexicographic(strict: Vec<Expr>, equal: Vec<Expr>, last: Vec<Expr>) -> Expr {
    let mut result: Option<Expr> = None;
    let n = strict.len();
    for (i, ((less, same), end)) in strict.into_iter().zip(equal).zip(last).enumerate().rev() {
        result = Some(match result {
            None => end,
            Some(rest) => {
                let both = Expr::new(ExprKind::And(vec![same, rest]), SqlType::BOOL);
                Expr::new(ExprKind::Or(vec![less, both]), SqlType::BOOL)
            }
        });
        debug_assert!(i < n);
    }
    result.unwrap_or_else(|| Expr::bool(true))
}
