//! How much of a program is laid out: a share of its code, so that the whole analysis takes as long as decoding it all twice,
//! whatever its size.
//!
//! Laying a function out takes some two times as long as decoding it, with what the sums of the run take of it some four
//! times, and [`FOLLOWED`] times that where values are followed through loops. Looking at all code by its shapes takes nine
//! tenths of decoding it, which leaves about a sixth of the code to be laid out, and half as much in detail. A function that
//! would take more than is left is laid out all the same, without its values.

use crate::Budget;

/// The share of a program's code that may be laid out, those functions first that are likeliest to matter.
const SHARE: u64 = 6;

/// Code bytes of a program that is understood whole. A choice: that takes a millisecond, which is no time to save on a program of
/// one purpose, whose loops are all that it does.
const WHOLE: u64 = 16 << 10;

/// Code bytes that may be laid out of any larger one. A choice: of 47 programs of `/usr/bin` as many loops and functions are shown
/// as with twice as much, while half as much shows some hundredths less and saves little.
const LEAST: u64 = 8 << 10;

/// How many times as long laying a function out takes where something in it repeats, so that values are followed: of lsipc and
/// journalctl ten times decoding it with what the sums take, and four without (callgrind).
const FOLLOWED: u64 = 3;

/// Code bytes that may be laid out, in general and once more in detail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budgets {
    pub laid_out: u64,
    pub detail: u64,
}

impl Budgets {
    /// For a program with so much code; no more than is `hurried` for in a first run.
    pub(super) fn of(code_bytes: u64, hurried: Option<Budget>) -> Self {
        let share = if code_bytes <= WHOLE { FOLLOWED * code_bytes } else { LEAST.max(code_bytes / SHARE) };
        let laid_out = hurried.map_or(share, |budget| share.min(budget.nearest as u64));
        Self { laid_out, detail: laid_out / 2 }
    }
}

/// What laying a function of so many bytes out takes of a budget, where something in it repeats or not.
pub(super) fn cost(repeats: bool, bytes: u64) -> u64 {
    if repeats { FOLLOWED * bytes } else { bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_programs_are_understood_whole_and_large_ones_by_share() {
        let laid_out = |code_bytes| Budgets::of(code_bytes, None).laid_out;
        assert!(laid_out(WHOLE) >= cost(true, WHOLE));
        assert_eq!((laid_out(WHOLE + 1), laid_out(6 << 20)), (LEAST, 1 << 20));
        let hurried = Budget { whole: 64 << 10, nearest: 24 << 10 };
        assert_eq!(Budgets::of(8 << 20, Some(hurried)).laid_out, 24 << 10);
        assert_eq!(Budgets::of(100 << 10, Some(hurried)).laid_out, laid_out(100 << 10));
    }
}
