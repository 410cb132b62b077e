//! The resource model learns from every run: the time of each step of its climb, and whether operators cost what was said.

use forewarm_resources::{Figure, OpCosts, ResourceModel, StepCost, Transitions};
use forewarm_types::{Analysis, Observation, OpMix, Step, StepTiming, Tier};

use crate::statistics::HUBER;
use crate::tier_of;

/// The source of a figure that runs have refined.
const SOURCE: &str = "learned from runs";

/// Weight kept by past runs at each new one: 50 runs of memory, as is usual for slowly changing systems (0.95-0.995;
/// Ljung, "System Identification", section 11.2).
const FORGETTING: f64 = 0.98;

/// Deviation of one relative measurement assumed when weighing a figure's prior against it; CPU time repeats to 0.5 %
/// within a program but depends on code in ways that size does not tell, by about a tenth (compile time per MB of the
/// programs of the design, section 8: 0.91-1.04 s).
const NOISE: f64 = 0.1;

/// Deviation of the logarithm of a default's coefficients on a machine where nothing was timed: a factor of two,
/// assumed. It only has to be wide: the second or third run here outweighs it.
const ELSEWHERE: f64 = std::f64::consts::LN_2;

/// Measurements after which one that stands out is taken for an outlier rather than for the truth.
const SETTLED: f64 = 5.0;

/// A prior, however often measured in a probe, is worth no more runs than this: real programs differ from probes.
const PRIOR_WORTH: f64 = 10.0;

/// Times below this are mostly the clock's: about the cost of reading the process' CPU time twice.
const LEAST_SECONDS: f64 = 2e-6;

/// Refines transitions and operator costs by what a run (censored or not: its climb was complete) measured.
///
/// A step is taken by its CPU time, which contention changes least; where it waited all the same, it counts less.
pub fn refine(model: &mut ResourceModel, observation: &Observation, analysis: &Analysis) {
    if let Some(rung) = &observation.warm_state {
        refine_start(&mut model.transitions, rung, observation.transition_seconds);
    }
    let Some(tier) = tier_of(&observation.configuration_class) else { return };
    for timing in &observation.steps {
        if let Some(cost) = cost_of(&mut model.transitions, tier, timing.step) {
            refine_step(cost, timing, driver_megabytes(timing, analysis));
        }
    }
    refine_operators(&mut model.op_costs, tier, observation, analysis);
}

/// Mean and deviation of starts from a rung, older ones forgotten. What the first call after warming costs is in them: such a
/// run's first instruction is that of a process which never ran before.
fn refine_start(transitions: &mut Transitions, rung: &str, seconds: f64) {
    if !(seconds.is_finite() && seconds > 0.0) {
        return;
    }
    let none = || Figure::measured(seconds, 0.0, 0, SOURCE);
    let figure = transitions.warm_starts.entry(rung.to_owned()).or_insert_with(none);
    let weight = 1.0 / ((figure.samples as f64).min(1.0 / (1.0 - FORGETTING)) + 1.0);
    let apart = seconds - figure.value;
    figure.value += weight * apart;
    figure.deviation = ((1.0 - weight) * (figure.deviation.powi(2) + weight * apart.powi(2))).sqrt();
    figure.samples += 1;
}

fn cost_of(transitions: &mut Transitions, tier: Tier, step: Step) -> Option<&mut StepCost> {
    match step {
        Step::Read | Step::Analyze | Step::Prefault => transitions.common.get_mut(&step),
        Step::Compile | Step::Persist | Step::Map | Step::Link | Step::Instantiate | Step::Pool => {
            transitions.tiers.get_mut(&tier)?.get_mut(&step)
        }
        // A process is no tier's; its observations speak for themselves.
        Step::Spawn | Step::Initialise | Step::ReadAhead => None,
    }
}

/// The size that drives a step's time, as documented at [`StepCost`], in 10^6 bytes.
fn driver_megabytes(timing: &StepTiming, analysis: &Analysis) -> f64 {
    match timing.step {
        Step::Read => analysis.code.size_bytes.megabytes(),
        Step::Prefault => timing.bytes.megabytes(),
        _ => analysis.profile.compile.code_bytes.megabytes(),
    }
}

/// State of a step's estimator: weighted least squares in relative error with forgetting, in information form, about a
/// prior that is not forgotten (so that programs of one size leave the other coefficient where it was, instead of letting
/// its variance grow without bound, as plain recursive least squares would).
#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    a00: f64,
    a01: f64,
    a11: f64,
    b0: f64,
    b1: f64,
    /// Runs behind it: the sum of their weights, before any is held off as an outlier.
    weight: f64,
    /// Weighted sum of squared log residuals of predictions made before each run.
    squares: f64,
    prior_fixed: f64,
    prior_rate: f64,
    prior_deviation: f64,
    /// Relative precision of the prior, in measurements.
    prior_worth: f64,
    /// What errors of the prior's coefficients are relative to: what each would be if it made up the first predicted
    /// time alone, since a coefficient whose prior is nothing must still be able to grow.
    fixed_unit: f64,
    rate_unit: f64,
}

