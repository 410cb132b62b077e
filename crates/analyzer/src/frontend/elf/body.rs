//! One function's code as basic blocks: instructions decoded once, or found by their shapes where few of them matter,
//! blocks cut at branches and their targets, jump tables read.
//!
//! Linear: every byte is looked at once, jump tables together have at most [`TABLE_ENTRIES_PER_INSTRUCTION`] entries per
//! instruction.

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind};

use super::classes::repeats;
use super::code::{Callee, Code as Program};
use super::graph::{Graph, NONE};
use super::image::Image;
use super::jump_tables;
use super::shapes::{Place, Shape, Shapes};
use super::swift::{At, Listener};
use super::traits::{self, Flow};

/// Largest function that is followed, in bytes; a larger one is counted alone. The largest of LLVM has 300 kB.
pub(crate) const MAX_BYTES: u64 = 4 << 20;

/// Entries that all jump tables of a function may have, per instruction.
const TABLE_ENTRIES_PER_INSTRUCTION: usize = 4;

/// Bytes of code for which there is room at once for an instruction, and for one that goes elsewhere: programs have
/// one in four, kernels by `-O2` in less, of which every fifth does.
const INSTRUCTION_BYTES: usize = 3;
const LEAP_BYTES: usize = 16;

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

/// What ends straight-line code, or repeats itself, before it is known what else the function has.
#[derive(Debug, Clone, Copy)]
enum Leap {
    /// To an address.
    To(u64),
    /// To where a word of memory says, at an address.
    By(u64),
    /// To where a register says or memory that only a run tells; nowhere.
    Anywhere,
    /// Round again on the same instruction.
    Again,
}

/// A function's instructions and blocks; the buffers are reused from function to function.
#[derive(Default)]
pub(crate) struct Body {
    /// The instructions, where they were decoded.
    pub instructions: Vec<Instruction>,
    pub blocks: Vec<Block>,
    /// Blocks, with successors as [`Graph`] wants them; what leaves the function is not an edge.
    pub graph: Graph,
    /// Of each block that ends in a branch: where it goes and what follows, or [`NONE`].
    pub branches: Vec<(u32, u32)>,
    /// Calls and repeated string operations, in order.
    pub marks: Vec<u32>,
    pub flows: Vec<Flow>,
    /// Where calls, jumps and branches go, by instruction; and the place of each instruction in that list, of those that are not
    /// in it what an earlier function left.
    pub targets: Vec<(u32, Target)>,
    target_at: Vec<u32>,
    /// Offsets of the instructions.
    pub starts: Vec<u32>,
    /// The function, by place in the list, and where it begins.
    range: usize,
    start: u64,
    /// What goes elsewhere or repeats itself, by instruction, and how.
    leaps: Vec<(u32, Flow, Leap)>,
    /// The instruction that begins at each offset; where none does, what an earlier function left (see [`Body::at`]).
    numbers: Vec<u32>,
    /// Instructions that begin a block, one bit each.
    begins: Vec<u64>,
    /// The block that each of them begins; what others have there is left over.
    block_at: Vec<u32>,
    /// Jump tables: the instruction that jumps, and its slice of `entries` (instruction numbers).
    tables: Vec<(u32, u32, u32)>,
    entries: Vec<u32>,
}

impl Body {
    /// Decodes a function and cuts it into blocks.
    pub(crate) fn decode(&mut self, code: &Program<'_>, range: usize) {
        let (bytes, start) = (code.bytes(range), code.functions.ranges[range].start);
        self.clear(range, start, bytes.len());
        self.instructions.reserve(bytes.len() / INSTRUCTION_BYTES);
        self.starts.reserve(bytes.len() / INSTRUCTION_BYTES);
        let mut decoder = Decoder::with_ip(64, bytes, start, DecoderOptions::NONE);
        while decoder.can_decode() {
            let (at, offset) = (self.instructions.len(), decoder.position());
            self.begin(offset);
            self.instructions.push(Instruction::default());
            decoder.decode_out(&mut self.instructions[at]);
            let instruction = &self.instructions[at];
            let what = traits::of(instruction);
            if what.flow != Flow::Next || what.string && repeats(instruction) {
                let leap = leap(instruction, what.flow);
                self.leap(what.flow, leap);
            }
        }
        self.cut(code, bytes);
    }

