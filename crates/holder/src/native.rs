//! Native programs: what is held of them is their files in the page cache ([`files`]), or, of one that was written for the
//! Lambda runtime API, a process that has been initialised and waits for its next event ([`waiting`]).

pub(crate) mod files;
mod pump;
pub(crate) mod run;
pub(crate) mod waiting;

use std::path::PathBuf;

use forewarm_sandbox::process::{Bounds, Confinement};
use forewarm_types::Bytes;
use serde::{Deserialize, Serialize};

use crate::program::nothing;
use crate::walls::{Walls, other_variable};

/// A native program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeProgram {
    /// Its file, absolute.
    pub file: PathBuf,
    /// All files that it is loaded from: its own and its shared libraries. What asks for a run need not know them.
    pub loaded: Vec<PathBuf>,
    /// How it is executed for events; `None` for its files alone.
    pub place: Option<NativePlace>,
}

/// How a program is executed that waits for events: one process per code, arguments, environment and flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativePlace {
    /// Its arguments, its name first.
    pub arguments: Vec<String>,
    /// The working directory.
    pub directory: PathBuf,
    /// The whole environment, but for where the runtime API is.
    pub environment: Vec<(String, String)>,
    /// What it may touch.
    pub walls: Walls,
    /// What else bounds it.
    pub limits: NativeLimits,
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
    /// What is laid on its process. Time and CPU time are bounded for each event, by who asks for it.
    fn confinement(&self) -> Confinement {
        let walls = self.walls.confinement();
        let NativeLimits { processes, file_size, open_files, port, exact } = self.limits;
        let bounds = Bounds { processes, file_size, open_files, ..walls.bounds };
        Confinement { bounds, port, groups: exact, ..walls }
    }

    /// Why this cannot serve a run of another; `None` where it can.
    fn differs(&self, wanted: &Self) -> Option<String> {
        if self.arguments.get(1..) != wanted.arguments.get(1..) {
            return Some("it is warm with other arguments".to_owned());
        }
        if self.directory != wanted.directory {
            return Some(format!("it is warm in {}", self.directory.display()));
        }
        if let Some(name) = other_variable(&self.environment, &wanted.environment) {
            return Some(format!("it is warm in an environment that differs in {name}"));
        }
        if self.limits != wanted.limits {
            return Some("it is warm with other limits".to_owned());
        }
        self.walls.differ(&wanted.walls, &wanted.directory)
    }
}

impl NativeProgram {
    /// Why what is held for this program cannot serve a run of another; `None` where it can. Files in the page cache serve
    /// every run.
    #[must_use]
    pub fn differs(&self, wanted: &Self) -> Option<String> {
        if self.file != wanted.file {
            return Some(nothing());
        }
        self.place.as_ref().zip(wanted.place.as_ref()).and_then(|(held, wanted)| held.differs(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> NativeProgram {
        let place = NativePlace {
            arguments: vec!["bootstrap".into()],
            directory: "/srv".into(),
            environment: vec![("A".into(), "1".into())],
            walls: Walls::default(),
            limits: NativeLimits { processes: Some(5), ..NativeLimits::default() },
        };
        NativeProgram { file: "/srv/bootstrap".into(), loaded: Vec::new(), place: Some(place) }
    }

    #[test]
    fn only_the_same_trust_serves() {
        let check = |change: &dyn Fn(&mut NativePlace), expected: Option<&str>| {
            let mut wanted = program();
            change(wanted.place.as_mut().unwrap());
            let found = program().differs(&wanted);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        check(&|_| {}, None);
        check(&|place| place.arguments.push("-x".into()), Some("arguments"));
        check(&|place| place.directory = "/".into(), Some("warm in /srv"));
        check(&|place| place.environment[0].1 = "2".into(), Some("differs in A"));
        check(&|place| place.limits.processes = None, Some("limits"));
        check(&|place| place.limits.exact = true, Some("limits"));
        check(&|place| place.walls.network = true, Some("--net"));
        check(&|place| place.walls.memory = Some(Bytes(1)), Some("memory"));
    }

    #[test]
    fn files_serve_every_run_of_the_same_program() {
        let files = NativeProgram { place: None, ..program() };
        assert!(files.differs(&program()).is_none() && program().differs(&files).is_none());
        let other = NativeProgram { file: "/srv/other".into(), ..program() };
        assert!(files.differs(&other).is_some());
    }
}
