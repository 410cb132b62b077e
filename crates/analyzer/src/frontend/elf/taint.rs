//! What of one function runs whatever the processor can do: registers and memory that hold what the processor said of
//! itself are followed, branches on them are guards, and what stands behind a guard is left out.
//!
//! A block is behind a guard unless every way from the guard to the function's end comes by it (its post-dominators),
//! so that doubt leaves it out. One step per instruction; while nothing holds such a value, only those are decoded that may
//! fetch one. Called for the few functions that touch such values.

use std::collections::BTreeSet;

use iced_x86::{Code as Opcode, Decoder, DecoderOptions, Instruction, OpKind, Register};

use super::body::{Block, Body, Exit, Target};
use super::certain::Features;
use super::code::{Callee, Code};
use super::graph::{Flow as Order, Graph, NONE};
use super::shapes::{Place, Shape, Shapes};
use super::swift::{At, Listener};
use super::traits::{self, Flow};

/// What is known of the whole program so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Data that holds what the processor said: ranges of addresses, in order.
    pub data: Vec<std::ops::Range<u64>>,
    /// Addresses in them that much of the program goes by, so that they hold something else.
    pub common: BTreeSet<u64>,
    /// Functions that return it in the frame of their caller, as Go's assembly does.
    pub handing: BTreeSet<u32>,
    /// Functions that return it.
    pub tellers: BTreeSet<u32>,
}

impl Known {
    /// The range that an address lies in, by place.
    #[inline]
    fn place(&self, address: u64) -> Option<usize> {
        let (first, last) = (self.data.first()?, self.data.last()?);
        if address < first.start || address >= last.end {
            return None;
        }
        let after = self.data.partition_point(|range| range.start <= address);
        after.checked_sub(1).filter(|&at| self.data[at].contains(&address))
    }

    #[inline]
    pub(crate) fn holds(&self, address: u64) -> bool {
        self.place(address).is_some() && !self.common.contains(&address)
    }
}

/// What a function does on every processor.
#[derive(Debug, Default)]
pub(crate) struct Clean {
    pub features: u64,
    pub calls: Vec<u32>,
    /// Functions whose address is taken, where none is chosen by what the processor said.
    pub taken: Vec<u32>,
    /// Data it puts such values into.
    pub data: Vec<u64>,
    /// Whether it returns one.
    pub tells: bool,
    /// Whether it hands one out in a way that is not followed: through a pointer, in the frame of its caller, or by
    /// what it does because of it.
    pub escapes: bool,
}

/// Bit of the flags among the tainted registers.
const FLAGS: u64 = 1 << 32;

/// Bits of `rax` and `rdx`, which hold what a function returns (System V ABI, AMD64 supplement, section 3.2.3).
const RETURNED: u64 = 1 | 1 << 2;

/// Bits of the registers that `cpuid` writes: `rax rcx rdx rbx`.
const ANSWER: u64 = 0b1111;

/// Bytes of a frame in which an answer may have been left: four numbers in, four out.
const HANDED_BYTES: u64 = 64;

/// Registers that a callee may change.
const CLOBBERED: u64 = 0xffff_0fc7 | FLAGS;

#[derive(Default)]
pub(crate) struct Taint {
    body: Body,
    shapes: Shapes,
    noted: Noted,
    order: Order,
    reverse: Order,
    /// Tainted registers at the end of each block.
    out: Vec<u64>,
    guards: Vec<bool>,
    slots: BTreeSet<(usize, u64)>,
    now: u64,
    /// Whether the function makes a frame of its own, once that was asked.
    framed: Option<bool>,
    /// Whether the last call left an answer in the lower part of the frame.
    handed: bool,
}

/// Instructions of a function that tell of more than registers.
#[derive(Default)]
struct Noted {
    features: Features,
    /// Those that name a place in memory by its address alone, or ask the processor, by number.
    named: Vec<u32>,
    /// Addresses that are taken, with the numbers of the instructions.
    taken: Vec<(u32, u64)>,
    start: u64,
}

impl Noted {
    fn clear(&mut self, start: u64) {
        self.features.clear();
        self.named.clear();
        self.taken.clear();
        self.start = start;
    }

    fn name(&mut self, takes: bool, address: u64) {
        self.named.push(self.features.last());
        self.taken.extend(takes.then_some((self.features.last(), address)));
    }

    fn behind(&self, at: At, by: u64) -> u64 {
        self.start.wrapping_add(at.next as u64).wrapping_add(by)
    }
}

