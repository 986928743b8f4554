//! Window functions.

use super::Clause;
use crate::bind::Binder;
use crate::bind::expr::call::{CallName, no_function};
use crate::bind::expr::sort_key;
use crate::bind::resolve::Choice;
use crate::bind::scope::{Scope, fold};
use crate::functions;
use crate::plan::expr::Expr;
use crate::plan::rel::{Bound, Frame, FrameUnit, SortKey, WindowCall, WindowFunction};
use sqlparser::ast::{self, WindowFrameBound, WindowFrameUnits, WindowType};
use types::{SqlError, SqlType, sqlstate};

impl Binder<'_> {
    pub(crate) fn window_call(
        &mut self,
        call: &ast::Function,
        name: &CallName,
        over: &WindowType,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let clause = self.levels.last().map_or(Clause::None, |l| l.clause);
        if !clause.allows_windows() {
            let message = match clause {
                Clause::WindowArgument => "window function calls cannot be nested".to_owned(),
                Clause::AggregateArgument => {
                    "aggregate function calls cannot contain window function calls".to_owned()
                }
                other => format!("window functions are not allowed in {}", other.words()),
            };
            return Err(self.error_at(name.span, sqlstate::WINDOWING_ERROR, message));
        }
        let saved = self.enter(Clause::WindowArgument);
        let bound = self.window_parts(call, name, over, scope);
        self.leave(saved);
        let bound = bound?;
        let (column, ty) = (bound.column, bound.ty);
        if let Some(level) = self.levels.last_mut() {
            level.windows.push(bound);
        }
        Ok(Expr::column(column, ty))
    }

    fn window_parts(
        &mut self,
        call: &ast::Function,
        name: &CallName,
        over: &WindowType,
        scope: &Scope<'_>,
    ) -> Result<WindowCall, SqlError> {
        let (function, args, filter, ty) = if functions::aggregates(&name.name).is_empty() {
            let (function, args, ty) = self.pure_window(call, name, scope)?;
            (function, args, None, ty)
        } else {
            let call = self.aggregate_parts(call, name, scope)?;
            if call.distinct {
                return Err(SqlError::not_supported(
                    "DISTINCT is not implemented for window functions",
                ));
            }
            (WindowFunction::Aggregate(call.function), call.args, call.filter, call.ty)
        };
        let spec = self.window_spec(over)?;
        let mut partition = Vec::with_capacity(spec.partition_by.len());
        for expr in &spec.partition_by {
            let bound = self.expr(expr, scope)?;
            partition.push(self.decided(bound)?);
        }
        let mut order: Vec<SortKey> = Vec::with_capacity(spec.order_by.len());
        for item in &spec.order_by {
            let bound = self.expr(&item.expr, scope)?;
            let bound = self.decided(bound)?;
            order.push(sort_key(bound, &item.options));
        }
        let frame = self.frame(spec.window_frame.as_ref(), &order, scope)?;
        let column = self.new_column(&name.name, ty);
        Ok(WindowCall { column, function, args, filter, partition, order, frame, ty })
    }

    /// The window a call refers to, named windows filled in.
    fn window_spec(&self, over: &WindowType) -> Result<ast::WindowSpec, SqlError> {
        match over {
            WindowType::NamedWindow(name) => self.named_window(name),
            WindowType::WindowSpec(spec) => {
                let mut spec = spec.clone();
                if let Some(base) = &spec.window_name {
                    let base = self.named_window(base)?;
                    spec.partition_by = base.partition_by;
                    if spec.order_by.is_empty() {
                        spec.order_by = base.order_by;
                    }
                }
                Ok(spec)
            }
        }
    }

    fn named_window(&self, name: &ast::Ident) -> Result<ast::WindowSpec, SqlError> {
        let wanted = fold(name);
        let level = self.levels.last();
        let found =
            level.and_then(|l| l.named_windows.iter().find(|w| fold(&w.0) == wanted)).map(|w| &w.1);
        match found {
            Some(ast::NamedWindowExpr::WindowSpec(spec)) => Ok(spec.clone()),
            Some(ast::NamedWindowExpr::NamedWindow(other)) if fold(other) != wanted => {
                self.named_window(other)
            }
            _ => Err(self.error_at(
                name.span,
                sqlstate::UNDEFINED_OBJECT,
                format!("window \"{wanted}\" does not exist"),
            )),
        }
    }

    fn pure_window(
        &mut self,
        call: &ast::Function,
        name: &CallName,
        scope: &Scope<'_>,
    ) -> Result<(WindowFunction, Vec<Expr>, SqlType), SqlError> {
        use WindowFunction as W;
        let mut args = self.call_args(call, scope)?;
        for arg in &mut args {
            let undecided = std::mem::replace(arg, Expr::null(SqlType::UNKNOWN));
            *arg = self.decided(undecided)?;
        }
        let actual: Vec<u32> = args.iter().map(|a| a.ty.oid).collect();
        let unknown = || no_function(name, &actual, Choice::None);
        let (function, counts, ty) = match name.name.as_str() {
            "row_number" => (W::RowNumber, 0..=0, SqlType::INT8),
            "rank" => (W::Rank, 0..=0, SqlType::INT8),
            "dense_rank" => (W::DenseRank, 0..=0, SqlType::INT8),
            "percent_rank" => (W::PercentRank, 0..=0, SqlType::FLOAT8),
            "cume_dist" => (W::CumeDist, 0..=0, SqlType::FLOAT8),
            "ntile" => (W::Ntile, 1..=1, SqlType::INT4),
            "lag" | "lead" | "first_value" | "last_value" | "nth_value" => {
                let ty = args.first().map(|a| a.ty).ok_or_else(unknown)?;
                match name.name.as_str() {
                    "lag" => (W::Lag, 1..=3, ty),
                    "lead" => (W::Lead, 1..=3, ty),
                    "first_value" => (W::FirstValue, 1..=1, ty),
                    "last_value" => (W::LastValue, 1..=1, ty),
                    _ => (W::NthValue, 2..=2, ty),
                }
            }
            _ => {
                return Err(if functions::lookup(&name.name).is_empty() {
                    self.place(unknown(), name.span)
                } else {
                    self.error_at(
                        name.span,
                        sqlstate::WRONG_OBJECT_TYPE,
                        format!(
                            "OVER specified, but {} is not a window function nor an aggregate \
                             function",
                            name.name
                        ),
                    )
                });
            }
        };
        if !counts.contains(&args.len()) {
            return Err(self.place(unknown(), name.span));
        }
        // Offsets and counts are integers; a default has the type of the value.
        let counted = if function_counts_first(function) { 0 } else { 1 };
        for (i, arg) in args.iter_mut().enumerate().skip(counted).take(1) {
            debug_assert!(i == counted);
            let old = std::mem::replace(arg, Expr::null(SqlType::INT4));
            *arg = self.implicit(old, SqlType::INT4)?;
        }
        if let Some(arg) = args.get_mut(2) {
            let old = std::mem::replace(arg, Expr::null(ty));
            *arg = self.implicit(old, ty)?;
        }
        Ok((function, args, ty))
    }

    fn frame(
        &mut self,
        frame: Option<&ast::WindowFrame>,
        order: &[SortKey],
        scope: &Scope<'_>,
    ) -> Result<Frame, SqlError> {
        let Some(frame) = frame else {
            return Ok(Frame {
                unit: FrameUnit::Range,
                start: Bound::UnboundedPreceding,
                end: Bound::CurrentRow,
            });
        };
        let unit = match frame.units {
            WindowFrameUnits::Rows => FrameUnit::Rows,
            WindowFrameUnits::Range => FrameUnit::Range,
            WindowFrameUnits::Groups => FrameUnit::Groups,
        };
        let start = self.frame_bound(&frame.start_bound, unit, order, scope)?;
        let end = match &frame.end_bound {
            Some(bound) => self.frame_bound(bound, unit, order, scope)?,
            None => Bound::CurrentRow,
        };
        let problem = match (&start, &end) {
            (Bound::UnboundedFollowing, _) => "frame start cannot be UNBOUNDED FOLLOWING",
            (_, Bound::UnboundedPreceding) => "frame end cannot be UNBOUNDED PRECEDING",
            (Bound::CurrentRow, Bound::Preceding(_)) => {
                "frame starting from current row cannot have preceding rows"
            }
            (Bound::Following(_), Bound::Preceding(_) | Bound::CurrentRow) => {
                "frame starting from following row cannot have preceding rows"
            }
            _ => return Ok(Frame { unit, start, end }),
        };
        Err(SqlError::new(sqlstate::WINDOWING_ERROR, problem))
    }

    fn frame_bound(
        &mut self,
        bound: &WindowFrameBound,
        unit: FrameUnit,
        order: &[SortKey],
        scope: &Scope<'_>,
    ) -> Result<Bound, SqlError> {
        let mut offset = |expr: &ast::Expr| -> Result<Expr, SqlError> {
            let bound = self.expr(expr, scope)?;
            match (unit, order) {
                (FrameUnit::Range, [key]) => {
                    let ty = match types::type_by_oid(key.expr.ty.oid).map(|i| i.category) {
                        Some('D') => SqlType::INTERVAL,
                        _ => key.expr.ty,
                    };
                    self.implicit(bound, ty)
                }
                (FrameUnit::Range, _) => Err(SqlError::new(
                    sqlstate::WINDOWING_ERROR,
                    "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column",
                )),
                _ => self.implicit(bound, SqlType::INT8),
            }
        };
        Ok(match bound {
            WindowFrameBound::CurrentRow => Bound::CurrentRow,
            WindowFrameBound::Preceding(None) => Bound::UnboundedPreceding,
            WindowFrameBound::Following(None) => Bound::UnboundedFollowing,
            WindowFrameBound::Preceding(Some(e)) => Bound::Preceding(offset(e)?),
            WindowFrameBound::Following(Some(e)) => Bound::Following(offset(e)?),
        })
    }
}

fn function_counts_first(function: WindowFunction) -> bool {
    matches!(function, WindowFunction::Ntile)
}
