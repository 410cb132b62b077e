//! What a body holds, noted while it is decoded, so that few bodies need be gone through again to tell. Asked by the
//! signatures of cryptography and by the walk.

use crate::formatting::MARK;

/// Constants and displacements of less magnitude are small numbers, and no address of data: what lies so low in memory is
/// left alone by compilers, which begin at 1,024.
const LEAST_ADDRESS: u64 = 64;

/// Operators told apart: all with numbers below this.
const CODES: usize = 0x140;

/// Whether an operator is counted, since some signature asks for it: logic, shifts, rotations and multiplication of
/// integers, not the half of all operators that move values about.
#[inline]
pub(crate) fn counted(code: u16) -> bool {
    matches!(code, 0x71..=0x8a | 0x115 | 0x116)
}

/// The operators met that are counted, and constants worth a look.
#[derive(Debug, Clone)]
pub(crate) struct Census {
    /// How often each was met, up to 255 times.
    met: [u8; CODES],
    /// Constants, and displacements of loads, that may be addresses or words: operator and value.
    pub constants: Vec<(u16, i64)>,
    /// Where the C library's mark of formatted output lies, if it does and the function takes a format.
    mark: Option<i64>,
    /// Which of the mark's characters are addressed, a bit for each.
    marked: u16,
}

impl Default for Census {
    fn default() -> Self {
        Self { met: [0; CODES], constants: Vec::new(), mark: None, marked: 0 }
    }
}

impl Census {
    /// Begins a body of a module in which the mark of formatted output lies at `mark`.
    pub(super) fn begin(&mut self, mark: Option<i64>) {
        self.met = [0; CODES];
        self.constants.clear();
        (self.mark, self.marked) = (mark, 0);
    }

    /// Notes an operator, where it is counted.
    #[inline]
    pub(crate) fn meet(&mut self, code: u16) {
        if !counted(code) {
            return;
        }
        if let Some(times) = self.met.get_mut(usize::from(code)) {
            *times = times.saturating_add(1);
        }
    }

    /// Notes the constant, or displacement of a load, of an operator that was met.
    #[inline]
    pub(crate) fn note(&mut self, code: u16, value: i64) {
        if value.unsigned_abs() >= LEAST_ADDRESS {
            self.constants.push((code, value));
            let place = self.mark.filter(|_| code == 0x41).map(|mark| value.wrapping_sub(mark));
            if let Some(place) = place.filter(|place| (0..MARK.len() as i64).contains(place)) {
                self.marked |= 1 << place;
            }
        }
    }

    /// Whether the function formats output: it takes several of the mark's characters for the beginning of a prefix. The address of
    /// one of them may as well be that of an array's element before its first.
    pub(crate) fn formats(&self) -> bool {
        self.marked.count_ones() >= 2
    }

    /// Whether any of these operators, which are counted, is there.
    pub(crate) fn any(&self, codes: &[u16]) -> bool {
        self.count(codes) > 0
    }

    /// How many of these operators, which are counted, are there, each counted up to 255 times.
    pub(crate) fn count(&self, codes: &[u16]) -> u32 {
        debug_assert!(codes.iter().all(|&code| counted(code)), "{codes:?} are not counted");
        codes.iter().map(|&code| u32::from(self.met[usize::from(code)])).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_within_the_mark_is_no_formatting() {
        let formats = |mark: Option<i64>, constants: &[(u16, i64)]| {
            let mut census = Census::default();
            census.begin(mark);
            constants.iter().for_each(|&(code, value)| census.note(code, value));
            census.formats()
        };
        let prefixes = [(0x41, 1000), (0x41, 1001), (0x41, 1005)];
        assert!(formats(Some(1000), &prefixes));
        assert!(!formats(Some(1000), &[(0x41, 1009), (0x41, 1009), (0x41, 1010), (0x41, 999)]), "the end of it alone");
        assert!(!formats(Some(1000), &[(0x41, 1000), (0x28, 1001)]), "a displacement is no pointer");
        assert!(!formats(None, &prefixes), "no format is taken");
    }
}
