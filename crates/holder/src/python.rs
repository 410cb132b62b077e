//! Python programs: what is held of them is a *zygote* ([`zygote`]), from which runs are forked.

pub(crate) mod run;
pub(crate) mod zygote;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::program::nothing;
use crate::walls::{Walls, other_variable};

/// What a zygote is of: one per code, environment and flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PythonProgram {
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

impl PythonProgram {
    /// Why what is held for this program cannot serve a run of another; `None` where it can.
    #[must_use]
    pub fn differs(&self, wanted: &Self) -> Option<String> {
        if self.file != wanted.file || self.runner.is_some() != wanted.runner.is_some() {
            return Some(nothing());
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
        self.walls.differ(&wanted.walls, &wanted.directory)
    }
}

#[cfg(test)]
mod tests {
    use forewarm_types::Bytes;

    use super::*;

    fn program() -> PythonProgram {
        PythonProgram {
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
        let check = |change: &dyn Fn(&mut PythonProgram), expected: Option<&str>| {
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
}
