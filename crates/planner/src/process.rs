//! Plans for processes: native programs and interpreters, which no tier compiles. What is open is how many threads their
//! libraries are told to use, which share of the cores they get, and how much memory is set aside.
//!
//! The belief is simpler than that of WebAssembly (one run time instead of one per tier), and so the whole way from
//! inputs to plan is here. A few dozen candidates at most.

use std::collections::BTreeMap;

use forewarm_resources::{Figure, ProcessCosts, process_costs, sources};
use forewarm_types::configuration::ProcessSettings;
use forewarm_types::demand::ParallelismKind;
use forewarm_types::plan::{Choice, Slot, WarmStep};
use forewarm_types::{
    Analysis, Basis, Bytes, Candidate, CodeKind, Configuration, Cost, Estimate, Levers, Load, Objective, Placement,
    Plan, Pressure, Retry, Rung, SCHEMA, Settings, Step, Term, Weights,
};

use crate::belief::Inputs;
use crate::choose::ChooseError;
use crate::distribution::{LogNormal, standard_nodes, tame};
use crate::foretold;
use crate::rules::Rejection;
use crate::weights::settled;

/// Probabilities at which memory sizes are offered.
const OFFERED: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// The least a process is thought to use: a megabyte, about what the C library's start touches.
const LEAST_MEMORY: f64 = 1e6;

/// The most of its CPU time that a program is thought to spend touching memory for the first time: what page faults and the
/// clearing of pages take of `memset`, which does nothing else.
const MOST_SAVED: f64 = 0.9;

/// Bytes of a large page, below which an allocator asks for none: Linux Documentation/admin-guide/mm/transhuge.rst, on x86-64 and
/// on ARM with its usual pages.
const LARGE_PAGE: f64 = 2_097_152.0;

/// The C library whose allocator can be told which pages to ask for: its name among those a program needs (`DT_NEEDED`).
const TOLD_LIBRARY: &str = "libc.so.6";

/// What is thought of a process to come.
struct Belief<'a> {
    inputs: &'a Inputs<'a>,
    costs: ProcessCosts,
    cpu: LogNormal,
    least_cpu: f64,
    basis: Basis,
    memory: LogNormal,
    least_memory: f64,
    memory_basis: Basis,
    most_memory: f64,
    threaded: bool,
    cores: u32,
    processor: String,
}

/// A candidate before it is spelled out.
#[derive(Debug, Clone, Copy)]
struct Shape {
    threads: u32,
    share: f64,
    memory: f64,
    read_ahead: bool,
    large_pages: bool,
    rejection: Option<Rejection>,
}

/// Plans a run of a native or Python program by given weights or else those of the objective; lists the `keep` cheapest
/// candidates.
///
/// # Errors
/// [`ChooseError`] where every candidate was rejected.
pub fn plan_process(
    inputs: &Inputs<'_>,
    objective: Objective,
    weights: Option<Weights>,
    keep: usize,
) -> Result<Plan, ChooseError> {
    let belief = Belief::of(inputs);
    let shapes = belief.shapes();
    let weights = weights.unwrap_or_else(|| {
        settled(objective, |weights| {
            let total = |shape: &Shape| shape.rejection.is_none().then(|| belief.cost(shape, weights).total_dollars);
            shapes.iter().map(total).collect()
        })
    });
    let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
    for rejection in shapes.iter().filter_map(|shape| shape.rejection) {
        *rejected.entry(rejection.rule().name.to_owned()).or_default() += 1;
    }
    let mut priced: Vec<(Shape, Cost)> = shapes.iter().map(|shape| (*shape, belief.cost(shape, &weights))).collect();
    let order = |(shape, cost): &(Shape, Cost)| (shape.rejection.is_some(), cost.total_dollars);
    priced.sort_by(|a, b| order(a).0.cmp(&order(b).0).then(order(a).1.total_cmp(&order(b).1)));
    let Some((best, cost)) = priced.first().filter(|(shape, _)| shape.rejection.is_none()) else {
        return Err(ChooseError { rejected });
    };
    let chosen = Choice { configuration: belief.configuration(best), cost: cost.clone(), why: belief.why(&priced) };
    let candidate = |(shape, cost): &(Shape, Cost)| Candidate {
        configuration: belief.configuration(shape),
        feasible: shape.rejection.is_none_or(|rejection| !rejection.rule().hard),
        why_not: shape.rejection.map(|rejection| format!("{}: {}", rejection.rule().name, rejection.rule().reason)),
        cost: cost.clone(),
    };
    Ok(Plan {
        schema: SCHEMA,
        code: inputs.analysis.code.clone(),
        objective,
        weights,
        warm_up: belief.warm_up(best),
        schedule: belief.schedule(cost),
        candidates: priced.iter().take(keep.max(1)).map(candidate).collect(),
        chosen,
        considered: priced.len() as u64,
        rejected,
        assumptions: belief.assumptions(),
        prepare: None,
        predicted_cpu_seconds: belief.cpu_seconds(),
        plan_seconds: 0.0,
        emulation_seconds: 0.0,
    })
}

