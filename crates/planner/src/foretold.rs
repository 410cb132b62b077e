//! What is thought of a process before it runs: past runs where there are any, else its start, of which its libraries tell, and
//! what programs use beyond it.
//!
//! Pure arithmetic over the analysis and the resource model; called for each plan of a native or Python program.

use forewarm_resources::{Figure, ProcessCosts};
use forewarm_types::estimate::Z95;
use forewarm_types::{Basis, CodeKind};

use crate::belief::Inputs;
use crate::distribution::{LogNormal, tame};
use crate::run_time::told;

/// A quantity foretold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Foretold {
    pub belief: LogNormal,
    /// The least it is thought to be: a program that does nothing has started all the same.
    pub least: f64,
    pub basis: Basis,
}

/// CPU seconds of the run.
pub(crate) fn run_time(inputs: &Inputs<'_>, costs: &ProcessCosts) -> Foretold {
    if let Some(observed) = inputs.corrections.process_cpu_seconds {
        return Foretold { belief: LogNormal::of(observed), least: 0.0, basis: observed.basis };
    }
    let kind = inputs.analysis.code.kind;
    let own = inputs.resources.workload.processes.of(kind);
    let prior = log_normal(&own.seconds, &own.seconds_log_deviation);
    let each = match kind {
        CodeKind::Python => log_normal(&costs.bytecode_seconds, &costs.bytecode_log_deviation),
        _ => log_normal(&costs.instruction_seconds, &costs.instruction_log_deviation),
    };
    let hidden = (kind != CodeKind::Python && inputs.analysis.profile.input_dependent)
        .then(|| log_normal(&costs.input_factor, &costs.input_log_deviation));
    let shown = told(inputs).map(|count| {
        let seconds = count.times(each.mu, each.sigma);
        hidden.map_or(seconds, |hidden| seconds.times(hidden.mu, hidden.sigma)).fuse(prior)
    });
    let basis = if shown.is_some() { Basis::Static } else { Basis::Default };
    let start = costs.start(inputs.analysis);
    after(start.seconds, start.seconds_log_deviation, shown.unwrap_or(prior), basis)
}

/// Peak resident bytes.
pub(crate) fn memory(inputs: &Inputs<'_>, costs: &ProcessCosts) -> Foretold {
    if let Some(observed) = inputs.corrections.peak_linear_memory_bytes.filter(|observed| observed.high > 0.0) {
        return Foretold { belief: LogNormal::of(observed), least: 0.0, basis: observed.basis };
    }
    let own = inputs.resources.workload.processes.of(inputs.analysis.code.kind);
    let own_bytes = log_normal(&own.bytes, &own.bytes_log_deviation);
    // What its loops go over is told only where no input decides how far.
    let profile = &inputs.analysis.profile;
    let shown = profile.memory.footprint_bytes.filter(|bytes| !profile.input_dependent && bytes.low > 0.0);
    let own_bytes = shown.map_or(own_bytes, |bytes| own_bytes.plus(LogNormal::of(bytes)));
    let start = costs.start(inputs.analysis);
    // What programs are like is no word on this one, however many were met.
    let basis = if shown.is_some() { Basis::Static } else { Basis::Default };
    after(start.bytes, start.bytes_log_deviation, own_bytes, basis)
}

/// What a program uses of its own, after its start.
fn after(start: f64, deviation: f64, own: LogNormal, basis: Basis) -> Foretold {
    let start = LogNormal::new(tame(start).max(1e-9).ln(), tame(deviation));
    Foretold { belief: start.plus(own), least: (start.mu - Z95 * start.sigma).exp(), basis }
}

fn log_normal(median: &Figure, deviation: &Figure) -> LogNormal {
    LogNormal::new(tame(median.value).max(1e-18).ln(), tame(deviation.value))
}

#[cfg(test)]
mod tests {
    use forewarm_resources::process_costs;
    use forewarm_types::native::{Linkage, NativeDemand, NativeKind, NativeLibrary};
    use forewarm_types::{Bytes, Estimate};

