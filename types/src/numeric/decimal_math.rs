//! placeholder
use super::Numeric;
use crate::{SqlError,SqlResult};
macro_rules! f { ($($n:ident($($a:ident: $t:ty),*)),*) => { $(pub fn $n($($a: $t),*) -> SqlResult<Numeric> { $(let _ = $a;)* Err(SqlError::internal("not yet")) })* } }
f!(exp(a:&Numeric), factorial(n:i64), ln(a:&Numeric), log10(a:&Numeric), log(b:&Numeric,a:&Numeric), power(a:&Numeric,b:&Numeric), sqrt(a:&Numeric));
