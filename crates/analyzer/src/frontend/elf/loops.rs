//! What ends each loop and what its iterations share: variables made at its head, conditions on its ways out.
//!
//! Part of the walk over registers; the arithmetic is that of [`crate::trip_count`] and [`crate::dependence`].

use super::graph::NONE;
use super::layout::Layout;
use super::registers::{ALL, GENERAL, Registers};
use crate::dependence::{Space, Why};
use crate::loops::finish::{recurrence, steered};
use crate::priors::{Ending, UnknownLoop};
use crate::program::{Forest, Trip};
use crate::trip_count::{self, Formula, Surroundings, Test, Variable, Verdict};
use crate::values::{Source, Val};

/// Ways out of a loop whose conditions are looked at; more only mean that it may end early.
const MAX_EXITS: usize = 8;

/// Where a loop variable lives.
#[derive(Debug, Clone, Copy)]
enum Place {
    Register(usize),
    Slot(i64),
}

/// A loop variable.
#[derive(Debug, Clone, Copy)]
struct Tracked {
    place: Place,
    symbol: u32,
    init: Val,
}

/// A way out of a loop.
#[derive(Debug, Clone, Copy)]
struct Way {
    value: Val,
    cond: u32,
    /// Whether the loop goes on where `value` is true.
    again: bool,
}

/// A loop whose blocks are being walked.
#[derive(Debug)]
pub(super) struct Open {
    number: u32,
    /// Index in the forest.
    index: u32,
    first_symbol: u32,
    variables: Vec<Tracked>,
    /// Whether it calls anything.
    pub calls: bool,
}

impl Registers {
    /// Makes everything a variable of the loop.
    pub(super) fn enter_loop(&mut self, number: u32, index: u32) {
        let first_symbol = self.values.next_symbol();
        self.notes.enter(first_symbol);
        let mut variables = Vec::new();
        let followed = if self.detail { ALL } else { GENERAL };
        for register in 0..followed {
            let init = self.now.registers[register];
            let (phi, symbol) = self.variable(index, init);
            self.now.registers[register] = phi;
            variables.extend(symbol.map(|symbol| Tracked { place: Place::Register(register), symbol, init }));
        }
        for slot in 0..self.now.len {
            let super::states::Slot { at, value: init, .. } = self.now.slots[slot];
            let (phi, symbol) = self.variable(index, init);
            self.now.slots[slot].value = phi;
            variables.extend(symbol.map(|symbol| Tracked { place: Place::Slot(at), symbol, init }));
        }
        self.open.push(Open { number, index, first_symbol, variables, calls: false });
    }

    fn variable(&mut self, of: u32, init: Val) -> (Val, Option<u32>) {
        // The frame stays where it is while a loop runs: compilers balance the stack.
        if Some(init.symbol) == self.frame_symbol() {
            return (init, None);
        }
        let phi = if init.is_junk() { self.values.opaque(Source::Other) } else { self.values.phi(of, init) };
        (phi, phi.as_symbol())
    }

    /// Notes a load or store; `value` is what is stored, or what came of the load.
    pub(super) fn note_access(&mut self, address: Val, width: u32, store: bool, value: Val) {
        if self.notes.listens() {
            self.notes.access(Space::Memory, store, i64::from(width), (address, 0), value, &self.values);
        }
    }

    /// Rules a test of dependence out for all open loops: something happens whose effects are not followed.
    pub(super) fn rule_out(&mut self, why: Why) {
        self.notes.obstacle(why);
    }

    /// Decides what ends the innermost open loop, and how often it runs.
    pub(super) fn leave_loop(&mut self, layout: &Layout, forest: &mut Forest) {
        let Some(open) = self.open.pop() else { return };
        if let Some(outer) = self.open.last_mut() {
            outer.calls |= open.calls;
        }
        let steps = self.steps(layout, &open);
        let test = Test {
            values: &self.values,
            first_symbol: open.first_symbol,
            steps: &steps,
            varying: false,
            hopping: false,
        };
        let mut kind = UnknownLoop::Data;
        let mut best: Option<(Formula, Way)> = None;
        let mut main = None;
        let (ways, mut others, surroundings) = self.ways(layout, &open);
        let mut ending = if others > 0 { Ending::OTHER } else { Ending::NONE };
        for way in &ways {
            main = main.or(Some(*way));
            match test.verdict(way.value, way.again) {
                Verdict::Known(formula) if best.as_ref().is_none_or(|(known, _)| formula.fewer(known)) => {
                    best = Some((formula, *way));
                }
                Verdict::Known(_) => {}
                Verdict::Unknown(found) => {
                    others += 1;
                    ending = ending.with(test.ending(way.value, way.again));
                    kind = trip_count::stronger(kind, found);
                }
            }
        }
        if best.is_none()
            && let Some((formula, way)) = self.at_every_latch(layout, &open, &test)
        {
            // Each iteration that goes round passes one of these tests, which agree.
            (best, others) = (Some((formula, way)), 0);
        }
        if best.is_none() && kind == UnknownLoop::Data {
            kind = test.pace();
        }
        (kind, ending) = surroundings.seen(kind, ending);
        forest.loops[open.index as usize].ending = ending;
        let formula = best.map(|(formula, _)| formula);
        self.notes.leave(&self.values, &steps, (formula, false, formula.is_some() && others == 0));
        self.conclude(forest, &open, &steps, best, main, kind, others);
        if let (None, [way], 1) = (&best, &ways[..], others)
            && !way.value.is_junk()
        {
            let what = (way.value, &steps[..], open.index);
            let (test, phis) = recurrence(&mut self.exporter, &self.values, forest, what);
            let entry = &mut forest.loops[open.index as usize];
            (entry.test, entry.phis) = (test, phis);
        }
    }

