//! Expressions of fragments as bytes. Only kinds that depend on nothing but the row are here.

use super::fragment::{
    put_exprs, put_type, take_byte, take_count, take_exprs, take_signature, take_type,
};
use crate::functions::{self, Function, Operator};
use crate::plan::expr::{Callee, Expr, ExprKind};
use base::codec::CodecError;
use types::SqlType;
use types::tuple::{put_sized, put_value, put_varint, take_value, take_varint};

const CONST: u8 = 1;
const SLOT: u8 = 2;
const FUNCTION: u8 = 3;
const OPERATOR: u8 = 4;
const CAST: u8 = 5;
const AND: u8 = 6;
const OR: u8 = 7;
const NOT: u8 = 8;
const IS_NULL: u8 = 9;
const IS_BOOL: u8 = 10;
const DISTINCT: u8 = 11;
const CASE: u8 = 12;
const COALESCE: u8 = 13;
const EXTREME: u8 = 14;
const NULL_IF: u8 = 15;
const ANY_ALL: u8 = 16;
const IN_LIST: u8 = 17;
const ARRAY: u8 = 18;
const ROW: u8 = 19;
const SUBSCRIPT: u8 = 20;
const FIELD: u8 = 21;

/// Deepest nesting that is decoded.
const DEPTH_MAX: usize = 4000;

/// Appends an expression. Parameters and outer values must have become constants.
pub(super) fn put_expr(out: &mut Vec<u8>, expr: &Expr) {
    crate::plan::walk::deep(|| {
        let at = out.len();
        out.push(0);
        put_type(out, expr.ty);
        out[at] = put_kind(out, &expr.kind);
    });
}

/// Appends the operands; answers the tag.
fn put_kind(out: &mut Vec<u8>, kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Const(value) => {
            put_value(out, value);
            CONST
        }
        ExprKind::Slot(at) => {
            put_varint(out, *at as u64);
            SLOT
        }
        ExprKind::Call(Callee::Function(f), args) => {
            put_sized(out, f.name.as_bytes());
            put_varint(out, f.args.len() as u64);
            f.args.iter().for_each(|a| put_varint(out, u64::from(*a)));
            put_exprs(out, args);
            FUNCTION
        }
        ExprKind::Call(Callee::Operator(op), args) => {
            put_operator(out, op);
            put_exprs(out, args);
            OPERATOR
        }
        ExprKind::Cast { arg, explicit } => {
            out.push(u8::from(*explicit));
            put_expr(out, arg);
            CAST
        }
        ExprKind::And(parts) => tagged(out, parts, AND),
        ExprKind::Or(parts) => tagged(out, parts, OR),
        ExprKind::Coalesce(parts) => tagged(out, parts, COALESCE),
        ExprKind::Row(parts) => tagged(out, parts, ROW),
        ExprKind::Not(arg) => {
            put_expr(out, arg);
            NOT
        }
        ExprKind::IsNull(arg, negated) => {
            out.push(u8::from(*negated));
            put_expr(out, arg);
            IS_NULL
        }
        ExprKind::IsBool { arg, value, negated } => {
            out.push(u8::from(*value) | u8::from(*negated) << 1);
            put_expr(out, arg);
            IS_BOOL
        }
        ExprKind::Distinct { eq, args, negated } => {
            put_operator(out, eq);
            out.push(u8::from(*negated));
            put_exprs(out, &args[..]);
            DISTINCT
        }
        ExprKind::Case { whens, otherwise } => {
            put_varint(out, whens.len() as u64);
            for (when, then) in whens {
                put_expr(out, when);
                put_expr(out, then);
            }
            let rest: Vec<Expr> = otherwise.iter().map(|e| e.as_ref().clone()).collect();
            put_exprs(out, &rest);
            CASE
        }
        ExprKind::Extreme(greatest, args) => {
            out.push(u8::from(*greatest));
            put_exprs(out, args);
            EXTREME
        }
        ExprKind::NullIf(eq, args) => {
            put_operator(out, eq);
            put_exprs(out, &args[..]);
            NULL_IF
        }
        ExprKind::AnyAll { op, arg, array, all } => {
            put_operator(out, op);
            out.push(u8::from(*all));
            put_expr(out, arg);
            put_expr(out, array);
            ANY_ALL
        }
        ExprKind::InList { eq, arg, list, negated } => {
            put_operator(out, eq);
            out.push(u8::from(*negated));
            put_expr(out, arg);
            put_exprs(out, list);
            IN_LIST
        }
        ExprKind::Array(elements, nested) => {
            out.push(u8::from(*nested));
            put_exprs(out, elements);
            ARRAY
        }
        ExprKind::Subscript(value, indexes) => {
            put_expr(out, value);
            put_exprs(out, indexes);
            SUBSCRIPT
        }
        ExprKind::Field(value, at) => {
            put_varint(out, *at as u64);
            put_expr(out, value);
            FIELD
        }
        // The planner pushes none of these: the tag 0 makes the decoder refuse.
        ExprKind::Param(_)
        | ExprKind::Outer(_)
        | ExprKind::Column(..)
        | ExprKind::Subquery(_)
        | ExprKind::Host(..) => 0,
    }
}

