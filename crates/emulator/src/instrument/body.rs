//! One function body with its counters, its clock and, where asked, the addresses it accesses. Called by
//! [`super::assemble`].
//!
//! A stretch ends before an operator by which control can go elsewhere than to the next operator, and at a join: `loop`,
//! `else` and the `end` of a block that is no loop. The operator that ends it is counted in it, as wasmtime's fuel does, so
//! that what a call never returns from is not counted after it.

use forewarm_analyzer::operators::{Effect, effect};
use forewarm_types::OpClass;
use wasmparser::{FunctionBody, Operator};

use super::encode::{
    self, CALL, Emit, F32, F64, GLOBAL_GET, GLOBAL_SET, I32, I32_EQZ, I64, I64_ADD, I64_EXTEND_I32_U, I64_LOAD,
    I64_LT_S, I64_STORE, I64_SUB, LOCAL_GET, LOCAL_SET, LOCAL_TEE, PADDED, V128, read_unsigned,
};
use super::module::Module;
use super::{Function, InstrumentError, Layout, Loop, Stretch};
use crate::branches;

/// Indices of what was added, and whether addresses are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Added {
    pub tick_type: u32,
    pub tick_table: u32,
    pub trace_function: u32,
    pub branch_function: u32,
    pub memory: u32,
    pub clock: u32,
    pub bulk: u32,
    pub open: u32,
    pub branching: u32,
    pub tracing: bool,
}

/// Addresses kept in locals before they are written down together; one more and a stretch asks twice.
const HELD: usize = 8;

/// Bits of an address in a record; above them stand the site (15 bits) and whether it was stored to.
pub(crate) const ADDRESS_BITS: u32 = 48;

/// An open block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    Loop { clock: usize },
    Other,
}

/// A body being written.
pub(super) struct Writer<'a, 'l> {
    module: &'a Module<'a>,
    added: Added,
    layout: &'l mut Layout,
    function: u32,
    out: Vec<u8>,
    /// Types of the locals added, and the index of the first.
    extra: Vec<u8>,
    first_extra: u32,
    values: [Option<u32>; 5],
    held: Vec<u32>,
    /// Addresses in `held` that are not written down yet: what is added to each.
    waiting: Vec<u64>,
    stretch: Stretch,
    /// Whether the stretch has a counter even where it holds nothing: a loop's header.
    forced: bool,
    counts: [u32; OpClass::ALL.len()],
    /// Operators by open loop, the innermost last, the body's own first; and where each clock's amount is to be put.
    costs: Vec<(u32, usize)>,
    site: u32,
    branches: u32,
}

/// How a body's operator matters beyond its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Straight,
    /// Opens a block that control comes into from above alone.
    Block,
    Loop,
    If,
    Else,
    End,
    /// Control may go elsewhere; a branch that need not be taken, or with several targets, is conditional. Where the `i32` on
    /// top of the stack says which way, it is followed.
    Leaves {
        conditional: bool,
        follows: Option<Follows>,
    },
    CallDirect(u32),
    /// Moves so many bytes as the `i32` or `i64` on top of the stack says.
    Bulk {
        wide: bool,
    },
    Refused(&'static str),
}

/// What the operand of a branch says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// One of two ways: whether it is 0.
    Condition,
    /// Which of many.
    Index,
}

impl<'a, 'l> Writer<'a, 'l> {
    pub fn new(module: &'a Module<'a>, added: Added, layout: &'l mut Layout, body: usize) -> Self {
        let index = (module.imports.len() + body) as u32;
        let name = module.names.get(&index).cloned().unwrap_or_else(|| format!("func[{index}]"));
        let entry = layout.stretches.len() as u32;
        layout.functions.push(Function { index, name, entry });
        Self {
            module,
            added,
            function: layout.functions.len() as u32 - 1,
            layout,
            out: Vec::new(),
            extra: Vec::new(),
            first_extra: 0,
            values: [None; 5],
            held: Vec::new(),
            waiting: Vec::new(),
            stretch: Stretch::default(),
            forced: false,
            counts: [0; OpClass::ALL.len()],
            costs: Vec::new(),
            site: 0,
            branches: 0,
        }
    }

