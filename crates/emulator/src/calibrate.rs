//! Measuring this machine: every figure of the resource model that time, memory or energy counters can tell.
//!
//! The stages run one after another, each a file below, and put what they measure over the sourced defaults; a figure
//! that cannot be measured here keeps its default. Nothing is decided and nothing
//! stored here. Called by the orchestrator for `forewarm resources probe`.

mod climb;
mod compile;
mod contention;
mod factors;
mod hierarchy;
mod ladder;
mod memory;
mod observed;
mod op_costs;
mod power;
mod waits;

use std::sync::Arc;

use forewarm_executor::wasm::{Engine, EngineSettings};
use forewarm_resources::{Figure, Inventory, ResourceModel, defaults};
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, IsaLevel, Tier};

use crate::generate::kernels;
use crate::{EmulateError, sharing};

pub use power::{measure_accelerators, measure_power};

/// The source of every figure measured here.
pub(crate) const SOURCE: &str = "calibrated on this machine";

/// Looks at whether the core is shared, before each stage: a millisecond and a half.
const LOOKS: usize = 200;

/// How much measuring to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// CPU seconds one timing of one kernel aims at; longer timings are less noisy.
    pub kernel_seconds: f64,
    /// Repeats of every timing; at least 2, or there is no deviation.
    pub repeats: u32,
    /// Sizes of the generated modules whose compilation is timed.
    pub module_bytes: Vec<Bytes>,
    /// Most memory touched or streamed at once.
    pub memory_bytes: Bytes,
    /// Seconds that memory is left alone before it is touched as a run to come would: the host of a virtual machine is told two
    /// seconds later what its guest does not use (Linux mm/page_reporting.c), and takes it back.
    pub idle_seconds: f64,
}

impl Default for Budget {
    /// Under 20 s on two cores, the target for `forewarm resources probe`.
    fn default() -> Self {
        Self {
            kernel_seconds: 0.002,
            repeats: 7,
            module_bytes: vec![Bytes(2_000), Bytes(50_000), Bytes(200_000), Bytes(600_000)],
            memory_bytes: Bytes(128 << 20),
            idle_seconds: 3.0,
        }
    }
}

impl Budget {
    /// A fraction of a second and rough figures, for tests.
    #[must_use]
    pub fn tiny() -> Self {
        Self {
            kernel_seconds: 0.000_05,
            repeats: 2,
            module_bytes: vec![Bytes(5_000), Bytes(20_000)],
            memory_bytes: Bytes(4 << 20),
            idle_seconds: 0.0,
        }
    }
}

/// What the stages share.
pub(crate) struct Bench<'a> {
    pub budget: &'a Budget,
    pub clock: Arc<dyn Clock>,
    pub cores: u32,
    /// The tiers that work on this machine, fastest compiler first.
    pub tiers: Vec<Tier>,
}

impl Bench<'_> {
    /// An engine as real runs have it: the processor's own features, nothing counted, nothing interruptible.
    pub fn engine(&self, tier: Tier, threads: u32) -> Result<Engine, EmulateError> {
        Ok(Engine::new(settings(tier, threads), Arc::clone(&self.clock))?)
    }
}

fn settings(tier: Tier, threads: u32) -> EngineSettings {
    EngineSettings { tier, isa: IsaLevel::Native, metered: false, threads }
}

/// Measures this machine within `budget`. `progress` gets a line before each stage.
///
/// Every measured figure has samples and the source "calibrated on this machine"; others stay the defaults.
///
/// # Errors
/// Where no tier works here, a generated module is refused, or the temporary folder cannot be written.
pub fn calibrate(
    inventory: Inventory,
    budget: Budget,
    clock: Arc<dyn Clock>,
    progress: &mut dyn FnMut(&str),
) -> Result<ResourceModel, EmulateError> {
    let cores = inventory.processors.iter().map(|processor| processor.cores).sum::<u32>().max(1);
    let tiers = working_tiers(&inventory, &clock)?;
    let largest_cache = largest_cache(&inventory);
    let mut model = defaults::model(inventory);
    let mut ratios = Vec::new();
    // Looked at before each stage: what shares a core does so for tenths of a second.
    let mut progress = |stage: &str| {
        ratios.extend((0..LOOKS).map(|_| sharing::ratio()));
        progress(stage);
    };
    let bench = Bench { budget: &budget, clock, cores, tiers };
    progress("what hinders operators");
    let kernels = kernels::all();
    let hindered = observed::all(&bench, &kernels)?;
    for tier in bench.tiers.clone() {
        progress(&format!("{tier}: operator costs"));
        waits::measure(&bench, tier, &mut model.op_costs)?;
        op_costs::measure(&bench, tier, &kernels, &hindered, &mut model.op_costs)?;
    }
    progress("peak memory of compiling");
    let peaks = compile::peaks(&bench)?;
    for tier in bench.tiers.clone() {
        progress(&format!("{tier}: compile time and the steps of the warm ladder"));
        compile::measure(&bench, tier, peaks.get(&tier).copied(), &mut model.transitions)?;
        ladder::measure(&bench, tier, &mut model.transitions)?;
    }
    progress("what counting and the baseline instruction set cost");
    factors::measure(&bench, &mut model.op_costs, &mut model.metering)?;
    progress("reading, memory");
    memory::measure(&bench, &mut model.transitions)?;
    progress("memory hierarchy");
    model.hierarchy = hierarchy::measure(&bench, &model.inventory)?;
    progress("contention");
    contention::measure(&bench, largest_cache, &mut model.contention)?;
    let samples = ratios.len() as u64;
    model.metering.unshared_ratio = sharing::alone(ratios).map(|ratio| Figure::measured(ratio, 0.0, samples, SOURCE));
    Ok(model)
}

fn working_tiers(inventory: &Inventory, clock: &Arc<dyn Clock>) -> Result<Vec<Tier>, EmulateError> {
    let mut cause = String::new();
    let mut tiers = Vec::new();
    for tier in Tier::ALL {
        if !inventory.executable_memory && tier != Tier::Pulley {
            continue;
        }
        match Engine::new(settings(tier, 1), Arc::clone(clock)) {
            Ok(_) => tiers.push(tier),
            Err(error) => cause = error.to_string(),
        }
    }
    if tiers.is_empty() { Err(EmulateError::NoTier(cause)) } else { Ok(tiers) }
}

fn largest_cache(inventory: &Inventory) -> Bytes {
    let caches = inventory.processors.iter().flat_map(|processor| &processor.caches);
    caches.map(|cache| cache.size_bytes).max().unwrap_or(Bytes::MIB)
}
