//! Who else is running here: each lease is a locked file that carries its demand, and the kernel unlocks it when its
//! holder dies, however it dies.
//!
//! The files are seats that stay for the next lease: to make and remove one for each run is a tenth of a millisecond of the
//! file system's, half of it between the program's end and the user's prompt.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use forewarm_types::{Load, Pressure};
use rustix::fs::{FlockOperation, flock};

/// Seats that stay although nobody takes them: what is free beyond is what was left of a crowd.
const KEPT: u32 = 8;

/// Leases at the same time that can be announced: more than any machine has cores to give, so that a directory whose seats
/// cannot be locked costs an end.
const MOST: u32 = 4096;

/// Bytes of four numbers, however they are written.
const LONGEST: usize = 160;

/// The seats of a directory.
pub(crate) struct Occupancy {
    directory: PathBuf,
}

/// A lease announced, until dropped.
pub(crate) struct Seat {
    _lock: File,
}

impl Occupancy {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Announces a lease that asks for so much. `None` where it cannot be: others then plan without knowing of this one.
    pub(crate) fn take(&self, load: Load) -> Option<Seat> {
        let lock = (0..MOST).map(|number| self.lock(number)).find_map(Result::transpose)?.ok()?;
        let Load { cores, streaming_cores, chasing_cores } = load;
        let line = format!("{} {cores} {streaming_cores} {chasing_cores}\n", std::process::id());
        lock.write_all_at(line.as_bytes(), 0).ok()?;
        Some(Seat { _lock: lock })
    }

    /// A seat, locked, unless somebody has it.
    fn lock(&self, number: u32) -> std::io::Result<Option<File>> {
        let path = self.directory.join(format!("{number}.seat"));
        let open = || OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open().or_else(|_| {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
            open()
        })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What leases of other processes ask for.
    pub(crate) fn load(&self) -> Load {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return Load::default() };
        let number = |entry: &std::fs::DirEntry| entry.file_name().to_str()?.strip_suffix(".seat")?.parse().ok();
        let seats = entries.filter_map(Result::ok).filter_map(|entry| Some((number(&entry)?, entry.path())));
        seats.filter_map(|(number, path)| held(number, &path)).fold(Load::default(), Load::and)
    }
}

/// The demand of the lease that has a seat, if another process holds one.
fn held(number: u32, path: &Path) -> Option<Load> {
    let file = File::open(path).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut bytes = [0; LONGEST];
            let length = file.read_at(&mut bytes, 0).ok()?;
            parse(std::str::from_utf8(bytes.get(..length)?).ok()?)
        }
        Ok(()) => {
            // Who has opened it and not locked it yet will be missed this once.
            if number >= KEPT {
                let _ = std::fs::remove_file(path);
            }
            None
        }
        Err(_) => None,
    }
}

/// The first line of a seat: who has it, how many cores, and how many of them stream and chase; `None` of this process' own.
fn parse(text: &str) -> Option<Load> {
    let mut words = text.lines().next()?.split_whitespace();
    if words.next()?.parse() == Ok(std::process::id()) {
        return None;
    }
    let mut number = || words.next()?.parse::<f64>().ok();
    let (cores, streaming, chasing) = (number()?, number()?, number()?);
    Some(Load::of(cores, Pressure { streaming_share: streaming / cores, chasing_share: chasing / cores }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(directory: &Path) -> usize {
        std::fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn counts_the_living() {
        let directory = tempfile::tempdir().unwrap();
        let occupancy = Occupancy::new(directory.path().join("leases"));
        assert_eq!(occupancy.load(), Load::default());
        let streams = Pressure { streaming_share: 0.25, chasing_share: 0.5 };
        let own = occupancy.take(Load::of(2.0, streams)).unwrap();
        assert_eq!(occupancy.load(), Load::default(), "a process does not count itself");

        let seat = directory.path().join("leases/1.seat");
        std::fs::write(&seat, "1 3 0 0\nwhat a longer line left").unwrap();
        let lock = File::open(&seat).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        assert_eq!(occupancy.load(), Load::of(3.0, Pressure::default()));
        std::fs::write(&seat, "1 2 1 0.5\n").unwrap();
        assert_eq!(occupancy.load(), Load::of(2.0, Pressure { streaming_share: 0.5, chasing_share: 0.25 }));
        for damaged in ["no number", "", "1 2", "\n"] {
            std::fs::write(&seat, damaged).unwrap();
            assert_eq!(occupancy.load(), Load::default(), "{damaged:?}");
        }
        drop((lock, own));
        assert_eq!(occupancy.load(), Load::default());
    }

    #[test]
    fn seats_are_taken_again_and_those_of_a_crowd_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let occupancy = Occupancy::new(directory.path().to_owned());
        let load = Load::of(1.0, Pressure::default());
        for _ in 0..3 {
            assert!(occupancy.take(load).is_some());
        }
        assert_eq!(seats(directory.path()), 1);
        let crowd: Vec<_> = (0..KEPT + 3).map(|_| occupancy.take(load).unwrap()).collect();
        assert_eq!(seats(directory.path()), crowd.len());
        occupancy.load();
        assert_eq!(seats(directory.path()), crowd.len(), "none is taken from its holder");
        drop(crowd);
        occupancy.load();
        assert_eq!(seats(directory.path()), KEPT as usize);
    }
}