    /// The body with its locals, without its size.
    pub fn write(mut self, body: &FunctionBody<'_>, number: usize) -> Result<Vec<u8>, InstrumentError> {
        let mut locals = body.get_locals_reader()?;
        let groups = locals.get_count();
        let begin = locals.original_position();
        let mut count = self.module.parameters_of(number);
        for _ in 0..groups {
            count = count.saturating_add(locals.read()?.0);
        }
        let declared = &self.module.wasm[begin..locals.original_position()];
        self.first_extra = count;
        self.operators(body)?;
        let mut whole = Vec::with_capacity(self.out.len() + declared.len() + 16);
        encode::unsigned(&mut whole, u64::from(groups) + self.extra.len() as u64);
        whole.extend_from_slice(declared);
        for ty in &self.extra {
            whole.extend_from_slice(&[1, *ty]);
        }
        whole.append(&mut self.out);
        Ok(whole)
    }

    fn operators(&mut self, body: &FunctionBody<'_>) -> Result<(), InstrumentError> {
        // Fuel counts a function's entry as 1.
        self.stretch.operators = 1;
        let mut open = vec![Frame::Other];
        self.clock();
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let start = reader.original_position();
            let operator = reader.read()?;
            let encoded = &self.module.wasm[start..reader.original_position()];
            let kind = kind(&operator, self.module);
            let effect = self.count(encoded, kind);
            match kind {
                Kind::Straight => self.straight(&operator, encoded, effect),
                Kind::Block => {
                    open.push(Frame::Other);
                    self.out.extend_from_slice(encoded);
                }
                Kind::Bulk { wide } => {
                    self.bulk(wide);
                    self.out.extend_from_slice(encoded);
                }
                Kind::Refused(what) => return Err(InstrumentError::Unsupported(what)),
                Kind::Loop => self.enter_loop(encoded, start, &mut open),
                Kind::If => {
                    open.push(Frame::Other);
                    self.follow(Some(Follows::Condition));
                    self.stretch.conditional = true;
                    self.end_stretch(start);
                    self.out.extend_from_slice(encoded);
                }
                Kind::Leaves { conditional, follows } => {
                    self.follow(follows);
                    self.stretch.conditional = conditional;
                    self.end_stretch(start);
                    self.out.extend_from_slice(encoded);
                }
                Kind::CallDirect(_) | Kind::Else => {
                    self.end_stretch(start);
                    self.out.extend_from_slice(encoded);
                }
                Kind::End => {
                    match open.pop() {
                        // Control comes to the end of a loop from above alone.
                        Some(Frame::Loop { clock }) => self.close_clock(clock),
                        _ => drop(self.end_stretch(start)),
                    }
                    self.out.extend_from_slice(encoded);
                }
            }
        }
        if let Some((operators, at)) = self.costs.pop() {
            encode::fill(&mut self.out, at, operators);
        }
        Ok(())
    }

    /// Counts an operator into the stretch.
    fn count(&mut self, encoded: &[u8], kind: Kind) -> Effect {
        let mut effect = effect(encoded);
        if let Kind::CallDirect(callee) = kind
            && (callee as usize) < self.module.imports.len()
        {
            effect.class = Some(OpClass::HostCall);
            if self.stretch.calls.is_empty() {
                self.stretch.calls = self.layout.calls.len() as u32..self.layout.calls.len() as u32;
            }
            self.layout.calls.push(callee);
            self.stretch.calls.end += 1;
        }
        if let Some(class) = effect.class {
            self.counts[class as usize] += 1;
            self.stretch.operators += 1;
            if let Some(cost) = self.costs.last_mut() {
                cost.0 = cost.0.saturating_add(1);
            }
        }
        self.stretch.load_bytes += u32::from(effect.loaded);
        self.stretch.store_bytes += u32::from(effect.stored);
        effect
    }

    fn straight(&mut self, operator: &Operator<'_>, encoded: &[u8], effect: Effect) {
        let accesses = effect.class == Some(OpClass::Load) || effect.class == Some(OpClass::Store);
        if self.added.tracing && accesses {
            self.access(operator, encoded, effect);
        }
        self.out.extend_from_slice(encoded);
    }

    /// The loop's header begins a stretch of its own, and has a clock.
    fn enter_loop(&mut self, encoded: &[u8], start: usize, open: &mut Vec<Frame>) {
        self.forced = true;
        let entered = self.end_stretch(start);
        self.out.extend_from_slice(encoded);
        let depth = 1 + open.iter().filter(|frame| matches!(frame, Frame::Loop { .. })).count() as u32;
        let index = self.layout.functions[self.function as usize].index;
        let header = self.layout.stretches.len() as u32;
        self.layout.loops.push(Loop { function: index, offset: start as u64, depth, entered, header });
        let clock = self.clock();
        open.push(Frame::Loop { clock });
        self.forced = true;
    }

    /// Ends the stretch and returns its counter; one that holds nothing has none unless it must.
    fn end_stretch(&mut self, end: usize) -> u32 {
        self.write_down();
        let counted = std::mem::take(&mut self.stretch);
        let counter = self.layout.stretches.len() as u32;
        if counted.operators == 0 && !std::mem::take(&mut self.forced) {
            return counter;
        }
        self.forced = false;
        let first = self.layout.mixes.len() as u32;
        for class in OpClass::ALL {
            let count = std::mem::take(&mut self.counts[class as usize]);
            if count > 0 {
                self.layout.mixes.push((class, count));
            }
        }
        let mix = first..self.layout.mixes.len() as u32;
        self.layout.stretches.push(Stretch { function: self.function, mix, end: end as u64, ..counted });
        self.raise(counter);
        counter
    }

    /// Writes down which way the branch that comes goes, where a window of branches is open.
    fn follow(&mut self, follows: Option<Follows>) {
        let Some(follows) = follows.filter(|_| self.added.tracing) else { return };
        let operand = self.value(I32);
        self.out.op(LOCAL_TEE, operand);
        self.out.op(GLOBAL_GET, self.added.branching);
        self.out.begin_if();
        self.out.op(LOCAL_GET, operand);
        match follows {
            Follows::Condition => self.out.plain(&[I32_EQZ]),
            Follows::Index => {
                self.out.i32(0xffff);
                self.out.plain(&[encode::I32_AND]);
            }
        }
        self.out.plain(&[I64_EXTEND_I32_U]);
        self.branches += 1;
        let site = self.function.wrapping_mul(0x9e37_79b9).wrapping_add(self.branches);
        self.out.i64(branches::record(site) as i64);
        self.out.plain(&[I64_ADD]);
        self.out.op(CALL, self.added.branch_function);
        self.out.plain(&[encode::END]);
    }

    fn raise(&mut self, counter: u32) {
        let (memory, offset) = (self.added.memory, u64::from(counter) * 8);
        self.out.i32(0);
        self.out.i32(0);
        self.out.access(I64_LOAD, memory, offset);
        self.out.i64(1);
        self.out.plain(&[I64_ADD]);
        self.out.access(I64_STORE, memory, offset);
    }

    /// Runs the clock down by an amount that is filled in when it is known, and calls the host where it has run out.
    fn clock(&mut self) -> usize {
        let Added { clock, tick_type, tick_table, .. } = self.added;
        let left = self.value(I64);
        self.out.op(GLOBAL_GET, clock);
        self.out.push(0x42);
        let at = self.out.len();
        self.out.extend_from_slice(&[0; PADDED]);
        self.out.plain(&[I64_SUB]);
        self.out.op(LOCAL_TEE, left);
        self.out.op(GLOBAL_SET, clock);
        self.out.op(LOCAL_GET, left);
        self.out.i64(0);
        self.out.plain(&[I64_LT_S]);
        self.out.begin_if();
        self.out.i32(0);
        self.out.push(0x11);
        encode::unsigned(&mut self.out, u64::from(tick_type));
        encode::unsigned(&mut self.out, u64::from(tick_table));
        self.out.plain(&[encode::END]);
        self.costs.push((1, at));
        at
    }

    fn close_clock(&mut self, at: usize) {
        if let Some((operators, place)) = self.costs.pop() {
            debug_assert_eq!(place, at);
            encode::fill(&mut self.out, place, operators);
        }
    }

    fn bulk(&mut self, wide: bool) {
        let length = self.value(if wide { I64 } else { I32 });
        self.out.op(LOCAL_TEE, length);
        self.out.op(GLOBAL_GET, self.added.bulk);
        self.out.op(LOCAL_GET, length);
        if !wide {
            self.out.plain(&[I64_EXTEND_I32_U]);
        }
        self.out.plain(&[I64_ADD]);
        self.out.op(GLOBAL_SET, self.added.bulk);
    }

    /// Keeps the address of a load or store of memory 0 in a local.
    fn access(&mut self, operator: &Operator<'_>, encoded: &[u8], effect: Effect) {
        let Some((memory, offset)) = memory_argument(encoded) else { return };
        if memory != 0 {
            return;
        }
        let wide = self.module.is_wide(0);
        // What lies above the address on the stack: a value stored, or a vector one lane of which is loaded or stored.
        let above = value_above(operator, encoded, effect);
        if self.waiting.len() == HELD {
            self.write_down();
        }
        let slot = self.waiting.len();
        if slot == self.held.len() {
            let local = self.extra_local(if wide { I64 } else { I32 });
            self.held.push(local);
        }
        let held = self.held[slot];
        match above {
            None => self.out.op(LOCAL_TEE, held),
            Some(ty) => {
                let value = self.value(ty);
                self.out.op(LOCAL_SET, value);
                self.out.op(LOCAL_TEE, held);
                self.out.op(LOCAL_GET, value);
            }
        }
        self.site += 1;
        let site = u64::from(site_of(self.function, self.site));
        let stored = u64::from(effect.stored > 0);
        // An offset beyond the bits of an address traps whatever the address.
        self.waiting.push(offset & 0xffff_ffff | site << ADDRESS_BITS | stored << 63);
    }

    /// Writes the addresses kept down, where a window is open.
    fn write_down(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let wide = self.module.is_wide(0);
        self.out.op(GLOBAL_GET, self.added.open);
        self.out.begin_if();
        for (slot, add) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            self.out.op(LOCAL_GET, self.held[slot]);
            if !wide {
                self.out.plain(&[I64_EXTEND_I32_U]);
            }
            self.out.i64(add as i64);
            self.out.plain(&[I64_ADD]);
            self.out.op(CALL, self.added.trace_function);
        }
        self.out.plain(&[encode::END]);
    }

    /// The local that holds a value of a type for a moment.
    fn value(&mut self, ty: u8) -> u32 {
        let index = usize::from(I32 - ty);
        if let Some(local) = self.values[index] {
            return local;
        }
        let local = self.extra_local(ty);
        self.values[index] = Some(local);
        local
    }

    fn extra_local(&mut self, ty: u8) -> u32 {
        self.extra.push(ty);
        self.first_extra + self.extra.len() as u32 - 1
    }
}

