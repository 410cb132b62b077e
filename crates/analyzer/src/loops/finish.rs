//! A loop from its head to its end: its variables, what ends it, how often it runs, what its iterations share.
//!
//! Part of the loop walk.

use super::{Exit, Keep, Kind, Latch, MAX_VARIABLES, Open, Tracked, Walker};
use crate::dependence::{Space, Why};
use crate::export::Exporter;
use crate::frontend::wasm::classes;
use crate::frontend::wasm::decode::Op;
use crate::lanes::seed;
use crate::priors::{Ending, UnknownLoop};
use crate::program::{Expr, Forest, Loop, NONE, Node, Trip};
use crate::trip_count::{self, Formula, Surroundings, Test, Variable, Verdict};
use crate::values::{Def, Source, Val, Values};

/// Expressions looked at for loops that steer another.
const MAX_STEERED: u32 = 24;

impl Walker {
    pub(super) fn note_access(&mut self, op: Op, address: Val, store: bool, value: Val) {
        if self.watch.on || self.notes.listens() {
            let (loaded, stored) = classes::traffic(op.code);
            let width = loaded.max(stored);
            if self.watch.on {
                self.watch.access(address, op.b, i64::from(width), store);
            }
            self.notes.access(Space::Memory, store, width, (address, op.b), value);
        }
    }

    pub(super) fn note_global(&mut self, global: u32, store: bool, value: Val) {
        if self.notes.listens() {
            self.notes.access(Space::Global(global), store, 1, (Val::constant(0), 0), value);
        }
    }

    /// The result of an operator on floats or vectors: remembered where dependence is asked for.
    pub(super) fn remembered(&mut self, plain: u16, a: Val, b: Val) -> Val {
        if self.keep == Keep::Accesses && !self.open.is_empty() { self.values.remember(plain, a, b) } else { Val::JUNK }
    }

    /// The result of an operator on floats: remembered as well where a loop may count by it.
    pub(super) fn floating(&mut self, plain: u16, a: Val, b: Val) -> Val {
        let counts = match plain {
            0x5b..=0x66 | 0x92 | 0x93 | 0xa0 | 0xa1 => !self.open.is_empty() && !a.is_junk() && !b.is_junk(),
            _ => false,
        };
        if counts { self.values.remember(plain, a, b) } else { self.remembered(plain, a, b) }
    }

    pub(super) fn enter_loop(&mut self, forest: &mut Forest, number: u32) {
        self.flush(forest);
        self.loops_begun = number + 1;
        let shape = self.decoded.loops[number as usize];
        let params = shape.arity & 0xffff;
        for _ in 0..params.min(self.stack.len() as u32) {
            self.stack.pop();
        }
        for _ in 0..params {
            self.stack.push(Val::JUNK);
        }
        let index = forest.loops.len() as u32;
        let first_symbol = self.values.next_symbol();
        let (start, len) = shape.assigned;
        // Each variable costs a look at its first and its last value.
        self.spend(8 * len as usize + params as usize);
        let mut variables = Vec::with_capacity(len as usize);
        for slot in start..start + len {
            let local = self.decoded.assigned[slot as usize];
            // A local that is not tracked, or not there at all, is no variable.
            let Some(&init) = self.locals.get(local as usize) else { continue };
            let phi = if init.is_junk() { self.values.opaque(Source::Other) } else { self.values.phi(index, init) };
            if let Some(symbol) = phi.as_symbol() {
                self.assign(local, phi);
                variables.push(Tracked { local, symbol, init, latch: Latch::Unseen });
            }
        }
        self.notes.enter(first_symbol);
        if variables.len() > MAX_VARIABLES {
            self.notes.obstacle(Why::TooMuch);
        }
        self.open.push(Open {
            index,
            number,
            first_node: forest.nodes.len() as u32,
            frame: self.frames.len() as u32,
            first_symbol,
            variables,
            exits: Vec::new(),
            backs: 0,
            first_back: None,
            last_back: None,
            early: false,
            early_since: false,
            table_targets: 0,
            calls: false,
        });
        let trip = Trip::Unknown(UnknownLoop::Data);
        let depth = self.open.len() as u32;
        forest.nodes.push(Node::Loop(index));
        forest.loops.push(Loop {
            offset: shape.offset,
            depth,
            trip,
            main: NONE,
            again: true,
            test: NONE,
            lingers: None,
            phis: (0, 0),
            steers: false,
            early: false,
            ending: Ending::NONE,
            like: 0,
            finding: None,
        });
        self.enter(Kind::Loop(self.open.len() as u32 - 1), params, shape.arity >> 16, NONE);
    }

