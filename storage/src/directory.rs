//! The data directory: whose it is and in which format.
//!
//! ```text
//! DIR/FORMAT   "sharddb data directory\nformat 1\n"
//! DIR/store/   RocksDB
//! ```

use crate::{StorageError, StorageResult};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The newest on-disk format that this program reads, and the one it writes.
pub const FORMAT_VERSION: u32 = 1;

const MARKER: &str = "FORMAT";
const MARKER_DRAFT: &str = "FORMAT.new";
const TITLE: &str = "sharddb data directory";

/// Makes sure that the directory is ours, and of a format we read; marks an empty or absent one.
/// Returns where the engine's files go.
pub(crate) fn prepare(path: &Path) -> StorageResult<PathBuf> {
    fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
    match fs::read_to_string(path.join(MARKER)) {
        Ok(marker) => check(path, &marker)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => mark(path)?,
        Err(error) => return Err(unusable(path, &error)),
    }
    Ok(path.join("store"))
}

fn check(path: &Path, marker: &str) -> StorageResult<()> {
    let mut lines = marker.lines();
    let format = lines
        .next()
        .filter(|title| *title == TITLE)
        .and_then(|_| lines.next()?.strip_prefix("format ")?.parse::<u32>().ok());
    match format {
        Some(found) if found > FORMAT_VERSION => {
            Err(StorageError::NewerFormat { found, supported: FORMAT_VERSION })
        }
        Some(_) => Ok(()),
        None => Err(StorageError::ForeignDirectory(format!(
            "{} has a {MARKER} file that is not ours",
            path.display()
        ))),
    }
}

/// Marks a directory that holds nothing else.
fn mark(path: &Path) -> StorageResult<()> {
    let entries = fs::read_dir(path).map_err(|error| unusable(path, &error))?;
    for entry in entries {
        let name = entry.map_err(|error| unusable(path, &error))?.file_name();
        // File systems put lost+found into the root of a volume.
        if name != MARKER_DRAFT && name != "lost+found" {
            return Err(StorageError::ForeignDirectory(format!(
                "{} is not empty and not a data directory of sharddb",
                path.display()
            )));
        }
    }
    write_marker(path).map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull => StorageError::DiskFull,
        _ => unusable(path, &error),
    })
}

/// Writes aside, syncs, renames: the marker is there whole or not at all.
fn write_marker(path: &Path) -> io::Result<()> {
    let draft = path.join(MARKER_DRAFT);
    let mut file = File::create(&draft)?;
    file.write_all(format!("{TITLE}\nformat {FORMAT_VERSION}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path.join(MARKER))?;
    File::open(path)?.sync_all()
}

fn unusable(path: &Path, error: &io::Error) -> StorageError {
    StorageError::Io(format!("cannot use data directory {}: {error}", path.display()))
}
