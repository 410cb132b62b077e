//! The cost of each step of the warm ladder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use forewarm_types::{Basis, Bytes, Estimate, Step, Tier};

use crate::Figure;
use crate::figure::Z95;

/// Cost of a step: a fixed part and a part that grows with size, in CPU time, with what it holds.
///
/// Size is that of the step's natural driver: file bytes for `Read`, code-section bytes for `Analyze`, `Compile`,
/// `Persist` and `Map`, and initial memory bytes for `Prefault`; `Link` and `Instantiate` are fixed but for code bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepCost {
    /// CPU seconds at size zero.
    pub fixed_seconds: f64,
    /// CPU seconds per 10^6 bytes.
    pub seconds_per_megabyte: f64,
    /// Standard deviation of `ln(actual / predicted)`.
    pub log_deviation: f64,
    /// Share of the work that several threads can divide (Amdahl 1967), 0 to 1.
    pub parallel_fraction: f64,
    /// Bytes held afterwards per byte of size: compiled code in memory or on disk.
    pub bytes_per_byte: f64,
    /// Peak bytes held during the step per byte of size.
    pub peak_bytes_per_byte: f64,
    /// State of the recursive estimator, opaque to all but the learner: inverse covariance and moment sums.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub estimator: Vec<f64>,
    /// Measurements behind it; 0 for a default.
    #[serde(default)]
    pub samples: u64,
    /// Where it comes from, in words or as a key of [`crate::sources`].
    pub source: String,
}

impl StepCost {
    /// What it rests on.
    #[must_use]
    pub fn basis(&self) -> Basis {
        if self.samples == 0 { Basis::Default } else { Basis::Observed }
    }

    /// Median CPU seconds of the step at a size: `fixed + rate * size`.
    #[must_use]
    pub fn median_seconds(&self, size: Bytes) -> f64 {
        let seconds = self.fixed_seconds + self.seconds_per_megabyte * size.megabytes();
        if seconds.is_finite() { seconds.max(0.0) } else { 0.0 }
    }

    /// CPU seconds of the step at a size: log-normal about [`Self::median_seconds`], the ends at
    /// `exp(±1.645 * log_deviation)` of it.
    #[must_use]
    pub fn cpu_seconds(&self, size: Bytes) -> Estimate {
        self.spread(self.median_seconds(size))
    }

    /// Share of the CPU time that is wall time on some threads, by Amdahl's law (1967): `(1 - p) + p / threads`.
    #[must_use]
    pub fn wall_share(&self, threads: u32) -> f64 {
        let parallel = if self.parallel_fraction.is_finite() { self.parallel_fraction.clamp(0.0, 1.0) } else { 0.0 };
        (1.0 - parallel) + parallel / f64::from(threads.max(1))
    }

    /// Median wall seconds at a size on some threads: the fixed part, and Amdahl's law for the part that grows; but
    /// never less than the step takes over its largest indivisible part (a function is compiled by one thread),
    /// `max(fixed + rate * size * wall_share, fixed + rate * largest)`.
    #[must_use]
    pub fn median_wall_seconds(&self, size: Bytes, threads: u32, largest: Bytes) -> f64 {
        let (whole, fixed) = (self.median_seconds(size), self.median_seconds(Bytes::ZERO));
        let divided = fixed + (whole - fixed).max(0.0) * self.wall_share(threads);
        divided.max(self.median_seconds(largest.min(size))).min(whole)
    }

    /// Wall seconds at a size on some threads; see [`Self::median_wall_seconds`].
    #[must_use]
    pub fn wall_seconds(&self, size: Bytes, threads: u32, largest: Bytes) -> Estimate {
        self.spread(self.median_wall_seconds(size, threads, largest))
    }

    /// Bytes held afterwards.
    #[must_use]
    pub fn held_bytes(&self, size: Bytes) -> Bytes {
        Bytes((size.as_f64() * self.bytes_per_byte.max(0.0)) as u64)
    }

