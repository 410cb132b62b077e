//! WebAssembly programs: what is held of them is a *stand* ([`stand`]), a process that has mapped and linked the program
//! and forks a process for each run.
//!
//! What happens inside is not known here: what the stand is to do comes as orders that are passed on as they are, and the
//! command that it is started with is the caller's ([`worker`] is its end of the line).

pub(crate) mod run;
pub(crate) mod stand;
pub mod worker;

use std::path::PathBuf;

use forewarm_types::{Bytes, Exit};
use serde::{Deserialize, Serialize};

use crate::program::{Rung, nothing};
use crate::stamps::FileStamp;

/// What a stand is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasmProgram {
    /// The file, absolute.
    pub file: PathBuf,
    /// The file as it was when it was read.
    pub stamp: FileStamp,
    /// The variables given to it.
    pub environment: Vec<(String, String)>,
    /// The directories given to it: where they lie, what it calls them, whether it may only read them.
    pub directories: Vec<(PathBuf, String, bool)>,
    /// Whether sockets are allowed.
    pub network: bool,
    /// What else decides how it is planned for.
    pub planning: String,
    /// What its stand is told; nothing where a run is asked for.
    pub orders: String,
}

impl WasmProgram {
    /// Why what is held for this program cannot serve a run of another; `None` where it can.
    pub(crate) fn differs(&self, wanted: &Self) -> Option<String> {
        if self.file != wanted.file {
            return Some(nothing());
        }
        let differs = [
            (self.stamp != wanted.stamp, "its file has changed"),
            (self.environment != wanted.environment, "it is warm with other variables given by --env"),
            (self.directories != wanted.directories, "it is warm with other directories given by --dir"),
            (self.network != wanted.network, "it is warm with another --net"),
            (self.planning != wanted.planning, "it is warm as planned for with other flags"),
        ];
        differs.into_iter().find(|(differs, _)| *differs).map(|(_, why)| why.to_owned())
    }
}

/// What a run is given: told by its client to the process that runs it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Errand {
    /// `argv[0]`.
    pub program: String,
    /// The arguments after it.
    pub arguments: Vec<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// What the program calls the directories whose descriptors came along, and whether it may only read them.
    pub directories: Vec<(String, bool)>,
    /// An export to call instead of the command's entry point.
    pub invoke: Option<String>,
    /// Whether sockets are allowed.
    pub network: bool,
    /// Most linear memory it may have.
    pub max_memory: Option<Bytes>,
}

/// What a client hears of its run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// It is to go its usual way, and why; nothing of the program has run.
    Cold(String),
    /// The program's first instruction is next.
    Begun {
        /// The rung it starts from.
        rung: Rung,
        /// When, in seconds on the monotonic clock.
        began_seconds: f64,
        /// The orders of its stand.
        orders: String,
    },
    /// The program is over.
    Over(Box<Over>),
    /// It could not be instantiated, and why; it may have begun by itself.
    Failed(String),
    /// Its process was ended by a signal.
    Lost(i32),
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Over {
    /// How it ended.
    pub exit: Exit,
    /// From the first instruction to the last, in seconds.
    pub run_seconds: f64,
    /// CPU time in between.
    pub run_cpu_seconds: f64,
    /// CPU time of its whole process.
    pub cpu_seconds: f64,
    /// Peak resident memory of its process.
    pub peak_memory_bytes: Bytes,
    /// Peak linear memory.
    pub peak_linear_memory_bytes: Bytes,
    /// Time spent runnable but not running, where the system tells.
    pub run_delay_seconds: Option<f64>,
    /// What `--invoke` returned.
    pub results: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_code_and_flags_serve() {
        let program = WasmProgram {
            file: "/srv/a.wasm".into(),
            stamp: (1, 2, 3, 4, 5),
            environment: vec![("A".into(), "1".into())],
            directories: Vec::new(),
            network: false,
            planning: String::new(),
            orders: "cranelift".into(),
        };
        let check = |change: &dyn Fn(&mut WasmProgram), expected: Option<&str>| {
            let mut wanted = program.clone();
            change(&mut wanted);
            let found = program.differs(&wanted);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        check(&|wanted| wanted.orders.clear(), None);
        check(&|wanted| wanted.file = "/srv/b.wasm".into(), Some("nothing is warm"));
        check(&|wanted| wanted.stamp.3 = 0, Some("changed"));
        check(&|wanted| wanted.environment.clear(), Some("--env"));
        check(&|wanted| wanted.directories.push(("/srv".into(), "/".into(), false)), Some("--dir"));
        check(&|wanted| wanted.network = true, Some("--net"));
        check(&|wanted| wanted.planning.push('x'), Some("flags"));
    }
}
