//! What clients and the holder say to each other, and what of it both sides reason about.

use std::path::{Path, PathBuf};

use forewarm_sandbox::process::{Bounds, Confinement, PRIVATE};
use forewarm_types::Bytes;
use serde::{Deserialize, Serialize};

/// A state of a Python program between runs, coldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// A zygote: the interpreter, started.
    Interpreter,
    /// The zygote has imported what the program begins by importing.
    Imports,
    /// The zygote has imported the handler's module.
    Module,
    /// A process forked from the highest of these waits for its run.
    Worker,
}

impl Rung {
    /// Every rung, rising.
    pub const ALL: [Self; 4] = [Self::Interpreter, Self::Imports, Self::Module, Self::Worker];

    /// The rung's key in JSON, on the command line and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interpreter => "interpreter",
            Self::Imports => "imports",
            Self::Module => "module",
            Self::Worker => "worker",
        }
    }

    /// The rung of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.name() == name)
    }
}

/// What a zygote is of: one per code, environment and flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The interpreter.
    pub python: PathBuf,
    /// The script or the handler's file, absolute.
    pub file: PathBuf,
    /// What loads and calls a handler, as Python source; `None` for a script.
    pub runner: Option<String>,
    /// The working directory.
    pub directory: PathBuf,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// Lines of the source whose imports lead to installed modules and always happen.
    pub import_lines: Vec<u32>,
    /// What it may touch.
    pub walls: Walls,
}

/// What a program may touch: the part of a confinement that is laid on a zygote and cannot be another for its runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Walls {
    /// Whether the host's network is there.
    pub network: bool,
    /// Directories that may be written, and where.
    pub writable: Vec<(PathBuf, PathBuf)>,
    /// What stays readable below private directories.
    pub visible: Vec<PathBuf>,
    /// Most bytes in each private directory.
    pub scratch: Bytes,
    /// Most memory of all its processes.
    pub memory: Option<Bytes>,
}

/// Variables that shells change from one command to the next and that nothing reads while it is imported; a run has its
/// own values of them all the same.
pub const OF_THE_MOMENT: [&str; 7] = ["PWD", "OLDPWD", "SHLVL", "_", "COLUMNS", "LINES", "FOREWARM_NO_RECORD"];

impl Walls {
    /// Of a confinement.
    #[must_use]
    pub fn of(confinement: &Confinement) -> Self {
        Self {
            network: confinement.network,
            writable: confinement.writable.clone(),
            visible: confinement.visible.clone(),
            scratch: confinement.scratch,
            memory: confinement.bounds.memory,
        }
    }

    /// The zygote's own confinement. Its runs' limits are laid on them one by one; what is here bounds all together.
    #[must_use]
    pub fn confinement(&self) -> Confinement {
        let bounds = Bounds { memory: self.memory, ..Bounds::default() };
        Confinement {
            network: self.network,
            writable: self.writable.clone(),
            visible: self.visible.clone(),
            scratch: self.scratch,
            bounds,
            ..Confinement::default()
        }
    }

    /// Whether a path can be seen inside as it is outside.
    fn shows(&self, path: &Path) -> bool {
        !hidden(path)
            || self.visible.iter().any(|shown| path.starts_with(shown))
            || self.writable.iter().any(|(host, guest)| host == guest && path.starts_with(host))
    }
}

/// Whether a path lies in a directory that confined programs have for themselves.
fn hidden(path: &Path) -> bool {
    PRIVATE.iter().any(|private| path.starts_with(private))
}

impl Program {
    /// Why what is held for this program cannot serve a run of another; `None` where it can.
    #[must_use]
    pub fn differs(&self, wanted: &Self) -> Option<String> {
        if self.file != wanted.file || self.runner.is_some() != wanted.runner.is_some() {
            return Some("nothing is warm for this program".to_owned());
        }
        if self.python != wanted.python {
            return Some("it is warm in another interpreter".to_owned());
        }
        if self.runner != wanted.runner {
            return Some("it was warmed by another version".to_owned());
        }
        if let Some(name) = other_variable(&self.environment, &wanted.environment) {
            return Some(format!("it is warm in an environment that differs in {name}"));
        }
        let (own, walls) = (&self.walls, &wanted.walls);
        if own.network != walls.network {
            return Some("it is warm with another --net".to_owned());
        }
        if own.writable != walls.writable {
            return Some("it is warm with other directories given by --dir".to_owned());
        }
        if (own.scratch, own.memory) != (walls.scratch, walls.memory) {
            return Some("it is warm with another limit on memory".to_owned());
        }
        let unseen = walls.visible.iter().chain([&wanted.directory]).find(|path| path.exists() && !own.shows(path));
        unseen.map(|path| format!("what is warm cannot see {}", path.display()))
    }
}

