//! Compiles `corpus/kernels/*.c` to WASI at several sizes and by several flags, once per content. Called by `bench
//! accuracy`, which holds the analyzer against what they execute.
//!
//! A kernel's first line says what it is, whether its control flow depends on its data (`Control: data`) or is fixed by
//! the code (`Control: fixed`), and its three sizes, about 1 : 10 : 100 in work. Kernels whose line says `Held out.`,
//! `Held out later.`, `Held out third.` or `Held out fourth.` were written to judge by.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Corpus, fetch};
use crate::process::{Outcome, While, command, failure, require, root};

/// One kernel, compiled one way.
#[derive(Debug, Clone, Serialize)]
pub struct Kernel {
    /// File name without extension.
    pub name: String,
    /// Size and flags, such as `40 -O2 -msimd128`.
    pub variant: String,
    /// Whether the control flow depends on data that the code computes.
    pub data_dependent: bool,
    /// Which part of the kernels it belongs to.
    pub part: Part,
    /// The module.
    #[serde(skip)]
    pub wasm: PathBuf,
}

/// Kernels by when they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Before the developer's eyes.
    Known,
    /// To judge by.
    HeldOut,
    /// To judge by, once those had been looked at.
    HeldOutLater,
    /// And once those had.
    HeldOutThird,
    /// And once those had.
    HeldOutFourth,
}

/// Kernels that every build of the corpus compiles, for the analyzer's own test.
pub const GUARDS: [&str; 10] =
    ["gemm", "lu", "jacobi2d", "haar", "crc", "mergeup", "eratosthenes", "printer", "nbodyk", "heap"];

/// Flags of every kernel at every size.
const USUAL: [&str; 2] = ["-O2", "-O2 -msimd128"];
/// Further flags, of every kernel at its middle size.
const UNUSUAL: [&str; 4] = ["-O0", "-O1", "-O3", "-Os"];
/// Flags of every compilation.
const FLAGS: [&str; 4] = ["-target", "wasm32-wasi", "-lm", "-w"];

/// Which sizes and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The kernel's three sizes by the usual flags.
    Usual,
    /// By unusual flags too, at the middle size.
    All,
    /// At one size beyond the greatest alone, about six times the work, by the first of the usual flags: for timing, which wants
    /// runs that take longer than counting does.
    Grown,
    /// The same at about sixty times the work: for runs that take longer than starting them does.
    Long,
}

impl Extent {
    /// Exponent of the step from the middle size to the greatest, a step of about ten in work, by which the one size goes beyond;
    /// `None` where the kernel's own sizes are meant.
    fn growth(self) -> Option<f64> {
        match self {
            Self::Usual | Self::All => None,
            Self::Grown => Some(0.75),
            Self::Long => Some(1.75),
        }
    }
}

/// Compiles what is new or changed, two at a time.
///
/// # Errors
/// A kernel cannot be read, lacks its first line, or does not compile.
pub fn compile_all(corpus: &Corpus, extent: Extent, wanted: &dyn Fn(&str) -> bool) -> Outcome<Vec<Kernel>> {
    let python = fetch::all(corpus)?.python;
    fs::create_dir_all(corpus.at("kernels")).doing("creating the folder of compiled kernels")?;
    let mut jobs = Vec::new();
    for Source { path: source, text, name, data_dependent, sizes, part } in sources(wanted)? {
        let sizes = match extent.growth() {
            Some(growth) => grown(&sizes, growth).into_iter().collect(),
            None => sizes,
        };
        for (number, size) in sizes.iter().enumerate() {
            let usual = if extent.growth().is_some() { &USUAL[..1] } else { &USUAL };
            let unusual: &[&str] = if extent == Extent::All && number == 1 { &UNUSUAL } else { &[] };
            for flags in usual.iter().chain(unusual) {
                let file = format!("{name}-{size}{}", flags.replace(' ', ""));
                let wasm = corpus.at("kernels").join(format!("{file}.wasm"));
                let variant = format!("{size} {flags}");
                let kernel = Kernel { name: name.clone(), variant, data_dependent, part, wasm };
                jobs.push((kernel, source.clone(), text.clone(), size.clone(), *flags));
            }
        }
    }
    let halves: Vec<Outcome> = std::thread::scope(|scope| {
        let half = |first: usize| {
            let (jobs, python) = (&jobs, &python);
            scope.spawn(move || {
                jobs.iter().skip(first).step_by(2).try_for_each(|(kernel, source, text, size, flags)| {
                    compile(corpus, python, source, text, &kernel.wasm, size, flags)
                })
            })
        };
        let threads = [half(0), half(1)];
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(failure("a thread panicked")))).collect()
    });
    halves.into_iter().collect::<Outcome<()>>()?;
    Ok(jobs.into_iter().map(|job| job.0).collect())
}

