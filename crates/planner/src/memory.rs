//! What is thought of a program's peak linear memory: its quantiles and the chance of exceeding a size.

use forewarm_types::demand::MemoryDemand;
use forewarm_types::{Basis, Bytes, Corrections, Estimate};

use crate::distribution::{LogNormal, tame};

/// Size of a WebAssembly page (WebAssembly Core Specification 1.0, 4.2.8).
const PAGE: u64 = 65_536;

/// The address space of a 32-bit linear memory: 65,536 pages (WebAssembly Core Specification 1.0, 2.3.4).
const ADDRESS_SPACE: u64 = 65_536 * PAGE;

/// Probabilities at which memory sizes are offered; the last is the limit itself, which cannot be exceeded.
const OFFERED: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// A belief about peak linear memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Peak {
    shape: Shape,
    initial: f64,
    limit: f64,
    pub basis: Basis,
}

/// The most memory that a run may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Most {
    pub memory_bytes: u64,
    /// Probability that the program needs more even so, and fails.
    pub exceeded: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    Known(LogNormal),
    /// Unknown between initial size and limit: uniform on the log scale, the prior for a scale of which nothing but
    /// its bounds is known (Jaynes, Prior Probabilities, 1968).
    Unknown,
}

impl Peak {
    /// From past runs where there are any, else from the analysis, else unknown between the declared bounds.
    pub fn believe(demand: &MemoryDemand, corrections: &Corrections) -> Self {
        let initial = demand.initial_bytes.0;
        let limit = demand.maximum_bytes.map_or(ADDRESS_SPACE, |bytes| bytes.0).max(initial).max(1);
        let estimate = corrections.peak_linear_memory_bytes.or(demand.peak_bytes);
        // What the code tells begins at what the program starts with, and lies anything but evenly about what is likeliest.
        let told = |estimate: Estimate| match estimate.basis {
            Basis::Default | Basis::Static => LogNormal::about(estimate),
            Basis::Emulated | Basis::Observed => LogNormal::of(estimate),
        };
        let shape = estimate.map_or(Shape::Unknown, |estimate| Shape::Known(told(estimate)));
        let basis = estimate.map_or(Basis::Default, |estimate| estimate.basis);
        Self { shape, initial: (initial as f64).max(1.0), limit: limit as f64, basis }
    }

    /// A trial has shown at least so much; the whole, where it ran to its end.
    pub fn seen(&mut self, peak: Bytes, complete: bool) {
        self.initial = self.initial.max(peak.as_f64()).min(self.limit);
        if complete && self.basis < Basis::Emulated && peak.0 > 0 {
            self.shape = Shape::Known(LogNormal::new(peak.as_f64().ln(), 0.0));
            self.basis = Basis::Emulated;
        }
    }

    /// Runs on smaller inputs foretell so much.
    pub fn foresee(&mut self, peak: Estimate) {
        if self.basis <= Basis::Emulated && peak.high > 0.0 {
            self.shape = Shape::Known(LogNormal::about(peak));
            self.basis = Basis::Emulated;
        }
    }

    /// The smallest size the program can start in.
    pub fn least(&self) -> u64 {
        self.initial as u64
    }

    pub fn quantile(&self, probability: f64) -> f64 {
        let value = match self.shape {
            Shape::Known(belief) => belief.quantile(probability),
            Shape::Unknown => self.initial * (self.limit / self.initial).powf(probability),
        };
        value.clamp(self.initial, self.limit)
    }

    /// Probability that the peak exceeds a size.
    pub fn exceeds(&self, size: u64) -> f64 {
        let size = size as f64;
        if size >= self.limit {
            return 0.0;
        }
        if size < self.initial {
            return 1.0;
        }
        match self.shape {
            Shape::Known(belief) => belief.exceeds(size),
            Shape::Unknown => 1.0 - (size / self.initial).ln() / (self.limit / self.initial).ln().max(1e-12),
        }
    }

