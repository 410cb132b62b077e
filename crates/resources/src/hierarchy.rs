//! The memory hierarchy: what an access costs beyond one that the nearest cache serves, and what the accesses of a run
//! cost by their reuse distances.
//!
//! An access of reuse distance `d` is served by the first level that holds more than `d` lines (Mattson et al. 1970; set
//! associativity is left out, after Smith and Hill, IEEE TC 1989, who found full associativity to predict it closely). What
//! it costs depends on whether it was foreseen (a stream is fetched ahead, and costs its bandwidth), and else on how many
//! others go on meanwhile (memory-level parallelism: Chou, Fahs and Abraham, ISCA 2004): none where each address is what the
//! access before has read, else those that lie within the reach of execution out of order, which ends at a branch that
//! was not foreseen (Eyerman, Eeckhout, Karkhanis and Smith, TOCS 2009).

use serde::{Deserialize, Serialize};

use forewarm_types::Bytes;
use forewarm_types::counts::{Foresight, LINE_BYTES, ReuseHistogram};

use crate::Figure;

/// A level that serves what the nearer ones miss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryLevel {
    /// `L2`, `L3`, `memory`.
    pub name: String,
    /// Capacity of the level before it: accesses of a greater reuse distance come here.
    pub beyond_bytes: Bytes,
    /// Seconds beyond an access of the nearest level, where each access needs the one before.
    pub chased_seconds: Figure,
    /// The same where accesses lie anywhere and do not depend on each other.
    pub scattered_seconds: Figure,
    /// The same of an access of the next line, foreseen.
    pub streamed_seconds: Figure,
}

/// Levels beyond the nearest, nearest first; none where nothing was measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Hierarchy {
    /// The levels.
    pub levels: Vec<MemoryLevel>,
}

/// Operators among which an out-of-order processor looks for work: the reorder buffers of x86-64 processors since 2015
/// hold 224 (Skylake), 256 (Zen 3) to 512 (Golden Cove) micro-operations (Fog, "The microarchitecture of Intel, AMD, and VIA
/// CPUs", 2024), about one for each operator.
const REORDER_WINDOW: f64 = 256.0;

/// How many operators lie between what accesses wait for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Operators executed.
    pub operators: f64,
    /// Branches among them that were not foreseen.
    pub mispredictions: f64,
}

impl Flow {
    /// Accesses of so many that are on their way at once, at least 1.
    fn at_once(self, accesses: f64) -> f64 {
        let reach = REORDER_WINDOW.min(self.operators / self.mispredictions.max(f64::MIN_POSITIVE));
        let spacing = self.operators / accesses;
        let at_once = reach / spacing;
        if at_once.is_finite() { at_once.max(1.0) } else { 1.0 }
    }
}

/// What a level costs a run.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelCost<'a> {
    /// The level.
    pub level: &'a MemoryLevel,
    /// Accesses it serves.
    pub accesses: f64,
    /// Seconds of each, at the middle.
    pub seconds_each: f64,
    /// Standard deviation of the logarithm of `seconds_each`, since nothing tells how far accesses depend on each other.
    pub log_deviation: f64,
}

impl Hierarchy {
    /// What each level costs a run of such reuse distances.
    ///
    /// An access that nothing foresaw costs the level's latency divided by the number of those on their way at once, and no
    /// less than accesses that are all independent of each other. Between these two its cost is taken as uncertain, with the
    /// deviation of a log-uniform distribution, `ln(ratio) / √12`.
    #[must_use]
    pub fn costs(&self, reuse: &ReuseHistogram, flow: Flow) -> Vec<LevelCost<'_>> {
        let lines = |bytes: Bytes| bytes.as_f64() / LINE_BYTES as f64;
        let beyond = |index: usize| self.levels.get(index).map_or(0.0, |level| reuse.misses(lines(level.beyond_bytes)));
        let mut costs = Vec::with_capacity(self.levels.len());
        for (index, level) in self.levels.iter().enumerate() {
            // What a short window sees again, the second level serves; what it sees for the first time, those beyond.
            let foresight = if index == 0 { reuse.reused } else { reuse.fresh };
            costs.push(level.cost(beyond(index), beyond(index + 1), foresight, flow));
        }
        costs
    }
}

