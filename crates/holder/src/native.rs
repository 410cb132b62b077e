//! Native programs: what is held of them is a process that waits to execute them ([`spawned`]), or, of one that was written
//! for the Lambda runtime API, a process that has been initialised and waits for its next event ([`waiting`]). Their lowest
//! rung, files in the page cache, nobody holds.

mod measured;
mod pump;
pub(crate) mod run;
mod spawned;
mod waiting;

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use forewarm_sandbox::RealClock;
use forewarm_sandbox::process::{Bounds, Confinement};
use forewarm_types::Bytes;
use forewarm_types::host::Clock;
use serde::{Deserialize, Serialize};

use self::spawned::Spawned;
use self::waiting::Waiting;
use crate::holding::{Holding, Standing};
use crate::program::{Program, Rung, nothing};
use crate::protocol::{Answer, Climb, RungStep};
use crate::walls::{Walls, other_variable};
use crate::wire;

/// A native program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeProgram {
    /// Its file, absolute.
    pub file: PathBuf,
    /// All files that it is loaded from: its own and its shared libraries. What asks for a run need not know them.
    pub loaded: Vec<PathBuf>,
    /// Where its process stands.
    pub place: NativePlace,
}

/// Where a process of a program stands: one per code and flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativePlace {
    /// The working directory.
    pub directory: PathBuf,
    /// What it may touch.
    pub walls: Walls,
    /// What else bounds it.
    pub limits: NativeLimits,
    /// What it is executed with to wait for events; `None` where it waits to be executed, with what a run comes with.
    pub execution: Option<NativeExecution>,
    /// What it was planned for by, beside the program; a run that names it is of [`Self::configuration`], and one that does
    /// not brings all that its own plan says.
    pub planning: Option<String>,
    /// The configuration of runs without a plan of their own, for them to read; nothing where a run is asked for.
    pub configuration: String,
}

/// What a program is executed with that then waits for events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeExecution {
    /// Its arguments, its name first.
    pub arguments: Vec<String>,
    /// The whole environment, but for where the runtime API is.
    pub environment: Vec<(String, String)>,
}

/// Limits that are laid on a process when it starts, and hold for all its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NativeLimits {
    /// Processes and threads at once.
    pub processes: Option<u64>,
    /// Size of each file it writes.
    pub file_size: Option<Bytes>,
    /// Descriptors open at once in each process.
    pub open_files: Option<u64>,
    /// The port on which the runtime API is in its own network.
    pub port: Option<u16>,
    /// Whether exact limits were asked for, which takes control groups of its own.
    pub exact: bool,
}

impl NativeLimits {
    /// Of a confinement.
    #[must_use]
    pub fn of(confinement: &Confinement) -> Self {
        let Bounds { processes, file_size, open_files, .. } = confinement.bounds;
        Self { processes, file_size, open_files, port: confinement.port, exact: confinement.groups }
    }
}

impl NativePlace {
    /// Those limits that hold for all it does: what is laid on a process when it is told to begin comes with its run.
    fn of_place(&self, limits: &NativeLimits) -> NativeLimits {
        match self.execution {
            Some(_) => *limits,
            None => NativeLimits { file_size: None, open_files: None, ..*limits },
        }
    }

    /// What is laid on its process. Time and CPU time are bounded for each event, by who asks for it.
    fn confinement(&self) -> Confinement {
        let walls = self.walls.confinement();
        let NativeLimits { processes, file_size, open_files, port, exact } = self.of_place(&self.limits);
        let bounds = Bounds { processes, file_size, open_files, ..walls.bounds };
        Confinement { bounds, port, groups: exact, ..walls }
    }

