//! Counting operators by class: the classes as small numbers, with the bytes they move and the width of their vectors
//! beside them.

use forewarm_types::OpClass;

/// Number of the counter of loaded bytes; classes come before it, in the order of [`OpClass::ALL`].
pub(crate) const LOAD_BYTES: usize = 21;
/// Number of the counter of stored bytes.
pub(crate) const STORE_BYTES: usize = 22;
/// Numbers of the counters of instructions on vectors of each width, in bits.
pub(crate) const VECTORS: [(usize, u32); 3] = [(23, 128), (24, 256), (25, 512)];
/// Number of counters.
pub(crate) const COUNTERS: usize = 26;

/// Counts of straight-line code, cheap to clear.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: [u32; COUNTERS],
    touched: u32,
}

impl Tally {
    pub(crate) fn add(&mut self, counter: usize, amount: u32) {
        self.counts[counter] += amount;
        self.touched |= 1 << counter;
    }

    /// Appends what was counted to `mixes` as a list preceded by its length, and starts again; the list's index.
    pub(crate) fn flush(&mut self, mixes: &mut Vec<(u32, u32)>) -> u32 {
        let index = mixes.len() as u32;
        mixes.push((self.touched.count_ones(), 0));
        while self.touched != 0 {
            let counter = self.touched.trailing_zeros();
            self.touched &= self.touched - 1;
            mixes.push((counter, std::mem::take(&mut self.counts[counter as usize])));
        }
        index
    }
}

/// The class with a number.
pub(crate) fn class(counter: usize) -> Option<OpClass> {
    OpClass::ALL.get(counter).copied()
}
