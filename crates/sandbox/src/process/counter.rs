//! Instructions that a program and all it starts retire, where the processor counts them for this user: perf_event_open(2).
//!
//! Opened on the init before it starts the program, with the order to begin at an execution, which the init never does: so
//! the init itself is left out. Where there is nothing to count with (most virtual machines) there is no counter, and no
//! number is made up.

use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;

/// `PERF_TYPE_HARDWARE` and `PERF_COUNT_HW_INSTRUCTIONS`: Linux include/uapi/linux/perf_event.h, as all below.
const INSTRUCTIONS: (u32, u64) = (0, 1);

/// `disabled`, `inherit`, `exclude_kernel`, `exclude_hv`, `enable_on_exec`.
const FLAGS: u64 = 1 | 1 << 1 | 1 << 5 | 1 << 6 | 1 << 12;

/// `PERF_FORMAT_TOTAL_TIME_ENABLED` and `PERF_FORMAT_TOTAL_TIME_RUNNING`.
const TIMES: u64 = 0b11;

/// `PERF_FLAG_FD_CLOEXEC`.
const CLOSE_ON_EXEC: u64 = 1 << 3;

/// `struct perf_event_attr` of the first version, `PERF_ATTR_SIZE_VER0`.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    address: u64,
}

/// A counter in force.
#[derive(Debug)]
pub struct Counter(File);

impl Counter {
    /// Of instructions, from the first execution by what a process starts from now on; `None` where they cannot be counted.
    pub fn of_instructions(process: i32) -> Option<Self> {
        Self::open(process, INSTRUCTIONS)
    }

    #[expect(unsafe_code, reason = "perf_event_open has no wrapper")]
    fn open(process: i32, (kind, config): (u32, u64)) -> Option<Self> {
        let size = size_of::<Attributes>() as u32;
        let attributes = Attributes { kind, size, config, read_format: TIMES, flags: FLAGS, ..Attributes::default() };
        let (any_core, no_group) = (-1_i32, -1_i32);
        // SAFETY: the structure is live and as long as it says; a descriptor that comes back is nobody else's.
        unsafe {
            let opened = libc::syscall(
                libc::SYS_perf_event_open,
                &raw const attributes,
                process,
                any_core,
                no_group,
                CLOSE_ON_EXEC,
            );
            i32::try_from(opened).ok().filter(|fd| *fd >= 0).map(|fd| Self(File::from_raw_fd(fd)))
        }
    }

    /// What was counted of all that has ended and lives; `None` where the processor had other things to count meanwhile,
    /// so that this is a part only.
    pub fn read(&self) -> Option<u64> {
        let mut bytes = [0_u8; 24];
        (&self.0).read_exact(&mut bytes).ok()?;
        let word = |at: usize| bytes.get(at..at + 8).and_then(|word| Some(u64::from_ne_bytes(word.try_into().ok()?)));
        let (count, enabled, running) = (word(0)?, word(8)?, word(16)?);
        (enabled == running && enabled > 0).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PERF_TYPE_SOFTWARE` and `PERF_COUNT_SW_TASK_CLOCK`: nanoseconds on a core, which every machine counts.
    const TASK_CLOCK: (u32, u64) = (1, 1);

    #[test]
    fn what_is_executed_is_counted_and_who_started_it_is_not() {
        let Some(counter) = Counter::open(0, TASK_CLOCK) else {
            // Forbidden to this user, as on hardened systems: then nothing is told.
            return;
        };
        assert_eq!(counter.read(), None, "nothing has been executed");
        let before = crate::measure::usage().cpu();
        while (crate::measure::usage().cpu() - before).0 < 0.3 {
            std::hint::spin_loop();
        }
        let script = "sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; exit 0";
        assert!(std::process::Command::new("sh").args(["-c", script]).status().unwrap().success());
        let counted = counter.read().unwrap() as f64 * 1e-9;
        assert!(counted > 0.001 && counted < 0.25, "the child's child, and not this process: {counted} s");
    }

    #[test]
    fn instructions_are_told_only_where_they_are_counted() {
        let Some(counter) = Counter::of_instructions(0) else { return };
        assert!(std::process::Command::new("true").status().unwrap().success());
        // Where other programs take turns at the processor's counters, nothing is told.
        assert!(counter.read().is_none_or(|count| count > 10_000));
    }
}