impl<'a> Belief<'a> {
    fn of(inputs: &'a Inputs<'a>) -> Self {
        let costs = process_costs();
        let available = inputs.constraints.available_memory.as_f64();
        let limit = inputs.constraints.max_memory.map_or(f64::INFINITY, |limit| limit.as_f64());
        let most_memory = if available > 0.0 { available.min(limit) } else { limit.min(1e12) }.max(LEAST_MEMORY);
        let cpu = foretold::run_time(inputs, &costs);
        let memory = foretold::memory(inputs, &costs);
        let processor = inputs.resources.inventory.processors.first();
        Self {
            cpu: cpu.belief,
            least_cpu: cpu.least,
            basis: cpu.basis,
            memory: memory.belief,
            least_memory: memory.least,
            memory_basis: memory.basis,
            most_memory,
            threaded: threaded(inputs.analysis),
            cores: processor.map_or(1, |processor| processor.cores).max(1),
            processor: processor.map_or_else(|| "cpu0".to_owned(), |processor| processor.name.clone()),
            inputs,
            costs,
        }
    }

    fn shapes(&self) -> Vec<Shape> {
        let mut sizes: Vec<f64> = OFFERED.map(|p| self.memory.quantile(p).clamp(LEAST_MEMORY, self.most_memory)).into();
        sizes.dedup_by(|a, b| (*a / *b - 1.0).abs() < 0.01);
        let shares: Vec<f64> =
            std::iter::once(1.0).chain(self.inputs.resources.inventory.enforceable_shares.iter().copied()).collect();
        let reads: &[bool] = if self.inputs.absent.bytes > 0.0 { &[false, true] } else { &[false] };
        let pages = self.pages();
        let backings = reads.iter().flat_map(|read_ahead| pages.iter().map(|large_pages| (*read_ahead, *large_pages)));
        let mut shapes = Vec::new();
        for threads in 1..=self.cores {
            for share in shares.iter().copied() {
                let rejection = self.rejection(threads, share);
                for (read_ahead, large_pages) in backings.clone() {
                    let shape =
                        |memory: &f64| Shape { threads, share, memory: *memory, read_ahead, large_pages, rejection };
                    shapes.extend(sizes.iter().map(shape));
                }
            }
        }
        shapes
    }

