//! The memo of file digests and the analyses kept by digest: what spares a known program its hashing and analysis.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row, params};

use forewarm_types::Digest;

use crate::error::StoreError;
use crate::open::Store;

/// What the system says of a file; if any of it changes, so may the content.
///
/// Whether a stamp is old enough to be trusted is the caller's to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Size, in bytes.
    pub size: u64,
    /// Time of the last change of content, in nanoseconds since the Unix epoch.
    pub mtime_ns: i64,
    /// Time of the last change of content or attributes, in nanoseconds since the Unix epoch.
    pub ctime_ns: i64,
}

/// The same as a file name: hexadecimal numbers with dashes.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, inode, size, mtime_ns, ctime_ns } = self;
        write!(f, "{device:x}-{inode:x}-{size:x}-{mtime_ns:x}-{ctime_ns:x}")
    }
}

impl Store {
    /// The digest remembered for a file with exactly this stamp.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn digest_of(&self, stamp: &Stamp) -> Result<Option<Digest>, StoreError> {
        self.read(|connection| Ok(code_of_stamp(connection, stamp)?.map(|code| code.digest)))
    }

    /// Remembers a file's digest, in place of what its inode held before.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn remember_file(&self, stamp: &Stamp, digest: &Digest) -> Result<(), StoreError> {
        self.write(|transaction| {
            let code = code_id(transaction, digest)?;
            put_file(transaction, stamp, code)
        })
    }

    /// The analysis text remembered for a code by this version of the analyzer.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn analysis(&self, digest: &Digest, analyzer_version: u32) -> Result<Option<String>, StoreError> {
        self.read(|connection| match code_of_digest(connection, digest)? {
            Some(code) => analysis_of(connection, code.id, analyzer_version),
            None => Ok(None),
        })
    }

    /// Remembers a code's analysis text, in place of any earlier one.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn remember_analysis(&self, digest: &Digest, analyzer_version: u32, text: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            let code = code_id(transaction, digest)?;
            put_analysis(transaction, code, analyzer_version, text)
        })
    }
}

pub(crate) fn put_file(connection: &Connection, stamp: &Stamp, code: i64) -> rusqlite::Result<()> {
    let Stamp { device, inode, size, mtime_ns, ctime_ns } = *stamp;
    connection.execute(
        "INSERT OR REPLACE INTO files(device, inode, size, mtime_ns, ctime_ns, code) VALUES(?, ?, ?, ?, ?, ?)",
        params![device as i64, inode as i64, size as i64, mtime_ns, ctime_ns, code],
    )?;
    Ok(())
}

pub(crate) fn put_analysis(connection: &Connection, code: i64, version: u32, text: &str) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO analyses(code, version, text) VALUES(?, ?, ?)",
        params![code, version, text],
    )?;
    Ok(())
}

/// A row of `codes`.
pub(crate) struct CodeRow {
    pub(crate) id: i64,
    pub(crate) digest: Digest,
    pub(crate) runs: u64,
    pub(crate) first_unix: Option<f64>,
    pub(crate) last_unix: Option<f64>,
}

impl CodeRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            digest: Digest(row.get(1)?),
            runs: row.get::<_, i64>(2)?.max(0) as u64,
            first_unix: row.get(3)?,
            last_unix: row.get(4)?,
        })
    }
}

pub(crate) fn code_of_stamp(connection: &Connection, stamp: &Stamp) -> rusqlite::Result<Option<CodeRow>> {
    connection
        .query_row(
            "SELECT codes.id, digest, runs, first_unix, last_unix FROM files JOIN codes ON codes.id = code
             WHERE device = ? AND inode = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ?",
            params![stamp.device as i64, stamp.inode as i64, stamp.size as i64, stamp.mtime_ns, stamp.ctime_ns],
            CodeRow::from_row,
        )
        .optional()
}

pub(crate) fn code_of_digest(connection: &Connection, digest: &Digest) -> rusqlite::Result<Option<CodeRow>> {
    connection
        .query_row(
            "SELECT id, digest, runs, first_unix, last_unix FROM codes WHERE digest = ?",
            [digest.0],
            CodeRow::from_row,
        )
        .optional()
}

pub(crate) fn analysis_of(connection: &Connection, code: i64, version: u32) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT text FROM analyses WHERE code = ? AND version = ?", params![code, version], |row| {
            text(row, 0)
        })
        .optional()
        .map(Option::flatten)
}

/// A text column; one that a flipped bit has made unreadable counts as not remembered.
pub(crate) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(row.get_ref(column)?.as_bytes_or_null()?.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()))
}

fn code_id(connection: &Connection, digest: &Digest) -> rusqlite::Result<i64> {
    if let Some(code) = code_of_digest(connection, digest)? {
        return Ok(code.id);
    }
    connection.execute("INSERT INTO codes(digest) VALUES(?)", [digest.0])?;
    Ok(connection.last_insert_rowid())
}
