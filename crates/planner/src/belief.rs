//! What is thought of a run to come: analysis, resource model and history joined into numbers the pricing can use.
//!
//! A belief owns all it needs, so that trials can go on between its making and the choice. Nothing here decides.

use forewarm_resources::{Contention, Hierarchy, Inventory, ResourceModel, StepCost, pressure};
use forewarm_types::counts::ReuseHistogram;
use forewarm_types::demand::{MemoryDemand, ParallelismKind};
use forewarm_types::plan::Trial;
use forewarm_types::{
    Analysis, Basis, Bytes, CodeInfo, CodeKind, Corrections, Estimate, Features, IsaLevel, Levers, Load, Pressure,
    Step, Tier,
};

use crate::distribution::tame;
use crate::files::AbsentFiles;
use crate::memory::Peak;
use crate::run_time::{Evidence, RunTime, TIERS};
use crate::seen::{CountingFactor, TimedRun, outgrown};

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What the code is and needs.
    pub analysis: &'a Analysis,
    /// What this machine has and what things cost on it.
    pub resources: &'a ResourceModel,
    /// What past runs say.
    pub corrections: &'a Corrections,
    /// What is known of the run's input.
    pub features: &'a Features,
    /// Artifacts that stand on disk.
    pub standing: &'a [(Tier, IsaLevel)],
    /// Whether the file was seen before, so that it need not be read and analysed again.
    pub file_known: bool,
    /// What other work asks for now.
    pub load: Load,
    /// Files it is going to read that are not in memory.
    pub absent: AbsentFiles,
    /// What the user demands.
    pub constraints: Constraints,
    /// Seconds spent so far on reading, analysing and planning.
    pub spent_seconds: f64,
    /// Whether smaller inputs than this one are known or can be derived.
    pub smaller_inputs: bool,
    /// Whether runs on them can be timed on the code that the run will have.
    pub timing: bool,
}

/// What the user demands: hard limits and overrides.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Constraints {
    /// Seconds from now by which the run must have ended.
    pub deadline_seconds: Option<f64>,
    /// Most linear memory.
    pub max_memory: Option<Bytes>,
    /// Memory there is; zero where that is not known.
    pub available_memory: Bytes,
    /// The tier to use.
    pub tier: Option<Tier>,
    /// The threads to use.
    pub threads: Option<u32>,
    /// What else of a process is fixed.
    pub levers: Levers,
    /// Whether artifacts may be kept.
    pub persist: bool,
}

/// What is thought of a run to come.
#[derive(Debug, Clone)]
pub struct Belief {
    pub(crate) code: CodeInfo,
    pub(crate) evidence: Evidence,
    pub(crate) runs: [Option<RunTime>; TIERS],
    /// What the run asks of memory on each tier.
    pub(crate) pressures: [Pressure; TIERS],
    pub(crate) climbs: [Climb; TIERS],
    pub(crate) unsupported: [Option<String>; TIERS],
    pub(crate) standing: [[bool; 2]; TIERS],
    pub(crate) peak: Peak,
    pub(crate) demand: Demand,
    pub(crate) machine: Machine,
    pub(crate) constraints: Constraints,
    pub(crate) file_known: bool,
    pub(crate) reuses: Estimate,
    pub(crate) spent_seconds: f64,
    pub(crate) probe_seconds: f64,
    pub(crate) probe_cpu_seconds: f64,
    /// Median and deviation of the logarithm of what runs usually take, in CPU seconds.
    usual_run_seconds: (f64, f64),
    /// CPU seconds that making code took which the run is thought to need: no part of the others.
    pub(crate) own_code_seconds: f64,
    /// Operators that runs on smaller inputs have executed.
    pub(crate) executed: f64,
    /// Whether the run itself was tried.
    pub(crate) tried: bool,
    /// Whether smaller inputs were, whatever they told.
    pub(crate) foretold: bool,
    /// On which tiers runs on smaller inputs were timed, whatever that told; all, where none can be.
    pub(crate) timed: [bool; TIERS],
    pub(crate) smaller_inputs: bool,
    pub(crate) sources: Vec<Source>,
}

/// A default that was taken for granted: what it says, and the key of its source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    pub says: &'static str,
    pub key: String,
}

/// Demand of the code beyond operators and memory.
#[derive(Debug, Clone)]
pub(crate) struct Demand {
    pub functions: u64,
    pub useful_threads: u32,
    pub needs_vectors: bool,
    pub initial_bytes: Bytes,
    pub traffic_bytes: Option<f64>,
}

