//! One function's code as basic blocks: instructions decoded once, blocks cut at branches and their targets, jump
//! tables read.
//!
//! Linear: every byte is decoded once, jump tables together have at most [`TABLE_ENTRIES_PER_INSTRUCTION`] entries per
//! instruction.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::classes::repeats;
use super::code::{Callee, Code as Program};
use super::graph::{Graph, NONE};
use super::image::Image;
use super::traits::{self, Flow};

/// Largest function that is followed, in bytes; a larger one is counted alone. The largest of LLVM has 300 kB.
pub(crate) const MAX_BYTES: u64 = 4 << 20;

/// Entries that all jump tables of a function may have, per instruction.
const TABLE_ENTRIES_PER_INSTRUCTION: usize = 4;

/// Instructions before an indirect jump in which its table and bound are looked for: GCC and Clang put them within ten.
const LOOK_BACK: usize = 24;

/// How a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Goes on to its first successor.
    On,
    /// A condition: the first successor is where the branch goes, the second what follows; [`NONE`] leaves the function.
    Branch,
    /// A jump table: all successors.
    Table,
    Return,
    Stop,
    /// A jump out of the function.
    Leave,
    /// A jump through a register or memory that no table was found for.
    Unknown,
}

/// A basic block: a run of instructions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub first: u32,
    pub end: u32,
    pub exit: Exit,
    /// Slice of the body's marks.
    pub marks: (u32, u32),
}

/// Where a call, jump or branch goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// To an instruction of the function.
    Inside(u32),
    Outside(Callee),
}

/// A decoded function; the buffers are reused from function to function.
#[derive(Default)]
pub(crate) struct Body {
    pub instructions: Vec<Instruction>,
    pub blocks: Vec<Block>,
    /// Blocks, with successors as [`Graph`] wants them; what leaves the function is not an edge.
    pub graph: Graph,
    /// Of each block that ends in a branch: where it goes and what follows, or [`NONE`].
    pub branches: Vec<(u32, u32)>,
    /// Calls and repeated string operations, in order.
    pub marks: Vec<u32>,
    pub flows: Vec<Flow>,
    /// Where calls, jumps and branches go, by instruction.
    targets: Vec<(u32, Target)>,
    start: u64,
    /// The instruction that begins at each byte.
    number_at: Vec<u32>,
    leaders: Vec<bool>,
    block_of: Vec<u32>,
    /// Jump tables: the instruction that jumps, and its slice of `entries` (instruction numbers).
    tables: Vec<(u32, u32, u32)>,
    entries: Vec<u32>,
}

impl Body {
    /// Decodes a function.
    pub(crate) fn decode(&mut self, bytes: &[u8], address: u64) {
        self.instructions.clear();
        self.start = address;
        self.number_at.clear();
        self.number_at.resize(bytes.len(), NONE);
        let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
        while decoder.can_decode() {
            self.number_at[decoder.position()] = self.instructions.len() as u32;
            self.instructions.push(Instruction::default());
            if let Some(place) = self.instructions.last_mut() {
                decoder.decode_out(place);
            }
        }
    }

    /// The number of the instruction at an address.
    #[inline]
    fn at(&self, address: u64) -> Option<u32> {
        let offset = usize::try_from(address.wrapping_sub(self.start)).ok()?;
        self.number_at.get(offset).copied().filter(|&at| at != NONE)
    }

    /// Cuts the instructions into blocks.
    pub(crate) fn cut(&mut self, code: &Program<'_>) {
        self.leaders.clear();
        self.leaders.resize(self.instructions.len() + 1, false);
        self.flows.clear();
        self.tables.clear();
        self.entries.clear();
        self.targets.clear();
        self.marks.clear();
        self.leaders[0] = true;
        let mut budget = TABLE_ENTRIES_PER_INSTRUCTION * self.instructions.len();
        for at in 0..self.instructions.len() {
            let what = traits::of(&self.instructions[at]);
            let flow = what.flow;
            self.flows.push(flow);
            if flow == Flow::Next {
                if what.string && repeats(&self.instructions[at]) {
                    self.marks.push(at as u32);
                }
                continue;
            }
            self.end(code, at, flow, &mut budget);
        }
        self.divide();
    }

