//! Values in registers and stack slots, followed through a function in the order of its layout: what makes each loop
//! end, which arguments calls get, how memory is accessed.
//!
//! A register or slot keeps its value where paths that meet agree on it. At the head of a loop everything becomes a
//! variable of the loop; what the loop leaves alone turns out to have step 0. Stack slots are followed by their
//! distance from the frame, except those whose address is taken. Linear: one step per instruction, a fixed number of
//! registers and slots per block and loop. Called by the layout.

use iced_x86::{ConditionCode, Instruction, OpKind, Register};

use super::body::Exit;
use super::code::Code;
use super::graph::NONE;
use super::layout::{Event, Layout};
use super::loops::Open;
use super::states::{Flags, Kept, State};
use super::traits;
use crate::dependence::{Recorder, Why};
use crate::effects::{Callees, Effects};
use crate::export::Exporter;
use crate::program::{Forest, Node};
use crate::values::{Def, Source, Val, Values};

/// Registers that are followed: 16 general ones, then 16 vector ones where dependence is asked for.
pub(super) const GENERAL: usize = 16;
pub(super) const ALL: usize = 32;

/// Symbols for each instruction of a function for which there is room at once: those of gcc and mawk make one to two.
const SYMBOLS: usize = 2;

/// Symbols for which there is room at once at most: three megabytes, which only some functions of compilers outgrow.
const MOST_ROOM: usize = 1 << 16;

/// Bytes from an address taken in which slots are not followed: a scalar or small structure handed to a callee.
const ESCAPED_BYTES: i64 = 64;

/// Stack slots whose address is taken that are told apart; a function with more has none followed.
const MAX_ESCAPED: usize = 64;

/// Registers that hold arguments, in order (System V ABI, AMD64 supplement, section 3.2.3): `rdi rsi rdx rcx r8 r9`.
pub(super) const ARGUMENTS: [usize; 6] = [7, 6, 2, 1, 8, 9];

/// Registers that hold something else after a call: `rax rdx xmm0 xmm1`, where results are returned. The others that a
/// callee may change are only read later by code whose compiler saw that this callee does not (GCC's `-fipa-ra`).
const RETURNED: u32 = 0x0003_0005;

const STACK: usize = 4;

/// The walk's state; reused from function to function.
#[derive(Default)]
pub(crate) struct Registers {
    pub(super) values: Values,
    pub(super) now: State,
    /// The state at the end of each block, and the truth of the branch that ends it.
    pub(super) kept: Kept,
    pub(super) truths: Vec<Val>,
    /// The block just walked, whose state is the present one.
    last: u32,
    pub(super) open: Vec<Open>,
    pub(super) exporter: Exporter,
    pub(super) detail: bool,
    pub(super) notes: Recorder,
    /// What the calls of the function do, where that is known.
    pub(super) callees: Callees,
    /// The value `rsp` has at the entry.
    frame: Option<u32>,
    escaped: Vec<i64>,
    /// Next of the layout's sites.
    site: usize,
}

impl Registers {
    /// Follows values through a function that was laid out; the parameters that matter, one bit each.
    pub(super) fn follow(&mut self, layout: &mut Layout, code: &Code<'_>, forest: &mut Forest, detail: bool) -> u64 {
        let blocks = layout.body.blocks.len();
        self.values.begin((SYMBOLS * layout.body.instructions.len()).min(MOST_ROOM));
        self.exporter.clear();
        self.open.clear();
        self.escaped.clear();
        let live = if detail { ALL } else { GENERAL };
        self.kept.begin(blocks, live);
        self.truths.clear();
        self.truths.resize(blocks, Val::JUNK);
        (self.site, self.detail, self.last) = (0, detail, NONE);
        self.notes.begin(detail);
        self.begin(live);
        for at in 0..layout.events.len() {
            match layout.events[at] {
                Event::Block(block) => {
                    // A loop's header was entered with the loop.
                    if layout.flow.heads(block).is_none() {
                        self.enter(layout, block);
                    }
                    self.block(layout, code, forest, block);
                }
                Event::Enter(number, index) => {
                    self.enter(layout, layout.flow.loops[number as usize].header);
                    self.enter_loop(number, index);
                }
                Event::Leave => self.leave_loop(layout, forest),
            }
        }
        self.exporter.sensitive
    }

