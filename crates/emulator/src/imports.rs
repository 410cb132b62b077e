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

/// Measured imports after one that fills the page cache and writes bytecode: as few as tell a spread, a second or two
/// each for the largest libraries.
const SAMPLES: usize = 5;

/// Output kept: 60,000 lines of `-X importtime`.
const MOST_BYTES: u64 = 8 << 20;

/// Imports what it is given, and says what failed and which part of the time the importing thread ran.
const IMPORT: &str = "import sys, time\nbegan, busy = time.perf_counter(), time.thread_time()\nfor name in sys.argv[1:]:\n    \
                      try:\n        __import__(name)\n    except BaseException as error:\n        print('failed', name, \
                      type(error).__name__)\nprint('ran', (time.thread_time() - busy) / (time.perf_counter() - began))\n";

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
    /// Seconds in which it ran, the mean of the samples, so that means sum to the mean of the whole: what others on the
    /// machine made it wait for a core is left out, so that a busy hour does not speak for a quiet one.
    pub seconds: f64,
    /// Variance of the seconds from run to run, in square seconds, as far as all modules of a run share it: the
    /// variance of the whole, relative to its mean. What each module varies by itself averages out in sums.
    pub variance: f64,
    /// The module during whose import it was first loaded; `None` where the program itself asked for it.
    pub parent: Option<String>,
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
    let at_start: HashSet<String> = times(&run(&timed, "pass", &[])?.stderr).0.into_keys().collect();
    run(&[], IMPORT, modules)?;
    let mut samples: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let (mut failed, mut totals, mut parents) = (Vec::new(), Vec::new(), BTreeMap::new());
    for _ in 0..SAMPLES {
        let done = run(&timed, IMPORT, modules)?;
        let (found, nest) = times(&done.stderr);
        if found.is_empty() {
            return Err(ImportsError::Silent(done.status.to_string()));
        }
        let ran = ran(&done.stdout);
        let found = found.into_iter().map(|(module, seconds)| (module, seconds * ran));
        let found: BTreeMap<String, f64> = found.collect();
        totals.push(found.iter().filter(|entry| !at_start.contains(entry.0)).map(|entry| entry.1).sum::<f64>());
        parents = nest;
        for (module, seconds) in found {
            samples.entry(module).or_default().push(seconds);
        }
        failed = failures(&done.stdout);
    }
    let memory = memory(&run(&[], IMPORT_MEMORY, modules)?.stdout);
    let spread = relative_variance(&totals);
    let modules = samples.into_iter().map(|(module, seconds)| {
        let mean = seconds.iter().sum::<f64>() / seconds.len() as f64;
        ModuleTime {
            seconds: mean,
            variance: mean * mean * spread,
            parent: parents.get(&module).cloned().flatten(),
            bytes: memory.get(&module).copied(),
            startup: at_start.contains(&module),
            samples: seconds.len() as u64,
            module,
        }
    });
    Ok(Imports { modules: modules.collect(), failed })
}

/// Variance of some figures over the square of their mean; 0 where there are too few.
fn relative_variance(figures: &[f64]) -> f64 {
    let count = figures.len() as f64;
    let mean = figures.iter().sum::<f64>() / count;
    if figures.len() < 2 || mean <= 0.0 {
        return 0.0;
    }
    figures.iter().map(|figure| (figure / mean - 1.0).powi(2)).sum::<f64>() / (count - 1.0)
}

/// Own times of modules from what `-X importtime` writes, `import time: self [us] | cumulative | package`, and the module
/// during whose import each was first loaded. A module stands below those that its import loads, two blanks to the left.
fn times(stderr: &[u8]) -> (BTreeMap<String, f64>, BTreeMap<String, Option<String>>) {
    let mut out: BTreeMap<String, f64> = BTreeMap::new();
    let mut parents = BTreeMap::new();
    let mut above: Vec<String> = Vec::new();
    for line in String::from_utf8_lossy(stderr).lines().rev() {
        let Some(rest) = line.strip_prefix("import time:") else { continue };
        let mut parts = rest.split('|');
        let own = parts.next().and_then(|own| own.trim().parse::<f64>().ok());
        let name = parts.nth(1).filter(|name| !name.trim().is_empty());
        if let (Some(own), Some(name)) = (own, name) {
            let depth = (name.len() - name.trim_start().len()).saturating_sub(1) / 2;
            let name = name.trim();
            *out.entry(name.to_owned()).or_default() += own * 1e-6;
            above.truncate(depth);
            // The lines come last first, so that the first load of a module is the last that is noted.
            parents.insert(name.to_owned(), above.last().cloned());
            above.push(name.to_owned());
        }
    }
    (out, parents)
}

/// The part of the time that the importing thread ran, as it says itself; all of it where it does not.
fn ran(stdout: &[u8]) -> f64 {
    let text = String::from_utf8_lossy(stdout);
    let told = text.lines().rev().find_map(|line| line.strip_prefix("ran ")?.trim().parse::<f64>().ok());
    told.filter(|part| (0.0..=1.0).contains(part)).unwrap_or(1.0)
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
        let text = "import time: self [us] | cumulative | imported package\nimport time:       120 |        120 | \
                    _io\nnoise\nimport time:      1500 |       3000 | a.b\nimport time:  30 | 30 |     a.b\n";
        let (found, parents) = times(text.as_bytes());
        assert_eq!(found.len(), 2);
        assert_eq!(parents["_io"], None);
        assert!((found["a.b"] - 0.00153).abs() < 1e-12 && (found["_io"] - 0.00012).abs() < 1e-12);
    }

    #[test]
    fn modules_know_what_loaded_them_first() {
        let text =
            "import time: 1 | 1 |     c\nimport time: 1 | 2 |   b\nimport time: 1 | 1 |   d\nimport time: 1 | 4 | a\n";
        let (_, parents) = times(text.as_bytes());
        let shown = |name: &str| parents[name].as_deref();
        assert_eq!([shown("a"), shown("b"), shown("c"), shown("d")], [None, Some("a"), Some("b"), Some("a")]);
    }

    #[test]
    fn what_runs_share_is_their_relative_variance() {
        assert!((relative_variance(&[0.9, 1.0, 1.1]) - 0.01).abs() < 1e-12);
        assert!((relative_variance(&[1.0]), relative_variance(&[])) == (0.0, 0.0));
    }

    #[test]
    fn waiting_is_no_part_of_what_a_module_takes() {
        assert!((ran(b"failed x ImportError\nran 0.25\n") - 0.25).abs() < 1e-12);
        assert!([&b""[..], b"ran nan", b"ran -0.5", b"ran 7"].iter().all(|text| (ran(text) - 1.0).abs() < 1e-12));
    }

    #[test]
    fn an_interpreter_that_is_none_is_an_error() {
        let none = measure_imports(Path::new("/nonexistent/python"), &[], 1.0);
        assert!(matches!(none, Err(ImportsError::Start { .. })));
        let silent = measure_imports(Path::new("/bin/true"), &[], 5.0);
        assert!(matches!(silent, Err(ImportsError::Silent(_))));
    }
}
