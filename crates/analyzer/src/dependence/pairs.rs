//! Two references to memory and a loop around both: can different iterations of the loop touch the same bytes?
//!
//! Exact for rectangular nests with constant trip counts; where a trip count or a slope is a symbol, the rows of a
//! matrix are told apart by comparing a row's length with the distance between rows. Called by the recorder.

use std::cell::Cell;

use super::reference::{Reference, Slope};
use super::solve::{Answer, Combination};
use crate::hash::QuickMap;
use crate::trip_count::Formula;
use crate::values::Apart;

/// Bytes that 32-bit addresses tell apart.
const ADDRESSES: i64 = 1 << 32;

/// Trip counts up to which every distance between two iterations is tried.
const SHORT: i64 = 64;

/// A loop of the nest as far as the test needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    /// Iterations, at most; `None` where they are not bounded by a constant.
    pub trips: Option<i64>,
    /// The trip count as an expression.
    pub formula: Option<Formula>,
    /// The loop around it, by its place among the function's loops.
    pub parent: Option<u32>,
}

/// What came of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlap {
    /// Different iterations never touch the same bytes.
    Never,
    /// They do.
    Sometimes,
    /// They do not if this symbol is at least this number.
    NotIfAtLeast { symbol: u32, least: i64 },
    /// The two start at bases that cannot be compared.
    Bases,
    /// Not decided.
    Unknown,
}

/// The nest that the test looks at.
pub(crate) struct Nest<'a> {
    pub ranges: &'a [Range],
    /// The loop whose iterations are told apart.
    pub of: u32,
    /// Distances between iterations that may still be tried.
    pub distances: &'a Cell<usize>,
}

/// What came of pairs of one nest so far: those that lie as far apart, move alike and are as wide are tested once.
#[derive(Debug, Default)]
pub(crate) struct Tested<'a> {
    /// References that move unlike or are of unlike width, each the first of its kind.
    kinds: Vec<&'a Reference>,
    /// By distance and kinds.
    overlaps: QuickMap<(i64, u32, u32), Overlap>,
}

impl<'a> Tested<'a> {
    fn kind(&mut self, reference: &'a Reference) -> u32 {
        let like = |known: &&Reference| known.width == reference.width && known.slopes == reference.slopes;
        self.kinds.iter().position(like).unwrap_or_else(|| {
            self.kinds.push(reference);
            self.kinds.len() - 1
        }) as u32
    }
}

