//! What the counters of a rewritten module come to: intervals as they pass, windows of addresses, and in the end
//! [`Counts`]. Called by the executor while the program runs, and by [`crate::trial`] when it has ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use forewarm_executor::wasm::watched::{Enough, Sockets, View, Watcher};
use forewarm_sandbox::clock::thread_cpu;
use forewarm_types::counts::{Counts, FunctionCount, Growth, Interval, LINE_BYTES, LoopCount};
use forewarm_types::plan::TrialLimits;
use forewarm_types::{Bytes, OpClass};

use crate::branches::Branches;
use crate::chains;
use crate::generate::SplitMix64;
use crate::instrument::{Instrumented, Layout, Ports, WINDOW_RECORDS};
use crate::reuse::Reuse;

/// Dimensions that block vectors are projected to: 15, as Sherwood et al. (ASPLOS 2002) found enough.
pub const DIMENSIONS: usize = 15;

/// Operators of an interval at first; doubled whenever there are [`MOST_INTERVALS`] of them.
const FIRST_INTERVAL: u64 = 1 << 20;

/// Intervals kept: twice what is left after neighbours have been joined. SimPoint's authors used from a few dozen to a few
/// thousand of them; clustering costs their number times that of the clusters.
const MOST_INTERVALS: usize = 256;

/// Operators until the first look, and the fewest between two: some 100 µs.
const FIRST_LOOK: u64 = 100_000;

/// Most operators between two looks: some 50 ms, by which a wall budget may be overrun. (What is left of one of CPU time bounds
/// them too.)
const LONGEST_LOOK: u64 = 1 << 26;

/// Of its time, at most this share goes into looks, and twice as much into windows.
const WATCHING_SHARE: f64 = 0.05;
const WINDOWS_SHARE: f64 = 2.0 * WATCHING_SHARE;

/// CPU seconds that windows may take at once, before any have been earned: so that runs of a few milliseconds have some.
const FIRST_WINDOW_SECONDS: f64 = 0.001;

/// Accesses of a dense window, and of a sparse one: short, so that a run has many that lie all over it.
const DENSE: u32 = 1 << 13;
const SPARSE: u32 = 1 << 18;

/// Branches of a window of branches.
const BRANCHES: u32 = 1 << 13;

/// A window stays open for so many operators for each record it wants at most: a program that branches or accesses memory
/// less often has other windows too.
const PATIENCE: u64 = 64;

/// A sparse window writes one line in so many down.
const SPARSENESS: u32 = 32;

/// Values of the hash that chooses lines.
const HASHES: u32 = 1 << 24;

/// Positions of the globals in [`sockets`].
const CLOCK: usize = 0;
const BULK: usize = 1;
const OPEN: usize = 2;
const LEFT: usize = 3;
const THRESHOLD: usize = 4;
const WRITTEN: usize = 5;
const BRANCHING: usize = 6;

/// The sockets of a rewritten module, as the executor wants them.
#[must_use]
pub fn sockets(ports: &Ports) -> Sockets {
    Sockets {
        memory: ports.memory.clone(),
        memory_bytes: ports.memory_bytes,
        table: ports.table.clone(),
        globals: [
            &ports.clock,
            &ports.bulk,
            &ports.open,
            &ports.left,
            &ports.threshold,
            &ports.written,
            &ports.branching,
        ]
        .map(Clone::clone)
        .to_vec(),
        start: ports.start.clone(),
    }
}

/// Watches one run.
#[derive(Debug)]
pub struct Counting {
    layout: Arc<Layout>,
    limits: TrialLimits,
    tracing: bool,
    /// The counters at the last look.
    counters: Vec<u64>,
    operators: u64,
    bulk_bytes: u64,
    interval_operators: u64,
    open_interval: Open,
    intervals: Vec<Interval>,
    growths: Vec<Growth>,
    memory_bytes: u64,
    reuse: Reuse,
    branches: Branches,
    /// The module as it was, for what its code alone tells of what ran.
    original: Arc<Vec<u8>>,
    window: Option<Window>,
    windows: u32,
    /// CPU seconds spent on windows; on windows and looks.
    window_seconds: f64,
    watching_seconds: f64,
    /// Operators and the program's own CPU seconds at the last look.
    last_look: (u64, f64),
}

