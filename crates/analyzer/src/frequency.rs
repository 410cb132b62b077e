//! How often each part of one function runs, per call of it: flow through the control structure, lane by lane.
//!
//! Flow enters a function as 1, divides at branches, joins at block ends, and is multiplied by a loop's trip count at
//! its header; what leaves a loop is made to equal what entered it. Called by the summary, which says what calls cost
//! and takes note of what is asked for.

use std::ops::Range;

use crate::lanes::{Lanes, Number, seed};
use crate::priors;
use crate::program::{Forest, Function, NONE, Node};

mod expressions;
mod sampling;

/// Chances below this are never taken inside a loop: what ends in `unreachable`.
const NEGLIGIBLE: f64 = 1e-4;

/// Trip counts above this are not believed where they rest on a guess: sixteen million.
const MAX_DRAWN: f64 = 16_777_216.0;

/// Tails within each other that are looked at: each leaves a loop around the last.
const MAX_TAILS: usize = 8;

/// Iterations of a loop told apart at most, where a call in it depends on the loop variable, and how many stand for all
/// of a longer one.
const MAX_UNROLLED: f64 = 64.0;
const STRATA: u32 = 8;

/// Nodes walked again to look at single iterations of loops: so many, and so many per node of the function.
const SAMPLED_NODES: usize = 2048;
const SAMPLED_PER_NODE: usize = 4;

/// Frames for which there is room at once, so that few functions ask for more.
const USUAL_FRAMES: usize = 16;

/// Entries from which on a mean is told from a single draw.
pub(crate) const OFTEN: f64 = 16.0;

/// Expressions evaluated for one number at most; beyond that it is unknown.
const MAX_STEPS: u32 = 40;

/// What a function costs in operators, per call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub ops: Lanes,
    /// Those of them in the function itself, not in what it calls.
    pub own: Lanes,
    /// Bytes moved by bulk operations, which fuel counts too.
    pub bulk: Lanes,
    /// Pages asked of `memory.grow`.
    pub grown_pages: Lanes,
}

impl Cost {
    pub(crate) const ZERO: Self =
        Self { ops: Lanes::ZERO, own: Lanes::ZERO, bulk: Lanes::ZERO, grown_pages: Lanes::ZERO };

    pub(crate) fn add(&mut self, other: &Self, times: Lanes) {
        self.ops = (self.ops + other.ops * times).bounded();
        // Few functions move or ask for memory.
        if !other.bulk.is_zero() {
            self.bulk = (self.bulk + other.bulk * times).bounded();
        }
        if !other.grown_pages.is_zero() {
            self.grown_pages = (self.grown_pages + other.grown_pages * times).bounded();
        }
    }

    pub(crate) fn scaled(&self, times: Lanes) -> Self {
        let mut out = Self::ZERO;
        out.add(self, times);
        out
    }

    pub(crate) fn total(&self) -> Lanes {
        self.ops + self.bulk
    }
}

/// Arguments of a call that are told apart.
pub(crate) const MAX_ARGUMENTS: usize = 8;

/// The known arguments of a call.
pub(crate) type Arguments = [Option<i64>; MAX_ARGUMENTS];

/// How many things a caller has been seen to deal with; 0 where with none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dealt {
    /// In all.
    pub all: f64,
    /// Those that one call may be for, by the loops around it.
    pub each: f64,
}

/// What the flow meets on its way.
pub(crate) trait Visitor {
    /// The parameters that make a difference to what a function costs, one bit each.
    fn sensitive(&self, function: u32) -> u64;
    /// Adds to `sum` what `times` calls of a function cost, with constant arguments where known, and takes note of them.
    fn call(&mut self, function: u32, arguments: &[Option<i64>], times: Lanes, dealt: Dealt, sum: &mut Cost);
    /// The same of indirect calls, by the class of the callee.
    fn call_indirect(&mut self, class: u32, times: Lanes, sum: &mut Cost);
    /// Constant data from an address on.
    fn text(&self, _address: i64) -> Option<&[u8]> {
        None
    }
    /// Whether a word of constant data is one that nothing changes.
    fn unchanged(&self, _address: u32) -> bool {
        false
    }
    /// The lowest number that may be an address.
    fn addresses(&self) -> i64 {
        0
    }
    /// Note that the function's cost would be told better by how many things its caller deals with.
    fn wants_scale(&mut self) {}
    /// Note of straight-line work done `times` times: the place of its mix in the forest, and that.
    fn work(&mut self, _mix: (u32, &[(u32, u32)]), _times: Lanes) {}
    /// Note of a loop entered.
    fn loop_begun(&mut self) {}
    /// Note of a loop left: its index in the function, how often it is entered and its cost per call of the function,
    /// its trips each time.
    fn loop_done(&mut self, _index: u32, _entered: Lanes, _trips: Lanes, _cost: Lanes) {}
}