impl Listener for Noted {
    #[inline]
    fn meets(&mut self, from: usize) {
        self.features.meets(from);
    }

    fn goes(&mut self, _at: At, _flow: Flow, _by: u64) {}

    fn leaves(&mut self, _at: At, _flow: Flow, _by: Option<u64>) {}

    fn touches(&mut self, at: At, takes: bool, by: u64) {
        self.name(takes, self.behind(at, by));
    }

    fn number(&mut self, _at: At, _value: u32) {}

    fn shape(&mut self, at: At, shape: &Shape) {
        self.features.shape(at, shape);
        match shape.place {
            Place::Relative(by) => self.name(shape.kind.lea, self.behind(at, by)),
            Place::Absolute(address) => self.name(shape.kind.lea, address),
            Place::Elsewhere if shape.kind.asks => self.named.push(self.features.last()),
            Place::Elsewhere => {}
        }
    }
}

/// Instructions of a function, decoded when they are asked for.
struct Reader<'a> {
    decoder: Decoder<'a>,
    start: u64,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], start: u64) -> Self {
        Self { decoder: Decoder::with_ip(64, bytes, start, DecoderOptions::NONE), start }
    }

    fn at(&mut self, offset: u32) -> Instruction {
        // Every offset is one at which an instruction was met.
        let _ = self.decoder.set_position(offset as usize);
        self.decoder.set_ip(self.start.wrapping_add(u64::from(offset)));
        self.decoder.decode()
    }
}

impl Taint {
    /// Looks at the function at a place in the list.
    pub(crate) fn function(&mut self, code: &Code<'_>, range: usize, known: &Known) -> Clean {
        let mut clean = Clean::default();
        let bytes = code.bytes(range);
        if bytes.is_empty() || bytes.len() as u64 > super::body::MAX_BYTES {
            return clean;
        }
        let start = code.functions.ranges[range].start;
        self.noted.clear(start);
        self.body.outline(code, range, &mut self.shapes, &mut self.noted);
        self.order.only_order(&self.body.graph);
        self.slots.clear();
        self.framed = None;
        let mut reader = Reader::new(bytes, start);
        let mut chosen = self.follow(code, known, &mut clean, &mut reader);
        if !self.slots.is_empty() {
            // Once more, so that a slot filled late is known where it is read early.
            clean = Clean::default();
            chosen = self.follow(code, known, &mut clean, &mut reader);
        }
        clean.escapes |= chosen;
        let reached = self.unguarded();
        clean.features = self.noted.features.of(&self.body, |block| reached[block as usize]);
        self.calls(code, &reached, &mut clean, &mut reader);
        if !chosen {
            let met = self.noted.taken.iter().filter(|taken| reached[self.body.block_of(taken.0) as usize]);
            let functions = met.filter_map(|taken| code.starting(taken.1));
            clean.taken.extend(functions.map(|function| code.number(function)));
        }
        clean
    }

    /// Notes what the blocks call and jump to that are reached; where a guard itself leads is behind it.
    fn calls(&self, code: &Code<'_>, reached: &[bool], clean: &mut Clean, reader: &mut Reader<'_>) {
        for &(at, target) in &self.body.targets {
            let Target::Outside(Callee::Known(callee)) = target else { continue };
            let number = self.body.block_of(at);
            if !reached[number as usize] {
                continue;
            }
            let last = at + 1 == self.body.blocks[number as usize].end;
            let guards = self.guards[number as usize];
            if !last || !guards && !into_the_middle(code, &reader.at(self.body.starts[at as usize])) {
                clean.calls.push(callee);
            }
        }
    }

    /// Follows registers block by block; whether anything depends on what the processor said.
    fn follow(&mut self, code: &Code<'_>, known: &Known, clean: &mut Clean, reader: &mut Reader<'_>) -> bool {
        let blocks = self.body.blocks.len();
        self.out.clear();
        self.out.resize(blocks, 0);
        self.guards.clear();
        self.guards.resize(blocks, false);
        let mut chosen = false;
        for index in 0..self.order.order.len() {
            let number = self.order.order[index];
            self.now = self.order.preceding(number).iter().fold(0, |set, &from| set | self.out[from as usize]);
            let block = self.body.blocks[number as usize];
            self.handed = false;
            let mut next = block.first;
            let mut named = self.noted.named.partition_point(|&named| named < next);
            let mut mark = block.marks.0 as usize;
            while let Some(at) = self.notable(next, &block, &mut named, &mut mark) {
                chosen |= self.step(code, known, clean, at, reader);
                next = at + 1;
            }
            let guard = match block.exit {
                Exit::Branch => self.now & FLAGS != 0,
                Exit::Table | Exit::Unknown => {
                    let jump = reader.at(self.body.starts[block.end as usize - 1]);
                    self.reads(code, &jump, known)
                }
                Exit::Return => {
                    clean.tells |= self.now & RETURNED != 0;
                    false
                }
                _ => false,
            };
            self.guards[number as usize] = guard;
            chosen |= guard;
            self.out[number as usize] = self.now;
        }
        chosen
    }