fn other_variable(one: &[(String, String)], other: &[(String, String)]) -> Option<String> {
    let settled = |pairs: &[(String, String)]| {
        let kept = pairs.iter().filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str())).cloned();
        kept.collect::<std::collections::BTreeMap<_, _>>()
    };
    let (one, other) = (settled(one), settled(other));
    let missing = |from: &std::collections::BTreeMap<String, String>,
                   of: &std::collections::BTreeMap<String, String>| {
        of.iter().find(|(name, value)| from.get(*name) != Some(value)).map(|(name, _)| name.clone())
    };
    missing(&one, &other).or_else(|| missing(&other, &one))
}

/// A client's request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Climb to a rung and answer with a [`Climb`].
    Warm {
        /// What.
        program: Box<Program>,
        /// How far.
        rung: Rung,
    },
    /// Answer with what is held.
    List,
    /// Let go of one program, or of all and end.
    Drop {
        /// The program's file.
        file: Option<PathBuf>,
    },
    /// A run of this file is about to be asked for: look meanwhile whether what is held of it is still fit.
    Look {
        /// The program's file.
        file: PathBuf,
    },
    /// Run; the standard streams come along.
    Run {
        /// What.
        program: Box<Program>,
    },
}

/// The answer to all but a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// How far the climb came.
    Climbed(Climb),
    /// It could not be begun.
    Failed(String),
    /// What is held.
    Held(Vec<Held>),
    /// Whether something is held of a file.
    Known(bool),
    /// How many were let go.
    Dropped(usize),
    /// A run is to be cold, and why.
    Cold(String),
    /// A run goes to a process of this rung; what follows on the line is that process' own.
    Taken {
        /// The rung.
        rung: Rung,
        /// Key of the tier that confines it.
        tier: String,
    },
}

/// A climb.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Climb {
    /// The rung reached.
    pub rung: Rung,
    /// Each rung on the way.
    pub steps: Vec<RungStep>,
    /// The rung that was wanted and could not be reached, and why.
    pub refused: Option<(Rung, String)>,
    /// Memory held.
    pub held_bytes: Bytes,
    /// Files that it was loaded from.
    pub files: usize,
    /// From the request to the rung, in seconds; 0 where it stood already.
    pub seconds: f64,
}

/// A rung of a climb.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RungStep {
    /// The rung reached.
    pub rung: Rung,
    /// Time from the rung below, in seconds.
    pub seconds: f64,
    /// Memory held while standing there.
    pub bytes: Bytes,
}

/// A zygote as `forewarm warm --list` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The program.
    pub file: PathBuf,
    /// Its rung.
    pub rung: Rung,
    /// Memory that all its processes hold now.
    pub held_bytes: Bytes,
    /// What climbing there took, in seconds.
    pub climb_seconds: f64,
    /// Runs it has served.
    pub runs: u64,
    /// Runs it is serving.
    pub active: u32,
    /// Since its last use, in seconds.
    pub idle_seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Program {
        Program {
            python: "/usr/bin/python3".into(),
            file: "/srv/app.py".into(),
            runner: None,
            directory: "/srv".into(),
            environment: vec![("A".into(), "1".into()), ("PWD".into(), "/srv".into())],
            import_lines: Vec::new(),
            walls: Walls { visible: vec!["/tmp/given".into()], ..Walls::default() },
        }
    }

    #[test]
    fn only_the_same_trust_serves() {
        let check = |change: &dyn Fn(&mut Program), expected: Option<&str>| {
            let mut wanted = program();
            change(&mut wanted);
            let found = program().differs(&wanted);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        check(&|_| {}, None);
        check(&|wanted| wanted.environment[1].1 = "/".into(), None);
        check(&|wanted| wanted.environment[0].1 = "2".into(), Some("differs in A"));
        check(&|wanted| wanted.environment.push(("B".into(), String::new())), Some("differs in B"));
        check(&|wanted| drop(wanted.environment.remove(0)), Some("differs in A"));
        check(&|wanted| wanted.file = "/srv/b.py".into(), Some("nothing is warm"));
        check(&|wanted| wanted.runner = Some(String::new()), Some("nothing is warm"));
        check(&|wanted| wanted.python = "/venv/bin/python".into(), Some("interpreter"));
        check(&|wanted| wanted.walls.network = true, Some("--net"));
        check(&|wanted| wanted.walls.writable.push(("/srv".into(), "/srv".into())), Some("--dir"));
        check(&|wanted| wanted.walls.memory = Some(Bytes(1)), Some("memory"));
        check(&|wanted| wanted.walls.visible.push("/tmp".into()), Some("cannot see /tmp"));
        check(&|wanted| wanted.walls.visible.push("/usr".into()), None);
        check(&|wanted| wanted.directory = "/dev/shm".into(), Some("cannot see"));
    }

    #[test]
    fn rungs_are_named() {
        assert!(Rung::ALL.iter().all(|rung| Rung::named(rung.name()) == Some(*rung)));
        assert_eq!(Rung::named("roof"), None);
    }
}
