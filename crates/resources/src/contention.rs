//! How running things slow each other.
//!
//! Two things are shared: cores, which who wants more than there are takes turns on, and what lies behind them (caches,
//! memory, on simultaneous multithreading execution units). Both slow-downs are curves through what a probe measured:
//! of each kind of work beside copies of each kind on other cores (pairwise interference as Mars et al., "Bubble-Up",
//! MICRO 2011, and Delimitrou and Kozyrakis, "Paragon", ASPLOS 2013, measure it), and of more threads than cores. What was
//! not measured slows nothing beyond taking turns.

use serde::{Deserialize, Serialize};

use forewarm_types::{Load, Pressure, Work};

use crate::Figure;

/// The slow-down of a run by what else is running.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Contention {
    /// Kinds of work beside each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
    /// More threads than cores, by rising number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crowded: Vec<Crowded>,
    /// Run time of an unpinned program over that of a pinned one while other cores are busy, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpinned_factor: Option<Figure>,
}

/// What one kind of work slows another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// The kind that is slowed.
    pub work: Work,
    /// The kind beside it.
    pub other: Work,
    /// Cores that are busy with the other.
    pub cores: f64,
    /// CPU time over that alone.
    pub factor: Figure,
}

/// What threads that share a core cost beyond taking turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Crowded {
    /// Threads to each core.
    pub threads_per_core: f64,
    /// Wall time over that of the same work with a thread to each core.
    pub factor: Figure,
}

impl Contention {
    /// Factor (>= 1) by which a run that wants `wanted` cores slows when `busy` of `cores` are already taken.
    ///
    /// Processor sharing: demand beyond the cores is divided evenly; times what the turns themselves cost, between the
    /// measured numbers of threads linearly, beyond the last as there.
    #[must_use]
    pub fn factor(&self, wanted: f64, busy: f64, cores: f64) -> f64 {
        let threads = ((wanted + busy) / cores.max(1.0)).max(1.0);
        let measured = self.crowded.iter().map(|crowded| (crowded.threads_per_core, excess(&crowded.factor)));
        threads * (1.0 + along(std::iter::once((1.0, 0.0)).chain(measured), threads))
    }

    /// Factor (>= 1) on the CPU time of a run of such pressure beside such a load: by each kind of work in the run, and each in
    /// the load, as much as was measured of the two, between the measured numbers of cores linearly, beyond the last as there.
    #[must_use]
    pub fn slow_down(&self, own: Pressure, load: Load) -> f64 {
        // What exceeds the cores that were measured beside it does not run at the same time.
        let most = self.beside.iter().map(|beside| beside.cores).fold(0.0, f64::max);
        let at_once = if load.cores > most { most } else { load.cores };
        let by = |work: Work, other: Work| {
            let pair = |beside: &&Beside| beside.work == work && beside.other == other;
            let measured = self.beside.iter().filter(pair).map(|beside| (beside.cores, excess(&beside.factor)));
            let beside = at_once * load.pressure().share(other);
            own.share(work) * along(std::iter::once((0.0, 0.0)).chain(measured), beside)
        };
        let pairs = Work::ALL.into_iter().flat_map(|work| Work::ALL.map(|other| by(work, other)));
        1.0 + pairs.sum::<f64>()
    }
}

/// What a factor adds, at least nothing.
fn excess(factor: &Figure) -> f64 {
    if factor.value.is_finite() { (factor.value - 1.0).max(0.0) } else { 0.0 }
}

/// The value at `x` of the line through points of rising abscissas, level before the first and after the last.
fn along(points: impl Iterator<Item = (f64, f64)>, x: f64) -> f64 {
    let mut before: Option<(f64, f64)> = None;
    for (at, value) in points {
        if at >= x {
            let Some((left, height)) = before else { return value };
            return if at > left { height + (value - height) * (x - left) / (at - left) } else { value };
        }
        before = Some((at, value));
    }
    before.map_or(0.0, |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(work: Work, other: Work, cores: f64, factor: f64) -> Beside {
        Beside { work, other, cores, factor: Figure::measured(factor, 0.0, 3, "test") }
    }

    fn load(cores: f64, streaming_share: f64) -> Load {
        Load::of(cores, Pressure { streaming_share, chasing_share: 0.0 })
    }

    #[test]
    fn what_was_not_measured_only_takes_turns() {
        let none = Contention::default();
        assert_eq!((none.factor(1.0, 0.0, 2.0), none.factor(1.0, 3.0, 2.0)), (1.0, 2.0));
        assert_eq!(none.slow_down(Pressure::default(), load(2.0, 1.0)), 1.0);
    }

    #[test]
    fn threads_beyond_the_cores_cost_what_was_measured_of_them() {
        let crowded =
            |threads_per_core, factor| Crowded { threads_per_core, factor: Figure::measured(factor, 0.0, 3, "test") };
        let curve = Contention { crowded: vec![crowded(2.0, 1.1), crowded(4.0, 1.3)], ..Contention::default() };
        let rows = [(1.0, 1.0), (1.5, 1.5 * 1.05), (2.0, 2.2), (3.0, 3.6), (4.0, 5.2), (8.0, 10.4)];
        for (threads, factor) in rows {
            assert!((curve.factor(threads, 0.0, 1.0) - factor).abs() < 1e-12, "{threads}");
        }
    }

    #[test]
    fn kinds_slow_each_other_by_their_shares() {
        let pairs = vec![
            beside(Work::Streaming, Work::Streaming, 1.0, 1.8),
            beside(Work::Computing, Work::Computing, 1.0, 1.2),
            beside(Work::Computing, Work::Streaming, 1.0, 1.1),
        ];
        let curve = Contention { beside: pairs, ..Contention::default() };
        let streams = Pressure { streaming_share: 1.0, chasing_share: 0.0 };
        let half = Pressure { streaming_share: 0.5, chasing_share: 0.0 };
        let rows = [
            (streams, load(0.0, 1.0), 1.0),
            (streams, load(1.0, 1.0), 1.8),
            (streams, load(0.5, 1.0), 1.4),
            (streams, load(1.0, 0.0), 1.0),
            (half, load(1.0, 1.0), 1.0 + 0.5 * 0.8 + 0.5 * 0.1),
            (Pressure::default(), load(1.0, 0.5), 1.0 + 0.5 * 0.2 + 0.5 * 0.1),
            // Of three that would run beside it, as many as were measured do at a time.
            (streams, load(3.0, 1.0), 1.8),
            (Pressure::default(), load(3.0, 0.5), 1.15),
        ];
        for (own, others, factor) in rows {
            let found = curve.slow_down(own, others);
            assert!((found - factor).abs() < 1e-12, "{own:?} {others:?}: {found}");
        }
    }

    #[test]
    fn more_cores_slow_along_the_curve() {
        let pairs = vec![
            beside(Work::Streaming, Work::Streaming, 1.0, 1.2),
            beside(Work::Streaming, Work::Streaming, 7.0, 4.2),
        ];
        let curve = Contention { beside: pairs, ..Contention::default() };
        let streams = Pressure { streaming_share: 1.0, chasing_share: 0.0 };
        for (cores, factor) in [(0.5, 1.1), (1.0, 1.2), (4.0, 2.7), (7.0, 4.2), (9.0, 4.2)] {
            assert!((curve.slow_down(streams, load(cores, 1.0)) - factor).abs() < 1e-12, "{cores}");
        }
    }
}
