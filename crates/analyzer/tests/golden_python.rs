//! Walks `tests/golden_python/*.py`: each file ends in comments that hold its expected profile.
//!
//! `FOREWARM_BLESS=1 cargo test -p forewarm-analyzer --test golden_python` writes what the analyzer says now. A first
//! line `# handler: NAME` has the file analysed as one with that handler. Nothing is installed around these files, so
//! that the result is the same everywhere.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/golden.rs"]
mod golden_files;

use std::fmt::Write;

use forewarm_analyzer::{AnalyzeError, Depth, Nothing, PythonSource, analyze_python};
use forewarm_types::demand::RegionKind;
use forewarm_types::{Analysis, Bytes, Digest};
use golden_files::{check_folder, shown};

fn render(analysis: &Analysis) -> String {
    let mut out = String::new();
    let (profile, python) = (&analysis.profile, analysis.python.as_ref().unwrap());
    let mut line = |text: String| writeln!(out, "# {}", text.trim_end()).unwrap();
    line(format!("{}, input dependent: {}", analysis.code.entry, profile.input_dependent));
    line(format!("ops {}", shown(profile.ops.total)));
    line(format!("init {}", shown(python.init.ops)));
    if let Some(handler) = &python.handler {
        line(format!("handler {} in line {}: {}", handler.name, handler.line, shown(handler.phase.ops)));
    }
    line(format!("parallelism {:?}", profile.parallelism.kind));
    for io in &profile.io {
        line(format!("io {:?} {} {}", io.kind, io.via, shown(io.calls)));
    }
    for import in &python.imports {
        let within = import.function.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
        line(format!("import {} line {} {:?}{within} {:?}", import.module, import.line, import.when, import.origin));
    }
    for used in &python.uses {
        let looped = if used.in_loop { " in a loop" } else { "" };
        let (kind, gil) = (used.kind, used.gil);
        line(format!(
            "use {} line {} in {}: {kind:?} {gil:?} ×{}{looped}",
            used.call, used.line, used.function, used.places
        ));
    }
    for flag in &python.memory_flags {
        let bytes = flag.bytes.map_or_else(|| "unknown".to_owned(), |bytes| bytes.0.to_string());
        let variable = flag.variable.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
        line(format!("memory {} = {bytes}{variable} line {}", flag.flag, flag.line));
    }
    for point in &profile.contention {
        line(format!("contention {} {}", point.kind, point.location));
    }
    for region in analysis.regions.iter().take(8) {
        let what = if region.kind == RegionKind::Loop { "loop" } else { "function" };
        let (place, share) = (region.location.as_deref().unwrap_or("-"), region.share);
        let trips = shown(region.trip_count);
        let text = region.trip_expression.as_ref().map(|text| format!(" = {text}")).unwrap_or_default();
        let counts = if region.kind == RegionKind::Loop { format!(" trips {trips}{text},") } else { String::new() };
        let flags: Vec<&str> = region.flags.iter().map(|flag| flag.benefits_from.as_str()).collect();
        let (gil, dependence) = (region.gil, region.dependence);
        line(format!(
            "{what} {} {place} depth {} share {share:.3}{counts} {dependence:?} {gil:?} {}",
            region.function,
            region.depth,
            flags.join(" ")
        ));
    }
    for warning in &analysis.warnings {
        line(format!("warning {warning}"));
    }
    out
}

fn outcome(source: &str, name: &str) -> String {
    let handler = source.lines().next().and_then(|line| line.strip_prefix("# handler: "));
    let source_of = PythonSource { file_name: name, handler, environment: &Nothing };
    let size = Bytes(source.len() as u64);
    let analyze = |depth| analyze_python(source.as_bytes(), Digest([0; 32]), size, depth, &source_of);
    match (analyze(Depth::Full), analyze(Depth::Run)) {
        (Ok(full), Ok(run)) => {
            assert_eq!(full.profile, run.profile, "{name}: both depths find the same");
            render(&full)
        }
        (Err(error), Err(_)) => {
            let error: &AnalyzeError = &error;
            error.to_string().lines().map(|line| format!("# {line}\n")).collect()
        }
        (full, run) => panic!("{name}: {full:?} but {run:?}"),
    }
}

#[test]
fn golden_files_hold() {
    check_folder("golden_python", "#", 8, outcome);
}
