//! Expressions as EXPLAIN shows them.

use crate::plan::expr::{Callee, Expr, ExprKind};
use types::{Datum, Settings, oid};

/// How slots and columns are called.
pub(super) struct Names<'a> {
    /// By slot.
    pub(super) slots: Vec<String>,
    /// By column number, for conditions that were not lowered.
    pub(super) column: &'a dyn Fn(crate::plan::expr::ColId) -> String,
}

/// An expression as SQL.
pub(super) fn show(expr: &Expr, names: &Names<'_>) -> String {
    match &expr.kind {
        ExprKind::Const(value) => constant(value, expr),
        ExprKind::Param(at) => format!("${}", at + 1),
        ExprKind::Outer(at) => format!("${at}"),
        ExprKind::Slot(at) => names.slots.get(*at).cloned().unwrap_or_else(|| format!("#{at}")),
        ExprKind::Column(id, _) => (names.column)(*id),
        ExprKind::Call(Callee::Operator(op), args) => match args.as_slice() {
            [a, b] => format!("({} {} {})", show(a, names), op.symbol, show(b, names)),
            [a] => format!("({} {})", op.symbol, show(a, names)),
            _ => op.symbol.to_owned(),
        },
        ExprKind::Call(Callee::Function(f), args) => format!("{}({})", f.name, list(args, names)),
        ExprKind::Cast { arg, .. } => format!("({})::{}", show(arg, names), expr.ty),
        ExprKind::And(parts) => joined(parts, " AND ", names),
        ExprKind::Or(parts) => joined(parts, " OR ", names),
        ExprKind::Not(arg) => format!("(NOT {})", show(arg, names)),
        ExprKind::IsNull(arg, negated) => {
            format!("({} IS {}NULL)", show(arg, names), if *negated { "NOT " } else { "" })
        }
        ExprKind::IsBool { arg, value, negated } => {
            let not = if *negated { "NOT " } else { "" };
            let value = if *value { "TRUE" } else { "FALSE" };
            format!("({} IS {not}{value})", show(arg, names))
        }
        ExprKind::Distinct { args, negated, .. } => {
            let not = if *negated { "NOT " } else { "" };
            format!("({} IS {not}DISTINCT FROM {})", show(&args[0], names), show(&args[1], names))
        }
        ExprKind::Case { whens, otherwise } => {
            let mut out = "CASE".to_owned();
            for (when, then) in whens {
                out += &format!(" WHEN {} THEN {}", show(when, names), show(then, names));
            }
            if let Some(otherwise) = otherwise {
                out += &format!(" ELSE {}", show(otherwise, names));
            }
            out + " END"
        }
        ExprKind::Coalesce(args) => format!("COALESCE({})", list(args, names)),
        ExprKind::Extreme(true, args) => format!("GREATEST({})", list(args, names)),
        ExprKind::Extreme(false, args) => format!("LEAST({})", list(args, names)),
        ExprKind::NullIf(_, args) => format!("NULLIF({})", list(&args[..], names)),
        ExprKind::AnyAll { op, arg, array, all } => {
            let word = if *all { "ALL" } else { "ANY" };
            format!("({} {} {word} ({}))", show(arg, names), op.symbol, show(array, names))
        }
        ExprKind::InList { arg, list: items, negated, .. } => {
            let (op, word) = if *negated { ("<>", "ALL") } else { ("=", "ANY") };
            format!("({} {op} {word} ({}))", show(arg, names), array_of(items, names))
        }
        ExprKind::Array(items, _) => format!("ARRAY[{}]", list(items, names)),
        ExprKind::Row(items) => format!("ROW({})", list(items, names)),
        ExprKind::Subscript(value, indexes) => {
            format!("{}[{}]", show(value, names), list(indexes, names))
        }
        ExprKind::Field(value, at) => format!("({}).f{}", show(value, names), at + 1),
        ExprKind::Subquery(_) => "(SubPlan)".to_owned(),
        ExprKind::Host(f, args) => format!("{}({})", f.name, list(args, names)),
    }
}

fn joined(parts: &[Expr], word: &str, names: &Names<'_>) -> String {
    let texts: Vec<String> = parts.iter().map(|p| show(p, names)).collect();
    format!("({})", texts.join(word))
}

fn list(args: &[Expr], names: &Names<'_>) -> String {
    args.iter().map(|a| show(a, names)).collect::<Vec<_>>().join(", ")
}

/// PostgreSQL shows a list of constants as one array literal.
fn array_of(items: &[Expr], names: &Names<'_>) -> String {
    let plain: Option<Vec<String>> = items
        .iter()
        .map(|i| match &i.kind {
            ExprKind::Const(Datum::Text(t)) => Some(t.to_string()),
            ExprKind::Const(value) => {
                Some(types::text::to_string(value, i.ty, &Settings::default()))
            }
            _ => None,
        })
        .collect();
    match (plain, items.first()) {
        (Some(texts), Some(first)) => format!("'{{{}}}'::{}[]", texts.join(","), first.ty),
        _ => format!("ARRAY[{}]", list(items, names)),
    }
}

fn constant(value: &Datum, expr: &Expr) -> String {
    match value {
        Datum::Null => format!("NULL::{}", expr.ty),
        Datum::Bool(b) => b.to_string(),
        Datum::Int4(v) => v.to_string(),
        value => {
            let text = types::text::to_string(value, expr.ty, &Settings::default());
            if expr.ty.oid == oid::NUMERIC {
                return text;
            }
            format!("'{}'::{}", text.replace('\'', "''"), expr.ty)
        }
    }
}