enum Kind {
    Block,
    If,
    Loop(Box<LoopFlow>),
}

struct LoopFlow {
    index: u32,
    entry: Lanes,
    trips: Lanes,
    /// The same where all scenarios agree.
    told: Option<f64>,
    /// Times round for each move of its counter.
    rounds: Option<Lanes>,
    cost_before: Lanes,
    /// Flow out of the loop, by target frame.
    exits: Vec<(u32, Lanes)>,
    /// Flow into tails, which left the loop there, and out of the last of them at the loop's end.
    left: Lanes,
    through: Lanes,
}

impl LoopFlow {
    /// How often its counter moves.
    fn moves(&self) -> Number {
        match (self.rounds, self.told) {
            (Some(rounds), _) => Number::Many(self.trips / rounds),
            (None, Some(trips)) => Number::One(trips),
            (None, None) => Number::Many(self.trips),
        }
    }

    /// The chance of what happens once while it moves.
    fn once(&self) -> Lanes {
        self.moves().map(|moves| 1.0 / moves).lanes()
    }
}

struct Frame {
    kind: Kind,
    joining: Lanes,
}

#[derive(Clone, Copy)]
enum LoopState {
    Unseen,
    Open(Lanes),
    Closed(Lanes),
}

/// The evaluation of one function under given arguments.
pub(crate) struct Flow<'a, V> {
    forest: &'a Forest,
    function: &'a Function,
    number: u32,
    arguments: &'a [Option<i64>],
    visitor: &'a mut V,
    frames: Vec<Frame>,
    /// Flow past each open `if` that has met no `else` yet.
    otherwise: Vec<Lanes>,
    /// Frames that are loops, innermost last.
    loops: Vec<u32>,
    /// Loops whose tails are walked: frame, cost so far, and how many frames there were when the tail began.
    tails: Vec<(u32, Lanes, u32)>,
    states: Vec<LoopState>,
    tables_seen: u64,
    /// Iterations looked at alone, of loops within each other.
    points: Vec<sampling::Point>,
    /// The one that a condition is being decided for.
    extra: std::cell::Cell<Option<sampling::Point>>,
    /// Iterations of the largest nest of known trips so far.
    scale: f64,
    /// The same counted by what its counters go through: the most that it may have dealt with, where a compiler unrolled or
    /// vectorised it.
    extent: f64,
    /// Whether something would have been told by that, had it been known.
    wants_scale: std::cell::Cell<bool>,
    /// Nodes that may still be walked for that.
    samples_left: usize,
    /// Values of variables that go through known ones, by loop of the function; none where there are none.
    sequences: Vec<Option<Box<sampling::Sequence>>>,
    now: Lanes,
    /// So far; `ops` holds what it calls, without its own.
    cost: Cost,
}

/// Cost of one call of a function under some arguments, which may deal with so many things as its caller does (0 where that is
/// not known).
///
/// Its unknowns are named by its size and shape, so that they are the same each time, and wherever in the file it stands.
pub(crate) fn evaluate<V: Visitor>(
    forest: &Forest,
    function: &Function,
    arguments: &[Option<i64>],
    handed: f64,
    visitor: &mut V,
) -> Cost {
    if function.formats {
        let ops = crate::formatting::cost(arguments, |address| visitor.text(address));
        return Cost { ops: ops + Lanes::ONE, own: ops, ..Cost::ZERO };
    }
    if function.opaque {
        let ops = priors::beyond() * f64::from(function.static_ops);
        return Cost { ops, own: ops, ..Cost::ZERO };
    }
    let number = function.shape();
    let addresses = visitor.addresses();
    let known = arguments.iter().flatten().copied().filter(|&number| number < addresses).max().unwrap_or(0);
    let scale = handed.max(known as f64);
    let mut flow = Flow {
        forest,
        function,
        number,
        arguments,
        visitor,
        frames: Vec::with_capacity(USUAL_FRAMES),
        otherwise: Vec::new(),
        loops: Vec::new(),
        tails: Vec::new(),
        states: vec![LoopState::Unseen; function.loops.len()],
        tables_seen: 0,
        points: Vec::new(),
        extra: std::cell::Cell::new(None),
        scale,
        extent: scale,
        wants_scale: std::cell::Cell::new(false),
        samples_left: SAMPLED_NODES + SAMPLED_PER_NODE * function.nodes.len(),
        sequences: Vec::new(),
        now: Lanes::ONE,
        cost: Cost { ops: Lanes::ONE, ..Cost::ZERO },
    };
    flow.frames.push(Frame { kind: Kind::Block, joining: Lanes::ZERO });
    flow.run(function.nodes.start as usize..function.nodes.end as usize);
    if flow.wants_scale.get() {
        flow.visitor.wants_scale();
    }
    Cost { ops: flow.done(), ..flow.cost }
}

