//! Walks over expressions and plans: visiting, rewriting, free columns.

use super::expr::{ColId, Expr, ExprKind, SubqueryKind};
use super::rel::{ApplyKind, Bound, Rel, SortKey, Target};
use std::collections::BTreeSet;
use types::Datum;

/// Stack left below which a walk continues on a fresh segment.
const STACK_LEFT: usize = 96 * 1024;
/// Size of a fresh segment.
const STACK_MORE: usize = 1024 * 1024;

/// Runs a recursive step with enough stack.
pub(crate) fn deep<R>(step: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(STACK_LEFT, STACK_MORE, step)
}

impl Expr {
    /// True for the constant TRUE.
    pub fn is_true_const(&self) -> bool {
        matches!(self.kind, ExprKind::Const(Datum::Bool(true)))
    }

    /// Calls `f` on every direct operand. Of a subquery that is the condition, not the query.
    pub fn children<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            ExprKind::Const(_)
            | ExprKind::Param(_)
            | ExprKind::Column(..)
            | ExprKind::Slot(_)
            | ExprKind::Outer(_) => {}
            ExprKind::Call(_, args)
            | ExprKind::And(args)
            | ExprKind::Or(args)
            | ExprKind::Coalesce(args)
            | ExprKind::Extreme(_, args)
            | ExprKind::Array(args, _)
            | ExprKind::Host(_, args)
            | ExprKind::Row(args) => args.iter().for_each(f),
            ExprKind::Cast { arg, .. }
            | ExprKind::Not(arg)
            | ExprKind::IsNull(arg, _)
            | ExprKind::IsBool { arg, .. }
            | ExprKind::Field(arg, _) => f(arg),
            ExprKind::Distinct { args, .. } | ExprKind::NullIf(_, args) => args.iter().for_each(f),
            ExprKind::Case { whens, otherwise } => {
                for (when, then) in whens {
                    f(when);
                    f(then);
                }
                otherwise.iter().for_each(|e| f(e));
            }
            ExprKind::AnyAll { arg, array, .. } => {
                f(arg);
                f(array);
            }
            ExprKind::InList { arg, list, .. } => {
                f(arg);
                list.iter().for_each(f);
            }
            ExprKind::Subscript(arg, indexes) => {
                f(arg);
                indexes.iter().for_each(f);
            }
            ExprKind::Subquery(sub) => match &sub.kind {
                SubqueryKind::Any(test) | SubqueryKind::All(test) => f(test),
                _ => {}
            },
        }
    }

    /// Calls `f` on every direct operand.
    pub fn children_mut(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        match &mut self.kind {
            ExprKind::Const(_)
            | ExprKind::Param(_)
            | ExprKind::Column(..)
            | ExprKind::Slot(_)
            | ExprKind::Outer(_) => {}
            ExprKind::Call(_, args)
            | ExprKind::And(args)
            | ExprKind::Or(args)
            | ExprKind::Coalesce(args)
            | ExprKind::Extreme(_, args)
            | ExprKind::Array(args, _)
            | ExprKind::Host(_, args)
            | ExprKind::Row(args) => args.iter_mut().for_each(f),
            ExprKind::Cast { arg, .. }
            | ExprKind::Not(arg)
            | ExprKind::IsNull(arg, _)
            | ExprKind::IsBool { arg, .. }
            | ExprKind::Field(arg, _) => f(arg),
            ExprKind::Distinct { args, .. } | ExprKind::NullIf(_, args) => {
                args.iter_mut().for_each(f)
            }
            ExprKind::Case { whens, otherwise } => {
                for (when, then) in whens {
                    f(when);
                    f(then);
                }
                otherwise.iter_mut().for_each(|e| f(e));
            }
            ExprKind::AnyAll { arg, array, .. } => {
                f(arg);
                f(array);
            }
            ExprKind::InList { arg, list, .. } => {
                f(arg);
                list.iter_mut().for_each(f);
            }
            ExprKind::Subscript(arg, indexes) => {
                f(arg);
                indexes.iter_mut().for_each(f);
            }
            ExprKind::Subquery(sub) => match &mut sub.kind {
                SubqueryKind::Any(test) | SubqueryKind::All(test) => f(test),
                _ => {}
            },
        }
    }

    /// Calls `f` on this expression and all below it, subqueries included.
    pub fn visit(&self, f: &mut dyn FnMut(&Expr)) {
        deep(|| {
            f(self);
            self.children(&mut |child| child.visit(f));
            if let ExprKind::Subquery(sub) = &self.kind {
                sub.rel.visit_exprs(f);
            }
        });
    }

    /// Calls `f` on all below this expression, subqueries included, then on itself.
    pub fn rewrite(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        deep(|| {
            self.children_mut(&mut |child| child.rewrite(f));
            if let ExprKind::Subquery(sub) = &mut self.kind {
                sub.rel.rewrite_exprs(f);
            }
            f(self);
        });
    }

    /// Columns that the expression uses and that its own subqueries do not produce.
    pub fn free_columns(&self, out: &mut BTreeSet<ColId>) {
        deep(|| {
            if let ExprKind::Column(id, _) = self.kind {
                out.insert(id);
            }
            if let ExprKind::Subquery(sub) = &self.kind {
                let mut inner = sub.rel.free_columns();
                self.children(&mut |child| child.free_columns(&mut inner));
                let own: BTreeSet<ColId> = sub.columns.iter().copied().collect();
                out.extend(inner.difference(&own));
            } else {
                self.children(&mut |child| child.free_columns(out));
            }
        });
    }

    /// The columns the expression uses.
    pub fn columns(&self) -> BTreeSet<ColId> {
        let mut out = BTreeSet::new();
        self.free_columns(&mut out);
        out
    }

    /// True when any part satisfies the test; queries inside subqueries count too.
    pub fn any(&self, test: &dyn Fn(&Expr) -> bool) -> bool {
        let mut found = false;
        self.visit(&mut |e| found |= test(e));
        found
    }

    /// True when a subquery is inside.
    pub fn has_subquery(&self) -> bool {
        self.any(&|e| matches!(e.kind, ExprKind::Subquery(_)))
    }
}

