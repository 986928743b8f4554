//! Field ranges and precision of `interval`: `interval year to month`, `interval second(3)`.

use super::Interval;
use crate::SqlResult;
use crate::datetime::calendar::{MICROS_PER_HOUR, MICROS_PER_MINUTE};
use crate::datetime::timestamp::round_micros;

/// Bits of the range part of the modifier, PostgreSQL's numbers.
pub mod field {
    pub const MONTH: i32 = 1 << 1;
    pub const YEAR: i32 = 1 << 2;
    pub const DAY: i32 = 1 << 3;
    pub const HOUR: i32 = 1 << 10;
    pub const MINUTE: i32 = 1 << 11;
    pub const SECOND: i32 = 1 << 12;
    /// No restriction.
    pub const ALL: i32 = 0x7fff;
}

/// No precision given.
const FULL_PRECISION: i32 = 0xffff;

/// The range part of a modifier.
pub(super) fn range_of(typmod: i32) -> i32 {
    if typmod < 0 { field::ALL } else { typmod >> 16 & 0x7fff }
}

/// Cuts a value to the fields of the modifier and rounds its seconds.
pub fn apply_interval_typmod(value: Interval, typmod: i32) -> SqlResult<Interval> {
    if typmod < 0 {
        return Ok(value);
    }
    let range = range_of(typmod);
    let Interval { months, days, micros } = value;
    let cut_clock = |unit: i64| micros / unit * unit;
    let cut = match range {
        field::YEAR => Interval { months: months / 12 * 12, days: 0, micros: 0 },
        range if range & !(field::YEAR | field::MONTH) == 0 => {
            Interval { months, days: 0, micros: 0 }
        }
        field::DAY => Interval { months, days, micros: 0 },
        field::ALL => value,
        range if range & field::SECOND != 0 => value,
        range if range & field::MINUTE != 0 => {
            Interval { months, days, micros: cut_clock(MICROS_PER_MINUTE) }
        }
        range if range & field::HOUR != 0 => {
            Interval { months, days, micros: cut_clock(MICROS_PER_HOUR) }
        }
        _ => value,
    };
    let precision = typmod & 0xffff;
    if precision == FULL_PRECISION {
        return Ok(cut);
    }
    Ok(Interval { micros: round_micros(cut.micros, precision), ..cut })
}

/// The modifier as text.
pub fn display_interval_typmod(typmod: i32) -> String {
    let fields = [
        (field::YEAR, "year"),
        (field::MONTH, "month"),
        (field::DAY, "day"),
        (field::HOUR, "hour"),
        (field::MINUTE, "minute"),
        (field::SECOND, "second"),
    ];
    let range = range_of(typmod);
    let mut out = String::new();
    if range != field::ALL {
        let named: Vec<&str> =
            fields.iter().filter(|(bit, _)| range & bit != 0).map(|(_, name)| *name).collect();
        match named.as_slice() {
            [] => {}
            [only] => out.push_str(&format!(" {only}")),
            [first, .., last] => out.push_str(&format!(" {first} to {last}")),
        }
    }
    let precision = typmod & 0xffff;
    if precision != FULL_PRECISION {
        out.push_str(&format!("({precision})"));
    }
    out
}
