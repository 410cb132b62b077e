//! Opening the database: connection settings, version check, and the fallbacks of a directory that cannot be written.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::error::StoreError;
use crate::{create, schema};

/// Name of the database in its directory.
pub const FILE_NAME: &str = "forewarm.sqlite3";

/// How to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Never write, nor create.
    pub read_only: bool,
    /// Create directory (mode 0700) and database (mode 0600) where they are missing.
    pub create: bool,
    /// How long a write waits for another process's, in milliseconds.
    pub busy_ms: u32,
}

impl Default for Options {
    /// A write takes a millisecond, but on a crowded machine its writer may have lost its core meanwhile: some slices of
    /// the scheduler's, of 3 to 4 ms and one for each process that waits (`sched-design-CFS.rst`), a hundred of them here.
    /// A run waits that long for its record only where somebody holds the lock.
    fn default() -> Self {
        Self { read_only: false, create: true, busy_ms: 400 }
    }
}

/// The open database. Several processes may hold it at once; reads never wait for writes.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) file: PathBuf,
    pub(crate) busy_ms: u32,
}

impl Store {
    /// Opens the database of a directory, creating or migrating it where the options allow.
    ///
    /// Where the directory cannot be written, the database is opened for reading, and writes fail with
    /// [`StoreError::ReadOnly`].
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Newer`], [`StoreError::Corrupt`], and as the file system has it.
    pub fn open(directory: &Path, options: Options) -> Result<Self, StoreError> {
        let file = directory.join(FILE_NAME);
        // Asked for beforehand: after a failure to open it another process may have made it.
        if matches!(file.try_exists(), Ok(false)) {
            if options.read_only || !options.create {
                return Err(StoreError::Missing { file });
            }
            create::create(directory, &file)?;
        }
        Self::connect(&file, options)
    }

    /// Moves a damaged database and its log out of the way, to `forewarm.sqlite3.corrupt-<n>`, so that nothing is lost
    /// and the next [`Store::open`] begins anew. Where another process was first, that one's `<n>` is returned.
    ///
    /// # Errors
    /// [`StoreError::Sound`] where there is no damage, and where the directory cannot be written.
    pub fn set_aside(directory: &Path) -> Result<PathBuf, StoreError> {
        create::set_aside(directory, &directory.join(FILE_NAME))
    }

    /// The database's path.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Bytes in the write-ahead log, which every open reads once: see [`crate::WAL_LIMIT`].
    #[must_use]
    pub fn wal_bytes(&self) -> u64 {
        fs::metadata(sibling(&self.file, "-wal")).map_or(0, |metadata| metadata.len())
    }

    /// Whether every page and index of the database is in order; slow, for `doctor` and tests.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn verify(&self) -> Result<(), StoreError> {
        let verdict = self
            .read(|connection| connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0)))?;
        if verdict == "ok" { Ok(()) } else { Err(StoreError::Corrupt { file: self.file.clone(), detail: verdict }) }
    }

    /// Reads under one snapshot.
    pub(crate) fn read<T>(&self, body: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let work = || {
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
            body(&transaction)
        };
        work().map_err(|error| self.sort(error))
    }

    /// Writes in one immediate transaction that takes effect wholly or not at all, without waiting for the disk.
    ///
    /// In WAL mode only two things call `fsync`: a checkpoint, which connections of this crate never do but in
    /// `maintain`, and the restart of a used log, whose new header must not reach the disk after its frames (SQLite
    /// ticket ff5be73dee). `maintain` leaves an empty log, which has no old frames to confuse, so a log found empty
    /// needs neither; one found in use is appended to, and keeps the guard against a restart.
    pub(crate) fn write<T>(&self, body: impl FnOnce(&Transaction) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let work = || {
            let guard = if self.wal_bytes() == 0 { "OFF" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", guard)?;
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            let value = body(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        work().map_err(|error| self.sort(error))
    }

    pub(crate) fn sort(&self, error: rusqlite::Error) -> StoreError {
        StoreError::from_engine(&self.file, self.busy_ms, error)
    }

    fn connect(file: &Path, options: Options) -> Result<Self, StoreError> {
        let mode = if options.read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
        let opened = Connection::open_with_flags(file, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .and_then(|connection| prepare(&connection, options).map(|()| connection))
            .and_then(|connection| Ok((schema::version(&connection)?, connection)));
        let opened = match opened {
            Err(error) if unwritable(&error) => immutable(file).ok_or(error),
            other => other,
        };
        let (version, connection) = opened.map_err(|error| StoreError::from_engine(file, options.busy_ms, error))?;
        let store = Self { connection, file: file.to_owned(), busy_ms: options.busy_ms };
        store.settle_version(version, options)?;
        Ok(store)
    }

    fn settle_version(&self, found: u32, options: Options) -> Result<(), StoreError> {
        if found == schema::VERSION {
            return Ok(());
        }
        if found > schema::VERSION {
            return Err(StoreError::Newer { file: self.file.clone(), found, known: schema::VERSION });
        }
        if options.read_only {
            return Err(StoreError::ReadOnly { file: self.file.clone() });
        }
        self.upgrade().map_err(|error| self.sort(error))
    }

    /// An empty file (as a crash of the machine may leave) or an older schema. A file with tables but no version of
    /// ours fails on the first table both have, or is left with ours beside its own.
    fn upgrade(&self) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        self.connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
        schema::migrate(&self.connection, schema::MIGRATIONS)
    }
}

/// The database's companion file with a suffix: `-wal`, `-shm`.
pub(crate) fn sibling(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

fn prepare(connection: &Connection, options: Options) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(u64::from(options.busy_ms)))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.query_row("PRAGMA wal_autocheckpoint=0", [], |_| Ok(()))
}

/// Whether a failure to open may be due to a directory in which the log's index cannot be made.
fn unwritable(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    matches!(error.sqlite_error_code(), Some(CannotOpen | ReadOnly))
}

/// Opens a database whose directory cannot be written and whose log is empty, so that the file alone is the whole
/// truth (SQLite, "Write-Ahead Logging", section "Read-Only Databases").
fn immutable(file: &Path) -> Option<(u32, Connection)> {
    let log = fs::metadata(sibling(file, "-wal")).map_or(0, |metadata| metadata.len());
    let path = file.to_str().filter(|_| log == 0)?;
    let escaped = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags).ok()?;
    schema::version(&connection).ok().map(|version| (version, connection))
}