fn tagged(out: &mut Vec<u8>, parts: &[Expr], tag: u8) -> u8 {
    put_exprs(out, parts);
    tag
}

fn put_operator(out: &mut Vec<u8>, op: &Operator) {
    put_sized(out, op.symbol.as_bytes());
    put_varint(out, 2);
    put_varint(out, u64::from(op.left));
    put_varint(out, u64::from(op.right));
}

/// Reads an expression.
pub(super) fn get_expr(rest: &mut &[u8]) -> Result<Expr, CodecError> {
    thread_local! {
        static DEPTH: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }
    let depth = DEPTH.with(|d| d.replace(d.get() + 1));
    let result = if depth > DEPTH_MAX {
        Err(CodecError("fragment: nested too deep"))
    } else {
        crate::plan::walk::deep(|| {
            let tag = take_byte(rest)?;
            let ty = take_type(rest)?;
            Ok(Expr::new(get_kind(tag, ty, rest)?, ty))
        })
    };
    DEPTH.with(|d| d.set(depth));
    result
}

fn get_kind(tag: u8, _ty: SqlType, rest: &mut &[u8]) -> Result<ExprKind, CodecError> {
    Ok(match tag {
        CONST => ExprKind::Const(take_value(rest)?),
        SLOT => ExprKind::Slot(take_varint(rest)? as usize),
        FUNCTION => {
            let function = take_function(rest)?;
            ExprKind::Call(Callee::Function(function), take_exprs(rest)?)
        }
        OPERATOR => {
            let op = take_operator(rest)?;
            ExprKind::Call(Callee::Operator(op), take_exprs(rest)?)
        }
        CAST => {
            let explicit = take_byte(rest)? != 0;
            ExprKind::Cast { arg: Box::new(get_expr(rest)?), explicit }
        }
        AND => ExprKind::And(take_exprs(rest)?),
        OR => ExprKind::Or(take_exprs(rest)?),
        COALESCE => ExprKind::Coalesce(take_exprs(rest)?),
        ROW => ExprKind::Row(take_exprs(rest)?),
        NOT => ExprKind::Not(Box::new(get_expr(rest)?)),
        IS_NULL => {
            let negated = take_byte(rest)? != 0;
            ExprKind::IsNull(Box::new(get_expr(rest)?), negated)
        }
        IS_BOOL => {
            let bits = take_byte(rest)?;
            let (value, negated) = (bits & 1 != 0, bits & 2 != 0);
            ExprKind::IsBool { arg: Box::new(get_expr(rest)?), value, negated }
        }
        DISTINCT => {
            let eq = take_operator(rest)?;
            let negated = take_byte(rest)? != 0;
            ExprKind::Distinct { eq, args: two(take_exprs(rest)?)?, negated }
        }
        CASE => {
            let count = take_count(rest)?;
            let mut whens = Vec::with_capacity(count.min(1024));
            for _ in 0..count {
                whens.push((get_expr(rest)?, get_expr(rest)?));
            }
            let otherwise = take_exprs(rest)?.pop().map(Box::new);
            ExprKind::Case { whens, otherwise }
        }
        EXTREME => {
            let greatest = take_byte(rest)? != 0;
            ExprKind::Extreme(greatest, take_exprs(rest)?)
        }
        NULL_IF => {
            let eq = take_operator(rest)?;
            ExprKind::NullIf(eq, two(take_exprs(rest)?)?)
        }
        ANY_ALL => {
            let op = take_operator(rest)?;
            let all = take_byte(rest)? != 0;
            let (arg, array) = (Box::new(get_expr(rest)?), Box::new(get_expr(rest)?));
            ExprKind::AnyAll { op, arg, array, all }
        }
        IN_LIST => {
            let eq = take_operator(rest)?;
            let negated = take_byte(rest)? != 0;
            let arg = Box::new(get_expr(rest)?);
            ExprKind::InList { eq, arg, list: take_exprs(rest)?, negated }
        }
        ARRAY => {
            let nested = take_byte(rest)? != 0;
            ExprKind::Array(take_exprs(rest)?, nested)
        }
        SUBSCRIPT => {
            let value = Box::new(get_expr(rest)?);
            ExprKind::Subscript(value, take_exprs(rest)?)
        }
        FIELD => {
            let at = take_varint(rest)? as usize;
            ExprKind::Field(Box::new(get_expr(rest)?), at)
        }
        _ => return Err(CodecError("fragment: kind of expression")),
    })
}

fn two(args: Vec<Expr>) -> Result<Box<[Expr; 2]>, CodecError> {
    <[Expr; 2]>::try_from(args).map(Box::new).map_err(|_| CodecError("fragment: operands"))
}

fn take_function(rest: &mut &[u8]) -> Result<&'static Function, CodecError> {
    let (name, args) = take_signature(rest)?;
    let found = functions::lookup(&name).iter().find(|f| f.args == args.as_slice());
    found.copied().ok_or(CodecError("fragment: unknown function"))
}

fn take_operator(rest: &mut &[u8]) -> Result<&'static Operator, CodecError> {
    let (symbol, args) = take_signature(rest)?;
    let [left, right] = args.as_slice() else { return Err(CodecError("fragment: operator")) };
    functions::operator(&symbol, *left, *right).ok_or(CodecError("fragment: unknown operator"))
}
