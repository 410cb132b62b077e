//! What a body holds, noted while it is decoded, so that few bodies need be gone through again to tell. Asked by the
//! signatures of cryptography and by the walk.

use crate::formatting::MARK;

/// Constants and displacements of less magnitude are small numbers, and no address of data: what lies so low in memory is
/// left alone by compilers, which begin at 1,024.
const LEAST_ADDRESS: u64 = 64;

/// Operators met, by number below 0x140, and constants worth a look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Census {
    met: [u64; 5],
    /// Constants, and displacements of loads, that may be addresses or words: operator and value.
    pub constants: Vec<(u16, i64)>,
    /// Where the C library's mark of formatted output lies, if it does.
    mark: Option<i64>,
    /// Whether that is addressed.
    pub formats: bool,
}

impl Census {
    /// Begins a body of a module in which the mark of formatted output lies at `mark`.
    pub(super) fn begin(&mut self, mark: Option<i64>) {
        self.met = [0; 5];
        self.constants.clear();
        (self.mark, self.formats) = (mark, false);
    }

    #[inline]
    pub(crate) fn meet(&mut self, code: u16) {
        if let Some(word) = self.met.get_mut(usize::from(code >> 6)) {
            *word |= 1 << (code & 63);
        }
    }

    /// Notes the constant, or displacement of a load, of an operator that was met.
    #[inline]
    pub(crate) fn note(&mut self, code: u16, value: i64) {
        if value.unsigned_abs() >= LEAST_ADDRESS {
            self.constants.push((code, value));
            self.formats |=
                code == 0x41 && self.mark.is_some_and(|mark| (mark..mark + MARK.len() as i64).contains(&value));
        }
    }

    /// Whether any of these operators is there.
    pub(crate) fn any(&self, codes: &[u16]) -> bool {
        codes.iter().any(|&code| self.met[usize::from(code >> 6)] & (1 << (code & 63)) != 0)
    }
}
