//! One walk over a decoded body: follows values through operand stack, locals and joins, finds the loop tree and what
//! makes each loop end, and lays the function out as a tree of the program representation.
//!
//! Joins keep a local's value where every path into the join agrees on it, told by an undo log of assignments instead
//! of a copy of the locals per branch. Linear but for the joins, whose work is bounded by [`WORK_PER_OP`] per operator;
//! a function beyond it is counted, not understood. Called by the front end, once per function; trip counts are solved
//! in [`crate::trip_count`].

use crate::branches;
use crate::dependence::{Access, Body, MAX_ACCESSES};
use crate::frontend::wasm::classes;
use crate::frontend::wasm::decode::{Decoded, Op, code};
use crate::frontend::wasm::module::Module;
use crate::mix::Tally;
use crate::priors::UnknownLoop;
use crate::program::{Cond, Expr, Forest, Function, Loop, NONE, Node, Phi, Trip};
use crate::trip_count::{self, Formula, Test, Variable, Verdict};
use crate::values::{Def, Source, Val, Values};

/// Steps of join work allowed per operator before a function is given up.
const WORK_PER_OP: u64 = 64;

/// Join work every function may do.
const WORK_BASE: u64 = 1 << 16;

/// Locals that are followed; those beyond are opaque.
const TRACKED_LOCALS: u32 = 4096;

/// Parameters that are told apart.
const TRACKED_PARAMS: u32 = 64;

/// Distinct targets of a jump table from which on the loop around it is taken for an interpreter's dispatch.
///
/// A default: the C library's `printf` has some 20, byte-code interpreters 100 and more.
const DISPATCH_TARGETS: u32 = 48;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function,
    Block,
    If,
    Else,
    /// A loop, by its index among the open ones.
    Loop(u32),
}

