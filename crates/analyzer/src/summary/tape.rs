//! What the flow through a function met on the way up, kept so that the way down need not follow it once more. Part of the
//! call summary.
//!
//! Nothing is kept of what calls on a cycle that is not closed yet: what that costs is known only when the way up is over.

use super::Summary;
use crate::frequency::{Arguments, Cost, Dealt, MAX_ARGUMENTS, Visitor};
use crate::lanes::Lanes;
use crate::program::{Forest, NONE};

/// Events and numbers kept of one run at most, which bounds memory: two megabytes.
const MOST: usize = 1 << 14;

/// Mark on the place of a number that all scenarios agree on.
const AGREED: u32 = 1 << 31;

/// The place of a number at the end of a list, added where it is not that of the one before.
fn last_place<T: PartialEq>(list: &mut Vec<T>, number: T) -> u32 {
    if list.last() != Some(&number) {
        list.push(number);
    }
    list.len() as u32 - 1
}

/// Something that was met, with its numbers by their place among those kept.
#[derive(Debug, Clone, Copy)]
enum Event {
    Call { function: u32, arguments: u32, times: u32, dealt: Dealt },
    CallIndirect { class: u32, times: u32 },
    Work { mix: u32, times: u32 },
    LoopBegun,
    LoopDone { index: u32, entered: u32, trips: u32, cost: u32 },
}

/// What was met, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Tape {
    events: Vec<Event>,
    /// Numbers that all scenarios agree on, and the others.
    agreed: Vec<f64>,
    numbers: Vec<Lanes>,
    /// Of calls some of whose arguments are known.
    arguments: Vec<Arguments>,
}

impl Tape {
    fn size(&self) -> usize {
        self.events.len() + self.agreed.len() + self.numbers.len() + self.arguments.len()
    }

    /// With room for what most functions meet.
    fn blank() -> Self {
        const USUAL: usize = 512;
        let numbers = Vec::with_capacity(USUAL / 2);
        Self { events: Vec::with_capacity(USUAL), agreed: Vec::with_capacity(USUAL), numbers, arguments: Vec::new() }
    }

    fn clear(&mut self) {
        self.events.clear();
        self.agreed.clear();
        self.numbers.clear();
        self.arguments.clear();
    }

    /// The place of a number, of those that scenarios agree on marked so; neighbours often share one.
    fn place(&mut self, number: Lanes) -> u32 {
        match number.exact() {
            Some(agreed) => last_place(&mut self.agreed, agreed) | AGREED,
            None => last_place(&mut self.numbers, number),
        }
    }

    fn number(&self, place: u32) -> Lanes {
        match place & AGREED {
            0 => self.numbers[place as usize],
            _ => Lanes::splat(self.agreed[(place & !AGREED) as usize]),
        }
    }

    /// Has a visitor meet all of it again, in a forest whose mixes are those of the function.
    pub(super) fn play(&self, forest: &Forest, visitor: &mut impl Visitor) {
        let mut sum = Cost::ZERO;
        let number = |place: u32| self.number(place);
        for &event in &self.events {
            match event {
                Event::Call { function, arguments, times, dealt } => {
                    let known = self.arguments.get(arguments as usize).copied().unwrap_or([None; MAX_ARGUMENTS]);
                    visitor.call(function, &known, number(times), dealt, &mut sum);
                }
                Event::CallIndirect { class, times } => visitor.call_indirect(class, number(times), &mut sum),
                Event::Work { mix, times } => visitor.work((mix, forest.mix(mix)), number(times)),
                Event::LoopBegun => visitor.loop_begun(),
                Event::LoopDone { index, entered, trips, cost } => {
                    visitor.loop_done(index, number(entered), number(trips), number(cost));
                }
            }
        }
    }
}

/// The summary, and what it meets written down.
pub(super) struct Recording<'s, 'a> {
    summary: &'s mut Summary<'a>,
    tape: Tape,
}

impl<'s, 'a> Recording<'s, 'a> {
    pub(super) fn new(summary: &'s mut Summary<'a>) -> Self {
        let tape = summary.blank.pop().unwrap_or_else(Tape::blank);
        Self { summary, tape }
    }

    /// What was written down, unless that is too much: a copy, so that one long list grows and not many.
    pub(super) fn done(self) -> Option<Tape> {
        let Self { summary, mut tape } = self;
        summary.taped += tape.size();
        let kept = (summary.taped <= MOST).then(|| tape.clone());
        tape.clear();
        summary.blank.push(tape);
        kept
    }
}

impl Visitor for Recording<'_, '_> {
    /// With what the way down wants to know.
    fn sensitive(&self, function: u32) -> u64 {
        self.summary.sensitive(function) | self.summary.sizes(function)
    }

    fn text(&self, address: i64) -> Option<&[u8]> {
        self.summary.text(address)
    }

    fn unchanged(&self, address: u32) -> bool {
        self.summary.unchanged(address)
    }

    fn addresses(&self) -> i64 {
        self.summary.addresses()
    }

    fn wants_scale(&mut self) {
        self.summary.wants_scale();
    }

    fn call(&mut self, function: u32, arguments: &[Option<i64>], times: Lanes, dealt: Dealt, sum: &mut Cost) {
        let mut place = NONE;
        if arguments.iter().any(Option::is_some) {
            place = self.tape.arguments.len() as u32;
            self.tape.arguments.push(std::array::from_fn(|at| arguments.get(at).copied().flatten()));
        }
        let number = self.tape.place(times);
        self.tape.events.push(Event::Call { function, arguments: place, times: number, dealt });
        let telling = self.summary.telling_arguments(function, arguments);
        self.summary.call(function, &telling, times, dealt, sum);
    }

    fn call_indirect(&mut self, class: u32, times: Lanes, sum: &mut Cost) {
        let number = self.tape.place(times);
        self.tape.events.push(Event::CallIndirect { class, times: number });
        self.summary.call_indirect(class, times, sum);
    }

    fn work(&mut self, (mix, _): (u32, &[(u32, u32)]), times: Lanes) {
        let times = self.tape.place(times);
        self.tape.events.push(Event::Work { mix, times });
    }

    fn loop_begun(&mut self) {
        self.tape.events.push(Event::LoopBegun);
    }

    fn loop_done(&mut self, index: u32, entered: Lanes, trips: Lanes, cost: Lanes) {
        let [entered, trips, cost] = [entered, trips, cost].map(|number| self.tape.place(number));
        self.tape.events.push(Event::LoopDone { index, entered, trips, cost });
    }
}
