//! A held thing, whatever its kind: what the shelf asks of it, and the count of its runs that all kinds keep alike.

use std::fmt::Debug;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Release};
use std::sync::{Mutex, MutexGuard, PoisonError};

use forewarm_sandbox::RealClock;
use forewarm_types::Bytes;
use forewarm_types::host::Clock;

use crate::program::{Program, Rung};
use crate::protocol::{Climb, Held};

/// What is known alike of every held thing.
#[derive(Debug)]
pub(crate) struct Standing {
    /// What it is of.
    pub program: Program,
    /// The rung that was asked for.
    pub wanted: Rung,
    /// How it came where it stands.
    pub climb: Climb,
    /// Its runs.
    pub tally: Tally,
}

impl Standing {
    /// Of a thing that has just come to stand.
    pub fn new(program: Program, wanted: Rung, climb: Climb) -> Self {
        Self { program, wanted, climb, tally: Tally::new() }
    }
}

/// What stands for a program between its runs.
pub(crate) trait Holding: Debug + Send + Sync {
    /// What is known of it as of every other.
    fn standing(&self) -> &Standing;

    /// What it is of.
    fn program(&self) -> &Program {
        &self.standing().program
    }

    /// Its runs.
    fn tally(&self) -> &Tally {
        &self.standing().tally
    }

    /// What it was loaded from and has changed since, where something has.
    fn changed(&self) -> Option<PathBuf>;

    /// Whether a run left something behind that the next would find.
    fn spoiled(&self) -> bool {
        false
    }

    /// Whether what has changed or was spoiled can be climbed to anew without being asked for again.
    fn renewable(&self) -> bool {
        true
    }

    /// Memory that all its processes hold now.
    fn held_bytes(&self) -> Bytes;

    /// Hears what it says until it is gone; `news` is called after each run and at its end.
    fn listen(&self, news: &mut dyn FnMut());

    /// Hands it a run: the client's connection, and the descriptors that came from there.
    fn hand(&self, client: &UnixStream, beside: &[OwnedFd]) -> io::Result<()>;

    /// Ends it and all its runs now.
    fn end(&self);

    /// Ends it once its last run is over.
    fn leave(&self) {
        if self.tally().leave() {
            self.end();
        }
    }

    /// As `--list` shows it.
    fn held(&self) -> Held {
        let Standing { program, climb, tally, .. } = self.standing();
        Held {
            file: program.file().to_owned(),
            rung: climb.rung,
            held_bytes: self.held_bytes(),
            climb_seconds: climb.seconds,
            runs: tally.runs.load(Acquire),
            active: tally.active(),
            idle_seconds: tally.idle_seconds(),
        }
    }
}

/// The runs of a held thing.
#[derive(Debug)]
pub(crate) struct Tally {
    active: AtomicU32,
    runs: AtomicU64,
    used: Mutex<f64>,
    leaving: AtomicBool,
    gone: AtomicBool,
}

impl Tally {
    /// Of a thing that has just come to stand.
    pub fn new() -> Self {
        Self {
            active: AtomicU32::new(0),
            runs: AtomicU64::new(0),
            used: Mutex::new(now()),
            leaving: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        }
    }

    /// A run begins, by an action that may fail, and then does not.
    pub fn begin<T>(&self, action: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.active.fetch_add(1, AcqRel);
        *lock(&self.used) = now();
        match action() {
            Ok(begun) => {
                self.runs.fetch_add(1, AcqRel);
                Ok(begun)
            }
            Err(error) => {
                self.active.fetch_sub(1, AcqRel);
                Err(error)
            }
        }
    }

    /// A run is over; whether it was the last of a thing that is to end.
    pub fn over(&self) -> bool {
        // Who says that more runs are over than began is not believed.
        let fewer = self.active.fetch_update(AcqRel, Acquire, |active| active.checked_sub(1));
        *lock(&self.used) = now();
        fewer == Ok(1) && self.leaving.load(Acquire)
    }

    /// It is to end with its last run; whether there is none.
    pub fn leave(&self) -> bool {
        self.leaving.store(true, Release);
        self.active() == 0
    }

    /// Notes that it has ended.
    pub fn has_gone(&self) {
        self.gone.store(true, Release);
    }

    /// Whether it has ended.
    pub fn gone(&self) -> bool {
        self.gone.load(Acquire)
    }

    /// Runs it is serving.
    pub fn active(&self) -> u32 {
        self.active.load(Acquire)
    }

    /// Since its last use, in seconds.
    pub fn idle_seconds(&self) -> f64 {
        now() - *lock(&self.used)
    }
}

/// Seconds on the monotonic clock.
pub(crate) fn now() -> f64 {
    RealClock.monotonic().0
}

/// Locks; what a panicking thread left behind is still whole, since every section only replaces values.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_counted_from_begin_to_end() {
        let tally = Tally::new();
        assert!(tally.begin(|| Err::<(), _>(io::Error::other("no"))).is_err());
        assert_eq!((tally.active(), tally.runs.load(Acquire)), (0, 0));
        assert!(tally.begin(|| Ok(())).is_ok() && tally.begin(|| Ok(())).is_ok());
        assert!(!tally.over() && !tally.leave());
        assert!(tally.over());
        assert!(!tally.over());
        assert_eq!((tally.active(), tally.runs.load(Acquire)), (0, 2));
        assert!(tally.leave());
    }
}