/// An interval that is not over.
#[derive(Debug, Default)]
struct Open {
    operators: u64,
    vector: [f64; DIMENSIONS],
    began_cpu_seconds: f64,
}

/// What a window writes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Every access.
    Dense,
    /// Accesses of one line in [`SPARSENESS`].
    Sparse,
    /// Which way branches go.
    Branches,
}

impl Kind {
    /// In the order in which they take turns.
    const ALL: [Self; 3] = [Self::Dense, Self::Branches, Self::Sparse];

    /// Accesses or branches until it closes.
    fn length(self) -> u32 {
        match self {
            Self::Dense => DENSE,
            Self::Sparse => SPARSE,
            Self::Branches => BRANCHES,
        }
    }

    /// Lines whose hash is below this are written down.
    fn threshold(self) -> u32 {
        if self == Self::Sparse { HASHES / SPARSENESS } else { HASHES }
    }
}

/// A window that is open.
#[derive(Debug, Clone, Copy)]
struct Window {
    kind: Kind,
    began_operators: u64,
    began_cpu_seconds: f64,
}

impl Counting {
    /// For a rewritten module, up to so many operators and CPU seconds.
    #[must_use]
    pub fn new(instrumented: Instrumented, limits: TrialLimits) -> (Self, Vec<u8>) {
        let counting = Self {
            counters: vec![0; instrumented.layout.stretches.len()],
            layout: instrumented.layout,
            limits,
            tracing: instrumented.tracing,
            operators: 0,
            bulk_bytes: 0,
            interval_operators: FIRST_INTERVAL,
            open_interval: Open::default(),
            intervals: Vec::new(),
            growths: Vec::new(),
            memory_bytes: 0,
            reuse: Reuse::default(),
            branches: Branches::default(),
            original: instrumented.original,
            window: None,
            windows: 0,
            window_seconds: 0.0,
            watching_seconds: 0.0,
            last_look: (0, 0.0),
        };
        (counting, instrumented.bytes)
    }

    /// CPU seconds of the run that were spent on watching it: looks, and windows of addresses.
    #[must_use]
    pub fn watching_seconds(&self) -> f64 {
        self.watching_seconds
    }

    /// The counts, once the run is over.
    #[must_use]
    pub fn counts(self, peak: Bytes, stopped_by: Option<String>) -> Counts {
        let mut counts = Counts {
            peak_linear_memory_bytes: peak,
            bulk_bytes: self.bulk_bytes,
            complete: stopped_by.is_none(),
            stopped_by,
            ..Counts::default()
        };
        let mut functions = vec![0_u64; self.layout.functions.len()];
        let mut calls = vec![0_u64; self.layout.imports.len()];
        let mut classes = [0_u64; OpClass::ALL.len()];
        for (stretch, &times) in self.layout.stretches.iter().zip(&self.counters).filter(|(_, times)| **times > 0) {
            functions[stretch.function as usize] += times * u64::from(stretch.operators);
            counts.load_bytes += times * u64::from(stretch.load_bytes);
            counts.store_bytes += times * u64::from(stretch.store_bytes);
            counts.conditional_branches += if stretch.conditional { times } else { 0 };
            for (class, count) in &self.layout.mixes[stretch.mix.start as usize..stretch.mix.end as usize] {
                classes[*class as usize] += times * u64::from(*count);
            }
            for callee in &self.layout.calls[stretch.calls.start as usize..stretch.calls.end as usize] {
                calls[*callee as usize] += times;
            }
        }
        let ran = |class: &OpClass| classes[*class as usize] > 0;
        counts.classes = OpClass::ALL.into_iter().filter(ran).map(|class| (class, classes[class as usize])).collect();
        counts.host_calls = named_calls(&self.layout.imports, &calls);
        counts.functions = self.functions(&functions);
        counts.functions_entered = counts.functions.iter().map(|function| function.entered).sum();
        counts.loops = self.loops();
        // A run that ends before its first look is all start, and reading the code would take longer than it did.
        let chains = if self.operators < FIRST_LOOK {
            chains::Chains::default()
        } else {
            chains::find(&self.original, &self.layout, &self.counters)
        };
        let lines = peak.as_f64() / LINE_BYTES as f64;
        counts.reuse = self.reuse.histogram(counts.accesses(), lines, &chains.chased);
        counts.branches = self.branches.sample();
        counts.chains = chains.chains;
        counts.growths = self.growths;
        counts.intervals = if self.intervals.len() > 1 { self.intervals } else { Vec::new() };
        counts
    }

