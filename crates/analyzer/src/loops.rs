//! One walk over a decoded body: follows values through operand stack, locals and joins, finds the loop tree and what
//! makes each loop end, and lays the function out as a tree of the program representation.
//!
//! Joins keep a local's value where every path into the join agrees on it, told by an undo log of assignments instead
//! of a copy of the locals per branch. Linear but for the joins, whose work is bounded by [`WORK_PER_OP`] per operator;
//! a function beyond it is counted, not understood. Called by the front end, once per function; trip counts are solved
//! in [`crate::trip_count`].

use crate::dependence::{Recording, Tape, Why};
use crate::export::Exporter;
use crate::frontend::wasm::classes;
use crate::frontend::wasm::decode::{Decoded, Op, code};
use crate::frontend::wasm::module::Module;
use crate::mix::Tally;
use crate::program::{Forest, Function, NONE, Node};
use crate::values::{Source, Val, Values};

/// Steps of join work allowed per operator before a function is given up.
const WORK_PER_OP: u64 = 64;

/// Join work every function may do.
const WORK_BASE: u64 = 1 << 16;

/// Locals that are followed; those beyond are opaque.
const TRACKED_LOCALS: u32 = 4096;

/// Exits of a loop whose conditions are looked at; more only mean that it may end early.
const MAX_EXITS: usize = 8;

/// Variables of a loop that are looked at for dependence, and for trip counts.
const MAX_VARIABLES: usize = 256;

/// Parameters that are told apart.
const TRACKED_PARAMS: u32 = 64;

mod cells;
mod cycles;
mod edges;
mod export;
pub(crate) mod finish;
mod joins;
mod tails;
pub(crate) mod watch;

/// What a walk keeps of a function besides its tree; each includes those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Keep {
    /// How many operators there are between two branches.
    #[default]
    Counts,
    /// Of which classes they are.
    Classes,
    /// What loops access, for it to be examined what their iterations share.
    Accesses,
}

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
    /// Length of the log at the last of them.
    last_branch: u32,
    /// Locals that differ between those branches, beyond what the log tells, with the value that a branch carries;
    /// junk where that is not known.
    ambiguous: Vec<(u32, Val)>,
    /// How many of the branches have told there what they carry, one after the other.
    told: u32,
    /// Of an `if`: its condition.
    cond: Option<(Val, u32)>,
    guards: Guards,
    /// Whether its end is that of the loop around it, so that a branch to it leaves that loop.
    leaves: bool,
}

/// Conditions that alone decide by which of two ways the end of a frame is reached.
#[derive(Debug, Clone, Copy, Default)]
struct Guards {
    conds: [u32; MAX_GUARDS],
    count: u8,
    /// Other branches to that end.
    others: u8,
    /// Whether there is more to it.
    spoiled: bool,
    /// Whether the way that left first is the one taken where the condition is false.
    inverted: bool,
    /// Length of the log at the last of them.
    last: u32,
}

impl Guards {
    fn add(&mut self, cond: u32, log_len: u32) {
        match self.conds.get_mut(usize::from(self.count)) {
            Some(place) => *place = cond,
            None => self.spoiled = true,
        }
        self.count = self.count.saturating_add(1);
        self.last = log_len;
    }

    /// The conditions, where they tell all: where control comes to the end of the frame (`live`) or by one other branch.
    fn told(&self, live: bool) -> &[u32] {
        let all = !self.spoiled && self.others == u8::from(!live);
        if all { self.conds.get(..usize::from(self.count)).unwrap_or_default() } else { &[] }
    }
}

/// Branches to one join whose values are told apart: the sides of a chain of a few conditions.
const MAX_TOLD: u32 = 6;

/// Conditions kept of one join: compilers guard a vectorised loop by its length and by up to a few overlaps.
const MAX_GUARDS: usize = 4;

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
    /// Whether it would be but for what has gone round before.
    late: bool,
    /// Back edges seen before it.
    backs: u32,
}