    /// Whether to ask for large pages: as the user says, else open where that saves anything of what is known to be touched.
    fn pages(&self) -> &'static [bool] {
        if self.inputs.constraints.levers.large_pages {
            return &[true];
        }
        if self.backing_gain() > 0.0 { &[false, true] } else { &[false] }
    }

    /// CPU seconds that large pages save of touching what the program holds at its peak, by what this machine was measured to
    /// take for either; 0 where they cost, its footprint or the machine is not known, or nothing in it can be told. What they
    /// save of going to memory later is left out, since nobody counts a process' accesses.
    fn backing_gain(&self) -> f64 {
        let known = self.memory_basis >= Basis::Emulated && heeds_tunables(self.inputs.analysis);
        let touch = self.inputs.resources.transitions.page_touch.as_ref().filter(|_| known);
        let behind = (self.memory.mu.exp() - LARGE_PAGE).max(0.0);
        let saved = touch.map_or(0.0, |touch| touch.saved_seconds_per_byte() * behind);
        tame(saved).min(MOST_SAVED * self.cpu.mu.exp())
    }

    fn rejection(&self, threads: u32, share: f64) -> Option<Rejection> {
        let wanted = self.inputs.constraints.threads;
        if wanted.is_some_and(|wanted| wanted.min(self.cores) != threads) {
            return Some(Rejection::ThreadsOverride);
        }
        if threads > 1 && wanted.is_none() && !self.threaded {
            return Some(Rejection::ThreadsUseless);
        }
        // Several threads on part of their cores are throttled together.
        (threads > 1 && share < 1.0).then_some(Rejection::ThreadsExceedShare)
    }

    /// Wall seconds of so many CPU seconds: divided over threads as far as the work can be (Amdahl 1967), by the step law
    /// of quotas (work below one slice is not slowed), stretched where more want cores than there are; and what it waits for
    /// files that are not in memory.
    fn wall(&self, cpu: f64, shape: &Shape) -> f64 {
        let parallel = if self.threaded { self.costs.parallel_share.value } else { 0.0 };
        let threads = f64::from(shape.threads);
        let divided = cpu * (1.0 - parallel + parallel / threads);
        let period = self.costs.quota_period_seconds.value;
        let quota = period * shape.share;
        let throttled = if shape.share < 1.0 { (divided / quota).floor() * (period - quota) } else { 0.0 };
        (divided + throttled) * self.crowding(threads) + self.inputs.absent.seconds(&self.costs, shape.read_ahead)
    }

    fn load(&self) -> Load {
        Load::of(tame(self.inputs.load.cores), self.inputs.load.pressure())
    }

    /// Factor on its CPU time, by what else runs; what it asks of memory itself nobody can tell beforehand.
    fn slow_down(&self) -> f64 {
        tame(self.inputs.resources.contention.slow_down(Pressure::default(), self.load())).max(1.0)
    }

    fn crowding(&self, threads: f64) -> f64 {
        let contention = &self.inputs.resources.contention;
        contention.factor(threads, self.load().cores, f64::from(self.cores))
    }

    fn cost(&self, shape: &Shape, weights: &Weights) -> Cost {
        let resources = self.inputs.resources;
        let watts = tame(resources.power.busy_watts_per_core.value);
        let core_price = tame(resources.price.dollars_per_core_second.value);
        let byte_price = tame(resources.price.dollars_per_byte_second.value);
        let spawn = tame(self.spawn_seconds().value);
        // The geometric mean stands for a run time so uncertain that its mean says nothing (see the crate's page).
        let saved = if shape.large_pages { self.backing_gain() } else { 0.0 };
        let cpu = (self.cpu.mu.exp() - saved) * self.slow_down();
        let wall = self.wall(cpu, shape);
        // What has to be told to the program is told it before it begins.
        let told = if shape.large_pages { tame(self.costs.told_seconds.value) } else { 0.0 };
        let start = spawn + told;
        let second = weights.dollars_per_second;
        let attempt = second * (start + wall)
            + (weights.price_factor * core_price + weights.dollars_per_joule * watts) * (spawn + cpu);
        let fails = self.memory.exceeds(self.most_memory);
        let held = shape.memory < self.most_memory;
        let overflow = if held { self.memory.exceeds(shape.memory) } else { 0.0 };
        // What it then uses beyond what is set aside costs what that does.
        let grown = overflow * second * tame(self.costs.growth_seconds.value)
            + weights.price_factor * byte_price * tame(self.memory.excess(shape.memory)) * wall;
        let late = self.inputs.constraints.deadline_seconds.map_or(0.0, |deadline| {
            let nodes = self.cpu.nodes(&standard_nodes());
            nodes.iter().filter(|cpu| start + self.wall(**cpu * self.slow_down(), shape) > deadline).count() as f64
                / nodes.len() as f64
        });
        let threads = f64::from(shape.threads);
        let load = self.load();
        let slows = resources.contention.slow_down(load.pressure(), Load::of(threads, Pressure::default()));
        let others = wall * load.cores * (1.0 - 1.0 / (self.crowding(threads) * slows));
        let terms: BTreeMap<Term, f64> = [
            (Term::Plan, second * tame(self.inputs.spent_seconds)),
            (Term::Transition, second * start),
            (Term::Run, second * wall),
            (Term::Imposed, second * others),
            (Term::TransitionEnergy, weights.dollars_per_joule * watts * spawn),
            (Term::RunEnergy, weights.dollars_per_joule * watts * cpu),
            (Term::Cores, weights.price_factor * core_price * (spawn + cpu)),
            (Term::Memory, weights.price_factor * byte_price * shape.memory * wall),
            (Term::Retry, if held { grown } else { 0.0 }),
            (Term::Failure, (fails + late * (1.0 - fails)) * attempt),
        ]
        .into();
        let own = self.cpu_seconds().scale(self.slow_down());
        let run = own.scale(if cpu > 0.0 { wall / cpu } else { 1.0 });
        let energy = own.scale(watts);
        Cost {
            total_dollars: terms.values().sum(),
            terms_dollars: terms,
            wait_seconds: Estimate::exact(0.0, Basis::Observed),
            transition_seconds: around(self.spawn_seconds()),
            run_seconds: run,
            energy_joules: if resources.power.from_table { energy.with_basis(Basis::Default) } else { energy },
            memory_bytes: estimate(self.memory, self.least_memory, self.memory_basis),
            contention_factor: self.crowding(threads) * self.slow_down(),
            pressure: Pressure::default(),
            retry: (held && self.memory_basis >= Basis::Emulated)
                .then_some(Retry { probability: overflow, memory_bytes: Bytes(self.most_memory as u64) }),
        }
    }

    fn cpu_seconds(&self) -> Estimate {
        estimate(self.cpu, self.least_cpu, self.basis)
    }

    fn spawn_seconds(&self) -> &'a Figure {
        &self.inputs.resources.workload.processes.spawn_seconds
    }

    fn configuration(&self, shape: &Shape) -> Configuration {
        let tell = self.threaded || self.inputs.constraints.threads.is_some();
        let Levers { isa_ceiling, pinned, .. } = self.inputs.constraints.levers;
        let settings = ProcessSettings {
            library_threads: tell.then_some(shape.threads),
            pinned,
            isa_ceiling,
            large_pages: shape.large_pages,
            read_ahead: shape.read_ahead,
        };
        let placement = Placement {
            region: "all".to_owned(),
            node: self.inputs.resources.inventory.node.clone(),
            processor: self.processor.clone(),
            units: if tell { shape.threads } else { 1 },
            share: shape.share,
            memory_bytes: Bytes(shape.memory as u64),
            settings: Settings::Process(settings),
        };
        Configuration { placements: vec![placement], warm_state: Rung::File }
    }

    fn why(&self, priced: &[(Shape, Cost)]) -> String {
        let Some((best, cost)) = priced.first() else { return String::new() };
        let name = |shape: &Shape| {
            let threads = format!("{} thread{}", shape.threads, if shape.threads == 1 { "" } else { "s" });
            let share = if shape.share < 1.0 { format!(" on {} of a core", shape.share) } else { String::new() };
            let read = if shape.read_ahead { ", its files read ahead," } else { "" };
            let pages = if shape.large_pages { ", large pages" } else { "" };
            format!("{threads}{share}{pages}{read}")
        };
        let other = priced.iter().find(|(shape, _)| {
            let kind = |shape: &Shape| (shape.threads, shape.share.to_bits(), shape.read_ahead, shape.large_pages);
            shape.rejection.is_none() && kind(shape) != kind(best)
        });
        match other {
            Some((shape, theirs)) => format!(
                "a process with {} costs ${:.2e}, with {} it would cost ${:.2e}",
                name(best),
                cost.total_dollars,
                name(shape),
                theirs.total_dollars
            ),
            None if self.threaded => format!("a process with {} is all that is open", name(best)),
            None => "a process is all that is possible, and nothing in it is known to use several threads".to_owned(),
        }
    }

    fn warm_up(&self, shape: &Shape) -> Vec<WarmStep> {
        let seconds = around(self.spawn_seconds());
        let joules = |seconds: Estimate| seconds.scale(tame(self.inputs.resources.power.busy_watts_per_core.value));
        let spawn = WarmStep { step: Step::Spawn, seconds, joules: joules(seconds), bytes: Bytes::ZERO };
        let absent = &self.inputs.absent;
        let reading = shape.read_ahead.then(|| {
            let value = absent.seconds(&self.costs, true);
            let basis = if absent.ahead_seconds_per_byte.is_some() { Basis::Observed } else { Basis::Default };
            let seconds = Estimate::new(value / 2.0, value, value * 2.0, basis);
            // A disk's work, beside which the cores are free.
            let joules = Estimate::exact(0.0, Basis::Default);
            WarmStep { step: Step::ReadAhead, seconds, joules, bytes: Bytes(absent.bytes as u64) }
        });
        std::iter::once(spawn).chain(reading).collect()
    }

    fn schedule(&self, cost: &Cost) -> Vec<Slot> {
        let ready = cost.transition_seconds.expected;
        let slot = |task: &str, start_seconds, end_seconds| Slot {
            task: task.to_owned(),
            processor: self.processor.clone(),
            start_seconds,
            end_seconds,
        };
        vec![slot("spawn", 0.0, ready), slot("run", ready, ready + cost.run_seconds.expected)]
    }

    fn assumptions(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut say = |what: &str, figure: &Figure| {
            let basis = if figure.is_default() { "default" } else { "measured" };
            lines.push(format!("{what}: {basis} ({})", sources::words(&figure.source)));
        };
        let own = self.inputs.resources.workload.processes.of(self.inputs.analysis.code.kind);
        if self.basis != Basis::Observed {
            say("how long programs run", &own.seconds);
            match self.inputs.analysis.code.kind {
                CodeKind::Python => {
                    say("time of a bytecode operation", &self.costs.bytecode_seconds);
                    say("the interpreter's start", &self.costs.python_start_seconds);
                }
                _ => {
                    say("time of an instruction", &self.costs.instruction_seconds);
                    say("the program's start", &self.costs.native_start.seconds);
                }
            }
        }
        say("starting a confined process", self.spawn_seconds());
        if self.threaded {
            say("the share of the work that threads divide", &self.costs.parallel_share);
        }
        if self.inputs.absent.bytes > 0.0 {
            say("reading files as the program comes to them", &self.costs.demand_read_seconds_per_byte);
            if self.inputs.absent.ahead_seconds_per_byte.is_none() {
                say("reading files ahead", &self.costs.ahead_read_seconds_per_byte);
            }
        }
        if self.inputs.corrections.peak_linear_memory_bytes.is_none() {
            say("memory beyond that of its start", &own.bytes);
        }
        lines
    }
}

