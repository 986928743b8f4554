//! What RocksDB's errors mean to us. It reports text; the kind is its first word.

use crate::StorageError;
use rocksdb::{Error, ErrorKind};
use std::path::Path;

const NO_SPACE: &str = "No space left on device";

/// An error of a read.
pub(crate) fn read_error(error: Error) -> StorageError {
    match error.kind() {
        ErrorKind::Corruption => StorageError::Corrupt(error.into_string()),
        _ => StorageError::Io(error.into_string()),
    }
}

/// An error of a write. Once an append to the log has failed for another reason than space nobody
/// knows what the log holds.
pub(crate) fn write_error(error: Error) -> StorageError {
    let kind = error.kind();
    let text = error.into_string();
    match kind {
        _ if text.contains(NO_SPACE) => StorageError::DiskFull,
        ErrorKind::Corruption => StorageError::Corrupt(text),
        ErrorKind::IOError => StorageError::SyncFailed(text),
        _ => StorageError::Io(text),
    }
}

/// An error of a sync, whatever its reason: never to be tried again, the system may have dropped the
/// dirty pages.
pub(crate) fn sync_error(error: Error) -> StorageError {
    StorageError::SyncFailed(error.into_string())
}

/// An error of opening the store in a directory.
pub(crate) fn open_error(path: &Path, text: String) -> StorageError {
    let is_locked = text.contains("While lock file") || text.contains("lock hold by");
    if is_locked {
        StorageError::Locked(path.display().to_string())
    } else if text.contains(NO_SPACE) {
        StorageError::DiskFull
    } else if text.starts_with("Corruption") {
        StorageError::Corrupt(text)
    } else {
        StorageError::Io(format!("cannot open data directory {}: {text}", path.display()))
    }
}
