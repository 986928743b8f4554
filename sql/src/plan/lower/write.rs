//! INSERT, UPDATE, DELETE.

use super::{Lower, Needed, place};
use crate::plan::expr::{ColId, Expr};
use crate::plan::physical::*;
use crate::plan::rel::{Delete, Insert, Rel, RowLock, Target, Update};
use base::api::lock::{LockStrength, LockWait};
use types::SqlError;

impl Lower<'_> {
    pub(super) fn insert(&mut self, insert: Insert, rows: f64) -> Result<Node, SqlError> {
        self.is_read_only = false;
        let Insert { target, input, values, conflict } = insert;
        let mut needed = Needed::new();
        values.iter().for_each(|v| v.free_columns(&mut needed));
        let input = self.rel(input, &needed)?;
        let values = self.exprs(values, &input.columns)?;
        let conflict = match conflict {
            None => None,
            Some(conflict) => {
                let update = match conflict.update {
                    None => None,
                    Some(update) => {
                        let mut layout = update.old.clone();
                        layout.extend(&update.excluded);
                        let assignments = self.assignments(update.assignments, &layout)?;
                        let filter = update.filter.map(|f| self.expr(f, &layout)).transpose()?;
                        Some((assignments, filter))
                    }
                };
                Some(ConflictNode { indexes: conflict.indexes, update })
            }
        };
        let columns = target.new.clone();
        let target = self.target(target)?;
        let node = InsertNode { target, input, values, conflict };
        Ok(self.node(Op::Insert(Box::new(node)), columns, rows))
    }

    pub(super) fn update(
        &mut self,
        update: Update,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        self.is_read_only = false;
        let Update { target, mut input, row_key, old, assignments } = update;
        let locked = lock_input(&mut input);
        let mut below: Needed = self.below(&input, needed);
        below.insert(row_key);
        below.extend(&old);
        assignments.iter().for_each(|(_, e)| e.free_columns(&mut below));
        let input = self.rel(input, &below)?;
        let assignments = self.assignments(assignments, &input.columns)?;
        let mut columns = target.new.clone();
        columns.extend(&input.columns);
        let old = old_slots(&old, &input);
        let row_key = key_slot(&input, row_key)?;
        let target = self.target(target)?;
        let node = UpdateNode { target, input, row_key, old, assignments, locked };
        Ok(self.node(Op::Update(Box::new(node)), columns, rows))
    }

    pub(super) fn delete(
        &mut self,
        delete: Delete,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        self.is_read_only = false;
        let Delete { target, mut input, row_key, old } = delete;
        let locked = lock_input(&mut input);
        let mut below: Needed = self.below(&input, needed);
        below.insert(row_key);
        // Index entries are found by the values of the row; without any, its key is enough.
        if target.table.secondary_indexes().next().is_some() || !target.children.is_empty() {
            below.extend(&old);
        }
        let input = self.rel(input, &below)?;
        let columns = input.columns.clone();
        let old = old_slots(&old, &input);
        let row_key = key_slot(&input, row_key)?;
        let target = self.target(target)?;
        let node = DeleteNode { target, input, row_key, old, locked };
        Ok(self.node(Op::Delete(Box::new(node)), columns, rows))
    }

    fn assignments(
        &mut self,
        assignments: Vec<(usize, Expr)>,
        layout: &[ColId],
    ) -> Result<Vec<(usize, Expr)>, SqlError> {
        assignments.into_iter().map(|(p, e)| Ok((p, self.expr(e, layout)?))).collect()
    }

    fn target(&mut self, target: Target) -> Result<WriteTarget, SqlError> {
        let layout = target.new;
        let generated = self.assignments(target.generated, &layout)?;
        let mut checks = Vec::with_capacity(target.checks.len());
        for (name, expr) in target.checks {
            checks.push((name, self.expr(expr, &layout)?));
        }
        let mut predicates = Vec::with_capacity(target.predicates.len());
        for (index, expr) in target.predicates {
            predicates.push((index, self.expr(expr, &layout)?));
        }
        Ok(WriteTarget {
            table: target.table,
            schema: target.schema,
            generated,
            checks,
            predicates,
            parents: target.parents,
            children: target.children,
        })
    }
}

fn old_slots(old: &[ColId], input: &Node) -> Vec<Option<usize>> {
    old.iter().map(|c| place(&input.columns, *c)).collect()
}

fn key_slot(input: &Node, key: ColId) -> Result<usize, SqlError> {
    place(&input.columns, key).ok_or_else(|| SqlError::internal("row key is not in the input"))
}

/// A plain scan locks the rows it finds by itself, and checks its condition again on rows that have
/// changed meanwhile. Anything more complicated locks afterwards.
fn lock_input(input: &mut Rel) -> bool {
    let lock = RowLock { strength: LockStrength::Exclusive, wait: LockWait::Block };
    match input {
        Rel::Get(get) => {
            get.lock = Some(lock);
            true
        }
        Rel::Filter { input, predicate } => match input.as_mut() {
            Rel::Get(get) if !predicate.has_subquery() => {
                get.lock = Some(lock);
                true
            }
            _ => false,
        },
        _ => false,
    }
}