    /// Finds a function's instructions by their shapes alone and cuts it into blocks; what else they tell goes to `listener`.
    pub(crate) fn outline(
        &mut self,
        code: &Program<'_>,
        range: usize,
        shapes: &mut Shapes,
        listener: &mut impl Listener,
    ) {
        let start = code.functions.ranges[range].start;
        let bytes = code.bytes(range);
        self.clear(range, start, bytes.len());
        self.starts.reserve(bytes.len() / INSTRUCTION_BYTES);
        self.leaps.reserve(bytes.len() / LEAP_BYTES);
        let mut outline = Outline { body: self, start, listener };
        shapes.walk((code.bytes_from(range), bytes.len()), start, &mut outline);
        self.cut(code, bytes);
    }

    fn clear(&mut self, range: usize, start: u64, bytes: usize) {
        (self.range, self.start) = (range, start);
        self.numbers.resize(self.numbers.len().max(bytes), 0);
        self.instructions.clear();
        self.starts.clear();
        self.leaps.clear();
        self.tables.clear();
        self.entries.clear();
        self.targets.clear();
        self.marks.clear();
    }

    /// Notes an instruction at an offset.
    #[inline]
    fn begin(&mut self, offset: usize) {
        self.numbers[offset] = self.starts.len() as u32;
        self.starts.push(offset as u32);
    }

    /// Notes how the last instruction goes on.
    #[inline]
    fn leap(&mut self, flow: Flow, leap: Leap) {
        self.leaps.push((self.starts.len() as u32 - 1, flow, leap));
    }

    /// The number of the instruction at an address. A number counts where the instruction says the same, so that the list
    /// need not be cleared for each function (Briggs and Torczon, "An efficient representation for sparse sets", 1993).
    #[inline]
    fn at(&self, address: u64) -> Option<u32> {
        let offset = usize::try_from(address.wrapping_sub(self.start)).ok()?;
        let number = *self.numbers.get(offset)?;
        (self.starts.get(number as usize) == Some(&(offset as u32))).then_some(number)
    }

    /// Has a block begin at an instruction.
    #[inline]
    fn begin_block(&mut self, at: u32) {
        self.begins[at as usize / 64] |= 1 << (at % 64);
    }

    /// The address of an instruction.
    pub(crate) fn address(&self, at: u32) -> u64 {
        self.start.wrapping_add(u64::from(self.starts[at as usize]))
    }