    use super::*;
    use crate::testing::Problem;

    fn native(megabytes: &[u64]) -> Problem {
        let mut problem = Problem::new(1000, None);
        problem.analysis.code.kind = CodeKind::Elf;
        let library = |megabytes: &u64| NativeLibrary {
            name: "lib".into(),
            path: "/lib/lib".into(),
            needed_by: "the program".into(),
            size_bytes: Bytes(megabytes * 1_000_000),
        };
        problem.analysis.native = Some(NativeDemand {
            kind: NativeKind::Program,
            machine: "x86-64".into(),
            address_bits: 64,
            decoded: true,
            unit: "machine instruction".into(),
            linkage: Linkage::Dynamic,
            position_independent: true,
            interpreter: None,
            stripped: true,
            runtimes: Vec::new(),
            kits: Vec::new(),
            needed: Vec::new(),
            libraries: megabytes.iter().map(library).collect(),
            missing: Vec::new(),
        });
        problem
    }

    #[test]
    fn a_program_takes_no_less_than_its_start_and_more_with_its_libraries() {
        let costs = process_costs();
        let (small, large) = (native(&[2, 1]), native(&[2, 100]));
        for of in [run_time, memory] {
            let (small, large) = (of(&small.inputs(), &costs), of(&large.inputs(), &costs));
            assert!(small.least < small.belief.mu.exp() && large.least > 3.0 * small.least, "{small:?} {large:?}");
            assert!(large.belief.mu > small.belief.mu);
        }
        let start = costs.start(&large.analysis);
        assert!((start.bytes - (1.21e6 + 2.0 * 92e3 + 0.2 * 102e6)).abs() < 1.0);
        let mut java = native(&[2, 1]);
        java.analysis.native.as_mut().unwrap().runtimes = vec!["Java launcher".into()];
        assert!(memory(&java.inputs(), &costs).least > 10.0 * memory(&small.inputs(), &costs).least);
    }

    #[test]
    fn runs_speak_for_themselves_and_learned_priors_for_programs() {
        let costs = process_costs();
        let mut problem = native(&[2]);
        let before = (run_time(&problem.inputs(), &costs), memory(&problem.inputs(), &costs));
        let own = problem.resources.workload.processes.of_mut(CodeKind::Elf);
        own.seconds = Figure::measured(10.0, 0.0, 500, "runs");
        own.bytes = Figure::measured(1e9, 0.0, 500, "runs");
        let after = (run_time(&problem.inputs(), &costs), memory(&problem.inputs(), &costs));
        assert!(after.0.belief.mu > before.0.belief.mu && after.1.belief.mu.exp() > 1e9);
        assert_eq!((before.1.basis, after.1.basis), (Basis::Default, Basis::Default));
        problem.corrections.process_cpu_seconds = Some(Estimate::exact(2.0, Basis::Observed));
        problem.corrections.peak_linear_memory_bytes = Some(Estimate::exact(3e6, Basis::Observed));
        let seen = (run_time(&problem.inputs(), &costs), memory(&problem.inputs(), &costs));
        assert!((seen.0.belief.mu.exp() - 2.0).abs() < 1e-9 && (seen.1.belief.mu.exp() - 3e6).abs() < 1.0);
    }

    #[test]
    fn a_count_that_an_input_sizes_says_little() {
        let costs = process_costs();
        let mut problem = native(&[2]);
        let of = |problem: &Problem| run_time(&problem.inputs(), &costs).belief;
        problem.analysis.profile.ops.total = Some(Estimate::new(1e6, 1e7, 1e8, Basis::Static));
        problem.analysis.profile.input_dependent = false;
        let fixed = of(&problem);
        problem.analysis.profile.input_dependent = true;
        let sized = of(&problem);
        assert!(sized.mu > fixed.mu && sized.sigma > fixed.sigma, "{fixed:?} {sized:?}");
    }
}
