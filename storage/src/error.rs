//! What storage can fail with, by what the caller does about it.

/// A failed storage operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// Refuse writes, go on reading; the operation may be tried again once space is free.
    #[error("disk full")]
    DiskFull,
    /// The process must end: what the disk holds is unknown until it is opened again.
    #[error("could not make writes durable: {0}")]
    SyncFailed(String),
    /// Data on disk is damaged: serve nothing that rests on it.
    #[error("storage is damaged: {0}")]
    Corrupt(String),
    /// Another process works in this directory.
    #[error("data directory {0} is in use by another process")]
    Locked(String),
    /// A newer version of the program wrote this directory.
    #[error("data directory has format {found}, this program reads up to {supported}")]
    NewerFormat {
        /// What the directory says.
        found: u32,
        /// The newest format this program knows.
        supported: u32,
    },
    /// The directory belongs to something or somebody else.
    #[error("{0}")]
    ForeignDirectory(String),
    /// Anything else that the operating system or the engine reports.
    #[error("storage: {0}")]
    Io(String),
}

impl From<base::codec::CodecError> for StorageError {
    fn from(error: base::codec::CodecError) -> Self {
        StorageError::Corrupt(error.to_string())
    }
}

impl From<StorageError> for base::KvError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::DiskFull => base::KvError::DiskFull,
            other => base::KvError::Fatal(other.to_string()),
        }
    }
}

/// Result of a storage operation.
pub type StorageResult<T> = Result<T, StorageError>;
