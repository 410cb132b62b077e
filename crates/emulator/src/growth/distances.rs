//! How reuse distances grow with the input: what the nearest caches serve in a small run, memory serves in a large one.
//!
//! Most programs' distances are either constant or a law of the size of their data (Zhong, Dropsho and Ding, "Miss rate
//! prediction across all program inputs", PACT 2003; Marin and Mellor-Crummey, SIGMETRICS 2004). The end of the histogram is the
//! working set; by what power of the operators it grows is told by two runs, and distances beyond the nearest cache are
//! stretched as far on the logarithmic scale, on which those of trees and divided arrays lie evenly. Pure; called by the
//! orchestrator.

use forewarm_types::counts::{Counts, ReuseHistogram};

/// Bin from which distances are stretched: 512 lines, the smallest nearest data cache in use (32 KiB). What is reused within it
/// is reused by the code around, whatever the size of the data.
const FROM: f64 = 10.0;

/// Share of the accesses that lies at the working set's end: below, a sampled histogram has noise.
const AT_THE_END: f64 = 1.0 / 256.0;

/// Distances of a 32-bit memory, as a bin.
const MOST: f64 = 26.0;

/// The reuse distances of a run of so many operators, from those of two smaller ones; `None` where they do not tell.
#[must_use]
pub fn grown(small: &Counts, large: &Counts, operators: f64) -> Option<ReuseHistogram> {
    let (before, reuse) = (small.reuse.as_ref()?, large.reuse.as_ref()?);
    let (least, most) = (small.operators() as f64, large.operators() as f64);
    let (first, last) = (end(before)?, end(reuse)?);
    let apart = (most / least).log2();
    // A working set has at most as many lines as there are operators to touch them.
    let power = if apart > 1.0 { ((last - first) / apart).clamp(0.0, 1.0) } else { 0.0 };
    let target = (last + power * (operators / most).log2().max(0.0)).min(MOST);
    if last <= FROM || target <= last {
        return Some(reuse.clone());
    }
    let stretch = (target - FROM) / (last - FROM);
    let mut accesses = vec![0.0; target.ceil() as usize + 1];
    for (bin, count) in reuse.accesses.iter().enumerate() {
        let (from, to) = (bin as f64 - 1.0, bin as f64);
        if to <= FROM {
            accesses[bin] += count;
            continue;
        }
        spread(&mut accesses, FROM + (from - FROM) * stretch, FROM + (to - FROM) * stretch, *count);
    }
    let footprint_lines = reuse.footprint_lines.max(target.exp2());
    Some(ReuseHistogram { accesses, footprint_lines, ..reuse.clone() })
}

/// The bin in which a histogram ends.
fn end(reuse: &ReuseHistogram) -> Option<f64> {
    let least = AT_THE_END * reuse.total();
    let mut beyond = 0.0;
    let bins = reuse.accesses.iter().enumerate().rev();
    let mut ends = bins.filter(|(_, count)| {
        beyond += *count;
        beyond >= least
    });
    ends.next().map(|(bin, _)| bin as f64).filter(|bin| *bin > 0.0)
}

/// Lays a count evenly between two places, of which bin `b` holds those from `b - 1` to `b`; what is beyond the last lies in it.
fn spread(accesses: &mut [f64], from: f64, to: f64, count: f64) {
    let last = accesses.len() - 1;
    for bin in from.floor() as usize + 1..=to.ceil() as usize {
        let inside = to.min(bin as f64) - from.max(bin as f64 - 1.0);
        accesses[bin.min(last)] += count * inside.max(0.0) / (to - from);
    }
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
    fn what_does_not_grow_stays() {
        let (small, large) = (run(1 << 20, &[(1, 7.0), (12, 1.0)]), run(1 << 24, &[(1, 7.0), (12, 1.0)]));
        assert_eq!(grown(&small, &large, 1e12), large.reuse);
        // Within the nearest cache nothing is known to leave it.
        let (small, large) = (run(1 << 20, &[(1, 7.0), (5, 1.0)]), run(1 << 24, &[(1, 7.0), (9, 1.0)]));
        assert_eq!(grown(&small, &large, 1e12), large.reuse);
        assert_eq!(grown(&run(9, &[]), &large, 1e12), None);
    }
}