    /// Peak bytes held during the step.
    #[must_use]
    pub fn peak_bytes(&self, size: Bytes) -> Bytes {
        Bytes((size.as_f64() * self.peak_bytes_per_byte.max(0.0)) as u64)
    }

    fn spread(&self, median: f64) -> Estimate {
        let deviation = if self.log_deviation.is_finite() { self.log_deviation.clamp(0.0, 10.0) } else { 0.0 };
        Estimate::log_normal(median, (Z95 * deviation).exp(), self.basis())
    }
}

/// Costs of all steps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transitions {
    /// Seconds from asking to the first instruction of a run that starts from something warm, by the rung it starts from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub warm_starts: BTreeMap<String, Figure>,
    /// Steps that cost the same whatever the tier (`Read`, `Analyze`, `Prefault`).
    pub common: BTreeMap<Step, StepCost>,
    /// Steps by tier.
    pub tiers: BTreeMap<Tier, BTreeMap<Step, StepCost>>,
    /// Seconds to fault in one byte of fresh memory at its first touch by the program.
    pub first_touch_seconds_per_byte: Option<Figure>,
    /// The same of a process, behind pages of either size; `None` where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_touch: Option<PageTouch>,
    /// Wall seconds that each further thread of a compilation takes to start and to end.
    #[serde(default)]
    pub thread_start_seconds: Option<Figure>,
}

/// CPU seconds per byte that a process takes to touch fresh memory for the first time, which the machine has not used for a
/// while: so is most memory that a run to come will get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageTouch {
    /// Behind pages of the usual size.
    pub small: Figure,
    /// Behind large ones, asked for.
    pub large: Figure,
}

impl PageTouch {
    /// CPU seconds that asking for large pages saves of each byte touched; negative where it costs.
    #[must_use]
    pub fn saved_seconds_per_byte(&self) -> f64 {
        let saved = self.small.value - self.large.value;
        if saved.is_finite() { saved } else { 0.0 }
    }
}

impl Transitions {
    /// The cost of a step on a tier: the tier's own, else the common one.
    #[must_use]
    pub fn step(&self, tier: Tier, step: Step) -> Option<&StepCost> {
        self.tiers.get(&tier).and_then(|steps| steps.get(&step)).or_else(|| self.common.get(&step))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::defaults;

    fn compile(tier: Tier) -> StepCost {
        defaults::transitions().step(tier, Step::Compile).unwrap().clone()
    }

    #[test]
    fn compile_time_follows_the_measured_rates() {
        let cranelift = compile(Tier::Cranelift).cpu_seconds(Bytes(10_000_000));
        assert!((9.1..=10.4).contains(&cranelift.expected), "{cranelift:?}");
        let winch = compile(Tier::Winch).cpu_seconds(Bytes(10_000_000));
        assert!((1.2..=1.9).contains(&winch.expected), "{winch:?}");
        assert_eq!(winch.basis, Basis::Default);
    }

    #[test]
    fn two_threads_nearly_halve_and_the_largest_function_bounds() {
        let step = compile(Tier::Cranelift);
        let size = Bytes(1_000_000);
        let ratio = step.median_wall_seconds(size, 2, Bytes(1000)) / step.median_seconds(size);
        assert!((0.5..0.6).contains(&ratio), "{ratio}");
        let bound = step.median_wall_seconds(size, 64, Bytes(800_000));
        assert!((bound - step.median_seconds(Bytes(800_000))).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn wall_never_exceeds_cpu_nor_grows_with_threads(
            size in 0u64..1 << 40, largest in 0u64..1 << 40, threads in 1u32..256, parallel in -1.0f64..2.0,
        ) {
            let step = StepCost { parallel_fraction: parallel, ..compile(Tier::Winch) };
            let (size, largest) = (Bytes(size), Bytes(largest));
            let wall = step.median_wall_seconds(size, threads, largest);
            prop_assert!(wall <= step.median_seconds(size) * (1.0 + 1e-12));
            prop_assert!(step.median_wall_seconds(size, threads + 1, largest) <= wall * (1.0 + 1e-12));
        }
    }
}
