//! The speed of analysing Python against that of parsing alone: `python_bench [--growth] PATH…`.
//!
//! Reads every `.py` file below the paths, then parses all of them and analyses all of them in turn, several times
//! (A B A B), and prints the medians of CPU time with their ratio. Files are analysed without surroundings, so that reading
//! installed libraries is not in the figure. With `--growth` the largest files are repeated 1, 4 and 16 times.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and ends where it cannot measure")]

use std::hint::black_box;
use std::path::{Path, PathBuf};

use forewarm_analyzer::{Depth, Nothing, PythonSource, analyze_python};
use forewarm_types::{Bytes, Digest};

/// Rounds of each kind.
const ROUNDS: usize = 15;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let only = arguments.iter().find_map(|argument| argument.strip_prefix("--only="));
    let growth = arguments.iter().any(|argument| argument == "--growth");
    let paths = arguments.iter().filter(|argument| !argument.starts_with("--"));
    let mut files = Vec::new();
    paths.for_each(|path| collect(Path::new(path), &mut files));
    files.sort();
    let sources: Vec<(PathBuf, String)> =
        files.into_iter().filter_map(|file| Some((file.clone(), std::fs::read_to_string(&file).ok()?))).collect();
    if growth {
        return grow(&sources);
    }
    let sources: Vec<(PathBuf, String)> = sources.into_iter().filter(|(_, text)| parses(text)).collect();
    let bytes: usize = sources.iter().map(|(_, text)| text.len()).sum();
    let (parse, analyze) = measure(&sources, only);
    println!("{} files, {:.2} MB", sources.len(), bytes as f64 / 1e6);
    println!("parse only  {:8.1} ms  {:6.1} MB/s", parse * 1e3, bytes as f64 / 1e6 / parse);
    println!("analysis    {:8.1} ms  {:6.1} MB/s", analyze * 1e3, bytes as f64 / 1e6 / analyze);
    println!("ratio       {:.2} (analysis speed over parse-only speed)", parse / analyze);
}

/// The largest files, each as it is and repeated.
fn grow(sources: &[(PathBuf, String)]) {
    let mut largest: Vec<&(PathBuf, String)> = sources.iter().filter(|(_, text)| parses(text)).collect();
    largest.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
    for (file, text) in largest.into_iter().take(3) {
        print!("{:40}", file.file_name().unwrap_or_default().to_string_lossy());
        for times in [1, 4, 16] {
            let repeated = vec![(file.clone(), format!("{text}\n").repeat(times))];
            let (_, analyze) = measure(&repeated, None);
            print!("  ×{times}: {:8.2} ms", analyze * 1e3);
        }
        println!();
    }
}

/// Median seconds of parsing all sources, and of analysing them.
fn measure(sources: &[(PathBuf, String)], only: Option<&str>) -> (f64, f64) {
    let wanted = |kind: &str| only.is_none_or(|only| only == kind);
    let (mut parse, mut analyze) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        parse.push(timed(|| {
            for (_, text) in sources.iter().filter(|_| wanted("parse")) {
                black_box(ruff_python_parser::parse_module(text).is_ok());
            }
        }));
        analyze.push(timed(|| {
            for (file, text) in sources.iter().filter(|_| wanted("analyze")) {
                let name = file.to_string_lossy();
                let source = PythonSource { file_name: &name, handler: None, environment: &Nothing };
                let size = Bytes(text.len() as u64);
                let analysis = analyze_python(text.as_bytes(), Digest([0; 32]), size, Depth::Full, &source);
                if let Err(error) = black_box(analysis) {
                    println!("{error}");
                }
            }
        }));
    }
    (median(parse), median(analyze))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// CPU seconds of this thread: wall time on a shared machine varies far more.
fn timed(body: impl FnOnce()) -> f64 {
    let now = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    };
    let start = now();
    body();
    now() - start
}

fn parses(text: &str) -> bool {
    ruff_python_parser::parse_module(text).is_ok()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap().flatten() {
            collect(&entry.path(), files);
        }
    } else if path.extension().is_some_and(|extension| extension == "py") {
        files.push(path.to_owned());
    }
}
