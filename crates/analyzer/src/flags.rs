//! Which regions would gain from which hardware: one rule for each kind, in the order of the list at the end.
//!
//! A rule looks at what the analyses found of a loop ([`Facts`]) and gives its reason, or nothing. Thresholds are
//! defaults, each with its source; what depends on trip counts that vary by scenario must hold in half of them. How
//! often each rule is right is measured on labelled kernels (`tests/flags.rs`). Called for the regions shown.

use forewarm_types::OpClass;
use forewarm_types::demand::{AccessPattern, Dependence, Flag};

use crate::dependence::{Accesses, Finding, Reference, Why};
use crate::lanes::{LANES, Lanes};
use crate::memory;
use crate::summary::LoopShare;

/// Share of the run from which on a loop is worth a flag.
const WORTH: f64 = 0.05;

/// Iterations below which vectors do not pay: two of the widest common vector of 32-bit numbers.
const SHORTEST: f64 = 16.0;

/// Operators per entry from which on threads pay: at some 10^9 operators per second a millisecond, a hundred times what
/// waking a thread takes.
const WORTH_THREADS: f64 = 1e6;

/// Share of the run from which on threads are worth it: below a tenth, the rest bounds the gain to 1.1 (Amdahl's law).
const WORTH_SPLITTING: f64 = 0.1;

/// Iterations that fill a graphics processor well enough: a hundred multiprocessors take 2,048 threads each, and reach
/// most of their throughput with a sixth of them (Volkov, "Better performance at lower occupancy", GTC 2010).
const FILLS_GPU: f64 = 32_768.0;

/// Arithmetic per byte of footprint from which on moving the data to a device pays: a device has some ten times a
/// processor's arithmetic, and the bus to it a tenth of its memory's bandwidth.
const DEVICE_INTENSITY: f64 = 4.0;

/// Cache that a program may have to itself, in bytes: the last level of current servers is 1 to 4 MiB per core, of which
/// a lone program may take that of several.
const CACHE: f64 = 33_554_432.0;

/// Operators per byte from memory below which memory decides: a core does some 6 * 10^9 operators per second and is fed
/// some 10^10 bytes (the roofline model: Williams, Waterman and Patterson, CACM 52 (4), 2009).
const ROOFLINE: f64 = 1.0;

/// Bytes that come from memory at once.
const LINE: f64 = 64.0;

/// Bytes that the second-level translation buffer reaches with small pages: 2,048 entries of 4 KiB (Intel, "64 and IA-32
/// Architectures Optimization Reference Manual", on Ice Lake and later).
const TLB_REACH: f64 = 8_388_608.0;

/// Stride from which on each access meets another small page.
const PAGE: i64 = 4096;

/// Branches per iteration, beside its own, from which on a loop is called branchy, and their share of its operators: an
/// operator of a stack machine is half an instruction of a register machine, of whose instructions one in six branches
/// in code of many decisions (Hennessy and Patterson, "Computer Architecture").
const BRANCHES: f64 = 0.9;
const BRANCHY_SHARE: f64 = 0.08;

/// What is known of a loop and its surroundings.
pub(crate) struct Facts<'a> {
    pub part: &'a LoopShare,
    pub finding: &'a Finding,
    pub accesses: &'a Accesses,
    pub pattern: &'a AccessPattern,
    pub footprint: Lanes,
    pub share: f64,
    /// Another loop of the same function, by its place.
    pub other: &'a dyn Fn(u32) -> Option<&'a LoopShare>,
    /// Distinct bytes that such a loop touches each time it is entered.
    pub footprint_of: &'a dyn Fn(u32) -> Option<Lanes>,
}

/// A rule: why the loop would gain, or nothing.
type Rule = fn(&Facts<'_>) -> Option<String>;

/// All rules, with what they recommend and, of those that were measured on at least [`ENOUGH`] flags, how many of their
/// flags on the labelled kernels were right.
const RULES: [(&str, Rule, (u32, u32)); 8] = [
    ("simd", simd, MEASURED[0]),
    ("threads", threads, MEASURED[1]),
    ("gpu", gpu, MEASURED[2]),
    ("fpga", fpga, MEASURED[3]),
    ("tensor", tensor, MEASURED[4]),
    ("fast-memory", fast_memory, MEASURED[5]),
    ("large-pages", large_pages, MEASURED[6]),
    ("branchy", branchy, MEASURED[7]),
];

/// Right flags and all flags of each rule on the labelled kernels: `cargo test -p forewarm-analyzer --test flags` holds
/// these figures, and says what they should be.
const MEASURED: [(u32, u32); 8] = [(12, 12), (17, 17), (6, 6), (4, 4), (5, 5), (7, 7), (3, 3), (2, 2)];

/// Flags below which a precision is not told.
const ENOUGH: u32 = 4;

/// Flags of a loop.
pub(crate) fn of_loop(facts: &Facts<'_>) -> Vec<Flag> {
    if facts.share < WORTH {
        return Vec::new();
    }
    let flag = |&(hardware, rule, (right, all)): &(&str, Rule, (u32, u32))| {
        let confidence = (all >= ENOUGH).then(|| f64::from(right) / f64::from(all));
        Some(Flag { benefits_from: hardware.to_owned(), reason: rule(facts)?, confidence })
    };
    RULES.iter().filter_map(flag).collect()
}

/// Flags of a function that works with an algorithm.
pub(crate) fn of_algorithms<'a>(algorithms: impl IntoIterator<Item = &'a str>) -> Vec<Flag> {
    let flag = |algorithm: &str| Flag {
        benefits_from: "crypto".to_owned(),
        reason: format!("works as {algorithm} does, by its constants or its rounds"),
        confidence: None,
    };
    algorithms.into_iter().map(flag).collect()
}

