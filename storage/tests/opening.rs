//! What happens when a directory is opened, and when the disk fails.

use base::{ClusterId, NodeId};
use std::fs;
use storage::{
    Durability, Engine, EngineOptions, FORMAT_VERSION, Identity, Keyspace, MemDisk, Room,
    StorageError, WriteBatch,
};

fn open(path: &std::path::Path) -> Result<Engine, StorageError> {
    Engine::open(path, &EngineOptions::default())
}

fn put(key: &[u8]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(Keyspace::Local, key, b"value");
    batch
}

#[test]
fn a_directory_in_use_is_locked() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path()).unwrap();
    assert!(matches!(open(directory.path()), Err(StorageError::Locked(_))));
    drop(engine);
    open(directory.path()).unwrap();
}

#[test]
fn an_open_snapshot_keeps_the_store_open() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path()).unwrap();
    engine.write(put(b"a"), Durability::Buffered).unwrap();
    let mut iter = engine.snapshot().iter(Keyspace::Local, &[], &[]);
    drop(engine);
    assert!(iter.seek_to_first().unwrap());
    assert_eq!(iter.key(), b"a");
    assert!(matches!(open(directory.path()), Err(StorageError::Locked(_))));
    drop(iter);
    open(directory.path()).unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let marker = directory.path().join("FORMAT");
    let text = fs::read_to_string(&marker).unwrap();
    assert_eq!(text, format!("sharddb data directory\nformat {FORMAT_VERSION}\n"));
    fs::write(&marker, "sharddb data directory\nformat 999\nwhatever comes then\n").unwrap();
    let supported = FORMAT_VERSION;
    assert_eq!(
        open(directory.path()).err(),
        Some(StorageError::NewerFormat { found: 999, supported })
    );
}

#[test]
fn foreign_directories_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.tex"), "years of work").unwrap();
    assert!(matches!(open(directory.path()), Err(StorageError::ForeignDirectory(_))));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    fs::write(directory.path().join("FORMAT"), "text/plain").unwrap();
    assert!(matches!(open(directory.path()), Err(StorageError::ForeignDirectory(_))));
}

#[test]
fn a_half_made_directory_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("FORMAT.new"), "shar").unwrap();
    open(directory.path()).unwrap();
}

#[test]
fn an_unusable_directory_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = open(&file.path().join("below")).err().unwrap();
    assert!(error.to_string().contains("cannot use data directory"), "{error}");
}

#[test]
fn a_store_knows_its_cluster() {
    let directory = tempfile::tempdir().unwrap();
    let identity = Identity { cluster: ClusterId(7), node: NodeId(3) };
    {
        let engine = open(directory.path()).unwrap();
        assert_eq!(Identity::load(&engine).unwrap(), None);
        let mut batch = WriteBatch::new();
        identity.save(&mut batch);
        engine.write(batch, Durability::Synced).unwrap();
    }
    let found = Identity::load(&open(directory.path()).unwrap()).unwrap();
    assert_eq!(found, Some(identity));
    identity.check_cluster(ClusterId(7)).unwrap();
    let error = identity.check_cluster(ClusterId(8)).unwrap_err();
    assert!(matches!(error, StorageError::ForeignDirectory(_)), "{error}");
}

#[test]
fn a_damaged_file_is_an_error_and_not_the_end_of_the_data() {
    let directory = tempfile::tempdir().unwrap();
    {
        let engine = open(directory.path()).unwrap();
        for i in 0..20_000u32 {
            let mut batch = WriteBatch::new();
            batch.put(Keyspace::Local, &i.to_be_bytes(), &i.to_le_bytes().repeat(8));
            engine.write(batch, Durability::Buffered).unwrap();
        }
        engine.compact(Keyspace::Local, &[], &[]);
    }
    let files = fs::read_dir(directory.path().join("store")).unwrap().map(|entry| entry.unwrap());
    let table = files
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "sst"))
        .max_by_key(|file| file.metadata().unwrap().len())
        .unwrap();
    let mut bytes = fs::read(table.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(table.path(), bytes).unwrap();

    let engine = open(directory.path()).unwrap();
    for backward in [false, true] {
        let mut iter = engine.iter(Keyspace::Local, &[], &[]);
        let mut step = if backward { iter.seek_to_last() } else { iter.seek_to_first() };
        let mut seen = 0;
        while step == Ok(true) {
            seen += 1;
            step = if backward { iter.prev() } else { iter.next() };
        }
        assert!(seen < 20_000);
        assert!(matches!(step, Err(StorageError::Corrupt(_))), "after {seen}: {step:?}");
    }
}

