//! What this tree's Forewarm says of each pair before it ever ran: with an emulation of at most a twentieth of the run and a
//! second, and from the code alone, by a process that knows the machine and nothing else; and with that emulation by one that has
//! met the other programs, so that it knows what programs are like here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::choice;
use super::pairs::{Kind, Pair};
use super::table::Table;
use crate::bench::run::{Scratch, children_cpu_seconds};
use crate::bench::runner::{forewarm_binary, with_state, with_surroundings};
use crate::process::{Outcome, While, command, failure, output_of, require, target};

/// Emulation may take at most this share of the fastest configuration's run, and so many seconds, both of CPU time.
const MOST_SHARE: f64 = 0.05;
const MOST_SECONDS: f64 = 1.0;

/// Objectives that plans are made for.
pub const OBJECTIVES: [&str; 5] = ["latency", "balanced", "cost", "energy", "cost-time"];

/// A quantity foretold, with its 90 % interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// 5th percentile.
    pub low: f64,
    /// What is expected.
    pub expected: f64,
    /// 95th percentile.
    pub high: f64,
    /// What it rests on: `default`, `static`, `emulated`, `observed`.
    pub basis: String,
}

/// All that one way of planning says of a pair.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Foretold {
    /// CPU seconds of the run, by configuration.
    pub cpu_seconds: BTreeMap<String, Range>,
    /// Peak memory, by configuration.
    pub memory_bytes: BTreeMap<String, Range>,
    /// The configuration chosen, by objective.
    pub chosen: BTreeMap<String, String>,
    /// CPU seconds that planning took, by objective.
    pub plan_cpu_seconds: BTreeMap<String, f64>,
    /// CPU seconds of emulation that were allowed.
    pub budget_seconds: f64,
}

/// All ways of planning a pair.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ways {
    /// With an emulation.
    pub emulated: Foretold,
    /// From the code alone.
    pub plain: Foretold,
    /// With an emulation, once all other programs were met.
    pub met: Foretold,
}

/// What is foretold of all pairs, and what things cost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Foretelling {
    /// By pair.
    pub pairs: BTreeMap<String, Ways>,
    /// Weights of each objective: dollars per second, dollars per joule, factor on prices.
    pub weights: BTreeMap<String, [f64; 3]>,
    /// Dollars per core-second and per byte-second, and watts of a busy core.
    pub prices: [f64; 3],
}

/// Plans every pair of the table in each way, with the machine probed beforehand. The table is asked for before each pair is
/// planned, so that it may be measured then.
///
/// # Errors
/// The machine cannot be probed, a plan is refused, or the table cannot be had.
pub fn all(pairs: &[Pair], mut table: impl FnMut(&Pair) -> Outcome<Table>) -> Outcome<Foretelling> {
    let machine = probed()?;
    let mut foretelling = Foretelling { prices: prices(&machine)?, ..Foretelling::default() };
    for pair in pairs {
        let table = table(pair)?;
        let Some(measured) = table.measured.get(&pair.case.name) else { continue };
        let budget_seconds = (MOST_SHARE * measured.fastest()).min(MOST_SECONDS);
        let begun = || Foretold { budget_seconds, ..Foretold::default() };
        let mut ways = Ways { emulated: begun(), plain: Foretold::default(), met: begun() };
        for objective in OBJECTIVES {
            let plan = ways.emulated.plan(pair, &machine, objective, &budget_seconds.to_string())?;
            ways.plain.plan(pair, &machine, objective, "never")?;
            let weight = |key: &str| plan["weights"][key].as_f64().unwrap_or_default();
            let weights = [weight("dollars_per_second"), weight("dollars_per_joule"), weight("price_factor")];
            foretelling.weights.insert(objective.to_owned(), weights);
        }
        let say = |foretold: &Foretold, configuration: &str| {
            foretold.cpu_seconds.get(configuration).map_or(f64::NAN, |range| range.expected)
        };
        for (configuration, measured) in &measured.configurations {
            let (emulated, plain) = (say(&ways.emulated, configuration), say(&ways.plain, configuration));
            let name = &pair.case.name;
            eprintln!("{name:24} {configuration:10} {:9.4} s  {emulated:9.4} {plain:9.4}", measured.cpu_seconds);
        }
        foretelling.pairs.insert(pair.case.name.clone(), ways);
    }
    // What others teach is known once all are measured.
    for pair in pairs {
        let Some(ways) = foretelling.pairs.get_mut(&pair.case.name) else { continue };
        let experienced = met(&machine, &table(pair)?, &pair.program)?;
        for objective in OBJECTIVES {
            ways.met.plan(pair, &experienced, objective, &ways.emulated.budget_seconds.to_string())?;
        }
    }
    Ok(foretelling)
}

