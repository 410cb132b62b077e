//! How long analysis takes: for each file given, a line of JSON with the best seconds of the least that can be done with
//! it, of the analysis a first run waits for and of the full one, and the memory held. The least is to validate a
//! WebAssembly module, to decode the code of a native program, and to parse the Python files of a folder.
//!
//! `analyze_bench [--threads N] [--rounds N] [--only validate|run|full] [--untimed] [--times N] PATH…`; on one thread, in CPU
//! time, unless told otherwise. `--only` leaves the others out and `--untimed` asks for no time, for a profiler that counts
//! instructions; `--times` repeats native code or each Python file. Run by `cargo xtask bench analyze`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench prints, and it alone may read the clock")]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use forewarm_analyzer::{AnalyzeError, Depth, Nothing, PythonSource, analyze, analyze_python, fuzz};
use forewarm_types::{Analysis, Bytes, Digest};
use iced_x86::{Decoder, DecoderOptions, Instruction};
use object::{Object, ObjectSection, SectionKind};
use rustix::time::{ClockId, clock_gettime};
use wasmparser::{FuncValidatorAllocations, Parser, ValidPayload, Validator, WasmFeatures};

/// The allocator of the binary, so that an analysis takes here what it takes there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Anything that went wrong.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let (mut threads, mut rounds, mut times, mut files) = (1, 7, 1, Vec::new());
    let (mut only, mut timed) = (String::new(), true);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or("a number is missing")?.parse().map_err(Failure::from);
        match argument.as_str() {
            "--threads" => threads = number()?,
            "--rounds" => rounds = number()?,
            "--times" => times = number()?,
            "--only" => only = arguments.next().unwrap_or_default(),
            "--untimed" => timed = false,
            _ => files.push(argument),
        }
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build()?.install(|| {
        for file in &files {
            let clock = Clock { alone: threads == 1, timed };
            println!("{}", measure(file, &Subject::open(file, times)?, rounds, &only, clock)?);
        }
        Ok(())
    })
}

/// What is analysed.
enum Subject {
    Module(Vec<u8>),
    Native(Vec<u8>),
    /// Files by name.
    Python(Vec<(String, String)>),
}

impl Subject {
    fn open(path: &str, times: usize) -> Result<Self, Failure> {
        if std::fs::metadata(path)?.is_dir() || path.ends_with(".py") {
            let mut files = Vec::new();
            collect(path.as_ref(), times, &mut files)?;
            return Ok(Self::Python(files));
        }
        let bytes = std::fs::read(path)?;
        if !bytes.starts_with(b"\x7fELF") {
            return Ok(Self::Module(bytes));
        }
        // Code many times over is a program of its own, without symbols.
        let many = || -> Result<Vec<u8>, Failure> { Ok(fuzz::program(&code(&bytes)?.concat().repeat(times))) };
        Ok(Self::Native(if times == 1 { bytes } else { many()? }))
    }

    fn size(&self) -> usize {
        match self {
            Self::Module(bytes) | Self::Native(bytes) => bytes.len(),
            Self::Python(files) => files.iter().map(|file| file.1.len()).sum(),
        }
    }

    /// The least that can be done.
    fn least(&self) -> Result<(), Failure> {
        match self {
            Self::Module(bytes) => validate(bytes)?,
            Self::Native(bytes) => {
                black_box(code(bytes)?.into_iter().map(decode).sum::<u64>());
            }
            Self::Python(files) => {
                for (_, text) in files {
                    black_box(ruff_python_parser::parse_module(text).is_ok());
                }
            }
        }
        Ok(())
    }

    /// An analysis of it; of several files that of the last.
    fn analyze(&self, depth: Depth) -> Result<Analysis, Failure> {
        match self {
            Self::Module(bytes) | Self::Native(bytes) => {
                Ok(analyze(bytes, Digest([0; 32]), Bytes(bytes.len() as u64), depth)?)
            }
            Self::Python(files) => {
                let one = |(name, text): &(String, String)| -> Result<Analysis, AnalyzeError> {
                    let source = PythonSource { file_name: name, handler: None, environment: &Nothing };
                    analyze_python(text.as_bytes(), Digest([0; 32]), Bytes(text.len() as u64), depth, &source)
                };
                let mut last = None;
                for file in files {
                    last = Some(black_box(one(file)?));
                }
                last.ok_or_else(|| "there is no Python file".into())
            }
        }
    }
}