    /// An instruction that goes elsewhere: where, and what begins behind it.
    fn end(&mut self, code: &Program<'_>, at: usize, flow: Flow, budget: &mut usize) {
        match flow {
            Flow::Next | Flow::Return | Flow::Stop => {}
            Flow::Call | Flow::IndirectCall => {
                self.marks.push(at as u32);
                let callee = self.leave(code, at);
                let gone = matches!(callee, Callee::Known(number) if code.never_returns(number));
                if gone {
                    self.flows[at] = Flow::Stop;
                    self.leaders[at + 1] = true;
                }
                return;
            }
            Flow::Jump | Flow::Branch => match self.at(self.instructions[at].near_branch_target()) {
                Some(target) => {
                    self.leaders[target as usize] = true;
                    self.targets.push((at as u32, Target::Inside(target)));
                }
                None => drop(self.leave(code, at)),
            },
            Flow::IndirectJump => {
                if !self.table(&code.image, at, budget) {
                    self.leave(code, at);
                }
            }
        }
        self.leaders[at + 1] = true;
    }

    /// Notes where a call or jump leaves the function to.
    fn leave(&mut self, code: &Program<'_>, at: usize) -> Callee {
        let callee = code.target(&self.instructions[at]);
        self.targets.push((at as u32, Target::Outside(callee)));
        callee
    }

    /// Where an instruction goes.
    pub(crate) fn target(&self, at: u32) -> Option<Target> {
        let place = self.targets.binary_search_by_key(&at, |target| target.0).ok()?;
        Some(self.targets[place].1)
    }

    /// Where a call or a jump out of the function goes.
    pub(crate) fn callee(&self, at: u32) -> Callee {
        match self.target(at) {
            Some(Target::Outside(callee)) => callee,
            _ => Callee::Nothing,
        }
    }

    fn divide(&mut self) {
        self.blocks.clear();
        self.branches.clear();
        self.block_of.clear();
        let mut mark = 0;
        for at in 0..self.instructions.len() {
            if self.leaders[at] {
                if let Some(block) = self.blocks.last_mut() {
                    block.end = at as u32;
                }
                self.blocks.push(Block { first: at as u32, end: at as u32, exit: Exit::On, marks: (0, 0) });
            }
            self.block_of.push(self.blocks.len() as u32 - 1);
        }
        if let Some(block) = self.blocks.last_mut() {
            block.end = self.instructions.len() as u32;
        }
        self.graph.clear();
        let (mut table, mut target) = (0, 0);
        for number in 0..self.blocks.len() {
            self.graph.starts.push(self.graph.successors.len() as u32);
            self.branches.push((NONE, NONE));
            let Block { end, .. } = self.blocks[number];
            let first_mark = mark;
            while self.marks.get(mark).is_some_and(|&at| at < end) {
                mark += 1;
            }
            self.blocks[number].marks = (first_mark as u32, mark as u32);
            let last = end - 1;
            while self.targets.get(target).is_some_and(|found| found.0 < last) {
                target += 1;
            }
            let goes = self.targets.get(target).filter(|found| found.0 == last).map(|found| found.1);
            self.blocks[number].exit = self.connect(number, last, goes, &mut table);
        }
        self.graph.starts.push(self.graph.successors.len() as u32);
    }

    /// The edges out of a block.
    fn connect(&mut self, number: usize, last: u32, goes: Option<Target>, table: &mut usize) -> Exit {
        let next = self.block_of.get(last as usize + 1).copied();
        let jump = match goes {
            Some(Target::Inside(at)) => Some(self.block_of[at as usize]),
            _ => None,
        };
        match self.flows[last as usize] {
            Flow::Next | Flow::Call | Flow::IndirectCall => {
                self.graph.successors.extend(next);
                // Code that runs off its end had a call that does not return, or the end is not known.
                if next.is_some() { Exit::On } else { Exit::Stop }
            }
            Flow::Jump => {
                self.graph.successors.extend(jump);
                if jump.is_some() { Exit::On } else { Exit::Leave }
            }
            Flow::Branch => {
                self.branches[number] = (jump.unwrap_or(NONE), next.unwrap_or(NONE));
                self.graph.successors.extend(jump);
                self.graph.successors.extend(next.filter(|_| next != jump));
                Exit::Branch
            }
            Flow::IndirectJump => match self.tables.get(*table).copied().filter(|found| found.0 == last) {
                Some((_, from, to)) => {
                    *table += 1;
                    let begin = self.graph.successors.len();
                    for entry in &self.entries[from as usize..to as usize] {
                        self.graph.successors.push(self.block_of[*entry as usize]);
                    }
                    self.graph.successors[begin..].sort_unstable();
                    Exit::Table
                }
                None if self.callee(last) != Callee::Indirect => Exit::Leave,
                None => Exit::Unknown,
            },
            Flow::Return => Exit::Return,
            Flow::Stop => Exit::Stop,
        }
    }

