//! Reuse distances from sampled windows of addresses, joined into one histogram.
//!
//! A window is a run of consecutive accesses. In a dense one every line is written down; in a sparse one only lines whose
//! hash lies below a threshold, a share `R` of them, so that it spans `1/R` times as many accesses, and a distance
//! counted among those lines stands for one of `1/R` times as much (SHARDS: Waldspurger, Park, Garthwaite and Ahmad, FAST
//! 2015). Inside a window distances are exact: a binary indexed tree over time holds a mark at the last access of each
//! line, and the marks since a line's last access are the distinct lines between (Bennett and Kruskal 1975; the tree:
//! Fenwick 1994).
//!
//! A window cannot tell how far back a line's first access in it reaches, only that it reaches further than the distinct
//! lines seen so far: such an access is censored there. Dense and sparse windows of any length are therefore joined as
//! survival times are, by the product-limit estimator (Kaplan and Meier 1958) over the bins of the histogram, where a
//! sparse window enters from the bin on in which its grain no longer shows (left truncation). Called by
//! [`crate::counting`].

use forewarm_types::counts::{Foresight, LINE_BYTES, ReuseHistogram};

use crate::instrument::ADDRESS_BITS;
use crate::table::Table;

/// Bins of the histogram: distances up to 2^31 lines, which is more than a 32-bit memory has.
const BINS: usize = 33;

/// Distances counted in a sparse window are believed from so many sampled lines on: the relative error of a count of `k`
/// sampled lines is `1/√k`, a quarter here, half a bin.
const GRAIN: f64 = 16.0;

/// Distance in lines from which an access counts as far when looking whether it was foreseeable: the lines of the smallest
/// first-level data cache in use (32 KiB).
const FAR: u32 = 512;

/// Values of the number that addresses are filed under.
const SITES: usize = 1 << 15;

/// How accesses that the nearest cache misses were to be foreseen.
#[derive(Debug)]
struct Far {
    all: u64,
    sequential: u64,
    strided: u64,
    /// By site, those that nothing foresaw.
    unforeseen: Vec<u32>,
}

impl Default for Far {
    fn default() -> Self {
        Self { all: 0, sequential: 0, strided: 0, unforeseen: vec![0; SITES] }
    }
}

impl Far {
    /// As shares, where some sites, in order, chase what they read.
    fn foresight(&self, chasing: &[u16]) -> Foresight {
        let share = |count: u64| if self.all == 0 { 0.0 } else { count as f64 / self.all as f64 };
        let chased = chasing.iter().map(|site| u64::from(self.unforeseen[usize::from(*site)])).sum();
        Foresight {
            sequential_share: share(self.sequential),
            strided_share: share(self.strided),
            chased_share: share(chased),
        }
    }
}

/// Windows, joined.
#[derive(Debug)]
pub struct Reuse {
    /// Per bin: accesses found to lie in it, and accesses known to lie in it or beyond.
    events: [f64; BINS],
    at_risk: [f64; BINS],
    sampled: u64,
    /// Of far accesses: those of lines that their window had seen before, and those of lines it had not.
    reused: Far,
    fresh: Far,
    last_of_line: Table,
    /// By site, the line touched last and its distance from the one before.
    last_of_site: Vec<(u64, i64)>,
    tree: Vec<u32>,
}

impl Default for Reuse {
    fn default() -> Self {
        Self {
            events: [0.0; BINS],
            at_risk: [0.0; BINS],
            sampled: 0,
            reused: Far::default(),
            fresh: Far::default(),
            last_of_line: Table::default(),
            last_of_site: Vec::new(),
            tree: Vec::new(),
        }
    }
}

/// The bin of a distance: 0, 1, 2 to 3, 4 to 7, …
fn bin(distance: f64) -> usize {
    let whole = distance.max(0.0) as u64;
    (u64::BITS - whole.leading_zeros()).min(BINS as u32 - 1) as usize
}

