//! Two references to memory and a loop around both: can different iterations of the loop touch the same bytes?
//!
//! Exact for rectangular nests with constant trip counts; where a trip count or a slope is a symbol, the rows of a
//! matrix are told apart by comparing a row's length with the distance between rows. Called by the recorder.

use std::cell::{Cell, OnceCell};

use super::reference::{Reference, Slope};
use super::solve::{Answer, Combination, Question};
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
#[derive(Default)]
pub(crate) struct Tested {
    /// References that move unlike or are of unlike width, each the first of its kind, by place.
    kinds: Vec<usize>,
    /// The kind of each reference that was met, by place, plus one.
    kind_of: Vec<u32>,
    /// By kinds.
    relations: QuickMap<(u32, u32), Relation>,
    /// By distance and kinds.
    overlaps: QuickMap<(i64, u32, u32), Overlap>,
}

impl Tested {
    fn kind(&mut self, all: &[Reference], at: usize) -> u32 {
        if self.kind_of.is_empty() {
            self.kind_of.resize(all.len(), 0);
        }
        if let Some(known) = self.kind_of[at].checked_sub(1) {
            return known;
        }
        let like = |&known: &usize| all[known].width == all[at].width && all[known].slopes == all[at].slopes;
        let kind = self.kinds.iter().position(like).unwrap_or(self.kinds.len());
        if kind == self.kinds.len() {
            self.kinds.push(at);
        }
        self.kind_of[at] = kind as u32 + 1;
        kind as u32
    }
}

/// What tells of references of two kinds, however far apart they lie.
enum Relation {
    Settled(Overlap),
    /// One moves by a symbol.
    Rows,
    Moves(Box<Moves>),
}

/// References that move by numbers.
struct Moves {
    /// What the loops do but for the one in question.
    common: Combination,
    /// By how much that moves either.
    by: (i64, i64),
    /// How far the second may begin from the first and still touch it.
    touching: (i64, i64),
    /// Wherever the two are in the loop.
    anywhere: Question,
    /// The first is in an earlier iteration, and in a later one; told where the two may meet anywhere.
    later: OnceCell<[Question; 2]>,
    /// Whether all loops inside have a constant trip count.
    bounded: bool,
}

impl Moves {
    /// Whether the two meet at any distance between iterations, of which there are so many.
    fn at_each_distance(&self, apart: i64, trips: i64) -> Answer {
        let (a, b) = self.by;
        let (low, high) = self.touching;
        let (moved, last) = (a.wrapping_sub(b), trips - 1);
        // Both in one iteration; the further they are from each other, the fewer iterations the earlier of them can be in.
        let mut together = self.common;
        together.add(moved, Some(last));
        let mut together = together.question();
        let mut answer = Answer::Never;
        for distance in 1..trips {
            together.lengthen(moved, -1);
            for per_iteration in [b.wrapping_neg(), a] {
                let apart = apart.wrapping_add(per_iteration.wrapping_mul(distance));
                answer = together.meets(apart, low, high).max(answer);
                if answer == Answer::Sometimes {
                    return answer;
                }
            }
        }
        answer
    }
}

