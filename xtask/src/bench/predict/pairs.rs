//! Programs and inputs that the table is about: kernels in C for WebAssembly at sizes given as arguments, real programs with
//! several inputs, Python functions with events, and native programs. Sizes were chosen by run time alone: from some 20 ms
//! to some twenty seconds, a third of them over five, most of the others about one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::corpus::cases::{self, Case, Group};
use crate::corpus::{self, Corpus, scalable};
use crate::process::{Outcome, While, failure, root};

/// Kernels of `corpus/scalable`, with the arguments of each run, commas between those of one run.
const KERNELS: [(&str, &[&str]); 38] = [
    ("backpack", &["12000,150000"]),
    ("bignumbers", &["40000", "75000"]),
    ("breadthfirst", &["10000"]),
    ("bubblesort", &["24000", "70000"]),
    ("checksum", &["20000000", "200000000", "1100000000"]),
    ("clusters", &["300000,80", "800000,240"]),
    ("collatzsteps", &["600000", "6000000", "30000000"]),
    ("components", &["16000000"]),
    ("decomposition", &["1800", "3000"]),
    ("divisors", &["6000", "12500"]),
    ("dotproduct", &["20000000"]),
    ("edits", &["12000", "40000", "100000"]),
    ("fibonacci", &["42", "46"]),
    ("fourier", &["1048576", "16777216"]),
    ("fractal", &["2400", "5800"]),
    ("hashinsert", &["16000000"]),
    ("heapsorted", &["4000000", "12000000"]),
    ("histograms", &["1000000000"]),
    ("insertionsort", &["80000", "220000"]),
    ("karatsuba", &["262144", "1048576"]),
    ("listing", &["400000", "8000000"]),
    ("lookups", &["8000000"]),
    ("manyqueens", &["14", "15"]),
    ("matproduct", &["560", "1000", "1900"]),
    ("matvec", &["7680"]),
    ("mergesorted", &["8000000"]),
    ("planets", &["1000,600", "2000,1300"]),
    ("primesieve", &["8000000", "160000000"]),
    ("quicksorted", &["1200000", "10000000"]),
    ("radixsorted", &["40000000"]),
    ("relaxation", &["1000,600", "2000,1200"]),
    ("searchtree", &["3000000"]),
    ("shortestpaths", &["1120", "2100"]),
    ("strassens", &["1024"]),
    ("subsequence", &["30000", "75000"]),
    ("trialdivision", &["4000000", "14000000"]),
    ("triangles", &["2400", "4000"]),
    ("words", &["8000000"]),
];

/// Kernels that are compiled for this processor too: native programs.
const NATIVE: [(&str, &[&str]); 8] = [
    ("bubblesort", &["140000"]),
    ("collatzsteps", &["40000000"]),
    ("fibonacci", &["47"]),
    ("matproduct", &["560"]),
    ("quicksorted", &["1200000"]),
    ("shortestpaths", &["2100"]),
    ("trialdivision", &["16000000"]),
    ("words", &["1600000"]),
];

/// Functions of `corpus/functions`, with the `n` of each event, and whether they want the corpus' Python environment.
const FUNCTIONS: [(&str, &[u64], bool); 12] = [
    ("derive_key", &[25_000_000], false),
    ("fractal", &[1_900], false),
    ("group_sums", &[700_000], true),
    ("json_records", &[50_000], false),
    ("log_lines", &[6_000_000], false),
    ("many_digits", &[110_000], false),
    ("matrix_products", &[700], true),
    ("sieve", &[50_000_000], false),
    ("sort_records", &[200_000], false),
    ("squeeze", &[6_400], false),
    ("table_queries", &[300_000], false),
    ("word_counts", &[18_000_000], false),
];

/// Real programs: cases of the corpus that run for 20 ms and more.
const REAL: [&str; 6] = ["statemachine", "matmul-1024", "python-loop", "esbuild-2m", "quicksort", "sha256"];

/// What a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A WebAssembly module.
    Wasm,
    /// A Python function.
    Python,
    /// A native program.
    Native,
}

impl Kind {
    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Python => "python",
            Self::Native => "native",
        }
    }
}

