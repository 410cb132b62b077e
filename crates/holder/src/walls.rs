//! What a held program may touch, and which environments are alike: what is laid on it once and cannot be another for its
//! runs. Called by every kind whose programs are processes in a sandbox.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use forewarm_sandbox::process::{Bounds, Confinement, PRIVATE};
use forewarm_types::Bytes;
use serde::{Deserialize, Serialize};

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
    pub(crate) fn shows(&self, path: &Path) -> bool {
        !hidden(path)
            || self.visible.iter().any(|shown| path.starts_with(shown))
            || self.writable.iter().any(|(host, guest)| host == guest && path.starts_with(host))
    }

    /// Why what is held behind these walls cannot serve a run behind others, or one that names a directory it does not
    /// see; `None` where it can.
    pub(crate) fn differ(&self, wanted: &Self, directory: &PathBuf) -> Option<String> {
        if self.network != wanted.network {
            return Some("it is warm with another --net".to_owned());
        }
        if self.writable != wanted.writable {
            return Some("it is warm with other directories given by --dir".to_owned());
        }
        if (self.scratch, self.memory) != (wanted.scratch, wanted.memory) {
            return Some("it is warm with another limit on memory".to_owned());
        }
        let unseen = wanted.visible.iter().chain([directory]).find(|path| path.exists() && !self.shows(path));
        unseen.map(|path| format!("what is warm cannot see {}", path.display()))
    }

    /// What is shown to the program by its place, so that another thing at that place would not be seen.
    pub(crate) fn shown(&self, directory: &Path) -> Vec<PathBuf> {
        let given = self.writable.iter().map(|(host, _)| host.clone());
        self.visible.iter().cloned().chain(given).chain([directory.to_owned()]).collect()
    }
}

/// Whether a path lies in a directory that confined programs have for themselves.
fn hidden(path: &Path) -> bool {
    PRIVATE.iter().any(|private| path.starts_with(private))
}

/// The name of a variable whose values in two environments differ.
pub(crate) fn other_variable(one: &[(String, String)], other: &[(String, String)]) -> Option<String> {
    let settled = |pairs: &[(String, String)]| {
        let kept = pairs.iter().filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str())).cloned();
        kept.collect::<BTreeMap<_, _>>()
    };
    let (one, other) = (settled(one), settled(other));
    let missing = |from: &BTreeMap<String, String>, of: &BTreeMap<String, String>| {
        of.iter().find(|(name, value)| from.get(*name) != Some(value)).map(|(name, _)| name.clone())
    };
    missing(&one, &other).or_else(|| missing(&other, &one))
}