    /// Decides what ends the loop that was open innermost, and how often it runs.
    pub(super) fn finish_loop(&mut self, forest: &mut Forest, live: bool) {
        let Some(mut open) = self.open.pop() else { return };
        if let Some(outer) = self.open.last_mut() {
            outer.calls |= open.calls;
        }
        let steps = self.steps(&open);
        let test = Test {
            values: &self.values,
            first_symbol: open.first_symbol,
            steps: &steps,
            varying: true,
            hopping: false,
        };
        let before = open.last_back.map_or(open.backs, |back| back.backs + 1);
        open.exits.retain(|exit| exit.backs < before.max(1));
        let mut best: Option<(Formula, Exit)> = None;
        let mut kind = UnknownLoop::Data;
        let mut others = u32::from(open.early);
        let mut ending = if open.early { Ending::OTHER } else { Ending::NONE };
        for exit in open.last_back.iter().chain(&open.exits) {
            let verdict = if exit.certain { test.verdict(exit.value, exit.again) } else { Verdict::Unknown(kind) };
            match verdict {
                Verdict::Known(formula) if best.as_ref().is_none_or(|(known, _)| formula.fewer(known)) => {
                    best = Some((formula, *exit));
                }
                Verdict::Known(_) => {}
                Verdict::Unknown(found) => {
                    others += 1;
                    ending = ending.with(test.ending(exit.value, exit.again));
                    kind = trip_count::stronger(kind, found);
                }
            }
        }
        // Where its last way round is taken under a condition, what lies behind that leaves it.
        let bound = open.last_back.is_none() && open.exits.is_empty() && !open.early && !open.early_since;
        let stays = !live && open.backs > 0 && bound;
        if stays && !open.calls {
            kind = UnknownLoop::Endless;
        } else if best.is_none() && kind == UnknownLoop::Data {
            kind = test.pace();
        }
        let surroundings = Surroundings { calls: open.calls, targets: open.table_targets as usize };
        (kind, ending) = surroundings.seen(kind, ending);
        forest.loops[open.index as usize].ending = ending;
        let lingers = if best.is_none() && others > 0 { self.lingers(&open, &steps) } else { None };
        let only = others == 1 && open.backs == 1 && !open.early;
        let hops = if best.is_none() && lingers.is_none() && only { self.hops(&open, &steps) } else { None };
        if let Some((formula, exit, cond)) = hops {
            forest.loops[open.index as usize].lingers = Some((cond, UnknownLoop::Hopping));
            self.notes.leave(&self.values, &steps, (None, false, false));
            return self.conclude(forest, &open, &steps, Some((formula, exit)), kind, 0);
        }
        if let Some((formula, exit, cond)) = lingers {
            forest.loops[open.index as usize].lingers = Some((cond, kind));
            self.notes.leave(&self.values, &steps, (None, false, false));
            return self.conclude(forest, &open, &steps, Some((formula, exit)), kind, 0);
        }
        let formula = best.map(|(formula, _)| formula);
        let counted = formula.is_some() && others == 0;
        self.notes.leave(&self.values, &steps, (formula, open.backs == 0, counted));
        self.conclude(forest, &open, &steps, best, kind, others);
    }

