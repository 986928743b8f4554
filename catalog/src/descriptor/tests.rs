use super::*;
use base::codec::Direction;
use types::SqlType;

fn sample_table() -> Table {
    let mut id = Column::new(1, 1, "id", SqlType::INT4);
    id.is_not_null = true;
    id.identity = Some(Identity::ByDefault);
    id.sequence = Some(7);
    let mut name = Column::new(2, 2, "name", SqlType::varchar(10));
    name.default = Some("'x'".into());
    name.missing = Some("x".into());
    let key = vec![IndexColumn { column: 1, direction: Direction::Asc }];
    Table {
        oid: 16384,
        schema: 2200,
        name: "t".into(),
        owner: 10,
        kind: TableKind::Ordinary,
        storage_id: 16390,
        version: 3,
        columns: vec![id, name],
        key: key.clone(),
        indexes: vec![Index {
            id: 1,
            oid: 16385,
            name: "t_pkey".into(),
            columns: key,
            include: vec![2],
            is_unique: true,
            is_primary: true,
            is_constraint: true,
            constraint_oid: 16386,
            nulls_not_distinct: false,
            predicate: None,
            state: IndexState::Public,
            comment: None,
        }],
        checks: vec![Check { oid: 16387, name: "c".into(), expr: "id > 0".into() }],
        foreign_keys: vec![ForeignKey {
            oid: 16388,
            name: "f".into(),
            columns: vec![2],
            references: 16400,
            referenced_columns: vec![1],
            on_delete: ForeignKeyAction::Cascade,
            on_update: ForeignKeyAction::NoAction,
            match_full: false,
            is_deferrable: true,
            initially_deferred: false,
        }],
        next_column: 3,
        next_index: 2,
        options: vec!["fillfactor=90".into()],
        rows_estimate: -1,
        comment: Some("hello".into()),
    }
}

fn samples() -> Vec<Descriptor> {
    vec![
        Descriptor::Database(Arc::new(Database {
            oid: 5,
            name: "postgres".into(),
            owner: 10,
            comment: None,
        })),
        Descriptor::Schema(Arc::new(Schema {
            oid: 2200,
            database: 5,
            name: "public".into(),
            owner: 10,
            comment: Some("standard".into()),
        })),
        Descriptor::Table(Arc::new(sample_table())),
        Descriptor::View(Arc::new(View {
            oid: 1,
            schema: 2200,
            name: "v".into(),
            owner: 10,
            query: "SELECT 1".into(),
            search_path: vec!["public".into()],
            columns: vec![ViewColumn { name: "a".into(), ty: SqlType::INT4 }],
            depends_on: vec![16384],
            comment: None,
        })),
        Descriptor::Sequence(Arc::new(Sequence {
            oid: 7,
            schema: 2200,
            name: "s".into(),
            owner: 10,
            ty: SqlType::INT8,
            start: 1,
            increment: -1,
            min: i64::MIN,
            max: i64::MAX,
            cache: 1,
            cycle: true,
            storage_id: 7,
            owned_by: Some(OwnedBy { table: 16384, column: 1, is_identity: true }),
            comment: None,
        })),
        Descriptor::Role(Arc::new(Role {
            oid: 10,
            name: "postgres".into(),
            is_superuser: true,
            can_login: true,
            can_create_db: true,
            can_create_role: true,
            inherits: true,
            password: Some("secret".into()),
            member_of: vec![11],
        })),
    ]
}

#[test]
fn descriptors_come_back_as_they_were() {
    for descriptor in samples() {
        let bytes = descriptor.encode();
        assert_eq!(Descriptor::decode(&bytes), Ok(descriptor));
    }
}

#[test]
fn damaged_descriptors_are_refused() {
    for descriptor in samples() {
        let bytes = descriptor.encode();
        for len in 0..bytes.len() {
            assert!(Descriptor::decode(&bytes[..len]).is_err(), "{len} bytes of {descriptor:?}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(Descriptor::decode(&longer).is_err());
        let mut newer = bytes;
        newer[1] += 1;
        assert!(Descriptor::decode(&newer).is_err());
    }
}

/// The layout on disk: it may only change together with its version.
#[test]
fn the_layout_of_a_schema_is_kept() {
    let bytes = samples()[1].encode();
    assert_eq!(bytes[..2], [2, 1]);
    assert_eq!(bytes[2..], *b"\x98\x11\x05\x06public\x0a\x01\x08standard");
}

#[test]
fn names_may_move_between_objects() {
    use crate::CatalogSnapshot;
    let (mut first, mut second) = (sample_table(), sample_table());
    first.indexes.clear();
    second.indexes.clear();
    second.oid = 20_000;
    second.storage_id = 20_000;
    second.name = "u".into();
    let before = CatalogSnapshot::new([
        Descriptor::Table(Arc::new(first.clone())),
        Descriptor::Table(Arc::new(second.clone())),
    ]);
    std::mem::swap(&mut first.name, &mut second.name);
    let changes = [
        (first.oid, Some(Descriptor::Table(Arc::new(first)))),
        (second.oid, Some(Descriptor::Table(Arc::new(second)))),
    ];
    let after = before.with_changes(changes.iter().map(|(oid, change)| (oid, change)));
    assert_eq!(after.relation(2200, "t").map(crate::Relation::oid), Some(20_000));
    assert_eq!(after.relation(2200, "u").map(crate::Relation::oid), Some(16_384));
    assert_eq!(after.base_id(), before.id());
    assert_ne!(after.id(), before.id());
}
