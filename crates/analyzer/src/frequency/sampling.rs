//! Loops whose variables decide what happens inside them: their bodies are looked at for several iterations instead of
//! for the mean one, so that triangular nests and loops that double or halve a variable come out right.
//!
//! Short loops are gone through whole; of long ones four iterations stand for all by Gauss and Legendre's quadrature,
//! which is exact for polynomials up to the seventh degree, or two, which is up to the third (Abramowitz and Stegun, table
//! 25.4). Part of the frequency
//! analysis.

use super::{Flow, Kind, LoopState, Visitor};
use crate::lanes::Lanes;
use crate::program::{Expr, NONE, Node, Trip};
use crate::values::fold;

/// Iterations of a loop that is gone through whole, and of one that is so where its body is small.
const ALL: f64 = 16.0;
const ALL_OF_SMALL: f64 = 64.0;

/// Loops looked at iteration by iteration within each other.
const MAX_NESTED: usize = 3;

/// Iterations followed of a loop whose variable is neither steady nor unknown.
const MAX_STEPS: usize = 256;

/// Iterations that a condition is decided for, of a loop that makes more.
const STRATA: f64 = 16.0;

/// Expressions evaluated for one step of such a loop.
const MAX_TERMS: u32 = 24;

/// Nodes and weights of four points on (0, 1).
const POINTS: [(f64, f64); 4] = [
    (0.069_431_844_202_973_71, 0.173_927_422_568_726_93),
    (0.330_009_478_207_571_9, 0.326_072_577_431_273_07),
    (0.669_990_521_792_428_1, 0.326_072_577_431_273_07),
    (0.930_568_155_797_026_3, 0.173_927_422_568_726_93),
];

/// The same of two.
const FEW_POINTS: [(f64, f64); 2] = [(0.211_324_865_405_187_1, 0.5), (0.788_675_134_594_812_9, 0.5)];

/// Which iterations of a loop are looked at.
enum Samples {
    All,
    /// So far through the loop, with their weights.
    At(&'static [(f64, f64)]),
}

impl Samples {
    /// As many of `trips` iterations as may be, where each walks `body` nodes of the `left` that may be walked: what is inside
    /// needs some of them too.
    fn of(trips: f64, body: usize, left: usize) -> Option<Self> {
        let all = trips.min(ALL_OF_SMALL) as usize * body;
        if (trips <= ALL && all <= left / 2) || (trips <= ALL_OF_SMALL && all <= left / 4) {
            return Some(Self::All);
        }
        let fits = |points: &&'static [(f64, f64)]| points.len() * body <= left / 2;
        [&POINTS[..], &FEW_POINTS[..]].into_iter().find(fits).map(Self::At)
    }
}

/// An iteration that stands for a stretch of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// The loop.
    pub of: u32,
    /// Iteration, from zero; the stretch it stands for; its share of all.
    pub at: f64,
    pub low: f64,
    pub high: f64,
    pub share: f64,
}

/// The values of a loop's variables, iteration by iteration.
pub(super) struct Sequence {
    /// The variables.
    phis: Vec<u32>,
    /// What each holds in one iteration after the other; `None` from where that is not known any more.
    values: Vec<Option<i64>>,
    steps: usize,
    /// The smallest and largest of each.
    ranges: Vec<Option<(f64, f64)>>,
}

/// What variables hold in one iteration.
#[derive(Clone, Copy)]
struct Row<'s> {
    phis: &'s [u32],
    values: &'s [Option<i64>],
}

impl Row<'_> {
    const NONE: Self = Self { phis: &[], values: &[] };

    fn value(self, phi: u32) -> Option<i64> {
        self.values[self.phis.iter().position(|&known| known == phi)?]
    }
}

impl Sequence {
    fn row(&self, step: usize) -> Option<Row<'_>> {
        let count = self.phis.len();
        (step < self.steps).then(|| Row { phis: &self.phis, values: &self.values[step * count..][..count] })
    }

    fn last(&self) -> Option<Row<'_>> {
        self.row(self.steps.checked_sub(1)?)
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.steps).map_while(|step| self.row(step))
    }

    /// The same with the ranges told, once nothing is added any more.
    fn told(mut self) -> Self {
        let range = |phi: u32| {
            let mut all = self.rows().filter_map(|row| row.value(phi)).map(|value| value as f64);
            let first = all.next()?;
            Some(all.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
        };
        self.ranges = self.phis.iter().map(|&phi| range(phi)).collect();
        self
    }
}

