//! The fragment and its encoding.

use super::expr_codec::{get_expr, put_expr};
use crate::functions::{self, Aggregate};
use crate::plan::expr::Expr;
use base::codec::CodecError;
use types::tuple::{put_sized, put_value, put_varint, take_sized, take_value, take_varint};
use types::{Datum, SqlType};

/// Version of the encoding.
const VERSION: u8 = 1;

const EMIT: u8 = 0;
const PARTIAL: u8 = 1;
const TOP: u8 = 2;

/// Work to be done over rows.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// Columns to decode: id, type, and what rows without the column have.
    pub columns: Vec<(u32, SqlType, Datum)>,
    /// One more slot: the row's key.
    pub with_key: bool,
    /// Over the slots.
    pub filter: Option<Expr>,
    /// Rows that are enough, of each stretch that the fragment runs over; 0: all.
    pub limit: u64,
    /// What comes out.
    pub output: Output,
}

/// What a fragment makes of the rows that pass.
#[derive(Clone, Debug)]
pub enum Output {
    /// These slots.
    Emit(Vec<usize>),
    /// Groups and aggregate states.
    Partial { groups: Vec<Expr>, calls: Vec<PartialCall> },
    /// These slots of the first `limit` rows by these keys: expression, descending, NULLs first.
    Top { emit: Vec<usize>, keys: Vec<(Expr, bool, bool)> },
}

/// An aggregate, as far as a shard computes it.
#[derive(Clone, Debug)]
pub struct PartialCall {
    pub function: &'static Aggregate,
    pub args: Vec<Expr>,
    pub filter: Option<Expr>,
    pub ty: SqlType,
}

impl Fragment {
    /// Encodes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_varint(&mut out, self.columns.len() as u64);
        for (id, ty, missing) in &self.columns {
            put_varint(&mut out, u64::from(*id));
            put_type(&mut out, *ty);
            put_value(&mut out, missing);
        }
        out.push(u8::from(self.with_key));
        put_optional(&mut out, self.filter.as_ref());
        put_varint(&mut out, self.limit);
        match &self.output {
            Output::Emit(slots) => {
                out.push(EMIT);
                put_slots(&mut out, slots);
            }
            Output::Partial { groups, calls } => {
                out.push(PARTIAL);
                put_exprs(&mut out, groups);
                put_varint(&mut out, calls.len() as u64);
                for call in calls {
                    put_aggregate(&mut out, call.function);
                    put_exprs(&mut out, &call.args);
                    put_optional(&mut out, call.filter.as_ref());
                    put_type(&mut out, call.ty);
                }
            }
            Output::Top { emit, keys } => {
                out.push(TOP);
                put_slots(&mut out, emit);
                put_varint(&mut out, keys.len() as u64);
                for (key, desc, nulls_first) in keys {
                    put_expr(&mut out, key);
                    out.extend([u8::from(*desc), u8::from(*nulls_first)]);
                }
            }
        }
        out
    }

    /// Decodes.
    pub fn decode(bytes: &[u8]) -> Result<Fragment, CodecError> {
        let rest = &mut &bytes[..];
        if take_byte(rest)? != VERSION {
            return Err(CodecError("fragment version"));
        }
        let count = take_count(rest)?;
        let mut columns = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            let id = take_varint(rest)? as u32;
            columns.push((id, take_type(rest)?, take_value(rest)?));
        }
        let with_key = take_byte(rest)? != 0;
        let filter = take_optional(rest)?;
        let limit = take_varint(rest)?;
        let width = columns.len() + usize::from(with_key);
        let output = match take_byte(rest)? {
            EMIT => Output::Emit(take_slots(rest, width)?),
            TOP => {
                let emit = take_slots(rest, width)?;
                let count = take_count(rest)?;
                let mut keys = Vec::with_capacity(count.min(1024));
                for _ in 0..count {
                    let key = get_expr(rest)?;
                    keys.push((key, take_byte(rest)? != 0, take_byte(rest)? != 0));
                }
                Output::Top { emit, keys }
            }
            PARTIAL => {
                let groups = take_exprs(rest)?;
                let count = take_count(rest)?;
                let mut calls = Vec::with_capacity(count.min(1024));
                for _ in 0..count {
                    calls.push(PartialCall {
                        function: take_aggregate(rest)?,
                        args: take_exprs(rest)?,
                        filter: take_optional(rest)?,
                        ty: take_type(rest)?,
                    });
                }
                Output::Partial { groups, calls }
            }
            _ => return Err(CodecError("fragment: kind of output")),
        };
        Ok(Fragment { columns, with_key, filter, limit, output })
    }
}