    /// How often a loop's counter moves whose head is also that of a loop inside it: by which exit, and the condition by
    /// which it goes round without.
    fn lingers(&self, open: &Open, steps: &[Variable]) -> Option<(Formula, Exit, u32)> {
        let first = open.first_back?;
        let hop = |variable: &Variable| {
            let latch = variable.latch.filter(|_| variable.step.is_none())?;
            self.hop(latch, variable.symbol)
        };
        let hops: Vec<Variable> = steps.iter().map(|variable| Variable { step: hop(variable), ..*variable }).collect();
        let test =
            Test { values: &self.values, first_symbol: open.first_symbol, steps: &hops, varying: true, hopping: false };
        open.last_back.iter().chain(&open.exits).filter(|exit| exit.late && exit.backs == 1).find_map(|exit| match test
            .verdict(exit.value, exit.again)
        {
            Verdict::Known(formula) if formula.per.is_none() => Some((formula, *exit, first)),
            _ => None,
        })
    }

    /// How often the counter of a loop moves that some iterations leave alone, and the condition by which they do where that
    /// is known: the loop goes on until so many things were found.
    fn hops(&self, open: &Open, steps: &[Variable]) -> Option<(Formula, Exit, u32)> {
        let exit = open.last_back.iter().chain(&open.exits).find(|exit| exit.certain)?;
        let mut by = NONE;
        let mut hop = |variable: &Variable| {
            let latch = variable.latch.filter(|_| variable.step.is_none())?;
            let moved = trip_count::hop(&self.values, variable.symbol, latch)?;
            if let Def::Choose { cond, a, .. } = self.values.def(latch.symbol)
                && a.as_symbol() == Some(variable.symbol)
            {
                by = cond;
            }
            Some(moved)
        };
        let hops: Vec<Variable> =
            steps.iter().map(|variable| Variable { step: variable.step.or(hop(variable)), ..*variable }).collect();
        let test =
            Test { values: &self.values, first_symbol: open.first_symbol, steps: &hops, varying: false, hopping: true };
        match test.verdict(exit.value, exit.again) {
            Verdict::Known(formula) if formula.per.is_none() => Some((formula, *exit, by)),
            _ => None,
        }
    }

    pub(super) fn conclude(
        &mut self,
        forest: &mut Forest,
        open: &Open,
        steps: &[Variable],
        best: Option<(Formula, Exit)>,
        kind: UnknownLoop,
        others: u32,
    ) {
        let mut entry = forest.loops[open.index as usize];
        entry.early = others > 0;
        if open.backs == 0 {
            entry.trip = Trip::Formula { start: 0, len: 0, constant: 0, step: 1, per: NONE };
        } else if let Some((formula, exit)) = best {
            (entry.main, entry.again) = (exit.cond, exit.again);
            entry.trip = self.exporter.formula(&self.values, forest, &formula);
            steered(forest, entry.trip, open.index);
            if entry.steers && others == 0 && entry.lingers.is_none() && self.bent(forest, steps) {
                entry.phis = self.exporter.follow(&self.values, forest, steps);
            }
        } else {
            entry.early = false;
            entry.trip = Trip::Unknown(kind);
            entry.like = self.like(forest, open, kind, entry.ending);
            entry.main = open.last_back.map_or(NONE, |back| back.cond);
            self.recurrence(forest, open, steps, others, &mut entry);
        }
        forest.loops[open.index as usize] = entry;
        let lingers = entry.lingers.is_some();
        self.cycles(forest, steps);
        let trips = best.and_then(|(formula, _)| formula.constant()).filter(|_| others == 0 && !lingers);
        self.exporter.settle(&mut self.values, forest, steps, open.first_symbol, trips);
        self.notes.closed(&self.values);
    }

    /// A number that loops of one function share which are alike: in what ends them, in variables and in size.
    fn like(&self, forest: &Forest, open: &Open, kind: UnknownLoop, ending: Ending) -> u32 {
        let size = forest.nodes.len() as u64 - u64::from(open.first_node);
        seed([kind.alike(ending), size, open.variables.len() as u64]) as u32 | 1
    }

    /// Notes what a loop of unknown trips ends by, where that is one condition on variables that can be followed.
    fn recurrence(&mut self, forest: &mut Forest, open: &Open, steps: &[Variable], others: u32, entry: &mut Loop) {
        let mut exits = open.last_back.iter().chain(&open.exits);
        let (Some(exit), None, 1) = (exits.next(), exits.next(), others) else { return };
        if !exit.certain || open.early || exit.value.is_junk() {
            return;
        }
        (entry.test, entry.phis) =
            recurrence(&mut self.exporter, &self.values, forest, (exit.value, steps, open.index));
        (entry.main, entry.again) = (exit.cond, exit.again);
    }

