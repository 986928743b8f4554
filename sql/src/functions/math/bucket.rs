//! `width_bucket`.

use super::{Args, Context, float};
use crate::functions::Function;
use crate::functions::native::{int4_of, numeric_of};
use types::oid::{FLOAT8, INT4, NUMERIC};
use types::{Datum, Numeric, SqlError, SqlResult, numeric as math, sqlstate};

fn bucket_problem(message: &str) -> SqlError {
    SqlError::new(sqlstate::INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, message)
}

/// `width_bucket(float8, float8, float8, int)`.
fn width_bucket_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (value, low, high) = (float(args, 0)?, float(args, 1)?, float(args, 2)?);
    let count = int4_of(&args[3])?;
    if count <= 0 {
        return Err(bucket_problem("count must be greater than zero"));
    }
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return Err(bucket_problem("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(bucket_problem("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(bucket_problem("lower bound cannot equal upper bound"));
    }
    let beyond = || count.checked_add(1).ok_or_else(|| SqlError::out_of_range("integer"));
    let (below, above) =
        if low < high { (value < low, value >= high) } else { (value > low, value <= high) };
    let bucket = if below {
        0
    } else if above {
        beyond()?
    } else {
        let share =
            if low < high { (value - low) / (high - low) } else { (low - value) / (low - high) };
        ((share * f64::from(count)) as i32).saturating_add(1)
    };
    Ok(Datum::Int4(bucket.min(beyond()?)))
}

/// `width_bucket(numeric, numeric, numeric, int)`.
fn width_bucket(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (value, low, high) = (numeric_of(&args[0])?, numeric_of(&args[1])?, numeric_of(&args[2])?);
    let count = int4_of(&args[3])?;
    if count <= 0 {
        return Err(bucket_problem("count must be greater than zero"));
    }
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return Err(bucket_problem("operand, lower bound, and upper bound cannot be NaN"));
    }
    if !low.is_finite() || !high.is_finite() {
        return Err(bucket_problem("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(bucket_problem("lower bound cannot equal upper bound"));
    }
    let rising = low < high;
    let (below, above) =
        if rising { (value < low, value >= high) } else { (value > low, value <= high) };
    if below {
        return Ok(Datum::Int4(0));
    }
    if above {
        return count
            .checked_add(1)
            .map(Datum::Int4)
            .ok_or_else(|| SqlError::out_of_range("integer"));
    }
    let (from, to) = if rising { (low, high) } else { (high, low) };
    let distance = if rising { math::sub(value, from)? } else { math::sub(to, value)? };
    let scaled = math::mul(&distance, &Numeric::from(count))?;
    let bucket = math::div_trunc(&scaled, &math::sub(to, from)?)?;
    Ok(Datum::Int4(math::to_i32(&bucket)?.saturating_add(1)))
}

pub(in crate::functions) const FUNCTIONS: &[Function] = &[
    Function::new("width_bucket", &[FLOAT8, FLOAT8, FLOAT8, INT4], INT4, width_bucket_float),
    Function::new("width_bucket", &[NUMERIC, NUMERIC, NUMERIC, INT4], INT4, width_bucket),
];
