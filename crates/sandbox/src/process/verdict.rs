//! Why a program ended, by how its first process did and what it had been held to. Judged here alone, whoever watched it: the
//! supervisor of a program it started, or the client of a run that another process stood over.

use forewarm_types::Seconds;

use super::{Bounds, Cause};

/// Share of a limit on CPU time that must be in the usage of a process killed for it: the kernel watches by ticks of its
/// clock and reports by exact times, which differ by up to a tenth where it is crowded (measured).
const COUNTED: f64 = 0.8;

/// How a program's first process ended, as who waited for it saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with a code.
    Exited(i32),
    /// By a signal.
    Signalled(i32),
    /// Nobody saw: who stood over it was ended, and it with that.
    Unseen,
}

/// Why it ended, where nobody who held it to `bounds` ended it: it and all it started used so much CPU time, and the kernel
/// killed so many of them (where that is known) for want of memory.
#[must_use]
pub fn judge(ending: Ending, bounds: &Bounds, cpu: Seconds, oom_kills: Option<u64>) -> Cause {
    let out_of_memory = oom_kills.is_some_and(|kills| kills > 0);
    let used_up = bounds.cpu.is_some_and(|most| cpu.0 >= most.0 * COUNTED);
    match ending {
        Ending::Exited(code) => Cause::Exited(code),
        Ending::Unseen | Ending::Signalled(libc::SIGKILL) if out_of_memory => Cause::Memory,
        Ending::Unseen => Cause::Signalled(libc::SIGKILL),
        Ending::Signalled(libc::SIGXCPU) if bounds.cpu.is_some() => Cause::Cpu,
        Ending::Signalled(libc::SIGKILL) if used_up => Cause::Cpu,
        Ending::Signalled(libc::SIGXFSZ) if bounds.file_size.is_some() => Cause::FileSize,
        Ending::Signalled(signal) => Cause::Signalled(signal),
    }
}

#[cfg(test)]
mod tests {
    use forewarm_types::Bytes;

    use super::*;

    #[test]
    fn a_signal_is_a_limits_where_there_is_that_limit() {
        let free = Bounds::default();
        let bound = Bounds { cpu: Some(Seconds(1.0)), file_size: Some(Bytes(1)), ..free };
        let check = |ending, bounds: &Bounds, cpu, kills, expected| {
            assert_eq!(judge(ending, bounds, Seconds(cpu), kills), expected, "{ending:?} {bounds:?}");
        };
        let signal = Ending::Signalled;
        check(Ending::Exited(137), &bound, 2.0, Some(1), Cause::Exited(137));
        check(signal(libc::SIGKILL), &bound, 0.1, Some(0), Cause::Signalled(libc::SIGKILL));
        check(signal(libc::SIGKILL), &bound, 0.9, None, Cause::Cpu);
        check(signal(libc::SIGKILL), &bound, 0.9, Some(1), Cause::Memory);
        check(signal(libc::SIGXCPU), &bound, 0.0, None, Cause::Cpu);
        check(signal(libc::SIGXCPU), &free, 9.0, None, Cause::Signalled(libc::SIGXCPU));
        check(signal(libc::SIGXFSZ), &bound, 0.0, None, Cause::FileSize);
        check(signal(libc::SIGXFSZ), &free, 0.0, None, Cause::Signalled(libc::SIGXFSZ));
        check(signal(libc::SIGTERM), &bound, 9.0, Some(1), Cause::Signalled(libc::SIGTERM));
        check(Ending::Unseen, &free, 0.0, Some(2), Cause::Memory);
        check(Ending::Unseen, &bound, 9.0, Some(0), Cause::Signalled(libc::SIGKILL));
    }
}
