//! The common type of UNION branches, CASE results, IN lists, arrays and the like.

use super::Binder;
use super::coerce::{can_coerce, category, is_preferred};
use crate::plan::expr::Expr;
use sqlparser::tokenizer::Span;
use types::cast::CastContext::Implicit;
use types::{Oid, SqlError, SqlType, oid, sqlstate};

/// PostgreSQL's choice among several types; `None` when two of them cannot be reconciled (which).
pub(crate) fn common_type(types: &[Oid]) -> Result<Oid, (Oid, Oid)> {
    let mut known = types.iter().copied().filter(|&t| t != oid::UNKNOWN);
    let Some(mut chosen) = known.next() else { return Ok(oid::TEXT) };
    for next in known {
        if next == chosen {
            continue;
        }
        if category(next) != category(chosen) {
            return Err((chosen, next));
        }
        if !is_preferred(chosen)
            && can_coerce(chosen, next, Implicit)
            && !can_coerce(next, chosen, Implicit)
        {
            chosen = next;
        }
    }
    Ok(chosen)
}

impl Binder<'_> {
    /// The common type of expressions, with the error PostgreSQL gives for `what`.
    pub(crate) fn common_of(&self, exprs: &[&Expr], what: &str) -> Result<SqlType, SqlError> {
        let types: Vec<Oid> = exprs.iter().map(|e| e.ty.oid).collect();
        let chosen = common_type(&types).map_err(|(a, b)| mismatch(what, a, b))?;
        if let Some(&bad) = types.iter().find(|&&t| !can_coerce(t, chosen, Implicit)) {
            return Err(mismatch_conversion(what, bad, chosen));
        }
        // A modifier survives when all agree on it.
        let mut typmods = exprs.iter().filter(|e| e.ty.oid == chosen).map(|e| e.ty.typmod);
        let typmod = match typmods.next() {
            Some(first) if exprs.iter().all(|e| e.ty.oid == chosen && e.ty.typmod == first) => {
                first
            }
            _ => -1,
        };
        Ok(SqlType { oid: chosen, typmod })
    }

    /// Brings expressions to their common type.
    pub(crate) fn unify(
        &mut self,
        exprs: Vec<Expr>,
        what: &str,
    ) -> Result<(Vec<Expr>, SqlType), SqlError> {
        self.unify_placed(exprs, &[], what)
    }

    /// The same, for expressions that stand at known places.
    pub(crate) fn unify_placed(
        &mut self,
        exprs: Vec<Expr>,
        places: &[Span],
        what: &str,
    ) -> Result<(Vec<Expr>, SqlType), SqlError> {
        let all: Vec<&Expr> = exprs.iter().collect();
        let ty = self.common_of(&all, what).map_err(|error| {
            // The first that does not go together with those in front of it.
            let first = (1..=all.len()).find(|n| self.common_of(&all[..*n], what).is_err());
            match first.and_then(|n| places.get(n - 1)) {
                Some(span) => self.place(error, *span),
                None => error,
            }
        })?;
        let exprs =
            exprs.into_iter().map(|e| self.implicit(e, ty)).collect::<Result<Vec<_>, _>>()?;
        Ok((exprs, ty))
    }
}

pub(crate) fn mismatch(what: &str, a: Oid, b: Oid) -> SqlError {
    let (a, b) = (SqlType::new(a), SqlType::new(b));
    SqlError::new(
        sqlstate::DATATYPE_MISMATCH,
        format!("{what} types {a} and {b} cannot be matched"),
    )
}

fn mismatch_conversion(what: &str, from: Oid, to: Oid) -> SqlError {
    let (from, to) = (SqlType::new(from), SqlType::new(to));
    SqlError::new(sqlstate::CANNOT_COERCE, format!("{what} could not convert type {from} to {to}"))
}
