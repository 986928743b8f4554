//! How the engine is set up.

/// Settings of the RocksDB engine. The defaults keep an idle process small; a server with memory
/// to spare raises `cache_bytes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// Block cache for all keyspaces; filled by reads only.
    pub cache_bytes: usize,
    /// Most bytes that all unflushed writes may take.
    pub write_buffer_bytes: usize,
    /// Flush and compaction threads.
    pub background_jobs: u32,
    /// Files kept open; -1 keeps all.
    pub open_files_max: i32,
    /// Writes of users are refused when the disk has less than this left, so that the log, and
    /// clean-up, still find room; clean-up ends at half of it.
    pub reserve_bytes: u64,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 256 << 20,
            write_buffer_bytes: 96 << 20,
            background_jobs: 2,
            open_files_max: 512,
            reserve_bytes: 64 << 20,
        }
    }
}

/// When a write is safe from a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Survives the end of the process; a crash of the machine may lose it, together with
    /// everything written after it.
    Buffered,
    /// Survives everything, with all that was written before it.
    Synced,
}

/// What room on the disk is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Work that lets the store grow.
    Growth,
    /// Work that ends something, or frees space: a little of the reserve is for it.
    CleanUp,
}

/// Room on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUsage {
    /// Bytes that the store takes.
    pub used_bytes: u64,
    /// Bytes that are free on its disk.
    pub free_bytes: u64,
}