/// A kernel as it is written.
pub struct Source {
    pub path: PathBuf,
    pub text: String,
    /// File name without extension.
    pub name: String,
    pub data_dependent: bool,
    /// The least first.
    pub sizes: Vec<String>,
    pub part: Part,
}

/// The kernels whose names are wanted, in order.
///
/// # Errors
/// A kernel cannot be read, or lacks its first line.
pub fn sources(wanted: &dyn Fn(&str) -> bool) -> Outcome<Vec<Source>> {
    let folder = root().join("corpus/kernels");
    let mut sources = Vec::new();
    for entry in fs::read_dir(&folder).doing(format_args!("reading {}", folder.display()))? {
        let path = entry.doing("reading the folder of kernels")?.path();
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_none_or(|extension| extension != "c") || !wanted(&name) {
            continue;
        }
        let text = fs::read_to_string(&path).doing(format_args!("reading {}", path.display()))?;
        let (data_dependent, sizes) = header(&text)
            .ok_or_else(|| failure(format!("{}: the first line must give Control and Sizes", path.display())))?;
        let says = |what: &str| text.lines().next().is_some_and(|line| line.contains(what));
        let parts = [
            ("Held out.", Part::HeldOut),
            ("Held out later.", Part::HeldOutLater),
            ("Held out third.", Part::HeldOutThird),
            ("Held out fourth.", Part::HeldOutFourth),
        ];
        let part = parts.iter().find(|part| says(part.0)).map_or(Part::Known, |part| part.1);
        sources.push(Source { path, text, name, data_dependent, sizes, part });
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

/// What a kernel's first line says: whether its control flow depends on data, and its sizes.
fn header(text: &str) -> Option<(bool, Vec<String>)> {
    let line = text.lines().next()?;
    let (_, rest) = line.split_once("Control: ")?;
    let (control, sizes) = rest.split_once(". Sizes: ")?;
    let sizes: Vec<String> = sizes.trim_end_matches('.').split(' ').map(str::to_owned).collect();
    (sizes.len() == 3).then_some((control == "data", sizes))
}

/// A size as far beyond the greatest as [`Extent::growth`] says.
fn grown(sizes: &[String], growth: f64) -> Option<String> {
    let number = |at: usize| sizes.get(at)?.parse::<f64>().ok();
    let (middle, greatest) = (number(1)?, number(2)?);
    Some(((greatest * (greatest / middle).powf(growth)) as u64).to_string())
}

fn compile(corpus: &Corpus, python: &Path, source: &Path, text: &str, wasm: &Path, size: &str, flags: &str) -> Outcome {
    let key = format!("{} {flags} -DN={size}\n{text}", FLAGS.join(" "));
    let stamp = wasm.with_extension("stamp");
    if !wasm.exists() && stamp.exists() {
        fs::remove_file(&stamp).doing("removing a stale stamp")?;
    }
    fetch::once(&stamp, &key, || {
        let cache = corpus.at("zig-cache");
        let truth = wasm.with_extension("truth");
        if truth.exists() {
            fs::remove_file(&truth).doing("removing a stale count")?;
        }
        require(
            command(python, &["-m", "ziglang", "cc"])
                .args(FLAGS)
                .args(flags.split(' '))
                .arg(format!("-DN={size}"))
                .arg(source)
                .arg("-o")
                .arg(wasm)
                .env("ZIG_GLOBAL_CACHE_DIR", &cache)
                .env("ZIG_LOCAL_CACHE_DIR", &cache),
        )
    })
}