impl Foretold {
    /// Plans a pair and takes in what the plan says, which is returned.
    ///
    /// # Errors
    /// The plan is refused, or says nothing that the table has.
    pub fn plan(&mut self, pair: &Pair, state: &Path, objective: &str, emulate: &str) -> Outcome<Value> {
        let before = children_cpu_seconds()?;
        let plan = plan(pair, state, objective, emulate)?;
        self.plan_cpu_seconds.insert(objective.to_owned(), children_cpu_seconds()? - before);
        take(self, pair.kind, objective, &plan)?;
        Ok(plan)
    }
}

/// A folder of state in which this machine is known, as `forewarm resources probe` of this tree has it.
///
/// # Errors
/// The machine cannot be probed, or the folder not be made.
pub fn probed() -> Outcome<PathBuf> {
    let state = target().join("bench/predict-state");
    if state.join("done").exists() && newer(&state.join("done"), &forewarm_binary()) {
        return Ok(state);
    }
    if state.exists() {
        fs::remove_dir_all(&state).doing("removing an old state")?;
    }
    fs::create_dir_all(&state).doing("making a folder of state")?;
    let mut probe = command(forewarm_binary(), &["resources", "probe", "--format", "json"]);
    with_state(&mut probe, &state);
    require(probe.stdout(std::process::Stdio::null()))?;
    fs::write(state.join("done"), b"").doing("marking the state")?;
    Ok(state)
}

/// A folder of state that knows this machine, and what programs are like from all but one: as `forewarm_learner::meet` leaves
/// it once each of them has run one of its inputs, the default counting for as many programs as it is of.
fn met(machine: &Path, table: &Table, but: &str) -> Outcome<PathBuf> {
    const DEFAULT_PROGRAMS: f64 = 6.0;
    let state = target().join("bench/predict-met");
    if state.exists() {
        fs::remove_dir_all(&state).doing("removing an old state")?;
    }
    copy(machine, &state)?;
    let mut model = model(&state)?;
    let figure = |model: &Value, key: &str| model["workload"][key]["value"].as_f64().unwrap_or_default();
    let (mean, deviation) = (figure(&model, "run_median_seconds").ln(), figure(&model, "run_log_deviation"));
    let logs = choice::usual_logs(table, but);
    let count = DEFAULT_PROGRAMS + logs.len() as f64;
    let middle = (DEFAULT_PROGRAMS * mean + logs.iter().sum::<f64>()) / count;
    let apart: f64 = logs.iter().map(|log| (log - middle).powi(2)).sum();
    let squares = DEFAULT_PROGRAMS * (deviation.powi(2) + (mean - middle).powi(2)) + apart;
    for (key, value) in [("run_median_seconds", middle.exp()), ("run_log_deviation", (squares / count).sqrt())] {
        model["workload"][key] = json!({"value": value, "samples": logs.len(), "source": "the bench's other programs"});
    }
    let file = state.join("model.json");
    fs::write(&file, model.to_string()).doing("writing a resource model")?;
    let mut import = command(forewarm_binary(), &["resources", "import"]);
    with_state(&mut import, &state);
    require(import.arg(&file).stdout(std::process::Stdio::null()))?;
    Ok(state)
}

fn model(state: &Path) -> Outcome<Value> {
    let mut show = command(forewarm_binary(), &["resources", "--format", "json"]);
    with_state(&mut show, state);
    serde_json::from_str(&output_of(&mut show)?).doing("reading the resource model")
}