impl MemoryLevel {
    /// What it costs where so many accesses miss the level before it, and so many it itself.
    fn cost(&self, missed: f64, passed_on: f64, foresight: Foresight, flow: Flow) -> LevelCost<'_> {
        let accesses = (missed - passed_on).max(0.0);
        let (scattered, chased) = (self.scattered_seconds.value, self.chased_seconds.value);
        let Foresight { sequential_share, strided_share, chased_share } = foresight;
        let independent = (1.0 - sequential_share - strided_share - chased_share).max(0.0);
        let overlapped = (chased / flow.at_once(independent * missed)).max(scattered);
        let spread = (overlapped / scattered).ln() / 12.0_f64.sqrt();
        let seconds_each = sequential_share * self.streamed_seconds.value
            + strided_share * scattered
            + chased_share * chased
            + independent * overlapped;
        let share = if seconds_each > 0.0 { independent * overlapped / seconds_each } else { 0.0 };
        let log_deviation = if spread.is_finite() { share * spread } else { 0.0 };
        LevelCost { level: self, accesses, seconds_each, log_deviation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str, beyond: u64, chased: f64, scattered: f64, streamed: f64) -> MemoryLevel {
        let figure = |value| Figure::measured(value, 0.0, 3, "test");
        MemoryLevel {
            name: name.to_owned(),
            beyond_bytes: Bytes(beyond),
            chased_seconds: figure(chased),
            scattered_seconds: figure(scattered),
            streamed_seconds: figure(streamed),
        }
    }

    #[test]
    fn accesses_are_served_by_the_first_level_that_holds_them() {
        let levels = vec![level("L2", 512 * 64, 4.0, 1.0, 0.5), level("memory", 4096 * 64, 80.0, 20.0, 2.0)];
        let hierarchy = Hierarchy { levels };
        let mut accesses = vec![0.0; 14];
        // Distances 0, 1024 to 2047, 4096 to 8191.
        (accesses[0], accesses[11], accesses[13]) = (100.0, 10.0, 4.0);
        let alike = |foresight| ReuseHistogram {
            accesses: accesses.clone(),
            far_accesses: 1.0,
            reused: foresight,
            fresh: foresight,
            ..ReuseHistogram::default()
        };
        let mut foresight = Foresight { sequential_share: 1.0, ..Foresight::default() };
        let reuse = alike(foresight);
        let flow = Flow { operators: 1e6, mispredictions: 0.0 };
        let streamed = hierarchy.costs(&reuse, flow);
        assert_eq!(streamed.iter().map(|cost| cost.accesses).collect::<Vec<_>>(), [10.0, 5.0]);
        assert_eq!((streamed[0].seconds_each, streamed[1].seconds_each), (0.5, 2.0));
        assert_eq!(streamed[0].log_deviation, 0.0);
        (foresight.sequential_share, foresight.strided_share) = (0.0, 1.0);
        assert_eq!(hierarchy.costs(&alike(foresight), flow)[1].seconds_each, 20.0);
        (foresight.strided_share, foresight.chased_share) = (0.0, 1.0);
        assert_eq!(hierarchy.costs(&alike(foresight), flow)[1].seconds_each, 80.0);
        assert!(Hierarchy::default().costs(&reuse, flow).is_empty());
    }

    #[test]
    fn accesses_overlap_as_far_as_execution_reaches() {
        let hierarchy = Hierarchy { levels: vec![level("memory", 64, 80.0, 20.0, 2.0)] };
        let reuse = ReuseHistogram { far_accesses: 1000.0, ..ReuseHistogram::default() };
        let each = |operators: f64, mispredictions: f64| {
            let cost = &hierarchy.costs(&reuse, Flow { operators, mispredictions })[0];
            (cost.seconds_each, cost.log_deviation > 0.0)
        };
        // Far apart: alone; 128 operators apart: two at once; side by side: as fast as any are.
        assert_eq!(each(1e6, 0.0), (80.0, true));
        assert_eq!(each(128e3, 0.0), (40.0, true));
        assert_eq!(each(1e4, 0.0), (20.0, false));
        // A misprediction for each keeps them apart.
        assert_eq!(each(1e4, 1000.0), (80.0, true));
    }
}
