//! The catalog in memory: one immutable value with hash indexes, shared by all sessions of a
//! process until a newer one takes its place. A transaction that has changed the catalog sees a
//! private one.

use crate::descriptor::{
    Database, Descriptor, Index, Oid, Role, Schema, Sequence, Table, TableKind, View,
};
use crate::fence::FenceOwner;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The schema of built-in types and functions, part of every search path.
pub const PG_CATALOG: Oid = 11;
/// `information_schema`.
pub const INFORMATION_SCHEMA: Oid = 13_000;
/// The schema of the cluster's own views.
pub const SHARDDB: Oid = 13_001;
/// Schema `public` of the database `postgres`.
pub const PUBLIC: Oid = 2200;
/// The database that exists from the start.
pub const POSTGRES_DATABASE: Oid = 5;
/// The superuser that exists from the start.
pub const POSTGRES_ROLE: Oid = 10;

/// A name of the namespace that tables, views, sequences and indexes share.
#[derive(Clone, Debug, PartialEq)]
pub enum Relation {
    Table(Arc<Table>),
    View(Arc<View>),
    Sequence(Arc<Sequence>),
    /// An index, with its table.
    Index(Arc<Table>, Oid),
}

impl Relation {
    /// Its OID.
    pub fn oid(&self) -> Oid {
        match self {
            Relation::Table(t) => t.oid,
            Relation::View(v) => v.oid,
            Relation::Sequence(s) => s.oid,
            Relation::Index(_, oid) => *oid,
        }
    }

    /// The schema it is in.
    pub fn schema(&self) -> Oid {
        match self {
            Relation::Table(t) | Relation::Index(t, _) => t.schema,
            Relation::View(v) => v.schema,
            Relation::Sequence(s) => s.schema,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Relation::Table(t) => &t.name,
            Relation::View(v) => &v.name,
            Relation::Sequence(s) => &s.name,
            Relation::Index(t, oid) => t.index_by_oid(*oid).map_or("", |i| &i.name),
        }
    }
}

/// The whole catalog as of one version.
#[derive(Clone, Debug, Default)]
pub struct CatalogSnapshot {
    id: u64,
    base_id: u64,
    objects: BTreeMap<Oid, Descriptor>,
    fences: FxHashMap<Oid, FenceOwner>,
    relations: FxHashMap<Oid, FxHashMap<String, Relation>>,
    index_tables: FxHashMap<Oid, Oid>,
    storage: FxHashMap<u32, Oid>,
    databases: FxHashMap<String, Oid>,
    schemas: FxHashMap<Oid, FxHashMap<String, Oid>>,
    roles: FxHashMap<String, Oid>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl CatalogSnapshot {
    /// Indexes these objects.
    pub fn new(objects: impl IntoIterator<Item = Descriptor>) -> CatalogSnapshot {
        let mut snapshot = CatalogSnapshot::default();
        objects.into_iter().for_each(|object| snapshot.add(object));
        snapshot.renew();
        snapshot.base_id = snapshot.id;
        snapshot
    }

    /// Another snapshot with some objects replaced (`Some`) or gone (`None`).
    pub fn with_changes<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a Oid, &'a Option<Descriptor>)>,
    ) -> CatalogSnapshot {
        let mut next = self.clone();
        // Two passes: a name may move from one object to another.
        let changes: Vec<_> = changes.into_iter().collect();
        changes.iter().for_each(|(oid, _)| next.remove(**oid));
        changes.iter().filter_map(|(_, object)| (*object).clone()).for_each(|o| next.add(o));
        next.renew();
        next
    }

    /// Unlike any other snapshot's of this process: plans made under one id are right as long as
    /// a session's snapshot has the same.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The id of the committed snapshot that this one stands on: its own, or the one to which a
    /// transaction's changes were added.
    pub fn base_id(&self) -> u64 {
        self.base_id
    }

