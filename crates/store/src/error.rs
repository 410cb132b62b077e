//! What can go wrong with the database, said so that its user knows what to do. Engine errors are sorted here, once.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ffi::{self, ErrorCode};

/// Why the store could not be opened, read or written. None of these need fail a run.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process held the write lock for longer than the time allowed.
    #[error("{}: another process is writing to it; try again, or allow more than {busy_ms} ms", file.display())]
    Busy {
        /// The database.
        file: PathBuf,
        /// How long it was waited for, in milliseconds.
        busy_ms: u32,
    },
    /// The file, its directory or its file system cannot be written.
    #[error("{}: cannot be written; make it and its directory writable, or set XDG_DATA_HOME elsewhere", file.display())]
    ReadOnly {
        /// The database.
        file: PathBuf,
    },
    /// No room on the file system.
    #[error("{}: no space left; free some, or run `forewarm history forget`", file.display())]
    Full {
        /// The database.
        file: PathBuf,
    },
    /// Its content is damaged, or it is not a database of Forewarm's.
    #[error("{}: damaged ({detail}); it can be set aside and a new one begun", file.display())]
    Corrupt {
        /// The database.
        file: PathBuf,
        /// What is wrong, in the engine's words.
        detail: String,
    },
    /// It was to be set aside as damaged, but is in order.
    #[error("{}: found in order on a second look and left in place; try again", file.display())]
    Sound {
        /// The database.
        file: PathBuf,
    },
    /// Written by a newer Forewarm.
    #[error("{}: written by a newer version (schema {found}, this one knows {known}); upgrade, or set XDG_DATA_HOME elsewhere", file.display())]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its schema version.
        found: u32,
        /// The latest schema version known here.
        known: u32,
    },
    /// There is none, and creating one was not asked for.
    #[error("{}: there is no database yet; it is made by the first run", file.display())]
    Missing {
        /// Where it would be.
        file: PathBuf,
    },
    /// A file operation failed.
    #[error("{}: {source}; check its path and permissions", file.display())]
    Io {
        /// The file or directory.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Any other failure of the database engine.
    #[error("{}: {source}", file.display())]
    Engine {
        /// The database.
        file: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Whether the database's content is damaged, so that [`crate::Store::set_aside`] is the remedy.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }

    /// Sorts a file-system error.
    pub(crate) fn from_io(file: &Path, source: io::Error) -> Self {
        let file = file.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { file },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly { file },
            _ => Self::Io { file, source },
        }
    }

    /// Sorts an engine error. Our statements are fixed, so one that the engine cannot understand or bind means a schema
    /// that is not ours.
    pub(crate) fn from_engine(file: &Path, busy_ms: u32, source: rusqlite::Error) -> Self {
        let file = file.to_owned();
        let Some(code) = source.sqlite_error().copied() else {
            return match source {
                rusqlite::Error::SqlInputError { ref msg, .. } => Self::Corrupt { file, detail: msg.clone() },
                rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..) => Self::Corrupt { file, detail: source.to_string() },
                rusqlite::Error::QueryReturnedNoRows => Self::Corrupt { file, detail: "a row is gone".to_owned() },
                _ => Self::Engine { file, source },
            };
        };
        match (code.code, code.extended_code) {
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Self::Busy { file, busy_ms },
            (ErrorCode::ReadOnly | ErrorCode::PermissionDenied, _) => Self::ReadOnly { file },
            (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Self::Full { file },
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown, _) => {
                Self::Corrupt { file, detail: source.to_string() }
            }
            _ => Self::Engine { file, source },
        }
    }
}
