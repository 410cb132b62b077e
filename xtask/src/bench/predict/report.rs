//! All figures of the bench in one value, for people and as JSON. Called by `predict`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::choice::{self, Regret};
use super::foretell::{Foretelling, Foretold, Range};
use super::score::{self, Coverage, Errors, Row};
use super::table::{Measured, Pair, Table};
use crate::process::{Outcome, While};

/// Worst predictions that are shown.
const WORST: usize = 12;

/// Seconds of the fastest run at which pairs are parted: below the first a twentieth of it does not pay for compiling a trial,
/// from the second on the budget of emulation is a fifth of a second and more.
const LENGTHS: [f64; 2] = [0.3, 5.0];

/// A predictor's errors, on what was chosen and on everything else.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Who predicts what.
    pub what: String,
    /// On the configurations chosen.
    pub chosen: Option<Errors>,
    /// On all others.
    pub others: Option<Errors>,
}

/// How intervals hold.
#[derive(Debug, Serialize)]
pub struct Intervals {
    /// Whose.
    pub what: String,
    /// How they hold.
    pub coverage: Option<Coverage>,
}

/// Everything about WebAssembly pairs whose fastest run takes so long.
#[derive(Debug, Serialize)]
pub struct Length {
    /// Seconds, at least.
    pub from_seconds: f64,
    /// Seconds, less than.
    pub to_seconds: f64,
    /// Pairs.
    pub pairs: usize,
    /// Errors of run times with emulation, as the plans say them.
    pub emulated: Line,
    /// The same from the code alone.
    pub plain: Line,
    /// The same with emulation, by who has met the other programs.
    pub met: Line,
    /// Its intervals.
    pub met_coverage: Option<Coverage>,
    /// Errors of peak memory, with emulation.
    pub memory: Option<Errors>,
    /// Intervals of run times, as the plans say them.
    pub coverage: Option<Coverage>,
}

/// The whole.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Pairs measured.
    pub pairs: usize,
    /// Runs behind them.
    pub runs: usize,
    /// Pairs of over five seconds on the fastest configuration.
    pub long_pairs: usize,
    /// Errors of run times.
    pub run_time: Vec<Line>,
    /// Errors of peak memory.
    pub memory: Vec<Line>,
    /// WebAssembly pairs by how long they run.
    pub lengths: Vec<Length>,
    /// Intervals of run times.
    pub intervals: Vec<Intervals>,
    /// Static predictions: share within a factor of two.
    pub static_within_two: Option<f64>,
    /// Regret.
    pub regret: Vec<Regret>,
    /// Emulation's CPU seconds over those of the sweep.
    pub probing_share: f64,
    /// Learned predictions, for the plot.
    pub calibration: Vec<Row>,
    /// What was foretold, as it was said.
    pub foretold: Foretelling,
}

/// Rows of one quantity.
fn rows(
    table: &Table,
    foretelling: &Foretelling,
    way: impl Fn(&super::foretell::Ways) -> &Foretold,
    said: impl Fn(&Foretold, &str) -> Option<Range>,
    truth: impl Fn(&Measured) -> f64,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, ways) in &foretelling.pairs {
        let (foretold, Some(pair)) = (way(ways), table.measured.get(name)) else { continue };
        for (configuration, measured) in &pair.configurations {
            let Some(range) = said(foretold, configuration) else { continue };
            rows.push(Row {
                pair: name.clone(),
                program: pair.program.clone(),
                kind: pair.kind.clone(),
                configuration: configuration.clone(),
                basis: range.basis,
                chosen: foretold.chosen.get("latency") == Some(configuration),
                truth: truth(measured),
                expected: range.expected,
                low: range.low,
                high: range.high,
            });
        }
    }
    rows.retain(|row| row.truth > 0.0 && row.expected > 0.0 && row.low > 0.0);
    rows
}

fn line(what: &str, rows: &[Row]) -> Line {
    let part = |chosen: bool| score::errors(rows.iter().filter(|row| row.chosen == chosen));
    Line { what: what.to_owned(), chosen: part(true), others: part(false) }
}