/// Cost of climbing to the first instruction on a tier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Climb {
    pub known: bool,
    pub compile: Estimate,
    /// Seconds of compiling that no number of threads divides.
    pub compile_serial: f64,
    /// Seconds that threads divide.
    pub compile_parallel: f64,
    /// Seconds of the largest function alone, below which no parallel compilation gets.
    pub compile_floor: f64,
    /// Wall seconds that each compiling thread beyond the first takes to start.
    pub thread_start: f64,
    pub compile_peak_bytes: f64,
    pub persist: Estimate,
    pub artifact_bytes: f64,
    pub map: Estimate,
    pub link: Estimate,
    pub instantiate: Estimate,
    /// Run time of baseline code over native code.
    pub baseline_factor: f64,
}

/// The machine as the pricing needs it.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub node: String,
    pub processors: Vec<ProcessorView>,
    pub executable_memory: bool,
    pub shares: Vec<f64>,
    pub core_price: f64,
    pub byte_price: f64,
    pub disk_price: f64,
    pub core_watts: f64,
    pub byte_watts: f64,
    pub energy_from_table: bool,
    pub load: Load,
    pub contention: Contention,
    pub hierarchy: Hierarchy,
    pub unpinned_factor: Option<f64>,
    pub process_seconds: f64,
    pub spawn_seconds: f64,
    pub hold_seconds: f64,
    pub touch_seconds_per_byte: f64,
    pub prefault: Estimate,
    pub metered_compile_factor: f64,
    pub metered_run_factor: f64,
    pub counted: CountingFactor,
    pub fueled: CountingFactor,
}

/// A processor as the pricing needs it.
#[derive(Debug, Clone)]
pub(crate) struct ProcessorView {
    pub name: String,
    pub cores: u32,
    /// Whether it lacks the vector extension the single-pass compiler needs for SIMD; `None` where not known.
    pub has_avx: Option<bool>,
}

/// Joins everything known into a belief.
#[must_use]
pub fn believe(inputs: &Inputs<'_>) -> Belief {
    let Inputs { analysis, resources, corrections, .. } = inputs;
    let evidence = Evidence::gather(inputs);
    let compile = &analysis.profile.compile;
    let mut standing = [[false; 2]; TIERS];
    for (tier, isa) in inputs.standing {
        standing[*tier as usize][*isa as usize] = true;
    }
    let reuses = corrections.expected_reuses.unwrap_or_else(|| resources.workload.expected_reuses.estimate());
    let runs = evidence.predict();
    let memory = &analysis.profile.memory;
    let foreseen = |run: RunTime| pressure::foreseen(&resources.hierarchy, memory, run.estimate().expected);
    let mut belief = Belief {
        code: analysis.code.clone(),
        pressures: runs.map(|run| run.map(foreseen).unwrap_or_default()),
        runs,
        evidence,
        climbs: Tier::ALL.map(|tier| Climb::of(tier, analysis, resources)),
        unsupported: Tier::ALL.map(|tier| compile.unsupported.get(&tier).cloned()),
        standing,
        peak: Peak::believe(&told(analysis), corrections),
        demand: Demand::of(analysis),
        machine: Machine::of(inputs),
        constraints: inputs.constraints,
        file_known: inputs.file_known,
        reuses: Estimate { expected: tame(reuses.expected), ..reuses },
        spent_seconds: tame(inputs.spent_seconds),
        probe_seconds: 0.0,
        probe_cpu_seconds: 0.0,
        usual_run_seconds: {
            let workload = &inputs.resources.workload;
            (tame(workload.run_median_seconds.value), tame(workload.run_log_deviation.value))
        },
        own_code_seconds: 0.0,
        executed: 0.0,
        tried: false,
        foretold: false,
        timed: [!inputs.timing; TIERS],
        smaller_inputs: inputs.smaller_inputs,
        sources: Vec::new(),
    };
    belief.sources = sources(&belief, inputs);
    belief
}

/// What the code tells of memory. Of a component it tells nothing of the peak: the analysis follows each module by itself, and not
/// what one of them, such as an adapter, allocates in another's memory.
fn told(analysis: &Analysis) -> MemoryDemand {
    let memory = &analysis.profile.memory;
    let whole = analysis.code.kind != CodeKind::WasmComponent;
    let peak_bytes = memory.peak_bytes.filter(|peak| whole || peak.basis > Basis::Static);
    MemoryDemand { peak_bytes, ..memory.clone() }
}