    /// The next instruction of a block, from `at` on, that may change what is known: any, while something holds a value of the
    /// processor's; else one that names a place in memory or asks, and a call. `named` and `mark` are how far the lists of
    /// those were gone through.
    fn notable(&self, at: u32, block: &Block, named: &mut usize, mark: &mut usize) -> Option<u32> {
        let next = if self.now != 0 || self.handed || !self.slots.is_empty() {
            at
        } else {
            from(&self.noted.named, at, named).min(from(&self.body.marks, at, mark))
        };
        (next < block.end).then_some(next)
    }

    /// One instruction; whether it chooses by what the processor said.
    fn step(&mut self, code: &Code<'_>, known: &Known, clean: &mut Clean, at: u32, reader: &mut Reader<'_>) -> bool {
        if self.body.calls(at) {
            let callee = self.body.callee(at);
            let is_among = |set: &BTreeSet<u32>| matches!(callee, Callee::Known(callee) if set.contains(&callee));
            self.handed = is_among(&known.handing);
            self.now &= !CLOBBERED;
            self.now |= if is_among(&known.tellers) { RETURNED } else { 0 };
            return false;
        }
        if self.body.flows[at as usize] != Flow::Next {
            return false;
        }
        let instruction = reader.at(self.body.starts[at as usize]);
        if matches!(instruction.code(), Opcode::Cpuid | Opcode::Xgetbv) {
            self.now |= ANSWER;
            return false;
        }
        let what = traits::of(&instruction);
        let tainted = self.reads(code, &instruction, known);
        let mut chosen = false;
        if instruction.condition_code() != iced_x86::ConditionCode::None && self.now & FLAGS != 0 {
            chosen = true;
        }
        for operand in 0..instruction.op_count().min(2) {
            if what.writes >> operand & 1 == 0 {
                continue;
            }
            match instruction.op_kind(operand) {
                OpKind::Register => {
                    let bit = u64::from(traits::bit(instruction.op_register(operand)));
                    self.now = if tainted || chosen { self.now | bit } else { self.now & !bit };
                }
                OpKind::Memory if tainted || chosen => self.store(code, clean, &instruction, reader),
                _ => {}
            }
        }
        if !tainted {
            self.now &= !u64::from(what.implicit);
        }
        if instruction.rflags_modified() != 0 {
            self.now = if tainted { self.now | FLAGS } else { self.now & !FLAGS };
        }
        chosen
    }

    /// Whether an instruction reads a tainted register or what holds such a value in memory.
    fn reads(&self, code: &Code<'_>, instruction: &Instruction, known: &Known) -> bool {
        let tainted = |register: Register| self.now & u64::from(traits::bit(register)) != 0;
        let same = instruction.op_count() == 2
            && instruction.op1_kind() == OpKind::Register
            && instruction.op0_kind() == OpKind::Register
            && instruction.op0_register() == instruction.op1_register();
        let clears = same && format_clears(instruction);
        (0..instruction.op_count()).any(|operand| match instruction.op_kind(operand) {
            // What a move overwrites does not matter.
            OpKind::Register => {
                !clears && (operand > 0 || !is_move(instruction)) && tainted(instruction.op_register(operand))
            }
            OpKind::Memory => {
                let slot = frame_slot(instruction)
                    .is_some_and(|slot| self.slots.contains(&slot) || (self.handed && slot.1 < HANDED_BYTES));
                let global = instruction.memory_base() == Register::RIP || instruction.memory_base() == Register::None;
                (operand > 0 || !is_move(instruction))
                    && (slot
                        || tainted(instruction.memory_base())
                        || (global && known.holds(instruction.memory_displacement64()))
                        || (global && told(code, instruction.memory_displacement64(), known)))
            }
            _ => false,
        })
    }