fn errors(errors: Option<Errors>) -> String {
    errors.map_or_else(String::new, |one| {
        format!("{:3}: {:6.1} % {:7.1} %", one.count, 100.0 * one.median, 100.0 * one.p90)
    })
}

/// What is said of WebAssembly pairs, parted by how long they run.
fn lengths(table: &Table, [emulated, plain, met]: [&[Row]; 3], memory: &[Row]) -> Vec<Length> {
    let ends = || [0.0].into_iter().chain(LENGTHS).zip(LENGTHS.into_iter().chain([f64::INFINITY]));
    let part = |(from_seconds, to_seconds): (f64, f64)| {
        let long = |pair: &str| table.measured.get(pair).map_or(0.0, Pair::fastest);
        let of = |rows: &[Row]| {
            let wasm = rows.iter().filter(|row| row.kind == "wasm");
            let mut rows: Vec<Row> = wasm.cloned().collect();
            rows.retain(|row| (from_seconds..to_seconds).contains(&long(&row.pair)));
            rows
        };
        let emulated = of(emulated);
        let pairs: BTreeSet<&str> = emulated.iter().map(|row| row.pair.as_str()).collect();
        Length {
            from_seconds,
            to_seconds,
            pairs: pairs.len(),
            plain: line("static only", &of(plain)),
            met: line("emulated, the others met", &of(met)),
            met_coverage: score::coverage(&of(met)),
            memory: score::errors(&of(memory)),
            coverage: score::coverage(&emulated),
            emulated: line("emulated", &emulated),
        }
    };
    ends().map(part).collect()
}