/// Python files below a folder that can be parsed, each so many times over.
fn collect(path: &Path, times: usize, out: &mut Vec<(String, String)>) -> Result<(), Failure> {
    if path.is_dir() {
        let mut entries: Vec<_> = std::fs::read_dir(path)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::path);
        return entries.iter().try_for_each(|entry| collect(&entry.path(), times, out));
    }
    if path.extension().is_some_and(|extension| extension == "py")
        && let Ok(text) = std::fs::read_to_string(path)
        && ruff_python_parser::parse_module(&text).is_ok()
    {
        out.push((path.display().to_string(), format!("{text}\n").repeat(times)));
    }
    Ok(())
}

/// The code of a native program; of one without sections all that is loaded.
fn code(bytes: &[u8]) -> Result<Vec<&[u8]>, Failure> {
    let file = object::File::parse(bytes)?;
    let text = file.sections().filter(|section| section.kind() == SectionKind::Text);
    let sections: Vec<&[u8]> = text.map(|section| section.data()).collect::<Result<_, _>>()?;
    Ok(if sections.is_empty() { vec![bytes] } else { sections })
}

/// Decodes code and counts its instructions.
fn decode(bytes: &[u8]) -> u64 {
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut count = 0;
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        count += u64::from(!instruction.is_invalid());
    }
    count
}

/// How time is told.
#[derive(Clone, Copy)]
struct Clock {
    /// On one thread, whose CPU time others on the machine disturb less; of several the wall time.
    alone: bool,
    timed: bool,
}

impl Clock {
    fn now(self) -> Duration {
        match self {
            Self { timed: false, .. } => Duration::ZERO,
            Self { alone: true, .. } => Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default(),
            Self { alone: false, .. } => BEGIN.elapsed(),
        }
    }
}

static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn measure(file: &str, subject: &Subject, rounds: usize, only: &str, clock: Clock) -> Result<String, Failure> {
    let at = |depth| subject.analyze(depth);
    let run = at(Depth::Run)?;
    let full = if only == "run" { None } else { Some(at(Depth::Full)?) };
    let mut best = [f64::MAX; 3];
    for _ in 0..rounds {
        // In turn, so that a busy moment of the machine hits all alike.
        for (name, best) in ["validate", "run", "full"].into_iter().zip(&mut best) {
            if only.is_empty() || only == name {
                let begin = clock.now();
                match name {
                    "validate" => subject.least()?,
                    "run" => drop(black_box(at(Depth::Run)?)),
                    _ => drop(black_box(at(Depth::Full)?)),
                }
                *best = best.min(clock.now().saturating_sub(begin).as_secs_f64());
            }
        }
    }
    let total = |analysis: Option<&Analysis>| match analysis.and_then(|analysis| analysis.profile.ops.total) {
        Some(e) => format!("[{:.4e}, {:.4e}, {:.4e}]", e.low, e.expected, e.high),
        None => "null".to_owned(),
    };
    let code_bytes = match subject {
        Subject::Python(_) => subject.size() as u64,
        _ => run.profile.compile.code_bytes.0,
    };
    Ok(format!(
        "{{\"file\": {file:?}, \"bytes\": {}, \"code_bytes\": {}, \"functions\": {}, \"validate_seconds\": {:.6}, \
         \"run_seconds\": {:.6}, \"full_seconds\": {:.6}, \"peak_memory_bytes\": {}, \"run_ops\": {}, \"full_ops\": {}}}",
        subject.size(),
        code_bytes,
        run.profile.compile.functions,
        best[0],
        best[1],
        best[2],
        peak_memory_bytes(),
        total(Some(&run)),
        total(full.as_ref()),
    ))
}

/// The most memory this process has held, the file's bytes included; 0 where the system does not tell.
fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| kib << 10)
}

/// Validation alone, on one thread: what every engine does at the least.
fn validate(bytes: &[u8]) -> Result<(), wasmparser::BinaryReaderError> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut allocations = FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(bytes) {
        if let ValidPayload::Func(function, body) = validator.payload(&payload?)? {
            let mut function = function.into_validator(std::mem::take(&mut allocations));
            function.validate(&body)?;
            allocations = function.into_allocations();
        }
    }
    Ok(())
}