    /// Reads the jump table of an indirect jump: entries relative to the table, four bytes each, or absolute, eight.
    fn table(&mut self, image: &Image<'_>, at: usize, budget: &mut usize) -> bool {
        let jump = self.instructions[at];
        let from = at.saturating_sub(LOOK_BACK);
        let before = &self.instructions[from..at];
        let memory = jump.op0_kind() == OpKind::Memory && !jump.is_ip_rel_memory_operand();
        let absolute = (memory && jump.memory_index() != Register::None && jump.memory_index_scale() == 8)
            .then(|| jump.memory_displacement64())
            .filter(|_| jump.memory_base() == Register::None);
        let based =
            before.iter().rev().find(|found| found.code() == Code::Lea_r64_m && found.is_ip_rel_memory_operand());
        let relative = based.filter(|_| before.iter().any(|found| found.mnemonic() == Mnemonic::Movsxd));
        let (table, width) = match (absolute, relative) {
            (Some(address), _) => (address, 8),
            (None, Some(lea)) => (lea.ip_rel_memory_address(), 4),
            (None, None) => return false,
        };
        let Some(count) = bound(before) else { return false };
        let Some(bytes) = image.at(table) else { return false };
        let begin = self.entries.len() as u32;
        for entry in bytes.chunks_exact(width).take(count.min(*budget)) {
            let target = match entry.first_chunk::<8>() {
                Some(word) => u64::from_le_bytes(*word),
                None => entry
                    .first_chunk::<4>()
                    .map_or(0, |word| table.wrapping_add_signed(i64::from(i32::from_le_bytes(*word)))),
            };
            // A target outside means that the bound was misread.
            let Some(target) = self.at(target) else { break };
            self.entries.push(target);
        }
        let end = self.entries.len() as u32;
        *budget = budget.saturating_sub((end - begin) as usize);
        if end > begin {
            for slot in begin..end {
                self.leaders[self.entries[slot as usize] as usize] = true;
            }
            self.tables.push((at as u32, begin, end));
        }
        end > begin
    }
}

/// The number of entries that the comparison before a jump table allows.
fn bound(before: &[Instruction]) -> Option<usize> {
    for (at, instruction) in before.iter().enumerate().rev() {
        let above = match instruction.mnemonic() {
            Mnemonic::Ja | Mnemonic::Jbe => 1,
            Mnemonic::Jae | Mnemonic::Jb => 0,
            // A mask bounds too.
            Mnemonic::And if is_immediate(instruction) => {
                return usize::try_from(instruction.immediate(1)).ok()?.checked_add(1);
            }
            _ => continue,
        };
        let compared = before[..at].iter().rev().take(8).find(|found| found.mnemonic() == Mnemonic::Cmp)?;
        return usize::try_from(is_immediate(compared).then(|| compared.immediate(1))?).ok()?.checked_add(above);
    }
    None
}

fn is_immediate(instruction: &Instruction) -> bool {
    instruction.op_count() == 2 && !matches!(instruction.op1_kind(), OpKind::Register | OpKind::Memory)
}

/// Functions that do not return, by name: C (C11, section 7.22.4), glibc, the C++ ABI, and what Rust and Go panic with.
const NEVER_RETURN: [&str; 20] = [
    "abort",
    "exit",
    "_exit",
    "_Exit",
    "quick_exit",
    "__stack_chk_fail",
    "__assert_fail",
    "__chk_fail",
    "__fortify_fail",
    "__libc_start_main",
    "__cxa_throw",
    "__cxa_rethrow",
    "__cxa_bad_cast",
    "_Unwind_Resume",
    "longjmp",
    "__longjmp_chk",
    "siglongjmp",
    "pthread_exit",
    "err",
    "errx",
];

/// Whether a function of this name does not return.
pub(crate) fn never_returns(name: &str) -> bool {
    let panics = ["core9panicking", "panic_fmt", "runtime.gopanic", "runtime.panic"];
    let fails = ["unwrap_failed", "expect_failed"];
    // One search for what the parts have in common, since names are long and many.
    NEVER_RETURN.contains(&name)
        || (name.len() > 9 && name.contains("panic") && panics.iter().any(|part| name.contains(part)))
        || (name.len() > 9 && name.contains("_failed") && fails.iter().any(|part| name.contains(part)))
        || name.starts_with("_ZSt") && name.contains("__throw_")
}
