//! How RocksDB is set up: for a small process on few cores, point reads first.

use crate::{EngineOptions, Keyspace};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode,
    LogLevel, Options, SliceTransform,
};
use std::path::Path;

/// Bytes of the timestamp behind every key of [`Keyspace::Data`].
const TIMESTAMP_LEN: usize = 8;
const BLOOM_BITS_PER_KEY: f64 = 10.0;
/// Bytes of log after which the keyspaces that hold on to it are flushed; bounds the time that
/// opening takes after a kill.
const LOG_BYTES_MAX: u64 = 128 << 20;

/// Opens all keyspaces, and creates them when absent.
pub(crate) fn open(path: &Path, options: &EngineOptions) -> Result<DB, rocksdb::Error> {
    let cache = Cache::new_hyper_clock_cache(options.cache_bytes, 0);
    let columns = Keyspace::ALL.map(|keyspace| {
        ColumnFamilyDescriptor::new(keyspace.name(), keyspace_options(keyspace, options, &cache))
    });
    DB::open_cf_descriptors(&process_options(options), path, columns)
}

fn process_options(options: &EngineOptions) -> Options {
    let mut db = Options::default();
    db.create_if_missing(true);
    db.create_missing_column_families(true);
    db.set_max_background_jobs(options.background_jobs as i32);
    db.set_max_open_files(options.open_files_max);
    db.set_db_write_buffer_size(options.write_buffer_bytes);
    db.set_max_total_wal_size(LOG_BYTES_MAX);
    // A crash tears the log anywhere behind the last sync, and not only at its very end.
    db.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    db.set_bytes_per_sync(1 << 20);
    db.set_stats_dump_period_sec(0);
    db.set_stats_persist_period_sec(0);
    db.set_log_level(LogLevel::Warn);
    db.set_keep_log_file_num(2);
    db.set_max_log_file_size(4 << 20);
    db
}

fn keyspace_options(keyspace: Keyspace, options: &EngineOptions, cache: &Cache) -> Options {
    let mut column = Options::default();
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_block_size(8 << 10);
    table.set_format_version(6);
    table.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
    // Shares of the write buffers: versions are the bulk, the log is written and soon dropped.
    let share = match keyspace {
        Keyspace::Data => {
            column.set_prefix_extractor(SliceTransform::create(
                "sharddb.without_timestamp",
                without_timestamp,
                Some(has_timestamp),
            ));
            column.set_memtable_prefix_bloom_ratio(0.1);
            column.set_compression_type(DBCompressionType::Lz4);
            table.set_whole_key_filtering(false);
            3
        }
        Keyspace::Raft => {
            column.set_compression_type(DBCompressionType::None);
            6
        }
        Keyspace::Locks | Keyspace::Local => {
            column.set_compression_type(DBCompressionType::None);
            column.set_memtable_prefix_bloom_ratio(0.1);
            column.set_memtable_whole_key_filtering(true);
            12
        }
    };
    column.set_write_buffer_size((options.write_buffer_bytes / share).max(1 << 20));
    column.set_max_write_buffer_number(3);
    column.set_block_based_table_factory(&table);
    column
}

/// The key without its timestamp: what filters are asked about.
fn without_timestamp(key: &[u8]) -> &[u8] {
    &key[..key.len().saturating_sub(TIMESTAMP_LEN)]
}

fn has_timestamp(key: &[u8]) -> bool {
    key.len() >= TIMESTAMP_LEN
}
