//! One catalog snapshot seen through a session's search path.

use super::shared::Shared;
use crate::bind::catalog_view::{CatalogView, HostFunction, Relation};
use catalog::{CatalogSnapshot, Oid, PG_CATALOG, Schema, Table};
use std::sync::Arc;
use types::oid;

/// What binder and executor see of the catalog and of the session.
pub(crate) struct SessionView {
    pub shared: Arc<Shared>,
    pub catalog: Arc<CatalogSnapshot>,
    /// Schemas to look into, in order; `pg_catalog` is among them.
    pub path: Vec<Oid>,
    /// The same by name, as `search_path` says it.
    pub path_names: Vec<String>,
}

impl SessionView {
    /// Resolves a search path against a snapshot.
    pub(crate) fn new(
        shared: Arc<Shared>,
        catalog: Arc<CatalogSnapshot>,
        path_names: Vec<String>,
    ) -> SessionView {
        let mut path = Vec::with_capacity(path_names.len() + 2);
        for name in &path_names {
            let name = if name == "$user" { &shared.user } else { name };
            if let Some(schema) = find_schema(&shared, &catalog, name) {
                path.push(schema.oid);
            }
        }
        if !path.contains(&PG_CATALOG) {
            path.insert(0, PG_CATALOG);
        }
        if let Some(temp) = find_schema(&shared, &catalog, "pg_temp")
            && !path.contains(&temp.oid)
        {
            path.insert(0, temp.oid);
        }
        SessionView { shared, catalog, path, path_names }
    }

    /// A schema by name; `pg_temp` is the session's own.
    pub(crate) fn schema_named(&self, name: &str) -> Option<&Arc<Schema>> {
        find_schema(&self.shared, &self.catalog, name)
    }

    /// The schema in which unqualified names are created.
    pub(crate) fn creation_schema(&self) -> Option<&Arc<Schema>> {
        self.path_names.iter().find_map(|name| {
            let name = if name == "$user" { &self.shared.user } else { name };
            self.schema_named(name)
        })
    }

    /// A relation of any kind, indexes included.
    pub(crate) fn find(&self, schema: Option<&str>, name: &str) -> Option<&catalog::Relation> {
        match schema {
            Some(schema) => self.catalog.relation(self.schema_named(schema)?.oid, name),
            None => self.catalog.find_relation(&self.path, name),
        }
    }

    /// True when an unqualified name finds this relation.
    pub(crate) fn is_visible(&self, relation: Oid) -> bool {
        self.catalog.relation_by_oid(relation).is_some_and(|found| {
            self.catalog
                .find_relation(&self.path, found.name())
                .is_some_and(|first| first.oid() == relation)
        })
    }

    /// A relation's name as it must be written here: with its schema unless the path finds it.
    pub(crate) fn display_name(&self, relation: Oid) -> String {
        let Some(found) = self.catalog.relation_by_oid(relation) else {
            return relation.to_string();
        };
        let name = super::quote::identifier(found.name());
        if self.is_visible(relation) {
            return name;
        }
        match self.catalog.schema(found.schema()) {
            Some(schema) => format!("{}.{name}", super::quote::identifier(&schema.name)),
            None => name,
        }
    }

    /// True for schemas that `search_path` itself names.
    pub(crate) fn is_on_explicit_path(&self, schema: Oid) -> bool {
        self.path_names.iter().any(|name| {
            let name = if name == "$user" { &self.shared.user } else { name };
            self.schema_named(name).is_some_and(|found| found.oid == schema)
        })
    }

    fn reg_class(&self, text: &str) -> Option<Oid> {
        let names = super::quote::split_qualified(text)?;
        match names.as_slice() {
            [name] => self.find(None, name).map(catalog::Relation::oid),
            [schema, name] => self.find(Some(schema), name).map(catalog::Relation::oid),
            [database, schema, name] if *database == self.shared.database_name => {
                self.find(Some(schema), name).map(catalog::Relation::oid)
            }
            _ => None,
        }
    }
}

fn find_schema<'c>(
    shared: &Shared,
    catalog: &'c CatalogSnapshot,
    name: &str,
) -> Option<&'c Arc<Schema>> {
    if name == "pg_temp" {
        return catalog.schema_named(shared.database, &shared.temp_schema_name());
    }
    catalog.schema_named(shared.database, name)
}

impl CatalogView for SessionView {
    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Relation> {
        match self.find(schema, name)? {
            catalog::Relation::Table(table) => Some(Relation::Table(table.clone())),
            catalog::Relation::View(view) => Some(Relation::View(view.clone())),
            catalog::Relation::Sequence(sequence) => Some(Relation::Sequence(sequence.clone())),
            catalog::Relation::Index(..) => None,
        }
    }

    fn table_by_oid(&self, oid: Oid) -> Option<Arc<Table>> {
        self.catalog.table(oid).cloned()
    }

    fn schema_name(&self, oid: Oid) -> Option<String> {
        self.catalog.schema(oid).map(|schema| schema.name.clone())
    }

    fn schema_exists(&self, name: &str) -> bool {
        self.schema_named(name).is_some()
    }

    fn referencing(&self, table: Oid) -> Vec<Arc<Table>> {
        let refers = |t: &&Arc<Table>| t.foreign_keys.iter().any(|fk| fk.references == table);
        self.catalog.tables().filter(refers).cloned().collect()
    }

    fn reg_oid(&self, reg_type: Oid, text: &str) -> Option<Oid> {
        let folded = || super::quote::split_qualified(text)?.pop();
        match reg_type {
            oid::REGCLASS => self.reg_class(text),
            oid::REGNAMESPACE => self.schema_named(&folded()?).map(|schema| schema.oid),
            oid::REGROLE => self.catalog.role_named(&folded()?).map(|role| role.oid),
            oid::REGTYPE => types::type_by_name(&folded()?).map(|info| info.oid),
            _ => None,
        }
    }

    fn host_functions(&self, schema: Option<&str>, name: &str) -> Vec<Arc<HostFunction>> {
        super::functions::named(schema, name)
    }

    fn with_search_path(&self, search_path: &[String]) -> Arc<dyn CatalogView> {
        Arc::new(SessionView::new(self.shared.clone(), self.catalog.clone(), search_path.to_vec()))
    }
}
