//! Walks `tests/golden/*.wat`: each file ends in comments that hold its expected profile.
//!
//! `FOREWARM_BLESS=1 cargo test -p forewarm-analyzer --test golden` writes what the analyzer says now.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use forewarm_analyzer::{Depth, analyze, binary};
use forewarm_types::demand::{AccessPattern, Region};
use forewarm_types::{Analysis, Bytes, Digest, Estimate};

/// The line from which on a golden file holds expectations.
const MARK: &str = ";; ---- expected ----";

fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e12 { format!("{value}") } else { format!("{value:.3e}") }
}

fn shown(estimate: Option<Estimate>) -> String {
    match estimate {
        None => "unknown".to_owned(),
        Some(e) if e.low == e.high => number(e.expected),
        Some(e) => format!("{:.2e} ({:.2e} to {:.2e})", e.expected, e.low, e.high),
    }
}

fn render(analysis: &Analysis) -> String {
    let mut out = String::new();
    let profile = &analysis.profile;
    let mut line = |text: String| writeln!(out, ";; {text}").unwrap();
    line(format!(
        "{}, entry {:?}, input dependent: {}",
        analysis.code.kind, analysis.code.entry, profile.input_dependent
    ));
    line(format!("ops {}", shown(profile.ops.total)));
    for (class, estimate) in &profile.ops.classes {
        line(format!("  {} {}", class.name(), shown(Some(*estimate))));
    }
    let bytes = [profile.ops.load_bytes, profile.ops.store_bytes, profile.ops.bulk_bytes].map(shown);
    line(format!("bytes: loaded {}, stored {}, bulk {}", bytes[0], bytes[1], bytes[2]));
    let maximum = profile.memory.maximum_bytes.map_or("none".to_owned(), |bytes| bytes.0.to_string());
    line(format!(
        "memory {}, maximum {maximum}, peak {}",
        profile.memory.initial_bytes.0,
        shown(profile.memory.peak_bytes)
    ));
    line(format!("parallelism {:?}", profile.parallelism.kind));
    for allocation in &profile.memory.allocations {
        line(format!(
            "asks by {}: calls {}, bytes {}",
            allocation.via,
            shown(allocation.calls),
            shown(allocation.bytes)
        ));
    }
    for contention in &profile.contention {
        line(format!("contention: {} at {}", contention.kind, contention.location));
    }
    for io in &profile.io {
        line(format!("io {:?} {} {}", io.kind, io.via, shown(io.calls)));
    }
    line(format!("isa {}", profile.isa.required.join(" ")));
    for (tier, reason) in &profile.compile.unsupported {
        line(format!("not {tier}: {reason}"));
    }
    for library in &profile.libraries {
        line(format!("library {library}"));
    }
    for region in analysis.regions.iter().take(12) {
        let trips = shown(region.trip_count);
        let expression = region.trip_expression.as_deref().unwrap_or("-");
        let flags: Vec<&str> = region.flags.iter().map(|flag| flag.benefits_from.as_str()).collect();
        line(
            format!(
                "{:?} {} depth {} share {:.3} trips {trips} = {expression}, {:?} {}",
                region.kind,
                region.function,
                region.depth,
                region.share,
                region.dependence,
                flags.join(" ")
            )
            .trim_end()
            .to_owned(),
        );
        facts(region).into_iter().for_each(&mut line);
    }
    for warning in &analysis.warnings {
        line(format!("warning: {warning}"));
    }
    out
}

/// What else is known of a region.
fn facts(region: &Region) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(condition) = &region.dependence_condition {
        out.push(format!("  independent {condition}"));
    }
    if !region.reductions.is_empty() {
        out.push(format!("  accumulates {}", region.reductions.join(", ")));
    }
    if let Some(p) = region.accesses.as_ref().filter(|p| **p != AccessPattern::default()) {
        out.push(format!(
            "  accesses: {} contiguous, {} strided, {} invariant, {} indirect; strides {:?}; footprint {}, traffic {}",
            p.contiguous,
            p.strided,
            p.invariant,
            p.indirect,
            p.stride_bytes,
            shown(region.footprint_bytes),
            shown(region.traffic_bytes)
        ));
    }
    out.extend(region.flags.iter().map(|flag| format!("  {}: {}", flag.benefits_from, flag.reason)));
    out
}

fn check(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).unwrap();
    let source = text.split(MARK).next().unwrap_or_default();
    let bytes = binary(source.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let analysis = analyze(&bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let found = render(&analysis);
    let expected = text.split_once(MARK).map_or("", |parts| parts.1.trim_start());
    if found == expected {
        return Ok(());
    }
    if std::env::var_os("FOREWARM_BLESS").is_some() {
        std::fs::write(file, format!("{}\n{MARK}\n{found}", source.trim_end())).unwrap();
        return Ok(());
    }
    Err(format!("{}\n--- expected\n{expected}\n--- found\n{found}", file.display()))
}

#[test]
fn golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 15, "golden files are missing");
    let failures: Vec<String> = files.iter().filter_map(|file| check(file).err()).collect();
    assert!(failures.is_empty(), "{}\nFOREWARM_BLESS=1 accepts what was found", failures.join("\n\n"));
}
