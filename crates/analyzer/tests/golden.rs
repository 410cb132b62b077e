//! Walks `tests/golden/*.wat`: each file ends in comments that hold its expected profile.
//!
//! `FOREWARM_BLESS=1 cargo test -p forewarm-analyzer --test golden` writes what the analyzer says now.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/golden.rs"]
mod golden_files;

use std::fmt::Write;

use forewarm_analyzer::{Depth, analyze, binary};
use forewarm_types::demand::{AccessPattern, Region};
use forewarm_types::{Analysis, Bytes, Digest};
use golden_files::{check_folder, shown};

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

#[test]
fn golden_files_hold() {
    check_folder("golden", ";;", 16, |source, name| {
        let bytes = binary(source.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let analysis = analyze(&bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full);
        render(&analysis.unwrap_or_else(|error| panic!("{name}: {error}")))
    });
}
