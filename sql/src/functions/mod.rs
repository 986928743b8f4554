//! The built-in functions, operators and aggregates: a registry in which each is declared once, its
//! SQL signature beside its code, one family a file.
//!
//! Which of several candidates a call means is the binder's question (PostgreSQL's overload
//! resolution); the registry only lists them. Arguments arrive converted to the declared types;
//! of strict functions the caller answers NULL itself when an argument is NULL.

mod aggregate;
mod arithmetic;
mod array;
mod catalog;
mod comparison;
mod context;
mod datetime;
mod declare;
mod json;
mod keywords;
mod math;
mod native;
mod number_template;
mod numeric_ops;
mod registry;
mod series;
mod system;
mod text;

pub use context::{EvalContext, FunctionEnv, NoEnv};
pub use declare::{
    AggState, Aggregate, Body, Eval, Function, Operator, SetEval, SetRows, Volatility,
};
pub use registry::{
    aggregates, all_aggregates, all_functions, all_operators, is_known, lookup, operator, operators,
};
pub use system::POSTGRES_VERSION;
