//! How a run in a process that the holder started went, as the holder tells its client.

use forewarm_sandbox::measure::Usage;
use forewarm_sandbox::process::{Adopted, Around, Cause, Denied, Ended, Ending, Tier};
use forewarm_types::{Bytes, Seconds};
use serde::{Deserialize, Serialize};

/// `SIGKILL`: signal(7).
const KILLED: i32 = 9;

/// What was denied, by place in [`Measured::denied`].
const DENIED: [Denied; 3] = [Denied::Network, Denied::Processes, Denied::Scratch];

/// What was measured of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Measured {
    /// How the program ended, where it did: by its code, or a signal.
    pub exited: Option<i32>,
    pub signalled: Option<i32>,
    /// Whether it ended for want of memory.
    pub memory: bool,
    pub began_seconds: Option<f64>,
    pub wall_seconds: f64,
    pub user_seconds: f64,
    pub system_seconds: f64,
    /// Minor and major faults, voluntary and involuntary switches.
    pub counts: [u64; 4],
    /// Memory that all its processes had at most, or hold at the end where they go on.
    pub memory_bytes: Bytes,
    /// Read from and written to disks.
    pub disk: [Bytes; 2],
    pub run_delay_seconds: Option<f64>,
    pub instructions: Option<u64>,
    /// Whether each of [`DENIED`] was.
    pub denied: [bool; 3],
}

impl Measured {
    /// Of a program that has ended.
    pub fn of(ended: &Ended) -> Self {
        let denied = DENIED.map(|denied| ended.denied.contains(&denied));
        Self {
            memory: ended.cause == Cause::Memory,
            exited: match ended.cause {
                Cause::Exited(code) => Some(code),
                _ => None,
            },
            signalled: ended.cause.signal(),
            began_seconds: ended.began.map(|began| began.0),
            wall_seconds: ended.wall.0,
            memory_bytes: ended.peak_memory,
            disk: ended.disk,
            run_delay_seconds: ended.run_delay.map(|delay| delay.0),
            instructions: ended.instructions,
            denied,
            ..Self::default()
        }
        .using(&ended.usage)
    }

    /// The same with this use of CPU time, memory and cores.
    pub fn using(self, usage: &Usage) -> Self {
        Self {
            user_seconds: usage.user.0,
            system_seconds: usage.system.0,
            counts: [usage.minor_faults, usage.major_faults, usage.voluntary_switches, usage.involuntary_switches],
            ..self
        }
    }

    fn usage(&self) -> Usage {
        let [minor_faults, major_faults, voluntary_switches, involuntary_switches] = self.counts;
        Usage {
            user: Seconds(self.user_seconds),
            system: Seconds(self.system_seconds),
            minor_faults,
            major_faults,
            voluntary_switches,
            involuntary_switches,
        }
    }

    /// How it ended, as its client sees it, who held it to its limits.
    pub fn concluded(&self, taken: &Adopted, tier: Tier) -> Ended {
        let usage = self.usage();
        let around = taken.around();
        Ended {
            cause: self.cause(taken, &usage, &around),
            wall: Seconds(self.wall_seconds),
            began: self.began_seconds.map(Seconds),
            usage,
            peak_memory: self.memory_bytes.max(taken.peak()),
            disk: self.disk,
            run_delay: self.run_delay_seconds.map(Seconds),
            throttled: around.throttled,
            steal: around.steal,
            oom_kills: around.oom_kills,
            outgrew: None,
            instructions: self.instructions,
            denied: DENIED.into_iter().zip(self.denied).filter(|(_, denied)| *denied).map(|(what, _)| what).collect(),
            tier,
        }
    }

    fn cause(&self, taken: &Adopted, usage: &Usage, around: &Around) -> Cause {
        if self.memory {
            return Cause::Memory;
        }
        let ending = match (self.exited, self.signalled) {
            (Some(code), _) => Ending::Exited(code),
            (None, Some(signal)) => Ending::Signalled(signal),
            // It goes on, and what it was run for is done.
            (None, None) => Ending::Exited(0),
        };
        taken.cause(ending, usage.cpu(), around)
    }

    /// Of a run of which nobody tells, since who stood over it was ended.
    pub fn lost() -> Self {
        Self { signalled: Some(KILLED), ..Self::default() }
    }
}
