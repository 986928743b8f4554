//! Descriptors and names as rows: the only code that reads or writes them.

use crate::CatalogError;
use crate::descriptor::{Descriptor, Oid};
use crate::layout::{DESCRIPTOR_TABLE, NAME_TABLE, VERSION_TABLE, counter_key};
use base::api::lock::{LockStrength, LockWait};
use base::codec::{Direction, put_bytes, put_i64, put_present};
use base::{Key, Timestamp, layout};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use txn::{Txn, TxnLocked, TxnScan};

/// What a transaction has changed: the new descriptor of an object, `None` where it is dropped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CatalogChanges {
    /// By OID.
    pub objects: BTreeMap<Oid, Option<Descriptor>>,
    /// Objects made by the transaction itself: nobody else can be using them.
    pub created: BTreeSet<Oid>,
}

impl CatalogChanges {
    /// True before the first change.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// The namespaces: within one of them and one parent a name is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameKind {
    /// Parent 0.
    Database = 1,
    /// Parent: the database.
    Schema = 2,
    /// Tables, views, sequences, indexes. Parent: the schema.
    Relation = 3,
    /// Parent 0.
    Role = 4,
}

/// A name that is taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub kind: NameKind,
    pub parent: Oid,
    pub name: String,
}

impl Name {
    fn key(&self) -> Key {
        let mut out = layout::index_prefix(NAME_TABLE, layout::PRIMARY_INDEX);
        put_present(&mut out, Direction::Asc, |out| out.push(self.kind as u8));
        put_present(&mut out, Direction::Asc, |out| put_i64(out, i64::from(self.parent)));
        put_present(&mut out, Direction::Asc, |out| put_bytes(out, self.name.as_bytes()));
        out.into()
    }
}

/// All names that an object takes: a table's indexes count.
pub fn names_of(descriptor: &Descriptor) -> BTreeSet<Name> {
    let one = |kind, parent, name: &str| Name { kind, parent, name: name.to_owned() };
    match descriptor {
        Descriptor::Database(d) => [one(NameKind::Database, 0, &d.name)].into(),
        Descriptor::Schema(s) => [one(NameKind::Schema, s.database, &s.name)].into(),
        Descriptor::Role(r) => [one(NameKind::Role, 0, &r.name)].into(),
        Descriptor::View(v) => [one(NameKind::Relation, v.schema, &v.name)].into(),
        Descriptor::Sequence(s) => [one(NameKind::Relation, s.schema, &s.name)].into(),
        Descriptor::Table(t) => t
            .indexes
            .iter()
            .map(|i| one(NameKind::Relation, t.schema, &i.name))
            .chain([one(NameKind::Relation, t.schema, &t.name)])
            .collect(),
    }
}

/// Makes a new object. Waits for a transaction that is about to take one of its names.
pub async fn create(
    txn: &mut Txn,
    changes: &mut CatalogChanges,
    descriptor: Descriptor,
) -> Result<(), CatalogError> {
    claim(txn, &names_of(&descriptor), descriptor.oid()).await?;
    let oid = descriptor.oid();
    txn.put_unconditional(descriptor_key(oid), Bytes::from(descriptor.encode()));
    changes.created.insert(oid);
    changes.objects.insert(oid, Some(descriptor));
    Ok(())
}

/// Locks an object against other changes and reads its newest descriptor; `None` when it is gone.
pub async fn lock(txn: &mut Txn, oid: Oid) -> Result<Option<Descriptor>, CatalogError> {
    let locked =
        txn.lock(vec![descriptor_key(oid)], LockStrength::Exclusive, LockWait::Block).await?.pop();
    match locked {
        Some(TxnLocked::Held { value: Some(value), .. }) => Ok(Some(Descriptor::decode(&value)?)),
        _ => Ok(None),
    }
}

/// Replaces a locked object's descriptor.
pub async fn replace(
    txn: &mut Txn,
    changes: &mut CatalogChanges,
    old: &Descriptor,
    new: Descriptor,
) -> Result<(), CatalogError> {
    let (had, has) = (names_of(old), names_of(&new));
    claim(txn, &has.difference(&had).cloned().collect(), new.oid()).await?;
    had.difference(&has).for_each(|name| txn.delete_unconditional(name.key()));
    txn.put(descriptor_key(new.oid()), Bytes::from(new.encode()));
    changes.objects.insert(new.oid(), Some(new));
    Ok(())
}

/// Drops a locked object.
pub fn remove(txn: &mut Txn, changes: &mut CatalogChanges, old: &Descriptor) {
    names_of(old).iter().for_each(|name| txn.delete_unconditional(name.key()));
    txn.delete(descriptor_key(old.oid()));
    changes.objects.insert(old.oid(), None);
}

/// Rewrites the version row: the last write of a transaction that changed the catalog. `draw` is a
/// fresh timestamp of the oracle, which makes the value unlike every other.
pub fn bump_version(txn: &mut Txn, draw: Timestamp) {
    let mut value = vec![1u8];
    value.extend_from_slice(&draw.0.to_le_bytes());
    txn.put_unconditional(version_key(), value.into());
}

/// Reads every descriptor at the transaction's snapshot.
pub async fn load(txn: &mut Txn) -> Result<Vec<Descriptor>, CatalogError> {
    let mut out = Vec::new();
    let span = layout::index_span(DESCRIPTOR_TABLE, layout::PRIMARY_INDEX);
    let mut next = Some(span);
    while let Some(span) = next {
        let page = txn.scan(TxnScan::forward(span)).await?;
        for (_, value) in &page.rows {
            out.push(Descriptor::decode(value)?);
        }
        next = page.resume;
    }
    Ok(out)
}

/// True when the version row exists: the catalog of this cluster was set up.
pub async fn is_bootstrapped(txn: &mut Txn) -> Result<bool, CatalogError> {
    Ok(txn.get(&[version_key()]).await?.into_iter().flatten().next().is_some())
}

pub(crate) fn version_key() -> Key {
    counter_key(VERSION_TABLE, 1)
}

fn descriptor_key(oid: Oid) -> Key {
    counter_key(DESCRIPTOR_TABLE, oid)
}

async fn claim(txn: &mut Txn, names: &BTreeSet<Name>, oid: Oid) -> Result<(), CatalogError> {
    if names.is_empty() {
        return Ok(());
    }
    let keys: Vec<Key> = names.iter().map(Name::key).collect();
    let locked = txn.lock(keys.clone(), LockStrength::Exclusive, LockWait::Block).await?;
    for (name, held) in names.iter().zip(&locked) {
        if !matches!(held, TxnLocked::Held { value: None, .. }) {
            return Err(CatalogError::NameTaken(name.clone()));
        }
    }
    for key in keys {
        txn.put(key, Bytes::copy_from_slice(&oid.to_le_bytes()));
    }
    Ok(())
}