impl Reuse {
    /// Takes a window's records in, oldest first; `share` is that of the lines written down, 1 for a dense window.
    pub fn take(&mut self, records: &[u64], share: f64) {
        let dense = share >= 1.0;
        let from = if dense { 0 } else { bin(GRAIN / share) };
        self.last_of_line.clear(records.len());
        self.tree.clear();
        self.tree.resize(records.len() + 1, 0);
        if dense {
            self.last_of_site.clear();
            self.last_of_site.resize(SITES, (u64::MAX, 0));
        }
        let mut distinct = 0_u32;
        for (now, record) in records.iter().enumerate() {
            let line = (record & ((1 << ADDRESS_BITS) - 1)) / LINE_BYTES;
            let before = self.last_of_line.replace(line, now as u32);
            let between = match before {
                Some(last) => {
                    let between = marks(&self.tree, now as u32) - marks(&self.tree, last + 1);
                    mark(&mut self.tree, last, -1);
                    Some(between)
                }
                None => None,
            };
            mark(&mut self.tree, now as u32, 1);
            match between {
                Some(between) => self.reused(f64::from(between) / share, from),
                None => self.censored(f64::from(distinct) / share, from),
            }
            if dense {
                // What a window sees for the first time in its first quarter may be what it uses all the time.
                let new = between.is_none() && now * 4 >= records.len();
                let reused = between.is_some_and(|lines| lines >= FAR);
                self.foreseeable(*record, line, new, reused);
            }
            distinct += u32::from(before.is_none());
        }
        self.sampled += records.len() as u64;
    }

    fn reused(&mut self, distance: f64, from: usize) {
        let found = bin(distance);
        if found >= from {
            self.events[found] += 1.0;
            self.at_risk[from..=found].iter_mut().for_each(|at_risk| *at_risk += 1.0);
        }
    }

    /// At risk in every bin that lies wholly below the distance it surely has.
    fn censored(&mut self, beyond: f64, from: usize) {
        let whole = bin(beyond);
        if whole > from {
            self.at_risk[from..whole].iter_mut().for_each(|at_risk| *at_risk += 1.0);
        }
    }

    /// Whether a far access, of a new line or one of old, lies beside the line that the same operator touched last, or goes on
    /// by its stride.
    fn foreseeable(&mut self, record: u64, line: u64, fresh: bool, reused: bool) {
        let site = ((record >> ADDRESS_BITS) as usize) % SITES;
        let (last, stride) = self.last_of_site[site];
        let step = line.wrapping_sub(last) as i64;
        if step != 0 {
            self.last_of_site[site] = (line, if last == u64::MAX { 0 } else { step });
        }
        if !(fresh || reused) || last == u64::MAX {
            return;
        }
        let far = if fresh { &mut self.fresh } else { &mut self.reused };
        far.all += 1;
        if step.unsigned_abs() <= 1 {
            far.sequential += 1;
        } else if step == stride {
            far.strided += 1;
        } else {
            far.unforeseen[site] += 1;
        }
    }

    /// The histogram of so many accesses to a memory of so many lines, where some sites chase what they read; `None` where
    /// nothing was sampled.
    pub fn histogram(&self, accesses: u64, footprint_lines: f64, chasing: &[u16]) -> Option<ReuseHistogram> {
        if self.sampled == 0 || accesses == 0 {
            return None;
        }
        let mut chasing = chasing.to_vec();
        chasing.sort_unstable();
        chasing.dedup();
        let mut left = accesses as f64;
        let mut bins = Vec::new();
        for bin in 0..BINS {
            if self.at_risk[bin] == 0.0 {
                break;
            }
            let here = left * self.events[bin] / self.at_risk[bin];
            bins.push(here);
            left -= here;
        }
        while bins.last().is_some_and(|last| *last == 0.0) {
            bins.pop();
        }
        Some(ReuseHistogram {
            accesses: bins,
            far_accesses: left.max(0.0),
            footprint_lines,
            reused: self.reused.foresight(&chasing),
            fresh: self.fresh.foresight(&chasing),
            sampled: self.sampled,
        })
    }
}

/// Raises or lowers the mark at a time.
fn mark(tree: &mut [u32], at: u32, by: i32) {
    let mut index = at as usize + 1;
    while index < tree.len() {
        tree[index] = tree[index].wrapping_add_signed(by);
        index += index & index.wrapping_neg();
    }
}