const STATE_LENGTH: usize = 13;

impl State {
    /// The stored state, or one that starts from the cost as it stands, first met at a size (in 10^6 bytes).
    fn of(cost: &StepCost, size: f64) -> Self {
        Self::stored(cost).unwrap_or_else(|| Self::starting(cost, size))
    }

    fn stored(cost: &StepCost) -> Option<Self> {
        let numbers: [f64; STATE_LENGTH] = cost.estimator.as_slice().try_into().ok()?;
        let [a00, a01, a11, b0, b1, weight, squares, prior @ ..] = numbers;
        let [prior_fixed, prior_rate, prior_deviation, prior_worth, fixed_unit, rate_unit] = prior;
        numbers.iter().all(|number| number.is_finite()).then_some(Self {
            a00,
            a01,
            a11,
            b0,
            b1,
            weight,
            squares,
            prior_fixed,
            prior_rate,
            prior_deviation,
            prior_worth,
            fixed_unit,
            rate_unit,
        })
    }

    fn starting(cost: &StepCost, size: f64) -> Self {
        let prior_deviation = cost.log_deviation.max(NOISE);
        let (prior_fixed, prior_rate) = (cost.fixed_seconds.max(0.0), cost.seconds_per_megabyte.max(0.0));
        let part = (prior_fixed + prior_rate * size).max(LEAST_SECONDS);
        Self {
            a00: 0.0,
            a01: 0.0,
            a11: 0.0,
            b0: 0.0,
            b1: 0.0,
            weight: 0.0,
            squares: 0.0,
            prior_fixed,
            prior_rate,
            prior_deviation,
            prior_worth: match cost.samples {
                0 => (NOISE / ELSEWHERE).powi(2),
                samples => ((NOISE / prior_deviation).powi(2) * samples as f64).min(PRIOR_WORTH),
            },
            fixed_unit: part,
            rate_unit: part / size.max(1e-3),
        }
    }

    fn numbers(&self) -> Vec<f64> {
        let prior = [
            self.prior_fixed,
            self.prior_rate,
            self.prior_deviation,
            self.prior_worth,
            self.fixed_unit,
            self.rate_unit,
        ];
        [[self.a00, self.a01, self.a11, self.b0].as_slice(), &[self.b1, self.weight, self.squares], &prior].concat()
    }

    /// Adds the equation `fixed + rate * size = seconds`, divided by `reference` so that errors are relative.
    fn add(&mut self, size: f64, seconds: f64, reference: f64, weight: f64, trust: f64) {
        let (r0, r1, y) = (1.0 / reference, size / reference, seconds / reference);
        for (sum, term) in [
            (&mut self.a00, trust * r0 * r0),
            (&mut self.a01, trust * r0 * r1),
            (&mut self.a11, trust * r1 * r1),
            (&mut self.b0, trust * r0 * y),
            (&mut self.b1, trust * r1 * y),
            (&mut self.weight, 1.0),
        ] {
            *sum = FORGETTING * *sum + weight * term;
        }
    }

    /// The coefficients, neither negative.
    fn solve(&self) -> Option<(f64, f64)> {
        let (f, m) = (self.fixed_unit, self.rate_unit);
        let (a00, a11) = (self.a00 + self.prior_worth / (f * f), self.a11 + self.prior_worth / (m * m));
        let b0 = self.b0 + self.prior_worth * self.prior_fixed / (f * f);
        let b1 = self.b1 + self.prior_worth * self.prior_rate / (m * m);
        let determinant = a00 * a11 - self.a01 * self.a01;
        let (fixed, rate) = ((b0 * a11 - b1 * self.a01) / determinant, (a00 * b1 - self.a01 * b0) / determinant);
        let solution = match (fixed >= 0.0, rate >= 0.0) {
            (true, true) => (fixed, rate),
            (false, _) => (0.0, (b1 / a11).max(0.0)),
            (true, false) => ((b0 / a00).max(0.0), 0.0),
        };
        (solution.0.is_finite() && solution.1.is_finite()).then_some(solution)
    }

    /// Deviation of log residuals: those of the runs, and the prior's worth as many as it is.
    fn deviation(&self) -> f64 {
        let prior = self.prior_worth.max(1.0);
        ((prior * self.prior_deviation.powi(2) + self.squares) / (prior + self.weight)).sqrt()
    }
}

