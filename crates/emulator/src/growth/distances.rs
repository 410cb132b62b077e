//! How reuse distances grow with the input: what the nearest caches serve in a small run, memory serves in a large one.
//!
//! Accesses by rising distance are parted into groups of equal size, and each group's distance is either constant or a law of the
//! size of the data (Zhong, Dropsho and Ding, "Miss rate prediction across all program inputs", PACT 2003; Marin and
//! Mellor-Crummey, SIGMETRICS 2004). By what power of the operators it grows two runs tell, however near the distances still are
//! in both. Pure; called by the orchestrator.

use forewarm_types::counts::{Counts, Foresight, ReuseHistogram};

/// Groups of accesses: a sampled histogram has noise in smaller shares.
const GROUPS: usize = 256;

/// Doublings of a distance that are no growth: a histogram has one bin a doubling.
const NOISE: f64 = 0.5;

/// Doublings of the operators between the two runs, at the least, that tell a power.
const LEAST_APART: f64 = 1.0;

/// Distances of a 32-bit memory, as a bin.
const MOST: f64 = 26.0;

/// The reuse distances of a run of so many operators, from those of two smaller ones; `None` where they do not tell.
#[must_use]
pub fn grown(small: &Counts, large: &Counts, operators: f64) -> Option<ReuseHistogram> {
    let (before, reuse) = (small.reuse.as_ref()?, large.reuse.as_ref()?);
    let (least, most) = (small.operators() as f64, large.operators() as f64);
    let (apart, further) = ((most / least).log2(), (operators / most).log2().max(0.0));
    let accesses: f64 = reuse.accesses.iter().sum();
    if before.accesses.iter().sum::<f64>() <= 0.0 || accesses <= 0.0 {
        return None;
    }
    if apart < LEAST_APART {
        return Some(reuse.clone());
    }
    let mut grown: Vec<f64> = Vec::new();
    for group in 0..GROUPS {
        let share = (group as f64 + 0.5) / GROUPS as f64;
        let (first, last) = (place(before, share), place(reuse, share));
        // A working set has at most as many lines as there are operators to touch them.
        let power = if last - first > NOISE { ((last - first) / apart).min(1.0) } else { 0.0 };
        let bin = (last + power * further).min(MOST.max(last)).ceil() as usize;
        grown.resize(grown.len().max(bin + 1), 0.0);
        grown[bin] += accesses / GROUPS as f64;
    }
    let end = (grown.len() - 1) as f64;
    let reached = (reuse.accesses.len() - 1) as f64;
    let footprint_lines = if end > reached { reuse.footprint_lines.max(end.exp2()) } else { reuse.footprint_lines };
    // Where all came back from near, what will come back from further lies as what was seen for the first time.
    let reused = if reuse.reused == Foresight::default() { reuse.fresh } else { reuse.reused };
    Some(ReuseHistogram { accesses: grown, footprint_lines, reused, ..reuse.clone() })
}

/// Below what distance a share of the accesses lies, as a place among the bins, of which bin `b` holds those from `b - 1` to `b`.
fn place(reuse: &ReuseHistogram, share: f64) -> f64 {
    let wanted = share * reuse.accesses.iter().sum::<f64>();
    let mut below = 0.0;
    for (bin, count) in reuse.accesses.iter().enumerate() {
        if below + count >= wanted && *count > 0.0 {
            return (bin as f64 - 1.0 + (wanted - below) / count).max(0.0);
        }
        below += count;
    }
    (reuse.accesses.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use forewarm_types::OpClass;

    use super::*;

    /// A run of so many operators whose accesses lie in the given bins.
    fn run(operators: u64, bins: &[(usize, f64)]) -> Counts {
        let mut accesses = vec![0.0; bins.iter().map(|(bin, _)| bin + 1).max().unwrap_or(0)];
        bins.iter().for_each(|(bin, count)| accesses[*bin] = *count);
        let reuse = ReuseHistogram { accesses, ..ReuseHistogram::default() };
        Counts { classes: [(OpClass::Load, operators)].into(), reuse: Some(reuse), ..Counts::default() }
    }

    /// Shares of accesses that miss caches of so many lines.
    fn check(small: &Counts, large: &Counts, operators: f64, lines: f64) -> f64 {
        let grown = grown(small, large, operators).unwrap();
        let whole = large.reuse.as_ref().unwrap().total();
        assert!((grown.total() / whole - 1.0).abs() < 1e-9, "accesses are lost: {grown:?}");
        grown.misses(lines) / whole
    }

    #[test]
    fn a_working_set_that_grows_leaves_the_cache() {
        // A stream over an array: 2^11 lines, then 2^13, then 2^19.
        let (small, large) = (run(1 << 20, &[(1, 7.0), (11, 1.0)]), run(1 << 22, &[(1, 7.0), (13, 1.0)]));
        let now = large.reuse.as_ref().unwrap().misses(8192.0);
        assert_eq!(now, 0.0);
        let later = check(&small, &large, f64::from(1 << 28), 65_536.0);
        assert!((later - 0.125).abs() < 0.03, "{later}");
        assert_eq!(check(&small, &large, f64::from(1 << 28), 1_048_576.0), 0.0);
    }

    #[test]
    fn what_grows_within_the_nearest_cache_will_leave_it() {
        // A table of 2^5 lines beside a loop's own words, then of 2^9; a thousand times the operators touch one of 2^19.
        let (small, large) = (run(1 << 20, &[(1, 7.0), (5, 1.0)]), run(1 << 24, &[(1, 7.0), (9, 1.0)]));
        let later = check(&small, &large, f64::from(1 << 24) * 1024.0, 65_536.0);
        assert!((later - 0.125).abs() < 0.01, "{later}");
        // Nothing came back from afar yet, so that it is taken to lie as what is read for the first time.
        let fresh = Foresight { sequential_share: 0.9, ..Foresight::default() };
        let reuse = large.reuse.clone().map(|reuse| ReuseHistogram { fresh, ..reuse });
        let streaming = Counts { reuse, ..large.clone() };
        assert_eq!(grown(&small, &streaming, 1e9).unwrap().reused, fresh);
        // Groups grow each by their own law: a row by the square root of what the whole table does.
        let (small, large) = (run(1 << 20, &[(4, 1.0), (8, 1.0)]), run(1 << 24, &[(6, 1.0), (12, 1.0)]));
        assert!((check(&small, &large, f64::from(1 << 28), 2048.0) - 0.5).abs() < 0.01);
    }

    #[test]
    fn what_does_not_grow_stays() {
        let (small, large) = (run(1 << 20, &[(1, 7.0), (12, 1.0)]), run(1 << 24, &[(1, 7.0), (12, 1.0)]));
        assert_eq!(grown(&small, &large, 1e12), large.reuse);
        assert_eq!(grown(&run(9, &[]), &large, 1e12), None);
    }
}
