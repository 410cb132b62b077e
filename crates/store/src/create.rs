//! Making a new database, and moving a damaged one out of the way: the two things done to the file as a whole.
//!
//! Both hold a lock file, which the kernel releases when its holder dies, so that processes that start together agree.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::StoreError;
use crate::open::{Options, Store, sibling};
use crate::schema;

/// Makes directory and database unless another process just did. Nothing waits for the disk: a crash of the machine
/// within seconds of the very first run may leave a file that the next open finds empty or damaged.
pub(crate) fn create(directory: &Path, file: &Path) -> Result<(), StoreError> {
    make_directory(directory).map_err(|error| StoreError::from_io(directory, error))?;
    let _lock = lock(file)?;
    if file.exists() {
        return Ok(());
    }
    let image = image().map_err(|error| StoreError::from_engine(file, 0, error))?;
    place(file, &image).map_err(|error| StoreError::from_io(file, error))
}

/// Renames a database that is really damaged, with its log, to the first free `…corrupt-<n>`.
pub(crate) fn set_aside(directory: &Path, file: &Path) -> Result<PathBuf, StoreError> {
    let _lock = lock(file)?;
    let mut latest = None;
    let mut free = sibling(file, ".corrupt-1");
    for n in 2_u32.. {
        if !free.exists() {
            break;
        }
        latest = Some(std::mem::replace(&mut free, sibling(file, &format!(".corrupt-{n}"))));
    }
    if !damaged(directory) {
        return latest.ok_or_else(|| StoreError::Sound { file: file.to_owned() });
    }
    // The log first: an old log beside a new database would be replayed into it.
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(sibling(file, suffix), sibling(&free, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::from_io(file, error)),
            _ => {}
        }
    }
    Ok(free)
}

/// Whether the database fails to open or to verify for a reason that lies in its content.
fn damaged(directory: &Path) -> bool {
    let options = Options { create: false, ..Options::default() };
    let verdict = Store::open(directory, options).and_then(|store| {
        store.verify()?;
        store.salt()
    });
    verdict.is_err_and(|error| error.is_corrupt())
}

/// An empty database of the current schema as bytes: made in memory, so that no journal is written and no lock taken.
fn image() -> rusqlite::Result<Vec<u8>> {
    let mut connection = Connection::open_in_memory()?;
    schema::migrate(&connection, schema::MIGRATIONS)?;
    let mut image = connection.serialize("main")?.to_vec();
    // File format write and read version, offsets 18 and 19: 2 is WAL ("Database File Format", section 1.3).
    if let Some(versions) = image.get_mut(18..20) {
        versions.fill(2);
    }
    Ok(image)
}

/// Puts the bytes in place by a rename, so that no reader ever sees a part of them.
fn place(file: &Path, image: &[u8]) -> io::Result<()> {
    // A log left behind by a database that was deleted by hand would be replayed into the new one.
    for suffix in ["-wal", "-shm"] {
        match fs::remove_file(sibling(file, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let temporary = sibling(file, ".new");
    let written = private().create(true).truncate(true).open(&temporary).and_then(|mut new| new.write_all(image));
    written.and_then(|()| fs::rename(&temporary, file)).inspect_err(|_| {
        // On a full disk the part written would keep the space that is wanted.
        let _ = fs::remove_file(&temporary);
    })
}

fn lock(file: &Path) -> Result<File, StoreError> {
    let path = sibling(file, ".lock");
    let take = || {
        let lock = private().create(true).truncate(false).open(&path)?;
        lock.lock()?;
        Ok(lock)
    };
    take().map_err(|error| StoreError::from_io(&path, error))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