fn refine_step(cost: &mut StepCost, timing: &StepTiming, size: f64) {
    let seconds = timing.cpu_seconds;
    if !(seconds.is_finite() && seconds >= LEAST_SECONDS && size.is_finite() && size >= 0.0) {
        return;
    }
    let mut state = State::of(cost, size);
    let predicted = (cost.fixed_seconds + cost.seconds_per_megabyte * size).max(LEAST_SECONDS);
    let residual = (seconds / predicted).ln();
    let settled = state.weight >= SETTLED;
    let limit = HUBER * cost.log_deviation.max(NOISE / 2.0);
    let trust = if settled { (limit / residual.abs()).min(1.0) } else { 1.0 };
    let weight = undisturbed(timing);
    // Dividing by what was measured makes early errors relative before predictions can be trusted; later, dividing by
    // what was predicted avoids the bias towards low values that it brings.
    state.add(size, seconds, if settled { predicted } else { seconds }, weight, trust);
    // Before it is settled, a residual tells of the prior's error, not of the runs' spread. After, even a run held off
    // counts here in full: should they all stand out, it is the line that is wrong, and the limit must open.
    let spread = if settled { residual.clamp(-3.0 * limit, 3.0 * limit) } else { residual.clamp(-limit, limit) };
    state.squares = FORGETTING * state.squares + weight * spread * spread;
    if let Some((fixed, rate)) = state.solve() {
        (cost.fixed_seconds, cost.seconds_per_megabyte) = (fixed, rate);
        cost.log_deviation = state.deviation();
        refine_bytes(cost, timing, size);
        cost.samples += 1;
        SOURCE.clone_into(&mut cost.source);
        cost.estimator = state.numbers();
    }
}

/// A step that waited longer than it worked ran beside something that also cools caches: it counts by its share of work.
fn undisturbed(timing: &StepTiming) -> f64 {
    let share = timing.cpu_seconds / timing.wall_seconds;
    if share.is_finite() { share.clamp(0.25, 1.0) } else { 1.0 }
}

/// Bytes held per byte of size: a default loses to the first measurement, later ones average over the runs remembered.
fn refine_bytes(cost: &mut StepCost, timing: &StepTiming, size: f64) {
    if size > 0.0 && timing.bytes.0 > 0 && matches!(timing.step, Step::Compile | Step::Persist | Step::Map) {
        let gain = (1.0 / (cost.samples + 1) as f64).max(1.0 - FORGETTING);
        cost.bytes_per_byte += gain * (timing.bytes.megabytes() / size - cost.bytes_per_byte);
    }
}

/// An operator count this wide (`high / low`) or less is tight enough to judge the costs by.
const TIGHT: f64 = 1.5;

/// Shorter runs are mostly start-up and host calls, which operators do not explain: a hundred times the cost of a page
/// fault or system call, of the order of 10 microseconds.
const LEAST_RUN_SECONDS: f64 = 1e-3;

/// Prior weight of the ratio 1, in runs, and deviation of one run's log ratio assumed: a factor of two either way, the
/// spread of speeds that one tier shows over programs (Winch code runs 1.5-2.5 times slower; design, section 8).
const RATIO_PRIOR: f64 = 1.0;
const RATIO_DEVIATION: f64 = std::f64::consts::LN_2;

fn refine_operators(costs: &mut OpCosts, tier: Tier, observation: &Observation, analysis: &Analysis) {
    let Some(costs) = costs.tiers.get_mut(&tier).filter(|_| !observation.exit.censored()) else { return };
    let Some(scale) = scale_of_counts(&analysis.profile.ops, observation.ops) else { return };
    let mix = analysis.profile.ops.classes.iter();
    let priced = mix.filter_map(|(class, count)| Some(count.expected * costs.seconds_per_op.get(class)?.value));
    let hindrance = costs.in_general().map_or(1.0, |figure| figure.value);
    let predicted = hindrance * scale * priced.sum::<f64>();
    // Entering and leaving is no operator's cost, and is added to theirs by whoever predicts.
    let measured = observation.run_cpu_seconds - costs.entry_seconds();
    if predicted < LEAST_RUN_SECONDS || measured < LEAST_RUN_SECONDS {
        return;
    }
    let old = costs.correction.take();
    costs.correction = Some(refine_ratio(old, (measured / predicted).ln()));
}

/// What the mix's expected counts are to be multiplied by to be the run's; `None` where that is not known well.
fn scale_of_counts(ops: &OpMix, counted: Option<u64>) -> Option<f64> {
    let total = ops.total.filter(|total| total.expected > 0.0)?;
    match counted {
        Some(counted) => Some(counted as f64 / total.expected),
        None => (total.width_ratio() <= TIGHT).then_some(1.0),
    }
}

/// Log-mean of the ratios with exponential forgetting; one far out is pulled in (Huber 1964).
fn refine_ratio(old: Option<Figure>, log_ratio: f64) -> Figure {
    let old = old.filter(|figure| figure.samples > 0 && figure.value > 0.0);
    let (mean, deviation, samples) =
        old.map_or((0.0, RATIO_DEVIATION, 0), |figure| (figure.value.ln(), figure.log_deviation(), figure.samples));
    let gain = (1.0 / (samples as f64 + 1.0 + RATIO_PRIOR)).max(1.0 - FORGETTING);
    let limit = HUBER * deviation.max(NOISE);
    let error = log_ratio - mean;
    let step = if samples as f64 >= SETTLED { error.clamp(-limit, limit) } else { error };
    let variance = (1.0 - gain) * (deviation * deviation + gain * step * step);
    let value = (mean + gain * step).exp();
    // A figure's deviation is on the linear scale: that of a log-normal with this variance.
    Figure { value, deviation: value * variance.exp_m1().sqrt(), samples: samples + 1, source: SOURCE.to_owned() }
}

#[cfg(test)]
mod tests;