/// Marks before a time.
fn marks(tree: &[u32], before: u32) -> u32 {
    let mut index = before as usize;
    let mut sum = 0_u32;
    while index > 0 {
        sum = sum.wrapping_add(tree[index]);
        index &= index - 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The least distance of a bin.
    fn first_of(bin: usize) -> f64 {
        if bin == 0 { 0.0 } else { 2.0_f64.powi(bin as i32 - 1) }
    }

    fn line(number: u64) -> u64 {
        number * LINE_BYTES
    }

    /// Distances by the definition: distinct lines since the last access of the same one.
    fn by_definition(lines: &[u64]) -> Vec<Option<usize>> {
        let distance = |(now, line): (usize, &u64)| {
            let last = lines[..now].iter().rposition(|other| other == line)?;
            let mut between = lines[last + 1..now].to_vec();
            between.sort_unstable();
            between.dedup();
            Some(between.len())
        };
        lines.iter().enumerate().map(distance).collect()
    }

    #[test]
    fn a_scan_over_and_over_has_one_distance() {
        let records: Vec<u64> = (0..4000).map(|at| line(at % 100)).collect();
        let mut reuse = Reuse::default();
        reuse.take(&records, 1.0);
        let histogram = reuse.histogram(4000, 0.0, &[]).unwrap();
        // Distance 99 lies in bin 7 (64 to 127); the first hundred accesses are censored below and change nothing.
        assert_eq!(histogram.accesses.len(), 8);
        assert!((histogram.accesses[7] - 4000.0).abs() < 1e-6, "{histogram:?}");
        assert_eq!(histogram.far_accesses, 0.0);
        assert_eq!((histogram.misses(64.0), histogram.misses(128.0)), (4000.0, 0.0));
    }

    #[test]
    fn what_never_comes_back_is_far_and_a_scan_is_foreseeable() {
        let records: Vec<u64> = (0..5000).map(line).collect();
        let mut reuse = Reuse::default();
        reuse.take(&records, 1.0);
        let histogram = reuse.histogram(1_000_000, 0.0, &[]).unwrap();
        assert!(histogram.far_accesses > 999_999.0, "{histogram:?}");
        assert_eq!((histogram.fresh.sequential_share, histogram.fresh.strided_share), (1.0, 0.0));
        let mut reuse = Reuse::default();
        reuse.take(&(0..5000).map(|at| line(at * 17)).collect::<Vec<_>>(), 1.0);
        let strided = reuse.histogram(5000, 0.0, &[]).unwrap();
        assert_eq!((strided.fresh.sequential_share, strided.fresh.strided_share), (0.0, 1.0));
    }

    #[test]
    fn a_sparse_window_finds_distances_that_a_dense_one_cannot() {
        // 8192 lines over and over: a dense window of 4096 sees no reuse, a sparse one of an eighth of the lines does.
        let hashed = |line: u64| (line.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u32;
        let mut reuse = Reuse::default();
        reuse.take(&(0..4096).map(line).collect::<Vec<_>>(), 1.0);
        let sparse: Vec<u64> = (0..65536).map(|at| at % 8192).filter(|at| hashed(*at) < 1 << 21).map(line).collect();
        reuse.take(&sparse, 1.0 / 8.0);
        let histogram = reuse.histogram(1000, 0.0, &[]).unwrap();
        let near: f64 = histogram.accesses[..12].iter().sum();
        let there: f64 = histogram.accesses[12..].iter().sum();
        assert!(near < 1.0 && there > 999.0, "{histogram:?}");
    }

    proptest! {
        #[test]
        fn dense_windows_are_exact(lines in prop::collection::vec(0_u64..40, 1..300)) {
            let records: Vec<u64> = lines.iter().map(|number| line(*number)).collect();
            let mut reuse = Reuse::default();
            reuse.take(&records, 1.0);
            let mut expected = [0.0; BINS];
            for distance in by_definition(&lines).into_iter().flatten() {
                expected[bin(distance as f64)] += 1.0;
            }
            prop_assert_eq!(reuse.events, expected);
            let histogram = reuse.histogram(1000, 0.0, &[]).unwrap();
            prop_assert!((histogram.total() - 1000.0).abs() < 1e-6);
        }

        #[test]
        fn bins_hold_the_distances_they_say(distance in 0_u32..u32::MAX) {
            let bin = bin(f64::from(distance));
            prop_assert!(first_of(bin) <= f64::from(distance));
            prop_assert!(bin + 1 == BINS || f64::from(distance) < first_of(bin + 1));
        }
    }
}