impl Belief {
    /// Takes the result of a trial in.
    pub fn update(&mut self, trial: &Trial) {
        self.tried = true;
        self.probe_seconds += tame(trial.wall_seconds);
        self.probe_cpu_seconds += tame(trial.cpu_seconds);
        let factor = if trial.counts.is_some() { self.machine.counted } else { self.machine.fueled };
        self.evidence.update(trial, self.metered_tier(), factor);
        // A trial of a component may be of the command in it alone.
        let whole = trial.complete && self.code.kind != CodeKind::WasmComponent;
        self.peak.seen(trial.peak_linear_memory_bytes, whole);
        self.runs = self.evidence.predict();
        if let Some(counts) = &trial.counts {
            for tier in Tier::ALL {
                let seconds = self.evidence.seconds_per_operator(tier).map(|each| each * trial.ops as f64);
                let counted = seconds.and_then(|seconds| pressure::counted(&self.machine.hierarchy, counts, seconds));
                self.pressures[tier as usize] = counted.unwrap_or(self.pressures[tier as usize]);
            }
        }
    }

    /// Factor (>= 1) on the CPU time of the run on a tier, by what else runs now.
    pub(crate) fn slow_down(&self, tier: usize) -> f64 {
        tame(self.machine.contention.slow_down(self.pressures[tier], self.machine.load)).max(1.0)
    }

    /// Takes in what runs on smaller inputs foretell: operators of the whole run, and the wall and CPU seconds they took.
    pub fn foresee(&mut self, operators: Estimate, wall_seconds: f64, cpu_seconds: f64) {
        self.foretold = true;
        self.probe_seconds += tame(wall_seconds);
        self.probe_cpu_seconds += tame(cpu_seconds);
        self.evidence.foresee(operators);
        self.runs = self.evidence.predict();
    }

    /// Notes that runs on smaller inputs have executed so many operators.
    pub fn execute(&mut self, operators: f64) {
        self.executed += tame(operators);
    }

    /// Takes in the largest of the runs on smaller inputs, whole: what an operator costs in a run like this one, with these reuse
    /// distances in place of its own.
    pub fn resemble(&mut self, trial: &Trial, reuse: Option<&ReuseHistogram>) {
        let (_, unsure) = self.outgrown(trial.peak_linear_memory_bytes.as_f64());
        self.evidence.resemble(trial, reuse, self.metered_tier(), self.machine.counted, unsure);
        self.runs = self.evidence.predict();
    }

    /// Notes that runs on smaller inputs took so many wall and CPU seconds and foretell nothing.
    pub fn not_foretold(&mut self, wall_seconds: f64, cpu_seconds: f64) {
        self.foretold = true;
        self.probe_seconds += tame(wall_seconds);
        self.probe_cpu_seconds += tame(cpu_seconds);
    }

    /// Notes that runs on smaller inputs were timed on a tier, in so many wall and CPU seconds, and that making its code took so many more
    /// CPU seconds if the run is thought to need it too ([`crate::TrialProbe::own_code`]): these are a cost of probing once the run is
    /// thought to need another tier's.
    pub fn timed(&mut self, tier: Tier, wall_seconds: f64, cpu_seconds: f64, own_code_seconds: Option<f64>) {
        self.timed[tier as usize] = true;
        self.probe_seconds += tame(wall_seconds);
        self.probe_cpu_seconds += tame(cpu_seconds);
        if let Some(seconds) = own_code_seconds {
            self.probe_cpu_seconds += std::mem::replace(&mut self.own_code_seconds, tame(seconds));
        }
    }

    /// Takes in what runs on smaller inputs took on a tier, by rising size, after what they counted ([`Self::resemble`]).
    pub fn take_timings(&mut self, tier: Tier, runs: &[TimedRun]) {
        let spilt = |bytes: f64| self.outgrown(bytes);
        let mut evidence = self.evidence.clone();
        evidence.take_timings(runs, tier, &spilt);
        self.evidence = evidence;
        self.runs = self.evidence.predict();
    }

    /// Takes in CPU seconds of the whole run on a tier, as extrapolated from times on so many smaller inputs, and the longest of these.
    pub fn foresee_seconds(&mut self, tier: Tier, seconds: Estimate, longest: &TimedRun, runs: usize) {
        let spilt = self.outgrown(longest.memory_bytes);
        self.evidence.foresee_seconds(tier, seconds, (longest.cpu_seconds, runs), spilt);
        self.runs = self.evidence.predict();
    }

    /// Takes in that a run on a smaller input took so many times as long on a tier as on another.
    pub fn foresee_by(&mut self, tier: Tier, other: Tier, ratio: f64) {
        self.evidence.foresee_by(tier, other, ratio);
        self.runs = self.evidence.predict();
    }