impl Report {
    /// Scores everything.
    pub fn of(table: &Table, foretold: &Foretelling) -> Self {
        let seconds = |foretold: &Foretold, configuration: &str| foretold.cpu_seconds.get(configuration).cloned();
        let bytes = |foretold: &Foretold, configuration: &str| foretold.memory_bytes.get(configuration).cloned();
        let cpu = |measured: &Measured| measured.cpu_seconds;
        let raw = rows(table, foretold, |ways| &ways.emulated, seconds, cpu);
        let plain = rows(table, foretold, |ways| &ways.plain, seconds, cpu);
        let met = rows(table, foretold, |ways| &ways.met, seconds, cpu);
        let memory = rows(table, foretold, |ways| &ways.emulated, bytes, |measured| measured.memory_bytes);
        let (learned, plain_learned) = (score::learned(&raw), score::learned(&plain));
        let of_kind =
            |rows: &[Row], kind: &str| rows.iter().filter(|row| row.kind == kind).cloned().collect::<Vec<_>>();
        let tried = |rows: &[Row], tried: bool| {
            let rows = rows.iter().filter(|row| row.kind == "wasm" && (row.basis == "emulated") == tried);
            rows.cloned().collect::<Vec<_>>()
        };
        let mut run_time = vec![
            line("wasm, tried: corrected by the others", &tried(&learned, true)),
            line("wasm, tried: as it is said", &tried(&raw, true)),
            line("wasm, too short to be tried: as it is said", &tried(&raw, false)),
            line("wasm: emulated, the others met", &of_kind(&met, "wasm")),
        ];
        for kind in ["wasm", "python", "native"] {
            run_time.extend([
                line(&format!("{kind}: emulated, corrected by the others"), &of_kind(&learned, kind)),
                line(&format!("{kind}: emulated, as it is said"), &of_kind(&raw, kind)),
                line(&format!("{kind}: static only, corrected by the others"), &of_kind(&plain_learned, kind)),
                line(&format!("{kind}: last value"), &choice::last_value(table, &of_kind(&raw, kind))),
                line(&format!("{kind}: code size"), &choice::by_code_size(table, &of_kind(&raw, kind))),
            ]);
        }
        let counted: Vec<&Row> = plain.iter().filter(|row| row.basis == "static").collect();
        Self {
            pairs: table.measured.len(),
            runs: table.runs,
            long_pairs: table.measured.values().filter(|pair| pair.fastest() > 5.0).count(),
            run_time,
            lengths: lengths(table, [&raw, &plain, &met], &memory),
            memory: ["wasm", "python", "native"]
                .map(|kind| line(&format!("{kind}: peak memory"), &of_kind(&memory, kind)))
                .into(),
            intervals: [("as said", &raw), ("corrected and scaled by the others", &learned)]
                .map(|(what, rows)| Intervals { what: what.to_owned(), coverage: score::coverage(rows) })
                .into(),
            static_within_two: score::within_two(counted),
            regret: choice::regrets(table, foretold),
            probing_share: choice::probing_share(table, foretold),
            calibration: learned,
            foretold: foretold.clone(),
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// A number cannot be written.
    pub fn json(&self) -> Outcome<String> {
        serde_json::to_string_pretty(self).doing("describing the report")
    }

    fn print_lengths(&self) {
        println!("\nwasm by length of the fastest run, as it is said (median, 90th percentile)");
        let head = ["chosen", "other configurations", "static only, chosen", "others met, chosen", "peak memory"];
        println!("{:>12} {:>5}  {}", "seconds", "pairs", head.map(|head| format!("{head:>23}")).concat());
        for length in &self.lengths {
            let Length { emulated, plain, met, .. } = length;
            let of = [emulated.chosen, emulated.others, plain.chosen, met.chosen, length.memory];
            let held = [("90 %", length.coverage), ("others met", length.met_coverage)].map(|(whose, coverage)| {
                coverage.map_or_else(String::new, |one| {
                    format!("  {whose} hold {:.0} % of {}, high/low {:.1}", 100.0 * one.inside, one.count, one.width)
                })
            });
            let held = held.concat();
            let range = format!("{} to {}", length.from_seconds, length.to_seconds);
            let shown = of.map(|of| format!("{:>23}", errors(of))).concat();
            println!("{range:>12} {:5}  {shown}{held}", length.pairs);
        }
        println!();
    }

    /// For people.
    pub fn print(&self) {
        println!("\n{} pairs, {} of them over 5 s; {} runs", self.pairs, self.long_pairs, self.runs);
        println!("\n{:48} {:>22}   {:>22}", "error (median, 90th percentile)", "chosen", "other configurations");
        for line in self.run_time.iter().chain(&self.memory) {
            println!("{:48} {:>22}   {:>22}", line.what, errors(line.chosen), errors(line.others));
        }
        self.print_lengths();
        if let Some(share) = self.static_within_two {
            println!("static only: {:.0} % within a factor of two", 100.0 * share);
        }
        for intervals in &self.intervals {
            if let Some(coverage) = intervals.coverage {
                println!(
                    "90 % intervals, {}: {:.0} % of {} inside (p {:.2}), median high/low {:.2}",
                    intervals.what,
                    100.0 * coverage.inside,
                    coverage.count,
                    coverage.p_value,
                    coverage.width
                );
            }
        }
        let head = ["emulated", "static", "met others"].map(|head| format!("{head:>11}")).concat();
        println!("\n{:8} {:10} {:5} {:>5} {head}   fixed", "regret", "", "clock", "pairs");
        for one in &self.regret {
            let fixed: Vec<String> =
                one.fixed.iter().map(|(key, regret)| format!("{key} {:.1} %", 100.0 * regret)).collect();
            println!(
                "{:8} {:10} {:5} {:5} {}   {}",
                one.kind,
                one.objective,
                format!("{:?}", one.clock).to_lowercase(),
                one.pairs,
                [one.emulated, one.plain, one.met].map(|regret| format!("{:9.1} %", 100.0 * regret)).concat(),
                fixed.join(", ")
            );
        }
        println!("emulation took {:.1} % of the CPU time of the sweep", 100.0 * self.probing_share);
        let mut worst: Vec<&Row> = self.calibration.iter().collect();
        worst.sort_by(|a, b| (b.expected / b.truth).ln().abs().total_cmp(&(a.expected / a.truth).ln().abs()));
        println!("\nworst:");
        for row in worst.iter().take(WORST) {
            println!(
                "{:24} {:10} {:8} measured {:8.3} s, foretold {:8.3} s ({:+.0} %)",
                row.pair,
                row.configuration,
                row.basis,
                row.truth,
                row.expected,
                100.0 * (row.expected / row.truth - 1.0)
            );
        }
    }
}
