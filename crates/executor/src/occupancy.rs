//! Who else is running here: each lease is a locked file that carries its demand, and the kernel unlocks it when its
//! holder dies, however it dies.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use forewarm_types::{Load, Pressure};
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

    /// Announces a lease that asks for so much. `None` where it cannot be: others then plan without knowing of this one.
    pub(crate) fn take(&self, load: Load) -> Option<Seat> {
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
        let Load { cores, streaming_cores, chasing_cores } = load;
        write!(lock, "{cores} {streaming_cores} {chasing_cores}").ok()?;
        Some(Seat { path, _lock: lock })
    }

    /// What leases of other processes ask for. Files of dead holders are removed on the way.
    pub(crate) fn load(&self) -> Load {
        let own = format!("{}-", std::process::id());
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return Load::default() };
        let others = entries.filter_map(Result::ok).filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| name.ends_with(".lease") && !name.starts_with(&own))
        });
        others.filter_map(|entry| held(&entry.path())).fold(Load::default(), Load::and)
    }
}

/// The demand a lock file carries, if its holder lives.
fn held(path: &Path) -> Option<Load> {
    let mut file = File::open(path).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            Read::by_ref(&mut file).take(LONGEST).read_to_string(&mut text).ok()?;
            parse(&text)
        }
        Ok(()) => {
            // Nobody holds it: its holder is dead, or has not locked it yet, and will then be missed this once.
            let _ = std::fs::remove_file(path);
            None
        }
        Err(_) => None,
    }
}

/// Bytes of three numbers, however they are written.
const LONGEST: u64 = 128;

/// Cores, and how many of them stream and chase: nothing of the latter in files of older versions.
fn parse(text: &str) -> Option<Load> {
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let cores = numbers.next()?.ok()?;
    let mut of_these = || numbers.next().and_then(Result::ok).unwrap_or(0.0) / cores;
    let pressure = Pressure { streaming_share: of_these(), chasing_share: of_these() };
    Some(Load::of(cores, pressure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_living_and_sweeps_the_dead() {
        let directory = tempfile::tempdir().unwrap();
        let occupancy = Occupancy::new(directory.path().join("leases"));
        assert_eq!(occupancy.load(), Load::default());
        let streams = Pressure { streaming_share: 0.25, chasing_share: 0.5 };
        let own = occupancy.take(Load::of(2.0, streams)).unwrap();
        assert_eq!(occupancy.load(), Load::default(), "a process does not count itself");
        assert_eq!(parse(&std::fs::read_to_string(&own.path).unwrap()), Some(Load::of(2.0, streams)));

        let stranger = directory.path().join("leases/1-0.lease");
        std::fs::write(&stranger, "3").unwrap();
        let lock = File::open(&stranger).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        assert_eq!(occupancy.load(), Load::of(3.0, Pressure::default()));
        std::fs::write(&stranger, "2 1 0.5").unwrap();
        assert_eq!(occupancy.load(), Load::of(2.0, Pressure { streaming_share: 0.5, chasing_share: 0.25 }));
        std::fs::write(&stranger, "no number").unwrap();
        assert_eq!(occupancy.load(), Load::default());
        drop(lock);
        assert_eq!(occupancy.load(), Load::default());
        assert!(!stranger.exists());

        drop(own);
        assert_eq!(std::fs::read_dir(directory.path().join("leases")).unwrap().count(), 0);
    }
}