    /// The bytes of each instruction, by number.
    pub(crate) fn bytes_of<'a>(&self, code: &Program<'a>) -> impl Fn(u32) -> &'a [u8] {
        let bytes = code.bytes(self.range);
        move |at| {
            let begin = self.starts[at as usize] as usize;
            let end = self.starts.get(at as usize + 1).map_or(bytes.len(), |&end| end as usize);
            &bytes[begin..end]
        }
    }

    /// Cuts the instructions into blocks.
    fn cut(&mut self, code: &Program<'_>, bytes: &[u8]) {
        let instructions = self.starts.len();
        self.flows.clear();
        self.flows.resize(instructions, Flow::Next);
        self.target_at.resize(self.target_at.len().max(instructions), 0);
        self.begins.clear();
        self.begins.resize(instructions / 64 + 1, 0);
        self.begin_block(0);
        let mut budget = TABLE_ENTRIES_PER_INSTRUCTION * instructions;
        let leaps = std::mem::take(&mut self.leaps);
        self.targets.reserve(leaps.len());
        for &(at, flow, leap) in &leaps {
            self.flows[at as usize] = flow;
            self.end(code, bytes, (at, leap), &mut budget);
        }
        self.leaps = leaps;
        self.divide();
    }

    /// An instruction that goes elsewhere: where, and what begins behind it.
    fn end(&mut self, code: &Program<'_>, bytes: &[u8], (at, leap): (u32, Leap), budget: &mut usize) {
        match self.flows[at as usize] {
            Flow::Next => return self.marks.push(at),
            Flow::Return | Flow::Stop => {}
            Flow::Call | Flow::IndirectCall => {
                self.marks.push(at);
                let callee = self.leave(code, at, leap);
                let gone = matches!(callee, Callee::Known(number) if code.never_returns(number));
                if !gone {
                    return;
                }
                self.flows[at as usize] = Flow::Stop;
            }
            Flow::Jump | Flow::Branch => match leap {
                Leap::To(address) => match self.at(address) {
                    Some(target) => {
                        self.begin_block(target);
                        self.goes(at, Target::Inside(target));
                    }
                    None => drop(self.leave(code, at, leap)),
                },
                _ => drop(self.leave(code, at, leap)),
            },
            Flow::IndirectJump => {
                if !self.table(&code.image, bytes, at, budget) {
                    self.leave(code, at, leap);
                }
            }
        }
        self.begin_block(at + 1);
    }

    /// Notes where a call or jump leaves the function to.
    fn leave(&mut self, code: &Program<'_>, at: u32, leap: Leap) -> Callee {
        let callee = match leap {
            Leap::To(address) => code.callee(address),
            Leap::By(slot) => code.slot(slot),
            Leap::Anywhere | Leap::Again => Callee::Indirect,
        };
        self.goes(at, Target::Outside(callee));
        callee
    }

    /// Notes where an instruction goes.
    fn goes(&mut self, at: u32, target: Target) {
        self.target_at[at as usize] = self.targets.len() as u32;
        self.targets.push((at, target));
    }

    /// Where an instruction goes.
    pub(crate) fn target(&self, at: u32) -> Option<Target> {
        let place = *self.target_at.get(at as usize)?;
        self.targets.get(place as usize).filter(|target| target.0 == at).map(|target| target.1)
    }

    /// Where a call or a jump out of the function goes.
    pub(crate) fn callee(&self, at: u32) -> Callee {
        match self.target(at) {
            Some(Target::Outside(callee)) => callee,
            _ => Callee::Nothing,
        }
    }

    /// Whether an instruction calls something, be it never to come back.
    pub(crate) fn calls(&self, at: u32) -> bool {
        match self.flows[at as usize] {
            Flow::Call | Flow::IndirectCall => true,
            Flow::Stop => self.marks.binary_search(&at).is_ok(),
            _ => false,
        }
    }

    /// The block that an instruction stands in.
    pub(crate) fn block_of(&self, at: u32) -> u32 {
        self.blocks.partition_point(|block| block.first <= at) as u32 - 1
    }

    fn divide(&mut self) {
        self.blocks.clear();
        self.branches.clear();
        let instructions = self.starts.len();
        self.block_at.resize(self.block_at.len().max(instructions), NONE);
        let blocks = self.begins.iter().map(|begins| begins.count_ones() as usize).sum();
        self.blocks.reserve(blocks);
        self.branches.reserve(blocks);
        for (word, &begins) in self.begins.iter().enumerate() {
            let mut begins = begins;
            while begins != 0 {
                let at = 64 * word + begins.trailing_zeros() as usize;
                begins &= begins - 1;
                // Behind the last nothing begins.
                if at == instructions {
                    break;
                }
                self.block_at[at] = self.blocks.len() as u32;
                if let Some(block) = self.blocks.last_mut() {
                    block.end = at as u32;
                }
                self.blocks.push(Block { first: at as u32, end: instructions as u32, exit: Exit::On, marks: (0, 0) });
            }
        }
        self.graph.clear();
        self.graph.starts.reserve(blocks + 1);
        // Few blocks go on to more than two, and some to none.
        self.graph.successors.reserve(2 * blocks);
        let (mut mark, mut table, mut target) = (0, 0, 0);
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
        let next = Some(number as u32 + 1).filter(|&next| (next as usize) < self.blocks.len());
        let jump = match goes {
            Some(Target::Inside(at)) => Some(self.block_at[at as usize]),
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
                        self.graph.successors.push(self.block_at[*entry as usize]);
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

    /// Reads the jump table of an indirect jump; false where none was found.
    fn table(&mut self, image: &Image<'_>, bytes: &[u8], at: u32, budget: &mut usize) -> bool {
        let at = at as usize;
        let from = at.saturating_sub(jump_tables::LOOK_BACK);
        let told = match self.instructions.get(from..=at) {
            Some([before @ .., jump]) => jump_tables::told(jump, before),
            _ => {
                let begin = self.starts[from] as usize;
                let bytes = bytes.get(begin..).unwrap_or_default();
                let mut decoder = Decoder::with_ip(64, bytes, self.address(from as u32), DecoderOptions::NONE);
                let near: Vec<Instruction> = decoder.iter().take(at + 1 - from).collect();
                near.split_last().and_then(|(jump, before)| jump_tables::told(jump, before))
            }
        };
        let Some(table) = told else { return false };
        let begin = self.entries.len() as u32;
        for target in table.targets(image).take(*budget) {
            // A target outside means that the bound was misread.
            let Some(target) = self.at(target) else { break };
            self.entries.push(target);
            self.begin_block(target);
        }
        let end = self.entries.len() as u32;
        *budget = budget.saturating_sub((end - begin) as usize);
        if end > begin {
            self.tables.push((at as u32, begin, end));
        }
        end > begin
    }
}

/// Where an instruction goes that does not go on to the next.
fn leap(instruction: &Instruction, flow: Flow) -> Leap {
    match flow {
        Flow::Next => Leap::Again,
        _ if instruction.op0_kind() == OpKind::NearBranch64 => Leap::To(instruction.near_branch_target()),
        _ if instruction.is_ip_rel_memory_operand() => Leap::By(instruction.ip_rel_memory_address()),
        _ => Leap::Anywhere,
    }
}

/// A body that is told of its instructions by their shapes, and passes the rest on.
struct Outline<'o, L> {
    body: &'o mut Body,
    start: u64,
    listener: &'o mut L,
}