/// What addresses are filed under: an access of a function, by their numbers, the access' from 1 on.
pub(crate) fn site_of(function: u32, access: u32) -> u16 {
    (access.wrapping_add(31_u32.wrapping_mul(function)) & 0x7fff) as u16
}

fn kind(operator: &Operator<'_>, module: &Module<'_>) -> Kind {
    use Operator as O;
    match operator {
        O::Block { .. } => Kind::Block,
        O::TryTable { .. } => Kind::Block,
        O::Loop { .. } => Kind::Loop,
        O::If { .. } => Kind::If,
        O::Else => Kind::Else,
        O::End => Kind::End,
        O::BrIf { .. } => Kind::Leaves { conditional: true, follows: Some(Follows::Condition) },
        O::BrTable { .. } => Kind::Leaves { conditional: true, follows: Some(Follows::Index) },
        O::BrOnNull { .. } | O::BrOnNonNull { .. } | O::BrOnCast { .. } | O::BrOnCastFail { .. } => {
            Kind::Leaves { conditional: true, follows: None }
        }
        O::CallIndirect { table_index, .. } | O::ReturnCallIndirect { table_index, .. } => {
            let wide = module.tables.get(*table_index as usize).copied().unwrap_or(false);
            Kind::Leaves { conditional: false, follows: (!wide).then_some(Follows::Index) }
        }
        O::Call { function_index } | O::ReturnCall { function_index } => Kind::CallDirect(*function_index),
        O::Br { .. }
        | O::Return
        | O::Unreachable
        | O::CallRef { .. }
        | O::ReturnCallRef { .. }
        | O::Throw { .. }
        | O::ThrowRef => Kind::Leaves { conditional: false, follows: None },
        // The length is as wide as the narrower of two memories.
        O::MemoryCopy { dst_mem, src_mem } => Kind::Bulk { wide: module.is_wide(*dst_mem) && module.is_wide(*src_mem) },
        O::MemoryFill { mem } => Kind::Bulk { wide: module.is_wide(*mem) },
        O::MemoryInit { .. } => Kind::Bulk { wide: false },
        O::Try { .. } | O::Catch { .. } | O::CatchAll | O::Delegate { .. } | O::Rethrow { .. } => {
            Kind::Refused("legacy exception handling, which no tier of the engine runs")
        }
        O::Resume { .. } | O::ResumeThrow { .. } | O::Suspend { .. } | O::Switch { .. } => {
            Kind::Refused("stack switching, which leaves stretches in the middle")
        }
        _ => Kind::Straight,
    }
}

