//! What importing Python modules costs, module by module: `-X importtime` for time, resident memory for bytes.
//!
//! Each module's own part is measured, without what it imports in turn, so that the cost of any set of modules is the
//! sum over their union; sums over packages count what they share several times. The modules are imported for real, in
//! a process of its own with bounded time and an empty folder to work in; nothing else of the program runs.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::process::Command;

use forewarm_sandbox::bounded::{Output, output};

/// Longest that one import of everything is waited for: the slowest library known here, a whole TensorFlow from a cold
/// disk, takes some 20 s.
pub const MOST_SECONDS: f64 = 60.0;

/// Measured imports after one that fills the page cache and writes bytecode; odd, so that there is a median.
const SAMPLES: usize = 3;

/// Output kept: 60,000 lines of `-X importtime`.
const MOST_BYTES: u64 = 8 << 20;

/// Imports what it is given and says what failed.
const IMPORT: &str = "import sys\nfor name in sys.argv[1:]:\n    try:\n        __import__(name)\n    \
                      except BaseException as error:\n        print('failed', name, type(error).__name__)\n";

/// The same, with the resident memory that each module adds by itself (`/proc/self/statm`, proc(5)).
const IMPORT_MEMORY: &str = "import sys, importlib._bootstrap as bootstrap\nload = bootstrap._load_unlocked\n\
    statm = open('/proc/self/statm', 'rb', buffering=0)\npage = __import__('os').sysconf('SC_PAGE_SIZE')\n\
    inner, rows = [0], []\ndef resident():\n    statm.seek(0)\n    return int(statm.read().split()[1]) * page\n\
def wrapped(spec):\n    inner.append(0)\n    before = resident()\n    try:\n        return load(spec)\n    \
finally:\n        whole = resident() - before\n        rows.append((spec.name, whole - inner.pop()))\n        \
inner[-1] += whole\nbootstrap._load_unlocked = wrapped\nfor name in sys.argv[1:]:\n    try:\n        \
__import__(name)\n    except BaseException:\n        pass\nfor name, size in rows:\n    print('memory', name, size)\n";

/// One module's own cost.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleTime {
    /// Its name.
    pub module: String,
    /// Seconds, the median of the samples.
    pub seconds: f64,
    /// Resident bytes it added.
    pub bytes: Option<f64>,
    /// Whether the interpreter imports it at its start in any case.
    pub startup: bool,
    /// Samples.
    pub samples: u64,
}

/// What importing did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Imports {
    /// Every module that was imported, by name.
    pub modules: Vec<ModuleTime>,
    /// Modules asked for that could not be imported, with the exception's name.
    pub failed: Vec<String>,
}

/// Why imports could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum ImportsError {
    /// The interpreter or the scratch folder cannot be had.
    #[error("cannot run {program}: {cause}")]
    Start {
        /// The interpreter.
        program: String,
        /// Why.
        cause: std::io::Error,
    },
    /// It took too long.
    #[error("importing took longer than {0} s")]
    Timeout(f64),
    /// The interpreter said nothing about times.
    #[error("the interpreter does not tell import times (it ended with {0})")]
    Silent(String),
}

/// Imports modules with an interpreter and measures each.
///
/// # Errors
/// [`ImportsError`].
pub fn measure_imports(python: &Path, modules: &[String], seconds: f64) -> Result<Imports, ImportsError> {
    let start = |cause| ImportsError::Start { program: python.display().to_string(), cause };
    let scratch = tempfile::tempdir().map_err(start)?;
    let run = |flags: &[&str], code: &str, arguments: &[String]| -> Result<Output, ImportsError> {
        let mut command = Command::new(python);
        command.args(flags).args(["-c", code]).args(arguments).current_dir(scratch.path());
        let done = output(&mut command, seconds, MOST_BYTES).map_err(start)?;
        if done.timed_out { Err(ImportsError::Timeout(seconds)) } else { Ok(done) }
    };
    let timed = ["-X", "importtime"];
    let at_start: HashSet<String> = times(&run(&timed, "pass", &[])?.stderr).into_keys().collect();
    run(&[], IMPORT, modules)?;
    let mut samples: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut failed = Vec::new();
    for _ in 0..SAMPLES {
        let done = run(&timed, IMPORT, modules)?;
        let found = times(&done.stderr);
        if found.is_empty() {
            return Err(ImportsError::Silent(done.status.to_string()));
        }
        for (module, seconds) in found {
            samples.entry(module).or_default().push(seconds);
        }
        failed = failures(&done.stdout);
    }
    let memory = memory(&run(&[], IMPORT_MEMORY, modules)?.stdout);
    let modules = samples.into_iter().map(|(module, mut seconds)| {
        seconds.sort_by(f64::total_cmp);
        ModuleTime {
            seconds: seconds[seconds.len() / 2],
            bytes: memory.get(&module).copied(),
            startup: at_start.contains(&module),
            samples: seconds.len() as u64,
            module,
        }
    });
    Ok(Imports { modules: modules.collect(), failed })
}

/// Own times of modules from what `-X importtime` writes: `import time: self [us] | cumulative | package`.
fn times(stderr: &[u8]) -> BTreeMap<String, f64> {
    let mut out: BTreeMap<String, f64> = BTreeMap::new();
    for line in String::from_utf8_lossy(stderr).lines() {
        let Some(rest) = line.strip_prefix("import time:") else { continue };
        let mut parts = rest.split('|');
        let own = parts.next().and_then(|own| own.trim().parse::<f64>().ok());
        let name = parts.nth(1).map(str::trim).filter(|name| !name.is_empty());
        if let (Some(own), Some(name)) = (own, name) {
            *out.entry(name.to_owned()).or_default() += own * 1e-6;
        }
    }
    out
}

fn failures(stdout: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stdout);
    text.lines().filter_map(|line| line.strip_prefix("failed ")).map(str::to_owned).collect()
}

fn memory(stdout: &[u8]) -> BTreeMap<String, f64> {
    let mut out: BTreeMap<String, f64> = BTreeMap::new();
    for line in String::from_utf8_lossy(stdout).lines() {
        let mut words = line.strip_prefix("memory ").into_iter().flat_map(str::split_whitespace);
        if let (Some(name), Some(Ok(size))) = (words.next(), words.next().map(str::parse::<f64>)) {
            *out.entry(name.to_owned()).or_default() += size.max(0.0);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn import_times_are_read() {
        let text = "import time: self [us] | cumulative | imported package\nimport time:       120 |        120 |   \
                    _io\nnoise\nimport time:      1500 |       3000 | a.b\nimport time:  30 | 30 |     a.b\n";
        let found = times(text.as_bytes());
        assert_eq!(found.len(), 2);
        assert!((found["a.b"] - 0.00153).abs() < 1e-12 && (found["_io"] - 0.00012).abs() < 1e-12);
    }

    #[test]
    fn an_interpreter_that_is_none_is_an_error() {
        let none = measure_imports(Path::new("/nonexistent/python"), &[], 1.0);
        assert!(matches!(none, Err(ImportsError::Start { .. })));
        let silent = measure_imports(Path::new("/bin/true"), &[], 5.0);
        assert!(matches!(silent, Err(ImportsError::Silent(_))));
    }
}
