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
}

impl Contention {
    /// Factor (>= 1) by which a run that wants `wanted` cores slows when `busy` of `cores` are already taken.
    ///
    /// Processor sharing: demand beyond the cores is divided evenly.
    #[must_use]
    pub fn factor(&self, wanted: f64, busy: f64, cores: f64) -> f64 {
        ((wanted + busy) / cores.max(1.0)).max(1.0)
    }
}
