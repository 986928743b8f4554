//! DELETE.

use crate::bind::Binder;
use crate::bind::query::{BoundQuery, Clause, Level};
use crate::bind::scope::{Item, Scope, fold};
use crate::plan::expr::Expr;
use crate::plan::rel::{Delete, JoinKind, Rel};
use sqlparser::ast::{self, FromTable, TableFactor};
use types::SqlError;

impl Binder<'_> {
    pub(crate) fn delete(
        &mut self,
        delete: &ast::Delete,
        outer: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let Some(TableFactor::Table { name, alias, .. }) = from.first().map(|f| &f.relation) else {
            return Err(SqlError::not_supported("DELETE needs a table"));
        };
        let table = self.target_table(name, "delete from")?;
        let shown = alias.as_ref().map_or_else(|| table.name.clone(), |a| fold(&a.name));
        let (get, item, row_key) = self.target_scan(&table, &shown)?;
        let old = self.old_columns(&item, &get.columns, table.columns.len(), &table);
        self.levels.push(Level { clause: Clause::From, ..Level::default() });
        let bound = self.delete_parts(delete, Rel::Get(get), item, outer);
        self.levels.pop();
        let (input, items) = bound?;
        let (target, _) = self.write_target(&table, &shown)?;
        let rel = Rel::Delete(Box::new(Delete { target, input, row_key, old }));
        let returned = Scope { items, outer: None };
        self.returning(rel, delete.returning.as_deref(), &returned)
    }

    fn delete_parts(
        &mut self,
        delete: &ast::Delete,
        get: Rel,
        item: Item,
        outer: &Scope<'_>,
    ) -> Result<(Rel, Vec<Item>), SqlError> {
        let mut scope = Scope { items: Vec::new(), outer: outer.outer };
        let mut rel = get;
        let using = delete.using.as_deref().unwrap_or_default();
        let others = self.from(using, &mut scope)?;
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
        if let Some(selection) = &delete.selection {
            self.enter(Clause::Where);
            let predicate = self.condition(selection, "WHERE", &scope)?;
            rel = rel.filter(predicate);
        }
        Ok((rel, scope.items))
    }
}
