//! The memory hierarchy: what an access costs beyond one that the nearest cache serves, and what the accesses of a run
//! cost by their reuse distances.
//!
//! An access of reuse distance `d` is served by the first level that holds more than `d` lines (Mattson et al. 1970; set
//! associativity is left out, after Smith and Hill, IEEE TC 1989, who found full associativity to predict it closely). What
//! it costs depends on whether it was foreseen (a stream is fetched ahead, and costs its bandwidth), and else on whether
//! others go on meanwhile: the least where all are independent of each other, as with a constant stride, the most where
//! each needs the one before (memory-level parallelism: Chou, Fahs and Abraham, ISCA 2004).

use serde::{Deserialize, Serialize};

use forewarm_types::Bytes;
use forewarm_types::counts::{LINE_BYTES, ReuseHistogram};

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
    /// Between scattered and chased the cost of an unforeseen access is taken as log-uniform: mean
    /// `(c - s) / ln(c / s)`, standard deviation of the logarithm `ln(c / s) / √12`.
    #[must_use]
    pub fn costs(&self, reuse: &ReuseHistogram) -> Vec<LevelCost<'_>> {
        let lines = |bytes: Bytes| bytes.as_f64() / LINE_BYTES as f64;
        let beyond = |index: usize| self.levels.get(index).map_or(0.0, |level| reuse.misses(lines(level.beyond_bytes)));
        let cost = |(index, level): (usize, &'_ MemoryLevel)| {
            let accesses = (beyond(index) - beyond(index + 1)).max(0.0);
            let (scattered, chased) = (level.scattered_seconds.value, level.chased_seconds.value);
            let ratio = (chased / scattered).ln();
            let unforeseen = if ratio.is_finite() && ratio > 1e-3 { (chased - scattered) / ratio } else { scattered };
            let spread = if ratio.is_finite() { ratio.max(0.0) / 12.0_f64.sqrt() } else { 0.0 };
            let (streamed, strided) = (reuse.sequential_share, reuse.strided_share);
            let unforeseen_part = (1.0 - streamed - strided).max(0.0) * unforeseen;
            let seconds_each = streamed * level.streamed_seconds.value + strided * scattered + unforeseen_part;
            let share = if seconds_each > 0.0 { unforeseen_part / seconds_each } else { 0.0 };
            (accesses, seconds_each, share * spread)
        };
        let costs = self.levels.iter().enumerate().map(|(index, level)| (level, cost((index, level))));
        costs
            .map(|(level, (accesses, seconds_each, log_deviation))| LevelCost {
                level,
                accesses,
                seconds_each,
                log_deviation,
            })
            .collect()
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
        let mut reuse =
            ReuseHistogram { accesses, far_accesses: 1.0, sequential_share: 1.0, ..ReuseHistogram::default() };
        let streamed = hierarchy.costs(&reuse);
        assert_eq!(streamed.iter().map(|cost| cost.accesses).collect::<Vec<_>>(), [10.0, 5.0]);
        assert_eq!((streamed[0].seconds_each, streamed[1].seconds_each), (0.5, 2.0));
        assert_eq!(streamed[0].log_deviation, 0.0);
        (reuse.sequential_share, reuse.strided_share) = (0.0, 1.0);
        assert_eq!(hierarchy.costs(&reuse)[1].seconds_each, 20.0);
        reuse.strided_share = 0.0;
        let scattered = hierarchy.costs(&reuse);
        assert!((1.0..4.0).contains(&scattered[0].seconds_each), "{scattered:?}");
        assert!(scattered[0].log_deviation > 0.3);
        assert!(Hierarchy::default().costs(&reuse).is_empty());
    }
}
