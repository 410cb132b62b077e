//! What of one function runs whatever the processor can do: registers and memory that hold what the processor said of
//! itself are followed, branches on them are guards, and what stands behind a guard is left out.
//!
//! A block is behind a guard unless every way from the guard to the function's end comes by it (its post-dominators),
//! so that doubt leaves it out. One step per instruction. Called for the few functions that touch such values.

use std::collections::BTreeSet;

use iced_x86::{Code as Opcode, Instruction, OpKind, Register};

use super::body::{Body, Exit, Target};
use super::code::{Callee, Code};
use super::graph::{Flow as Order, Graph, NONE};
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
    order: Order,
    reverse: Order,
    /// Tainted registers at the end of each block.
    out: Vec<u64>,
    guards: Vec<bool>,
    slots: BTreeSet<(usize, u64)>,
    now: u64,
    /// Whether the function makes a frame of its own.
    framed: bool,
    /// Whether the last call left an answer in the lower part of the frame.
    handed: bool,
}

impl Taint {
    /// Looks at the function at a place in the list.
    pub(crate) fn function(&mut self, code: &Code<'_>, range: usize, known: &Known) -> Clean {
        let mut clean = Clean::default();
        let bytes = code.bytes(range);
        if bytes.is_empty() || bytes.len() as u64 > super::body::MAX_BYTES {
            return clean;
        }
        self.body.decode(bytes, code.functions.ranges[range].start);
        self.body.cut(code);
        self.order.only_order(&self.body.graph);
        self.slots.clear();
        self.framed = self.body.instructions.iter().any(frames);
        let mut chosen = self.follow(code, known, &mut clean);
        if !self.slots.is_empty() {
            // Once more, so that a slot filled late is known where it is read early.
            clean = Clean::default();
            chosen = self.follow(code, known, &mut clean);
        }
        clean.escapes |= chosen;
        let reached = self.unguarded();
        for (number, block) in self.body.blocks.iter().enumerate() {
            if !reached[number] {
                continue;
            }
            for at in block.first..block.end {
                let instruction = &self.body.instructions[at as usize];
                let what = traits::of(instruction);
                clean.features |= what.features;
                // Where a guard itself leads is behind it.
                let guarded = || at + 1 == block.end && (self.guards[number] || into_the_middle(code, instruction));
                if what.flow != Flow::Next
                    && let Some(Target::Outside(Callee::Known(callee))) = self.body.target(at)
                    && !guarded()
                {
                    clean.calls.push(callee);
                }
                if instruction.code() == Opcode::Lea_r64_m
                    && !chosen
                    && let Some(function) = code.starting(instruction.memory_displacement64())
                {
                    clean.taken.push(code.number(function));
                }
            }
        }
        clean
    }

    /// Follows registers block by block; whether anything depends on what the processor said.
    fn follow(&mut self, code: &Code<'_>, known: &Known, clean: &mut Clean) -> bool {
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
            for at in block.first..block.end {
                chosen |= self.step(code, known, clean, at);
            }
            let guard = match block.exit {
                Exit::Branch => self.now & FLAGS != 0,
                Exit::Table | Exit::Unknown => {
                    let jump = &self.body.instructions[block.end as usize - 1];
                    self.reads(code, jump, known)
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

    /// One instruction; whether it chooses by what the processor said.
    fn step(&mut self, code: &Code<'_>, known: &Known, clean: &mut Clean, at: u32) -> bool {
        let instruction = self.body.instructions[at as usize];
        let what = traits::of(&instruction);
        if matches!(instruction.code(), Opcode::Cpuid | Opcode::Xgetbv) {
            self.now |= ANSWER;
            return false;
        }
        if matches!(what.flow, Flow::Call | Flow::IndirectCall) {
            let tells = matches!(self.body.callee(at), Callee::Known(callee) if known.tellers.contains(&callee));
            self.handed = matches!(self.body.callee(at), Callee::Known(callee) if known.handing.contains(&callee));
            self.now &= !CLOBBERED;
            self.now |= if tells { RETURNED } else { 0 };
            return false;
        }
        // Nearly all instructions: nothing that they could read holds such a value.
        let clean_so_far = self.now == 0 && !self.handed && self.slots.is_empty();
        if what.flow != Flow::Next || (clean_so_far && !names_place(&instruction)) {
            return false;
        }
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
                OpKind::Memory if tainted || chosen => self.store(code, clean, &instruction),
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

    fn store(&mut self, code: &Code<'_>, clean: &mut Clean, instruction: &Instruction) {
        if let Some(slot) = frame_slot(instruction) {
            self.slots.insert(slot);
            clean.escapes |= !self.framed;
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

/// Whether an instruction names a place in memory by its address alone.
fn names_place(instruction: &Instruction) -> bool {
    match instruction.memory_base() {
        Register::RIP => true,
        Register::None => (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == OpKind::Memory),
        _ => false,
    }
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
