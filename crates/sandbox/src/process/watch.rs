//! Limits that are watched from outside: whether a look shows one reached, and when to look next.
//!
//! Asked by the supervisor of a program it started, and by who took on a process that another forked.

use forewarm_types::Bytes;

use super::survey::{self, Survey};
use super::{Bounds, Cause, raw};
use crate::measure;

/// Bytes per second that one core can touch for the first time: 0.13 ms per MB, the fastest seen (DESIGN section 8). How
/// soon a limit on memory can be reached at most follows from it, and so when to look next.
const FASTEST_TOUCH: f64 = 1e6 / 0.13e-3;

/// Shortest and longest time between two looks, in seconds: looking at a process takes some 30 µs.
const LOOKS: [f64; 2] = [0.01, 1.0];

/// The share of the system's memory that a program without a group may not take from the others.
const RESERVED: f64 = 1.0 / 32.0;

/// Seconds of CPU time by which the sum may pass a limit: as the system does it for each process alone, the program is
/// told first, and ended a second later.
const GRACE: f64 = 1.0;

/// A watch over the limits of all processes of a program together.
#[derive(Debug)]
pub(super) struct Watch {
    bounds: Bounds,
    cores: f64,
    started: u64,
    /// The greatest memory seen.
    pub peak: Bytes,
}

impl Watch {
    /// Over these limits, from now on, of a program that may use so many cores.
    pub fn new(bounds: Bounds, cores: usize) -> Self {
        Self { bounds, cores: cores.max(1) as f64, started: raw::now(), peak: Bytes::ZERO }
    }

    /// When it began, on the monotonic clock, in nanoseconds.
    pub fn started(&self) -> u64 {
        self.started
    }

    /// Begins again now, as the program does.
    pub fn restart(&mut self) {
        self.started = raw::now();
    }

    /// Whether the time from the start is over.
    pub fn overdue(&self) -> bool {
        self.bounds.wall.is_some_and(|wall| self.elapsed() >= wall.0)
    }

    /// Which other limit is reached, as a look shows.
    pub fn reached(&mut self, survey: &Survey) -> Option<Cause> {
        self.peak = self.peak.max(survey.memory);
        if self.bounds.cpu.is_some_and(|cpu| survey.cpu.0 >= cpu.0 + GRACE) {
            return Some(Cause::Cpu);
        }
        let memory = self.bounds.memory.is_some_and(|most| survey.memory > most || scarce());
        memory.then_some(Cause::Memory)
    }

    /// When a limit can be reached at the earliest, given what is used now; in monotonic nanoseconds.
    pub fn next(&self, survey: &Survey) -> u64 {
        let left = |most: Bytes| most.0.saturating_sub(survey.memory.0) as f64;
        let memory = self.bounds.memory.map(|most| left(most) / (FASTEST_TOUCH * self.cores));
        // The kernel watches each process' own CPU time; the sum of all of them is watched here.
        let cpu = self.bounds.cpu.map(|cpu| (cpu.0 + GRACE - survey.cpu.0) / self.cores);
        let soonest = [memory, cpu].into_iter().flatten().fold(LOOKS[1], f64::min).max(LOOKS[0]);
        let wall = self.bounds.wall.map_or(f64::INFINITY, |wall| (wall.0 - self.elapsed()).max(0.0));
        raw::now().saturating_add((soonest.min(wall) * 1e9) as u64)
    }

    fn elapsed(&self) -> f64 {
        raw::now().saturating_sub(self.started) as f64 * 1e-9
    }
}

/// Whether the system's memory comes to its end.
fn scarce() -> bool {
    let least = measure::total_memory().as_f64() * RESERVED;
    survey::available_memory().is_some_and(|available| available.as_f64() < least)
}
