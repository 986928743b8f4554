//! Measures point reads and scans: `cargo run --release -p sharddb-storage --example point_reads`.
//! Arguments: number of keys (1000000), number of reads (200000), MiB of block cache (256).

#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use base::codec::put_i32;
use base::{Key, Timestamp, layout};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;
use storage::{Durability, Engine, EngineOptions, Keyspace, Snapshot, WriteBatch, mvcc};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<u32>().ok());
    let keys = arguments.next().unwrap_or(1_000_000);
    let reads = arguments.next().unwrap_or(200_000);
    let cache_bytes = (arguments.next().unwrap_or(256) as usize) << 20;
    let directory = std::env::temp_dir().join(format!("point-reads-{}", std::process::id()));
    let engine =
        Engine::open(&directory, &EngineOptions { cache_bytes, ..EngineOptions::default() })?;
    load(&engine, keys)?;
    report(&engine, keys, reads, "just loaded")?;
    engine.compact(Keyspace::Data, &[], &[]);
    report(&engine, keys, reads, "compacted")?;
    overwrite(&engine, keys, 100_000)?;
    report(&engine, keys, reads, "100000 newer versions on top")?;
    writes(&engine, keys)?;
    drop(engine);
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

fn key(id: u32) -> Key {
    let mut key = layout::index_prefix(16384, layout::PRIMARY_INDEX);
    key.push(base::codec::PRESENT);
    put_i32(&mut key, id as i32);
    key.into()
}

/// A cheap sequence of keys in no order.
fn scattered(i: u32, keys: u32) -> u32 {
    (u64::from(i).wrapping_mul(2_654_435_761) % u64::from(keys)) as u32
}

fn load(engine: &Engine, keys: u32) -> Result<(), storage::StorageError> {
    let value = [7u8; 110];
    for first in (0..keys).step_by(1000) {
        let mut batch = WriteBatch::new();
        for id in first..(first + 1000).min(keys) {
            mvcc::put_version(&mut batch, &key(id), Timestamp(1000), Some(&value), None);
        }
        engine.write(batch, Durability::Buffered)?;
    }
    engine.sync()
}

fn overwrite(engine: &Engine, keys: u32, count: u32) -> Result<(), storage::StorageError> {
    for i in 0..count {
        let mut batch = WriteBatch::new();
        let id = scattered(i, keys);
        let ts = Timestamp(2000 + u64::from(i));
        mvcc::put_version(&mut batch, &key(id), ts, Some(&[8u8; 110]), None);
        engine.write(batch, Durability::Buffered)?;
    }
    Ok(())
}

fn timed(
    name: &str,
    count: u32,
    mut run: impl FnMut(u32) -> Result<(), storage::StorageError>,
) -> Result<(), storage::StorageError> {
    let start = Instant::now();
    for i in 0..count {
        run(i)?;
    }
    let each = start.elapsed().as_nanos() as f64 / f64::from(count) / 1000.0;
    println!("  {name:<44} {each:8.2} us");
    Ok(())
}

fn report(
    engine: &Engine,
    keys: u32,
    reads: u32,
    state: &str,
) -> Result<(), storage::StorageError> {
    println!("{state}:");
    let at = Timestamp::MAX;
    timed("engine snapshot alone", reads, |_| {
        black_box(engine.snapshot());
        Ok(())
    })?;
    timed("snapshot + get + intent", reads, |i| {
        let snapshot = engine.snapshot();
        let key = key(scattered(i, keys));
        assert!(mvcc::get(&snapshot, &key, at)?.is_some());
        assert!(mvcc::intent(&snapshot, &key)?.is_none());
        Ok(())
    })?;
    let snapshot = engine.snapshot();
    timed("get", reads, |i| {
        assert!(mvcc::get(&snapshot, &key(scattered(i, keys)), at)?.is_some());
        Ok(())
    })?;
    timed("intent", reads, |i| {
        black_box(mvcc::intent(&snapshot, &key(scattered(i, keys)))?);
        Ok(())
    })?;
    let mut reader = mvcc::Reader::new(&snapshot);
    timed("get, one reader", reads, |i| {
        assert!(reader.get(&key(scattered(i, keys)), at)?.is_some());
        Ok(())
    })?;
    timed("get of an absent key", reads, |i| {
        assert!(mvcc::get(&snapshot, &key(keys + i), at)?.is_none());
        Ok(())
    })?;
    scan(&snapshot, keys, "scan, each row", false)?;
    scan(&snapshot, keys, "scan backward, each row", true)
}

fn scan(
    snapshot: &Snapshot,
    keys: u32,
    name: &str,
    reverse: bool,
) -> Result<(), storage::StorageError> {
    let mut rows = 0;
    let start = Instant::now();
    let span = layout::table_span(16384);
    let mut scan = mvcc::Scan::new(snapshot, &span, Timestamp::MAX, reverse);
    let _ = scan.visit(&mut |_, value| {
        rows += 1;
        black_box(value.len());
        ControlFlow::Continue(())
    })?;
    assert_eq!(rows, keys);
    let each = start.elapsed().as_nanos() as f64 / f64::from(rows) / 1000.0;
    println!("  {name:<44} {each:8.2} us");
    Ok(())
}

fn writes(engine: &Engine, keys: u32) -> Result<(), storage::StorageError> {
    println!("writes:");
    let write = |name: &str, count: u32, durability: Durability| {
        timed(name, count, |i| {
            let mut batch = WriteBatch::new();
            let ts = Timestamp(1 << 40 | u64::from(i));
            let key = key(scattered(i, keys));
            mvcc::put_version(&mut batch, &key, ts, Some(&[9u8; 110]), None);
            engine.write(batch, durability)
        })
    };
    write("buffered write of one version", 50_000, Durability::Buffered)?;
    write("synced write of one version", 1_000, Durability::Synced)
}