    fn store(&mut self, code: &Code<'_>, clean: &mut Clean, instruction: &Instruction, reader: &mut Reader<'_>) {
        if let Some(slot) = frame_slot(instruction) {
            self.slots.insert(slot);
            let starts = &self.body.starts;
            let framed = || starts.iter().any(|&offset| frames(&reader.at(offset)));
            clean.escapes |= !*self.framed.get_or_insert_with(framed);
        } else if instruction.memory_base() == Register::RIP || instruction.memory_base() == Register::None {
            let address = instruction.memory_displacement64();
            if code.image.writable(address) {
                clean.data.push(address);
            }
        } else {
            clean.escapes = true;
        }
    }

    /// Blocks that run whatever the guards decide.
    fn unguarded(&mut self) -> Vec<bool> {
        let blocks = self.body.blocks.len();
        let mut reached = vec![false; blocks];
        let guarded = self.guards.iter().any(|&guard| guard);
        let after = guarded.then(|| self.post_dominators());
        let mut work = vec![0_u32];
        while let Some(block) = work.pop() {
            if std::mem::replace(&mut reached[block as usize], true) {
                continue;
            }
            if !self.guards[block as usize] {
                work.extend_from_slice(self.body.graph.of(block));
            } else if let Some(after) = &after {
                work.extend(Some(after[block as usize]).filter(|&next| next != NONE));
            }
        }
        reached
    }

    /// Immediate post-dominators: dominators of the reversed graph, from one exit behind all ends.
    fn post_dominators(&mut self) -> Vec<u32> {
        let blocks = self.body.blocks.len();
        let graph = &self.body.graph;
        let mut ends = Vec::new();
        let mut into: Vec<Vec<u32>> = vec![Vec::new(); blocks];
        for block in 0..blocks as u32 {
            let exit = self.body.blocks[block as usize].exit;
            let leaves = exit == Exit::Branch && self.body.branches[block as usize].0 == NONE;
            if graph.of(block).is_empty() || leaves {
                ends.push(block + 1);
            }
            for &to in graph.of(block) {
                into[to as usize].push(block + 1);
            }
        }
        let mut reversed = Graph::default();
        for list in std::iter::once(&ends).chain(&into) {
            reversed.starts.push(reversed.successors.len() as u32);
            reversed.successors.extend_from_slice(list);
        }
        reversed.starts.push(reversed.successors.len() as u32);
        if !self.reverse.only_dominators(&reversed) {
            return vec![NONE; blocks];
        }
        let inner = |dominator: u32| if dominator == 0 || dominator == NONE { NONE } else { dominator - 1 };
        self.reverse.dominator[1..].iter().map(|&dominator| inner(dominator)).collect()
    }
}

/// The first of a list of numbers in order that is at least so large; `place` is how far the list was gone through.
fn from(list: &[u32], least: u32, place: &mut usize) -> u32 {
    while list.get(*place).is_some_and(|&number| number < least) {
        *place += 1;
    }
    list.get(*place).copied().unwrap_or(u32::MAX)
}

/// Whether an instruction makes room in the stack.
fn frames(instruction: &Instruction) -> bool {
    use iced_x86::Mnemonic::{Add, And, Call, Lea, Push, Sub};
    match instruction.mnemonic() {
        Call | Push => true,
        Add | And | Lea | Sub => instruction.op0_register() == Register::RSP,
        _ => false,
    }
}

/// Whether a jump leads past the begin of a function: what registers hold there is not known.
fn into_the_middle(code: &Code<'_>, jump: &Instruction) -> bool {
    let near = jump.op0_kind() == OpKind::NearBranch64;
    near && code.starting(jump.near_branch_target()).is_none() && code.holding(jump.near_branch_target()).is_some()
}

/// Whether a slot holds the address of another file's account of the processor.
fn told(code: &Code<'_>, address: u64, known: &Known) -> bool {
    code.image.import_at(address).is_some_and(|import| known.tellers.contains(&import))
}

fn is_move(instruction: &Instruction) -> bool {
    use iced_x86::Mnemonic::{Lea, Mov, Movsx, Movsxd, Movzx, Pop};
    matches!(instruction.mnemonic(), Mov | Movzx | Movsx | Movsxd | Lea | Pop)
}

fn format_clears(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), iced_x86::Mnemonic::Xor | iced_x86::Mnemonic::Sub)
}

/// A slot of the stack, by base register and displacement.
fn frame_slot(instruction: &Instruction) -> Option<(usize, u64)> {
    let base = instruction.memory_base();
    let frame = matches!(base, Register::RSP | Register::RBP) && instruction.memory_index() == Register::None;
    frame.then(|| (base as usize, instruction.memory_displacement64()))
}
