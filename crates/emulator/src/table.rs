//! A hash table from lines to times with open addressing, emptied in no time. Called by [`crate::reuse`].

/// Lines with the time each was last seen.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Line, time, and the generation in which the entry was made.
    entries: Vec<(u64, u32, u32)>,
    generation: u32,
    shift: u32,
}

impl Table {
    /// Empties it, and makes room for so many lines at a load of at most a half.
    pub fn clear(&mut self, lines: usize) {
        let wanted = (2 * lines.max(8)).next_power_of_two();
        self.generation = self.generation.wrapping_add(1);
        if self.entries.len() < wanted || self.generation == 0 {
            self.entries = vec![(0, 0, 0); wanted.max(self.entries.len())];
            self.generation = 1;
        }
        self.shift = 64 - self.entries.len().trailing_zeros();
    }

    /// Puts a line's time in and returns the one before; more lines than there is room for must not be put in.
    pub fn replace(&mut self, line: u64, time: u32) -> Option<u32> {
        // Multiplicative hashing with linear probing (Knuth, TAOCP 3, 6.4), by a multiplier of MurmurHash3: another than
        // that by which sparse windows choose their lines, or these would all lie together.
        let mut at = (line.wrapping_mul(0xff51_afd7_ed55_8ccd) >> self.shift) as usize;
        loop {
            let entry = &mut self.entries[at];
            if entry.2 != self.generation {
                *entry = (line, time, self.generation);
                return None;
            }
            if entry.0 == line {
                return Some(std::mem::replace(&mut entry.1, time));
            }
            at = (at + 1) & (self.entries.len() - 1);
        }
    }
}