/// A program and an input.
#[derive(Debug, Clone)]
pub struct Pair {
    /// What is run, and with what.
    pub case: Case,
    /// The program, by which pairs are left out together.
    pub program: String,
    /// What it is.
    pub kind: Kind,
    /// The event it is called with.
    pub event: Option<PathBuf>,
    /// The Python interpreter it wants.
    pub python: Option<PathBuf>,
}

impl Pair {
    /// The configurations it can be told to use: the tiers of a module; threads of a process whose libraries have any.
    pub fn configurations(&self) -> Vec<String> {
        let keys: &[&str] = match self.kind {
            Kind::Wasm => &["cranelift", "winch", "pulley"],
            Kind::Python if self.python.is_some() => &["1", "2"],
            Kind::Python | Kind::Native => &["1"],
        };
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    /// What Forewarm is told of it beyond the case.
    pub fn options(&self) -> Vec<String> {
        let path = |path: &PathBuf| path.display().to_string();
        let mut options = Vec::new();
        if let Some(event) = &self.event {
            options.extend(["--event".to_owned(), path(event)]);
        }
        if let Some(python) = &self.python {
            options.extend(["--python".to_owned(), path(python)]);
        }
        options
    }
}

/// All pairs, with what they run compiled and written.
///
/// # Errors
/// A program does not compile, or an input cannot be written.
pub fn all(corpus: &Corpus) -> Outcome<Vec<Pair>> {
    let mut pairs = Vec::new();
    let named = |list: &[(&str, &[&str])], name: &str| list.iter().any(|(program, _)| *program == name);
    let wanted = |name: &str| named(&KERNELS, name) || named(&NATIVE, name);
    let programs = scalable::compile_all(corpus, &wanted)?;
    let module = |name: &str| programs.iter().find(|program| program.name == name).map(|program| program.wasm.clone());
    for (name, inputs) in KERNELS {
        let wasm = module(name).ok_or_else(|| failure(format!("corpus/scalable/{name}.c is missing")))?;
        pairs.extend(inputs.iter().map(|input| sized(corpus, name, Kind::Wasm, &wasm, input)));
    }
    for (name, inputs) in NATIVE {
        let binary = scalable::compile_native(corpus, name)?;
        pairs.extend(inputs.iter().map(|input| sized(corpus, name, Kind::Native, &binary, input)));
    }
    for (name, events, libraries) in FUNCTIONS {
        for n in events {
            pairs.push(function(corpus, name, *n, libraries)?);
        }
    }
    corpus::prepare()?;
    let mut cases = cases::all(corpus);
    for name in REAL {
        let at = cases.iter().position(|case| case.name == name);
        let case = cases.swap_remove(at.ok_or_else(|| failure(format!("the corpus lacks {name}")))?);
        let program = case.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        pairs.push(Pair { case, program, kind: Kind::Wasm, event: None, python: None });
    }
    Ok(pairs)
}

fn case(corpus: &Corpus, name: String, file: &Path) -> Case {
    Case { name, file: file.to_owned(), ..Case::new(corpus, "", "", Group::Ordinary) }
}

fn sized(corpus: &Corpus, program: &str, kind: Kind, file: &Path, input: &str) -> Pair {
    let arguments: Vec<&str> = input.split(',').collect();
    let mark = if kind == Kind::Native { "native-" } else { "" };
    let name = format!("{mark}{program}-{}", arguments.join("-"));
    let case = case(corpus, name, file).args(&arguments);
    Pair { case, program: program.to_owned(), kind, event: None, python: None }
}

fn function(corpus: &Corpus, program: &str, n: u64, libraries: bool) -> Outcome<Pair> {
    let name = format!("{program}-{n}");
    let event = corpus.input(&format!("{name}.json"));
    let text = format!("{{\"n\": {n}}}");
    fs::write(&event, text).doing(format_args!("writing {}", event.display()))?;
    let file = root().join("corpus/functions").join(format!("{program}.py"));
    Ok(Pair {
        case: case(corpus, name, &file),
        program: program.to_owned(),
        kind: Kind::Python,
        event: Some(event),
        python: libraries.then(|| corpus.at("python")),
    })
}
