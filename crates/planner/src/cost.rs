//! The cost function: every term of DESIGN's `J`, in dollars, for one candidate.
//!
//! ```text
//! J = vt (T_plan + T_probe + T_wait + T_transition + T_run + T_imposed)   time, contention included
//!   + ve (E_transition + E_run)                                           energy
//!   + price (core-seconds, byte-seconds) + hold                           money
//!   + P(peak > set aside) x (a second run with all there may be)          retry
//!   + P(failure) x (what a failed attempt wastes)                         risk
//!   - reuses x (value of what is left behind)                             reuse
//! ```
//!
//! `T_transition` is the critical path: parallel compilation is priced at its wall time here and at its core-seconds in
//! the money terms. Run lengths are the weighed means of [`crate::risk`].
//!
//! What is set aside for a program is what it may use as long as it can be run again: one that needs more is ended and run
//! with as much as there may be. The first attempt is priced by the terms of any run (it may come to its end before it needs
//! more, so that this is the most it can take), and the second by the term of its own. How much to set aside is thus a
//! quantile of the peak that follows from what memory and a second run are worth under the objective: the fractile at which
//! more memory costs as much as it saves (the newsvendor's; Arrow, Harris and Marschak 1951).

use forewarm_types::{Bytes, Cost, Estimate, IsaLevel, Load, Pressure, Retry, Rung, Term, Tier, Weights};

use crate::belief::{Belief, Climb};
use crate::distribution::tame;
use crate::memory::Most;
use crate::risk::Risk;
use crate::rules::Rejection;

/// Number of terms.
pub(crate) const TERMS: usize = Term::ALL.len();

/// What candidates of one tier, instruction-set level, thread count and share have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub processor: u16,
    pub tier: Tier,
    pub isa: IsaLevel,
    pub threads: u32,
    pub share: f64,
    pub pinned: bool,
    pub prefault: bool,
    /// Whether its artifact stands.
    pub standing: bool,
    pub rejection: Option<Rejection>,
    pub figures: Figures,
}

/// Physical quantities of a shape.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub transition_wall: f64,
    pub transition_cpu: f64,
    /// Wall and CPU seconds of making another instance, once there is one.
    pub again_wall: f64,
    pub again_cpu: f64,
    pub run_wall: f64,
    pub run_cpu: f64,
    /// Wall seconds of the run per CPU second of it.
    pub wall_per_cpu: f64,
    pub contention: f64,
    /// Seconds lost by others.
    pub imposed: f64,
    /// Peak bytes of compiling.
    pub compile_peak: f64,
    /// Probability that the run ends after the deadline.
    pub late: f64,
}

/// One candidate beyond its shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variant {
    pub memory_bytes: u64,
    /// Probability that the program needs more and is run again; 0 where nothing more could be had.
    pub overflow: f64,
    pub warm_state: Rung,
}

/// Everything the pricing looks up, made once per plan.
pub(crate) struct Pricing<'a> {
    pub belief: &'a Belief,
    pub weights: Weights,
    pub risk: Risk,
    /// Value, over all expected reuses, of leaving nothing, and of leaving each tier's artifact.
    pub left_nothing: f64,
    pub left: [f64; crate::run_time::TIERS],
    /// The most memory that a second run may have.
    pub most: Most,
}

