//! `date`, `time`, `timestamp`, `timestamptz` and `interval`.

use crate::{Settings, SqlError, SqlResult, TimeZone, IntervalStyle};

/// A span of time: months, days and microseconds are kept apart, since none divides the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interval {
    pub months: i32,
    pub days: i32,
    pub micros: i64,
}

impl Interval {
    /// Length for comparison: 30 days a month, 24 hours a day.
    pub fn span_micros(&self) -> i128 {
        let days = i128::from(self.months) * 30 + i128::from(self.days);
        days * 86_400_000_000 + i128::from(self.micros)
    }
    pub fn from_span(_m: i128) -> Interval { Interval::default() }
}
macro_rules! f { ($($n:ident($($a:ident: $t:ty),*) -> $r:ty),* $(,)?) => { $(pub fn $n($($a: $t),*) -> SqlResult<$r> { $(let _ = $a;)* Err(SqlError::internal("not yet")) })* } }
f!(
parse_date(i: &str, s: &Settings) -> i32,
parse_time(i: &str, s: &Settings) -> i64,
parse_timestamp(i: &str, s: &Settings) -> i64,
parse_timestamptz(i: &str, s: &Settings) -> i64,
parse_interval(i: &str, t: i32, s: &Settings) -> Interval,
apply_interval_typmod(i: Interval, t: i32) -> Interval,
check_date(i: i32) -> i32,
check_time(i: i64) -> i64,
check_timestamp(i: i64) -> i64,
date_to_timestamp(i: i32) -> i64,
date_to_timestamptz(i: i32, s: &Settings) -> i64,
timestamp_to_timestamptz(i: i64, s: &Settings) -> i64,
timestamptz_to_timestamp(i: i64, s: &Settings) -> i64,
);
pub fn timestamp_to_date(_i: i64) -> i32 { 0 }
pub fn timestamp_to_time(_i: i64) -> Option<i64> { None }
pub fn interval_to_time(_i: Interval) -> i64 { 0 }
pub fn format_date(_i: i32, _s: &Settings, _o: &mut String) {}
pub fn format_time(_i: i64, _o: &mut String) {}
pub fn format_timestamp(_i: i64, _s: &Settings, _o: &mut String) {}
pub fn format_timestamptz(_i: i64, _s: &Settings, _o: &mut String) {}
pub fn format_interval(_i: Interval, _s: IntervalStyle, _o: &mut String) {}
pub fn encode_interval(_i: Interval, _o: &mut Vec<u8>) {}
pub fn decode_interval(_i: &[u8;16]) -> Interval { Interval::default() }
pub fn round_time(i: i64, _t: i32) -> i64 { i }
pub fn round_timestamp(i: i64, _t: i32) -> i64 { i }
pub fn display_interval_typmod(_t: i32) -> String { String::new() }
pub fn named_zone(_t: &str) -> Option<chrono_tz::Tz> { None }
pub fn posix_zone(_t: &str) -> Option<TimeZone> { None }
pub fn local_offset(_z: &TimeZone, _l: i64) -> i32 { 0 }
