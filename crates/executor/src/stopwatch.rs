//! Timing of one step of the climb, in wall time and CPU time of the process.

use forewarm_types::host::Clock;
use forewarm_types::{Bytes, Seconds, Step, StepTiming};

/// A step being timed.
pub(crate) struct Stopwatch<'a> {
    clock: &'a dyn Clock,
    wall: Seconds,
    cpu: Seconds,
}

impl<'a> Stopwatch<'a> {
    /// Begins now.
    pub(crate) fn start(clock: &'a dyn Clock) -> Self {
        Self { clock, wall: clock.monotonic(), cpu: clock.process_cpu() }
    }

    /// Ends now, as the timing of a step that produced or holds so many bytes.
    pub(crate) fn stop(self, step: Step, bytes: Bytes) -> StepTiming {
        let (wall_seconds, cpu_seconds) = self.elapsed();
        StepTiming { step, wall_seconds, cpu_seconds, bytes }
    }

    /// Wall and CPU seconds since the start.
    pub(crate) fn elapsed(&self) -> (f64, f64) {
        ((self.clock.monotonic() - self.wall).0, (self.clock.process_cpu() - self.cpu).0)
    }
}