    /// What memory costs that outgrows that of a run with such a peak.
    fn outgrown(&self, peak_bytes: f64) -> (f64, f64) {
        if self.peak.basis == Basis::Default {
            return (1.0, 0.0);
        }
        let least = self.peak.least() as f64;
        outgrown(&self.machine.hierarchy, peak_bytes - least, self.peak.quantile(0.5) - least)
    }

    /// Takes in what runs on smaller inputs foretell of the peak of linear memory.
    pub fn foresee_peak(&mut self, bytes: Estimate) {
        if self.code.kind != CodeKind::WasmComponent {
            self.peak.foresee(bytes);
        }
    }

    /// The tier on which trials count operators: the one that compiles fastest.
    pub(crate) fn metered_tier(&self) -> Tier {
        if self.unsupported[Tier::Winch as usize].is_none() { Tier::Winch } else { Tier::Cranelift }
    }

    /// What runs of programs usually take, in CPU seconds: the median, and the deviation of the logarithm.
    #[must_use]
    pub fn usual_run_seconds(&self) -> (f64, f64) {
        self.usual_run_seconds
    }

    /// Predicted CPU time of the run proper on a tier.
    #[must_use]
    pub fn run_cpu_seconds(&self, tier: Tier) -> Option<Estimate> {
        self.runs[tier as usize].map(|run| run.estimate())
    }

    /// Predicted peak linear memory.
    #[must_use]
    pub fn peak_linear_memory_bytes(&self) -> Estimate {
        self.peak.estimate()
    }

    /// The largest number of threads any candidate may have.
    pub(crate) fn most_threads(&self) -> u32 {
        let cores = self.machine.processors.iter().map(|processor| processor.cores).max().unwrap_or(1);
        self.constraints.threads.unwrap_or(cores).clamp(1, cores)
    }
}

impl Demand {
    fn of(analysis: &Analysis) -> Self {
        let profile = &analysis.profile;
        let threads = match profile.parallelism.kind {
            ParallelismKind::Threads => profile.parallelism.max_useful_threads.map_or(f64::MAX, |threads| threads.high),
            ParallelismKind::Serial | ParallelismKind::DataParallel => 1.0,
        };
        Self {
            functions: profile.compile.functions,
            useful_threads: tame(threads).clamp(1.0, f64::from(u32::MAX)) as u32,
            needs_vectors: profile.isa.required.iter().any(|feature| feature == "simd"),
            initial_bytes: profile.memory.initial_bytes,
            traffic_bytes: profile.memory.traffic_bytes.map(|traffic| tame(traffic.expected)),
        }
    }
}

impl Climb {
    fn of(tier: Tier, analysis: &Analysis, resources: &ResourceModel) -> Self {
        let demand = &analysis.profile.compile;
        let size = demand.code_bytes;
        let step = |step| resources.transitions.step(tier, step);
        let seconds = |cost: Option<&StepCost>| tamed(cost.map_or_else(none, |cost| cost.cpu_seconds(size)));
        let compile = step(Step::Compile);
        let at = |size: Bytes| compile.map_or(0.0, |cost| tame(cost.cpu_seconds(size).expected));
        let whole = at(size);
        // By Amdahl's law two threads save half of what can be divided.
        let share = compile.map_or(0.0, |cost| 2.0 * (1.0 - cost.wall_share(2)));
        let divisible = (whole - at(Bytes::ZERO)).max(0.0) * share;
        let costs = resources.op_costs.tiers.get(&tier);
        let baseline = costs.and_then(|costs| costs.baseline_factor.as_ref()).map_or(1.0, |figure| figure.value);
        Self {
            known: compile.is_some(),
            compile: seconds(compile),
            compile_serial: whole - divisible,
            compile_parallel: divisible,
            thread_start: start_seconds(resources),
            compile_floor: at(demand.largest_function_bytes.min(size)).min(whole),
            compile_peak_bytes: compile.map_or(0.0, |cost| tame(cost.peak_bytes(size).as_f64())),
            persist: seconds(step(Step::Persist)),
            artifact_bytes: compile.map_or(0.0, |cost| tame(cost.held_bytes(size).as_f64())),
            map: seconds(step(Step::Map)),
            link: seconds(step(Step::Link)),
            instantiate: seconds(step(Step::Instantiate)),
            baseline_factor: if baseline.is_finite() && baseline > 0.0 { baseline } else { 1.0 },
        }
    }

    /// Wall seconds of compiling on some threads (Amdahl 1967), floored by the largest function; each thread beyond
    /// the first takes its time to start.
    pub fn compile_wall(&self, threads: u32) -> f64 {
        let threads = f64::from(threads.max(1));
        let divided = self.compile_serial + self.compile_parallel / threads;
        divided.max(self.compile_floor) + self.thread_start * (threads - 1.0)
    }
}

