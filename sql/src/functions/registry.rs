//! Finds what is declared.

use super::{Aggregate, Function, Operator};
use super::{
    aggregate, arithmetic, array, catalog, comparison, datetime, json, math, number_template,
    numeric_ops, series, system, text,
};
use std::collections::HashMap;
use std::sync::OnceLock;
use types::Oid;

/// The families of functions.
const FUNCTIONS: &[&[&[Function]]] = &[
    &[
        math::FUNCTIONS,
        math::trigonometry::FUNCTIONS,
        math::bucket::FUNCTIONS,
        number_template::FUNCTIONS,
        array::FUNCTIONS,
        series::FUNCTIONS,
        system::FUNCTIONS,
        catalog::FUNCTIONS,
        catalog::SETS,
    ],
    text::FUNCTIONS,
    datetime::FUNCTIONS,
    json::FUNCTIONS,
];
/// The families of operators.
const OPERATORS: &[&[&[Operator]]] = &[
    arithmetic::OPERATORS,
    comparison::OPERATORS,
    &[numeric_ops::OPERATORS, math::OPERATORS, array::OPERATORS],
    text::OPERATORS,
    datetime::OPERATORS,
    json::OPERATORS,
];

struct Index {
    functions: HashMap<&'static str, Vec<&'static Function>>,
    operators: HashMap<&'static str, Vec<&'static Operator>>,
    exact: HashMap<(&'static str, Oid, Oid), &'static Operator>,
    aggregates: HashMap<&'static str, Vec<&'static Aggregate>>,
}

/// Names are only looked up here, never walked in hash order.
fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index {
            functions: HashMap::new(),
            operators: HashMap::new(),
            exact: HashMap::new(),
            aggregates: HashMap::new(),
        };
        for function in all_functions() {
            index.functions.entry(function.name).or_default().push(function);
        }
        for operator in all_operators() {
            index.operators.entry(operator.symbol).or_default().push(operator);
            index.exact.insert((operator.symbol, operator.left, operator.right), operator);
        }
        for aggregate in all_aggregates() {
            index.aggregates.entry(aggregate.name).or_default().push(aggregate);
        }
        index
    })
}

/// The functions of this name.
pub fn lookup(name: &str) -> &'static [&'static Function] {
    index().functions.get(name).map_or(&[], Vec::as_slice)
}

/// The operators of this symbol, infix and prefix.
pub fn operators(symbol: &str) -> &'static [&'static Operator] {
    index().operators.get(symbol).map_or(&[], Vec::as_slice)
}

/// The operator declared for exactly these types; left is 0 for prefix operators.
pub fn operator(symbol: &str, left: Oid, right: Oid) -> Option<&'static Operator> {
    let candidates = operators(symbol);
    let symbol = candidates.first()?.symbol;
    index().exact.get(&(symbol, left, right)).copied()
}

/// The aggregates of this name.
pub fn aggregates(name: &str) -> &'static [&'static Aggregate] {
    index().aggregates.get(name).map_or(&[], Vec::as_slice)
}

/// Whether a function or an aggregate has this name.
pub fn is_known(name: &str) -> bool {
    !lookup(name).is_empty() || !aggregates(name).is_empty()
}

/// Every function, in a fixed order.
pub fn all_functions() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().flat_map(|families| families.iter()).flat_map(|family| family.iter())
}

/// Every operator, in a fixed order.
pub fn all_operators() -> impl Iterator<Item = &'static Operator> {
    OPERATORS.iter().flat_map(|families| families.iter()).flat_map(|family| family.iter())
}

/// Every aggregate, in a fixed order.
pub fn all_aggregates() -> impl Iterator<Item = &'static Aggregate> {
    aggregate::AGGREGATES.iter().flat_map(|family| family.iter())
}
