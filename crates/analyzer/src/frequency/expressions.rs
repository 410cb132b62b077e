//! Expressions and trip counts under given arguments: in each scenario, exactly, or as a range.
//!
//! Part of the frequency analysis.

use super::{Flow, LoopState, MAX_DRAWN, MAX_STEPS, OFTEN, Visitor};
use crate::lanes::{Lanes, Number, seed};
use crate::priors;
use crate::priors::{Ending, LEAST_SCALE, Place, UnknownLoop};
use crate::program::{Expr, NONE, Phi, Trip};
use crate::values::{MAX, MIN, Source, fold};

/// Relative error of a trip count that is rounded, and of one that is bent, where one iteration stands for many:
/// defaults, above what was seen of nests of known trips.
const ROUNDED: f64 = 0.03;
const BENT: f64 = 0.08;

/// Things that one iteration deals with at most: the bytes of a vector.
const MOST_AT_ONCE: f64 = 16.0;

/// Loops around a place that are looked at, innermost first: compilers nest fewer, and every loop may ask.
const MAX_AROUND: usize = 64;

impl<V: Visitor> Flow<'_, V> {
    /// The value of an expression that the arguments and finished loops determine.
    pub(super) fn exact(&self, expr: u32) -> Option<i64> {
        let (low, high) = self.range(expr, &mut MAX_STEPS.clone())?;
        (low == high && low.abs() < 9e15).then_some(low as i64)
    }

    pub(super) fn trips(&mut self, index: u32) -> Lanes {
        if let Some(trips) = self.recurrence(index) {
            return Lanes::splat(trips);
        }
        let entry = self.forest.loops[index as usize];
        let own = if entry.like == 0 { index - self.function.loops.start } else { entry.like };
        let name = seed([u64::from(self.number), u64::from(own), 0x100b]);
        let place = self.place();
        let trips = match entry.trip {
            Trip::Unknown(kind) => return self.unknown_trips(kind, entry.ending, place, name),
            Trip::Formula { start, len, constant, step, per } => {
                let terms = &self.forest.terms[start as usize..(start + len) as usize];
                let mean = self.spread_over(terms.iter().map(|term| term.0), |flow| {
                    let value = |term: &(u32, i64)| Some(flow.exact(term.0)? as f64 * term.1 as f64);
                    let distance: Option<f64> = terms.iter().map(value).sum();
                    Some(trips_for(distance? + constant as f64, step as f64))
                });
                if let Some(mean) = mean.filter(|_| per == NONE && !entry.early) {
                    return Lanes::splat(mean);
                }
                let mut distance = Number::One(constant as f64);
                let mixed = terms.iter().any(|term| term.1 > 0) && terms.iter().any(|term| term.1 < 0);
                for &(expr, coefficient) in terms {
                    let term = self.number(expr, &mut MAX_STEPS.clone());
                    distance = distance.zip(term, |sum, term| sum + term * coefficient as f64);
                }
                if mixed && distance.exact().is_none() && !self.exact_terms(terms) && !self.related(terms) {
                    // A difference of unrelated unknowns, such as two pointers, tells nothing of its size.
                    return priors::trips(UnknownLoop::Counted, Ending::NONE, place, name);
                }
                if let Some(whole) = distance.exact().filter(|_| per != NONE) {
                    self.deal_with(whole * self.around(), 1.0);
                }
                let step = if per == NONE {
                    Number::One(step as f64)
                } else {
                    Number::of(self.stride(per)).map(|stride| stride * step as f64)
                };
                let trips = distance.zip(step, trips_for).lanes();
                let trips = match self.rounding(terms, step.exact()) {
                    Some(error) => trips.zip(Lanes::uniform(name ^ 0x40), |trips, u| {
                        (trips * (1.0 + error * (2.0 * u - 1.0))).max(1.0)
                    }),
                    None => trips,
                };
                if trips.exact().is_none() && !self.exact_terms(terms) {
                    // Bounds drawn beyond this come of arithmetic on addresses and limits, not of counts.
                    let other = priors::trips(UnknownLoop::Counted, Ending::NONE, place, name);
                    trips.zip(other, |trips, other| if trips > MAX_DRAWN { other } else { trips })
                } else {
                    trips
                }
            }
        };
        if entry.early {
            return priors::ended_early(trips, entry.ending, place, name);
        }
        trips
    }

    /// Trips of a loop that the code does not tell.
    fn unknown_trips(&self, kind: UnknownLoop, ending: Ending, place: Place, name: u64) -> Lanes {
        let few = match kind {
            UnknownLoop::Halving | UnknownLoop::Bits if self.scaled() => priors::halvings(self.scale, name),
            _ => priors::trips(kind, ending, place, name),
        };
        let soon = match kind {
            // What is tested for zero is not what is halved, which would be shrinking.
            UnknownLoop::Halving => ending.soon() || ending.holds(Ending::ZERO),
            UnknownLoop::Shrinking(_) => ending.soon(),
            _ => false,
        };
        if soon {
            return priors::cut_short(few, name);
        }
        let goes =
            matches!(kind, UnknownLoop::Data | UnknownLoop::Calling | UnknownLoop::Counted | UnknownLoop::Worklist);
        if !goes || place == Place::InsideUnknown || !self.scaled() {
            return few;
        }
        match self.scale_left() {
            Some(scale) => {
                let waits = matches!(kind, UnknownLoop::Counted | UnknownLoop::Worklist);
                priors::scaled(few, scale, (self.around() > 1.0, waits), name)
            }
            _ => few,
        }
    }

    /// How often a loop goes round for each move of its counter, where its head is also that of a loop inside it.
    pub(super) fn rounds(&self, index: u32) -> Option<Lanes> {
        let (_, kind) = self.forest.loops[index as usize].lingers?;
        let name = seed([u64::from(self.number), u64::from(index - self.function.loops.start), 0x11e5]);
        Some(priors::trips(kind, Ending::NONE, Place::Often, name))
    }

    /// How far a trip count may be off where one iteration stands for many: not at all where it grows evenly, a little
    /// where it is rounded, more where it depends on something else than sums.
    fn rounding(&self, terms: &[(u32, i64)], step: Option<f64>) -> Option<f64> {
        let sampled = self.points.iter().any(|point| point.low < point.high);
        let bent = |term: &(u32, i64)| self.bent(term.0, &mut MAX_STEPS.clone());
        match sampled {
            true if terms.iter().any(bent) => Some(BENT),
            true if step != Some(1.0) && !terms.is_empty() => Some(ROUNDED),
            _ => None,
        }
    }

    /// Whether an expression holds anything but sums of constants, parameters and variables.
    fn bent(&self, expr: u32, steps: &mut u32) -> bool {
        *steps = steps.saturating_sub(1);
        match self.forest.exprs.get(expr as usize).filter(|_| *steps > 0) {
            Some(Expr::Const(_) | Expr::Param(_) | Expr::Word { .. }) => false,
            Some(&Expr::Phi(phi)) => self.bent(self.forest.phis[phi as usize].init, steps),
            Some(&Expr::Linear { x, .. }) => self.bent(x, steps),
            Some(&Expr::Operation { code: 0x6a | 0x6b | 0x7c | 0x7d, a, b }) => {
                self.bent(a, steps) || self.bent(b, steps)
            }
            _ => true,
        }
    }

    /// Whether numbers may be those of all things that the function deals with, not of one of them.
    fn whole(&self) -> bool {
        self.around() <= 1.0 && self.scaled()
    }

    /// Whether it is known how many things the function deals with, as something asks that is told by it.
    fn scaled(&self) -> bool {
        let known = self.scale >= LEAST_SCALE;
        self.wants_scale.set(self.wants_scale.get() || !known);
        known
    }

    /// Things that one iteration of a loop may deal with, by how far it moves its counter.
    pub(super) fn width(&self, index: u32) -> f64 {
        match self.forest.loops[index as usize].trip {
            Trip::Formula { step, .. } => (step as f64).clamp(1.0, MOST_AT_ONCE),
            Trip::Unknown(_) => 1.0,
        }
    }

    /// How many things the function has been seen to deal with, where the loops around this place leave some of them.
    pub(super) fn scale_left(&self) -> Option<f64> {
        let around = self.around();
        (self.scale >= LEAST_SCALE && around * around <= self.scale).then_some(self.extent)
    }

    /// Iterations of the loops around this place in all, where they are known.
    pub(super) fn around(&self) -> f64 {
        let trips = |&frame: &u32| match &self.frames[frame as usize].kind {
            super::Kind::Loop(flow) => flow.told.unwrap_or(1.0),
            _ => 1.0,
        };
        self.loops.iter().rev().take(MAX_AROUND).map(trips).product()
    }

    /// Where this is, as far as loops around it tell.
    fn place(&self) -> Place {
        let unknown = self.loops.iter().rev().take(MAX_AROUND).any(|&frame| match &self.frames[frame as usize].kind {
            super::Kind::Loop(flow) => flow.told.is_none(),
            _ => false,
        });
        match unknown {
            true => Place::InsideUnknown,
            false if self.around() >= OFTEN => Place::Often,
            false => Place::Outside,
        }
    }

    /// What each iteration adds to a loop variable, where that is known here.
    fn moves(&self, phi: &Phi) -> Option<f64> {
        if let Some(step) = phi.step {
            return Some(step as f64);
        }
        let (expr, factor) = phi.stride;
        if expr == NONE { None } else { Some(self.exact(expr)? as f64 * factor as f64) }
    }

    /// Whether all terms are known numbers or run over known ranges.
    pub(super) fn exact_terms(&self, terms: &[(u32, i64)]) -> bool {
        terms.iter().all(|term| self.range(term.0, &mut MAX_STEPS.clone()).is_some())
    }

    /// Whether what is subtracted depends on nothing that what it is subtracted from does not depend on too.
    fn related(&self, terms: &[(u32, i64)]) -> bool {
        let (mut of, mut less) = (Vec::new(), Vec::new());
        let mut steps = MAX_STEPS;
        for &(expr, coefficient) in terms {
            self.unknowns(expr, if coefficient > 0 { &mut of } else { &mut less }, &mut steps);
        }
        steps > 0 && !less.is_empty() && less.iter().all(|unknown| of.contains(unknown))
    }

    /// The unknowns that an expression depends on.
    fn unknowns(&self, expr: u32, out: &mut Vec<u32>, steps: &mut u32) {
        *steps = steps.saturating_sub(1);
        match self.forest.exprs.get(expr as usize).filter(|_| *steps > 0) {
            None | Some(Expr::Const(_)) => {}
            Some(Expr::Opaque { .. } | Expr::Param(_) | Expr::Word { .. } | Expr::Phi(_) | Expr::Between(..)) => {
                if self.exact(expr).is_none() {
                    out.push(expr);
                }
            }
            Some(&Expr::Linear { x, .. }) => self.unknowns(x, out, steps),
            Some(&Expr::Operation { a, b, .. } | &Expr::Either(a, b) | &Expr::Choose { a, b, .. }) => {
                self.unknowns(a, out, steps);
                self.unknowns(b, out, steps);
            }
        }
    }

    /// A step that varies.
    pub(super) fn stride(&self, expr: u32) -> Lanes {
        // Drawn as the mean of all iterations: of what data moves in some of them alone it lies below one.
        let drawn =
            |expr: &Expr| matches!(expr, Expr::Between(..) | Expr::Opaque { source: Source::Step | Source::Rest });
        if self.forest.exprs.get(expr as usize).is_some_and(drawn) {
            return self.lanes(expr);
        }
        match self.range(expr, &mut MAX_STEPS.clone()) {
            // Where it runs evenly over a range, the mean of its inverse is that of the range's logarithmic mean.
            Some((low, high)) if low > 0.0 && high > low => Lanes::splat((high - low) / (high / low).ln()),
            _ => self.lanes(expr).map(|step| step.max(1.0)),
        }
    }

    /// A number in each scenario.
    pub(super) fn lanes(&self, expr: u32) -> Lanes {
        self.lanes_within(expr, &mut MAX_STEPS.clone())
    }

    pub(super) fn lanes_within(&self, expr: u32, steps: &mut u32) -> Lanes {
        self.number(expr, steps).lanes()
    }

    fn number(&self, expr: u32, steps: &mut u32) -> Number {
        let unknown = |what: u64| Number::Many(priors::bound(false, seed([u64::from(self.number), what, 0xb0])));
        *steps = steps.saturating_sub(1);
        let Some(&found) = self.forest.exprs.get(expr as usize).filter(|_| *steps > 0) else {
            return unknown(1 << 44);
        };
        match found {
            Expr::Const(value) => Number::One(value as f64),
            Expr::Param(index) => match self.arguments.get(index as usize).copied().flatten() {
                Some(value) => Number::One(value as f64),
                None => unknown(u64::from(index) | 1 << 40),
            },
            Expr::Word { address, value } if self.visitor.unchanged(address) => Number::One(value as f64),
            Expr::Word { address, .. } => unknown(u64::from(address) | 1 << 45),
            Expr::Opaque { source } => {
                let name = seed([u64::from(self.number), self.site(expr) | 1 << 41, 0xb0]);
                Number::Many(match source {
                    Source::Step => priors::stride(name),
                    Source::Rest => priors::moving(name),
                    Source::Call if self.whole() => priors::bound_by(self.scale, name),
                    _ => priors::bound(source == Source::Call, name),
                })
            }
            Expr::Phi(phi) => {
                if let Some((low, high)) = self.sequence(phi) {
                    return Number::One(f64::midpoint(low, high));
                }
                let phi = self.forest.phis[phi as usize];
                if let Some((low, high)) = phi.cycle {
                    return Number::One(f64::midpoint(low as f64, high as f64));
                }
                let init = self.number(phi.init, steps);
                let Some(step) = self.moves(&phi) else {
                    let what = self.site(expr) | 1 << 42;
                    // What was counted or found before.
                    return match self.whole() && self.forest.loops[phi.of as usize].depth == 1 {
                        true => Number::Many(priors::bound_by(self.scale, seed([u64::from(self.number), what, 0xb0]))),
                        false => unknown(what),
                    };
                };
                let (trips, step) = match *self.state(phi.of) {
                    LoopState::Unseen => return init,
                    LoopState::Open(trips) => match self.point(phi.of) {
                        Some(point) => return init.map(|init| init + point.at * step),
                        None => (trips, step / 2.0),
                    },
                    LoopState::Closed(trips) => (trips, step),
                };
                init.zip(Number::of(trips), |init, trips| init + (trips - 1.0) * step)
            }
            Expr::Linear { x, scale, offset } => {
                self.number(x, steps).map(|value| value * scale as f64 + offset as f64)
            }
            Expr::Operation { code, a, b } => {
                let (a, b) = (self.number(a, steps), self.number(b, steps));
                if let Some(small) = of_small(code, a, b) {
                    return small;
                }
                // A negative draw of what is meant to be unsigned is no draw at all.
                let unsigned = matches!(code, 0x6e | 0x70 | 0x76 | 0x80 | 0x82 | 0x88);
                let both = a.zip(b, |a, b| match (between(code, a, b), fold(code, a as i64, b as i64)) {
                    (Some(value), _) => value,
                    (None, Some(value)) if !unsigned || a >= 0.0 => value as f64,
                    _ => f64::NAN,
                });
                if !both.any(f64::is_nan) {
                    return both;
                }
                let fallback = unknown(self.site(expr) | 1 << 43);
                both.zip(fallback, |value, other| if value.is_nan() { other } else { value })
            }
            Expr::Choose { cond, a, b } => match self.truth_of(cond, steps) {
                Some(chance) if chance >= 1.0 => self.number(a, steps),
                Some(chance) if chance <= 0.0 => self.number(b, steps),
                chance => {
                    let chance = chance.map_or_else(|| self.guessed(cond), Lanes::splat);
                    let (a, b) = (self.number(a, steps).lanes(), self.number(b, steps).lanes());
                    Number::Many(a * chance + b * (Lanes::ONE - chance))
                }
            },
            Expr::Between(low, high) => {
                let name = seed([u64::from(self.number), self.site(expr), 0xd21f]);
                Number::Many(Lanes::uniform(name).map(|u| low as f64 + (high - low) as f64 * u))
            }
            Expr::Either(a, b) => {
                let (a, b) = (self.number(a, steps).lanes(), self.number(b, steps).lanes());
                let pick = Lanes::uniform(seed([u64::from(self.number), self.site(expr), 0xe1]));
                Number::Many(Lanes(std::array::from_fn(|lane| if pick.0[lane] < 0.5 { a.0[lane] } else { b.0[lane] })))
            }
        }
    }

    /// An expression's number within its function.
    pub(super) fn site(&self, expr: u32) -> u64 {
        u64::from(expr - self.function.exprs)
    }

    pub(super) fn state(&self, index: u32) -> &LoopState {
        let slot = index.checked_sub(self.function.loops.start);
        slot.and_then(|slot| self.states.get(slot as usize)).unwrap_or(&LoopState::Unseen)
    }

    /// Chance that a condition is true, where constants and known trip counts tell.
    pub(super) fn known(&self, cond: u32) -> Option<f64> {
        let expr = self.forest.conds[cond as usize].expr;
        if expr == NONE {
            return None;
        }
        self.along(expr).or_else(|| self.spread(expr)).or_else(|| self.truth(expr, &mut MAX_STEPS.clone()))
    }

    /// The same within a number of steps.
    fn truth_of(&self, cond: u32, steps: &mut u32) -> Option<f64> {
        let expr = self.forest.conds[cond as usize].expr;
        if expr == NONE { None } else { self.truth(expr, steps) }
    }

    pub(super) fn truth(&self, expr: u32, steps: &mut u32) -> Option<f64> {
        *steps = steps.checked_sub(1)?;
        if let Some(&Expr::Operation { code, a, b }) = self.forest.exprs.get(expr as usize) {
            if matches!(code, 0x45 | 0x50) {
                return self.truth(a, steps).map(|chance| 1.0 - chance);
            }
            if matches!(code, 0x46..=0x4f | 0x51..=0x5a) {
                let ranges = (self.range(a, steps)?, self.range(b, steps)?);
                // What both sides share cancels out.
                let apart = (ranges.0.0 - ranges.1.1, ranges.0.1 - ranges.1.0);
                let near = apart.0 <= 0.0 && apart.1 >= 0.0;
                let difference = near.then(|| self.difference(a, b, &mut MAX_STEPS.clone())).flatten();
                return compare(code, ranges.0, ranges.1, difference.unwrap_or(apart));
            }
        }
        let (low, high) = self.range(expr, steps)?;
        if low == high {
            return Some(f64::from(low != 0.0));
        }
        Some(if low > 0.0 || high < 0.0 { 1.0 } else { 1.0 - 1.0 / (high - low + 1.0) })
    }

    /// The smallest and largest difference of two sums of loop variables, each variable counted once, or of the smaller or
    /// larger of such sums: that differs by no more and no less than one of them does.
    fn difference(&self, a: u32, b: u32, steps: &mut u32) -> Option<(f64, f64)> {
        *steps = steps.checked_sub(1)?;
        let of = |less: bool, one: (f64, f64), other: (f64, f64)| match less {
            true => (one.0.min(other.0), one.1.min(other.1)),
            false => (one.0.max(other.0), one.1.max(other.1)),
        };
        if let Some((less, x, y)) = self.extreme(a) {
            return Some(of(less, self.difference(x, b, steps)?, self.difference(y, b, steps)?));
        }
        if let Some((less, x, y)) = self.extreme(b) {
            return Some(of(!less, self.difference(a, x, steps)?, self.difference(a, y, steps)?));
        }
        let mut sum = Sum::default();
        self.add_up(a, 1.0, &mut sum, steps)?;
        self.add_up(b, -1.0, &mut sum, steps)?;
        let mut range = (sum.constant, sum.constant);
        for (of, factor) in sum.loops {
            let (from, to) = match self.state(of) {
                LoopState::Unseen => return None,
                LoopState::Open(trips) => {
                    self.point(of).map_or((0.0, trips.exact()? - 1.0), |point| (point.low, point.high))
                }
                LoopState::Closed(trips) => (trips.exact()? - 1.0, trips.exact()? - 1.0),
            };
            range.0 += (factor * from).min(factor * to);
            range.1 += (factor * from).max(factor * to);
        }
        Some(range)
    }

    /// Whether an expression is the smaller (else the larger) of two others, and which.
    fn extreme(&self, expr: u32) -> Option<(bool, u32, u32)> {
        match *self.forest.exprs.get(expr as usize)? {
            Expr::Operation { code: code @ (MIN | MAX), a, b } => Some((code == MIN, a, b)),
            _ => None,
        }
    }

    /// The range of a sum or difference of which one side is the smaller or larger of two: what that shares with the other
    /// side cancels out.
    fn beside_extreme(&self, code: u16, a: u32, b: u32, steps: &mut u32) -> Option<(f64, f64)> {
        if matches!(code, 0x6b | 0x7d) {
            let any = self.extreme(a).or_else(|| self.extreme(b)).is_some();
            return if any { self.difference(a, b, steps) } else { None };
        }
        let negated = |expr: u32| match *self.forest.exprs.get(expr as usize)? {
            Expr::Linear { x, scale: -1, offset } => Some((x, offset as f64)),
            _ => None,
        };
        let (of, (less, offset)) = match (self.extreme(a), self.extreme(b)) {
            (Some(_), _) => (a, negated(b)?),
            (_, Some(_)) => (b, negated(a)?),
            _ => return None,
        };
        let (low, high) = self.difference(of, less, steps)?;
        Some((low + offset, high + offset))
    }

    fn add_up(&self, expr: u32, factor: f64, sum: &mut Sum, steps: &mut u32) -> Option<()> {
        *steps = steps.checked_sub(1)?;
        match *self.forest.exprs.get(expr as usize)? {
            Expr::Phi(phi) if self.sequence(phi).is_none() => {
                let phi = self.forest.phis[phi as usize];
                let step = factor * self.moves(&phi)?;
                match sum.loops.iter_mut().find(|part| part.0 == phi.of) {
                    Some(part) => part.1 += step,
                    None => sum.loops.push((phi.of, step)),
                }
                self.add_up(phi.init, factor, sum, steps)
            }
            Expr::Linear { x, scale, offset } => {
                sum.constant += factor * offset as f64;
                self.add_up(x, factor * scale as f64, sum, steps)
            }
            Expr::Operation { code: 0x6a | 0x7c, a, b } => {
                self.add_up(a, factor, sum, steps)?;
                self.add_up(b, factor, sum, steps)
            }
            Expr::Operation { code: 0x6b | 0x7d, a, b } => {
                self.add_up(a, factor, sum, steps)?;
                self.add_up(b, -factor, sum, steps)
            }
            _ => {
                let (low, high) = self.range(expr, steps)?;
                sum.constant += factor * low;
                (low == high).then_some(())
            }
        }
    }

    /// The smallest and largest value an expression takes, where both are known.
    pub(super) fn range(&self, expr: u32, steps: &mut u32) -> Option<(f64, f64)> {
        *steps = steps.checked_sub(1)?;
        match *self.forest.exprs.get(expr as usize)? {
            Expr::Const(value) => Some((value as f64, value as f64)),
            Expr::Param(index) => {
                let value = self.arguments.get(index as usize).copied().flatten()? as f64;
                Some((value, value))
            }
            Expr::Phi(phi) => {
                if let Some(range) = self.sequence(phi) {
                    return Some(range);
                }
                let phi = self.forest.phis[phi as usize];
                if let Some((low, high)) = phi.cycle {
                    return Some((low as f64, high as f64));
                }
                let (low, high) = self.range(phi.init, steps)?;
                let step = self.moves(&phi)?;
                match self.state(phi.of) {
                    LoopState::Unseen => None,
                    LoopState::Open(trips) => {
                        let last = trips.exact()? - 1.0;
                        let (from, to) = self.point(phi.of).map_or((0.0, last), |point| (point.low, point.high));
                        let (from, to) = (step * from, step * to);
                        Some((low + from.min(to), high + from.max(to)))
                    }
                    LoopState::Closed(trips) => {
                        let moved = step * (trips.exact()? - 1.0);
                        Some((low + moved, high + moved))
                    }
                }
            }
            Expr::Linear { x, scale, offset } => {
                let (low, high) = self.range(x, steps)?;
                let (a, b) = (low * scale as f64 + offset as f64, high * scale as f64 + offset as f64);
                Some((a.min(b), a.max(b)))
            }
            Expr::Operation { code, a, b } => {
                let sides = (a, b);
                let (a, b) = (self.range(a, steps)?, self.range(b, steps)?);
                if matches!(code, 0x6a | 0x6b | 0x7c | 0x7d)
                    && (a.0 < a.1 && b.0 < b.1)
                    && let Some(range) = self.beside_extreme(code, sides.0, sides.1, steps)
                {
                    return Some(range);
                }
                match code {
                    MIN => Some((a.0.min(b.0), a.1.min(b.1))),
                    MAX => Some((a.0.max(b.0), a.1.max(b.1))),
                    0x6a | 0x7c => Some((a.0 + b.0, a.1 + b.1)),
                    0x6b | 0x7d => Some((a.0 - b.1, a.1 - b.0)),
                    0x71 | 0x83 if b.0 == b.1 && b.0 >= 0.0 && a.0 != a.1 => Some((0.0, b.0)),
                    // Rounding down and dividing keep the order of what is not negative.
                    0x71 | 0x76 | 0x83 | 0x88 | 0x6e | 0x80 if b.0 == b.1 && a.0 >= 0.0 => {
                        let end = |value: f64| fold(code, value as i64, b.0 as i64).map(|value| value as f64);
                        Some((end(a.0)?, end(a.1)?))
                    }
                    0x70 | 0x82 if b.0 == b.1 && b.0 > 0.0 && a.0 != a.1 => Some((0.0, b.0 - 1.0)),
                    _ if a.0 == a.1 && b.0 == b.1 => {
                        let value = fold(code, a.0 as i64, b.0 as i64)? as f64;
                        Some((value, value))
                    }
                    _ => None,
                }
            }
            Expr::Choose { cond, a, b } => {
                let taken = self.truth_of(cond, steps);
                match taken {
                    Some(chance) if chance >= 1.0 => return self.range(a, steps),
                    Some(chance) if chance <= 0.0 => return self.range(b, steps),
                    _ => {}
                }
                let (a, b) = (self.range(a, steps)?, self.range(b, steps)?);
                Some((a.0.min(b.0), a.1.max(b.1)))
            }
            Expr::Either(a, b) => {
                let (a, b) = (self.range(a, steps)?, self.range(b, steps)?);
                Some((a.0.min(b.0), a.1.max(b.1)))
            }
            Expr::Word { address, value } => self.visitor.unchanged(address).then_some((value as f64, value as f64)),
            Expr::Between(low, high) => Some((low as f64, high as f64)),
            Expr::Opaque { .. } => None,
        }
    }
}