    fn functions(&self, operators: &[u64]) -> Vec<FunctionCount> {
        let entered = |function: &crate::instrument::Function| self.counters[function.entry as usize];
        let mut functions: Vec<_> = self
            .layout
            .functions
            .iter()
            .zip(operators)
            .filter(|(function, _)| entered(function) > 0)
            .map(|(function, operators)| FunctionCount {
                index: function.index,
                name: function.name.clone(),
                entered: entered(function),
                operators: *operators,
            })
            .collect();
        functions.sort_by_key(|function| (std::cmp::Reverse(function.operators), function.index));
        functions
    }

    fn loops(&self) -> Vec<LoopCount> {
        let mut loops: Vec<_> = self
            .layout
            .loops
            .iter()
            .map(|found| LoopCount {
                function: found.function,
                offset: found.offset,
                depth: found.depth,
                entered: self.counters[found.entered as usize],
                iterations: self.counters[found.header as usize],
            })
            .filter(|found| found.entered > 0)
            .collect();
        loops.sort_by_key(|found| (std::cmp::Reverse(found.iterations), found.offset));
        loops
    }

    /// Takes in what the counters have gained since the last look.
    fn gain(&mut self, memory: &[u8]) {
        let mut gained = 0;
        for (index, (bytes, before)) in memory.chunks_exact(8).zip(&mut self.counters).enumerate() {
            let now = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
            let times = now.wrapping_sub(std::mem::replace(before, now));
            if times > 0 {
                let operators = times * u64::from(self.layout.stretches[index].operators);
                gained += operators;
                project(&mut self.open_interval.vector, index as u64, operators as f64);
            }
        }
        self.operators += gained;
        self.open_interval.operators += gained;
    }

    fn close_interval(&mut self, cpu_seconds: f64, ended: bool) {
        let open = &self.open_interval;
        if open.operators == 0 || (open.operators < self.interval_operators && !ended) {
            return;
        }
        self.intervals.push(Interval {
            operators: open.operators,
            vector: open.vector.map(|sum| (sum / open.operators as f64) as f32).to_vec(),
            cpu_seconds: cpu_seconds - open.began_cpu_seconds,
        });
        self.open_interval = Open { began_cpu_seconds: cpu_seconds, ..Open::default() };
        if self.intervals.len() >= MOST_INTERVALS {
            self.intervals = self.intervals.chunks(2).map(joined).collect();
            self.interval_operators *= 2;
        }
    }

    /// Takes the records of a window that has closed in, and opens another where its time has been earned.
    fn windows(&mut self, view: &mut View<'_>) {
        if let Some(window) = self.window {
            let patience = PATIENCE * u64::from(window.kind.length());
            if view.ended || self.operators - window.began_operators > patience {
                (view.globals[OPEN], view.globals[BRANCHING]) = (0, 0);
            }
        }
        if let Some(window) = self.window
            && view.globals[OPEN] == 0
            && view.globals[BRANCHING] == 0
        {
            self.take_window(window, view);
        }
        let earned = FIRST_WINDOW_SECONDS + WINDOWS_SHARE * view.cpu_seconds;
        // Not at the first look: what a window costs is told by the pace before it.
        let paced = self.operators > 0;
        if self.tracing && paced && self.window.is_none() && !view.ended && self.window_seconds < earned {
            self.open_window(view);
        }
    }

