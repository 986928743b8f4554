//! Conversions between types: which exist, and how an expression gets one.

use super::Binder;
use crate::plan::expr::{Expr, ExprKind};
use types::cast::{self, CastContext};
use types::{Datum, Oid, SqlError, SqlType, oid, sqlstate, type_by_oid};

/// May a value of one type become another in this context?
pub fn can_coerce(from: Oid, to: Oid, context: CastContext) -> bool {
    if from == to || from == oid::UNKNOWN || is_polymorphic(to) {
        return true;
    }
    if to == oid::RECORD && from == oid::RECORD {
        return true;
    }
    match coercion(from, to) {
        Some(needed) => needed <= context,
        None => false,
    }
}

/// The weakest context in which a conversion is allowed.
pub(crate) fn coercion(from: Oid, to: Oid) -> Option<CastContext> {
    if from == to {
        return Some(CastContext::Implicit);
    }
    // An array does not become a vector by its elements, as in PostgreSQL: every operator for
    // arrays would have a rival.
    if matches!(to, oid::OIDVECTOR | oid::INT2VECTOR) && types::element_of(from).is_some() {
        return None;
    }
    if let Some(context) = cast::context(from, to) {
        return Some(context);
    }
    let (from, to) = (types::element_of(from)?, types::element_of(to)?);
    coercion(from, to)
}

/// Pseudo-types that stand for any argument.
pub(crate) fn is_polymorphic(ty: Oid) -> bool {
    matches!(
        ty,
        oid::ANY
            | oid::ANYELEMENT
            | oid::ANYARRAY
            | oid::ANYNONARRAY
            | oid::ANYENUM
            | oid::ANYCOMPATIBLE
            | oid::ANYCOMPATIBLEARRAY
            | oid::ANYCOMPATIBLENONARRAY
    )
}

/// `regclass` and its kin: their text names objects, which only the catalog can resolve.
pub(crate) fn is_reg(ty: Oid) -> bool {
    matches!(
        ty,
        oid::REGCLASS
            | oid::REGTYPE
            | oid::REGPROC
            | oid::REGROLE
            | oid::REGNAMESPACE
            | oid::REGPROCEDURE
            | oid::REGOPER
            | oid::REGOPERATOR
    )
}

/// Turns the text of a `regclass` (or its kin) into an oid: digits are taken as they are.
pub fn resolve_reg_constant(
    catalog: &dyn super::CatalogView,
    reg_type: Oid,
    text: &str,
) -> Result<Datum, SqlError> {
    if let Ok(number) = text.trim().parse::<u32>() {
        return Ok(Datum::Oid(number));
    }
    if let Some(found) = catalog.reg_oid(reg_type, text) {
        return Ok(Datum::Oid(found));
    }
    let (code, what) = match reg_type {
        oid::REGCLASS => (sqlstate::UNDEFINED_TABLE, "relation"),
        oid::REGTYPE => (sqlstate::UNDEFINED_OBJECT, "type"),
        oid::REGROLE => (sqlstate::UNDEFINED_OBJECT, "role"),
        oid::REGNAMESPACE => (sqlstate::UNDEFINED_SCHEMA, "schema"),
        _ => (sqlstate::UNDEFINED_FUNCTION, "function"),
    };
    Err(SqlError::new(code, format!("{what} \"{text}\" does not exist")))
}

