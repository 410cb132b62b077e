//! What the code alone tells of programs whose trip counts it holds: kernels of `corpus/kernels` whose control flow is
//! fixed, at a size of their own, planned without emulation by a Forewarm that knows the machine and nothing else, and run on
//! the tiers that compile. Nothing of the model was fitted to any of them.

use serde::Serialize;

use super::foretell::{self, Foretold};
use super::measure;
use super::pairs::{Kind, Pair};
use super::score::{self, Coverage, Errors, Row};
use crate::bench::{Arguments, write};
use crate::corpus::Corpus;
use crate::corpus::cases::{Case, Group};
use crate::corpus::kernels::{self, Extent};
use crate::process::{Outcome, failure};

/// Shortest run, in CPU seconds on the fastest tier, that counts: as in the table of all pairs.
const SHORTEST: f64 = 0.02;

/// The configurations run: the tiers that compile.
const TIERS: [&str; 2] = ["cranelift", "winch"];

/// What the bench says.
#[derive(Debug, Serialize)]
struct Report {
    /// Programs that ran long enough.
    programs: usize,
    /// Share of them whose run on the tier chosen is foretold within a factor of two.
    within_two: Option<f64>,
    /// Errors on the tier chosen.
    chosen: Option<Errors>,
    /// Errors on the other.
    others: Option<Errors>,
    /// How the 90 % intervals hold, on both.
    coverage: Option<Coverage>,
    /// Every prediction beside its truth.
    rows: Vec<Row>,
}

/// Plans and runs each kernel in turn, prints and writes.
///
/// # Errors
/// A kernel does not compile, the machine cannot be probed, or no run lasts long enough.
pub fn run(arguments: &Arguments, corpus: &Corpus) -> Outcome {
    let wanted =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| name.starts_with(only.as_str()));
    let machine = foretell::probed()?;
    let mut rows = Vec::new();
    let kernels = kernels::compile_all(corpus, Extent::Long, &wanted)?;
    for kernel in kernels.into_iter().filter(|kernel| !kernel.data_dependent) {
        let case = Case { file: kernel.wasm, ..Case::new(corpus, &kernel.name, "", Group::Ordinary) };
        let pair = Pair { case, program: kernel.name, kind: Kind::Wasm, event: None, python: None };
        let mut foretold = Foretold::default();
        foretold.plan(&pair, &machine, "latency", "never")?;
        // Others on the machine only ever make a run longer.
        let truth = |tier: &str| -> Outcome<f64> {
            let [one, other] = [0, 1].map(|round| measure::once(corpus, &pair, tier, round));
            Ok(one?.cpu_seconds.min(other?.cpu_seconds))
        };
        let truths: Outcome<Vec<(&str, f64)>> = TIERS.into_iter().map(|tier| Ok((tier, truth(tier)?))).collect();
        // A few kernels want sizes of a kind, such as powers of two.
        let truths = match truths {
            Ok(truths) => truths,
            Err(error) => {
                println!("{:20} left out: {error}", pair.program);
                continue;
            }
        };
        if truths.iter().any(|(_, seconds)| *seconds < SHORTEST) {
            continue;
        }
        for (tier, truth) in truths {
            let Some(range) = foretold.cpu_seconds.get(tier) else { continue };
            println!(
                "{:20} {tier:10} {truth:9.4} s  {:9.4}  {:5.2}",
                pair.program,
                range.expected,
                range.expected / truth
            );
            rows.push(Row {
                pair: pair.case.name.clone(),
                program: pair.program.clone(),
                kind: pair.kind.name().to_owned(),
                configuration: tier.to_owned(),
                basis: range.basis.clone(),
                chosen: foretold.chosen.get("latency").is_some_and(|chosen| chosen == tier),
                truth,
                expected: range.expected,
                low: range.low,
                high: range.high,
            });
        }
    }
    let report = Report::of(rows)?;
    report.print();
    write("predict-fixed", corpus, &report)
}

impl Report {
    fn of(rows: Vec<Row>) -> Outcome<Self> {
        let part = |chosen: bool| rows.iter().filter(move |row| row.chosen == chosen);
        let programs = rows.len() / TIERS.len();
        if programs == 0 {
            return Err(failure("no kernel of fixed control flow ran long enough"));
        }
        Ok(Self {
            programs,
            within_two: score::within_two(part(true)),
            chosen: score::errors(part(true)),
            others: score::errors(part(false)),
            coverage: score::coverage(&rows),
            rows,
        })
    }

    fn print(&self) {
        println!("\n{} programs of fixed control flow, foretold from their code alone", self.programs);
        if let Some(share) = self.within_two {
            println!("on the tier chosen {:.0} % within a factor of two (wanted: half)", 100.0 * share);
        }
        for (what, errors) in [("chosen", self.chosen), ("the other tier", self.others)] {
            if let Some(errors) = errors {
                let (median, p90) = (100.0 * errors.median, 100.0 * errors.p90);
                println!("error, {what}: {median:.0} % in the median, {p90:.0} % for nine in ten of {}", errors.count);
            }
        }
        if let Some(coverage) = self.coverage {
            let (inside, width) = (100.0 * coverage.inside, coverage.width);
            println!("90 % intervals: {inside:.0} % of {} inside, median high/low {width:.1}", coverage.count);
        }
    }
}