#[test]
fn too_little_room_is_noticed_before_the_disk_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let greedy = EngineOptions { reserve_bytes: u64::MAX, ..EngineOptions::default() };
    let engine = Engine::open(directory.path(), &greedy).unwrap();
    for wanted in [Room::Growth, Room::CleanUp] {
        assert_eq!(engine.check_room(wanted), Err(StorageError::DiskFull));
    }
    engine.write(put(b"what was promised is kept"), Durability::Synced).unwrap();
    let free = engine.disk().free_bytes;
    drop(engine);
    let thrifty = EngineOptions { reserve_bytes: free / 4 * 5, ..EngineOptions::default() };
    let engine = Engine::open(directory.path(), &thrifty).unwrap();
    assert_eq!(engine.check_room(Room::Growth), Err(StorageError::DiskFull));
    engine.check_room(Room::CleanUp).expect("half the reserve is free");
    drop(engine);
    open(directory.path()).unwrap().check_room(Room::Growth).unwrap();
}

#[test]
fn a_simulated_disk_fails_as_told() {
    let disk = MemDisk::new();
    let engine = Engine::in_memory(disk.clone());
    engine.write(put(b"a"), Durability::Synced).unwrap();
    disk.set_full(true);
    assert_eq!(engine.check_room(Room::CleanUp), Err(StorageError::DiskFull));
    assert_eq!(engine.write(put(b"b"), Durability::Buffered), Err(StorageError::DiskFull));
    assert_eq!(engine.get(Keyspace::Local, b"b").unwrap(), None);
    disk.set_full(false);
    engine.write(put(b"b"), Durability::Buffered).unwrap();
    disk.fail_next_sync();
    assert!(matches!(engine.sync(), Err(StorageError::SyncFailed(_))));
    disk.crash(0);
    assert!(matches!(engine.write(put(b"c"), Durability::Buffered), Err(StorageError::Io(_))));
    let engine = Engine::in_memory(disk);
    assert!(engine.get(Keyspace::Local, b"a").unwrap().is_some());
    assert_eq!(engine.get(Keyspace::Local, b"b").unwrap(), None);
}

#[test]
fn a_simulated_disk_does_not_grow_with_every_write() {
    let disk = MemDisk::new();
    let engine = Engine::in_memory(disk.clone());
    let value = vec![1u8; 64 << 10];
    for round in 0..200u32 {
        let mut batch = WriteBatch::new();
        batch.put(Keyspace::Local, &(round % 3).to_be_bytes(), &value);
        batch.put(Keyspace::Local, b"last", &round.to_be_bytes());
        engine.write(batch, Durability::Synced).unwrap();
    }
    engine.write(put(b"lost"), Durability::Buffered).unwrap();
    assert_eq!(disk.unsynced(), 1);
    disk.crash(0);
    let engine = Engine::in_memory(disk);
    assert_eq!(engine.get(Keyspace::Local, b"last").unwrap().unwrap()[..], 199u32.to_be_bytes());
    for key in 0..3u32 {
        assert_eq!(engine.get(Keyspace::Local, &key.to_be_bytes()).unwrap().unwrap(), value);
    }
    assert_eq!(engine.get(Keyspace::Local, b"lost").unwrap(), None);
}
