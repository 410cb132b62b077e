//! What an access costs at each level of the memory hierarchy, beyond one that the nearest cache serves.
//!
//! One load per round walks a set that the level holds and the level before it does not: each address from the load
//! before (chased), each from arithmetic alone (scattered), or line after line (streamed). The same walk of a set that the
//! nearest cache holds is taken off, so that only the level's own cost is left. Which caches there are the inventory
//! says; a level that the memory budget cannot reach is left out.

use forewarm_executor::wasm::Engine;
use forewarm_resources::inventory::{Cache, Inventory};
use forewarm_resources::{Figure, Hierarchy, MemoryLevel};
use forewarm_types::{Bytes, CodeKind, Tier};

use super::{Bench, SOURCE, op_costs};
use crate::EmulateError;
use crate::generate::memory::{self, Walk};
use crate::statistics::{deviation, median};

/// A set that every first-level cache in use holds.
const NEAREST: Bytes = Bytes(16 << 10);

/// A set in memory is so many times the last cache: at most a quarter of it is ever there.
const BEYOND_ALL: u64 = 4;

/// Measures the levels that the inventory names.
pub(super) fn measure(bench: &Bench<'_>, inventory: &Inventory) -> Result<Hierarchy, EmulateError> {
    let tier = [Tier::Cranelift].into_iter().find(|tier| bench.tiers.contains(tier));
    let Some(tier) = tier.or_else(|| bench.tiers.first().copied()) else { return Ok(Hierarchy::default()) };
    let engine = bench.engine(tier, 1)?;
    let mut nearest = Vec::new();
    for walk in Walk::ALL {
        nearest.push(median(&seconds(bench, &engine, walk, NEAREST)?));
    }
    let caches: Vec<&Cache> = inventory.processors.first().into_iter().flat_map(|one| &one.caches).collect();
    let mut levels = Vec::new();
    for (index, cache) in caches.iter().enumerate() {
        let next = caches.get(index + 1).map(|cache| cache.size_bytes);
        let Some(set) = set_of(cache.size_bytes, next, bench.budget.memory_bytes) else { continue };
        let mut figures = Vec::new();
        for (walk, nearest) in Walk::ALL.into_iter().zip(&nearest) {
            // Of addresses chosen at random, some lie in what the cache before still holds.
            let missing = if walk == Walk::Scattered { 1.0 - cache.size_bytes.as_f64() / set.as_f64() } else { 1.0 };
            let beyond = seconds(bench, &engine, walk, set)?.into_iter();
            figures.push(figure(&beyond.map(|all| (all - nearest) / missing).collect::<Vec<_>>()));
        }
        let name =
            next.and(caches.get(index + 1)).map_or_else(|| "memory".to_owned(), |next| format!("L{}", next.level));
        let [chased, scattered, streamed] = [0, 1, 2].map(|walk: usize| figures[walk].clone());
        levels.push(MemoryLevel {
            name,
            beyond_bytes: cache.size_bytes,
            chased_seconds: chased,
            scattered_seconds: scattered,
            streamed_seconds: streamed,
        });
    }
    Ok(Hierarchy { levels })
}

/// A power of two that lies well beyond one level and well within the next; `None` where there is none.
fn set_of(beyond: Bytes, next: Option<Bytes>, most: Bytes) -> Option<Bytes> {
    let wanted = next.map_or(beyond.0.saturating_mul(BEYOND_ALL), |next| next.0 / 2).min(most.0).min(1 << 30);
    let set = if wanted == 0 { 0 } else { 1 << wanted.ilog2() };
    (set > beyond.0).then_some(Bytes(set))
}

fn seconds(bench: &Bench<'_>, engine: &Engine, walk: Walk, set: Bytes) -> Result<Vec<f64>, EmulateError> {
    let (code, _) = engine.compile(&memory::walk(set, walk), CodeKind::WasmModule)?;
    op_costs::round_seconds(bench, engine, &code)
}

/// What a level costs is never negative, though a disturbed difference may be.
fn figure(values: &[f64]) -> Figure {
    Figure::measured(median(values).max(0.0), deviation(values), values.len() as u64, SOURCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_lie_between_the_levels() {
        let mebibytes = |count: u64| Bytes(count << 20);
        assert_eq!(set_of(Bytes(32 << 10), Some(mebibytes(1)), mebibytes(128)), Some(Bytes(512 << 10)));
        assert_eq!(set_of(mebibytes(1), Some(mebibytes(32)), mebibytes(128)), Some(mebibytes(16)));
        assert_eq!(set_of(mebibytes(32), None, mebibytes(256)), Some(mebibytes(128)));
        assert_eq!(set_of(mebibytes(32), None, mebibytes(4)), None);
        assert_eq!(set_of(mebibytes(1), Some(mebibytes(1)), mebibytes(128)), None);
    }
}
