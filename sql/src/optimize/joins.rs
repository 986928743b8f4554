//! The order of inner joins: greedily from the smallest input along the conditions that connect
//! them.

use super::estimate::estimate;
use crate::plan::expr::{ColId, Expr};
use crate::plan::rel::{JoinKind, Rel};
use crate::plan::walk::deep;
use std::collections::BTreeSet;

/// Reorders throughout a plan.
pub(super) fn reorder(rel: Rel) -> Rel {
    deep(|| match rel {
        Rel::Join { kind: JoinKind::Inner, lateral: false, .. } => {
            let mut leaves = Vec::new();
            let mut conditions = Vec::new();
            flatten(rel, &mut leaves, &mut conditions);
            let leaves = leaves.into_iter().map(reorder).collect();
            greedy(leaves, conditions)
        }
        mut other => {
            other.inputs_mut(&mut |input| {
                let taken = std::mem::replace(input, Rel::Unit);
                *input = reorder(taken);
            });
            other
        }
    })
}

fn flatten(rel: Rel, leaves: &mut Vec<Rel>, conditions: &mut Vec<Expr>) {
    match rel {
        Rel::Join { kind: JoinKind::Inner, left, right, on, lateral: false } => {
            flatten(*left, leaves, conditions);
            flatten(*right, leaves, conditions);
            conditions.extend(on.into_conjuncts());
        }
        other => leaves.push(other),
    }
}

struct Leaf {
    rel: Rel,
    columns: BTreeSet<ColId>,
    rows: f64,
}

fn greedy(leaves: Vec<Rel>, mut conditions: Vec<Expr>) -> Rel {
    let all: BTreeSet<ColId> = leaves.iter().flat_map(Rel::columns).collect();
    let mut left: Vec<Leaf> = leaves
        .into_iter()
        .map(|rel| Leaf { columns: rel.columns().into_iter().collect(), rows: estimate(&rel), rel })
        .collect();
    let Some(first) = smallest(&left, |_| true) else { return Rel::Unit };
    let Leaf { mut rel, mut columns, .. } = left.remove(first);
    while !left.is_empty() {
        let connected =
            |leaf: &Leaf| conditions.iter().any(|c| connects(c, &columns, &leaf.columns, &all));
        let next = smallest(&left, connected).or_else(|| smallest(&left, |_| true));
        let Some(next) = next else { break };
        let leaf = left.remove(next);
        columns.extend(leaf.columns);
        let usable =
            |c: &Expr| c.columns().iter().all(|id| columns.contains(id) || !all.contains(id));
        let (now, later): (Vec<_>, Vec<_>) = conditions.into_iter().partition(usable);
        conditions = later;
        rel = Rel::Join {
            kind: JoinKind::Inner,
            left: Box::new(rel),
            right: Box::new(leaf.rel),
            on: Expr::and(now),
            lateral: false,
        };
    }
    rel.filter(Expr::and(conditions))
}

fn smallest(leaves: &[Leaf], test: impl Fn(&Leaf) -> bool) -> Option<usize> {
    let candidates = leaves.iter().enumerate().filter(|(_, leaf)| test(leaf));
    candidates.min_by(|a, b| a.1.rows.total_cmp(&b.1.rows)).map(|(i, _)| i)
}

/// The condition uses both sides and nothing that is not joined yet.
fn connects(
    condition: &Expr,
    have: &BTreeSet<ColId>,
    new: &BTreeSet<ColId>,
    all: &BTreeSet<ColId>,
) -> bool {
    let used = condition.columns();
    used.iter().any(|c| have.contains(c))
        && used.iter().any(|c| new.contains(c))
        && used.iter().all(|c| have.contains(c) || new.contains(c) || !all.contains(c))
}
