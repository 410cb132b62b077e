//! How many branches a processor would foresee wrongly: a branch predictor, simulated over windows of the branches that a
//! program executed.
//!
//! The predictor is TAGE (Seznec and Michaud, "A case for (partially) tagged geometric history length branch prediction",
//! JILP 2006), which what is known of processors since about 2013 resembles: a table of two-bit counters, and tables found
//! by hashes of ever longer histories, the longest that matches having the word. Entries hold a target instead of a direction
//! (ITTAGE: Seznec, CBP-3 2011), so that `br_if`, `br_table` and indirect calls are foreseen alike. Its size, some eight
//! kilobytes, and its lengths of history are those of the smaller predictors of these papers; what a real one does with few
//! branches it does too, and with many either begins to forget. What a misprediction costs is measured by the calibration
//! with branches whose mispredictions this same predictor counts. Called by [`crate::counting`].

use forewarm_types::counts::BranchSample;

/// Entries of the table that knows no history, and of each of the others: powers of two.
const BASE: usize = 1 << 12;
const TAGGED: usize = 1 << 10;

/// Branches of history that each tagged table looks at: a geometric series.
const HISTORIES: [u32; 6] = [4, 8, 16, 32, 64, 128];

/// Bits of a tag.
const TAG_BITS: u32 = 11;

/// Most confidence of an entry: with its direction, a two-bit counter in the base, a three-bit one in the others.
const BASE_CONFIDENCE: u8 = 1;
const TAGGED_CONFIDENCE: u8 = 3;

/// Most an entry's usefulness counts to, and branches after which all of it is halved.
const MOST_USEFUL: u8 = 3;
const AGEING: u64 = 1 << 17;

/// Branches at a window's beginning that are not judged: until the history is that of the window.
const UNJUDGED: usize = 128;

/// The multiplier of Fibonacci hashing (Knuth, TAOCP 3, 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A prediction with its confidence.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    target: u16,
    confidence: u8,
}

impl Entry {
    /// Moves towards what happened.
    fn train(&mut self, target: u16, most: u8) {
        if self.target == target {
            self.confidence = (self.confidence + 1).min(most);
        } else if self.confidence > 0 {
            self.confidence -= 1;
        } else {
            self.target = target;
        }
    }
}

/// An entry that only branches with its history find.
#[derive(Debug, Clone, Copy, Default)]
struct Tagged {
    entry: Entry,
    tag: u16,
    useful: u8,
}

/// The predictor, and how it did.
#[derive(Debug)]
pub(crate) struct Branches {
    base: Vec<Entry>,
    tables: Vec<Vec<Tagged>>,
    history: u128,
    seen: u64,
    sample: BranchSample,
}

impl Default for Branches {
    fn default() -> Self {
        Self {
            base: vec![Entry::default(); BASE],
            tables: vec![vec![Tagged::default(); TAGGED]; HISTORIES.len()],
            history: 0,
            seen: 0,
            sample: BranchSample::default(),
        }
    }
}

/// A branch's record: which one, and where it went.
pub(crate) fn record(site: u32) -> u64 {
    u64::from(site) << 32
}

impl Branches {
    /// Takes a window's records in, oldest first.
    pub fn take(&mut self, records: &[u64]) {
        // What is seen for the first time in the first window may be what the program does all the time.
        let unjudged = if self.seen == 0 { (records.len() / 4).max(UNJUDGED) } else { UNJUDGED };
        for (number, record) in records.iter().enumerate() {
            let foreseen = self.step((record >> 32) as u32, *record as u16);
            if number >= unjudged {
                self.sample.sampled += 1;
                self.sample.mispredicted += u64::from(!foreseen);
            }
        }
    }

    /// What was found; `None` where nothing was judged.
    pub fn sample(&self) -> Option<BranchSample> {
        (self.sample.sampled > 0).then_some(self.sample)
    }

    /// One branch: whether it was foreseen.
    fn step(&mut self, site: u32, target: u16) -> bool {
        let places = self.places(site);
        let base = (u64::from(site).wrapping_mul(GOLDEN) >> 40) as usize % BASE;
        let mut matching = (0..self.tables.len()).rev().filter(|table| {
            let (index, tag) = places[*table];
            self.tables[*table][index].tag == tag
        });
        let (provider, other) = (matching.next(), matching.next());
        let said = |table: Option<usize>| {
            table.map_or(self.base[base].target, |table| self.tables[table][places[table].0].entry.target)
        };
        let (first, second) = (said(provider), said(other));
        // An entry that was just made has proved nothing yet.
        let fresh = provider.is_some_and(|table| {
            let found = self.tables[table][places[table].0];
            found.entry.confidence == 0 && found.useful == 0
        });
        let prediction = if fresh { second } else { first };
        match provider {
            None => self.base[base].train(target, BASE_CONFIDENCE),
            Some(table) => {
                let found = &mut self.tables[table][places[table].0];
                if first != second {
                    let useful = if first == target { found.useful + 1 } else { found.useful.saturating_sub(1) };
                    found.useful = useful.min(MOST_USEFUL);
                }
                found.entry.train(target, TAGGED_CONFIDENCE);
                if fresh && other.is_none() {
                    self.base[base].train(target, BASE_CONFIDENCE);
                }
            }
        }
        if prediction != target {
            self.allocate(provider.map_or(0, |table| table + 1), &places, target);
        }
        self.remember(site, target);
        prediction == target
    }