    /// The conditions that every iteration meets, the number of other ways out, and what else there is inside.
    fn ways(&self, layout: &Layout, open: &Open) -> (Vec<Way>, u32, Surroundings) {
        let (mut ways, mut others) = (Vec::new(), 0);
        for &block in &layout.loop_blocks[open.number as usize] {
            let successors = layout.body.graph.of(block);
            let leaves = |to: u32| !layout.flow.holds(open.number, layout.flow.loop_of[to as usize]);
            let (taken, next) = layout.body.branches[block as usize];
            let (cond, inverted) = layout.conds[block as usize];
            let out = successors.iter().filter(|&&to| leaves(to) && !layout.dying[to as usize]).count();
            if cond == NONE {
                others += out as u32;
                continue;
            }
            let gone = |to: u32| to == NONE || leaves(to);
            if gone(taken) == gone(next) || (out == 0 && taken != NONE) {
                continue;
            }
            let certain = layout.flow.loop_of[block as usize] == open.number
                && self.latches(layout, open).all(|latch| layout.flow.dominates(block, latch));
            if certain && ways.len() < MAX_EXITS {
                let again = gone(next) != inverted;
                ways.push(Way { value: self.truths[block as usize], cond, again });
            } else {
                others += 1;
            }
        }
        (ways, others, Surroundings { calls: open.calls, targets: layout.targets(open.number) })
    }

    /// The count that the tests at all back edges agree on, where the loop can be left in no other way.
    fn at_every_latch(&self, layout: &Layout, open: &Open, test: &Test<'_>) -> Option<(Formula, Way)> {
        let header = layout.flow.loops[open.number as usize].header;
        let mut found: Option<(Formula, Way)> = None;
        let leaving = layout.loop_blocks[open.number as usize].iter().filter(|&&block| {
            layout.body.graph.of(block).iter().any(|&to| {
                !layout.dying[to as usize] && !layout.flow.holds(open.number, layout.flow.loop_of[to as usize])
            })
        });
        for &block in leaving {
            let (taken, next) = layout.body.branches[block as usize];
            let (cond, inverted) = layout.conds[block as usize];
            let innermost = layout.flow.loop_of[block as usize] == open.number;
            if cond == NONE || !innermost || (taken != header && next != header) {
                return None;
            }
            let way = Way { value: self.truths[block as usize], cond, again: (taken == header) != inverted };
            let Verdict::Known(formula) = test.verdict(way.value, way.again) else { return None };
            match &found {
                None => found = Some((formula, way)),
                Some((known, _)) if known.same(&formula) => {}
                Some(_) => return None,
            }
        }
        // Without a test of its own, a back edge goes round unasked.
        let asked = |from: &u32| layout.conds[*from as usize].0 != NONE;
        found.filter(|_| self.latches(layout, open).all(|from| asked(&from)))
    }

    fn latches<'a>(&self, layout: &'a Layout, open: &Open) -> impl Iterator<Item = u32> + use<'a> {
        let (number, header) = (open.number, layout.flow.loops[open.number as usize].header);
        layout.flow.preceding(header).iter().copied().filter(move |&from| {
            layout.flow.holds(number, layout.flow.loop_of[from as usize])
                && layout.flow.place[from as usize] >= layout.flow.place[header as usize]
        })
    }

    /// What each iteration does to each variable.
    fn steps(&self, layout: &Layout, open: &Open) -> Vec<Variable> {
        let states: Vec<_> = self.latches(layout, open).filter_map(|from| self.kept.of(from)).collect();
        let variable = |tracked: &Tracked| {
            let mut latch = None;
            for state in &states {
                let now = match tracked.place {
                    Place::Register(register) => state.registers[register],
                    Place::Slot(at) => {
                        state.slots.iter().find(|slot| slot.at == at).map_or(Val::JUNK, |slot| slot.value)
                    }
                };
                latch = match latch {
                    None => Some(now),
                    Some(before) if before == now => Some(now),
                    Some(_) => Some(Val::JUNK),
                };
            }
            let latch = latch.filter(|latch| !latch.is_junk());
            Variable::new(&self.values, tracked.symbol, tracked.init, latch)
        };
        open.variables.iter().map(variable).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "what was found of one loop, used once")]
    fn conclude(
        &mut self,
        forest: &mut Forest,
        open: &Open,
        steps: &[Variable],
        best: Option<(Formula, Way)>,
        main: Option<Way>,
        kind: UnknownLoop,
        others: u32,
    ) {
        let mut entry = forest.loops[open.index as usize];
        entry.early = others > 0;
        if let Some((formula, way)) = best {
            (entry.main, entry.again) = (way.cond, way.again);
            entry.trip = self.exporter.formula(&self.values, forest, &formula);
            steered(forest, entry.trip, open.index);
        } else {
            entry.early = false;
            entry.trip = Trip::Unknown(kind);
            if let Some(way) = main {
                (entry.main, entry.again) = (way.cond, way.again);
            }
        }
        forest.loops[open.index as usize] = entry;
        let trips = best.and_then(|(formula, _)| formula.constant()).filter(|_| others == 0);
        self.exporter.settle(&mut self.values, forest, steps, open.first_symbol, trips);
    }
}
