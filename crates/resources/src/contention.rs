//! How running things slow each other.

use serde::{Deserialize, Serialize};

use crate::Figure;

/// The slow-down of a run by what else is running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contention {
    /// Slow-down of two memory-streaming runs at once over one alone, where it was measured.
    pub streaming_pair: Option<Figure>,
    /// Slow-down of two compute-bound runs at once over one alone, where it was measured.
    pub compute_pair: Option<Figure>,
    /// Run time of an unpinned program over that of a pinned one while other cores are busy, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpinned_factor: Option<Figure>,
}

impl Contention {
    /// Factor (>= 1) by which a run that wants `wanted` cores slows when `busy` of `cores` are already taken.
    ///
    /// Processor sharing: demand beyond the cores is divided evenly.
    #[must_use]
    pub fn factor(&self, wanted: f64, busy: f64, cores: f64) -> f64 {
        ((wanted + busy) / cores.max(1.0)).max(1.0)
    }

    /// Factor (>= 1) on the CPU time of a compute-bound run beside `busy` other cores: shared caches, memory and, on
    /// simultaneous multithreading, execution units. Linear from 1 at none to the measured pair at one or more.
    #[must_use]
    pub fn cpu_inflation(&self, busy: f64) -> f64 {
        let pair = self.compute_pair.as_ref().map_or(1.0, |figure| figure.value);
        if pair.is_finite() { 1.0 + (pair.max(1.0) - 1.0) * busy.clamp(0.0, 1.0) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_machine_slows_nothing() {
        let none = Contention { streaming_pair: None, compute_pair: None, unpinned_factor: None };
        let smt = Contention { compute_pair: Some(Figure::measured(1.4, 0.0, 3, "test")), ..none.clone() };
        assert_eq!(none.factor(1.0, 0.0, 2.0), 1.0);
        assert_eq!(none.factor(1.0, 3.0, 2.0), 2.0);
        assert_eq!(none.cpu_inflation(2.0), 1.0);
        assert_eq!(smt.cpu_inflation(0.0), 1.0);
        assert!((smt.cpu_inflation(0.5) - 1.2).abs() < 1e-12);
    }
}
