//! What programs are like before anything is known of one: the priors over run times and over what processes use beyond their
//! start, learned from the first run of each code on this machine.
//!
//! A normal distribution of the logarithm, whose default is worth the programs it is of (conjugate prior: Gelman et al.,
//! "Bayesian Data Analysis", 3rd ed., section 3.3). Only first runs count, so that a program that is run often does not speak for
//! others. Called by the orchestrator after a run.

use forewarm_resources::{Figure, ResourceModel, process_costs};
use forewarm_types::{Analysis, CodeKind, Observation, OpMix, Step, Tier};

use crate::estimator::log;
use crate::tier_of;

/// The source of a figure that runs have refined.
const SOURCE: &str = "learned from the first runs of programs";

/// Programs that a default is of (its source names them), and so what it is worth.
mod worth {
    /// Run times on the fastest tier, which stand in for those of Python too.
    pub const MODULES: f64 = 6.0;
    /// Time and memory of native programs beyond their start.
    pub const COMMANDS: f64 = 52.0;
    /// Times to start a process: of one machine.
    pub const STARTS: f64 = 1.0;
}

/// The least that is told from a start whose own costs vary: CPU seconds, a tick of the finest accounting, and bytes, some pages.
const LEAST_OWN: (f64, f64) = (1e-5, 16_384.0);

/// Relative deviation of a start between machines: a factor of two either way holds nine in ten.
const BETWEEN_MACHINES: f64 = 0.44;

/// Starts that are remembered, so that a machine that has changed is followed.
const REMEMBERED: f64 = 20.0;

/// Takes in the first run of a code.
pub fn meet(model: &mut ResourceModel, observation: &Observation, analysis: &Analysis) {
    if analysis.code.kind.is_process() {
        meet_process(model, observation, analysis);
    } else if let Some(seconds) = seconds_on_fastest(model, observation) {
        let (median, deviation) = (&mut model.workload.run_median_seconds, &mut model.workload.run_log_deviation);
        refine(median, deviation, worth::MODULES, seconds, observation.censored);
    }
}

/// What a process uses of its own, and what starting it took where it was started from nothing.
fn meet_process(model: &mut ResourceModel, observation: &Observation, analysis: &Analysis) {
    let start = process_costs().start(analysis);
    let processes = &mut model.workload.processes;
    if let (None, Some(spawn)) = (&observation.warm_state, spawn(observation)) {
        refine_start(&mut processes.spawn_seconds, spawn);
    }
    // What others lend to Python is worth no more than the fewest of them.
    let programs = if analysis.code.kind == CodeKind::Python { worth::MODULES } else { worth::COMMANDS };
    let own = processes.of_mut(analysis.code.kind);
    let seconds = (observation.run_cpu_seconds - start.seconds).max(LEAST_OWN.0);
    refine(&mut own.seconds, &mut own.seconds_log_deviation, programs, seconds, observation.censored);
    let bytes = (observation.peak_linear_memory_bytes.as_f64() - start.bytes).max(LEAST_OWN.1);
    refine(&mut own.bytes, &mut own.bytes_log_deviation, programs, bytes, observation.censored);
}

/// Mean and deviation of starts from nothing, older ones forgotten. The default's deviation is that between machines.
fn refine_start(figure: &mut Figure, seconds: f64) {
    let deviation = if figure.is_default() { figure.value * BETWEEN_MACHINES } else { figure.deviation };
    let weight = 1.0 / ((figure.samples as f64).min(REMEMBERED) + worth::STARTS + 1.0);
    let apart = seconds - figure.value;
    let variance = (1.0 - weight) * (deviation.powi(2) + weight * apart.powi(2));
    *figure = Figure::measured(figure.value + weight * apart, variance.sqrt(), figure.samples + 1, SOURCE);
}

/// Median and deviation of a log-normal prior after one more value; of a run that was cut short the value is a lower bound.
fn refine(median: &mut Figure, deviation: &mut Figure, worth: f64, value: f64, censored: bool) {
    if !value.is_finite() {
        return;
    }
    let (mean, variance, met) = (log(median.value), deviation.value.powi(2), median.samples);
    // A run cut short stands at twice its bound, its median by Gott (1993); one cut shorter than usual tells nothing.
    let value = log(if censored { 2.0 * value } else { value });
    if censored && value < mean {
        return;
    }
    let weight = worth + met as f64;
    let apart = value - mean;
    let learned = |value: f64| Figure::measured(value, 0.0, met + 1, SOURCE);
    *median = learned((mean + apart / (weight + 1.0)).exp());
    let variance = weight / (weight + 1.0) * (variance + apart * apart / (weight + 1.0));
    *deviation = learned(variance.sqrt());
}