/// Whether something holds in at least half of the scenarios.
fn mostly(lanes: Lanes, holds: impl Fn(f64) -> bool) -> bool {
    2 * lanes.0.iter().filter(|&&value| holds(value)).count() >= LANES
}

/// Whether a loop's iterations are free of each other, or are so on a condition that can be checked as it begins.
fn free(finding: &Finding) -> bool {
    match finding.dependence {
        Dependence::Independent | Dependence::Reduction => true,
        Dependence::Unknown => matches!(finding.why, Some(Why::Bases | Why::Symbol)) && finding.condition.is_some(),
        Dependence::Carried => false,
    }
}

impl Facts<'_> {
    fn count(&self, class: OpClass) -> f64 {
        self.part.mix[class as usize]
    }

    fn sum(&self, classes: &[OpClass]) -> f64 {
        classes.iter().map(|&class| self.count(class)).sum()
    }

    fn innermost(&self) -> bool {
        !self.accesses.parents.contains(&Some(self.finding.of))
    }

    /// Loops around this one, nearest first.
    fn around(&self) -> impl Iterator<Item = &LoopShare> {
        self.accesses.around(self.finding.of).skip(1).filter_map(|of| (self.other)(of))
    }

    /// Whether a loop around it is free as well, and says the same of more.
    fn within_free(&self) -> bool {
        self.around().any(|part| part.finding.as_ref().is_some_and(free))
    }

    fn calls(&self) -> bool {
        self.sum(&[OpClass::Call, OpClass::CallIndirect, OpClass::HostCall]) > 0.0
    }

    /// Operators each time it is entered.
    fn work(&self) -> Lanes {
        self.part.ops.zip(self.part.entered, |ops, entries| if entries > 0.0 { ops / entries } else { 0.0 })
    }

    /// Operators that compute: floats and vectors, or else integers less a share for addresses.
    fn arithmetic(&self) -> f64 {
        use OpClass::{FloatAdd, FloatDiv, FloatMul, FloatSqrt, IntAlu, IntDiv, IntMul, Vector};
        let floats = self.sum(&[FloatAdd, FloatMul, FloatDiv, FloatSqrt, Vector]);
        if floats > 0.0 { floats } else { self.sum(&[IntAlu, IntMul, IntDiv]) / 2.0 }
    }

    fn references(&self) -> impl Iterator<Item = &Reference> {
        memory::of(self.accesses, self.finding)
    }

    /// The most that it or a loop around it touches each time it is entered, in bytes.
    fn largest_footprint(&self) -> Lanes {
        let around = self.accesses.around(self.finding.of).filter_map(self.footprint_of);
        around.fold(self.footprint, |a, b| a.zip(b, f64::max))
    }

    /// The condition to be checked as the loop begins, as a part of a sentence.
    fn condition(&self) -> String {
        self.finding.condition.as_ref().map(|condition| format!(" ({condition})")).unwrap_or_default()
    }

    /// Iterations of this loop and the free ones inside it, times each other.
    fn space(&self) -> Lanes {
        let within = |of: u32| self.accesses.around(of).any(|at| at == self.finding.of);
        let inner = (0..self.accesses.parents.len() as u32).filter(|&of| of != self.finding.of && within(of));
        let mut best = self.part.trips;
        for of in inner {
            let chain = self.accesses.around(of).take_while(|&at| at != self.finding.of);
            let mut all = self.part.trips;
            for part in chain.filter_map(|of| (self.other)(of)) {
                if part.finding.as_ref().is_some_and(|finding| finding.dependence == Dependence::Independent) {
                    all = (all * part.trips).bounded();
                }
            }
            best = best.zip(all, f64::max);
        }
        best
    }
}

fn simd(facts: &Facts<'_>) -> Option<String> {
    let pattern = facts.pattern;
    let in_order = pattern.contiguous > 0 && pattern.strided + pattern.indirect == 0;
    let vectors = facts.count(OpClass::Vector) > 0.0;
    if !facts.innermost() || !free(facts.finding) || !in_order || vectors || facts.calls() {
        return None;
    }
    mostly(facts.part.trips, |trips| trips >= SHORTEST).then_some(())?;
    let order = if facts.finding.accumulates.iter().any(|family| family.needs_reassociation()) {
        "; adding floats in another order changes the last digits"
    } else {
        ""
    };
    let condition = facts.condition();
    Some(format!(
        "iterations are free of each other{condition} and go through memory one element after the other{order}"
    ))
}

