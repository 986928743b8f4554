//! UPDATE.

use crate::bind::Binder;
use crate::bind::query::{BoundQuery, Clause, Level};
use crate::bind::scope::{Scope, fold};
use crate::plan::expr::Expr;
use crate::plan::rel::{JoinKind, Rel, Update};
use sqlparser::ast::{self, TableFactor};
use types::SqlError;

impl Binder<'_> {
    pub(crate) fn update(
        &mut self,
        update: &ast::Update,
        outer: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let TableFactor::Table { name, alias, .. } = &update.table.relation else {
            return Err(SqlError::not_supported("UPDATE needs a table"));
        };
        let table = self.target_table(name, "update")?;
        let shown = alias.as_ref().map_or_else(|| table.name.clone(), |a| fold(&a.name));
        let (get, item, row_key) = self.target_scan(&table, &shown)?;
        let old = self.old_columns(&item, &get.columns, table.columns.len(), &table);
        let from = match &update.from {
            None => &[][..],
            Some(
                ast::UpdateTableFromKind::AfterSet(from)
                | ast::UpdateTableFromKind::BeforeSet(from),
            ) => from.as_slice(),
        };
        self.levels.push(Level { clause: Clause::From, ..Level::default() });
        let bound = self.update_parts(update, from, Rel::Get(get), item, &table, outer);
        self.levels.pop();
        let (input, assignments, items) = bound?;
        let (target, new_item) = self.write_target(&table, &shown)?;
        let rel = Rel::Update(Box::new(Update { target, input, row_key, old, assignments }));
        let mut visible = vec![new_item];
        visible.extend(items.into_iter().skip(1));
        let returned = Scope { items: visible, outer: None };
        self.returning(rel, update.returning.as_deref(), &returned)
    }

    #[allow(clippy::type_complexity)]
    fn update_parts(
        &mut self,
        update: &ast::Update,
        from: &[ast::TableWithJoins],
        get: Rel,
        item: crate::bind::scope::Item,
        table: &catalog::descriptor::Table,
        outer: &Scope<'_>,
    ) -> Result<(Rel, Vec<(usize, Expr)>, Vec<crate::bind::scope::Item>), SqlError> {
        let mut scope = Scope { items: Vec::new(), outer: outer.outer };
        let mut rel = get;
        let others = self.from(from, &mut scope)?;
        if !matches!(others, Rel::Unit) {
            rel = Rel::Join {
                kind: JoinKind::Inner,
                left: Box::new(rel),
                right: Box::new(others),
                on: Expr::bool(true),
                lateral: false,
            };
        }
        scope.items.insert(0, item);
        self.enter(Clause::Set);
        let assignments = self.assignments(&update.assignments, table, &scope)?;
        if let Some(selection) = &update.selection {
            self.enter(Clause::Where);
            let predicate = self.condition(selection, "WHERE", &scope)?;
            rel = rel.filter(predicate);
        }
        Ok((rel, assignments, scope.items))
    }

    /// Ids of the old row's columns by position; dropped ones get a column that nothing produces.
    pub(super) fn old_columns(
        &mut self,
        _item: &crate::bind::scope::Item,
        columns: &[(crate::plan::expr::ColId, usize)],
        count: usize,
        table: &catalog::descriptor::Table,
    ) -> Vec<crate::plan::expr::ColId> {
        (0..count)
            .map(|position| match columns.iter().find(|(_, p)| *p == position) {
                Some((id, _)) => *id,
                None => self.new_column("?dropped?", table.columns[position].ty),
            })
            .collect()
    }
}
