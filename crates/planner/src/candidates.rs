//! Every possible allocation, enumerated, tested against the rules and priced.
//!
//! Ten thousand candidates are to be priced within a millisecond: candidates that share a tier, level, thread count and
//! share also share their [`Shape`], each candidate itself is a small plain struct, and only the few that a plan lists
//! are ever spelled out ([`Candidates::candidate`]).

use std::cmp::Ordering;

use forewarm_types::{Candidate, Configuration, CpuSettings, IsaLevel, Placement, Rung, Settings, Tier, Weights};

use crate::belief::Belief;
use crate::cost::{Figures, Pricing, SURELY_LATE, Shape, Variant, needed, prefault_gain};
use crate::memory::Most;
use crate::risk::Risk;
use crate::rules::{RULES, Rejection};
use crate::run_time::TIERS;
use crate::warmth;

/// Instruction-set levels, the one for this processor first, so that it wins ties.
const LEVELS: [IsaLevel; 2] = [IsaLevel::Native, IsaLevel::Baseline];

/// A priced candidate in short.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Priced {
    pub shape: u32,
    pub variant: Variant,
    pub total_dollars: f64,
    pub rejection: Option<Rejection>,
}

/// All candidates of a plan, priced.
pub struct Candidates {
    pub(crate) weights: Weights,
    pub(crate) risk: Risk,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) priced: Vec<Priced>,
    pub(crate) rejected: [u64; RULES.len()],
    left_nothing: f64,
    left: [f64; TIERS],
}

impl std::fmt::Debug for Candidates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidates").field("considered", &self.priced.len()).field("rejected", &self.rejected).finish()
    }
}

/// Enumerates and prices processor × tier × instruction-set level × threads × share × memory × what is left warm.
#[must_use]
pub fn candidates(belief: &Belief, weights: &Weights) -> Candidates {
    let weights = sane(*weights);
    let risk = Risk::assess(belief, &weights);
    let (left_nothing, left) = warmth::values(belief, &weights, &risk);
    let most = most(belief);
    let pricing = Pricing { belief, weights, risk, left_nothing, left, most };
    let shapes = shapes(&pricing);
    let variants = variants(belief, most);
    let states: &[Rung] = if belief.constraints.persist { &[Rung::File, Rung::Artifact] } else { &[Rung::File] };
    let mut priced = Vec::with_capacity(shapes.len() * variants.len() * states.len());
    let mut rejected = [0; RULES.len()];
    for (index, shape) in shapes.iter().enumerate() {
        // An artifact that stands goes on standing.
        let states = if shape.standing { &[Rung::Artifact][..] } else { states };
        for (memory_bytes, overflow) in &variants {
            for warm_state in states {
                let variant = Variant { memory_bytes: *memory_bytes, overflow: *overflow, warm_state: *warm_state };
                let rejection = shape.rejection.or_else(|| unfit(belief, shape, &variant));
                if let Some(rejection) = rejection {
                    rejected[rejection as usize] += 1;
                }
                let total_dollars = pricing.terms(shape, &variant).iter().sum();
                priced.push(Priced { shape: index as u32, variant, total_dollars, rejection });
            }
        }
    }
    let Pricing { risk, .. } = pricing;
    Candidates { weights, risk, shapes, priced, rejected, left_nothing, left }
}

/// Weights fit for arithmetic: finite and not negative.
fn sane(weights: Weights) -> Weights {
    let sane = |value: f64| if value.is_finite() { value.clamp(0.0, 1e9) } else { 0.0 };
    Weights {
        dollars_per_second: sane(weights.dollars_per_second),
        dollars_per_joule: sane(weights.dollars_per_joule),
        price_factor: sane(weights.price_factor),
    }
}

/// The most memory that any candidate may have.
fn most(belief: &Belief) -> Most {
    belief.peak.most(belief.constraints.max_memory, belief.constraints.available_memory)
}

/// Memory sizes on offer, each with the probability that the program needs more and is run again.
fn variants(belief: &Belief, most: Most) -> Vec<(u64, f64)> {
    let sizes = belief.peak.sizes(belief.constraints.max_memory);
    let overflow = |size| if size < most.memory_bytes { belief.peak.exceeds(size) } else { 0.0 };
    sizes.into_iter().map(|size| (size, overflow(size))).collect()
}