impl Nest<'_> {
    /// Tests a pair of regular references to one space, by their places.
    pub(crate) fn pair(&self, all: &[Reference], (one, other): (usize, usize), tested: &mut Tested) -> Overlap {
        let (first, second) = (&all[one], &all[other]);
        let apart = match first.base.apart(&second.base) {
            Apart::By(constant) => constant,
            Apart::Unlike => return Overlap::Bases,
            Apart::Unknown => return Overlap::Unknown,
        };
        let kinds = (tested.kind(all, one), tested.kind(all, other));
        let Tested { relations, overlaps, .. } = tested;
        *overlaps.entry((apart, kinds.0, kinds.1)).or_insert_with(|| {
            match relations.entry(kinds).or_insert_with(|| self.relation(first, second)) {
                Relation::Settled(overlap) => *overlap,
                Relation::Rows => self.rows(first, second, apart),
                Relation::Moves(moves) => match self.reaches(moves, apart) {
                    Answer::Never => Overlap::Never,
                    // An inner loop that runs on and on meets anything: how far it runs decides.
                    Answer::Sometimes if moves.bounded => Overlap::Sometimes,
                    Answer::Sometimes | Answer::Undecided => Overlap::Unknown,
                },
            }
        })
    }

    /// What tells of two references, however far apart their bases lie.
    fn relation(&self, first: &Reference, second: &Reference) -> Relation {
        if self.trips(self.of) == Some(1) {
            return Relation::Settled(Overlap::Never);
        }
        // Beyond the address space, addresses come round again.
        if self.span(first).max(self.span(second)) > ADDRESSES {
            return Relation::Settled(Overlap::Unknown);
        }
        if !self.same_outside(first, second) {
            return Relation::Settled(Overlap::Unknown);
        }
        let symbolic = |slope: &Slope| slope.symbol.is_some() && !self.outside(slope.of);
        if first.slopes.iter().chain(&second.slopes).any(symbolic) {
            return Relation::Rows;
        }
        Relation::Moves(Box::new(self.moves(first, second)))
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

    /// How two references move.
    fn moves(&self, first: &Reference, second: &Reference) -> Moves {
        let mut common = Combination::default();
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
        let last = self.trips(self.of).map(|trips| trips - 1);
        let mut anywhere = common;
        anywhere.add(a, last);
        anywhere.add(b.wrapping_neg(), last);
        Moves {
            common,
            by: (a, b),
            touching: (1 - first.width.max(1), second.width.max(1) - 1),
            anywhere: anywhere.question(),
            later: OnceCell::new(),
            bounded: self.bounded(first) && self.bounded(second),
        }
    }

    /// Whether an earlier or a later iteration of the second meets the first, so many bytes apart.
    fn reaches(&self, moves: &Moves, apart: i64) -> Answer {
        let (low, high) = moves.touching;
        // Wherever the two are, they may lie apart.
        if moves.anywhere.meets(apart, low, high) == Answer::Never {
            return Answer::Never;
        }
        let any = |questions: &[Question; 2]| {
            let [earlier, later] = questions;
            match earlier.meets(apart, low, high) {
                Answer::Sometimes => Answer::Sometimes,
                found => later.meets(apart, low, high).max(found),
            }
        };
        let later = self.trips(self.of).map(|trips| trips - 2);
        let all = any(moves.later.get_or_init(|| at_any_distance(&moves.common, moves.by, later)));
        if moves.by.0 == moves.by.1 || all != Answer::Sometimes {
            return all;
        }
        // Where the two move unlike, an iteration and the distance from it bound each other.
        if let Some(trips) = self.trips(self.of).filter(|&trips| trips <= SHORT && self.affords(trips as usize)) {
            return moves.at_each_distance(apart, trips);
        }
        // Half of each fits surely.
        let half = later.map(|later| later / 2);
        match any(&at_any_distance(&moves.common, moves.by, half)) {
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

/// How far two references with slopes `a` and `b` lie apart where the second is in a later iteration than the first, and where in
/// an earlier: the one before the other is in any of the first `later` and one, the other up to as many more than one behind it.
fn at_any_distance(common: &Combination, (a, b): (i64, i64), later: Option<i64>) -> [Question; 2] {
    [b.wrapping_neg(), a].map(|per_iteration| {
        let mut question = *common;
        question.add(a.wrapping_sub(b), later);
        question.add(per_iteration, later);
        question.shift(per_iteration);
        question.question()
    })
}

/// A quotient rounded up, of a positive number and a magnitude.
fn ceil(number: i64, by: i64) -> i64 {
    let by = by.saturating_abs().max(1);
    number.div_euclid(by).saturating_add(i64::from(number.rem_euclid(by) != 0))
}