    /// The state at the function's entry.
    fn begin(&mut self, live: usize) {
        self.now = State::new(live);
        for register in 0..GENERAL {
            self.now.registers[register] = match ARGUMENTS.iter().position(|&argument| argument == register) {
                Some(argument) => self.values.param(argument as u32),
                None => self.values.opaque(Source::Other),
            };
        }
        self.frame = self.now.registers[STACK].as_symbol();
    }

    pub(super) fn frame_symbol(&self) -> Option<u32> {
        self.frame
    }

    /// The state at the begin of a block: what its predecessors laid out so far agree on.
    fn enter(&mut self, layout: &Layout, block: u32) {
        if block == 0 {
            return;
        }
        let mut first = true;
        for &from in layout.flow.preceding(block) {
            // Out of a loop, what the loop left alone is again what it was before.
            let out = layout.flow.loop_of[from as usize] != layout.flow.loop_of[block as usize];
            if first && from == self.last {
                first = false;
            } else {
                // Where a path comes round from later, or out of a block that does not go on.
                let Some(state) = self.kept.of(from) else { continue };
                if !std::mem::take(&mut first) {
                    self.now.join(&state, &mut self.values, out);
                    continue;
                }
                self.now.copy(&state);
            }
            if out {
                self.now.settle(&self.values);
            }
        }
    }

    /// Keeps the state at the end of a block, unless the one block that it goes on to comes next and from nowhere else.
    fn keep(&mut self, layout: &Layout, number: u32) {
        self.last = number;
        if let [only] = *layout.body.graph.of(number)
            && only != 0
            && layout.flow.preceding(only).len() == 1
            && layout.body.blocks[number as usize].exit == Exit::On
        {
            return;
        }
        self.kept.keep(number, &self.now);
    }

    fn block(&mut self, layout: &mut Layout, code: &Code<'_>, forest: &mut Forest, number: u32) {
        let block = layout.body.blocks[number as usize];
        for at in block.first..block.end {
            let instruction = layout.body.instructions[at as usize];
            self.instruction(layout, code, forest, &instruction);
        }
        if layout.conds[number as usize].0 != NONE {
            let last = layout.body.instructions[block.end as usize - 1];
            let truth = self.truth(last.condition_code());
            self.note_cond(layout, forest, number, truth);
        }
        let leaves = matches!(block.exit, Exit::Leave | Exit::Unknown);
        if leaves || (block.exit == Exit::Branch && layout.body.branches[number as usize].0 == NONE) {
            // A jump out of the function is a call that the function's own caller is returned to from.
            let site = layout.sites.get(self.site).copied();
            self.site += 1;
            self.note_arguments(forest, site);
        }
        self.keep(layout, number);
    }

    fn instruction(&mut self, layout: &mut Layout, code: &Code<'_>, forest: &mut Forest, instruction: &Instruction) {
        let what = traits::of(instruction);
        match what.flow {
            traits::Flow::Call | traits::Flow::IndirectCall => {
                self.reach(instruction, what);
                let site = layout.sites.get(self.site).copied();
                self.site += 1;
                let given = self.now.registers[ARGUMENTS[0]];
                self.call(forest, site);
                if returns_its_argument(code, forest, site) {
                    self.now.registers[0] = given;
                }
                return;
            }
            traits::Flow::Next => {}
            _ => return,
        }
        if what.string && super::classes::repeats(instruction) {
            let site = layout.sites.get(self.site).copied();
            self.site += 1;
            self.repeat(forest, site, instruction);
        }
        self.execute(code, instruction, what);
    }

    /// A call: its arguments are noted, and what it may change is forgotten.
    fn call(&mut self, forest: &mut Forest, site: Option<u32>) {
        self.note_arguments(forest, site);
        if let Some(open) = self.open.last_mut() {
            open.calls = true;
        }
        let node = site.and_then(|site| forest.nodes.get(site as usize));
        let effects = node.map_or(Effects::ANY, |node| self.callees.of(node));
        self.notes.call(effects);
        for register in traits::slots(effects.takes) {
            let value = self.now.registers[register];
            // What the last call left there is either an argument or of no account.
            let left = RETURNED >> register & 1 != 0 && matches!(self.values.def(value.symbol), Def::Phi { .. });
            match left {
                true => self.notes.obstacle(Why::Calls),
                false => self.notes.operand(value),
            }
        }
        for register in traits::slots(RETURNED) {
            let source = if register == 0 { Source::Call } else { Source::Other };
            self.now.registers[register] = if register < GENERAL { self.values.opaque(source) } else { Val::JUNK };
        }
        self.now.flags = Flags::Unknown;
    }

