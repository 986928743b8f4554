//! COMMENT ON.

use super::Ddl;
use super::alter::missing_column;
use super::drop::plain_name;
use crate::session::names::parts;
use catalog::{Descriptor, Relation};
use sqlparser::ast::{CommentObject, Ident, ObjectName};
use std::sync::Arc;
use types::{SqlError, sqlstate};

impl Ddl<'_> {
    pub(super) async fn comment(
        &mut self,
        kind: &CommentObject,
        name: &ObjectName,
        text: Option<&str>,
    ) -> Result<(), SqlError> {
        let text = text.filter(|text| !text.is_empty()).map(str::to_owned);
        match kind {
            CommentObject::Table
            | CommentObject::View
            | CommentObject::Sequence
            | CommentObject::Index => {
                let found = self.find(name)?;
                self.comment_on_relation(&found, text).await
            }
            CommentObject::Column => self.comment_on_column(name, text).await,
            CommentObject::Schema | CommentObject::Database => {
                let name = plain_name(name);
                let view = self.view();
                let oid = match kind {
                    CommentObject::Schema => view.schema_named(&name).map(|s| s.oid),
                    _ => view.catalog.database_named(&name).map(|d| d.oid),
                };
                let oid = oid.ok_or_else(|| super::schema::no_schema(&name))?;
                let old = self.lock(oid).await?;
                let new = match &old {
                    Descriptor::Schema(schema) => {
                        let mut new = (**schema).clone();
                        new.comment = text;
                        Descriptor::Schema(Arc::new(new))
                    }
                    Descriptor::Database(database) => {
                        let mut new = (**database).clone();
                        new.comment = text;
                        Descriptor::Database(Arc::new(new))
                    }
                    other => return Err(wrong(other.name())),
                };
                self.replace(&old, new).await
            }
            // Kept for objects of ours only.
            _ => Ok(()),
        }
    }

    async fn comment_on_relation(
        &mut self,
        relation: &Relation,
        text: Option<String>,
    ) -> Result<(), SqlError> {
        let oid = match relation {
            Relation::Index(table, _) => table.oid,
            other => other.oid(),
        };
        let old = self.lock(oid).await?;
        let new = match &old {
            Descriptor::Table(table) => {
                let mut new = (**table).clone();
                match relation {
                    Relation::Index(_, index) => {
                        if let Some(index) = new.indexes.iter_mut().find(|i| i.oid == *index) {
                            index.comment = text;
                        }
                    }
                    _ => new.comment = text,
                }
                Descriptor::Table(Arc::new(new))
            }
            Descriptor::View(view) => {
                let mut new = (**view).clone();
                new.comment = text;
                Descriptor::View(Arc::new(new))
            }
            Descriptor::Sequence(sequence) => {
                let mut new = (**sequence).clone();
                new.comment = text;
                Descriptor::Sequence(Arc::new(new))
            }
            other => return Err(wrong(other.name())),
        };
        self.replace(&old, new).await
    }

    async fn comment_on_column(
        &mut self,
        name: &ObjectName,
        text: Option<String>,
    ) -> Result<(), SqlError> {
        let mut names = parts(name);
        let column = names.pop().unwrap_or_default();
        let idents: Vec<Ident> = names.iter().map(|n| Ident::with_quote('"', n)).collect();
        let table = self.find_table(&ObjectName::from(idents))?;
        let old = self.lock_table(table.oid).await?;
        let mut new = (*old).clone();
        match new.columns.iter_mut().find(|c| c.is_visible() && c.name == column) {
            Some(found) => found.comment = text,
            None => return Err(missing_column(&column, &table.name)),
        }
        self.replace_table(&old, new).await.map(|_| ())
    }
}

fn wrong(name: &str) -> SqlError {
    SqlError::new(sqlstate::WRONG_OBJECT_TYPE, format!("\"{name}\" cannot have this comment"))
}