impl Nest<'_> {
    /// Tests a pair of regular references to one space.
    pub(crate) fn pair<'r>(&self, first: &'r Reference, second: &'r Reference, tested: &mut Tested<'r>) -> Overlap {
        let apart = match first.base.apart(&second.base) {
            Apart::By(constant) => constant,
            Apart::Unlike => return Overlap::Bases,
            Apart::Unknown => return Overlap::Unknown,
        };
        let key = (apart, tested.kind(first), tested.kind(second));
        *tested.overlaps.entry(key).or_insert_with(|| self.so_far_apart(first, second, apart))
    }

    /// Tests two references whose bases lie a number of bytes apart.
    fn so_far_apart(&self, first: &Reference, second: &Reference, apart: i64) -> Overlap {
        if self.trips(self.of) == Some(1) {
            return Overlap::Never;
        }
        // Beyond the address space, addresses come round again.
        if self.span(first).max(self.span(second)) > ADDRESSES {
            return Overlap::Unknown;
        }
        if !self.same_outside(first, second) {
            return Overlap::Unknown;
        }
        let symbolic = |slope: &Slope| slope.symbol.is_some() && !self.outside(slope.of);
        if first.slopes.iter().chain(&second.slopes).any(symbolic) {
            return self.rows(first, second, apart);
        }
        match self.reaches(first, second, apart) {
            Answer::Never => Overlap::Never,
            // An inner loop that runs on and on meets anything: how far it runs decides.
            Answer::Sometimes if self.bounded(first) && self.bounded(second) => Overlap::Sometimes,
            Answer::Sometimes | Answer::Undecided => Overlap::Unknown,
        }
    }

    /// Whether a loop runs while the one whose iterations are told apart does: it is that one or inside it.
    pub(crate) fn runs(&self, of: u32) -> bool {
        !self.outside(of)
    }

    /// Whether data computes the address of a reference while that loop runs.
    pub(crate) fn irregular(&self, reference: &Reference) -> bool {
        reference.irregular.is_some_and(|of| self.runs(of))
    }

    fn trips(&self, of: u32) -> Option<i64> {
        self.ranges.get(of as usize)?.trips
    }

    /// Whether a loop that an access lies in lies around the one whose iterations are told apart, as the access does too:
    /// loops are numbered as they begin, the outer ones first.
    fn outside(&self, of: u32) -> bool {
        of < self.of
    }

    /// Whether symbolic slopes of loops outside are the same for both, and so of no account.
    fn same_outside(&self, first: &Reference, second: &Reference) -> bool {
        let has = |reference: &Reference, slope: &Slope| reference.slopes.contains(slope);
        let alone = |slope: &Slope| slope.symbol.is_some() && self.outside(slope.of);
        !first.slopes.iter().any(|slope| alone(slope) && !has(second, slope))
            && !second.slopes.iter().any(|slope| alone(slope) && !has(first, slope))
    }

    /// Bytes from the lowest to the highest address, in loops with constant trip counts.
    fn span(&self, reference: &Reference) -> i64 {
        let moved = |slope: &Slope| {
            let trips = self.trips(slope.of).filter(|_| slope.symbol.is_none());
            slope.bytes.saturating_abs().saturating_mul(trips.map_or(0, |trips| trips - 1))
        };
        reference.slopes.iter().map(moved).fold(reference.width, i64::saturating_add)
    }

    /// Whether all loops inside this one with which a reference moves have a constant trip count.
    fn bounded(&self, reference: &Reference) -> bool {
        reference
            .slopes
            .iter()
            .all(|slope| slope.of == self.of || self.outside(slope.of) || self.trips(slope.of).is_some())
    }

    /// Whether an earlier or a later iteration of the second meets the first.
    fn reaches(&self, first: &Reference, second: &Reference, apart: i64) -> Answer {
        let mut common = Combination::new(apart);
        for (mine, other, sign) in [(first, second, 1_i64), (second, first, -1)] {
            for slope in mine.slopes.iter().filter(|slope| slope.of != self.of && slope.symbol.is_none()) {
                let greatest = self.trips(slope.of).map(|trips| trips - 1);
                let bytes = sign.wrapping_mul(slope.bytes);
                match other.bytes(slope.of) {
                    // In a loop outside, both are in the same iteration; it is counted once.
                    Some(theirs) if self.outside(slope.of) && sign == 1 => {
                        common.add(bytes.wrapping_sub(theirs), greatest);
                    }
                    Some(theirs) if self.outside(slope.of) && theirs != 0 => {}
                    _ => common.add(bytes, greatest),
                }
            }
        }
        let (a, b) = (first.bytes(self.of).unwrap_or(0), second.bytes(self.of).unwrap_or(0));
        // Wherever the two are, they may lie apart.
        let last = self.trips(self.of).map(|trips| trips - 1);
        let mut anywhere = common;
        anywhere.add(a, last);
        anywhere.add(b.wrapping_neg(), last);
        if anywhere.meets(1 - first.width.max(1), second.width.max(1) - 1) == Answer::Never {
            return Answer::Never;
        }
        let later = self.trips(self.of).map(|trips| trips - 2);
        let all = self.window(&common, first, second, (a, b), (later, later));
        if a == b || all != Answer::Sometimes {
            return all;
        }
        // Where the two move unlike, an iteration and the distance from it bound each other.
        if let Some(trips) = self.trips(self.of).filter(|&trips| trips <= SHORT && self.affords(trips as usize)) {
            return (1..trips).fold(Answer::Never, |found, distance| match found {
                Answer::Sometimes => found,
                _ => self.at_distance(&common, first, second, (a, b), (distance, trips)).max(found),
            });
        }
        // Half of each fits surely.
        let half = later.map(|later| later / 2);
        match self.window(&common, first, second, (a, b), (half, half)) {
            Answer::Sometimes => Answer::Sometimes,
            Answer::Never | Answer::Undecided => Answer::Undecided,
        }
    }

    /// Whether so many distances may be tried.
    fn affords(&self, distances: usize) -> bool {
        let left = self.distances.get().checked_sub(distances);
        self.distances.set(left.unwrap_or(self.distances.get()));
        left.is_some()
    }

    /// Whether the two touch this many iterations apart, either way.
    fn at_distance(
        &self,
        common: &Combination,
        first: &Reference,
        second: &Reference,
        (a, b): (i64, i64),
        (distance, trips): (i64, i64),
    ) -> Answer {
        let ask = |per_iteration: i64| {
            let mut question = *common;
            question.add(a.wrapping_sub(b), Some(trips - 1 - distance));
            question.shift(per_iteration.wrapping_mul(distance));
            question.meets(1 - first.width.max(1), second.width.max(1) - 1)
        };
        ask(b.wrapping_neg()).max(ask(a))
    }

    /// Whether the two touch, `1 + later` iterations apart either way, `a` and `b` being their slopes.
    fn window(
        &self,
        common: &Combination,
        first: &Reference,
        second: &Reference,
        (a, b): (i64, i64),
        (start, later): (Option<i64>, Option<i64>),
    ) -> Answer {
        let (low, high) = (1 - first.width.max(1), second.width.max(1) - 1);
        let mut answer = Answer::Never;
        for per_iteration in [b.wrapping_neg(), a] {
            let mut question = *common;
            question.add(a.wrapping_sub(b), start);
            question.add(per_iteration, later);
            question.shift(per_iteration);
            match question.meets(low, high) {
                Answer::Never => {}
                Answer::Sometimes => return Answer::Sometimes,
                Answer::Undecided => answer = Answer::Undecided,
            }
        }
        answer
    }

    /// The rows of a matrix: one loop moves by a symbol times a number of bytes, from row to row, and at most one other
    /// by a number of bytes within a row. Rows as long as they lie apart do not overlap.
    fn rows(&self, first: &Reference, second: &Reference, apart: i64) -> Overlap {
        if !first.moves_with(second) {
            return Overlap::Unknown;
        }
        let inside = |slope: &&Slope| !self.outside(slope.of);
        let (across, within): (Vec<_>, Vec<_>) =
            first.slopes.iter().filter(inside).partition(|slope| slope.symbol.is_some());
        let &[&Slope { of: outer, bytes: row, symbol: Some(by) }] = &across[..] else { return Overlap::Unknown };
        // From the first byte that one place in a row touches to the last.
        let width = first.width.max(second.width).saturating_add(apart.saturating_abs());
        match within[..] {
            [] if outer == self.of => Overlap::NotIfAtLeast { symbol: by, least: ceil(width, row) },
            // Without a slope of its own, the loop comes back to the same place.
            [&Slope { of, bytes, .. }] if outer == self.of || (of == self.of && bytes.saturating_abs() >= width) => {
                self.row_fits(of, bytes, row, by, width)
            }
            _ => Overlap::Unknown,
        }
    }

    /// Rows `row * by` bytes apart, each walked in steps of `step` bytes by a loop with a trip count in `by`.
    fn row_fits(&self, walk: u32, step: i64, row: i64, by: u32, width: i64) -> Overlap {
        let (step, row) = (step.saturating_abs(), row.saturating_abs());
        if let Some(trips) = self.trips(walk) {
            let length = step.saturating_mul(trips - 1).saturating_add(width);
            return Overlap::NotIfAtLeast { symbol: by, least: ceil(length, row) };
        }
        let formula = self.ranges.get(walk as usize).and_then(|range| range.formula);
        let Some(formula) = formula.filter(|formula| formula.per.is_none() && formula.step > 0) else {
            return Overlap::Unknown;
        };
        let &[(symbol, coefficient)] = formula.terms.terms() else { return Overlap::Unknown };
        // The trips are `ceil((coefficient * by + constant) / formula.step) + 1`, a row `step * (trips - 1) + width`.
        let scaled = |value: i64| i128::from(step) * i128::from(value);
        let own = i128::from(formula.step);
        let extra = scaled(formula.terms.constant) + scaled(formula.step - 1) + i128::from(width) * own;
        let slack = i128::from(row) * own - scaled(coefficient);
        if symbol != by || slack < 0 || extra > 0 {
            return Overlap::Unknown;
        }
        // A loop that runs once all the same touches `width` bytes.
        Overlap::NotIfAtLeast { symbol: by, least: ceil(width, row) }
    }
}

/// A quotient rounded up, of a positive number and a magnitude.
fn ceil(number: i64, by: i64) -> i64 {
    let by = by.saturating_abs().max(1);
    number.div_euclid(by).saturating_add(i64::from(number.rem_euclid(by) != 0))
}