    /// The value of an operand.
    pub(super) fn operand(&mut self, code: &Code<'_>, instruction: &Instruction, at: u32) -> Val {
        match instruction.op_kind(at) {
            OpKind::Register => self.register(instruction.op_register(at)),
            OpKind::Memory => self.load(code, instruction),
            OpKind::NearBranch64 => Val::JUNK,
            _ => Val::constant(immediate(instruction, at)),
        }
    }

    fn register(&mut self, register: Register) -> Val {
        let Some(slot) = traits::slot(register) else { return Val::JUNK };
        let value = self.now.registers[slot];
        self.notes.operand(value);
        if register.size() >= 4 {
            return value;
        }
        // The low bytes are the whole where that is a small number or the truth of a comparison.
        let whole = value.as_constant().is_some_and(|value| (0..128).contains(&value)) || self.is_truth(value);
        if whole { value } else { Val::JUNK }
    }

    /// The address of a memory operand.
    pub(super) fn address(&mut self, instruction: &Instruction) -> Val {
        if instruction.is_ip_rel_memory_operand() {
            return Val::constant(instruction.ip_rel_memory_address() as i64);
        }
        if instruction.segment_prefix() != Register::None {
            return Val::JUNK;
        }
        let mut sum = Val::constant(instruction.memory_displacement64() as i64);
        if let Some(slot) = traits::slot(instruction.memory_base()) {
            let base = self.now.registers[slot];
            self.notes.operand(base);
            sum = self.values.binary(0x7c, base, sum);
        }
        let index = instruction.memory_index();
        if index == Register::None {
            return sum;
        }
        let Some(slot) = traits::slot(index).filter(|&slot| slot < GENERAL) else { return Val::JUNK };
        let value = self.now.registers[slot];
        self.notes.operand(value);
        let scale = Val::constant(i64::from(instruction.memory_index_scale()));
        let scaled = self.values.binary(0x7e, value, scale);
        self.values.binary(0x7c, sum, scaled)
    }

    /// The distance of an address from the frame, where it is fixed.
    fn in_frame(&self, address: Val) -> Option<i64> {
        (Some(address.symbol) == self.frame && address.scale == 1).then_some(address.offset)
    }

    fn load(&mut self, code: &Code<'_>, instruction: &Instruction) -> Val {
        let address = self.address(instruction);
        let width = super::classes::memory(instruction).map_or(0, |place| place.1);
        if let Some(at) = self.in_frame(address)
            && let Some(value) = self.now.slot(at, i64::from(width))
        {
            return value;
        }
        let fixed = address.as_constant().and_then(|place| constant(code, place as u64, width));
        let value = match fixed {
            Some(value) => Val::constant(value),
            None => self.values.opaque(Source::Memory),
        };
        self.note_access(address, width, false, value);
        value
    }

    /// Writes an operand.
    pub(super) fn write(&mut self, instruction: &Instruction, at: u32, value: Val) {
        match instruction.op_kind(at) {
            OpKind::Register => {
                let register = instruction.op_register(at);
                if let Some(slot) = traits::slot(register) {
                    let whole = register.size() >= 4 || self.is_truth(value);
                    self.now.registers[slot] = if whole { value } else { self.values.opaque(Source::Other) };
                }
            }
            OpKind::Memory => {
                let address = self.address(instruction);
                let width = super::classes::memory(instruction).map_or(0, |place| place.1);
                self.store(address, width, value);
            }
            _ => {}
        }
    }

    fn store(&mut self, address: Val, width: u32, value: Val) {
        let Some(at) = self.in_frame(address) else { return self.note_access(address, width, true, value) };
        self.now.forget(at, i64::from(width.max(1)));
        let escaped = self.escaped.iter().any(|&from| (from..from + ESCAPED_BYTES).contains(&at));
        let followed = matches!(width, 4 | 8) && !escaped && self.escaped.len() < MAX_ESCAPED;
        if !followed || !self.now.store(at, i64::from(width), value) {
            self.note_access(address, width, true, value);
        }
    }

    /// An address in the frame that leaves sight: what lies there may change behind our back.
    pub(super) fn escape(&mut self, address: Val) {
        if let Some(at) = self.in_frame(address)
            && self.escaped.len() < MAX_ESCAPED
        {
            self.escaped.push(at);
            self.now.forget(at, ESCAPED_BYTES);
        }
    }