impl<L> Outline<'_, L> {
    fn behind(&self, at: At, by: u64) -> u64 {
        self.start.wrapping_add(at.next as u64).wrapping_add(by)
    }
}

impl<L: Listener> Listener for Outline<'_, L> {
    #[inline]
    fn meets(&mut self, from: usize) {
        self.body.begin(from);
        self.listener.meets(from);
    }

    #[inline]
    fn goes(&mut self, at: At, flow: Flow, by: u64) {
        let leap =
            if matches!(flow, Flow::Return | Flow::Stop) { Leap::Anywhere } else { Leap::To(self.behind(at, by)) };
        self.body.leap(flow, leap);
    }

    fn leaves(&mut self, at: At, flow: Flow, by: Option<u64>) {
        let leap = by.map_or(Leap::Anywhere, |by| Leap::By(self.behind(at, by)));
        self.body.leap(flow, leap);
    }

    fn touches(&mut self, at: At, takes: bool, by: u64) {
        self.listener.touches(at, takes, by);
    }

    fn number(&mut self, at: At, value: u32) {
        self.listener.number(at, value);
    }

    fn shape(&mut self, at: At, shape: &Shape) {
        match (shape.kind.flow, shape.place) {
            (Flow::Next, _) if shape.kind.repeats => self.body.leap(Flow::Next, Leap::Again),
            (Flow::Next, _) => {}
            (flow @ (Flow::IndirectCall | Flow::IndirectJump), Place::Relative(by)) => self.leaves(at, flow, Some(by)),
            (flow @ (Flow::IndirectCall | Flow::IndirectJump), _) => self.leaves(at, flow, None),
            (flow, _) => self.goes(at, flow, shape.value),
        }
        self.listener.shape(at, shape);
    }
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