/// Everything but memory and what is left warm.
fn shapes(pricing: &Pricing<'_>) -> Vec<Shape> {
    let belief = pricing.belief;
    let options = options(belief);
    let mut shapes = Vec::new();
    for (processor, view) in belief.machine.processors.iter().enumerate() {
        let levels = Tier::ALL.into_iter().flat_map(|tier| LEVELS.map(|isa| (tier, isa)));
        for (tier, isa) in levels {
            let blocked = tier_rules(belief, processor, tier, isa);
            let standing = belief.standing[tier as usize][isa as usize];
            for threads in 1..=view.cores {
                for (wanted, pinned, prefault) in &options {
                    let mut shape = Shape {
                        processor: processor as u16,
                        tier,
                        isa,
                        threads,
                        share: if wanted.is_finite() { wanted.clamp(1e-3, 1.0) } else { 1.0 },
                        pinned: *pinned,
                        prefault: *prefault,
                        standing,
                        rejection: None,
                        figures: Figures::default(),
                    };
                    shape.figures = pricing.figures(&shape);
                    shape.rejection = blocked.or_else(|| shape_rules(belief, &shape, *wanted));
                    shapes.push(shape);
                }
            }
        }
    }
    forgive_deadline(&mut shapes);
    reject_dominated(&mut shapes);
    shapes
}

/// Shares of a core, with pinning and backing of memory only where the model prices a gain in them.
fn options(belief: &Belief) -> Vec<(f64, bool, bool)> {
    let backing = prefault_gain(belief) > belief.machine.prefault.expected;
    let prefaults: &[bool] = if backing { &[false, true] } else { &[false] };
    let pins: &[bool] = if belief.machine.unpinned_factor.is_some() { &[false, true] } else { &[false] };
    let mut options = Vec::new();
    for share in &belief.machine.shares {
        for pinned in pins {
            options.extend(prefaults.iter().map(|prefault| (*share, *pinned, *prefault)));
        }
    }
    options
}

/// Where no candidate can keep the deadline, it rejects none: a prediction is no reason to refuse a run that the user
/// wants ended at that time, and the plan says that it is not expected to make it.
fn forgive_deadline(shapes: &mut [Shape]) {
    if shapes.iter().any(|shape| shape.rejection.is_none()) {
        return;
    }
    for shape in shapes.iter_mut().filter(|shape| shape.rejection == Some(Rejection::Deadline)) {
        shape.rejection = None;
    }
}

/// Rules that look at tier and level alone.
fn tier_rules(belief: &Belief, processor: usize, tier: Tier, isa: IsaLevel) -> Option<Rejection> {
    let index = tier as usize;
    if belief.constraints.tier.is_some_and(|wanted| wanted != tier) {
        return Some(Rejection::TierOverride);
    }
    if belief.unsupported[index].is_some() {
        return Some(Rejection::TierUnsupported);
    }
    if !belief.machine.executable_memory && tier != Tier::Pulley {
        return Some(Rejection::NoExecutableMemory);
    }
    if !belief.climbs[index].known || belief.runs[index].is_none() {
        return Some(Rejection::UnknownCost);
    }
    // The single-pass compiler has no code for vectors without AVX (winch-codegen 48, isa/x64/masm.rs).
    let lacks = isa == IsaLevel::Baseline || belief.machine.processors[processor].has_avx == Some(false);
    let x86 = cfg!(target_arch = "x86_64");
    (x86 && belief.demand.needs_vectors && tier == Tier::Winch && lacks).then_some(Rejection::IsaAbsent)
}

/// Rules that look at threads, share and time.
fn shape_rules(belief: &Belief, shape: &Shape, share: f64) -> Option<Rejection> {
    if let Some(wanted) = belief.constraints.threads {
        let cores = belief.machine.processors[usize::from(shape.processor)].cores;
        if shape.threads != wanted.clamp(1, cores) {
            return Some(Rejection::ThreadsOverride);
        }
    } else {
        let compiling = if shape.standing { 1 } else { belief.demand.functions };
        if u64::from(shape.threads) > compiling.max(u64::from(belief.demand.useful_threads)).max(1) {
            return Some(Rejection::ThreadsUseless);
        }
    }
    if !(share > 0.0 && share <= 1.0) {
        return Some(Rejection::ShareNotEnforceable);
    }
    if share < 1.0 && shape.threads > 1 {
        return Some(Rejection::ThreadsExceedShare);
    }
    (shape.figures.late > SURELY_LATE).then_some(Rejection::Deadline)
}

/// Rules that look at memory.
fn unfit(belief: &Belief, shape: &Shape, variant: &Variant) -> Option<Rejection> {
    let limit = belief.constraints.max_memory;
    if limit.is_some_and(|limit| limit.0 < belief.peak.least()) || variant.memory_bytes < belief.peak.least() {
        return Some(Rejection::MemoryBelowInitial);
    }
    let available = belief.constraints.available_memory;
    let too_much = available.0 > 0 && needed(shape, variant) > available;
    (too_much || limit.is_some_and(|limit| variant.memory_bytes > limit.0)).then_some(Rejection::MemoryUnfit)
}