fn newer(file: &Path, than: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    time(file).zip(time(than)).is_some_and(|(file, than)| file > than)
}

fn prices(machine: &Path) -> Outcome<[f64; 3]> {
    let model = model(machine)?;
    let figure = |path: &str| {
        let value = model.pointer(path).and_then(Value::as_f64);
        value.ok_or_else(|| failure(format!("the resource model lacks {path}")))
    };
    Ok([
        figure("/price/dollars_per_core_second/value")?,
        figure("/price/dollars_per_byte_second/value")?,
        figure("/power/busy_watts_per_core/value")?,
    ])
}

fn plan(pair: &Pair, machine: &Path, objective: &str, emulate: &str) -> Outcome<Value> {
    let scratch = Scratch::new(&pair.case)?;
    let state = scratch.path().join("state");
    copy(machine, &state)?;
    let mut plan = command(forewarm_binary(), &["plan", "--all", "--format", "json", "--objective", objective]);
    plan.args(["--emulate", emulate]).args(pair.options());
    with_surroundings(&mut plan, &pair.case, &scratch);
    plan.arg(&pair.case.file);
    if !pair.case.args.is_empty() {
        plan.arg("--").args(&pair.case.args);
    }
    with_state(&mut plan, &state);
    let text = output_of(&mut plan)?;
    crate::bench::run::wait_for_left_behind(&state)?;
    serde_json::from_str(&text).doing(format_args!("reading the plan of {}", pair.case.name))
}

fn copy(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to).doing("making a folder of state")?;
    for entry in fs::read_dir(from).doing("reading a folder of state")? {
        let entry = entry.doing("reading a folder of state")?;
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), place).doing("copying state")?;
        }
    }
    Ok(())
}

/// Which configuration of the table a plan's is: that of a whole core and this processor's instructions where the plan has a
/// part of one, or the baseline's, which the table does not tell apart.
fn key(kind: Kind, configuration: &Value) -> Option<String> {
    let settings = &configuration["placements"][0]["settings"];
    match kind {
        Kind::Wasm => settings["tier"].as_str().map(str::to_owned),
        Kind::Python | Kind::Native => Some(settings["library_threads"].as_u64().unwrap_or(1).to_string()),
    }
}

/// Whether it is one of those that the table measured as they are.
fn measured(kind: Kind, configuration: &Value) -> bool {
    let placement = &configuration["placements"][0];
    let native = kind != Kind::Wasm || placement["settings"]["isa"].as_str() == Some("native");
    native && placement["share"].as_f64() == Some(1.0)
}

fn range(value: &Value) -> Option<Range> {
    Some(Range {
        low: value["low"].as_f64()?,
        expected: value["expected"].as_f64()?,
        high: value["high"].as_f64()?,
        basis: value["basis"].as_str()?.to_owned(),
    })
}

fn take(foretold: &mut Foretold, kind: Kind, objective: &str, plan: &Value) -> Outcome {
    let chosen = key(kind, &plan["chosen"]["configuration"]);
    let chosen = chosen.ok_or_else(|| failure("a configuration was chosen that the table does not have"))?;
    let candidates = plan["candidates"].as_array().map(Vec::as_slice).unwrap_or_default();
    for candidate in candidates {
        let configuration = &candidate["configuration"];
        let Some(key) = key(kind, configuration).filter(|_| measured(kind, configuration)) else { continue };
        let (run, memory) = (range(&candidate["cost"]["run_seconds"]), range(&candidate["cost"]["memory_bytes"]));
        let factor = candidate["cost"]["contention_factor"].as_f64().unwrap_or(1.0).max(1.0);
        let cpu = run.map(|run| Range {
            low: run.low / factor,
            expected: run.expected / factor,
            high: run.high / factor,
            ..run
        });
        if let Some((cpu, memory)) = cpu.zip(memory) {
            foretold.cpu_seconds.entry(key.clone()).or_insert(cpu);
            foretold.memory_bytes.entry(key).or_insert(memory);
        }
    }
    foretold.chosen.insert(objective.to_owned(), chosen);
    Ok(())
}