/// The belief as an estimate: its median stands for it, as its mean says nothing of a program that may run for ever.
fn estimate(belief: LogNormal, least: f64, basis: Basis) -> Estimate {
    let (median, high) = (belief.mu.exp(), belief.quantile(0.95));
    Estimate::new(belief.quantile(0.05).max(least).min(median), median, high, basis)
}

fn around(figure: &Figure) -> Estimate {
    if !figure.is_default() {
        return figure.estimate();
    }
    let value = tame(figure.value);
    // Defaults of times here span a factor of two either way between machines.
    Estimate::new(value / 2.0, value, value * 2.0, Basis::Default)
}

/// Whether the program's allocator can be told which pages to ask for: that of Python is the C library's for all but small things.
fn heeds_tunables(analysis: &Analysis) -> bool {
    analysis.code.kind == CodeKind::Python || analysis.profile.libraries.iter().any(|library| library == TOLD_LIBRARY)
}

/// Whether the code is known to use libraries whose number of threads can be told.
fn threaded(analysis: &Analysis) -> bool {
    let kits = analysis.native.iter().flat_map(|native| &native.kits);
    analysis.profile.parallelism.kind == ParallelismKind::Threads
        || kits.into_iter().any(|kit| kit.name == "BLAS" || kit.name == "OpenMP")
}

#[cfg(test)]
mod tests;