fn start_seconds(resources: &ResourceModel) -> f64 {
    resources.transitions.thread_start_seconds.as_ref().map_or(0.0, |figure| tame(figure.value))
}

fn none() -> Estimate {
    Estimate::exact(0.0, forewarm_types::Basis::Default)
}

fn tamed(estimate: Estimate) -> Estimate {
    Estimate { low: tame(estimate.low), expected: tame(estimate.expected), high: tame(estimate.high), ..estimate }
}

impl Machine {
    fn of(inputs: &Inputs<'_>) -> Self {
        let ResourceModel { inventory, transitions, power, price, contention, workload, metering, .. } =
            inputs.resources;
        let load = Load::of(tame(inputs.load.cores), inputs.load.pressure());
        let initial = inputs.analysis.profile.memory.initial_bytes;
        let prefault = transitions.common.get(&Step::Prefault);
        let touch = transitions.first_touch_seconds_per_byte.as_ref();
        let unpinned = contention.unpinned_factor.as_ref().map(|figure| figure.value);
        Self {
            node: inventory.node.clone(),
            processors: processors(inventory),
            executable_memory: inventory.executable_memory,
            shares: std::iter::once(1.0).chain(inventory.enforceable_shares.iter().copied()).collect(),
            core_price: tame(price.dollars_per_core_second.value),
            byte_price: tame(price.dollars_per_byte_second.value),
            disk_price: tame(price.dollars_per_disk_byte_second.value),
            core_watts: tame(power.busy_watts_per_core.value),
            byte_watts: tame(power.watts_per_gigabyte.value) / 1e9,
            energy_from_table: power.from_table,
            load,
            contention: contention.clone(),
            hierarchy: inputs.resources.hierarchy.clone(),
            unpinned_factor: unpinned.filter(|factor| factor.is_finite() && *factor > 1.0 && load.cores > 0.0),
            process_seconds: tame(workload.process_seconds.value),
            spawn_seconds: tame(workload.spawn_seconds.value),
            hold_seconds: tame(workload.artifact_hold_seconds.value),
            touch_seconds_per_byte: touch.map_or(0.0, |figure| tame(figure.value)),
            prefault: tamed(prefault.map_or_else(none, |cost| cost.cpu_seconds(initial))),
            metered_compile_factor: tame(metering.compile_factor.value).max(1.0),
            metered_run_factor: tame(metering.run_factor.value).max(1.0),
            counted: CountingFactor::of(&metering.run_factor),
            fueled: CountingFactor::of(&metering.fuel_run_factor),
        }
    }
}

fn processors(inventory: &Inventory) -> Vec<ProcessorView> {
    let view = |processor: &forewarm_resources::inventory::Processor| ProcessorView {
        name: processor.name.clone(),
        cores: processor.cores.max(1),
        has_avx: (cfg!(target_arch = "x86_64") && !processor.isa_features.is_empty())
            .then(|| processor.isa_features.iter().any(|feature| feature == "avx")),
    };
    inventory.processors.iter().map(view).collect()
}

/// Which defaults entered the belief.
fn sources(belief: &Belief, inputs: &Inputs<'_>) -> Vec<Source> {
    let model = inputs.resources;
    let mut sources: Vec<Source> = Vec::new();
    let mut note = |says: &'static str, default: bool, key: &str| {
        if default && sources.iter().all(|source| source.key != key) {
            sources.push(Source { says, key: key.to_owned() });
        }
    };
    for tier in Tier::ALL {
        if let Some(compile) = model.transitions.step(tier, Step::Compile) {
            note("compile time and memory", compile.samples == 0, &compile.source);
        }
    }
    if belief.evidence.uses_default_costs() {
        for costs in model.op_costs.tiers.values() {
            let figure = costs.seconds_per_op.get(&forewarm_types::OpClass::IntAlu);
            if let Some(figure) = figure {
                note("operator costs", figure.is_default(), &figure.source);
            }
        }
    }
    let workload = &model.workload;
    let figure = &workload.run_median_seconds;
    note("run time of a program not yet measured", belief.evidence.uses_prior && figure.is_default(), &figure.source);
    let unknown_return = inputs.corrections.expected_reuses.is_none() && workload.expected_reuses.is_default();
    note("chance of another run", unknown_return, &workload.expected_reuses.source);
    note("prices", model.price.dollars_per_core_second.is_default(), &model.price.dollars_per_core_second.source);
    let watts = &model.power.busy_watts_per_core;
    note("power, so that energy is only a multiple of time", model.power.from_table, &watts.source);
    sources
}
