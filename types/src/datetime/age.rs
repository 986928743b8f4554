//! `age`: the difference of two moments in years, months, days and clock.

use super::calendar::{MICROS_PER_DAY, civil_of, days_in_month};
use super::timestamp::{TIMESTAMP_MIN, split};
use super::{Interval, out_of_range};
use crate::SqlResult;

/// `age(a, b)` of two local times.
pub fn age(a: i64, b: i64) -> SqlResult<Interval> {
    // Positive infinity is taken as the number that stands for it, as PostgreSQL 15 does.
    if a < TIMESTAMP_MIN || b < TIMESTAMP_MIN {
        return Err(out_of_range("timestamp"));
    }
    if a < b {
        return super::negate_interval(difference(b, a));
    }
    Ok(difference(a, b))
}

/// `later - earlier`. Days that have to be borrowed come from the earlier month.
fn difference(later: i64, earlier: i64) -> Interval {
    let (later_day, later_clock) = split(later);
    let (earlier_day, earlier_clock) = split(earlier);
    let (x, y) = (civil_of(later_day), civil_of(earlier_day));
    let mut micros = later_clock - earlier_clock;
    let mut days = x.day - y.day;
    let mut months = (x.year - y.year) * 12 + i64::from(x.month - y.month);
    if micros < 0 {
        micros += MICROS_PER_DAY;
        days -= 1;
    }
    while days < 0 {
        days += days_in_month(y.year, y.month);
        months -= 1;
    }
    Interval { months: months as i32, days, micros }
}