/// Memory and offset of a load or store.
pub(crate) fn memory_argument(encoded: &[u8]) -> Option<(u64, u64)> {
    let mut at = 1;
    if encoded.first() == Some(&0xfd) {
        read_unsigned(encoded, &mut at)?;
    }
    let flags = read_unsigned(encoded, &mut at)?;
    let memory = if flags & 0x40 == 0 { 0 } else { read_unsigned(encoded, &mut at)? };
    Some((memory, read_unsigned(encoded, &mut at)?))
}

/// The type of the operand above the address, if there is one.
fn value_above(operator: &Operator<'_>, encoded: &[u8], effect: Effect) -> Option<u8> {
    let lane = matches!(
        operator,
        Operator::V128Load8Lane { .. }
            | Operator::V128Load16Lane { .. }
            | Operator::V128Load32Lane { .. }
            | Operator::V128Load64Lane { .. }
    );
    if lane {
        return Some(V128);
    }
    if effect.stored == 0 {
        return None;
    }
    Some(match encoded.first()? {
        0x36 | 0x3a | 0x3b => I32,
        0x37 | 0x3c..=0x3e => I64,
        0x38 => F32,
        0x39 => F64,
        _ => V128,
    })
}

/// The body of the function that writes an address down: `(i64) -> ()`.
pub(super) fn trace_body(added: &Added, globals: &TraceGlobals, buffer: u64, records: u32) -> Vec<u8> {
    let mut out = Vec::new();
    // One local beside the parameter: i32.
    out.extend_from_slice(&[1, 1, I32]);
    out.op(GLOBAL_GET, globals.left);
    out.i32(1);
    out.plain(&[encode::I32_SUB]);
    out.op(LOCAL_TEE, 1);
    out.op(GLOBAL_SET, globals.left);
    out.op(LOCAL_GET, 1);
    out.plain(&[I32_EQZ]);
    close_window(&mut out, added);
    // Fibonacci hashing of the line (Knuth, TAOCP 3, 6.4): the upper 24 bits of its product with 2^64 / φ.
    out.op(LOCAL_GET, 0);
    out.i64((1 << ADDRESS_BITS) - 1);
    out.plain(&[encode::I64_AND]);
    out.i64(6);
    out.plain(&[encode::I64_SHR_U]);
    out.i64(0x9e37_79b9_7f4a_7c15_u64 as i64);
    out.plain(&[encode::I64_MUL]);
    out.i64(40);
    out.plain(&[encode::I64_SHR_U, encode::I32_WRAP_I64]);
    out.op(GLOBAL_GET, globals.threshold);
    out.plain(&[encode::I32_LT_U]);
    out.begin_if();
    write_record(&mut out, added, globals, buffer);
    out.op(LOCAL_TEE, 1);
    out.op(GLOBAL_SET, globals.written);
    out.op(LOCAL_GET, 1);
    // The accesses of a stretch that is being written down when the window closes still come.
    out.i32((records as i32 - 2 * HELD as i32) * 8);
    out.plain(&[encode::I32_GE_U]);
    close_window(&mut out, added);
    out.plain(&[encode::END, encode::END]);
    out
}