/// A loop set aside while code inside it is walked that runs after it.
#[derive(Debug)]
struct Aside {
    open: Open,
    /// The frame with whose end that code ends.
    until: u32,
    /// Frames that this code is not inside of: of the loop, and up to the one in which it begins.
    base: u32,
    top: u32,
}

#[derive(Debug)]
struct Open {
    /// Index in the forest.
    index: u32,
    /// Number among the loops of the function.
    number: u32,
    frame: u32,
    first_symbol: u32,
    /// The node that begins it.
    first_node: u32,
    variables: Vec<Tracked>,
    exits: Vec<Exit>,
    backs: u32,
    /// Condition of the first back edge.
    first_back: Option<u32>,
    last_back: Option<Exit>,
    /// Whether something else may leave the loop: before the last back edge, and since.
    early: bool,
    early_since: bool,
    table_targets: u32,
    /// Whether it calls anything.
    calls: bool,
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
    aside: Vec<Aside>,
    tails: tails::Tails,
    /// The next tail to come by.
    next_tail: usize,
    /// Calls that lie behind.
    calls_passed: usize,
    log: Vec<(u32, Val)>,
    stamps: Vec<u64>,
    stamp: u64,
    exporter: Exporter,
    /// Locals whose assignments were last taken back, with the values they had until then.
    touched: Vec<(u32, Val)>,
    notes: Tape,
    pub watch: watch::Watch,
    cells: cells::Cells,
    /// The values of the function's conditions, in order.
    conditions: Vec<Val>,
    first_condition: u32,
    tally: Tally,
    /// Height of the innermost frame's operands.
    floor: usize,
    ops: u32,
    loops_begun: u32,
    work: u64,
    keep: Keep,
    /// Whether an operator on vectors was met, where classes are kept.
    vectors: bool,
}

/// A call by the decoder as a node.
pub(crate) fn called(op: Op) -> Node {
    match op.code & code::MASK {
        code::CALL => Node::Call { function: op.a, args: NONE },
        _ => Node::CallIndirect { class: op.a },
    }
}

impl Walker {
    /// Makes room for bodies of so many bytes, so that no list grows from one function to the next.
    pub(crate) fn make_room(&mut self, body_bytes: usize) {
        self.decoded.make_room(body_bytes);
        self.values.begin(self.decoded.ops.capacity() / 2);
    }

    /// Lays out the decoded function in `forest`.
    pub(crate) fn walk(&mut self, module: &Module<'_>, params: u32, forest: &mut Forest, keep: Keep) -> Function {
        let (nodes, loops, conds) = (forest.nodes.len() as u32, forest.loops.len() as u32, forest.conds.len() as u32);
        let exprs = forest.exprs.len() as u32;
        self.notes.begin(keep == Keep::Accesses);
        if self.decoded.census.formats() {
            // Its stream and its format are what its cost depends on, and nothing else of it.
            return Function { sensitive: 0b11, formats: true, uncalled: false, ..self.outline(module, forest) };
        }
        if !self.decoded.too_deep {
            self.decoded.mark_dying(module);
        }
        self.reset(params, keep);
        self.conditions.clear();
        self.first_condition = conds;
        // Without loops there is no state to follow, only constants to read.
        let all = self.locals.len() as u32 == self.decoded.locals && !self.decoded.loops.is_empty();
        self.cells.begin(all, module);
        let understood = !self.decoded.too_deep && self.body(module, forest);
        if !understood {
            forest.nodes.truncate(nodes as usize);
            forest.loops.truncate(loops as usize);
            self.notes.begin(false);
        }
        Function {
            nodes: nodes..forest.nodes.len() as u32,
            loops: loops..forest.loops.len() as u32,
            conds,
            exprs,
            sensitive: self.exporter.sensitive,
            static_ops: self.decoded.ops.len() as u32,
            detailed: keep >= Keep::Classes,
            classes: keep >= Keep::Classes,
            vectors: self.vectors,
            opaque: !understood,
            ..Function::default()
        }
    }

