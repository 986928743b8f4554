//! Keys of hash tables: equal values have equal bytes, whatever the width of an integer.

use base::codec::{self, Direction};
use types::{Datum, SqlType};

/// Appends a value.
pub fn put(value: &Datum, ty: SqlType, out: &mut Vec<u8>) {
    let wide = match value {
        Datum::Int2(v) => i64::from(*v),
        Datum::Int4(v) => i64::from(*v),
        Datum::Int8(v) => *v,
        other => return types::key::put(other, ty, Direction::Asc, out),
    };
    codec::put_present(out, Direction::Asc, |out| codec::put_i64(out, wide));
}

/// Appends a sort key: comparing the bytes compares the values in this order.
pub fn put_sorted(value: &Datum, ty: SqlType, desc: bool, nulls_first: bool, out: &mut Vec<u8>) {
    if matches!(value, Datum::Null) {
        out.push(if nulls_first { 0x00 } else { 0xff });
        return;
    }
    out.push(0x80);
    let direction = if desc { Direction::Desc } else { Direction::Asc };
    types::key::put(value, ty, direction, out);
}