/// The body of the function that writes a branch down: `(i64) -> ()`.
pub(super) fn branch_body(added: &Added, globals: &TraceGlobals, buffer: u64, records: u32) -> Vec<u8> {
    let mut out = vec![0];
    write_record(&mut out, added, globals, buffer);
    out.op(GLOBAL_SET, globals.written);
    out.op(GLOBAL_GET, globals.left);
    out.i32(1);
    out.plain(&[encode::I32_SUB]);
    out.op(GLOBAL_SET, globals.left);
    out.op(GLOBAL_GET, globals.left);
    out.plain(&[I32_EQZ]);
    out.op(GLOBAL_GET, globals.written);
    out.i32((records as i32 - 1) * 8);
    out.plain(&[encode::I32_GE_U, encode::I32_OR]);
    close_window(&mut out, added);
    out.plain(&[encode::END]);
    out
}

/// Writes the parameter down, and leaves where the next goes as an operand.
fn write_record(out: &mut Vec<u8>, added: &Added, globals: &TraceGlobals, buffer: u64) {
    out.op(GLOBAL_GET, globals.written);
    out.op(LOCAL_GET, 0);
    out.access(I64_STORE, added.memory, buffer);
    out.op(GLOBAL_GET, globals.written);
    out.i32(8);
    out.plain(&[encode::I32_ADD]);
}

/// Closes whatever window is open where the operand is not 0, and has the host look soon.
fn close_window(out: &mut Vec<u8>, added: &Added) {
    out.begin_if();
    out.i32(0);
    out.op(GLOBAL_SET, added.open);
    out.i32(0);
    out.op(GLOBAL_SET, added.branching);
    out.i64(-1);
    out.op(GLOBAL_SET, added.clock);
    out.plain(&[encode::END]);
}

/// Globals that only the tracing function uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct TraceGlobals {
    pub left: u32,
    pub threshold: u32,
    pub written: u32,
}