impl Rel {
    /// Calls `f` on every input.
    pub fn inputs<'a>(&'a self, f: &mut dyn FnMut(&'a Rel)) {
        match self {
            Rel::Unit
            | Rel::Get(_)
            | Rel::Rows(_)
            | Rel::Values { .. }
            | Rel::Function(_)
            | Rel::CteRef { .. } => {}
            Rel::Filter { input, .. }
            | Rel::Project { input, .. }
            | Rel::Extend { input, .. }
            | Rel::Window { input, .. }
            | Rel::ProjectSet { input, .. }
            | Rel::HostCalls { input, .. }
            | Rel::Sort { input, .. }
            | Rel::Limit { input, .. }
            | Rel::Distinct { input, .. }
            | Rel::Lock { input, .. } => f(input),
            Rel::Aggregate(a) => f(&a.input),
            Rel::Join { left, right, .. } => {
                f(left);
                f(right);
            }
            Rel::Apply { input, sub, .. } => {
                f(input);
                f(sub);
            }
            Rel::SetOp(op) => {
                f(&op.left);
                f(&op.right);
            }
            Rel::Recursive(r) => {
                f(&r.base);
                f(&r.step);
            }
            Rel::With { ctes, body } => {
                ctes.iter().for_each(|cte| f(&cte.rel));
                f(body);
            }
            Rel::Insert(i) => f(&i.input),
            Rel::Update(u) => f(&u.input),
            Rel::Delete(d) => f(&d.input),
        }
    }

    /// Calls `f` on every input.
    pub fn inputs_mut(&mut self, f: &mut dyn FnMut(&mut Rel)) {
        match self {
            Rel::Unit
            | Rel::Get(_)
            | Rel::Rows(_)
            | Rel::Values { .. }
            | Rel::Function(_)
            | Rel::CteRef { .. } => {}
            Rel::Filter { input, .. }
            | Rel::Project { input, .. }
            | Rel::Extend { input, .. }
            | Rel::Window { input, .. }
            | Rel::ProjectSet { input, .. }
            | Rel::HostCalls { input, .. }
            | Rel::Sort { input, .. }
            | Rel::Limit { input, .. }
            | Rel::Distinct { input, .. }
            | Rel::Lock { input, .. } => f(input),
            Rel::Aggregate(a) => f(&mut a.input),
            Rel::Join { left, right, .. } => {
                f(left);
                f(right);
            }
            Rel::Apply { input, sub, .. } => {
                f(input);
                f(sub);
            }
            Rel::SetOp(op) => {
                f(&mut op.left);
                f(&mut op.right);
            }
            Rel::Recursive(r) => {
                f(&mut r.base);
                f(&mut r.step);
            }
            Rel::With { ctes, body } => {
                ctes.iter_mut().for_each(|cte| f(&mut cte.rel));
                f(body);
            }
            Rel::Insert(i) => f(&mut i.input),
            Rel::Update(u) => f(&mut u.input),
            Rel::Delete(d) => f(&mut d.input),
        }
    }

