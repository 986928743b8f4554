//! Names of output columns that have no alias, as PostgreSQL chooses them.

use super::scope::fold;
use sqlparser::ast::{self, Expr, FunctionArguments, SelectItem, SetExpr};

/// The name of an output column; `?column?` when the expression suggests none.
pub(crate) fn output_name(expr: &Expr) -> String {
    name_of(expr).map_or_else(|| "?column?".to_owned(), |(name, _)| name)
}

/// A suggested name and how strong the suggestion is: a cast's type gives way to a name inside.
fn name_of(expr: &Expr) -> Option<(String, u8)> {
    let strong = |name: &str| Some((name.to_owned(), 2));
    match expr {
        Expr::Identifier(ident) => Some((fold(ident), 2)),
        Expr::CompoundIdentifier(idents) => idents.last().map(|i| (fold(i), 2)),
        Expr::CompoundFieldAccess { root, access_chain } => access_chain
            .iter()
            .rev()
            .find_map(|access| match access {
                ast::AccessExpr::Dot(e) => name_of(e),
                ast::AccessExpr::Subscript(_) => None,
            })
            .or_else(|| name_of(root)),
        Expr::Function(f) => f.name.0.last().and_then(|p| p.as_ident()).map(|i| (fold(i), 2)),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => name_of(inner),
        Expr::Cast { expr, data_type, .. } => match name_of(expr) {
            Some((name, strength)) if strength > 1 => Some((name, strength)),
            _ => type_name(data_type).map(|n| (n, 1)),
        },
        Expr::TypedString(typed) => type_name(&typed.data_type).map(|n| (n, 1)),
        Expr::Interval(_) => Some(("interval".to_owned(), 1)),
        Expr::Case { else_result, .. } => else_result
            .as_deref()
            .and_then(name_of)
            .filter(|(_, strength)| *strength > 1)
            .or_else(|| Some(("case".to_owned(), 1))),
        Expr::Extract { .. } => strong("extract"),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::Position { .. } => strong("position"),
        Expr::Substring { .. } => strong("substring"),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::Trim { trim_where, .. } => strong(match trim_where {
            Some(ast::TrimWhereField::Leading) => "ltrim",
            Some(ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        Expr::Exists { negated: false, .. } => strong("exists"),
        Expr::Array(_) => strong("array"),
        Expr::Tuple(_) => strong("row"),
        Expr::Subquery(query) => subquery_name(&query.body).map(|n| (n, 2)),
        _ => None,
    }
}

fn subquery_name(body: &SetExpr) -> Option<String> {
    match body {
        SetExpr::Select(select) => match select.projection.first()? {
            SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
            SelectItem::UnnamedExpr(expr) => Some(output_name(expr)),
            _ => None,
        },
        SetExpr::Query(query) => subquery_name(&query.body),
        SetExpr::SetOperation { left, .. } => subquery_name(left),
        SetExpr::Values(_) => Some("column1".to_owned()),
        _ => None,
    }
}

fn type_name(ty: &ast::DataType) -> Option<String> {
    let ty = super::data_type(ty).ok()?;
    let oid = types::element_of(ty.oid).unwrap_or(ty.oid);
    types::type_by_oid(oid).map(|info| info.name.to_owned())
}

/// True for a call without parentheses or arguments, as `current_date` is.
pub(crate) fn is_bare_call(function: &ast::Function) -> bool {
    matches!(function.args, FunctionArguments::None)
}
