//! How well probes are chosen, on a table that others recorded: prints JSON with regret and errors of the choice made from at
//! most three probes per stage. Run by `cargo xtask bench jolteon`;
//! `cargo run --profile ci -p forewarm-planner --example recorded TABLE [SEEDS]`.
//!
//! The table is a workflow's profile as Jolteon's artifact has it (Zhang et al., NSDI 2024): `stage → phase → [epochs]
//! [configurations][2]` seconds. Probes read epoch 1, choices are judged by epoch 2. A stage's prior comes from the other
//! stages alone; configurations are put in another order for every seed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::process::ExitCode;

use forewarm_planner::information::most_valuable;
use forewarm_planner::scaling::{
    Capacity, Curve, LIKE_ANOTHER, Mixture, PowerObjective, Prior, ScalingBelief, Setting, hypotheses,
};
use serde_json::{Value, json};

/// Memory sizes and numbers of functions of the artifact's tables, memory-major.
const MEMORY_MEGABYTES: [f64; 6] = [1024.0, 1792.0, 3584.0, 5120.0, 6144.0, 7168.0];
const FUNCTIONS: [f64; 4] = [4.0, 8.0, 16.0, 32.0];

/// Memory at which a function has one whole virtual core; cores come in proportion (AWS Lambda Developer Guide, Configure
/// Lambda function memory).
const MEGABYTES_PER_CORE: f64 = 1769.0;

/// The phases that make up a stage's time.
const PHASES: [&str; 3] = ["read", "compute", "write"];

/// Probes per stage.
const MOST_PROBES: usize = 3;

/// The least deviation between two runs: what is left of any noise, so that a lucky pair of epochs proves nothing.
const LEAST_NOISE: f64 = 0.01;

struct Stage {
    name: String,
    /// Seconds by phase, epoch, configuration.
    seconds: Vec<Vec<Vec<f64>>>,
}

impl Stage {
    fn total(&self, epoch: usize, at: usize) -> f64 {
        self.seconds.iter().map(|phase| phase[epoch][at]).sum()
    }

    fn phases(&self, epoch: usize, at: usize) -> Vec<f64> {
        self.seconds.iter().map(|phase| phase[epoch][at]).collect()
    }
}

/// A way of choosing, and on what it is judged.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    probes: usize,
    /// By value of information, or blindly.
    informed: bool,
    /// Runs the choice is used for; infinite where probes are limited by number alone.
    uses: f64,
    like_another: f64,
    measure: usize,
    judge: usize,
}

const USUAL: Way = Way {
    name: "value of information",
    probes: MOST_PROBES,
    informed: true,
    uses: f64::INFINITY,
    like_another: LIKE_ANOTHER,
    measure: 1,
    judge: 2,
};