    /// Calls `f` on the expressions of this operator itself.
    pub fn own_exprs<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match self {
            Rel::Unit
            | Rel::Get(_)
            | Rel::Rows(_)
            | Rel::CteRef { .. }
            | Rel::Distinct { .. }
            | Rel::SetOp(_)
            | Rel::Recursive(_)
            | Rel::Lock { .. }
            | Rel::With { .. } => {}
            Rel::Values { rows, .. } => rows.iter().flatten().for_each(f),
            Rel::Function(scan) => scan.args.iter().for_each(f),
            Rel::Filter { predicate, .. } => f(predicate),
            Rel::Project { exprs, .. } | Rel::Extend { exprs, .. } => {
                exprs.iter().for_each(|(_, e)| f(e))
            }
            Rel::Aggregate(a) => {
                a.groups.iter().for_each(|(_, e)| f(e));
                for (_, call) in &a.calls {
                    call.args.iter().for_each(&mut *f);
                    call.order.iter().for_each(|k| f(&k.expr));
                    call.filter.iter().for_each(&mut *f);
                }
            }
            Rel::Window { calls, .. } => {
                for call in calls {
                    call.args.iter().chain(&call.partition).chain(&call.filter).for_each(&mut *f);
                    call.order.iter().for_each(|k| f(&k.expr));
                    for bound in [&call.frame.start, &call.frame.end] {
                        if let Bound::Preceding(e) | Bound::Following(e) = bound {
                            f(e);
                        }
                    }
                }
            }
            Rel::ProjectSet { calls, .. } => calls.iter().flat_map(|c| &c.2).for_each(f),
            Rel::HostCalls { calls, .. } => calls.iter().flat_map(|c| &c.args).for_each(f),
            Rel::Join { on, .. } => f(on),
            Rel::Apply { kind, .. } => {
                if let ApplyKind::Any(e) | ApplyKind::All(e) = kind {
                    f(e);
                }
            }
            Rel::Sort { keys, .. } => keys.iter().for_each(|k: &SortKey| f(&k.expr)),
            Rel::Limit { limit, offset, .. } => limit.iter().chain(offset).for_each(f),
            Rel::Insert(i) => {
                i.values.iter().for_each(&mut *f);
                target_exprs(&i.target, f);
                if let Some(update) = i.conflict.as_ref().and_then(|c| c.update.as_ref()) {
                    update.assignments.iter().for_each(|(_, e)| f(e));
                    update.filter.iter().for_each(f);
                }
            }
            Rel::Update(u) => {
                u.assignments.iter().for_each(|(_, e)| f(e));
                target_exprs(&u.target, f);
            }
            Rel::Delete(_) => {}
        }
    }

    /// Calls `f` on the expressions of this operator itself.
    pub fn own_exprs_mut(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        match self {
            Rel::Unit
            | Rel::Get(_)
            | Rel::Rows(_)
            | Rel::CteRef { .. }
            | Rel::Distinct { .. }
            | Rel::SetOp(_)
            | Rel::Recursive(_)
            | Rel::Lock { .. }
            | Rel::With { .. } => {}
            Rel::Values { rows, .. } => rows.iter_mut().flatten().for_each(f),
            Rel::Function(scan) => scan.args.iter_mut().for_each(f),
            Rel::Filter { predicate, .. } => f(predicate),
            Rel::Project { exprs, .. } | Rel::Extend { exprs, .. } => {
                exprs.iter_mut().for_each(|(_, e)| f(e))
            }
            Rel::Aggregate(a) => {
                a.groups.iter_mut().for_each(|(_, e)| f(e));
                for (_, call) in &mut a.calls {
                    call.args.iter_mut().for_each(&mut *f);
                    call.order.iter_mut().for_each(|k| f(&mut k.expr));
                    call.filter.iter_mut().for_each(&mut *f);
                }
            }
            Rel::Window { calls, .. } => {
                for call in calls {
                    call.args
                        .iter_mut()
                        .chain(&mut call.partition)
                        .chain(&mut call.filter)
                        .for_each(&mut *f);
                    call.order.iter_mut().for_each(|k| f(&mut k.expr));
                    for bound in [&mut call.frame.start, &mut call.frame.end] {
                        if let Bound::Preceding(e) | Bound::Following(e) = bound {
                            f(e);
                        }
                    }
                }
            }
            Rel::ProjectSet { calls, .. } => calls.iter_mut().flat_map(|c| &mut c.2).for_each(f),
            Rel::HostCalls { calls, .. } => calls.iter_mut().flat_map(|c| &mut c.args).for_each(f),
            Rel::Join { on, .. } => f(on),
            Rel::Apply { kind, .. } => {
                if let ApplyKind::Any(e) | ApplyKind::All(e) = kind {
                    f(e);
                }
            }
            Rel::Sort { keys, .. } => keys.iter_mut().for_each(|k| f(&mut k.expr)),
            Rel::Limit { limit, offset, .. } => limit.iter_mut().chain(offset).for_each(f),
            Rel::Insert(i) => {
                i.values.iter_mut().for_each(&mut *f);
                target_exprs_mut(&mut i.target, f);
                if let Some(update) = i.conflict.as_mut().and_then(|c| c.update.as_mut()) {
                    update.assignments.iter_mut().for_each(|(_, e)| f(e));
                    update.filter.iter_mut().for_each(f);
                }
            }
            Rel::Update(u) => {
                u.assignments.iter_mut().for_each(|(_, e)| f(e));
                target_exprs_mut(&mut u.target, f);
            }
            Rel::Delete(_) => {}
        }
    }

    /// Calls `f` on every expression of the whole tree, subqueries included.
    pub fn visit_exprs(&self, f: &mut dyn FnMut(&Expr)) {
        deep(|| {
            self.own_exprs(&mut |e| e.visit(f));
            self.inputs(&mut |input| input.visit_exprs(f));
        });
    }

    /// Calls `f` on every expression of the whole tree, operands first.
    pub fn rewrite_exprs(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        deep(|| {
            self.own_exprs_mut(&mut |e| e.rewrite(f));
            self.inputs_mut(&mut |input| input.rewrite_exprs(f));
        });
    }

    /// Calls `f` on every operator of the tree; subqueries in expressions are not entered.
    pub fn visit(&self, f: &mut dyn FnMut(&Rel)) {
        f(self);
        self.inputs(&mut |input| input.visit(f));
    }

    /// Columns used in the tree that nothing in it produces.
    pub fn free_columns(&self) -> BTreeSet<ColId> {
        let mut used = BTreeSet::new();
        let mut made = BTreeSet::new();
        self.collect(&mut used, &mut made);
        used.difference(&made).copied().collect()
    }

    fn collect(&self, used: &mut BTreeSet<ColId>, made: &mut BTreeSet<ColId>) {
        deep(|| {
            self.own_exprs(&mut |e| e.free_columns(used));
            self.inputs(&mut |input| input.collect(used, made));
            made.extend(self.columns());
            if let Rel::Insert(insert) = self
                && let Some(update) = insert.conflict.as_ref().and_then(|c| c.update.as_ref())
            {
                made.extend(update.old.iter().chain(&update.excluded));
            }
        });
    }
}

fn target_exprs<'a>(target: &'a Target, f: &mut dyn FnMut(&'a Expr)) {
    target.generated.iter().for_each(|(_, e)| f(e));
    target.checks.iter().for_each(|(_, e)| f(e));
    target.predicates.iter().for_each(|(_, e)| f(e));
}

fn target_exprs_mut(target: &mut Target, f: &mut dyn FnMut(&mut Expr)) {
    target.generated.iter_mut().for_each(|(_, e)| f(e));
    target.checks.iter_mut().for_each(|(_, e)| f(e));
    target.predicates.iter_mut().for_each(|(_, e)| f(e));
}