fn threads(facts: &Facts<'_>) -> Option<String> {
    if !free(facts.finding) || facts.within_free() || facts.share < WORTH_SPLITTING {
        return None;
    }
    let enough = mostly(facts.part.trips, |trips| trips >= 8.0) && mostly(facts.work(), |ops| ops >= WORTH_THREADS);
    enough.then(|| format!("its iterations are free of each other{} and long enough to share out", facts.condition()))
}

fn gpu(facts: &Facts<'_>) -> Option<String> {
    if !free(facts.finding) || facts.within_free() || facts.pattern.indirect > 0 {
        return None;
    }
    mostly(facts.space(), |iterations| iterations >= FILLS_GPU).then_some(())?;
    let entries = facts.part.entered;
    let moved = facts.footprint.zip(entries, |bytes, entries| bytes * entries);
    let arithmetic = facts.arithmetic();
    let intensity = moved.map(|bytes| arithmetic / bytes.max(1.0));
    mostly(intensity, |per_byte| per_byte >= DEVICE_INTENSITY).then(|| {
        "a large space of iterations free of each other, with much arithmetic for each byte to be moved there"
            .to_owned()
    })
}

fn fpga(facts: &Facts<'_>) -> Option<String> {
    use OpClass::{Convert, FloatAdd, FloatDiv, FloatMul, FloatSqrt, IntDiv, Vector};
    let fixed = facts.part.trips.exact().is_some_and(|trips| trips >= SHORTEST);
    let plain = facts.sum(&[FloatAdd, FloatDiv, FloatMul, FloatSqrt, IntDiv, Vector, Convert]) == 0.0;
    let mut references = facts.references().peekable();
    let narrow = references.peek().is_some() && references.all(|reference| reference.width <= 2);
    let pipelines = facts.innermost() && free(facts.finding) && !facts.calls();
    (fixed && plain && narrow && pipelines).then(|| {
        "a fixed number of iterations on narrow integers, each of which can follow the one before at once".to_owned()
    })
}

fn tensor(facts: &Facts<'_>) -> Option<String> {
    let finding = facts.finding;
    let sums = finding.products && finding.dependence == Dependence::Reduction;
    if !sums || facts.references().filter(|reference| !reference.store).count() < 2 {
        return None;
    }
    mostly(facts.part.trips, |trips| trips >= SHORTEST).then_some(())?;
    let nest = facts.around().next().is_some() || !facts.innermost();
    Some(if nest { "a nest that multiplies and accumulates" } else { "a dot product" }.to_owned())
}

/// Bytes that an iteration of an innermost loop brings from memory, if nothing stays in cache.
fn lines(pattern: &AccessPattern, references: &[&Reference], of: u32) -> f64 {
    let contiguous: f64 = references
        .iter()
        .filter_map(|reference| reference.bytes(of).filter(|&bytes| bytes != 0))
        .map(|bytes| (bytes.unsigned_abs() as f64).min(LINE))
        .sum();
    contiguous + f64::from(pattern.indirect) * LINE
}

fn fast_memory(facts: &Facts<'_>) -> Option<String> {
    if !facts.innermost() {
        return None;
    }
    let references: Vec<&Reference> = facts.references().collect();
    let iterations = facts.part.entered.zip(facts.part.trips, |entries, trips| entries * trips);
    let each = facts.part.ops.zip(iterations, |ops, times| if times > 0.0 { ops / times } else { f64::MAX });
    let bytes = lines(facts.pattern, &references, facts.finding.of);
    // Each byte is used for little before the sweep comes round.
    let reused = facts.around().count() > 1;
    if reused || bytes <= 0.0 || !mostly(each, |operators| operators / bytes <= ROOFLINE) {
        return None;
    }
    // What a loop around this one sweeps anew each time does not stay in cache either.
    mostly(facts.largest_footprint(), |bytes| bytes >= CACHE)
        .then(|| "it does little with each byte and touches more than caches hold".to_owned())
}

fn large_pages(facts: &Facts<'_>) -> Option<String> {
    if !facts.innermost() {
        return None;
    }
    let of = facts.finding.of;
    let far = facts.references().any(|reference| match reference.bytes(of) {
        Some(bytes) => bytes.saturating_abs() >= PAGE,
        None => true,
    });
    if !far && facts.pattern.indirect == 0 {
        return None;
    }
    mostly(facts.largest_footprint(), |bytes| bytes >= TLB_REACH)
        .then(|| "it jumps about in more memory than the processor's page tables are cached for".to_owned())
}

fn branchy(facts: &Facts<'_>) -> Option<String> {
    let iterations = facts.part.entered.zip(facts.part.trips, |entries, trips| entries * trips);
    let mean = iterations.0.iter().sum::<f64>() / LANES as f64;
    let all: f64 = OpClass::ALL.iter().map(|&class| facts.count(class)).sum();
    let branches = facts.count(OpClass::Branch) - mean;
    let many = facts.innermost() && branches >= BRANCHES * mean && branches >= BRANCHY_SHARE * all;
    many.then(|| "it decides at every turn: a core that predicts branches well helps, vectors hardly".to_owned())
}