impl<V: Visitor> Flow<'_, V> {
    /// Operators executed so far, with those of what it calls.
    fn done(&self) -> Lanes {
        self.cost.ops + self.cost.own
    }

    fn run(&mut self, nodes: Range<usize>) {
        let (mut at, mut blocked) = (nodes.start, nodes.start);
        while at < nodes.end {
            let node = self.forest.nodes[at];
            self.step(node);
            at += 1;
            let dead = match node {
                Node::Br(_) | Node::BrTable { .. } | Node::Return | Node::Stop => true,
                Node::If(_) | Node::Else | Node::BrIf { .. } => self.now.is_zero(),
                _ => false,
            };
            if dead && at >= blocked {
                (at, blocked) = self.revived(at..nodes.end);
            }
            if let Node::Loop(index) = node
                && self.forest.loops[index as usize].steers
                && let &LoopState::Open(trips) = self.state(index)
            {
                let end = self.end_of(at - 1, nodes.end);
                let points = self.points(index, trips, end - at);
                if !points.is_empty() {
                    self.each_point(&points, at..end);
                    at = end;
                }
            }
        }
    }

    /// Where control may come by again behind a place to which it does not come in any scenario, and up to where this need not
    /// be asked again: loops are told of wherever they stand.
    fn revived(&mut self, nodes: Range<usize>) -> (usize, usize) {
        let (mut depth, mut tables) = (0, 0);
        for at in nodes.clone() {
            match self.forest.nodes[at] {
                Node::Else | Node::End | Node::Loop(_) | Node::Tail | Node::EndTail if depth == 0 => {
                    // Jump tables are named by their number.
                    self.tables_seen += tables;
                    return (at, at);
                }
                Node::Loop(_) | Node::Tail | Node::EndTail => return (nodes.start, at),
                Node::Block | Node::If(_) => depth += 1,
                Node::End => depth -= 1,
                Node::BrTable { .. } => tables += 1,
                _ => {}
            }
        }
        self.tables_seen += tables;
        (nodes.end, nodes.end)
    }

    #[inline]
    fn step(&mut self, node: Node) {
        match node {
            Node::Work { ops, mix } => {
                self.cost.own += self.now * f64::from(ops);
                if mix != NONE {
                    self.visitor.work((mix, self.forest.mix(mix)), self.now);
                }
            }
            Node::Block => self.frames.push(Frame { kind: Kind::Block, joining: Lanes::ZERO }),
            Node::If(cond) => self.enter_if(cond),
            Node::Else => self.otherwise(),
            Node::Loop(index) => self.enter_loop(index),
            Node::End => self.leave(),
            Node::Tail => self.begin_tail(),
            Node::EndTail => self.end_tail(),
            Node::Br(depth) => {
                let all = std::mem::replace(&mut self.now, Lanes::ZERO);
                self.deliver(depth, all);
            }
            Node::BrIf { .. } if self.now.is_zero() => {}
            Node::BrIf { depth, cond } => {
                let taken = self.taken(depth, cond) * self.now;
                self.now = self.now - taken;
                self.deliver(depth, taken);
            }
            Node::BrTable { start, len } => self.branch_table(start, len),
            Node::Return => {
                let all = std::mem::replace(&mut self.now, Lanes::ZERO);
                self.deliver(self.frames.len() as u32 - 1, all);
            }
            Node::Stop => self.now = Lanes::ZERO,
            Node::Call { function, args } => {
                if !self.now.is_zero() {
                    self.call(function, args);
                }
            }
            Node::CallIndirect { class } => {
                if !self.now.is_zero() {
                    self.visitor.call_indirect(class, self.now, &mut self.cost);
                }
            }
            Node::Bulk { length } => {
                let length = self.lanes(length).map(|bytes| bytes.clamp(0.0, 4e9));
                self.cost.bulk = (self.cost.bulk + length * self.now).bounded();
            }
            Node::Grow { pages } => {
                let pages = self.lanes(pages).map(|pages| pages.clamp(0.0, 65_536.0));
                self.cost.grown_pages = (self.cost.grown_pages + pages * self.now).bounded();
            }
        }
    }

    fn enter_if(&mut self, cond: u32) {
        let chance = match self.innermost().and_then(|flow| self.deciding(cond, flow)) {
            Some(chance) => chance,
            None => match self.lingering(cond).or_else(|| self.leaving(cond)) {
                Some(chance) => chance,
                None => self.decide(cond),
            },
        };
        let taken = self.now * chance;
        let otherwise = self.now - taken;
        self.now = taken;
        self.otherwise.push(otherwise);
        self.frames.push(Frame { kind: Kind::If, joining: Lanes::ZERO });
    }

    fn otherwise(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.joining += self.now;
            if let Some(otherwise) = self.otherwise.last_mut() {
                self.now = std::mem::replace(otherwise, Lanes::ZERO);
            }
        }
    }

    fn enter_loop(&mut self, index: u32) {
        let slot = (index - self.function.loops.start) as usize;
        self.visitor.loop_begun();
        let moves = self.trips(index);
        let rounds = self.rounds(index);
        let trips = rounds.map_or(moves, |rounds| (moves * rounds).bounded());
        self.states[slot] = LoopState::Open(trips);
        self.go_through(index, trips);
        let told = trips.exact();
        if let Some(trips) = told {
            self.deal_with(trips * self.around(), self.width(index));
        }
        self.loops.push(self.frames.len() as u32);
        let flow = LoopFlow {
            index,
            entry: self.now,
            trips,
            told,
            rounds,
            cost_before: self.done(),
            exits: Vec::new(),
            left: Lanes::ZERO,
            through: Lanes::ZERO,
        };
        self.frames.push(Frame { kind: Kind::Loop(Box::new(flow)), joining: Lanes::ZERO });
        self.now = (self.now * trips).bounded();
    }

    /// Notes that so many things are dealt with, or so many times as many where several are at once.
    fn deal_with(&mut self, things: f64, width: f64) {
        self.scale = self.scale.max(things);
        self.extent = self.extent.max(things * width);
    }

    fn leave(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        match frame.kind {
            Kind::Block => self.now += frame.joining,
            Kind::If => self.now += frame.joining + self.otherwise.pop().unwrap_or(Lanes::ZERO),
            Kind::Loop(_) => {}
        }
        if let Some(Frame { kind: Kind::Loop(flow), .. }) = self.frames.pop() {
            self.leave_loop(*flow);
        }
    }

    /// What follows stands inside the innermost loop and runs after it.
    fn begin_tail(&mut self) {
        let Some(frame) = self.loops.pop() else { return };
        self.tails.push((frame, self.done(), self.frames.len() as u32));
        let now = self.now;
        if let Kind::Loop(flow) = &mut self.frames[frame as usize].kind {
            let rest = flow.entry - flow.left;
            self.now = now.zip(rest, |now, rest| now.min(rest.max(0.0)));
            flow.left += self.now;
            self.states[(flow.index - self.function.loops.start) as usize] = LoopState::Closed(flow.trips);
        }
    }

    fn end_tail(&mut self) {
        let Some((frame, before, _)) = self.tails.pop() else { return };
        self.loops.push(frame);
        let done = self.done() - before;
        let ends_loop = frame as usize + 1 == self.frames.len();
        if let Kind::Loop(flow) = &mut self.frames[frame as usize].kind {
            flow.cost_before += done;
            if ends_loop {
                flow.through += std::mem::replace(&mut self.now, Lanes::ZERO);
            }
            self.states[(flow.index - self.function.loops.start) as usize] = LoopState::Open(flow.trips);
        }
    }

    /// Makes what leaves the loop equal what entered it, and sends it on its way.
    fn leave_loop(&mut self, flow: LoopFlow) {
        self.loops.pop();
        let slot = flow.index - self.function.loops.start;
        self.states[slot as usize] = LoopState::Closed(flow.trips);
        let total = flow.exits.iter().fold(self.now, |sum, exit| sum + exit.1);
        let rest = flow.entry - flow.left;
        let scale = rest.zip(total, |rest, total| if total > 0.0 { rest.max(0.0) / total } else { 0.0 });
        self.now = self.now * scale + flow.through;
        for (target, out) in flow.exits {
            let depth = (self.frames.len() as u32).saturating_sub(target + 1);
            self.deliver(depth, out * scale);
        }
        self.visitor.loop_done(slot, flow.entry, flow.trips, self.done() - flow.cost_before);
    }

    /// Sends flow to the frame at a branch depth, by way of the innermost loop it leaves.
    fn deliver(&mut self, depth: u32, flow: Lanes) {
        let Some(target) = (self.frames.len() as u32).checked_sub(depth + 1) else { return };
        // What goes from a tail to a frame in the loop that it left goes to that loop's end.
        if let Some(&(left, _, _)) = self.tails.last()
            && self.tails.iter().rev().take(MAX_TAILS).any(|&(left, _, height)| target == left + 1 && target < height)
            && self.loops.last().is_none_or(|&inner| inner <= left)
            && let Kind::Loop(left) = &mut self.frames[left as usize].kind
        {
            left.through += flow;
            return;
        }
        if let Some(&inner) = self.loops.last().filter(|&&inner| inner > target)
            && let Kind::Loop(inner) = &mut self.frames[inner as usize].kind
        {
            match inner.exits.iter_mut().find(|exit| exit.0 == target) {
                Some(exit) => exit.1 += flow,
                None => inner.exits.push((target, flow)),
            }
            return;
        }
        let frame = &mut self.frames[target as usize];
        // Flow to a loop's header is in its trip count already.
        if !matches!(frame.kind, Kind::Loop(_)) {
            frame.joining += flow;
        }
    }

    /// The innermost loop.
    fn innermost(&self) -> Option<&LoopFlow> {
        match &self.frames[*self.loops.last()? as usize].kind {
            Kind::Loop(flow) => Some(flow),
            _ => None,
        }
    }

    /// Chance of a condition that decides whether the innermost loop goes round again.
    fn deciding(&self, cond: u32, flow: &LoopFlow) -> Option<Lanes> {
        let entry = &self.forest.loops[flow.index as usize];
        if entry.main != cond {
            return None;
        }
        let leaves = match self.points.iter().rev().find(|point| point.of == flow.index) {
            // Where single iterations are looked at, the last of them leaves, and what stands behind its test is not run.
            Some(point) => {
                let leaves = flow.moves().map(|t| {
                    let last = point.high + 1.0 >= t.floor();
                    if last { (1.0 / (point.share * t)).min(1.0) } else { 0.0 }
                });
                leaves.lanes()
            }
            None => flow.once(),
        };
        Some(if entry.again { Lanes::ONE - leaves } else { leaves })
    }

    /// Chance of going round without the counter's moving, where that is what a condition decides.
    fn lingering(&self, cond: u32) -> Option<Lanes> {
        let flow = self.innermost()?;
        let (by, _) = self.forest.loops[flow.index as usize].lingers?;
        flow.rounds.filter(|_| by == cond).map(|rounds| rounds.map(|rounds| 1.0 - 1.0 / rounds))
    }

    /// Chance that a tail is run, where that is what a condition other than the deciding one of the loop is for.
    fn leaving(&self, cond: u32) -> Option<Lanes> {
        let entry = &self.forest.conds[cond as usize];
        let flow = self.innermost().filter(|_| entry.leaves)?;
        let runs = f64::from(entry.chance);
        // A tail that can only trap is never run.
        if !(NEGLIGIBLE..=1.0 - NEGLIGIBLE).contains(&runs) {
            return Some(Lanes::ZERO);
        }
        match self.known(cond) {
            Some(chance) if chance == 0.0 || chance == 1.0 => None,
            _ => Some(flow.once()),
        }
    }

    /// Chance that a conditional branch is taken.
    fn taken(&self, depth: u32, cond: u32) -> Lanes {
        let Some(flow) = self.innermost() else { return self.decide(cond) };
        if let Some(chance) = self.deciding(cond, flow).or_else(|| self.lingering(cond)) {
            return chance;
        }
        if let Some(chance) = self.leaving(cond) {
            return Lanes::ONE - chance;
        }
        let target = (self.frames.len() as u32).saturating_sub(depth + 1);
        let leaves = self.loops.last().is_some_and(|&inner| inner > target);
        if !leaves {
            return self.decide(cond);
        }
        if f64::from(self.forest.conds[cond as usize].chance) < NEGLIGIBLE {
            return Lanes::ZERO;
        }
        match self.known(cond) {
            Some(chance) if chance == 0.0 || chance == 1.0 => Lanes::splat(chance),
            _ => flow.once(),
        }
    }

    /// Chance that a condition is true: known, in part known, or guessed.
    fn decide(&self, cond: u32) -> Lanes {
        self.known(cond).map_or_else(|| self.guessed(cond), Lanes::splat)
    }

    /// Chance that a condition is true of which nothing is known.
    fn guessed(&self, cond: u32) -> Lanes {
        let chance = f64::from(self.forest.conds[cond as usize].chance);
        // A run that ends in a trap is no run to plan for.
        if chance < NEGLIGIBLE {
            return Lanes::ZERO;
        }
        if chance > 1.0 - NEGLIGIBLE {
            return Lanes::ONE;
        }
        priors::branch(chance, !self.loops.is_empty(), self.number, cond - self.function.conds)
    }

    fn branch_table(&mut self, start: u32, len: u32) {
        let all = std::mem::replace(&mut self.now, Lanes::ZERO);
        let targets = &self.forest.tables[start as usize..(start + len) as usize];
        self.tables_seen += 1;
        let table = self.tables_seen;
        // Which entries a scenario favours is its own choice; entries that share a target add up.
        let weight = |target: usize, entries: u32| {
            let name = seed([u64::from(self.number), table ^ 0x7ab1e, target as u64]);
            priors::target_weight(name) * f64::from(entries)
        };
        let weights: Vec<Lanes> = if len <= 64 {
            targets.iter().enumerate().map(|(target, &(_, entries))| weight(target, entries)).collect()
        } else {
            targets.iter().map(|&(_, entries)| Lanes::splat(f64::from(entries))).collect()
        };
        let total = weights.iter().fold(Lanes::ZERO, |sum, &weight| sum + weight);
        for (&(depth, _), weight) in targets.iter().zip(weights) {
            self.deliver(depth, all * (weight / total));
        }
    }

    /// Adds the cost of a call; in a short loop whose variable is an argument, of one call per iteration.
    fn call(&mut self, function: u32, args: u32) {
        let wanted = self.visitor.sensitive(function);
        let dealt = Dealt { all: self.scale, each: self.scale_left().unwrap_or(0.0) };
        let arguments = self.call_arguments(args, wanted);
        if wanted != 0
            && args != NONE
            && let Some((index, trips)) = self.told_loop()
        {
            let count = if trips <= MAX_UNROLLED { trips as u32 } else { STRATA };
            let pin = |at: u32| {
                let at = ((f64::from(at) + 0.5) * trips / f64::from(count)).floor();
                sampling::Point { of: index, at, low: at, high: at, share: 1.0 }
            };
            self.points.push(pin(0));
            let differs = self.call_arguments(args, wanted) != arguments;
            self.points.pop();
            if differs {
                for iteration in 0..count {
                    self.points.push(pin(iteration));
                    let arguments = self.call_arguments(args, wanted);
                    self.points.pop();
                    let times = self.now * (1.0 / f64::from(count));
                    self.visitor.call(function, &arguments, times, dealt, &mut self.cost);
                }
                return;
            }
        }
        self.visitor.call(function, &arguments, self.now, dealt, &mut self.cost);
    }

    /// The innermost loop, where its trip count is known.
    fn told_loop(&self) -> Option<(u32, f64)> {
        if self.pinned() {
            return None;
        }
        let Kind::Loop(flow) = &self.frames[*self.loops.last()? as usize].kind else { return None };
        Some((flow.index, flow.told.filter(|&trips| trips >= 1.0)?))
    }

    /// The known arguments of a call, among those that `wanted` has a bit for.
    fn call_arguments(&self, args: u32, wanted: u64) -> Arguments {
        let mut out = [None; MAX_ARGUMENTS];
        if args == NONE || wanted == 0 {
            return out;
        }
        let len = self.forest.args[args as usize] as usize;
        let list = &self.forest.args[args as usize + 1..args as usize + 1 + len];
        for (index, &expr) in list.iter().enumerate().take(MAX_ARGUMENTS) {
            if wanted & (1 << index) != 0 {
                out[index] = self.exact(expr);
            }
        }
        out
    }
}