    /// What the loops of the function that was walked last access, to be examined; `None` where it has none.
    pub(crate) fn recording(&self) -> Option<Recording> {
        self.notes.any().then(|| self.notes.recording(&self.values))
    }

    /// Lays out the calls of the decoded function alone; notes which data it may change, by the addresses that it names.
    pub(crate) fn outline(&mut self, module: &Module<'_>, forest: &mut Forest) -> Function {
        self.cells.begin(false, module);
        let Decoded { ops, calls, .. } = &self.decoded;
        let named = ops.iter().filter(|op| op.names() && self.cells.in_data(op.b)).map(|op| (op.b as u32, false));
        forest.words.stored.extend(named);
        let first = forest.nodes.len() as u32;
        forest.nodes.extend(calls.iter().map(|&at| called(ops[at as usize])));
        let nodes = first..forest.nodes.len() as u32;
        Function { nodes, static_ops: ops.len() as u32, uncalled: true, ..Function::default() }
    }

    fn reset(&mut self, params: u32, keep: Keep) {
        self.values.begin(self.decoded.ops.len() / 2);
        self.stack.clear();
        self.locals.clear();
        self.frames.clear();
        self.open.clear();
        self.aside.clear();
        self.tails.find(&self.decoded);
        (self.next_tail, self.calls_passed) = (0, 0);
        self.log.clear();
        self.exporter.clear();
        self.tally = Tally::default();
        (self.ops, self.loops_begun) = (0, 0);
        self.work = WORK_BASE + WORK_PER_OP * self.decoded.ops.len() as u64;
        (self.keep, self.vectors) = (keep, false);
        // A local no operator of the body can name needs no place.
        let tracked = self.decoded.locals.min(TRACKED_LOCALS).min(self.decoded.ops.len() as u32 + params);
        for local in 0..tracked.min(params) {
            let value = if local < TRACKED_PARAMS { self.values.param(local) } else { Val::JUNK };
            self.locals.push(value);
        }
        self.locals.resize(tracked as usize, Val::constant(0));
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
        self.count(plain);
        match plain {
            0x20 => {
                let value = self.local(op.a);
                self.stack.push(value);
            }
            0x21 => {
                let value = self.take();
                self.assign(op.a, value);
            }
            0x22 => {
                let value = self.take();
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
            0x28 | 0x29 => {
                let address = self.pop();
                let value = self.load(module, op, plain == 0x29, address);
                self.note_access(op, address, false, value);
                self.stack.push(value);
            }
            0x2c..=0x35 => {
                let address = self.pop();
                let value = self.values.opaque(Source::Memory);
                self.note_access(op, address, false, value);
                self.stack.push(value);
            }
            0x23 => {
                let known = module.globals.get(op.a as usize).copied().flatten();
                let value = known.map_or_else(|| self.values.opaque(Source::Memory), Val::constant);
                if known.is_none() {
                    if self.cells.stack == 0 {
                        self.cells.stack = value.symbol;
                    }
                    if self.watch.on {
                        self.watch.read_global(op.a, value);
                    }
                    self.note_global(op.a, false, value);
                }
                self.stack.push(value);
            }
            0x24 => {
                let value = self.pop();
                if self.watch.on {
                    self.watch.write_global(op.a, value);
                }
                self.note_global(op.a, true, value);
            }
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
                    None => self.selected(forest, truth, a, b),
                };
                self.notes.select(value, truth);
                self.stack.push(value);
            }
            _ => return self.control(module, forest, at, live),
        }
        true
    }

    /// An operator that [`Self::step`] leaves; read anew, so that it need not be kept in memory for the common ones.
    fn control(&mut self, module: &Module<'_>, forest: &mut Forest, at: u32, live: bool) -> bool {
        let op = self.decoded.ops[at as usize];
        let plain = op.code & code::MASK;
        match plain {
            code::BLOCK => {
                self.flush(forest);
                forest.nodes.push(Node::Block);
                self.enter(Kind::Block, op.a & 0xffff, op.a >> 16, op.b as u32);
                self.mark_leaving(op.b as usize);
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
            0x1a => drop(self.take()),
            0x40 => {
                self.rule_out(Why::Bulk);
                let pages = self.pop();
                let pages = self.export(forest, pages);
                self.flush(forest);
                forest.nodes.push(Node::Grow { pages });
                let value = self.values.opaque(Source::Other);
                self.stack.push(value);
            }
            0x108 | 0x10a | 0x10b => {
                self.rule_out(Why::Bulk);
                let length = self.pop();
                let length = self.export(forest, length);
                self.pop();
                self.pop();
                self.flush(forest);
                forest.nodes.push(Node::Bulk { length });
            }
            0x2a | 0x2b | 0x200..=0x20a | 0x25c | 0x25d => {
                let address = self.pop();
                let value = self.remembered(plain, Val::JUNK, Val::JUNK);
                self.note_access(op, address, false, value);
                self.stack.push(value);
            }
            0x36..=0x3e | 0x20b => {
                let value = self.pop();
                let address = self.pop();
                self.note_store(forest, op, address, value);
                if matches!(plain, 0x36 | 0x37) {
                    self.store(module, op, plain == 0x37, address, value);
                }
                self.note_access(op, address, true, value);
            }
            0x43 | 0x44 => self.stack.push(Val::constant(op.b)),
            0x5b..=0x66 | 0x92..=0x98 | 0xa0..=0xa6 => {
                let (b, a) = (self.pop(), self.pop());
                let value = self.floating(plain, a, b);
                self.stack.push(value);
            }
            _ => self.plain(plain),
        }
        true
    }

    /// An operator of which only the operand counts matter.
    fn plain(&mut self, plain: u16) {
        let Some((taken, left)) = classes::arity(plain) else {
            // What lies above is not known any more; what is pushed from here on is.
            self.rule_out(Why::Effects);
            let height = self.frames.last().map_or(0, |frame| frame.height as usize);
            self.stack.truncate(height.min(self.stack.len()));
            return;
        };
        if plain >= code::ATOMIC {
            self.rule_out(Why::Atomics);
        } else if !classes::is_pure(plain) {
            self.rule_out(Why::Effects);
        }
        if (taken, left) == (2, 1) && (code::SIMD..code::ATOMIC).contains(&plain) {
            let (b, a) = (self.pop(), self.pop());
            let value = self.remembered(plain, a, b);
            self.stack.push(value);
            return;
        }
        for _ in 0..taken {
            self.pop();
        }
        for _ in 0..left {
            self.stack.push(Val::JUNK);
        }
    }

    /// Something happens whose effects are not followed.
    fn rule_out(&mut self, why: Why) {
        self.notes.obstacle(why);
        self.watch.anything();
    }

    #[inline]
    fn count(&mut self, plain: u16) {
        self.ops += u32::from(classes::counted(plain));
        if self.keep >= Keep::Classes {
            self.vectors |= classes::count(&mut self.tally, plain);
        }
    }

    fn flush(&mut self, forest: &mut Forest) {
        if self.ops > 0 {
            let mix = if self.keep >= Keep::Classes { self.tally.flush(&mut forest.mixes) } else { NONE };
            forest.nodes.push(Node::Work { ops: std::mem::take(&mut self.ops), mix });
        }
    }

    /// Pops an operand.
    #[inline]
    fn pop(&mut self) -> Val {
        let value = self.take();
        self.notes.operand(value);
        value
    }

    /// Pops a value that is only moved elsewhere; unknown where the stack is not known that deep.
    #[inline]
    fn take(&mut self) -> Val {
        if self.stack.len() > self.floor { self.stack.pop().unwrap_or(Val::JUNK) } else { Val::JUNK }
    }

    #[inline]
    fn local(&self, local: u32) -> Val {
        self.locals.get(local as usize).copied().unwrap_or(Val::JUNK)
    }
}
