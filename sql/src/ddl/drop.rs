//! DROP: objects and what depends on them.

use super::{Ddl, missing_relation, object_word};
use crate::session::names::{parts, simple};
use catalog::{Column, ColumnId, Descriptor, Index, Oid, Relation, Table, TableKind};
use sqlparser::ast::{ObjectName, ObjectType, Statement};
use std::collections::BTreeSet;
use std::sync::Arc;
use types::{SqlError, sqlstate};

/// What goes along with a dropped object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dependent {
    View(Oid),
    Table(Oid),
    Sequence(Oid),
    ForeignKey(Oid, String),
    Default(Oid, ColumnId),
}

impl Ddl<'_> {
    pub(super) async fn drop_statement(
        &mut self,
        statement: &Statement,
    ) -> Result<String, SqlError> {
        let Statement::Drop { object_type, if_exists, names, cascade, .. } = statement else {
            return Err(SqlError::internal("not DROP"));
        };
        let word = object_word(*object_type);
        match object_type {
            ObjectType::Schema => self.drop_schemas(names, *if_exists, *cascade).await?,
            ObjectType::Database => self.drop_database(names, *if_exists).await?,
            ObjectType::Role | ObjectType::User | ObjectType::Group => {
                self.drop_roles(names, *if_exists).await?;
                return Ok("DROP ROLE".to_owned());
            }
            ObjectType::Table | ObjectType::View | ObjectType::Index | ObjectType::Sequence => {
                self.drop_relations(*object_type, names, *if_exists, *cascade).await?;
            }
            ObjectType::Type | ObjectType::MaterializedView if *if_exists => {
                for name in names {
                    self.skip(&format!("{word} \"{name}\" does not exist"));
                }
            }
            _ => {
                let name = names.first().map(ToString::to_string).unwrap_or_default();
                let message = format!("{word} \"{name}\" does not exist");
                return Err(SqlError::new(sqlstate::UNDEFINED_OBJECT, message));
            }
        }
        Ok(format!("DROP {}", word.to_uppercase()))
    }

    async fn drop_relations(
        &mut self,
        kind: ObjectType,
        names: &[ObjectName],
        if_exists: bool,
        cascade: bool,
    ) -> Result<(), SqlError> {
        let mut found = Vec::new();
        for name in names {
            if let Some(relation) = self.find_to_drop(kind, name, if_exists)? {
                found.push(relation);
            }
        }
        for relation in &found {
            if let Relation::Index(table, index) = relation {
                self.fence(table.oid).await?;
                let table = self.lock_table(table.oid).await?;
                if let Some(index) = table.index_by_oid(*index).cloned() {
                    self.check_not_constraint(&table, &index)?;
                    self.drop_index(&table, &index, cascade).await?;
                }
            }
        }
        let together: BTreeSet<Oid> = found.iter().map(Relation::oid).collect();
        for relation in &found {
            if !matches!(relation, Relation::Index(..)) {
                self.drop_relation(relation.oid(), &together, cascade).await?;
            }
        }
        Ok(())
    }

    fn find_to_drop(
        &mut self,
        kind: ObjectType,
        name: &ObjectName,
        if_exists: bool,
    ) -> Result<Option<Relation>, SqlError> {
        let word = object_word(kind);
        let (schema, relation) = self.qualified(name)?;
        let found = match self.find(name) {
            Ok(found) => found,
            Err(_) if if_exists => {
                let missing = match &schema {
                    Some(s) if self.view().schema_named(s).is_none() => {
                        format!("schema \"{s}\" does not exist")
                    }
                    _ => format!("{word} \"{relation}\" does not exist"),
                };
                self.skip(&missing);
                return Ok(None);
            }
            Err(error) if error.code == sqlstate::UNDEFINED_TABLE => {
                let code = if kind == ObjectType::Index {
                    sqlstate::UNDEFINED_OBJECT
                } else {
                    sqlstate::UNDEFINED_TABLE
                };
                let shown = missing_relation(schema.as_deref(), &relation);
                let message = shown.message.replacen("relation", word, 1);
                return Err(SqlError::new(code, message));
            }
            Err(error) => return Err(error),
        };
        let actual = match &found {
            Relation::Table(table) if table.kind == TableKind::Virtual => {
                return Err(SqlError::new(
                    sqlstate::INSUFFICIENT_PRIVILEGE,
                    format!("permission denied: \"{relation}\" is a system catalog"),
                ));
            }
            Relation::Table(_) => ObjectType::Table,
            Relation::View(_) => ObjectType::View,
            Relation::Sequence(_) => ObjectType::Sequence,
            Relation::Index(..) => ObjectType::Index,
        };
        if actual == kind {
            return Ok(Some(found));
        }
        let article = |word: &str| if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        Err(SqlError::new(
            sqlstate::WRONG_OBJECT_TYPE,
            format!("\"{relation}\" is not {} {word}", article(word)),
        )
        .with_hint(format!(
            "Use DROP {} to remove {} {}.",
            object_word(actual).to_uppercase(),
            article(object_word(actual)),
            object_word(actual)
        )))
    }

    /// Drops a table, view or sequence with what depends on it.
    pub(super) async fn drop_relation(
        &mut self,
        oid: Oid,
        together: &BTreeSet<Oid>,
        cascade: bool,
    ) -> Result<(), SqlError> {
        if self.view().catalog.object(oid).is_none() {
            return Ok(());
        }
        self.check_owned_sequence(oid, together)?;
        let dependents = self.dependents(oid, together);
        if !dependents.is_empty() && !cascade {
            return Err(self.still_needed(oid, &dependents));
        }
        self.announce_cascade(&dependents);
        for dependent in &dependents {
            self.drop_dependent(dependent).await?;
        }
        self.drop_owned_sequences(oid, None).await?;
        let old = self.lock(oid).await?;
        if let Descriptor::Table(table) = &old {
            self.abandon(table, None);
        }
        self.remove(&old);
        Ok(())
    }

    /// Everything outside of `together` that needs the object, views of views included.
    pub(super) fn dependents(&mut self, oid: Oid, together: &BTreeSet<Oid>) -> Vec<Dependent> {
        let view = self.view();
        let mut out = Vec::new();
        let mut queue = vec![oid];
        while let Some(needed) = queue.pop() {
            for object in view.catalog.objects() {
                let dependent = match object {
                    Descriptor::View(v) if v.depends_on.contains(&needed) => {
                        Some(Dependent::View(v.oid))
                    }
                    Descriptor::Table(t) if t.oid != needed => t
                        .foreign_keys
                        .iter()
                        .find(|key| key.references == needed)
                        .map(|key| Dependent::ForeignKey(t.oid, key.name.clone()))
                        .or_else(|| {
                            let uses = |c: &&Column| {
                                !c.is_dropped
                                    && c.default.as_ref().is_some_and(|d| {
                                        d.contains(&format!("'{needed}'::regclass"))
                                    })
                            };
                            let column = t.columns.iter().find(uses)?;
                            Some(Dependent::Default(t.oid, column.id))
                        }),
                    _ => None,
                };
                let Some(dependent) = dependent else { continue };
                let owner = match &dependent {
                    Dependent::View(o) | Dependent::Table(o) | Dependent::Sequence(o) => *o,
                    Dependent::ForeignKey(o, _) | Dependent::Default(o, _) => *o,
                };
                if together.contains(&owner) || out.contains(&dependent) {
                    continue;
                }
                if let Dependent::View(view) = &dependent {
                    queue.push(*view);
                }
                out.push(dependent);
            }
        }
        out
    }

    pub(super) async fn drop_dependent(&mut self, dependent: &Dependent) -> Result<(), SqlError> {
        match dependent {
            Dependent::View(oid) | Dependent::Sequence(oid) => {
                if self.view().catalog.object(*oid).is_some() {
                    let old = self.lock(*oid).await?;
                    self.remove(&old);
                }
                Ok(())
            }
            Dependent::Table(oid) => {
                Box::pin(self.drop_relation(*oid, &BTreeSet::new(), true)).await
            }
            Dependent::ForeignKey(table, name) => {
                let old = self.lock_table(*table).await?;
                let mut new = (*old).clone();
                new.foreign_keys.retain(|key| key.name != *name);
                self.replace_table(&old, new).await.map(|_| ())
            }
            Dependent::Default(table, column) => {
                let old = self.lock_table(*table).await?;
                let mut new = (*old).clone();
                for column in new.columns.iter_mut().filter(|c| c.id == *column) {
                    column.default = None;
                }
                self.replace_table(&old, new).await.map(|_| ())
            }
        }
    }

    /// Sequences of SERIAL and IDENTITY go with their column or table.
    pub(super) async fn drop_owned_sequences(
        &mut self,
        table: Oid,
        column: Option<ColumnId>,
    ) -> Result<(), SqlError> {
        let view = self.view();
        let owned: Vec<Oid> = view
            .catalog
            .objects()
            .filter_map(|object| match object {
                Descriptor::Sequence(s) => Some(s),
                _ => None,
            })
            .filter(|s| {
                s.owned_by.is_some_and(|o| {
                    o.table == table && column.is_none_or(|column| column == o.column)
                })
            })
            .map(|s| s.oid)
            .collect();
        for sequence in owned {
            let old = self.lock(sequence).await?;
            self.remove(&old);
        }
        Ok(())
    }

    /// Drops an index of a locked table; the primary key takes the rows to new storage.
    pub(super) async fn drop_index(
        &mut self,
        table: &Arc<Table>,
        index: &Index,
        cascade: bool,
    ) -> Result<(), SqlError> {
        self.fence(table.oid).await?;
        let keys = self.keys_that_need(table, index);
        if !keys.is_empty() && !cascade {
            let detail: Vec<String> = keys
                .iter()
                .map(|key| {
                    format!(
                        "{} depends on index {}",
                        self.describe(key),
                        crate::session::quote::identifier(&index.name)
                    )
                })
                .collect();
            return Err(SqlError::new(
                sqlstate::DEPENDENT_OBJECTS_STILL_EXIST,
                format!(
                    "cannot drop constraint {} on table {} because other objects depend on it",
                    index.name, table.name
                ),
            )
            .with_detail(detail.join("\n"))
            .with_hint("Use DROP ... CASCADE to drop the dependent objects too."));
        }
        self.announce_cascade(&keys);
        for key in &keys {
            self.drop_dependent(key).await?;
        }
        let old = self.lock_table(table.oid).await?;
        let mut new = (*old).clone();
        new.indexes.retain(|other| other.oid != index.oid);
        if !index.is_primary {
            self.abandon(&old, Some(index.id));
            return self.replace_table(&old, new).await.map(|_| ());
        }
        // The key stays what it is; only its declaration goes. Uniqueness is enforced no more, so
        // the rows need a key that cannot clash.
        new.add_row_id();
        self.move_storage(&mut new).await?;
        let new = self.replace_table(&old, new).await?;
        self.rewrite(&old, &new, &mut super::alter_column::FreshRowIds::default()).await
    }

    fn keys_that_need(&mut self, table: &Table, index: &Index) -> Vec<Dependent> {
        if !index.is_unique {
            return Vec::new();
        }
        let columns: BTreeSet<ColumnId> = index.columns.iter().map(|c| c.column).collect();
        let mut out = Vec::new();
        for other in self.view().catalog.tables() {
            for key in &other.foreign_keys {
                let referenced: BTreeSet<ColumnId> =
                    key.referenced_columns.iter().copied().collect();
                if key.references == table.oid && referenced == columns {
                    out.push(Dependent::ForeignKey(other.oid, key.name.clone()));
                }
            }
        }
        out
    }

    fn check_not_constraint(&self, table: &Table, index: &Index) -> Result<(), SqlError> {
        if !index.is_constraint {
            return Ok(());
        }
        Err(SqlError::new(
            sqlstate::DEPENDENT_OBJECTS_STILL_EXIST,
            format!(
                "cannot drop index {} because constraint {} on table {} requires it",
                index.name, index.name, table.name
            ),
        )
        .with_hint(format!(
            "You can drop constraint {} on table {} instead.",
            index.name, table.name
        )))
    }

    fn check_owned_sequence(&mut self, oid: Oid, together: &BTreeSet<Oid>) -> Result<(), SqlError> {
        let view = self.view();
        let Some(sequence) = view.catalog.sequence(oid) else { return Ok(()) };
        let Some(owner) = sequence.owned_by.filter(|o| o.is_identity) else { return Ok(()) };
        let Some(table) = view.catalog.table(owner.table) else { return Ok(()) };
        if together.contains(&owner.table) {
            return Ok(());
        }
        let column = table.column(owner.column).map_or("", |c| &c.name);
        Err(SqlError::new(
            sqlstate::DEPENDENT_OBJECTS_STILL_EXIST,
            format!(
                "cannot drop sequence {} because column {column} of table {} requires it",
                sequence.name, table.name
            ),
        )
        .with_hint(format!("You can drop column {column} of table {} instead.", table.name)))
    }

    /// The columns of views and foreign keys that keep a column from being dropped.
    pub(super) async fn check_column_dependents(
        &mut self,
        table: &Arc<Table>,
        column: &Column,
        cascade: bool,
    ) -> Result<(), SqlError> {
        let view = self.view();
        let mut needed = Vec::new();
        for object in view.catalog.objects() {
            match object {
                Descriptor::View(v)
                    if v.depends_on.contains(&table.oid)
                        && super::rename::mentions(&v.query, &column.name) =>
                {
                    needed.push(Dependent::View(v.oid));
                }
                Descriptor::Table(other) if other.oid != table.oid => {
                    let keys = other.foreign_keys.iter().filter(|key| {
                        key.references == table.oid && key.referenced_columns.contains(&column.id)
                    });
                    let dependents =
                        keys.map(|key| Dependent::ForeignKey(other.oid, key.name.clone()));
                    needed.extend(dependents);
                }
                _ => {}
            }
        }
        if needed.is_empty() {
            return Ok(());
        }
        if !cascade {
            let what = format!("column {} of table {}", column.name, table.name);
            return Err(self.needed_by(&what, &needed));
        }
        self.announce_cascade(&needed);
        for dependent in &needed {
            self.drop_dependent(dependent).await?;
        }
        Ok(())
    }

    fn still_needed(&mut self, oid: Oid, dependents: &[Dependent]) -> SqlError {
        let what = self.describe_object(oid);
        self.needed_by(&what, dependents)
    }

    pub(super) fn needed_by(&mut self, what: &str, dependents: &[Dependent]) -> SqlError {
        let details: Vec<String> = dependents
            .iter()
            .map(|dependent| format!("{} depends on {what}", self.describe(dependent)))
            .collect();
        SqlError::new(
            sqlstate::DEPENDENT_OBJECTS_STILL_EXIST,
            format!("cannot drop {what} because other objects depend on it"),
        )
        .with_detail(details.join("\n"))
        .with_hint("Use DROP ... CASCADE to drop the dependent objects too.")
    }

    pub(super) fn announce_cascade(&mut self, dependents: &[Dependent]) {
        let code = sqlstate::SUCCESSFUL_COMPLETION;
        match dependents {
            [] => {}
            [one] => {
                let message = format!("drop cascades to {}", self.describe(one));
                self.notice(code, message);
            }
            many => {
                let lines: Vec<String> =
                    many.iter().map(|d| format!("drop cascades to {}", self.describe(d))).collect();
                let notice =
                    SqlError::new(code, format!("drop cascades to {} other objects", many.len()))
                        .with_severity(types::Severity::Notice)
                        .with_detail(lines.join("\n"));
                self.shared.notices.lock().push(notice);
            }
        }
    }

    fn describe(&mut self, dependent: &Dependent) -> String {
        match dependent {
            Dependent::View(oid) | Dependent::Table(oid) | Dependent::Sequence(oid) => {
                self.describe_object(*oid)
            }
            Dependent::ForeignKey(table, name) => {
                format!("constraint {name} on {}", self.describe_object(*table))
            }
            Dependent::Default(table, column) => {
                let view = self.view();
                let name = view
                    .catalog
                    .table(*table)
                    .and_then(|t| Some(t.column(*column)?.name.clone()))
                    .unwrap_or_default();
                format!("default value for column {name} of {}", self.describe_object(*table))
            }
        }
    }

    pub(super) fn describe_object(&mut self, oid: Oid) -> String {
        let view = self.view();
        let word = match view.catalog.object(oid) {
            Some(Descriptor::Table(_)) => "table",
            Some(Descriptor::View(_)) => "view",
            Some(Descriptor::Sequence(_)) => "sequence",
            Some(Descriptor::Schema(schema)) => return format!("schema {}", schema.name),
            _ => "object",
        };
        format!("{word} {}", view.display_name(oid))
    }
}

/// The name in a DROP of something that has no schema.
pub(super) fn plain_name(name: &ObjectName) -> String {
    let mut names = parts(name);
    match names.len() {
        1 => names.remove(0),
        _ => simple(name),
    }
}