    /// Moves the stack pointer.
    pub(super) fn move_stack(&mut self, by: i64) -> Val {
        let moved = self.values.binary(0x7c, self.now.registers[STACK], Val::constant(by));
        self.now.registers[STACK] = moved;
        moved
    }

    pub(super) fn push(&mut self, value: Val) {
        let top = self.move_stack(-8);
        self.store(top, 8, value);
    }

    pub(super) fn pop(&mut self) -> Val {
        let top = self.now.registers[STACK];
        let value = self.in_frame(top).and_then(|at| self.now.slot(at, 8));
        self.move_stack(8);
        value.unwrap_or_else(|| self.values.opaque(Source::Memory))
    }

    /// Counts the memory that an instruction whose values are not followed touches.
    pub(super) fn reach(&mut self, instruction: &Instruction, what: &traits::Traits) {
        let Some((operand, width)) = super::classes::memory(instruction) else { return };
        let (reads, writes) = (what.reads >> operand & 1 != 0, what.writes >> operand & 1 != 0);
        if !reads && !writes {
            return;
        }
        let address = self.address(instruction);
        if let Some(at) = self.in_frame(address).filter(|_| writes) {
            self.now.forget(at, i64::from(width.max(1)));
        }
        if reads {
            self.note_access(address, width, false, Val::JUNK);
        }
        if writes {
            self.note_access(address, width, true, Val::JUNK);
        }
    }

    /// The truth of a condition on the flags as they stand.
    pub(super) fn truth(&mut self, condition: ConditionCode) -> Val {
        let code = |narrow: u16| narrow;
        let (a, b, wide, compared) = match self.now.flags {
            Flags::Unknown => return Val::JUNK,
            Flags::Compared(a, b, wide) => (a, b, wide, true),
            Flags::Result(value, wide) => (value, Val::constant(0), wide, false),
        };
        let operator = match condition {
            ConditionCode::e => 0x46,
            ConditionCode::ne => 0x47,
            ConditionCode::l => 0x48,
            ConditionCode::b if compared => 0x49,
            ConditionCode::g => 0x4a,
            ConditionCode::a if compared => 0x4b,
            ConditionCode::le => 0x4c,
            ConditionCode::be if compared => 0x4d,
            ConditionCode::ge => 0x4e,
            ConditionCode::ae if compared => 0x4f,
            // The sign of a difference is that of the comparison, but for overflow, which compilers rule out.
            ConditionCode::s => 0x48,
            ConditionCode::ns => 0x4e,
            _ => return Val::JUNK,
        };
        let operator = code(operator) + if wide { 0x51 - 0x46 } else { 0 };
        self.values.binary(operator, a, b)
    }

    fn is_truth(&self, value: Val) -> bool {
        let made = value.as_symbol().map(|symbol| self.values.def(symbol));
        matches!(made, Some(Def::Operation { code: 0x45..=0x5a, .. }))
    }
}

/// The value of an immediate operand.
pub(super) fn immediate(instruction: &Instruction, at: u32) -> i64 {
    let value = instruction.immediate(at) as i64;
    // 32-bit values are held sign-extended.
    if instruction.op0_kind() == OpKind::Register && instruction.op0_register().size() == 4 {
        return i64::from(value as i32);
    }
    value
}

/// A word of memory that nothing writes.
fn constant(code: &Code<'_>, address: u64, width: u32) -> Option<i64> {
    if code.image.writable(address) {
        return None;
    }
    let bytes = code.image.at(address)?;
    match width {
        4 => Some(i64::from(i32::from_le_bytes(*bytes.first_chunk()?))),
        8 => Some(i64::from_le_bytes(*bytes.first_chunk()?)),
        _ => None,
    }
}

/// Functions of the C library that return their first argument (C11, section 7.24), as compilers know.
const RETURN_FIRST: [&str; 8] =
    ["memcpy", "memmove", "memset", "strcpy", "strcat", "strncpy", "__memcpy_chk", "__memset_chk"];

fn returns_its_argument(code: &Code<'_>, forest: &Forest, site: Option<u32>) -> bool {
    let node = site.and_then(|site| forest.nodes.get(site as usize));
    matches!(node, Some(&Node::Call { function, .. }) if code.is_import(function, &RETURN_FIRST))
}