/// The result of an operator that does to small numbers what it does to any, be they whole or not, where all are small.
fn of_small(code: u16, a: Number, b: Number) -> Option<Number> {
    /// Neither width wraps below.
    const SMALL: f64 = (1_u64 << 31) as f64;
    let small = |number: Number| !number.any(|value| value.abs() >= SMALL || value.is_nan());
    let both = match code {
        0x6a | 0x7c => a.zip(b, |a, b| a + b),
        0x6b | 0x7d => a.zip(b, |a, b| a - b),
        0x6c | 0x7e => a.zip(b, |a, b| a * b),
        MIN => a.zip(b, f64::min),
        MAX => a.zip(b, f64::max),
        _ => return None,
    };
    (small(a) && small(b) && small(both)).then_some(both)
}

/// The result of an operator where an operand lies between two numbers, as the mean of several iterations does, and the
/// operator takes that as it is.
fn between(code: u16, a: f64, b: f64) -> Option<f64> {
    if whole(a) && whole(b) {
        return None;
    }
    match code {
        MIN => Some(a.min(b)),
        MAX => Some(a.max(b)),
        0x6a | 0x7c => Some(a + b),
        0x6b | 0x7d => Some(a - b),
        0x6c | 0x7e => Some(a * b),
        _ => None,
    }
}