/// Rejects shapes to which another tier or level in the same shape is no worse in any respect: better in one, or equal
/// and earlier in the order of enumeration.
fn reject_dominated(shapes: &mut [Shape]) {
    let rest = |shape: &Shape| (shape.processor, shape.threads, shape.share.to_bits(), shape.pinned, shape.prefault);
    let mut order: Vec<usize> = (0..shapes.len()).filter(|index| shapes[*index].rejection.is_none()).collect();
    order.sort_by_key(|index| (rest(&shapes[*index]), *index));
    let mut dominated: Vec<usize> = Vec::new();
    for group in order.chunk_by(|a, b| rest(&shapes[*a]) == rest(&shapes[*b])) {
        let beats = |other: usize, index: usize| match compare(&shapes[other].figures, &shapes[index].figures) {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => other < index,
            _ => false,
        };
        dominated.extend(group.iter().filter(|index| group.iter().any(|other| beats(*other, **index))));
    }
    for index in dominated {
        shapes[index].rejection = Some(Rejection::Dominated);
    }
}

/// The order of two shapes where one is no worse in any respect; `None` where each has its advantage.
fn compare(a: &Figures, b: &Figures) -> Option<Ordering> {
    let pairs = [
        (a.transition_wall, b.transition_wall),
        (a.transition_cpu, b.transition_cpu),
        (a.run_wall, b.run_wall),
        (a.run_cpu, b.run_cpu),
        (a.compile_peak, b.compile_peak),
    ];
    pairs.iter().try_fold(Ordering::Equal, |order, (a, b)| match (order, a.total_cmp(b)) {
        (order, Ordering::Equal) => Some(order),
        (Ordering::Equal, next) => Some(next),
        (order, next) => (order == next).then_some(order),
    })
}

impl Candidates {
    /// Candidates enumerated.
    #[must_use]
    pub fn considered(&self) -> usize {
        self.priced.len()
    }

    /// The pricing they were made with.
    pub(crate) fn pricing<'a>(&self, belief: &'a Belief) -> Pricing<'a> {
        let (left_nothing, left) = (self.left_nothing, self.left);
        let most = most(belief);
        Pricing { belief, weights: self.weights, risk: self.risk.clone(), left_nothing, left, most }
    }

    pub(crate) fn shape(&self, priced: &Priced) -> &Shape {
        &self.shapes[priced.shape as usize]
    }

    /// One candidate spelled out.
    pub(crate) fn candidate(&self, pricing: &Pricing<'_>, priced: &Priced) -> Candidate {
        let shape = self.shape(priced);
        Candidate {
            configuration: configuration(pricing.belief, shape, &priced.variant),
            feasible: priced.rejection.is_none_or(|rejection| !rejection.rule().hard),
            why_not: priced.rejection.map(|rejection| why_not(pricing.belief, shape, rejection)),
            cost: pricing.cost(shape, &priced.variant),
        }
    }
}

/// The configuration a shape and a variant stand for.
pub(crate) fn configuration(belief: &Belief, shape: &Shape, variant: &Variant) -> Configuration {
    let processor = belief.machine.processors.get(usize::from(shape.processor));
    let settings = CpuSettings {
        tier: shape.tier,
        isa: shape.isa,
        threads: shape.threads,
        pinned: shape.pinned,
        prefault: shape.prefault,
    };
    let placement = Placement {
        region: "all".to_owned(),
        node: belief.machine.node.clone(),
        processor: processor.map_or_else(|| "cpu0".to_owned(), |processor| processor.name.clone()),
        units: shape.threads,
        share: shape.share,
        memory_bytes: forewarm_types::Bytes(variant.memory_bytes),
        settings: Settings::Cpu(settings),
    };
    Configuration { placements: vec![placement], warm_state: variant.warm_state }
}

/// The rule's words, with what the code says where it says more.
fn why_not(belief: &Belief, shape: &Shape, rejection: Rejection) -> String {
    let rule = rejection.rule();
    let detail = match rejection {
        Rejection::TierUnsupported => belief.unsupported[shape.tier as usize].clone(),
        Rejection::MemoryUnfit if shape.figures.compile_peak > belief.constraints.available_memory.as_f64() => {
            Some(format!("compiling alone holds {:.0} MB", shape.figures.compile_peak / 1e6))
        }
        _ => None,
    };
    match detail {
        Some(detail) => format!("{}: {} ({detail})", rule.name, rule.reason),
        None => format!("{}: {}", rule.name, rule.reason),
    }
}