/// What came of choosing for one stage.
struct Result {
    regret: f64,
    errors: Vec<f64>,
    probes: Vec<usize>,
    chosen: usize,
    inside: usize,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = arguments.first() else {
        eprintln!("usage: recorded TABLE [SEEDS]");
        return ExitCode::from(2);
    };
    let seeds = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(20);
    let table = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let stages = table.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
    match stages.and_then(|table: Value| stages_of(&table)) {
        Ok((stages, settings)) => {
            println!("{}", report(&stages, &settings, seeds));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Stages, and memory in MB and number of functions of each configuration.
type Table = (Vec<Stage>, Vec<(f64, f64)>);

fn stages_of(table: &Value) -> std::result::Result<Table, String> {
    let stages = table.as_object().ok_or("no object of stages")?;
    let mut settings: Vec<(f64, f64)> =
        MEMORY_MEGABYTES.iter().flat_map(|memory| FUNCTIONS.map(|functions| (*memory, functions))).collect();
    let mut out = Vec::new();
    for (name, phases) in stages {
        let phase = |phase: &&str| phases[*phase].as_array().map(|epochs| epochs.iter().map(first_of_pairs).collect());
        let seconds: Option<Vec<Vec<Vec<f64>>>> = PHASES.iter().map(phase).collect();
        out.push(Stage { name: name.clone(), seconds: seconds.ok_or(format!("{name} lacks a phase"))? });
    }
    let count = out.first().map_or(0, |stage| stage.seconds[0][0].len());
    if count + 1 == settings.len() {
        // The smallest of all was not recorded.
        settings.remove(0);
    }
    let whole = |stage: &Stage| stage.seconds.iter().all(|phase| phase.iter().all(|epoch| epoch.len() == count));
    if count != settings.len() || !out.iter().all(whole) || out.len() < 2 {
        return Err(format!("expected at least two stages of {} configurations", settings.len()));
    }
    Ok((out, settings))
}

fn first_of_pairs(epoch: &Value) -> Vec<f64> {
    epoch.as_array().into_iter().flatten().filter_map(|pair| pair[0].as_f64()).collect()
}

fn report(stages: &[Stage], settings: &[(f64, f64)], seeds: u64) -> Value {
    let way = |way: Way, seeds: u64| summary(way, stages, settings, seeds);
    let ways = vec![
        way(USUAL, seeds),
        way(Way { name: "blind probes, same belief", informed: false, ..USUAL }, seeds),
        way(Way { name: "no probes", probes: 0, ..USUAL }, 1),
        way(Way { name: "one probe", probes: 1, ..USUAL }, 1),
        way(Way { name: "two probes", probes: 2, ..USUAL }, 1),
        way(Way { name: "four probes", probes: 4, ..USUAL }, 1),
        way(Way { name: "used for 10 runs, probes priced", uses: 10.0, ..USUAL }, 1),
        way(Way { name: "used for 1000 runs, probes priced", uses: 1000.0, ..USUAL }, 1),
        way(Way { name: "other stages count 0", like_another: 0.0, ..USUAL }, 1),
        way(Way { name: "other stages count 0.1", like_another: 0.1, ..USUAL }, 1),
        way(Way { name: "other stages count 0.5", like_another: 0.5, ..USUAL }, 1),
        way(Way { name: "epochs swapped", measure: 2, judge: 1, ..USUAL }, 1),
    ];
    json!({"schema": 1, "configurations": settings.len(), "seeds": seeds, "ways": ways,
           "best_single_regret": best_single(stages, settings)})
}

fn summary(way: Way, stages: &[Stage], settings: &[(f64, f64)], seeds: u64) -> Value {
    let mut rows = Vec::new();
    let (mut regrets, mut errors, mut medians, mut inside) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (index, stage) in stages.iter().enumerate() {
        let results: Vec<(Vec<usize>, Result)> = (0..seeds)
            .map(|seed| {
                let order = shuffled(settings.len(), seed);
                let result = choose(way, stages, index, settings, &order, seed);
                (order, result)
            })
            .collect();
        let regret = mean(results.iter().map(|(_, result)| result.regret));
        let error = mean(results.iter().map(|(_, result)| median(&result.errors)));
        let setting = |order: &[usize], at: usize| json!([settings[order[at]].0, settings[order[at]].1]);
        let first = results.first();
        rows.push(json!({
            "stage": stage.name, "regret": regret, "median_error": error,
            "probes": first.map(|(order, result)| result.probes.iter().map(|at| setting(order, *at)).collect::<Vec<_>>()),
            "chosen": first.map(|(order, result)| setting(order, result.chosen)),
        }));
        regrets.push(regret);
        medians.push(error);
        errors.extend(results.iter().flat_map(|(_, result)| result.errors.iter().copied()));
        inside += results.iter().map(|(_, result)| result.inside).sum::<usize>();
    }
    json!({"way": way.name, "mean_regret": mean(regrets.into_iter()), "mean_of_median_errors": mean(medians.into_iter()),
           "median_error": median(&errors), "coverage": inside as f64 / errors.len().max(1) as f64, "stages": rows})
}

/// One stage: its prior from the others, its probes, its choice.
fn choose(way: Way, stages: &[Stage], stage: usize, settings: &[(f64, f64)], order: &[usize], seed: u64) -> Result {
    let at = |place: usize| order[place];
    let capacity =
        |place: &usize| Capacity { workers: settings[*place].1, cores: settings[*place].0 / MEGABYTES_PER_CORE };
    let capacities: Vec<Capacity> = order.iter().map(capacity).collect();
    let objective = PowerObjective {
        prices: order.iter().map(|place| settings[*place].0 * settings[*place].1).collect(),
        exponent: 2.0,
    };
    let mut belief = prior(way, stages, stage, order, &capacities);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xdead_beef);
    let mut probes: Vec<usize> = Vec::new();
    while probes.len() < way.probes {
        let open: Vec<usize> = (0..order.len()).filter(|place| !probes.contains(place)).collect();
        let picked = if way.informed {
            let settings: Vec<Setting<'_>> = open
                .iter()
                .map(|place| Setting { configuration: *place, objective: &objective, uses: way.uses })
                .collect();
            most_valuable(&belief.log_seconds(), &settings).map(|(setting, _)| setting.configuration)
        } else {
            Some(open[random.below(open.len())])
        };
        let Some(picked) = picked else { break };
        belief.update(picked, &stages[stage].phases(way.measure, at(picked)));
        probes.push(picked);
    }
    judge(way, &stages[stage], order, &objective, &belief, probes)
}

fn judge(
    way: Way,
    stage: &Stage,
    order: &[usize],
    objective: &PowerObjective,
    belief: &ScalingBelief,
    probes: Vec<usize>,
) -> Result {
    let chosen = objective.best(&belief.log_seconds()).unwrap_or(0);
    let truth: Vec<f64> = order.iter().map(|place| stage.total(way.judge, *place)).collect();
    let cost = |place: usize| objective.prices[place] * truth[place].powf(objective.exponent);
    let least = (0..order.len()).map(cost).fold(f64::INFINITY, f64::min);
    let estimates = belief.seconds();
    Result {
        regret: cost(chosen) / least - 1.0,
        errors: estimates.iter().zip(&truth).map(|(seconds, truth)| (seconds.expected / truth - 1.0).abs()).collect(),
        inside: estimates.iter().zip(&truth).filter(|(seconds, truth)| seconds.contains(**truth)).count(),
        probes,
        chosen,
    }
}

/// The other stages' curves of each phase, and how far two of their runs lie apart.
fn prior(way: Way, stages: &[Stage], stage: usize, order: &[usize], capacities: &[Capacity]) -> ScalingBelief {
    let others: Vec<&Stage> =
        stages.iter().enumerate().filter(|(at, _)| *at != stage).map(|(_, other)| other).collect();
    let curves = hypotheses(capacities);
    let phase = |phase: usize| {
        let curve = |other: &&Stage| -> Curve {
            order.iter().enumerate().map(|(at, place)| (at, other.seconds[phase][way.measure][*place])).collect()
        };
        let apart = |other: &&Stage| -> Vec<f64> {
            let log = |epoch: usize, at: usize| other.seconds[phase][epoch][at].max(1e-3).ln();
            order.iter().map(|at| (log(0, *at) - log(way.measure, *at)).abs()).collect()
        };
        // Of a normal variable's distance between two draws the median is 0.6745 times sqrt 2 deviations.
        let distances: Vec<f64> = others.iter().flat_map(apart).collect();
        let noise = (median(&distances) / 0.6745 / std::f64::consts::SQRT_2).max(LEAST_NOISE);
        let others: Vec<Curve> = others.iter().map(curve).collect();
        Mixture::before(capacities, &curves, &Prior { others: &others, noise, like_another: way.like_another })
    };
    ScalingBelief::of((0..PHASES.len()).map(phase).collect())
}

/// Regret of the one configuration that is best for all stages together.
fn best_single(stages: &[Stage], settings: &[(f64, f64)]) -> f64 {
    let cost = |stage: &Stage, at: usize| settings[at].0 * settings[at].1 * stage.total(2, at).powi(2);
    let least = |stage: &Stage| (0..settings.len()).map(|at| cost(stage, at)).fold(f64::INFINITY, f64::min);
    let regret = |at: usize| mean(stages.iter().map(|stage| cost(stage, at) / least(stage) - 1.0));
    (0..settings.len()).map(regret).fold(f64::INFINITY, f64::min)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The whole numbers below `count` in an order of the seed's (Fisher and Yates).
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut random = Random(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, random.below(last + 1));
    }
    order
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % bound.max(1) as u64) as usize
    }
}