impl<V: Visitor> Flow<'_, V> {
    /// The iterations to look at of a loop about to be entered, whose body ends before node `end`.
    pub(super) fn points(&mut self, index: u32, trips: Lanes, body: usize) -> Vec<Point> {
        let entry = self.forest.loops[index as usize];
        let Some(trips) = trips.exact().filter(|&trips| entry.steers && trips > 1.0) else { return Vec::new() };
        if self.points.len() >= MAX_NESTED {
            return Vec::new();
        }
        let Some(samples) = Samples::of(trips, body, self.samples_left) else { return Vec::new() };
        let nodes = match samples {
            Samples::All => {
                self.samples_left -= body * trips as usize;
                let share = 1.0 / trips;
                let point =
                    |at: u32| Point { of: index, at: f64::from(at), low: f64::from(at), high: f64::from(at), share };
                return (0..trips as u32).map(point).collect();
            }
            Samples::At(nodes) => nodes,
        };
        self.samples_left -= body * nodes.len();
        let mut low = -0.5;
        let point = |(node, share): (f64, f64)| {
            let high = low + share * trips;
            let point =
                Point { of: index, at: node * trips - 0.5, low: low.max(0.0), high: high.min(trips - 1.0), share };
            low = high;
            point
        };
        nodes.iter().copied().map(point).collect()
    }

    /// The node that ends the loop begun at node `at`.
    pub(super) fn end_of(&self, at: usize, last: usize) -> usize {
        let mut depth = 0_u32;
        for (index, node) in self.forest.nodes[at..last].iter().enumerate() {
            match node {
                Node::Block | Node::Loop(_) | Node::If(_) => depth += 1,
                Node::End if depth == 1 => return at + index,
                Node::End => depth -= 1,
                _ => {}
            }
        }
        last
    }

    /// Walks a loop's body once per point.
    pub(super) fn each_point(&mut self, points: &[Point], body: std::ops::Range<usize>) {
        let all = self.now;
        let tables = self.tables_seen;
        let mut through = Lanes::ZERO;
        for &point in points {
            self.now = all * point.share;
            self.tables_seen = tables;
            self.points.push(point);
            self.run(body.clone());
            self.points.pop();
            through += self.now;
        }
        self.now = through;
    }

    /// The point at which a loop is looked at.
    pub(super) fn point(&self, of: u32) -> Option<Point> {
        let extra = self.extra.get().filter(|point| point.of == of);
        extra.or_else(|| self.points.iter().rev().find(|point| point.of == of).copied())
    }

    /// How often a condition holds that bends the one loop variable it depends on, as a minimum does: decided for single
    /// iterations of that loop.
    pub(super) fn spread(&self, expr: u32) -> Option<f64> {
        self.spread_over([expr], |flow| flow.truth(expr, &mut super::MAX_STEPS.clone()))
    }

    /// The mean of what depends on expressions that bend one loop variable, over single iterations of its loop.
    pub(super) fn spread_over(
        &self,
        exprs: impl IntoIterator<Item = u32>,
        value: impl Fn(&Self) -> Option<f64>,
    ) -> Option<f64> {
        if self.loops.is_empty() {
            return None;
        }
        let (mut of, mut bent) = (NONE, false);
        for expr in exprs {
            self.depends(expr, &mut of, &mut bent, &mut MAX_TERMS.clone())?;
        }
        let LoopState::Open(trips) = self.state(of) else { return None };
        let trips = trips.exact().filter(|&trips| bent && trips > 1.0 && self.extra.get().is_none())?;
        let count = trips.min(STRATA);
        let mut sum = 0.0;
        for at in 0..count as u32 {
            let at = ((f64::from(at) + 0.5) * trips / count).floor();
            self.extra.set(Some(Point { of, at, low: at, high: at, share: 1.0 }));
            let found = value(self);
            self.extra.set(None);
            sum += found?;
        }
        Some(sum / f64::from(count as u32))
    }

    /// Finds the one open loop, not looked at point by point, on whose variables an expression depends, and whether it is
    /// anything but a sum of them.
    fn depends(&self, expr: u32, of: &mut u32, bent: &mut bool, steps: &mut u32) -> Option<()> {
        *steps = steps.checked_sub(1)?;
        match *self.forest.exprs.get(expr as usize)? {
            Expr::Const(_) | Expr::Word { .. } => Some(()),
            Expr::Param(index) => self.arguments.get(index as usize).copied().flatten().map(|_| ()),
            Expr::Phi(index) => {
                let phi = self.forest.phis[index as usize];
                if phi.cycle.is_some() || self.sequence(index).is_some() {
                    return None;
                }
                let told = self.point(phi.of).is_some() || !matches!(self.state(phi.of), LoopState::Open(_));
                if !told && *of != NONE && *of != phi.of {
                    return None;
                }
                if !told {
                    *of = phi.of;
                }
                self.depends(phi.init, of, bent, steps)
            }
            Expr::Linear { x, .. } => self.depends(x, of, bent, steps),
            Expr::Operation { code, a, b } => {
                *bent |= !matches!(code, 0x45..=0x5a | 0x6a | 0x6b | 0x7c | 0x7d);
                self.depends(a, of, bent, steps)?;
                self.depends(b, of, bent, steps)
            }
            Expr::Choose { cond, a, b } => {
                *bent = true;
                self.depends(self.forest.conds[cond as usize].expr, of, bent, steps)?;
                self.depends(a, of, bent, steps)?;
                self.depends(b, of, bent, steps)
            }
            Expr::Opaque { .. } | Expr::Either(..) | Expr::Between(..) => None,
        }
    }

    /// Header runs of a loop whose variables go through known values, found by going through them.
    pub(super) fn recurrence(&mut self, index: u32) -> Option<f64> {
        let entry = self.forest.loops[index as usize];
        let Trip::Unknown(_) = entry.trip else { return None };
        let test = entry.test;
        if test == NONE || entry.phis.1 == 0 {
            return None;
        }
        let mut sequence = self.begin(index);
        while let Some(now) = sequence.last() {
            let again = self.value(test, now, &mut MAX_TERMS.clone())? != 0;
            if again != entry.again {
                let trips = sequence.steps as f64;
                self.keep(index, sequence);
                return Some(trips);
            }
            if sequence.steps >= MAX_STEPS || !self.follow(&mut sequence) {
                return None;
            }
        }
        None
    }

    /// The variables of a loop that are followed value by value, with what they hold when it begins.
    fn begin(&self, index: u32) -> Sequence {
        let (start, len) = self.forest.loops[index as usize].phis;
        let (mut phis, mut values) = (Vec::new(), Vec::new());
        for &phi in &self.forest.followed[start as usize..(start + len) as usize] {
            let init = self.forest.phis[phi as usize].init;
            if let Some(value) = self.value(init, Row::NONE, &mut MAX_TERMS.clone()) {
                phis.push(phi);
                values.push(Some(value));
            }
        }
        Sequence { phis, values, steps: 1, ranges: Vec::new() }
    }

    /// Adds what they hold an iteration later; false where nothing of that is known or nothing changes.
    fn follow(&self, sequence: &mut Sequence) -> bool {
        let count = sequence.phis.len();
        let (mut any, mut changed) = (false, false);
        for at in 0..count {
            let Some(now) = sequence.row(sequence.steps - 1) else { return false };
            let latch = self.forest.phis[now.phis[at] as usize].latch;
            let before = now.values[at];
            let after = before.and_then(|_| self.value(latch, now, &mut MAX_TERMS.clone()));
            any |= after.is_some();
            changed |= after != before;
            sequence.values.push(after);
        }
        sequence.steps += 1;
        any && changed
    }

    /// Goes through the values of a loop's variables where it runs so many times and one of them doubles, or the like.
    pub(super) fn go_through(&mut self, index: u32, trips: Lanes) {
        let entry = self.forest.loops[index as usize];
        let known = matches!(entry.trip, Trip::Formula { .. }) && entry.phis.1 > 0;
        let Some(trips) = trips.exact().filter(|&trips| known && trips <= MAX_STEPS as f64) else { return };
        let mut sequence = self.begin(index);
        while (sequence.steps as f64) < trips {
            if !self.follow(&mut sequence) {
                return;
            }
        }
        self.keep(index, sequence);
    }

    fn keep(&mut self, index: u32, sequence: Sequence) {
        self.sequences.resize_with(self.function.loops.len(), || None);
        self.sequences[(index - self.function.loops.start) as usize] = Some(Box::new(sequence.told()));
    }

    /// The values that the variables of a loop go through, where they are known.
    fn kept(&self, index: u32) -> Option<&Sequence> {
        let slot = index.checked_sub(self.function.loops.start)?;
        self.sequences.get(slot as usize)?.as_deref()
    }

    /// How often an expression is true over the innermost loop's iterations, where its variables go through known values.
    pub(super) fn along(&self, expr: u32) -> Option<f64> {
        if self.sequences.is_empty() {
            return None;
        }
        let Kind::Loop(flow) = &self.frames[*self.loops.last()? as usize].kind else { return None };
        let sequence = self.kept(flow.index).filter(|_| self.point(flow.index).is_none())?;
        // What depends on none of them is the same each time.
        let steps = if self.mentions(expr, &sequence.phis, &mut MAX_TERMS.clone()) { sequence.steps } else { 1 };
        let mut held = 0;
        for row in sequence.rows().take(steps) {
            held += usize::from(self.value(expr, row, &mut MAX_TERMS.clone())? != 0);
        }
        Some(held as f64 / steps as f64)
    }

    /// Whether an expression depends on one of some loop variables, or on too much to tell.
    fn mentions(&self, expr: u32, phis: &[u32], steps: &mut u32) -> bool {
        *steps = steps.saturating_sub(1);
        match self.forest.exprs.get(expr as usize).filter(|_| *steps > 0) {
            Some(Expr::Phi(phi)) => phis.contains(phi),
            Some(&Expr::Linear { x, .. }) => self.mentions(x, phis, steps),
            Some(&Expr::Operation { a, b, .. }) => self.mentions(a, phis, steps) || self.mentions(b, phis, steps),
            Some(Expr::Const(_) | Expr::Param(_) | Expr::Word { .. }) => false,
            _ => true,
        }
    }

    /// The value of an expression where a loop's variables have these values.
    fn value(&self, expr: u32, now: Row<'_>, steps: &mut u32) -> Option<i64> {
        *steps = steps.checked_sub(1)?;
        match *self.forest.exprs.get(expr as usize)? {
            Expr::Const(value) => Some(value),
            Expr::Phi(phi) => now.value(phi).or_else(|| self.exact(expr)),
            Expr::Linear { x, scale, offset } => self.value(x, now, steps)?.checked_mul(scale)?.checked_add(offset),
            Expr::Operation { code, a, b } => fold(code, self.value(a, now, steps)?, self.value(b, now, steps)?),
            Expr::Param(_) | Expr::Word { .. } => self.exact(expr),
            Expr::Choose { cond, a, b } => {
                let truth = self.value(self.forest.conds[cond as usize].expr, now, steps)?;
                self.value(if truth != 0 { a } else { b }, now, steps)
            }
            Expr::Opaque { .. } | Expr::Either(..) | Expr::Between(..) => None,
        }
    }

    /// The value of a loop variable at the point looked at, or the range it goes through, where that is known.
    pub(super) fn sequence(&self, phi: u32) -> Option<(f64, f64)> {
        if self.sequences.is_empty() {
            return None;
        }
        let of = self.forest.phis[phi as usize].of;
        let sequence = self.kept(of)?;
        let one = |row: Row<'_>| row.value(phi).map(|value| (value as f64, value as f64));
        match (self.state(of), self.point(of)) {
            (LoopState::Closed(_), _) => one(sequence.last()?),
            (_, Some(point)) => one(sequence.row(point.at as usize)?),
            _ => sequence.ranges[sequence.phis.iter().position(|&known| known == phi)?],
        }
    }

    /// Whether the innermost loop is looked at one iteration at a time.
    pub(super) fn pinned(&self) -> bool {
        let Some(&frame) = self.loops.last() else { return false };
        let Kind::Loop(flow) = &self.frames[frame as usize].kind else { return false };
        self.point(flow.index).is_some_and(|point| point.low == point.high)
    }
}