/// Whether a number is an integer; as most are small, that is told without rounding them.
fn whole(value: f64) -> bool {
    const LARGE: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
    if value.abs() < LARGE { (value as i64) as f64 == value } else { value.is_finite() }
}

/// A sum of loops' iterations, each by a factor.
#[derive(Debug, Default)]
struct Sum {
    loops: Vec<(u32, f64)>,
    constant: f64,
}

/// Header runs for a distance and a step.
///
/// A distance that is no whole number is the mean over an outer loop's iterations, of which rounding up adds
/// `(step - 1) / 2` in the mean.
fn trips_for(distance: f64, step: f64) -> f64 {
    let rounded =
        if whole(distance) { (distance / step).ceil() } else { (distance + (step - 1.0).max(0.0) / 2.0) / step };
    (rounded + 1.0).max(1.0)
}

/// Chance that a comparison holds between two ranges whose difference lies within a third, values spread evenly.
fn compare(code: u16, a: (f64, f64), b: (f64, f64), (low, high): (f64, f64)) -> Option<f64> {
    if a.0 == a.1 && b.0 == b.1 {
        return fold(code, a.0 as i64, b.0 as i64).map(|truth| truth as f64);
    }
    let relation = code - if code <= 0x4f { 0x46 } else { 0x51 };
    if matches!(relation, 3 | 5 | 7 | 9) && (a.0 < 0.0 || b.0 < 0.0) {
        return None;
    }
    let width = high - low;
    let below = |limit: f64| ((limit - low) / (width + 1.0)).clamp(0.0, 1.0);
    Some(match relation {
        0 => {
            if low > 0.0 || high < 0.0 {
                0.0
            } else {
                1.0 / (width + 1.0)
            }
        }
        1 => {
            if low > 0.0 || high < 0.0 {
                1.0
            } else {
                1.0 - 1.0 / (width + 1.0)
            }
        }
        2 | 3 => below(0.0),
        4 | 5 => 1.0 - below(1.0),
        6 | 7 => below(1.0),
        _ => 1.0 - below(0.0),
    })
}