pub(super) fn take_byte(rest: &mut &[u8]) -> Result<u8, CodecError> {
    let (&first, tail) = rest.split_first().ok_or(CodecError("fragment: it ends early"))?;
    *rest = tail;
    Ok(first)
}

/// A length; never more than there are bytes left.
pub(super) fn take_count(rest: &mut &[u8]) -> Result<usize, CodecError> {
    let count = take_varint(rest)? as usize;
    if count > rest.len() { Err(CodecError("fragment: length")) } else { Ok(count) }
}

fn put_slots(out: &mut Vec<u8>, slots: &[usize]) {
    put_varint(out, slots.len() as u64);
    slots.iter().for_each(|slot| put_varint(out, *slot as u64));
}

/// Slots below `width`.
fn take_slots(rest: &mut &[u8], width: usize) -> Result<Vec<usize>, CodecError> {
    let count = take_count(rest)?;
    let mut slots = Vec::with_capacity(count.min(1024));
    for _ in 0..count {
        let slot = take_varint(rest)? as usize;
        if slot >= width {
            return Err(CodecError("fragment: slot out of range"));
        }
        slots.push(slot);
    }
    Ok(slots)
}

pub(super) fn put_type(out: &mut Vec<u8>, ty: SqlType) {
    put_varint(out, u64::from(ty.oid));
    put_varint(out, types::tuple::zigzag(i64::from(ty.typmod)));
}

pub(super) fn take_type(rest: &mut &[u8]) -> Result<SqlType, CodecError> {
    let oid = take_varint(rest)? as u32;
    let typmod = types::tuple::unzigzag(take_varint(rest)?) as i32;
    Ok(SqlType { oid, typmod })
}

fn put_optional(out: &mut Vec<u8>, expr: Option<&Expr>) {
    out.push(u8::from(expr.is_some()));
    if let Some(expr) = expr {
        put_expr(out, expr);
    }
}

fn take_optional(rest: &mut &[u8]) -> Result<Option<Expr>, CodecError> {
    if take_byte(rest)? == 0 { Ok(None) } else { get_expr(rest).map(Some) }
}

pub(super) fn put_exprs(out: &mut Vec<u8>, exprs: &[Expr]) {
    put_varint(out, exprs.len() as u64);
    exprs.iter().for_each(|e| put_expr(out, e));
}

pub(super) fn take_exprs(rest: &mut &[u8]) -> Result<Vec<Expr>, CodecError> {
    let count = take_count(rest)?;
    (0..count).map(|_| get_expr(rest)).collect()
}

fn put_aggregate(out: &mut Vec<u8>, function: &Aggregate) {
    put_sized(out, function.name.as_bytes());
    put_varint(out, function.args.len() as u64);
    function.args.iter().for_each(|a| put_varint(out, u64::from(*a)));
}

fn take_aggregate(rest: &mut &[u8]) -> Result<&'static Aggregate, CodecError> {
    let (name, args) = take_signature(rest)?;
    let found = functions::aggregates(&name).iter().find(|a| a.args == args.as_slice());
    found.copied().ok_or(CodecError("fragment: unknown aggregate"))
}

/// A name and argument types.
pub(super) fn take_signature(rest: &mut &[u8]) -> Result<(String, Vec<u32>), CodecError> {
    let name = std::str::from_utf8(take_sized(rest)?)
        .map_err(|_| CodecError("fragment: name"))?
        .to_owned();
    let count = take_count(rest)?;
    let args =
        (0..count).map(|_| take_varint(rest).map(|a| a as u32)).collect::<Result<Vec<_>, _>>()?;
    Ok((name, args))
}
