//! What the rooms may ask of the machine, as traits, so that the same code runs live, in tests and in simulation.

use crate::units::Seconds;

/// A source of time.
pub trait Clock: Send + Sync {
    /// Seconds since an arbitrary, fixed origin; never goes back.
    fn monotonic(&self) -> Seconds;

    /// Seconds since the Unix epoch.
    fn unix(&self) -> Seconds;

    /// CPU time of the whole process so far, all threads.
    fn process_cpu(&self) -> Seconds;
}

/// A reader of the files in which a system describes itself (`/proc`, `/sys`).
pub trait SystemFiles {
    /// The text of the file at an absolute path, or `None` where it cannot be read.
    fn read(&self, path: &str) -> Option<String>;
}

/// What an accelerator, such as a GPU, says that it draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Accelerator {
    /// Its model.
    pub name: String,
    /// Energy since an arbitrary, fixed moment, in joules, where it counts that.
    pub joules: Option<f64>,
    /// Power now, in watts, where it tells that.
    pub watts: Option<f64>,
}

/// A reader of what accelerators draw.
pub trait AcceleratorPower {
    /// Every accelerator, in an order that stays.
    fn read(&self) -> Vec<Accelerator>;
}

/// A source of randomness, so that a failure replays from a printed seed.
pub trait Randomness {
    /// The next 64 uniformly distributed bits.
    fn next_u64(&mut self) -> u64;
}