/// Wall seconds of starting its process.
fn spawn(observation: &Observation) -> Option<f64> {
    let step = observation.steps.iter().find(|step| step.step == Step::Spawn)?;
    (step.wall_seconds.is_finite() && step.wall_seconds > 0.0).then_some(step.wall_seconds)
}

/// What the run would have taken on the fastest tier, of which the prior is, by how the tiers compare over programs.
fn seconds_on_fastest(model: &ResourceModel, observation: &Observation) -> Option<f64> {
    let usual = |tier: Tier| model.op_costs.mean(&OpMix::default(), tier).map(|cost| cost.seconds);
    let here = usual(tier_of(&observation.configuration_class)?)?;
    let fastest = Tier::ALL.into_iter().filter_map(usual).fold(here, f64::min);
    let seconds = observation.run_cpu_seconds * fastest / here;
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use forewarm_resources::{defaults, inventory};

    use forewarm_types::{Bytes, StepTiming};

    use super::*;
    use crate::sample::{Normal, observation};
    use crate::sample_code::analysis;

    fn model() -> ResourceModel {
        defaults::model(inventory::unknown(2))
    }

    /// Median and deviation after programs of a log-normal with this median and deviation, on a tier.
    fn check(class: &str, programs: u32, median: f64, deviation: f64) -> (f64, f64) {
        let (mut model, mut normal) = (model(), Normal::new(5));
        for _ in 0..programs {
            meet(&mut model, &observation(class, 1, median * (deviation * normal.next()).exp()), &analysis(1000));
        }
        let workload = &model.workload;
        assert_eq!(workload.run_median_seconds.samples, u64::from(programs));
        (workload.run_median_seconds.value, workload.run_log_deviation.value)
    }

    #[test]
    fn many_programs_outweigh_the_default_and_few_move_it() {
        let (before, spread) = (model().workload.run_median_seconds.value, model().workload.run_log_deviation.value);
        let (median, deviation) = check("cranelift/native", 400, 2.0, 1.0);
        assert!((median / 2.0).ln().abs() < 0.2 && (deviation - 1.0).abs() < 0.2, "{median} {deviation}");
        let (median, deviation) = check("cranelift/native", 3, 2.0, 0.0);
        assert!(median > 2.0 * before && median < 1.0 && deviation > 0.8 * spread, "{median} {deviation}");
        // The same times on a slower tier are those of shorter programs.
        let (slower, _) = check("winch/native", 400, 2.0, 1.0);
        assert!(slower < 1.5, "{slower}");
    }

    #[test]
    fn what_was_cut_short_counts_as_long_or_not_at_all() {
        let after = |seconds: f64| {
            let mut model = model();
            let run = Observation { censored: true, ..observation("cranelift/native", 1, seconds) };
            meet(&mut model, &run, &analysis(1000));
            model.workload.run_median_seconds.value / self::model().workload.run_median_seconds.value
        };
        assert_eq!(after(1e-4), 1.0);
        assert!(after(60.0) > 1.5);
    }

    #[test]
    fn processes_teach_what_such_programs_use_beyond_their_start() {
        let mut native = analysis(1000);
        native.code.kind = CodeKind::Elf;
        let start = process_costs().start(&native);
        let spawned = StepTiming { step: Step::Spawn, wall_seconds: 0.001, cpu_seconds: 0.0, bytes: Bytes::ZERO };
        let mut model = model();
        for _ in 0..400 {
            let run = Observation {
                peak_linear_memory_bytes: Bytes((start.bytes + 50e6) as u64),
                steps: vec![spawned.clone()],
                ..observation("process", 1, start.seconds + 2.0)
            };
            meet(&mut model, &run, &native);
        }
        let processes = &model.workload.processes;
        let (own, python) = (&processes.native, &processes.python);
        assert!((own.seconds.value / 2.0).ln().abs() < 0.7 && (own.bytes.value / 50e6).ln().abs() < 0.7, "{own:?}");
        assert!(own.bytes_log_deviation.value < 1.8 && own.bytes_log_deviation.samples == 400);
        assert!((processes.spawn_seconds.value / 0.001 - 1.0).abs() < 0.01, "{:?}", processes.spawn_seconds);
        assert!(python.seconds.is_default() && model.workload.run_median_seconds.is_default());
    }

    #[test]
    fn what_begins_from_something_warm_does_not_say_what_starting_from_nothing_takes() {
        let mut native = analysis(1000);
        native.code.kind = CodeKind::Elf;
        let spawned = StepTiming { step: Step::Spawn, wall_seconds: 1e-4, cpu_seconds: 0.0, bytes: Bytes::ZERO };
        let mut model = model();
        let run =
            Observation { warm_state: Some("spawned".into()), steps: vec![spawned], ..observation("process", 1, 0.1) };
        meet(&mut model, &run, &native);
        assert!(model.workload.processes.spawn_seconds.is_default());
        assert!(!model.workload.processes.native.seconds.is_default());
    }
}