impl Pricing<'_> {
    /// Fills in a shape's physical quantities.
    pub fn figures(&self, shape: &Shape) -> Figures {
        let belief = self.belief;
        let machine = &belief.machine;
        let climb = &belief.climbs[shape.tier as usize];
        let cores = f64::from(machine.processors.get(usize::from(shape.processor)).map_or(1, |p| p.cores));
        let busy = machine.load.cores;
        let crowd = |wanted: f64| machine.contention.factor(wanted, busy, cores);
        let ready = climb.link.expected + climb.instantiate.expected;
        let (entry_wall, entry_cpu, peak) = entry(climb, shape);
        let prefault = if shape.prefault { machine.prefault.expected } else { 0.0 };
        let climbing = crowd(f64::from(shape.threads));
        let transition_wall = (entry_wall + ready + prefault) / shape.share * climbing;
        let run_threads = shape.threads.min(belief.demand.useful_threads).max(1);
        let contention = crowd(f64::from(run_threads));
        let baseline = if shape.isa == IsaLevel::Baseline { climb.baseline_factor } else { 1.0 };
        let unpinned = if shape.pinned { 1.0 } else { machine.unpinned_factor.unwrap_or(1.0) };
        let slowed = belief.slow_down(shape.tier as usize);
        let inflation = baseline * unpinned * slowed;
        let mean = self.risk.run_seconds[shape.tier as usize].unwrap_or(0.0) * inflation;
        let saved = if shape.prefault { prefault_gain(belief).min(mean) } else { 0.0 };
        let run_cpu = tame(mean - saved);
        let wall_per_cpu = contention / (f64::from(run_threads) * shape.share);
        let run_wall = tame(run_cpu * wall_per_cpu);
        // Others lose what they take turns for, and what this run slows them beside that.
        let lost = |wall: f64, crowd: f64, own: Load| {
            wall * busy * (1.0 - 1.0 / (crowd * machine.contention.slow_down(machine.load.pressure(), own)))
        };
        let climb_load = Load::of(f64::from(shape.threads), Pressure::default());
        let run_load = Load::of(f64::from(run_threads), belief.pressures[shape.tier as usize]);
        Figures {
            transition_wall: tame(transition_wall),
            transition_cpu: tame(entry_cpu + ready + prefault),
            again_wall: tame(ready / shape.share * climbing),
            again_cpu: tame(ready),
            run_wall,
            run_cpu,
            wall_per_cpu: tame(wall_per_cpu * inflation),
            contention: contention * slowed,
            imposed: tame(lost(transition_wall, climbing, climb_load) + lost(run_wall, contention, run_load)),
            compile_peak: peak,
            late: self.lateness(shape.tier, transition_wall, wall_per_cpu * inflation),
        }
    }

    /// Probability that a run ends after the deadline, over the scenarios as they are believed, not as weighed.
    fn lateness(&self, tier: Tier, transition_wall: f64, wall_per_cpu: f64) -> f64 {
        let (Some(deadline), Some(run)) = (self.belief.constraints.deadline_seconds, self.belief.runs[tier as usize])
        else {
            return 0.0;
        };
        let late = run.nodes.iter().filter(|cpu| transition_wall + **cpu * wall_per_cpu > deadline).count();
        late as f64 / run.nodes.len() as f64
    }

    /// The terms of a candidate's cost, in the order of [`Term::ALL`].
    pub fn terms(&self, shape: &Shape, variant: &Variant) -> [f64; TERMS] {
        let (belief, machine, figures) = (self.belief, &self.belief.machine, &shape.figures);
        let Weights { dollars_per_second: second, dollars_per_joule: joule, price_factor } = self.weights;
        let climb = &belief.climbs[shape.tier as usize];
        let keeps = variant.warm_state == Rung::Artifact && !shape.standing;
        // The artifact is written beside the run, unless there is no second core to write it.
        let persist = if keeps { climb.persist.expected } else { 0.0 };
        let waits = if keeps && self.single_core(shape) { persist } else { 0.0 };
        let transition_cpu = figures.transition_cpu + persist;
        let memory = variant.memory_bytes as f64;
        let byte_seconds = figures.compile_peak * figures.transition_wall + memory * figures.run_wall;
        let core = price_factor * machine.core_price + joule * machine.core_watts;
        let byte = price_factor * machine.byte_price + joule * machine.byte_watts;
        let attempt =
            second * (figures.transition_wall + figures.run_wall) + core * (figures.transition_cpu + figures.run_cpu);
        let again = second * (figures.again_wall + figures.run_wall)
            + core * (figures.again_cpu + figures.run_cpu)
            + byte * self.most.memory_bytes as f64 * figures.run_wall;
        let failure = self.most.exceeded + figures.late * (1.0 - self.most.exceeded);
        let kept = if keeps { climb.artifact_bytes * machine.hold_seconds } else { 0.0 };
        let left = if keeps { self.left[shape.tier as usize] } else { self.left_nothing };
        [
            second * belief.spent_seconds,
            second * belief.probe_seconds,
            0.0,
            second * (figures.transition_wall + waits),
            second * figures.run_wall,
            second * figures.imposed,
            joule
                * (machine.core_watts * transition_cpu
                    + machine.byte_watts * figures.compile_peak * figures.transition_wall),
            joule * (machine.core_watts * figures.run_cpu + machine.byte_watts * memory * figures.run_wall),
            price_factor * machine.core_price * (transition_cpu + figures.run_cpu),
            price_factor * machine.byte_price * byte_seconds,
            price_factor * machine.disk_price * kept,
            variant.overflow * again,
            failure * attempt,
            -left,
        ]
        .map(|term| if term.is_finite() { term } else { f64::MAX.sqrt() })
    }

    fn single_core(&self, shape: &Shape) -> bool {
        self.belief.machine.processors.get(usize::from(shape.processor)).is_none_or(|processor| processor.cores == 1)
    }

    /// The cost of a candidate in full, with the physical quantities behind it.
    pub fn cost(&self, shape: &Shape, variant: &Variant) -> Cost {
        let terms = self.terms(shape, variant);
        let belief = self.belief;
        let figures = &shape.figures;
        let climb = &belief.climbs[shape.tier as usize];
        let transition =
            transition(climb, shape).scale(ratio(figures.transition_wall, transition(climb, shape).expected));
        let run = belief.runs[shape.tier as usize]
            .map_or_else(|| Estimate::exact(0.0, forewarm_types::Basis::Default), |run| run.estimate());
        let run_seconds = run.scale(figures.wall_per_cpu);
        let watts = belief.machine.core_watts;
        let energy = transition.scale(ratio(figures.transition_cpu, transition.expected) * watts);
        let energy = energy.add_independent(run.scale(watts));
        let energy =
            if belief.machine.energy_from_table { energy.with_basis(forewarm_types::Basis::Default) } else { energy };
        Cost {
            total_dollars: terms.iter().sum(),
            terms_dollars: Term::ALL.into_iter().zip(terms).collect(),
            wait_seconds: Estimate::exact(0.0, forewarm_types::Basis::Observed),
            transition_seconds: transition,
            run_seconds,
            energy_joules: energy,
            memory_bytes: belief.peak.estimate(),
            contention_factor: figures.contention,
            pressure: belief.pressures[shape.tier as usize],
            retry: (variant.overflow > 0.0)
                .then_some(Retry { probability: variant.overflow, memory_bytes: Bytes(self.most.memory_bytes) }),
        }
    }
}