    fn take_window(&mut self, window: Window, view: &View<'_>) {
        self.window = None;
        let first = self.counters.len() * 8;
        let written = (view.globals[WRITTEN].max(0) as usize).min(WINDOW_RECORDS as usize * 8);
        let records: Vec<u64> = view.memory[first..first + written]
            .chunks_exact(8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
            .collect();
        // What the program took beyond its usual pace.
        let pace = window.began_cpu_seconds / window.began_operators.max(1) as f64;
        let usual = (self.operators - window.began_operators) as f64 * pace;
        let slowed = (self.own_seconds(view) - window.began_cpu_seconds - usual).max(0.0);
        self.watching_seconds += slowed;
        let before = thread_cpu();
        match window.kind {
            Kind::Branches => self.branches.take(&records),
            kind => self.reuse.take(&records, f64::from(kind.threshold()) / f64::from(HASHES)),
        }
        self.window_seconds += slowed + (thread_cpu() - before).0;
    }

    /// CPU seconds of the program itself, without what watching took.
    fn own_seconds(&self, view: &View<'_>) -> f64 {
        (view.cpu_seconds - self.watching_seconds).max(0.0)
    }

    /// The kinds of windows take turns.
    fn open_window(&mut self, view: &mut View<'_>) {
        let kind = Kind::ALL[self.windows as usize % Kind::ALL.len()];
        self.windows += 1;
        view.globals[if kind == Kind::Branches { BRANCHING } else { OPEN }] = 1;
        view.globals[LEFT] = i64::from(kind.length());
        view.globals[THRESHOLD] = i64::from(kind.threshold());
        view.globals[WRITTEN] = 0;
        self.window = Some(Window { kind, began_operators: self.operators, began_cpu_seconds: self.own_seconds(view) });
    }

    /// Operators until the next look: as many as keep looks a small share of the time, but no more than are left of the
    /// budgets.
    fn wind(&mut self, view: &mut View<'_>, look_seconds: f64) {
        let own = self.own_seconds(view);
        let (operators, seconds) = std::mem::replace(&mut self.last_look, (self.operators, own));
        let pace = (own - seconds) / (self.operators - operators).max(1) as f64;
        let wanted = if pace > 0.0 { (look_seconds / WATCHING_SHARE / pace) as u64 } else { 0 };
        let in_time = ((self.limits.cpu_seconds - view.cpu_seconds).max(0.0) / pace.max(f64::MIN_POSITIVE)) as u64;
        let left = self.limits.operators - self.operators.min(self.limits.operators);
        view.globals[CLOCK] = wanted.min(in_time).clamp(FIRST_LOOK, LONGEST_LOOK).min(left) as i64;
    }
}

impl Watcher for Counting {
    fn look(&mut self, mut view: View<'_>) -> Option<Enough> {
        let began = thread_cpu();
        self.gain(view.memory);
        self.bulk_bytes = view.globals[BULK] as u64;
        if view.linear_memory_bytes > self.memory_bytes && self.memory_bytes > 0 {
            let bytes = Bytes(view.linear_memory_bytes);
            self.growths.push(Growth { after_operators: self.operators, bytes });
        }
        self.memory_bytes = self.memory_bytes.max(view.linear_memory_bytes);
        self.close_interval(self.own_seconds(&view), view.ended);
        let looked = (thread_cpu() - began).0;
        self.wind(&mut view, looked);
        self.windows(&mut view);
        self.watching_seconds += (thread_cpu() - began).0;
        (self.operators >= self.limits.operators && !view.ended).then_some(Enough::Operators)
    }
}

/// Adds a stretch's weight to a projected block vector: by each dimension a number between -1 and 1 that depends on the
/// stretch alone.
fn project(vector: &mut [f64; DIMENSIONS], stretch: u64, weight: f64) {
    use forewarm_types::host::Randomness;
    // The multiplier of Steele and Vigna (2021), so that no two stretches begin a step of the generator apart.
    let mut random = SplitMix64::new(stretch.wrapping_mul(0xd134_2543_de82_ef95));
    for sum in vector {
        let unit = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        *sum += weight * (2.0 * unit - 1.0);
    }
}

/// Neighbours as one interval.
fn joined(pair: &[Interval]) -> Interval {
    let operators: u64 = pair.iter().map(|interval| interval.operators).sum();
    let mut vector = vec![0.0_f32; DIMENSIONS];
    for interval in pair {
        let share = interval.operators as f32 / operators as f32;
        for (sum, value) in vector.iter_mut().zip(&interval.vector) {
            *sum += share * value;
        }
    }
    Interval { operators, vector, cpu_seconds: pair.iter().map(|interval| interval.cpu_seconds).sum() }
}

fn named_calls(imports: &[String], calls: &[u64]) -> BTreeMap<String, u64> {
    let mut named = BTreeMap::new();
    for (name, count) in imports.iter().zip(calls).filter(|(_, count)| **count > 0) {
        *named.entry(name.clone()).or_insert(0) += count;
    }
    named
}
