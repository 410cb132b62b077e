//! The exhaustive table: every run that was measured, and what a pair takes on a configuration. Reading and medians are
//! here; who runs what is in `measure`.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bench::statistics::median;
use crate::process::{Outcome, While};

/// One run, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Program and input.
    pub pair: String,
    /// The program alone: what is left out together.
    pub program: String,
    /// `wasm`, `python` or `native`.
    pub kind: String,
    /// The configuration it ran on.
    pub configuration: String,
    /// Which of the pair's runs on it, from 0.
    pub round: u32,
    /// CPU seconds of the run itself.
    pub cpu_seconds: f64,
    /// Wall seconds of the run itself.
    pub run_seconds: f64,
    /// CPU seconds of everything: compiling, linking and the rest too.
    pub total_cpu_seconds: f64,
    /// Wall seconds of everything.
    pub wall_seconds: f64,
    /// Peak memory: linear memory of a module, resident memory of a process.
    pub memory_bytes: f64,
    /// Size of the code, for those who predict by it.
    pub code_bytes: f64,
}

/// What a pair takes on a configuration: medians over its runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Its runs.
    pub rounds: usize,
    /// CPU seconds of the run itself.
    pub cpu_seconds: f64,
    /// Wall seconds of everything.
    pub wall_seconds: f64,
    /// CPU seconds of everything.
    pub total_cpu_seconds: f64,
    /// Wall seconds of the run itself.
    pub run_seconds: f64,
    /// Peak memory.
    pub memory_bytes: f64,
}

/// A pair with all that was measured of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The program.
    pub program: String,
    /// Its kind.
    pub kind: String,
    /// Size of its code.
    pub code_bytes: f64,
    /// By configuration.
    pub configurations: BTreeMap<String, Measured>,
}

impl Pair {
    /// The least CPU time of its run over the configurations.
    pub fn fastest(&self) -> f64 {
        self.configurations.values().map(|measured| measured.cpu_seconds).fold(f64::INFINITY, f64::min)
    }
}

/// The table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// By pair.
    pub measured: BTreeMap<String, Pair>,
    /// Runs behind it.
    pub runs: usize,
}

impl Table {
    /// Reads a table; one that is not there is empty.
    ///
    /// # Errors
    /// It cannot be read, or a line of it is damaged.
    pub fn read(path: &Path) -> Outcome<Self> {
        Ok(Self::of(&runs(path)?))
    }

    /// Medians of runs.
    pub fn of(runs: &[Run]) -> Self {
        let mut grouped: BTreeMap<(&str, &str), Vec<&Run>> = BTreeMap::new();
        for run in runs {
            grouped.entry((&run.pair, &run.configuration)).or_default().push(run);
        }
        let mut measured: BTreeMap<String, Pair> = BTreeMap::new();
        for ((name, configuration), runs) in grouped {
            let middle = |of: fn(&Run) -> f64| median(&runs.iter().map(|run| of(run)).collect::<Vec<_>>());
            let pair = measured.entry(name.to_owned()).or_insert_with(|| Pair {
                program: runs[0].program.clone(),
                kind: runs[0].kind.clone(),
                code_bytes: runs[0].code_bytes,
                configurations: BTreeMap::new(),
            });
            let row = Measured {
                rounds: runs.len(),
                cpu_seconds: middle(|run| run.cpu_seconds),
                wall_seconds: middle(|run| run.wall_seconds),
                total_cpu_seconds: middle(|run| run.total_cpu_seconds),
                run_seconds: middle(|run| run.run_seconds),
                memory_bytes: middle(|run| run.memory_bytes),
            };
            pair.configurations.insert(configuration.to_owned(), row);
        }
        Self { measured, runs: runs.len() }
    }
}

/// The runs of a table; its first line says how it was made.
///
/// # Errors
/// As [`Table::read`].
pub fn runs(path: &Path) -> Outcome<Vec<Run>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path).doing(format_args!("reading {}", path.display()))?;
    let lines = text.lines().enumerate().skip(1);
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line).doing(format_args!("reading {}, line {}", path.display(), number + 1))
    };
    lines.map(read).collect()
}

/// Appends a line; a table that begins is told how it is made.
///
/// # Errors
/// It cannot be written.
pub fn append(path: &Path, heading: &impl Serialize, run: &Run) -> Outcome {
    let new = !path.exists();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).doing(format_args!("making {}", folder.display()))?;
    }
    let line = |value: Result<String, serde_json::Error>| value.doing("describing a run").map(|text| text + "\n");
    let mut text = if new { line(serde_json::to_string(heading))? } else { String::new() };
    text += &line(serde_json::to_string(run))?;
    let file = OpenOptions::new().create(true).append(true).open(path);
    let mut file = file.doing(format_args!("opening {}", path.display()))?;
    file.write_all(text.as_bytes()).doing(format_args!("writing {}", path.display()))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A run of so many CPU seconds.
    pub fn run(pair: &str, configuration: &str, round: u32, cpu_seconds: f64) -> Run {
        Run {
            pair: pair.to_owned(),
            program: pair.split('-').next().unwrap_or(pair).to_owned(),
            kind: "wasm".to_owned(),
            configuration: configuration.to_owned(),
            round,
            cpu_seconds,
            run_seconds: cpu_seconds,
            total_cpu_seconds: cpu_seconds + 0.1,
            wall_seconds: cpu_seconds + 0.1,
            memory_bytes: 65536.0,
            code_bytes: 1000.0,
        }
    }

    #[test]
    fn a_pair_takes_the_median_of_its_runs() {
        let runs = [run("a-1", "x", 0, 1.0), run("a-1", "x", 1, 9.0), run("a-1", "x", 2, 2.0), run("a-1", "y", 0, 4.0)];
        let table = Table::of(&runs);
        let pair = &table.measured["a-1"];
        assert_eq!((pair.configurations["x"].cpu_seconds, pair.configurations["x"].rounds), (2.0, 3));
        assert_eq!((pair.fastest(), pair.program.as_str()), (2.0, "a"));
    }

    #[test]
    fn what_is_appended_is_read_and_damage_is_named() {
        let Ok(folder) = tempfile::tempdir() else { panic!("no scratch folder") };
        let path = folder.path().join("deep/table.jsonl");
        let kept = [run("a-1", "x", 0, 1.0), run("a-1", "x", 1, 2.0)];
        for run in &kept {
            assert!(append(&path, &"heading", run).is_ok());
        }
        assert_eq!(runs(&path).ok().as_deref(), Some(&kept[..]));
        assert!(fs::write(&path, "\"heading\"\n{\"pair\":").is_ok());
        let Err(failure) = runs(&path) else { panic!("damage was read") };
        assert!(failure.to_string().contains("line 2"), "{failure}");
        assert_eq!(runs(&folder.path().join("none")).ok(), Some(Vec::new()));
    }
}