/// The climb as an estimate before contention: steps err independently.
fn transition(climb: &Climb, shape: &Shape) -> Estimate {
    let entry = if shape.standing {
        climb.map
    } else {
        climb.compile.scale(ratio(climb.compile_wall(shape.threads), climb.compile.expected))
    };
    entry.add_independent(climb.link).add_independent(climb.instantiate)
}

/// A quotient fit to scale by: 1 where it makes no sense.
fn ratio(part: f64, whole: f64) -> f64 {
    let ratio = part / whole;
    if ratio.is_finite() { ratio } else { 1.0 }
}

/// Wall seconds, core-seconds and peak bytes of getting code into the process.
fn entry(climb: &Climb, shape: &Shape) -> (f64, f64, f64) {
    if shape.standing {
        (climb.map.expected, climb.map.expected, 0.0)
    } else {
        (climb.compile_wall(shape.threads), climb.compile.expected, climb.compile_peak_bytes)
    }
}

/// Seconds of page faults that backing the initial memory beforehand saves the run: those of the bytes it touches, at
/// most its traffic.
pub(crate) fn prefault_gain(belief: &Belief) -> f64 {
    let initial = belief.demand.initial_bytes.as_f64();
    let touched = belief.demand.traffic_bytes.map_or(0.0, |traffic| traffic.min(initial));
    touched * belief.machine.touch_seconds_per_byte
}

/// The probability of a deadline missed beyond which a candidate is rejected: even its 5th percentile is late.
pub(crate) const SURELY_LATE: f64 = 0.95;

/// Memory a candidate needs at once: compiling and running do not overlap.
pub(crate) fn needed(shape: &Shape, variant: &Variant) -> Bytes {
    Bytes((shape.figures.compile_peak as u64).max(variant.memory_bytes))
}
