//! The machine's clocks, behind the trait through which every other room reads time.

use forewarm_types::Seconds;
use forewarm_types::host::Clock;
use rustix::time::{ClockId, clock_gettime};

/// The real clock of this machine: `CLOCK_MONOTONIC`, `CLOCK_REALTIME` and `CLOCK_PROCESS_CPUTIME_ID`.
///
/// The monotonic origin is the system's (its boot), so that instants of several processes compare.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealClock;

fn seconds(id: ClockId) -> Seconds {
    let time = clock_gettime(id);
    Seconds(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}

impl Clock for RealClock {
    fn monotonic(&self) -> Seconds {
        seconds(ClockId::Monotonic)
    }

    fn unix(&self) -> Seconds {
        seconds(ClockId::Realtime)
    }

    fn process_cpu(&self) -> Seconds {
        seconds(ClockId::ProcessCPUTime)
    }
}

/// Between two ticks of the clock by which the system counts what it does not time: sysconf(3), `_SC_CLK_TCK`.
#[must_use]
pub fn tick() -> Seconds {
    Seconds(1.0 / rustix::param::clock_ticks_per_second() as f64)
}

/// CPU time of the calling thread so far.
#[must_use]
pub fn thread_cpu() -> Seconds {
    seconds(ClockId::ThreadCPUTime)
}

/// CPU time so far of another process, of all its threads; `None` where there is no such process.
#[must_use]
#[expect(unsafe_code, reason = "the clock of another process has no safe wrapper among the dependencies")]
pub fn process_cpu_of(process: u32) -> Option<Seconds> {
    let process = libc::pid_t::try_from(process).ok()?;
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both write into what they are given, which is of the type they write and lives long enough; an unknown process
    // and an unknown clock are errors.
    let told = unsafe {
        libc::clock_getcpuclockid(process, &raw mut clock) == 0 && libc::clock_gettime(clock, &raw mut time) == 0
    };
    told.then_some(Seconds(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_has_a_clock_of_its_own() {
        let mut busy = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let began = RealClock.monotonic();
        let used = || process_cpu_of(busy.id()).map_or(0.0, |cpu| cpu.0);
        while used() < 0.02 && (RealClock.monotonic() - began).0 < 30.0 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let used = used();
        busy.kill().unwrap();
        busy.wait().unwrap();
        assert!(used >= 0.02, "{used}");
        assert_eq!(process_cpu_of(busy.id()), None, "it is gone");
        assert_eq!(process_cpu_of(u32::MAX), None);
    }

    #[test]
    fn clocks_advance_with_work() {
        let clock = RealClock;
        let (wall, process, thread) = (clock.monotonic(), clock.process_cpu(), thread_cpu());
        let mut state = 1_u64;
        while thread_cpu() <= thread || clock.process_cpu() <= process {
            state = std::hint::black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
        assert!(clock.monotonic() > wall);
        assert!(clock.unix().0 > 1.6e9, "the real-time clock counts from 1970");
    }
}
