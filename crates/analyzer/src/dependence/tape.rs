//! What a walk met in the loops of a function, written down, so that only what turns out to matter need be examined, without
//! another walk.
//!
//! Values are kept as they stand when the walk is over. The recorder must see them as they stood when each loop ended: the
//! variables of a loop are replaced by their last values once it is over, so that these replacements are taken back first
//! and made again in their order. Called by the loop walk, and by the front end for functions that matter.

use super::reference::Space;
use super::{Accesses, Finding, Recorder, Why};
use crate::effects::Callees;
use crate::program::Node;
use crate::trip_count::{Formula, Variable};
use crate::values::{Val, Values};

/// Something that was met.
#[derive(Debug, Clone, Copy)]
enum Event {
    Select {
        chosen: Val,
        condition: Val,
    },
    Enter {
        first_symbol: u32,
    },
    Access {
        space: Space,
        store: bool,
        width: u8,
        address: (Val, i64),
        value: Val,
    },
    Obstacle(Why),
    /// A call, by its node.
    Call(Node),
    /// A loop's end, by its place among those kept.
    Leave(u32),
    /// So many variables have been replaced by their last values.
    Closed(u32),
}

/// A loop as it ended.
#[derive(Debug, Clone, Copy)]
struct Left {
    /// Of all loops that ended up to this one.
    variables: u32,
    operands: u32,
    /// The number that the next symbol had.
    next_symbol: u32,
    bounds: (Option<Formula>, bool, bool),
}

/// What a walk met, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tape {
    on: bool,
    /// Loops that are open.
    depth: u32,
    events: Vec<Event>,
    /// Symbols that were operands in loops.
    operands: Vec<u32>,
    left: Vec<Left>,
    variables: Vec<Variable>,
}

/// A tape with the values that it speaks of.
#[derive(Debug)]
pub(crate) struct Recording {
    tape: Tape,
    values: Values,
}

impl Tape {
    /// Begins a function; what is met is noted only if `on`.
    pub(crate) fn begin(&mut self, on: bool) {
        (self.on, self.depth) = (on, 0);
        self.events.clear();
        self.operands.clear();
        self.left.clear();
        self.variables.clear();
    }

    /// Whether anything was noted.
    pub(crate) fn any(&self) -> bool {
        !self.left.is_empty()
    }

    /// What was noted, with a copy of the values; the buffers are kept for the next function.
    pub(crate) fn recording(&self, values: &Values) -> Recording {
        Recording { tape: self.clone(), values: values.clone() }
    }

    /// Whether anything is noted here: in a loop, where that was asked for.
    #[inline]
    pub(crate) fn listens(&self) -> bool {
        self.depth > 0
    }

    /// Notes a value that was an operand.
    #[inline]
    pub(crate) fn operand(&mut self, value: Val) {
        if self.depth > 0 && !value.is_junk() && value.as_constant().is_none() {
            self.operands.push(value.symbol);
        }
    }

    /// Notes the condition of a choice between two values.
    #[inline]
    pub(crate) fn select(&mut self, chosen: Val, condition: Val) {
        self.note(Event::Select { chosen, condition });
    }

    /// Notes that a loop begins, whose symbols are numbered from `first_symbol` on.
    pub(crate) fn enter(&mut self, first_symbol: u32) {
        if self.on {
            self.depth += 1;
            self.note(Event::Enter { first_symbol });
        }
    }

    /// Notes a load or store of `width` bytes. `value` is what is stored, or what came of the load.
    pub(crate) fn access(&mut self, space: Space, store: bool, width: u8, address: (Val, i64), value: Val) {
        self.note(Event::Access { space, store, width, address, value });
    }

    /// Notes something whose effects are not followed.
    #[inline]
    pub(crate) fn obstacle(&mut self, why: Why) {
        self.note(Event::Obstacle(why));
    }

    /// Notes a call.
    pub(crate) fn call(&mut self, call: Node) {
        self.note(Event::Call(call));
    }

    /// Notes that the loop that was open innermost ends, as [`Recorder::leave`] is told.
    pub(crate) fn leave(&mut self, values: &Values, variables: &[Variable], bounds: (Option<Formula>, bool, bool)) {
        if self.depth == 0 {
            return;
        }
        self.note(Event::Leave(self.left.len() as u32));
        self.variables.extend_from_slice(variables);
        self.left.push(Left {
            variables: self.variables.len() as u32,
            operands: self.operands.len() as u32,
            next_symbol: values.next_symbol(),
            bounds,
        });
        self.depth -= 1;
    }

    /// Notes that variables of the loop that ended last were replaced by their last values.
    pub(crate) fn closed(&mut self, values: &Values) {
        if self.on {
            self.events.push(Event::Closed(values.closed()));
        }
    }

    #[inline]
    fn note(&mut self, event: Event) {
        if self.depth > 0 {
            self.events.push(event);
        }
    }
}

impl Recording {
    /// Has a recorder examine the loops that are asked for, by their place among the function's, where calls do what `callees`
    /// tells: what these loops share, and what all access.
    pub(crate) fn examine(
        mut self,
        recorder: &mut Recorder,
        callees: &Callees,
        asked: &[bool],
    ) -> (Vec<Finding>, Accesses) {
        recorder.begin(true);
        recorder.ask(asked);
        recorder.expect(self.tape.events.iter().filter(|event| matches!(event, Event::Access { .. })).count());
        self.values.reopen();
        let (mut variables, mut operands) = (0, 0);
        for event in &self.tape.events {
            match *event {
                Event::Select { chosen, condition } => recorder.select(chosen, condition),
                Event::Enter { first_symbol } => recorder.enter(first_symbol),
                Event::Access { space, store, width, address, value } => {
                    recorder.access(space, store, i64::from(width), address, value, &self.values);
                }
                Event::Obstacle(why) => recorder.obstacle(why),
                Event::Call(node) => recorder.call(callees.of(&node)),
                Event::Leave(at) => {
                    let Left { variables: last, operands: met, next_symbol, bounds } = self.tape.left[at as usize];
                    recorder.operands(&self.tape.operands[operands..met as usize]);
                    let ended = &self.tape.variables[variables..last as usize];
                    recorder.leave_at((&self.values, next_symbol), ended, bounds);
                    (variables, operands) = (last as usize, met as usize);
                }
                Event::Closed(until) => self.values.close_until(until),
            }
        }
        (recorder.findings(), recorder.accesses())
    }
}