impl Binder<'_> {
    /// Converts, or `None` when there is no such conversion in the context.
    pub(crate) fn try_coerce(
        &mut self,
        expr: Expr,
        to: SqlType,
        context: CastContext,
    ) -> Result<Option<Expr>, SqlError> {
        let from = expr.ty;
        if from.oid == oid::UNKNOWN {
            return self.coerce_unknown(expr, to, context).map(Some);
        }
        if from.oid == to.oid {
            let keeps = to.typmod < 0 || to.typmod == from.typmod;
            return Ok(Some(if keeps { expr } else { self.cast_to(expr, to, context)? }));
        }
        if is_polymorphic(to.oid) {
            return Ok(Some(expr));
        }
        if !can_coerce(from.oid, to.oid, context) {
            return Ok(None);
        }
        self.cast_to(expr, to, context).map(Some)
    }

    fn cast_to(&mut self, expr: Expr, to: SqlType, context: CastContext) -> Result<Expr, SqlError> {
        let explicit = context == CastContext::Explicit;
        if let ExprKind::Const(value) = &expr.kind {
            // A constant of a type that only text knows how to name.
            if let (Datum::Text(text), true) = (value, is_reg(to.oid)) {
                let value = resolve_reg_constant(self.context.catalog, to.oid, text)?;
                return Ok(Expr::constant(value, to));
            }
        }
        Ok(Expr::new(ExprKind::Cast { arg: Box::new(expr), explicit }, to))
    }

    fn coerce_unknown(
        &mut self,
        expr: Expr,
        to: SqlType,
        context: CastContext,
    ) -> Result<Expr, SqlError> {
        match expr.kind {
            ExprKind::Const(Datum::Null) => Ok(Expr::null(to)),
            ExprKind::Const(Datum::Text(text)) if !is_polymorphic(to.oid) => {
                self.literal(&text, to, context).map_err(|e| self.place_literal(e, &text))
            }
            ExprKind::Param(index) if !is_polymorphic(to.oid) && to.oid != oid::UNKNOWN => {
                let decided = self.decide_param(index, to);
                let param = Expr::new(ExprKind::Param(index), decided);
                if decided.oid == to.oid && to.typmod < 0 {
                    return Ok(param);
                }
                if decided.oid == to.oid {
                    return self.cast_to(param, to, context);
                }
                match self.try_coerce(param, to, context)? {
                    Some(expr) => Ok(expr),
                    None => Err(SqlError::new(
                        sqlstate::AMBIGUOUS_PARAMETER,
                        format!("inconsistent types deduced for parameter ${}", index + 1),
                    )
                    .with_detail(format!("{decided} versus {to}"))),
                }
            }
            // Casts of columns of undecided type (a subquery's 'literal') go through text.
            _ if to.oid == oid::UNKNOWN || is_polymorphic(to.oid) => Ok(expr),
            kind => {
                let expr = Expr::new(kind, SqlType::TEXT);
                Ok(Expr::new(ExprKind::Cast { arg: Box::new(expr), explicit: true }, to))
            }
        }
    }

    fn literal(&mut self, text: &str, to: SqlType, context: CastContext) -> Result<Expr, SqlError> {
        if is_reg(to.oid) {
            let value = resolve_reg_constant(self.context.catalog, to.oid, text)?;
            return Ok(Expr::constant(value, to));
        }
        if to.oid == oid::UNKNOWN {
            return Ok(super::unknown_text(text));
        }
        let base = SqlType::new(to.oid);
        // Intervals read their fields from the modifier; all others apply it afterwards.
        let parsed_as = if to.oid == oid::INTERVAL { to } else { base };
        let value = types::text::parse(parsed_as, text, self.context.settings)?;
        let constant = Expr::constant(value, base);
        if to.typmod < 0 || to.oid == oid::INTERVAL {
            return Ok(Expr { ty: to, ..constant });
        }
        let explicit = context == CastContext::Explicit;
        let ExprKind::Const(value) = constant.kind else { return Ok(constant) };
        // A literal that does not fit must fail when it is evaluated, not before.
        let settings = self.context.settings;
        match cast::cast(value.clone(), base, to, explicit, settings) {
            Ok(value) => Ok(Expr::constant(value, to)),
            Err(_) => {
                let arg = Box::new(Expr::constant(value, base));
                Ok(Expr::new(ExprKind::Cast { arg, explicit }, to))
            }
        }
    }

    /// Converts without being asked to.
    pub(crate) fn implicit(&mut self, expr: Expr, to: SqlType) -> Result<Expr, SqlError> {
        let from = expr.ty;
        match self.try_coerce(expr, to, CastContext::Implicit)? {
            Some(expr) => Ok(expr),
            None => Err(cannot_cast(from, to)),
        }
    }

    /// Converts because the user said so.
    pub(crate) fn explicit(&mut self, expr: Expr, to: SqlType) -> Result<Expr, SqlError> {
        let from = expr.ty;
        match self.try_coerce(expr, to, CastContext::Explicit)? {
            Some(expr) => Ok(expr),
            None => Err(cannot_cast(from, to)),
        }
    }

    /// Converts to the type of the column that is assigned to.
    pub(crate) fn assign(
        &mut self,
        expr: Expr,
        to: SqlType,
        column: &str,
    ) -> Result<Expr, SqlError> {
        let from = expr.ty;
        match self.try_coerce(expr, to, CastContext::Assignment)? {
            Some(expr) => Ok(expr),
            None => Err(SqlError::new(
                sqlstate::DATATYPE_MISMATCH,
                format!(
                    "column \"{column}\" is of type {} but expression is of type {from}",
                    SqlType::new(to.oid)
                ),
            )
            .with_hint("You will need to rewrite or cast the expression.")),
        }
    }

    /// A condition: must be boolean.
    pub(crate) fn boolean(&mut self, expr: Expr, what: &str) -> Result<Expr, SqlError> {
        let from = expr.ty;
        match self.try_coerce(expr, SqlType::BOOL, CastContext::Assignment)? {
            Some(expr) => Ok(expr),
            None => Err(SqlError::new(
                sqlstate::DATATYPE_MISMATCH,
                format!("argument of {what} must be type boolean, not type {from}"),
            )),
        }
    }

    /// An output column of undecided type is text.
    pub(crate) fn decided(&mut self, expr: Expr) -> Result<Expr, SqlError> {
        if expr.ty.oid == oid::UNKNOWN { self.implicit(expr, SqlType::TEXT) } else { Ok(expr) }
    }
}

fn cannot_cast(from: SqlType, to: SqlType) -> SqlError {
    let (from, to) = (SqlType::new(from.oid), SqlType::new(to.oid));
    SqlError::new(sqlstate::CANNOT_COERCE, format!("cannot cast type {from} to {to}"))
}

/// The category of a type.
pub(crate) fn category(ty: Oid) -> char {
    type_by_oid(ty).map_or('U', |info| info.category)
}

/// Is it the preferred type of its category?
pub(crate) fn is_preferred(ty: Oid) -> bool {
    type_by_oid(ty).is_some_and(|info| info.preferred)
}