#[derive(Debug)]
struct Frame {
    kind: Kind,
    height: u32,
    results: u32,
    /// Index of the frame's `end` among the operators.
    end: u32,
    /// Length of the log when the frame was entered.
    log_start: u32,
    /// Branches to the end seen so far, and the length of the log at the first of them.
    branches: u32,
    first_branch: u32,
    /// Locals that differ between those branches, beyond what the log tells.
    ambiguous: Vec<u32>,
    /// Of an `if`: its condition.
    cond: Option<(Val, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Latch {
    Unseen,
    Is(Val),
    Differs,
}

#[derive(Debug, Clone, Copy)]
struct Tracked {
    local: u32,
    symbol: u32,
    init: Val,
    latch: Latch,
}

#[derive(Debug, Clone, Copy)]
struct Exit {
    value: Val,
    cond: u32,
    /// Whether the loop goes on where `value` is true.
    again: bool,
    certain: bool,
    /// Back edges seen before it.
    backs: u32,
}

#[derive(Debug)]
struct Open {
    /// Index in the forest.
    index: u32,
    frame: u32,
    first_symbol: u32,
    variables: Vec<Tracked>,
    exits: Vec<Exit>,
    backs: u32,
    last_back: Option<Exit>,
    /// Whether something else may leave the loop: before the last back edge, and since.
    early: bool,
    early_since: bool,
    table_targets: u32,
    /// For the test of dependence: reads of each variable, accesses to memory, and whether something rules it out.
    reads: Vec<u32>,
    accesses: Vec<Access>,
    ruled_out: bool,
}

/// The walk's state; reused from function to function.
#[derive(Debug, Default)]
pub(crate) struct Walker {
    pub decoded: Decoded,
    values: Values,
    stack: Vec<Val>,
    locals: Vec<Val>,
    frames: Vec<Frame>,
    open: Vec<Open>,
    log: Vec<(u32, Val)>,
    stamps: Vec<u64>,
    stamp: u64,
    exported: Vec<u32>,
    touched: Vec<u32>,
    tally: Tally,
    /// Height of the innermost frame's operands.
    floor: usize,
    ops: u32,
    loops_begun: u32,
    sensitive: u64,
    work: u64,
    collect_mix: bool,
}

impl Walker {
    /// Lays out the decoded function in `forest`. With `collect_mix`, straight-line work is told by class.
    pub(crate) fn walk(
        &mut self,
        module: &Module<'_>,
        params: u32,
        forest: &mut Forest,
        collect_mix: bool,
    ) -> Function {
        let (nodes, loops, conds) = (forest.nodes.len() as u32, forest.loops.len() as u32, forest.conds.len() as u32);
        let exprs = forest.exprs.len() as u32;
        self.reset(params, collect_mix);
        let understood = !self.decoded.too_deep && self.body(module, forest);
        if !understood {
            forest.nodes.truncate(nodes as usize);
            forest.loops.truncate(loops as usize);
        }
        Function {
            nodes: nodes..forest.nodes.len() as u32,
            loops: loops..forest.loops.len() as u32,
            conds,
            exprs,
            sensitive: self.sensitive,
            static_ops: self.decoded.ops.len() as u32,
            opaque: !understood,
        }
    }

    fn reset(&mut self, params: u32, collect_mix: bool) {
        self.values.clear();
        self.stack.clear();
        self.locals.clear();
        self.frames.clear();
        self.open.clear();
        self.log.clear();
        self.exported.clear();
        self.tally = Tally::default();
        (self.ops, self.loops_begun, self.sensitive) = (0, 0, 0);
        self.work = WORK_BASE + WORK_PER_OP * self.decoded.ops.len() as u64;
        self.collect_mix = collect_mix;
        // A local no operator of the body can name needs no place.
        let tracked = self.decoded.locals.min(TRACKED_LOCALS).min(self.decoded.ops.len() as u32 + params);
        for local in 0..tracked {
            let value = match local {
                _ if local >= params => Val::constant(0),
                _ if local < TRACKED_PARAMS => self.values.param(local),
                _ => Val::JUNK,
            };
            self.locals.push(value);
        }
        self.stamps.resize(self.stamps.len().max(tracked as usize), 0);
    }

    /// Walks all operators; false where the work outgrew its bound.
    fn body(&mut self, module: &Module<'_>, forest: &mut Forest) -> bool {
        let last = (self.decoded.ops.len() - 1) as u32;
        self.enter(Kind::Function, 0, 0, last);
        let mut at = 0;
        let mut live = true;
        while at < self.decoded.ops.len() {
            let op = self.decoded.ops[at];
            live = self.step(module, forest, op, at as u32, live);
            if self.work == 0 {
                return false;
            }
            at = if live { at + 1 } else { self.skip_dead(at + 1) };
        }
        self.flush(forest);
        true
    }

    /// The next `else` or `end` of the frame in which the code became unreachable.
    fn skip_dead(&self, mut at: usize) -> usize {
        let mut depth = 0_u32;
        while let Some(op) = self.decoded.ops.get(at) {
            match op.code & code::MASK {
                code::BLOCK | code::LOOP | code::IF => depth += 1,
                code::ELSE | code::END | code::END_LOOP if depth == 0 => break,
                code::END | code::END_LOOP => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// One operator; whether what follows can be reached.
    #[inline]
    fn step(&mut self, module: &Module<'_>, forest: &mut Forest, op: Op, at: u32, live: bool) -> bool {
        let plain = op.code & code::MASK;
        if !matches!(plain, code::ELSE | code::END | code::END_LOOP) {
            self.count(plain);
        }
        match plain {
            0x20 => {
                if self.collect_mix {
                    self.note_read(op.a);
                }
                let value = self.local(op.a);
                self.stack.push(value);
            }
            0x21 => {
                let value = self.pop();
                self.assign(op.a, value);
            }
            0x22 => {
                let value = self.pop();
                self.assign(op.a, value);
                self.stack.push(value);
            }
            0x41 | 0x42 => self.stack.push(Val::constant(op.b)),
            0x45 | 0x50 | 0xa7 | 0xac | 0xad | 0xc0..=0xc4 => {
                let a = self.pop();
                let value = self.values.unary(plain, a);
                self.stack.push(value);
            }
            0x46..=0x4f | 0x51..=0x5a | 0x6a..=0x78 | 0x7c..=0x8a => {
                let (b, a) = (self.pop(), self.pop());
                let value = self.values.binary(plain, a, b);
                self.stack.push(value);
            }
            0x28 | 0x29 | 0x2c..=0x35 => {
                let address = self.pop();
                self.note_access(op, address, false);
                let value = self.values.opaque(Source::Memory);
                self.stack.push(value);
            }
            0x23 => {
                let known = module.globals.get(op.a as usize).copied().flatten();
                let value = known.map_or_else(|| self.values.opaque(Source::Memory), Val::constant);
                self.stack.push(value);
            }
            0x24 => drop(self.pop()),
            0x1b => {
                let (truth, b, a) = (self.pop(), self.pop(), self.pop());
                let value = match truth.as_constant() {
                    Some(truth) => {
                        if truth != 0 {
                            a
                        } else {
                            b
                        }
                    }
                    None => self.values.either(a, b),
                };
                self.stack.push(value);
            }
            _ => return self.control(module, forest, op, at, live),
        }
        true
    }

    fn control(&mut self, module: &Module<'_>, forest: &mut Forest, op: Op, at: u32, live: bool) -> bool {
        let plain = op.code & code::MASK;
        match plain {
            code::BLOCK => {
                self.flush(forest);
                forest.nodes.push(Node::Block);
                self.enter(Kind::Block, op.a & 0xffff, op.a >> 16, op.b as u32);
            }
            code::LOOP => self.enter_loop(forest, op.a),
            code::IF => self.enter_if(forest, op, at),
            code::ELSE => self.otherwise(forest, live),
            code::END | code::END_LOOP => return self.leave(forest, live),
            code::BR => {
                self.flush(forest);
                forest.nodes.push(Node::Br(op.a));
                self.branch(op, None);
                return false;
            }
            code::BR_IF | code::BR_ON_NULL | code::BR_ON_NON_NULL => self.branch_if(forest, op, at),
            code::BR_TABLE => {
                self.branch_table(forest, op);
                return false;
            }
            code::RETURN | code::RETURN_CALL | code::RETURN_CALL_INDIRECT | code::RETURN_CALL_REF => {
                if plain != code::RETURN {
                    self.call(module, forest, op);
                }
                self.flush(forest);
                forest.nodes.push(Node::Return);
                let all = self.frames.len() as u32;
                self.note_leaving(all.saturating_sub(1), None, false);
                return false;
            }
            code::UNREACHABLE | code::THROW | code::THROW_REF => {
                self.flush(forest);
                forest.nodes.push(Node::Stop);
                return false;
            }
            code::CALL | code::CALL_INDIRECT | code::CALL_REF => self.call(module, forest, op),
            0x40 => {
                let pages = self.pop();
                let pages = self.export(forest, pages, 0);
                self.flush(forest);
                forest.nodes.push(Node::Grow { pages });
                let value = self.values.opaque(Source::Other);
                self.stack.push(value);
            }
            0x108 | 0x10a | 0x10b => {
                self.rule_out();
                let length = self.pop();
                let length = self.export(forest, length, 0);
                self.pop();
                self.pop();
                self.flush(forest);
                forest.nodes.push(Node::Bulk { length });
            }
            0x2a | 0x2b | 0x200..=0x20a | 0x25c | 0x25d => {
                let address = self.pop();
                self.note_access(op, address, false);
                let value = self.remembered(plain, Val::JUNK, Val::JUNK);
                self.stack.push(value);
            }
            0x36..=0x3e | 0x20b => {
                self.pop();
                let address = self.pop();
                self.note_access(op, address, true);
            }
            0x92..=0x98 | 0xa0..=0xa6 => {
                let (b, a) = (self.pop(), self.pop());
                let value = self.remembered(plain, a, b);
                self.stack.push(value);
            }
            _ => self.plain(plain),
        }
        true
    }

    /// Notes that a local was read: a variable that is read carries something.
    fn note_read(&mut self, local: u32) {
        if let Some(open) = self.open.last_mut()
            && let Some(slot) = open.variables.iter().position(|variable| variable.local == local)
            && self.locals.get(local as usize).and_then(|value| value.as_symbol()) == Some(open.variables[slot].symbol)
        {
            open.reads.resize(open.variables.len(), 0);
            open.reads[slot] += 1;
        }
    }

    fn note_access(&mut self, op: Op, address: Val, store: bool) {
        if !self.collect_mix {
            return;
        }
        let Some(open) = self.open.last_mut() else { return };
        let (loaded, stored) = classes::traffic(op.code);
        if open.accesses.len() < MAX_ACCESSES {
            open.accesses.push(Access { store, address, displacement: op.b, width: loaded.max(stored) });
        } else {
            open.ruled_out = true;
        }
    }

    /// The result of an operator on floats or vectors: remembered where dependence is asked for.
    fn remembered(&mut self, plain: u16, a: Val, b: Val) -> Val {
        if self.collect_mix && !self.open.is_empty() { self.values.remember(plain, a, b) } else { Val::JUNK }
    }

    /// Rules a test of dependence out for all open loops: something happens whose effects are not followed.
    fn rule_out(&mut self) {
        if self.collect_mix {
            self.open.iter_mut().for_each(|open| open.ruled_out = true);
        }
    }

    /// An operator of which only the operand counts matter.
    fn plain(&mut self, plain: u16) {
        let Some((taken, left)) = classes::arity(plain) else {
            // What lies above is not known any more; what is pushed from here on is.
            self.rule_out();
            let height = self.frames.last().map_or(0, |frame| frame.height as usize);
            self.stack.truncate(height.min(self.stack.len()));
            return;
        };
        if (taken, left) == (2, 1) && (code::SIMD..code::ATOMIC).contains(&plain) {
            let (b, a) = (self.pop(), self.pop());
            let value = self.remembered(plain, a, b);
            self.stack.push(value);
            return;
        }
        if plain >= code::ATOMIC || classes::traffic(plain) != (0, 0) {
            self.rule_out();
        }
        for _ in 0..taken {
            self.pop();
        }
        for _ in 0..left {
            self.stack.push(Val::JUNK);
        }
    }

    #[inline]
    fn count(&mut self, plain: u16) {
        let free = matches!(plain, 0x00..=0x03 | 0x0f | 0x1a);
        self.ops += u32::from(!free);
        if self.collect_mix {
            self.tally.count(plain);
        }
    }

    fn flush(&mut self, forest: &mut Forest) {
        if self.ops > 0 {
            let mix = if self.collect_mix { self.tally.flush(&mut forest.mixes) } else { NONE };
            forest.nodes.push(Node::Work { ops: std::mem::take(&mut self.ops), mix });
        }
    }

    /// Pops an operand; unknown where the stack is not known that deep.
    #[inline]
    fn pop(&mut self) -> Val {
        if self.stack.len() > self.floor { self.stack.pop().unwrap_or(Val::JUNK) } else { Val::JUNK }
    }

    #[inline]
    fn local(&self, local: u32) -> Val {
        self.locals.get(local as usize).copied().unwrap_or(Val::JUNK)
    }

    #[inline]
    fn assign(&mut self, local: u32, value: Val) {
        if let Some(place) = self.locals.get_mut(local as usize) {
            self.log.push((local, *place));
            *place = value;
        }
    }

    fn spend(&mut self, steps: usize) {
        self.work = self.work.saturating_sub(steps as u64);
    }

    fn enter(&mut self, kind: Kind, params: u32, results: u32, end: u32) {
        self.spend(params as usize + results as usize + 1);
        let height = (self.stack.len() as u32).saturating_sub(params);
        let log_start = self.log.len() as u32;
        self.floor = height as usize;
        self.frames.push(Frame {
            kind,
            height,
            results,
            end,
            log_start,
            branches: 0,
            first_branch: log_start,
            ambiguous: Vec::new(),
            cond: None,
        });
    }

    fn enter_loop(&mut self, forest: &mut Forest, number: u32) {
        self.flush(forest);
        self.rule_out();
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
        self.spend(len as usize + params as usize);
        let mut variables = Vec::with_capacity(len as usize);
        for slot in start..start + len {
            let local = self.decoded.assigned[slot as usize];
            let init = self.local(local);
            let phi = if init.is_junk() { self.values.opaque(Source::Other) } else { self.values.phi(index, init) };
            if let Some(symbol) = phi.as_symbol() {
                self.assign(local, phi);
                variables.push(Tracked { local, symbol, init, latch: Latch::Unseen });
            }
        }
        self.open.push(Open {
            index,
            frame: self.frames.len() as u32,
            first_symbol,
            variables,
            exits: Vec::new(),
            backs: 0,
            last_back: None,
            early: false,
            early_since: false,
            table_targets: 0,
            reads: Vec::new(),
            accesses: Vec::new(),
            ruled_out: !self.collect_mix,
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
            early: false,
            finding: None,
        });
        self.enter(Kind::Loop(self.open.len() as u32 - 1), params, shape.arity >> 16, NONE);
    }

    fn enter_if(&mut self, forest: &mut Forest, op: Op, at: u32) {
        let value = self.pop();
        let end = op.b as u32;
        let chance = 1.0 - branches::chance(&self.values, value, op.code, true, &self.around(at, end));
        let cond = self.cond(forest, value, chance);
        self.flush(forest);
        forest.nodes.push(Node::If(cond));
        self.enter(Kind::If, op.a & 0xffff, op.a >> 16, end);
        // Until an `else` says otherwise, the other path goes straight to the end.
        if let Some(frame) = self.frames.last_mut() {
            frame.branches = 1;
            frame.cond = Some((value, cond));
        }
    }

    fn otherwise(&mut self, forest: &mut Forest, live: bool) {
        self.flush(forest);
        forest.nodes.push(Node::Else);
        let Some(mut frame) = self.frames.pop() else { return };
        let start = frame.log_start;
        let explicit = frame.branches.saturating_sub(1);
        self.undo(start);
        if live || explicit > 0 {
            frame.ambiguous.extend_from_slice(&self.touched);
        }
        frame.branches = explicit + u32::from(live);
        frame.first_branch = start;
        frame.kind = Kind::Else;
        frame.cond = None;
        self.stack.truncate(frame.height as usize);
        self.frames.push(frame);
    }

    /// The end of a block, loop or function; whether what follows can be reached.
    fn leave(&mut self, forest: &mut Forest, live: bool) -> bool {
        self.flush(forest);
        let Some(mut frame) = self.frames.pop() else { return false };
        self.floor = self.frames.last().map_or(0, |outer| outer.height as usize);
        if frame.kind != Kind::Function {
            forest.nodes.push(Node::End);
        }
        if let Kind::Loop(_) = frame.kind {
            self.finish_loop(forest);
        }
        let joined = frame.branches > 0 && !matches!(frame.kind, Kind::Loop(_));
        if joined {
            if !live && frame.branches == 1 && frame.ambiguous.is_empty() {
                self.undo(frame.first_branch);
            } else {
                self.merge(frame.first_branch, &std::mem::take(&mut frame.ambiguous));
            }
        }
        self.results(&frame, joined);
        live || joined
    }

    /// Leaves a frame's results on the stack.
    fn results(&mut self, frame: &Frame, joined: bool) {
        self.spend(frame.results as usize);
        let top = (frame.results == 1 && !joined).then(|| self.stack.last().copied()).flatten();
        let above = self.stack.len() > frame.height as usize;
        self.stack.truncate(frame.height as usize);
        match top {
            Some(value) if above => self.stack.push(value),
            _ => {
                for _ in 0..frame.results {
                    let value = self.values.opaque(Source::Other);
                    self.stack.push(value);
                }
            }
        }
    }

    /// Takes back assignments down to a length of the log, and leaves the locals concerned in `touched`.
    fn undo(&mut self, to: u32) {
        self.stamp += 1;
        self.touched.clear();
        self.spend(self.log.len() - to as usize);
        while self.log.len() > to as usize {
            let Some((local, old)) = self.log.pop() else { break };
            self.locals[local as usize] = old;
            if std::mem::replace(&mut self.stamps[local as usize], self.stamp) != self.stamp {
                self.touched.push(local);
            }
        }
        // A branch to an outer frame may have carried one of the values just taken back.
        let mut extra = 0;
        for frame in self.frames.iter_mut().filter(|frame| frame.branches > 0 && frame.first_branch > to) {
            frame.first_branch = to;
            frame.ambiguous.extend_from_slice(&self.touched);
            extra += self.touched.len();
        }
        self.spend(extra + self.frames.len());
    }

    /// Joins paths: what was assigned since the first of them left is one value or another from here on.
    fn merge(&mut self, first: u32, ambiguous: &[u32]) {
        self.spend(self.log.len() - first as usize + ambiguous.len() + self.frames.len());
        self.stamp += 1;
        let mut kept = first as usize;
        for index in first as usize..self.log.len() {
            let (local, old) = self.log[index];
            if std::mem::replace(&mut self.stamps[local as usize], self.stamp) != self.stamp {
                let now = self.locals[local as usize];
                if now != old || now.is_junk() {
                    self.locals[local as usize] = self.values.either(old, now);
                }
                self.log[kept] = (local, old);
                kept += 1;
            }
        }
        self.log.truncate(kept);
        for &local in ambiguous {
            let fresh = self.values.opaque(Source::Other);
            self.assign(local, fresh);
        }
        for frame in &mut self.frames {
            frame.first_branch = frame.first_branch.min(first.max(frame.log_start));
        }
    }

    fn target(&self, depth: u32) -> Option<u32> {
        (self.frames.len() as u32).checked_sub(depth + 1)
    }

    /// Notes a branch: the state it carries, and the loops it leaves or goes round.
    fn branch(&mut self, op: Op, exit: Option<(Val, u32)>) {
        let Some(target) = self.target(op.a) else { return };
        let dies = op.code & code::TAKEN_DIES != 0;
        // A branch that is the body of an `if` is a conditional branch by another name.
        let body_of = self.frames.last().and_then(|frame| frame.cond);
        let inner = usize::from(exit.is_none() && body_of.is_some());
        let exit = exit.or(body_of);
        let certain = self.open.last().is_some_and(|open| self.certain(open, inner));
        self.note_leaving(target, exit.map(|(value, cond)| (value, cond, certain)), dies);
        let log_len = self.log.len() as u32;
        let frame = &mut self.frames[target as usize];
        if let Kind::Loop(index) = frame.kind {
            self.back_edge(index, exit, certain);
        } else {
            if frame.branches == 0 {
                frame.first_branch = log_len;
            }
            frame.branches += 1;
        }
    }

    /// Tells the loops that a branch to `target` leaves.
    fn note_leaving(&mut self, target: u32, exit: Option<(Val, u32, bool)>, dies: bool) {
        let mut innermost = true;
        for open in self.open.iter_mut().rev().take_while(|open| open.frame > target) {
            match exit {
                Some((value, cond, certain)) if innermost && !dies => {
                    open.exits.push(Exit { value, cond, again: false, certain, backs: open.backs });
                }
                _ => open.early_since |= !dies,
            }
            innermost = false;
        }
        let steps = self.open.len();
        self.spend(steps);
    }

    /// Whether every iteration of the loop that does not leave it comes by here, and none has gone round before.
    ///
    /// The innermost `skip` frames are not looked at.
    fn certain(&self, open: &Open, skip: usize) -> bool {
        let Some(inside) = self.frames.get(open.frame as usize + 1..self.frames.len() - skip) else { return false };
        open.backs == 0
            && inside.len() < 64
            && inside.iter().all(|frame| frame.kind == Kind::Block && frame.branches == 0)
    }

    fn back_edge(&mut self, index: u32, exit: Option<(Val, u32)>, certain: bool) {
        let innermost = index as usize + 1 == self.open.len();
        let locals = &self.locals;
        let open = &mut self.open[index as usize];
        for variable in &mut open.variables {
            let now = locals[variable.local as usize];
            variable.latch = match variable.latch {
                Latch::Unseen => Latch::Is(now),
                Latch::Is(value) if value == now && !now.is_junk() => Latch::Is(value),
                _ => Latch::Differs,
            };
        }
        let steps = open.variables.len();
        open.last_back = exit.map(|(value, cond)| Exit {
            value,
            cond,
            again: true,
            certain: certain && innermost,
            backs: open.backs,
        });
        open.backs += 1;
        open.early |= std::mem::take(&mut open.early_since);
        self.spend(steps);
    }

    fn branch_if(&mut self, forest: &mut Forest, op: Op, at: u32) {
        let value = if op.code & code::MASK == code::BR_IF { self.pop() } else { Val::JUNK };
        let end = self.target(op.a).map_or(NONE, |target| self.frames[target as usize].end);
        let chance = branches::chance(&self.values, value, op.code, false, &self.around(at, end));
        let cond = self.cond(forest, value, chance);
        self.flush(forest);
        forest.nodes.push(Node::BrIf { depth: op.a, cond });
        self.branch(op, Some((value, cond)));
    }

    fn around(&self, at: u32, end: u32) -> branches::Skipped {
        // A third of the function and more is taken to be what it is there for.
        let most = end != NONE && 3 * end.saturating_sub(at) as usize > self.decoded.ops.len();
        let end = self.decoded.ops.get(end as usize);
        let loops = end.is_some_and(|end| end.a > self.loops_begun);
        // Calls between here and the end: the first one suffices, and is found near if at all.
        let calls = end.is_some()
            && self.decoded.ops[at as usize + 1..]
                .iter()
                .take(24)
                .any(|op| matches!(op.code & code::MASK, code::CALL | code::CALL_INDIRECT));
        branches::Skipped { loops, calls, most }
    }

    fn branch_table(&mut self, forest: &mut Forest, op: Op) {
        self.pop();
        self.flush(forest);
        let (begin, len) = (op.a as usize, op.b as usize);
        let start = forest.tables.len() as u32;
        forest.tables.extend_from_slice(&self.decoded.tables[begin..begin + len]);
        forest.nodes.push(Node::BrTable { start, len: len as u32 });
        for open in &mut self.open {
            open.table_targets = open.table_targets.max(len as u32);
        }
        for slot in begin..begin + len {
            let depth = self.decoded.tables[slot].0;
            self.branch(Op { code: code::BR, a: depth, b: 0 }, None);
        }
        let steps = len + self.open.len();
        self.spend(steps);
    }

    fn cond(&mut self, forest: &mut Forest, value: Val, chance: f64) -> u32 {
        let expr = if self.values.is_pure(value) { self.export(forest, value, 0) } else { NONE };
        forest.conds.push(Cond { expr, chance: chance as f32 });
        (forest.conds.len() - 1) as u32
    }

    fn call(&mut self, module: &Module<'_>, forest: &mut Forest, op: Op) {
        self.rule_out();
        let direct = matches!(op.code, code::CALL | code::RETURN_CALL);
        let signature = if direct { module.function_signature(op.a) } else { module.signature(op.a) };
        if !direct {
            self.pop();
        }
        let Some(signature) = signature else {
            self.plain(code::RARE);
            self.flush(forest);
            return;
        };
        let count = usize::from(signature.params).min(self.stack.len());
        let args = self.stack.split_off(self.stack.len() - count);
        let node = if direct {
            Node::Call { function: op.a, args: self.arguments(forest, &args) }
        } else {
            Node::CallIndirect { ty: op.a }
        };
        self.flush(forest);
        forest.nodes.push(node);
        self.spend(count + usize::from(signature.results));
        for _ in 0..signature.results {
            let value = self.values.opaque(Source::Call);
            self.stack.push(value);
        }
    }

    /// Exports the arguments that depend on constants and parameters alone; `NONE` where there is none such.
    fn arguments(&mut self, forest: &mut Forest, args: &[Val]) -> u32 {
        let args = &args[..args.len().min(8)];
        if !args.iter().any(|&arg| self.values.is_pure(arg)) {
            return NONE;
        }
        let exported: Vec<u32> =
            args.iter().map(|&arg| if self.values.is_pure(arg) { self.export(forest, arg, 0) } else { NONE }).collect();
        let index = forest.args.len() as u32;
        forest.args.push(exported.len() as u32);
        forest.args.extend(exported);
        index
    }

    /// The expression of a value in the forest.
    fn export(&mut self, forest: &mut Forest, value: Val, depth: u32) -> u32 {
        let add = |forest: &mut Forest, expr: Expr| {
            forest.exprs.push(expr);
            (forest.exprs.len() - 1) as u32
        };
        if let Some(constant) = value.as_constant() {
            return add(forest, Expr::Const(constant));
        }
        if value.is_junk() {
            return NONE;
        }
        let x = self.export_symbol(forest, value.symbol, depth);
        if value.scale == 1 && value.offset == 0 {
            return x;
        }
        add(forest, Expr::Linear { x, scale: i64::from(value.scale), offset: value.offset })
    }

    fn export_symbol(&mut self, forest: &mut Forest, symbol: u32, depth: u32) -> u32 {
        if self.exported.len() <= symbol as usize {
            self.exported.resize(self.values.next_symbol() as usize, NONE);
        }
        let done = self.exported[symbol as usize];
        if done != NONE {
            return done;
        }
        let opaque = |source: Source| Expr::Opaque { source };
        let expr = match self.values.def(symbol) {
            Def::Opaque(source) => opaque(source),
            _ if depth > 10 => opaque(Source::Other),
            Def::Param(index) => {
                self.sensitive |= 1 << index.min(63);
                Expr::Param(index)
            }
            Def::Phi { of, init } => {
                let init = self.export(forest, init, depth + 1);
                forest.phis.push(Phi { of, init, step: None });
                Expr::Phi((forest.phis.len() - 1) as u32)
            }
            Def::Closed(last) => {
                let x = self.export(forest, last, depth + 1);
                Expr::Linear { x, scale: 1, offset: 0 }
            }
            Def::Operation { code, a, b } => {
                let (a, b) = (self.export(forest, a, depth + 1), self.export(forest, b, depth + 1));
                Expr::Operation { code, a, b }
            }
            Def::Either(a, b) => {
                let (a, b) = (self.export(forest, a, depth + 1), self.export(forest, b, depth + 1));
                Expr::Either(a, b)
            }
        };
        forest.exprs.push(expr);
        let index = (forest.exprs.len() - 1) as u32;
        if !matches!(self.values.def(symbol), Def::Closed(_)) {
            self.exported[symbol as usize] = index;
        }
        index
    }

    /// Decides what ends the loop that was open innermost, and how often it runs.
    fn finish_loop(&mut self, forest: &mut Forest) {
        let Some(mut open) = self.open.pop() else { return };
        let steps = self.steps(&open);
        let test = Test { values: &self.values, first_symbol: open.first_symbol, steps: &steps };
        let before = open.last_back.map_or(open.backs, |back| back.backs + 1);
        open.exits.retain(|exit| exit.backs < before.max(1));
        let mut best: Option<(Formula, Exit)> = None;
        let mut kind = UnknownLoop::Data;
        let mut others = u32::from(open.early);
        for exit in open.last_back.iter().chain(&open.exits) {
            let verdict = if exit.certain { test.verdict(exit.value, exit.again) } else { Verdict::Unknown(kind) };
            match verdict {
                Verdict::Known(formula) if best.as_ref().is_none_or(|(known, _)| formula.fewer(known)) => {
                    best = Some((formula, *exit));
                }
                Verdict::Known(_) => {}
                Verdict::Unknown(found) => {
                    others += 1;
                    kind = trip_count::stronger(kind, found);
                }
            }
        }
        if open.table_targets >= DISPATCH_TARGETS {
            kind = UnknownLoop::Dispatch;
        }
        if !open.ruled_out {
            let mut reads = std::mem::take(&mut open.reads);
            reads.resize(steps.len(), 0);
            let body = Body {
                values: &self.values,
                first_symbol: open.first_symbol,
                variables: &steps,
                reads: &reads,
                accesses: &open.accesses,
                trips: best.and_then(|(formula, _)| formula.constant()),
            };
            forest.loops[open.index as usize].finding = Some(body.finding());
        }
        self.conclude(forest, &open, &steps, best, kind, others);
    }

    fn conclude(
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
            let start = forest.terms.len() as u32;
            for &(symbol, coefficient) in formula.terms.terms() {
                let expr = self.export_symbol(forest, symbol, 0);
                forest.terms.push((expr, coefficient));
            }
            let len = forest.terms.len() as u32 - start;
            let per = formula.per.map_or(NONE, |symbol| self.export_symbol(forest, symbol, 0));
            let (constant, step) = (formula.terms.constant, formula.step);
            entry.trip = Trip::Formula { start, len, constant, step, per };
        } else {
            entry.early = false;
            entry.trip = Trip::Unknown(kind);
            entry.main = open.last_back.map_or(NONE, |back| back.cond);
        }
        forest.loops[open.index as usize] = entry;
        let trips = best.and_then(|(formula, _)| formula.constant()).filter(|_| others == 0);
        for &Variable { symbol, step, init, .. } in steps {
            if let Some(&expr) = self.exported.get(symbol as usize).filter(|&&expr| expr != NONE)
                && let Some(Expr::Phi(phi)) = forest.exprs.get(expr as usize)
            {
                forest.phis[*phi as usize].step = step;
            }
            let moved = match (step, trips) {
                (Some(0), _) => Some(0),
                (Some(step), Some(trips)) => step.checked_mul(trips - 1),
                _ => None,
            };
            if let Some(moved) = moved
                && !init.is_junk()
            {
                self.values.close(symbol, Val { offset: init.offset.wrapping_add(moved), ..init });
            }
        }
    }

    /// What each iteration does to each variable of a loop.
    fn steps(&self, open: &Open) -> Vec<Variable> {
        let variable = |tracked: &Tracked| {
            let latch = match tracked.latch {
                Latch::Is(latch) if !latch.is_junk() => Some(latch),
                _ => None,
            };
            let change = latch.and_then(|latch| {
                let mut change = self.values.linear(latch);
                change.add(tracked.symbol, -1);
                change.usable()
            });
            let step = change.filter(|change| change.terms().is_empty()).map(|change| change.constant);
            let stride = change.filter(|change| change.constant == 0).and_then(|change| match change.terms() {
                &[stride] => Some(stride),
                _ => None,
            });
            Variable { symbol: tracked.symbol, step, stride, init: tracked.init, latch }
        };
        open.variables.iter().map(variable).collect()
    }
}
