//! A program's end: what is read while its namespaces still stand, and what is made of it.

use std::io::{self, Write};
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use forewarm_types::{Bytes, Seconds};

use super::Child;
use crate::cgroup::Group;
use crate::measure;
use crate::process::counter::Counter;
use crate::process::shared::{STEPS, step};
use crate::process::surroundings::Around;
use crate::process::verdict::{Ending, judge};
use crate::process::{Cause, Denied, Ended, SpawnError, raw, survey};

impl Child {
    /// The program has ended and its namespaces still stand: what they tell is read now.
    pub(super) fn ended(&mut self) {
        let failed = self.lines.shared.words().ended.each_ref().map(|word| word.load(Acquire)) != [libc::CLD_EXITED, 0];
        if failed && self.own_network && survey::unroutable(self.forked.pid) > 0 {
            self.denied.push(Denied::Network);
        }
        let refused = self.group.as_ref().is_some_and(|group| group.refused_processes() > 0);
        if failed && (refused || self.crowded) {
            self.denied.push(Denied::Processes);
        }
        if failed && self.forked.isolated && survey::scratch_is_full(self.forked.pid) {
            self.denied.push(Denied::Scratch);
        }
        if failed {
            let _ = (&self.lines.go).write_all(b"e");
        }
    }

    pub(super) fn measured(&mut self) -> io::Result<(Seconds, measure::Usage, [Bytes; 2])> {
        let words = self.lines.shared.words();
        let (usage, disk, peak) = if words.settled.load(Acquire) == 1 {
            measure::told(words.usage.each_ref().map(|number| number.load(Relaxed)))
        } else {
            // The init was ended before it could tell; its own use is in this.
            let reaped = measure::reap(self.forked.pid)?;
            self.reaped = true;
            reaped
        };
        self.watch.peak = self.watch.peak.max(peak);
        let [started, ended] = self.lines.shared.words().times.each_ref().map(|time| time.load(Acquire));
        let ended = if ended == 0 { raw::now() } else { ended };
        Ok((Seconds(ended.saturating_sub(started.max(self.watch.started())) as f64 * 1e-9), usage, disk))
    }

    pub(super) fn conclude(
        &mut self,
        wall: Seconds,
        usage: measure::Usage,
        disk: [Bytes; 2],
        around: &Around,
    ) -> Result<Ended, SpawnError> {
        let words = self.lines.shared.words();
        let error = words.error.load(Acquire);
        if error != 0 {
            let error = io::Error::from_raw_os_error(error);
            return Err(match words.step.load(Relaxed) {
                step::EXECUTION => SpawnError::Execute(error),
                step => {
                    let name = usize::try_from(step).ok().and_then(|step| STEPS.get(step));
                    SpawnError::System { step: name.unwrap_or(&"a step"), error }
                }
            });
        }
        let began = Some(words.times[0].load(Acquire)).filter(|ns| *ns > 0);
        let group_peak = self.group.as_ref().and_then(Group::peak);
        let of_group = self.group.as_ref().map(Group::killed_for_memory);
        let oom_kills = of_group.or(around.oom_kills);
        Ok(Ended {
            cause: self.cause(&usage, oom_kills),
            began: began.map(|ns| Seconds(ns as f64 * 1e-9)),
            wall,
            usage,
            peak_memory: group_peak.unwrap_or(self.watch.peak),
            disk,
            run_delay: words.run_delay.load(Acquire).checked_sub(1).map(|ns| Seconds(ns as f64 * 1e-9)),
            outgrew: self.aside.as_mut().and_then(|aside| aside.outgrown(began.unwrap_or_default())),
            throttled: [self.group.as_ref().and_then(Group::throttled), around.throttled]
                .into_iter()
                .flatten()
                .reduce(|own, around| own + around),
            steal: around.steal,
            oom_kills,
            instructions: self.instructions.as_ref().and_then(Counter::read),
            denied: std::mem::take(&mut self.denied),
            tier: self.tier,
        })
    }

    fn cause(&self, usage: &measure::Usage, oom_kills: Option<u64>) -> Cause {
        let [code, status] = self.lines.shared.words().ended.each_ref().map(|word| word.load(Acquire));
        let ending = match code {
            // The init ended before the program: by the system for want of memory, or by someone.
            0 => Ending::Unseen,
            libc::CLD_EXITED => Ending::Exited(status),
            _ => Ending::Signalled(status),
        };
        self.verdict.unwrap_or_else(|| judge(ending, &self.bounds, usage.cpu(), oom_kills))
    }
}