    /// Why this cannot serve a run of another; `None` where it can.
    fn differs(&self, wanted: &Self) -> Option<String> {
        match (&self.execution, &wanted.execution) {
            (Some(held), Some(wanted)) => {
                if let Some(why) = held.differs(wanted) {
                    return Some(why);
                }
            }
            (None, None) => {}
            (Some(_), None) => return Some("what is warm serves events alone".to_owned()),
            (None, Some(_)) => return Some("what is warm serves no events".to_owned()),
        }
        if wanted.planning.is_some() && self.planning != wanted.planning {
            return Some("it is warm as planned for with other flags".to_owned());
        }
        if self.directory != wanted.directory {
            return Some(format!("it is warm in {}", self.directory.display()));
        }
        if self.of_place(&self.limits) != self.of_place(&wanted.limits) {
            return Some("it is warm with other limits".to_owned());
        }
        self.walls.differ(&wanted.walls, &wanted.directory)
    }
}

impl NativeExecution {
    fn differs(&self, wanted: &Self) -> Option<String> {
        if self.arguments.get(1..) != wanted.arguments.get(1..) {
            return Some("it is warm with other arguments".to_owned());
        }
        let name = other_variable(&self.environment, &wanted.environment)?;
        Some(format!("it is warm in an environment that differs in {name}"))
    }
}

/// Climbs to a rung.
pub(crate) fn climb(program: &NativeProgram, wanted: Rung) -> Result<Arc<dyn Holding>, String> {
    let began = RealClock.monotonic();
    let stand = |step: RungStep, files: usize| {
        let (rung, held_bytes) = (step.rung, step.bytes);
        let seconds = (RealClock.monotonic() - began).0;
        let climb = Climb { rung, steps: vec![step], refused: None, held_bytes, files, seconds };
        Standing::new(Program::Native(program.clone()), wanted, climb)
    };
    Ok(match &program.place.execution {
        None => {
            let (first, step) = spawned::first(program)?;
            Arc::new(Spawned::new(stand(step, 0), program, first))
        }
        Some(execution) => {
            let (kept, step, stamps) = waiting::settled(program, execution)?;
            Arc::new(Waiting::new(stand(step, stamps.len()), stamps, kept))
        }
    })
}

/// Tells a client that its run is to start from nothing; one that has gone needs no word.
fn refuse(client: &UnixStream, why: &str) {
    let _ = wire::send(client, &Answer::Cold(why.to_owned()), &[]);
}

impl NativeProgram {
    /// Why what is held for this program cannot serve a run of another; `None` where it can.
    #[must_use]
    pub fn differs(&self, wanted: &Self) -> Option<String> {
        if self.file != wanted.file {
            return Some(nothing());
        }
        self.place.differs(&wanted.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> NativeProgram {
        let place = NativePlace {
            directory: "/srv".into(),
            walls: Walls::default(),
            limits: NativeLimits { processes: Some(5), ..NativeLimits::default() },
            execution: Some(NativeExecution {
                arguments: vec!["bootstrap".into()],
                environment: vec![("A".into(), "1".into())],
            }),
            planning: Some("latency".into()),
            configuration: "of two threads".into(),
        };
        NativeProgram { file: "/srv/bootstrap".into(), loaded: Vec::new(), place }
    }

    #[test]
    fn only_the_same_trust_serves() {
        let check = |change: &dyn Fn(&mut NativePlace), expected: Option<&str>| {
            let mut wanted = program();
            change(&mut wanted.place);
            let found = program().differs(&wanted);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        check(&|_| {}, None);
        check(&|place| place.execution.as_mut().unwrap().arguments.push("-x".into()), Some("arguments"));
        check(&|place| place.directory = "/".into(), Some("warm in /srv"));
        check(&|place| place.configuration.clear(), None);
        check(&|place| place.planning = None, None);
        check(&|place| place.planning = Some("cost".into()), Some("flags"));
        check(&|place| place.execution.as_mut().unwrap().environment[0].1 = "2".into(), Some("differs in A"));
        check(&|place| place.execution = None, Some("events alone"));
        check(&|place| place.limits.processes = None, Some("limits"));
        check(&|place| place.limits.exact = true, Some("limits"));
        check(&|place| place.walls.network = true, Some("--net"));
        check(&|place| place.walls.memory = Some(Bytes(1)), Some("memory"));
    }
}
