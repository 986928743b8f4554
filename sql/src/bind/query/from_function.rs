//! Functions in FROM.

use super::{Clause, Level};
use crate::bind::Binder;
use crate::bind::expr::call::{CallName, call_name, plain_arg};
use crate::bind::scope::{Item, Scope, ScopeColumn, fold};
use crate::functions::Body;
use crate::plan::expr::{Callee, Expr, ExprKind};
use crate::plan::rel::{FunctionScan, FunctionSource, Rel};
use sqlparser::ast;
use types::{SqlError, SqlType};

impl Binder<'_> {
    pub(super) fn function_item(
        &mut self,
        name: &ast::ObjectName,
        args: &[ast::FunctionArg],
        ordinality: bool,
        alias: Option<&ast::TableAlias>,
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Item>), SqlError> {
        let name = call_name(name)?;
        let args = args.iter().map(plain_arg).collect::<Result<Vec<_>, _>>()?;
        self.function_rows(&name, &args, ordinality, alias, scope)
    }

    pub(super) fn function_rows(
        &mut self,
        name: &CallName,
        args: &[&ast::Expr],
        ordinality: bool,
        alias: Option<&ast::TableAlias>,
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Item>), SqlError> {
        // Arguments may use what stands to the left: LATERAL is implied.
        let inner = Scope::inside(scope);
        self.levels.push(Level { clause: Clause::Select, ..Level::default() });
        let bound = args
            .iter()
            .map(|arg| self.expr(arg, &inner))
            .collect::<Result<Vec<_>, _>>()
            .and_then(|args| self.call(name, args));
        let level = self.levels.pop().unwrap_or_default();
        let bound = bound?;
        let shown = alias.map_or_else(|| name.name.clone(), |a| fold(&a.name));
        let aliases = alias.map(|a| a.columns.as_slice()).unwrap_or_default();
        let (source, args, shape) = self.function_shape(bound, level, &shown)?;
        let mut columns = Vec::with_capacity(shape.len());
        let mut visible = Vec::with_capacity(shape.len() + 1);
        for (i, (column, ty)) in shape.into_iter().enumerate() {
            let column = aliases.get(i).map_or(column, |a| fold(&a.name));
            let id = self.new_column(&column, ty);
            self.columns[id.0 as usize].relation = shown.clone();
            columns.push(id);
            visible.push(ScopeColumn { name: column, id, ty, merged: false, system: false });
        }
        let ordinality = ordinality.then(|| {
            let column =
                aliases.get(columns.len()).map_or("ordinality".to_owned(), |a| fold(&a.name));
            let id = self.new_column(&column, SqlType::INT8);
            visible.push(ScopeColumn {
                name: column,
                id,
                ty: SqlType::INT8,
                merged: false,
                system: false,
            });
            id
        });
        let item = Item {
            name: shown.clone(),
            schema: None,
            columns: visible,
            qualified_only: false,
            table: None,
        };
        let scan = FunctionScan { source, args, alias: shown, columns, ordinality };
        Ok((Rel::Function(scan), vec![item]))
    }

    /// What a call in FROM returns: its source, arguments, and names and types of columns.
    #[allow(clippy::type_complexity)]
    fn function_shape(
        &self,
        bound: Expr,
        level: Level,
        shown: &str,
    ) -> Result<(FunctionSource, Vec<Expr>, Vec<(String, SqlType)>), SqlError> {
        if let Some((column, function, args)) = level.sets.into_iter().next_back() {
            if !matches!(bound.kind, ExprKind::Column(c, _) if c == column) {
                return Err(SqlError::not_supported(
                    "set-returning functions must appear at top level of FROM",
                ));
            }
            let shape = if function.columns.is_empty() {
                vec![(shown.to_owned(), bound.ty)]
            } else {
                let column = |(name, ty): &(&str, u32)| ((*name).to_owned(), SqlType::new(*ty));
                function.columns.iter().map(column).collect()
            };
            return Ok((FunctionSource::Set(function), args, shape));
        }
        match bound.kind {
            ExprKind::Host(function, args) => {
                let shape = if function.columns.is_empty() {
                    vec![(shown.to_owned(), function.returns)]
                } else {
                    function.columns.clone()
                };
                Ok((FunctionSource::Host(function), args, shape))
            }
            ExprKind::Call(Callee::Function(f), _) if matches!(f.body, Body::Scalar(_)) => {
                let shape = vec![(shown.to_owned(), bound.ty)];
                Ok((FunctionSource::Scalar, vec![bound], shape))
            }
            _ => {
                let ty = bound.ty;
                Ok((FunctionSource::Scalar, vec![bound], vec![(shown.to_owned(), ty)]))
            }
        }
    }
}