    /// The sizes worth offering, ascending and distinct, in whole pages; with the user's limit among them.
    pub fn sizes(&self, user_limit: Option<Bytes>) -> Vec<u64> {
        // A page is not added for a rounding error of logarithms.
        let pages = |bytes: f64| ((tame(bytes) * (1.0 - 1e-9)).ceil() as u64).div_ceil(PAGE).saturating_mul(PAGE);
        let mut sizes: Vec<u64> = OFFERED.iter().map(|probability| pages(self.quantile(*probability))).collect();
        sizes.push(pages(self.limit));
        if let Some(limit) = user_limit {
            sizes.push(limit.0);
        }
        sizes.sort_unstable();
        sizes.dedup();
        // A size that can no longer be exceeded makes every larger one pointless.
        if let Some(enough) = sizes.iter().position(|size| self.exceeds(*size) < 1e-6) {
            sizes.truncate(enough + 1);
        }
        sizes
    }

    /// The most memory that a run may have, within the user's limit and what there is.
    pub fn most(&self, user_limit: Option<Bytes>, available: Bytes) -> Most {
        let allowed = user_limit.map_or(f64::INFINITY, Bytes::as_f64);
        let there = if available.0 > 0 { available.as_f64() } else { f64::INFINITY };
        let memory_bytes = (self.limit.min(allowed).min(there) as u64).max(self.least());
        Most { memory_bytes, exceeded: self.exceeds(memory_bytes) }
    }

    /// Median and 5th and 95th percentile: of what may be as much as the address space, a mean says nothing but how large that is.
    pub fn estimate(&self) -> Estimate {
        let [low, median, high] = [0.05, 0.5, 0.95].map(|probability| self.quantile(probability));
        Estimate::new(low, median, high, self.basis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(initial: u64, maximum: Option<u64>) -> MemoryDemand {
        MemoryDemand {
            initial_bytes: Bytes(initial),
            maximum_bytes: maximum.map(Bytes),
            peak_bytes: None,
            traffic_bytes: None,
            ..MemoryDemand::default()
        }
    }

    #[test]
    fn the_unknown_lies_between_its_bounds() {
        let peak = Peak::believe(&demand(PAGE, Some(64 * PAGE)), &Corrections::default());
        assert_eq!(peak.sizes(None).last(), Some(&(64 * PAGE)));
        assert_eq!(peak.exceeds(64 * PAGE), 0.0);
        assert!((peak.exceeds(8 * PAGE) - 0.5).abs() < 1e-9);
        assert_eq!(peak.estimate().basis, Basis::Default);
    }

    #[test]
    fn what_was_observed_needs_one_size() {
        let observed = Estimate::exact(3.0 * PAGE as f64, Basis::Observed);
        let corrections = Corrections { peak_linear_memory_bytes: Some(observed), ..Corrections::default() };
        let peak = Peak::believe(&demand(PAGE, None), &corrections);
        assert_eq!(peak.sizes(None), [3 * PAGE]);
    }

    #[test]
    fn a_program_of_fixed_memory_needs_no_other_size() {
        let peak = Peak::believe(&demand(PAGE, Some(PAGE)), &Corrections::default());
        assert_eq!(peak.sizes(None), [PAGE]);
        assert_eq!(peak.estimate().expected, PAGE as f64);
    }

    #[test]
    fn what_the_code_expects_stands_however_much_more_it_may_be() {
        let initial = 16.0 * PAGE as f64;
        let told = Estimate::new(initial, 1.5 * initial, 20.0 * initial, Basis::Default);
        let peak =
            Peak::believe(&MemoryDemand { peak_bytes: Some(told), ..demand(16 * PAGE, None) }, &Corrections::default());
        assert!((peak.estimate().expected / told.expected - 1.0).abs() < 1e-6, "{:?}", peak.estimate());
        assert!(peak.estimate().high > 6.0 * initial);
    }
}
