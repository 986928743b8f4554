//! `corr`, `covar_*` and `regr_*`: aggregates of pairs (y, x).

use super::variance::{put_floats, take_floats};
use super::{splittable, start};
use crate::functions::native::Native;
use crate::functions::{AggState, Aggregate, EvalContext};
use types::oid::*;
use types::{Datum, SqlResult};

/// Sums of deviations, updated so that nothing cancels.
#[derive(Clone, Copy, Default)]
struct Pairs {
    n: f64,
    sum_x: f64,
    xx: f64,
    sum_y: f64,
    yy: f64,
    xy: f64,
}

impl Pairs {
    fn add(&mut self, y: f64, x: f64) {
        self.n += 1.0;
        self.sum_x += x;
        self.sum_y += y;
        if self.n > 1.0 {
            let dx = x * self.n - self.sum_x;
            let dy = y * self.n - self.sum_y;
            let scale = 1.0 / (self.n * (self.n - 1.0));
            self.xx += dx * dx * scale;
            self.yy += dy * dy * scale;
            self.xy += dx * dy * scale;
        } else if !x.is_finite() || !y.is_finite() {
            (self.xx, self.yy, self.xy) = (f64::NAN, f64::NAN, f64::NAN);
        }
    }

    fn merge(&mut self, other: Pairs) {
        if other.n == 0.0 {
            return;
        }
        if self.n == 0.0 {
            *self = other;
            return;
        }
        let n = self.n + other.n;
        let dx = self.sum_x / self.n - other.sum_x / other.n;
        let dy = self.sum_y / self.n - other.sum_y / other.n;
        let scale = self.n * other.n / n;
        self.xx += other.xx + scale * dx * dx;
        self.yy += other.yy + scale * dy * dy;
        self.xy += other.xy + scale * dx * dy;
        self.sum_x += other.sum_x;
        self.sum_y += other.sum_y;
        self.n = n;
    }
}

/// What is made of the sums in the end.
trait Outcome: Send + Default {
    fn of(pairs: &Pairs) -> Option<f64>;
}

#[derive(Default)]
struct State<O: Outcome>(Pairs, std::marker::PhantomData<O>);

impl<O: Outcome> AggState for State<O> {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        self.0.add(f64::get(&args[0])?, f64::get(&args[1])?);
        Ok(())
    }

    fn merge(&mut self, encoded: &[u8]) -> SqlResult<()> {
        let [n, sum_x, xx, sum_y, yy, xy] = take_floats(encoded)?;
        self.0.merge(Pairs { n, sum_x, xx, sum_y, yy, xy });
        Ok(())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let Pairs { n, sum_x, xx, sum_y, yy, xy } = self.0;
        put_floats(out, &[n, sum_x, xx, sum_y, yy, xy]);
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(O::of(&self.0).map_or(Datum::Null, Datum::Float8))
    }
}

macro_rules! outcomes {
    ($($name:ident = |$pairs:ident| $result:expr;)*) => {
        $(#[derive(Default)]
        struct $name;

        impl Outcome for $name {
            fn of($pairs: &Pairs) -> Option<f64> {
                if $pairs.n < 1.0 {
                    return None;
                }
                $result
            }
        })*
    };
}

outcomes! {
    Correlation = |p| (p.xx != 0.0 && p.yy != 0.0).then(|| p.xy / (p.xx * p.yy).sqrt());
    CovariancePop = |p| Some(p.xy / p.n);
    CovarianceSamp = |p| (p.n > 1.0).then(|| p.xy / (p.n - 1.0));
    AverageX = |p| Some(p.sum_x / p.n);
    AverageY = |p| Some(p.sum_y / p.n);
    SquaresX = |p| Some(p.xx);
    SquaresY = |p| Some(p.yy);
    Products = |p| Some(p.xy);
    Slope = |p| (p.xx != 0.0).then(|| p.xy / p.xx);
    Intercept = |p| (p.xx != 0.0).then(|| (p.sum_y - p.sum_x * p.xy / p.xx) / p.n);
    Fit = |p| match (p.xx == 0.0, p.yy == 0.0) {
        (true, _) => None,
        (false, true) => Some(1.0),
        _ => Some(p.xy * p.xy / (p.xx * p.yy)),
    };
}

/// `regr_count` counts pairs.
#[derive(Default)]
struct PairCount(State<AverageX>);

impl AggState for PairCount {
    fn update(&mut self, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<()> {
        self.0.update(args, context)
    }

    fn merge(&mut self, encoded: &[u8]) -> SqlResult<()> {
        self.0.merge(encoded)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(Datum::Int8(self.0.0.n as i64))
    }
}

const FF: &[types::Oid] = &[FLOAT8, FLOAT8];

pub(super) const AGGREGATES: &[Aggregate] = &[
    splittable("corr", FF, FLOAT8, start::<State<Correlation>>),
    splittable("covar_pop", FF, FLOAT8, start::<State<CovariancePop>>),
    splittable("covar_samp", FF, FLOAT8, start::<State<CovarianceSamp>>),
    splittable("regr_avgx", FF, FLOAT8, start::<State<AverageX>>),
    splittable("regr_avgy", FF, FLOAT8, start::<State<AverageY>>),
    splittable("regr_sxx", FF, FLOAT8, start::<State<SquaresX>>),
    splittable("regr_syy", FF, FLOAT8, start::<State<SquaresY>>),
    splittable("regr_sxy", FF, FLOAT8, start::<State<Products>>),
    splittable("regr_slope", FF, FLOAT8, start::<State<Slope>>),
    splittable("regr_intercept", FF, FLOAT8, start::<State<Intercept>>),
    splittable("regr_r2", FF, FLOAT8, start::<State<Fit>>),
    splittable("regr_count", FF, INT8, start::<PairCount>),
];