    /// Whether a variable that something depends on goes another way than by steps.
    fn bent(&self, forest: &Forest, steps: &[Variable]) -> bool {
        let uneven = |variable: &&Variable| variable.step.is_none() && variable.latch.is_some();
        steps.iter().filter(uneven).any(|variable| {
            let phi = self.exporter.phi(forest, variable.symbol);
            let to = variable.latch.and_then(|latch| self.values.is_pure(latch).then_some(latch));
            phi.is_some() && to.is_some()
        })
    }

    /// What each iteration does to each variable of a loop.
    pub(super) fn steps(&self, open: &Open) -> Vec<Variable> {
        let variable = |tracked: &Tracked| {
            let latch = match tracked.latch {
                Latch::Is(latch) if !latch.is_junk() => Some(latch),
                _ => None,
            };
            Variable::new(&self.values, tracked.symbol, tracked.init, latch)
        };
        open.variables.iter().take(MAX_VARIABLES).map(variable).collect()
    }

    /// What is added to a variable that is either left alone or moved by a constant.
    fn hop(&self, latch: Val, symbol: u32) -> Option<i64> {
        let Def::Either(a, b) = self.values.def(latch.as_symbol()?) else { return None };
        let moved = match (a.as_symbol() == Some(symbol), b.as_symbol() == Some(symbol)) {
            (true, false) => b,
            (false, true) => a,
            _ => return None,
        };
        let mut change = self.values.linear(moved);
        change.add(symbol, -1);
        change.usable().filter(|change| change.terms().is_empty()).map(|change| change.constant)
    }
}

/// The test that a loop ends by, and those of its variables that it depends on, which are followed value by value.
pub(crate) fn recurrence(
    exporter: &mut Exporter,
    values: &Values,
    forest: &mut Forest,
    (test, steps, of): (Val, &[Variable], u32),
) -> (u32, (u32, u32)) {
    let test = exporter.value(values, forest, test);
    let phis = exporter.follow(values, forest, steps);
    // Where they begin from what a loop outside goes through, that is looked at one iteration after the other.
    for slot in phis.0..phis.0 + phis.1 {
        let init = forest.phis[forest.followed[slot as usize] as usize].init;
        steers(forest, init, of, &mut MAX_STEERED.clone());
    }
    (test, phis)
}

/// Marks the loops on whose variables a trip count depends, but for the loop `of` itself.
pub(crate) fn steered(forest: &mut Forest, trip: Trip, of: u32) {
    let Trip::Formula { start, len, per, .. } = trip else { return };
    for slot in start..start + len {
        let expr = forest.terms[slot as usize].0;
        steers(forest, expr, of, &mut MAX_STEERED.clone());
    }
    steers(forest, per, of, &mut MAX_STEERED.clone());
}

fn steers(forest: &mut Forest, expr: u32, of: u32, left: &mut u32) {
    let Some(&found) = forest.exprs.get(expr as usize).filter(|_| *left > 0) else { return };
    *left -= 1;
    match found {
        Expr::Phi(phi) => {
            let phi = forest.phis[phi as usize];
            if phi.of != of
                && let Some(entry) = forest.loops.get_mut(phi.of as usize)
            {
                entry.steers = true;
            }
            steers(forest, phi.init, of, left);
        }
        Expr::Linear { x, .. } => steers(forest, x, of, left),
        Expr::Operation { a, b, .. } | Expr::Either(a, b) => {
            steers(forest, a, of, left);
            steers(forest, b, of, left);
        }
        Expr::Choose { cond, a, b } => {
            let truth = forest.conds[cond as usize].expr;
            steers(forest, truth, of, left);
            steers(forest, a, of, left);
            steers(forest, b, of, left);
        }
        Expr::Const(_) | Expr::Param(_) | Expr::Opaque { .. } | Expr::Word { .. } | Expr::Between(..) => {}
    }
}
