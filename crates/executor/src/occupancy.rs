//! Who else is running here: each lease is a locked file that carries its demand, and the kernel unlocks it when its
//! holder dies, however it dies.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{FlockOperation, flock};

/// The lock files of a directory.
pub(crate) struct Occupancy {
    directory: PathBuf,
}

/// A lease announced, until dropped.
pub(crate) struct Seat {
    path: PathBuf,
    _lock: File,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Occupancy {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Announces a lease of so many cores. `None` where it cannot be: others then plan without knowing of this one.
    pub(crate) fn take(&self, cores: u32) -> Option<Seat> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}.lease", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = self.directory.join(name);
        let create = || OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let mut lock = create()
            .or_else(|_| {
                std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
                create()
            })
            .ok()?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
        lock.write_all(cores.to_string().as_bytes()).ok()?;
        Some(Seat { path, _lock: lock })
    }

    /// Cores held by other processes. Files of dead holders are removed on the way.
    pub(crate) fn busy_cores(&self) -> u32 {
        let own = format!("{}-", std::process::id());
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return 0 };
        let others = entries.filter_map(Result::ok).filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| name.ends_with(".lease") && !name.starts_with(&own))
        });
        others.filter_map(|entry| held(&entry.path())).sum()
    }
}

/// The demand a lock file carries, if its holder lives.
fn held(path: &Path) -> Option<u32> {
    let mut file = File::open(path).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            Read::by_ref(&mut file).take(16).read_to_string(&mut text).ok()?;
            text.trim().parse().ok()
        }
        Ok(()) => {
            // Nobody holds it: its holder is dead, or has not locked it yet, and will then be missed this once.
            let _ = std::fs::remove_file(path);
            None
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_living_and_sweeps_the_dead() {
        let directory = tempfile::tempdir().unwrap();
        let occupancy = Occupancy::new(directory.path().join("leases"));
        assert_eq!(occupancy.busy_cores(), 0);
        let own = occupancy.take(2).unwrap();
        assert_eq!(occupancy.busy_cores(), 0, "a process does not count itself");

        let stranger = directory.path().join("leases/1-0.lease");
        std::fs::write(&stranger, "3").unwrap();
        let lock = File::open(&stranger).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        assert_eq!(occupancy.busy_cores(), 3);
        drop(lock);
        assert_eq!(occupancy.busy_cores(), 0);
        assert!(!stranger.exists());

        drop(own);
        assert_eq!(std::fs::read_dir(directory.path().join("leases")).unwrap().count(), 0);
    }
}