    /// Index and tag in each table.
    fn places(&self, site: u32) -> [(usize, u16); HISTORIES.len()] {
        std::array::from_fn(|table| {
            let length = HISTORIES[table];
            let history = if length < 128 { self.history & ((1 << length) - 1) } else { self.history };
            let folded = (history ^ (history >> 64)) as u64;
            let hash =
                (u64::from(site) ^ folded.wrapping_mul(GOLDEN).rotate_left(17 + table as u32)).wrapping_mul(GOLDEN);
            // A tag is never 0, which is that of an entry nobody owns.
            ((hash >> 48) as usize % TAGGED, (hash >> 20) as u16 & ((1 << TAG_BITS) - 1) | 1 << TAG_BITS)
        })
    }

    /// Takes over an entry of no use in the first table of longer history that has one; where none has, all become less useful.
    fn allocate(&mut self, from: usize, places: &[(usize, u16); HISTORIES.len()], target: u16) {
        for (table, (index, tag)) in self.tables.iter_mut().zip(places).skip(from) {
            let found = &mut table[*index];
            if found.useful == 0 {
                *found = Tagged { entry: Entry { target, confidence: 0 }, tag: *tag, useful: 0 };
                return;
            }
        }
        for (table, (index, _)) in self.tables.iter_mut().zip(places).skip(from) {
            table[*index].useful -= 1;
        }
    }

    fn remember(&mut self, site: u32, target: u16) {
        // Of a branch with two ways one bit says all; of others, a hash of the way taken.
        let bit = if target > 1 { (u32::from(target).wrapping_mul(0x9e37) >> 7) ^ site } else { u32::from(target) };
        self.history = self.history << 1 | u128::from(bit & 1);
        self.seen += 1;
        if self.seen.is_multiple_of(AGEING) {
            self.tables.iter_mut().flatten().for_each(|found| found.useful /= 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use forewarm_types::host::Randomness;

    use super::*;
    use crate::generate::SplitMix64;

    /// Share of mispredicted branches over several windows of these.
    fn rate(mut next: impl FnMut(u64) -> (u32, u16)) -> f64 {
        let mut branches = Branches::default();
        for window in 0..8_u64 {
            let records = (0..8192).map(|number| {
                let (site, target) = next(window * 8192 + number);
                record(site) | u64::from(target)
            });
            branches.take(&records.collect::<Vec<_>>());
        }
        let sample = branches.sample().unwrap_or_default();
        sample.mispredicted as f64 / sample.sampled as f64
    }

    #[test]
    fn what_always_goes_one_way_is_foreseen() {
        assert!(rate(|_| (7, 1)) < 1e-3);
        assert!(rate(|number| (number as u32 % 50, (number % 50 > 20) as u16)) < 1e-3);
    }

    #[test]
    fn patterns_are_learnt_and_counted_loops_end_where_they_should() {
        // Period 3, 7 and 24: a loop's branch back, and its end.
        for period in [3, 7, 24] {
            let rate = rate(|number| (1, u16::from(!number.is_multiple_of(period))));
            assert!(rate < 0.02, "period {period}: {rate}");
        }
        // A branch that goes as the one before it, which nobody foresees.
        let mut random = SplitMix64::new(3);
        let mut way = 0;
        let rate = rate(|number| {
            if number.is_multiple_of(2) {
                way = (random.next_u64() >> 63) as u16;
            }
            (number as u32 % 2, way)
        });
        assert!((0.2..0.32).contains(&rate), "{rate}");
    }

    #[test]
    fn chance_cannot_be_foreseen() {
        for (odds, least, most) in [(2, 0.42, 0.58), (8, 0.10, 0.22)] {
            let mut random = SplitMix64::new(9);
            let rate = rate(|_| (3, u16::from(random.next_u64().is_multiple_of(odds))));
            assert!((least..most).contains(&rate), "one in {odds}: {rate}");
        }
    }

    #[test]
    fn targets_of_a_table_follow_their_history() {
        // An interpreter in a loop of ten instructions of different kinds, and one whose instructions follow no rule.
        let program = [3_u16, 1, 4, 1, 5, 9, 2, 6, 5, 8];
        let steady = rate(|number| (5, program[(number % 10) as usize]));
        assert!(steady < 0.05, "{steady}");
        let mut random = SplitMix64::new(5);
        let wild = rate(|_| (5, (random.next_u64() % 8) as u16));
        assert!((0.8..0.95).contains(&wild), "{wild}");
    }
}