    /// Adds the fences that stand.
    pub(crate) fn with_fences(mut self, fences: Vec<(Oid, FenceOwner)>) -> CatalogSnapshot {
        self.fences = fences.into_iter().collect();
        self
    }

    /// Who alone may write to the table at present.
    pub fn fence(&self, table: Oid) -> Option<&FenceOwner> {
        if self.fences.is_empty() { None } else { self.fences.get(&table) }
    }

    /// All fences.
    pub fn fences(&self) -> impl Iterator<Item = (Oid, &FenceOwner)> {
        self.fences.iter().map(|(table, owner)| (*table, owner))
    }

    /// Every object, by OID.
    pub fn objects(&self) -> impl Iterator<Item = &Descriptor> {
        self.objects.values()
    }

    /// Any object.
    pub fn object(&self, oid: Oid) -> Option<&Descriptor> {
        self.objects.get(&oid)
    }

    /// A table (virtual ones included).
    pub fn table(&self, oid: Oid) -> Option<&Arc<Table>> {
        match self.objects.get(&oid)? {
            Descriptor::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The table whose data lies under this storage id: whose is a key?
    pub fn table_by_storage(&self, storage_id: u32) -> Option<&Arc<Table>> {
        self.table(*self.storage.get(&storage_id)?)
    }

    /// All tables, virtual ones included.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.objects.values().filter_map(|object| match object {
            Descriptor::Table(table) => Some(table),
            _ => None,
        })
    }

    /// An index and its table.
    pub fn index(&self, oid: Oid) -> Option<(&Arc<Table>, &Index)> {
        let table = self.table(*self.index_tables.get(&oid)?)?;
        table.index_by_oid(oid).map(|index| (table, index))
    }

    /// A view.
    pub fn view(&self, oid: Oid) -> Option<&Arc<View>> {
        match self.objects.get(&oid)? {
            Descriptor::View(view) => Some(view),
            _ => None,
        }
    }

    /// A sequence.
    pub fn sequence(&self, oid: Oid) -> Option<&Arc<Sequence>> {
        match self.objects.get(&oid)? {
            Descriptor::Sequence(sequence) => Some(sequence),
            _ => None,
        }
    }

    /// A schema.
    pub fn schema(&self, oid: Oid) -> Option<&Arc<Schema>> {
        match self.objects.get(&oid)? {
            Descriptor::Schema(schema) => Some(schema),
            _ => None,
        }
    }

    /// A schema of a database by name; the built-in ones are found in every database.
    pub fn schema_named(&self, database: Oid, name: &str) -> Option<&Arc<Schema>> {
        let in_database = |database: Oid| self.schemas.get(&database)?.get(name).copied();
        self.schema(in_database(database).or_else(|| in_database(0))?)
    }

    /// The schemas of a database, the built-in ones included.
    pub fn schemas(&self, database: Oid) -> impl Iterator<Item = &Arc<Schema>> {
        self.objects.values().filter_map(move |object| match object {
            Descriptor::Schema(s) if s.database == database || s.database == 0 => Some(s),
            _ => None,
        })
    }

    /// A database.
    pub fn database(&self, oid: Oid) -> Option<&Arc<Database>> {
        match self.objects.get(&oid)? {
            Descriptor::Database(database) => Some(database),
            _ => None,
        }
    }

    /// A database by name.
    pub fn database_named(&self, name: &str) -> Option<&Arc<Database>> {
        self.database(*self.databases.get(name)?)
    }

    /// All databases.
    pub fn databases(&self) -> impl Iterator<Item = &Arc<Database>> {
        self.objects.values().filter_map(|object| match object {
            Descriptor::Database(database) => Some(database),
            _ => None,
        })
    }

    /// A role.
    pub fn role(&self, oid: Oid) -> Option<&Arc<Role>> {
        match self.objects.get(&oid)? {
            Descriptor::Role(role) => Some(role),
            _ => None,
        }
    }

    /// A role by name.
    pub fn role_named(&self, name: &str) -> Option<&Arc<Role>> {
        self.role(*self.roles.get(name)?)
    }

    /// All roles.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.objects.values().filter_map(|object| match object {
            Descriptor::Role(role) => Some(role),
            _ => None,
        })
    }

    /// A relation of one schema by name.
    pub fn relation(&self, schema: Oid, name: &str) -> Option<&Relation> {
        self.relations.get(&schema)?.get(name)
    }

    /// The first relation with this name on a search path.
    pub fn find_relation(&self, search_path: &[Oid], name: &str) -> Option<&Relation> {
        search_path.iter().find_map(|schema| self.relation(*schema, name))
    }

    /// All relations of a schema, in no order.
    pub fn relations(&self, schema: Oid) -> impl Iterator<Item = &Relation> {
        self.relations.get(&schema).into_iter().flat_map(|names| names.values())
    }

    /// Any relation by OID.
    pub fn relation_by_oid(&self, oid: Oid) -> Option<Relation> {
        match self.objects.get(&oid) {
            Some(Descriptor::Table(table)) => Some(Relation::Table(table.clone())),
            Some(Descriptor::View(view)) => Some(Relation::View(view.clone())),
            Some(Descriptor::Sequence(sequence)) => Some(Relation::Sequence(sequence.clone())),
            Some(_) => None,
            None => {
                let table = self.table(*self.index_tables.get(&oid)?)?;
                Some(Relation::Index(table.clone(), oid))
            }
        }
    }

    fn renew(&mut self) {
        self.id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    }

    fn add(&mut self, object: Descriptor) {
        match &object {
            Descriptor::Database(d) => {
                self.databases.insert(d.name.clone(), d.oid);
            }
            Descriptor::Schema(s) => {
                self.schemas.entry(s.database).or_default().insert(s.name.clone(), s.oid);
            }
            Descriptor::Role(r) => {
                self.roles.insert(r.name.clone(), r.oid);
            }
            Descriptor::View(v) => self.name(v.schema, &v.name, Relation::View(v.clone())),
            Descriptor::Sequence(s) => {
                self.name(s.schema, &s.name, Relation::Sequence(s.clone()));
            }
            Descriptor::Table(t) => self.add_table(t),
        }
        self.objects.insert(object.oid(), object);
    }

    fn add_table(&mut self, table: &Arc<Table>) {
        self.name(table.schema, &table.name, Relation::Table(table.clone()));
        if table.kind != TableKind::Virtual {
            self.storage.insert(table.storage_id, table.oid);
        }
        for index in &table.indexes {
            self.index_tables.insert(index.oid, table.oid);
            self.name(table.schema, &index.name, Relation::Index(table.clone(), index.oid));
        }
    }

    fn remove(&mut self, oid: Oid) {
        match self.objects.remove(&oid) {
            Some(Descriptor::Database(d)) => {
                self.databases.remove(&d.name);
            }
            Some(Descriptor::Schema(s)) => {
                if let Some(names) = self.schemas.get_mut(&s.database) {
                    names.remove(&s.name);
                }
            }
            Some(Descriptor::Role(r)) => {
                self.roles.remove(&r.name);
            }
            Some(Descriptor::View(v)) => self.unname(v.schema, &v.name),
            Some(Descriptor::Sequence(s)) => self.unname(s.schema, &s.name),
            Some(Descriptor::Table(t)) => {
                self.unname(t.schema, &t.name);
                self.storage.remove(&t.storage_id);
                for index in &t.indexes {
                    self.index_tables.remove(&index.oid);
                    self.unname(t.schema, &index.name);
                }
            }
            None => {}
        }
    }

    fn name(&mut self, schema: Oid, name: &str, relation: Relation) {
        self.relations.entry(schema).or_default().insert(name.to_owned(), relation);
    }

    fn unname(&mut self, schema: Oid, name: &str) {
        if let Some(names) = self.relations.get_mut(&schema) {
            names.remove(name);
        }
    }
}
