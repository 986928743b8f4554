//! The objects that exist from the start.

use crate::CatalogError;
use crate::descriptor::{Database, Descriptor, Role, Schema};
use crate::snapshot::{
    INFORMATION_SCHEMA, PG_CATALOG, POSTGRES_DATABASE, POSTGRES_ROLE, PUBLIC, SHARDDB,
};
use crate::store::{self, CatalogChanges};
use base::KvError;
use std::sync::Arc;
use txn::{Isolation, TxnClient};

/// Writes the first descriptors unless they are there. Several processes may try at once: names
/// are unique, so one of them wins and the others see its work.
pub(crate) async fn run(client: &TxnClient) -> Result<(), CatalogError> {
    loop {
        let mut txn = client.begin(Isolation::Serializable, false);
        if store::is_bootstrapped(&mut txn).await? {
            txn.rollback().await;
            return Ok(());
        }
        let mut changes = CatalogChanges::default();
        for descriptor in first_objects() {
            store::create(&mut txn, &mut changes, descriptor).await?;
        }
        store::bump_version(&mut txn, client.now().await?);
        match txn.commit().await {
            Ok(_) => return Ok(()),
            Err(KvError::WriteConflict { .. } | KvError::KeyExists { .. }) => {}
            Err(error) if error.is_ambiguous() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Schemas that are in every database and in no row.
pub(crate) fn builtin_schemas() -> impl Iterator<Item = Schema> {
    [(PG_CATALOG, "pg_catalog"), (INFORMATION_SCHEMA, "information_schema"), (SHARDDB, "sharddb")]
        .into_iter()
        .map(|(oid, name)| schema(oid, 0, name))
}

fn first_objects() -> Vec<Descriptor> {
    let role = Role {
        oid: POSTGRES_ROLE,
        name: "postgres".into(),
        is_superuser: true,
        can_login: true,
        can_create_db: true,
        can_create_role: true,
        inherits: true,
        password: None,
        member_of: Vec::new(),
    };
    let database = Database {
        oid: POSTGRES_DATABASE,
        name: "postgres".into(),
        owner: POSTGRES_ROLE,
        comment: Some("default administrative connection database".into()),
    };
    vec![
        Descriptor::Role(Arc::new(role)),
        Descriptor::Database(Arc::new(database)),
        Descriptor::Schema(Arc::new(schema(PUBLIC, POSTGRES_DATABASE, "public"))),
    ]
}

fn schema(oid: u32, database: u32, name: &str) -> Schema {
    Schema { oid, database, name: name.into(), owner: POSTGRES_ROLE, comment: None }
}
