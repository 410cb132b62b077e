//! One function's blocks as a tree of structured control: what the program representation wants.
//!
//! After Ramsey, "Beyond Relooper: Recursive Translation of Unstructured Control Flow to Structured Control Flow" (ICFP
//! 2022), with an explicit stack in place of the recursion, and with code after a loop laid out after it rather than
//! inside it, so that a loop holds what it repeats and no more. A function whose graph is not reducible, or whose loops
//! are left in more ways than [`WORK_PER_BLOCK`] allows, is counted and not understood.

use super::body::{Block, Body, Exit, MAX_BYTES};
use super::chances;
use super::classes::{self, Mix};
use super::code::{Callee, Code};
use super::graph::{Flow, NONE};
use super::registers::Registers;
use super::shapes::Shapes;
use super::swift::Deaf;
use super::traits;
use crate::priors::{Ending, UnknownLoop};
use crate::program::{self, Cond, Forest, Function, Loop, Node, Trip};
use crate::trip_count::Surroundings;

/// Steps of placing code after the loops it leaves, and ways out of loops, allowed per block.
const WORK_PER_BLOCK: usize = 64;

/// Work every function may do.
const WORK_BASE: usize = 1 << 12;

/// Nodes of a block for which there is room at once: mostly its work, where it goes, and the frame that it needs with its end.
const NODES_PER_BLOCK: usize = 4;

/// Blocks of a function without loops up to which its calls' arguments are followed.
const MAX_STRAIGHT: usize = 24;

/// Blocks of a function up to which values are followed: the state at the end of each takes a kilobyte. The largest
/// functions of compilers and interpreters have some 10,000.
const MAX_FOLLOWED: usize = 1 << 14;

/// Class of all indirect calls: a machine call tells nothing of the callee's type.
pub(crate) const INDIRECT: u32 = 0;

/// How closely a function is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// No values are followed: what its loops go by is not known.
    Structure,
    /// Nor are they here, and work is told by class.
    Classes,
    /// Values are followed where something repeats.
    Counts,
    /// They are also followed in short functions without loops that call others.
    Values,
    /// Work is told by class, and loops are examined for dependence.
    Detail,
}

/// What happens in order: what the walk over values follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Block(u32),
    /// A loop by its numbers in the function's flow and in the forest.
    Enter(u32, u32),
    Leave,
}

/// A step of the layout still to be done.
#[derive(Debug, Clone, Copy)]
enum Step {
    Place(u32),
    Otherwise,
    Stop,
    Close,
    CloseLoop,
}

/// Lays functions out; the buffers are reused from function to function.
#[derive(Default)]
pub(crate) struct Layout {
    pub body: Body,
    pub(super) shapes: Shapes,
    pub(super) flow: Flow,
    pub(super) registers: Registers,
    pub(super) events: Vec<Event>,
    /// Condition of each block that ends in a branch, with whether its truth is that of the branch not being taken.
    pub(super) conds: Vec<(u32, bool)>,
    /// Nodes of calls and bulk operations, in order.
    pub(super) sites: Vec<u32>,
    /// Blocks from which the run cannot come back.
    pub(super) dying: Vec<bool>,
    /// Blocks of each loop that a branch or jump table leaves it by, and those that hold a jump table.
    pub(super) loop_blocks: Vec<Vec<u32>>,
    mix: Mix,
    ops: u32,
    steps: Vec<Step>,
    /// Blocks that need a frame to be branched to, by the block that opens it: inside its loop and after it.
    inside: Followers,
    after: Followers,
    /// Frame of each block that can be branched to, and of each loop by its header.
    frames: Vec<u32>,
    heads: Vec<u32>,
    open: u32,
    /// Pairs of owner and block, and ways out of each loop, while they are collected.
    pairs: [Vec<(u32, u32)>; 2],
    ways: Vec<usize>,
}

/// Lists of blocks by owner, each in reverse postorder.
#[derive(Default)]
struct Followers {
    starts: Vec<u32>,
    blocks: Vec<u32>,
    next: Vec<u32>,
}

impl Followers {
    /// Sorts `(owner, block)` pairs, given in reverse postorder of the blocks.
    fn fill(&mut self, pairs: &[(u32, u32)], blocks: usize) {
        self.starts.clear();
        self.starts.resize(blocks + 1, 0);
        for &(owner, _) in pairs {
            self.starts[owner as usize + 1] += 1;
        }
        for at in 0..blocks {
            self.starts[at + 1] += self.starts[at];
        }
        self.next.clone_from(&self.starts);
        self.blocks.clear();
        self.blocks.resize(pairs.len(), NONE);
        for &(owner, block) in pairs {
            self.blocks[self.next[owner as usize] as usize] = block;
            self.next[owner as usize] += 1;
        }
    }

    fn range(&self, owner: u32) -> std::ops::Range<usize> {
        self.starts[owner as usize] as usize..self.starts[owner as usize + 1] as usize
    }
}

impl Layout {
    /// With what was learnt of shapes so far.
    pub(super) fn new(shapes: Shapes) -> Self {
        Self { shapes, ..Self::default() }
    }

    /// Lays the function at a place in the list out. It is decoded only where values are followed: how its code goes on is
    /// told by the shapes of its instructions.
    pub(crate) fn function(&mut self, code: &Code<'_>, range: usize, forest: &mut Forest, look: Look) -> Function {
        let detail = matches!(look, Look::Classes | Look::Detail);
        let bytes = code.bytes(range);
        let (nodes, loops, conds) = (forest.nodes.len() as u32, forest.loops.len() as u32, forest.conds.len() as u32);
        let exprs = forest.exprs.len() as u32;
        self.flow.order.clear();
        let large = bytes.len() as u64 > MAX_BYTES;
        let mut understood = !large && !bytes.is_empty();
        let (mut sensitive, mut accesses) = (0, None);
        if understood {
            match look {
                Look::Classes | Look::Values | Look::Detail => self.body.decode(code, range),
                Look::Structure | Look::Counts => self.body.outline(code, range, &mut self.shapes, &mut Deaf),
            }
            understood = self.flow.analyse(&self.body.graph) && self.arrange();
        } else {
            self.body.starts.clear();
        }
        if understood {
            self.lay(code, forest, detail);
            if self.worth_following(look) {
                if self.body.instructions.is_empty() {
                    self.body.decode(code, range);
                }
                sensitive = self.follow(code, forest, detail);
                if detail && forest.loops.len() > loops as usize {
                    accesses = Some(self.report(forest, loops));
                }
            } else {
                self.tell_loops(forest);
            }
        } else {
            forest.nodes.truncate(nodes as usize);
            forest.loops.truncate(loops as usize);
        }
        let static_ops = if large { (bytes.len() / 4) as u32 } else { self.body.starts.len() as u32 };
        Function {
            nodes: nodes..forest.nodes.len() as u32,
            loops: loops..forest.loops.len() as u32,
            conds,
            exprs,
            sensitive,
            static_ops,
            detailed: detail,
            classes: detail,
            accesses,
            vectors: detail && self.vectors(),
            opaque: !understood,
            uncalled: false,
            formats: false,
        }
    }

    /// Hands over what was found of the loops, which begin at `first` in the forest; the index of their accesses.
    fn report(&mut self, forest: &mut Forest, first: u32) -> u32 {
        let notes = &mut self.registers.notes;
        forest.accesses.push(notes.accesses());
        for finding in notes.findings() {
            forest.loops[(first + finding.of) as usize].finding = Some(forest.findings.len() as u32);
            forest.findings.push(finding);
        }
        forest.accesses.len() as u32 - 1
    }

    /// Whether an instruction of the function works on vectors.
    fn vectors(&self) -> bool {
        self.body.instructions.iter().any(|instruction| {
            let what = traits::of(instruction);
            what.vector && !what.moves
        })
    }

    /// Follows values through the function where something in it depends on them; the parameters that matter.
    fn follow(&mut self, code: &Code<'_>, forest: &mut Forest, detail: bool) -> u64 {
        let mut registers = std::mem::take(&mut self.registers);
        let sensitive = registers.follow(self, code, forest, detail);
        self.registers = registers;
        sensitive
    }

    /// Tells of loops whose values are not followed what stands in them.
    fn tell_loops(&self, forest: &mut Forest) {
        let mut open: Vec<(u32, u32, bool)> = Vec::new();
        for &event in &self.events {
            match event {
                Event::Enter(number, index) => open.push((number, index, false)),
                Event::Block(block) => {
                    let Block { marks, .. } = self.body.blocks[block as usize];
                    let mut marks = self.body.marks[marks.0 as usize..marks.1 as usize].iter();
                    if let Some((.., calls)) = open.last_mut() {
                        *calls |= marks.any(|&at| self.body.calls(at));
                    }
                }
                Event::Leave => {
                    let Some((number, index, calls)) = open.pop() else { return };
                    if let Some((.., around)) = open.last_mut() {
                        *around |= calls;
                    }
                    let inside = Surroundings { calls, targets: self.targets(number) };
                    let (kind, ending) = inside.seen(UnknownLoop::Data, Ending::OTHER);
                    let entry = &mut forest.loops[index as usize];
                    (entry.trip, entry.ending) = (Trip::Unknown(kind), ending);
                }
            }
        }
    }

    /// Distinct targets of the largest jump table in a loop, but for those in loops inside it.
    pub(super) fn targets(&self, number: u32) -> usize {
        // Those of a jump table stand in order.
        let targets = |&block: &u32| self.body.graph.of(block).chunk_by(|a, b| a == b).count();
        self.loop_blocks[number as usize].iter().map(targets).max().unwrap_or(0)
    }

    /// Whether values are worth following: something repeats, or calls may pass constants on.
    fn worth_following(&self, look: Look) -> bool {
        let calls = !self.sites.is_empty() && self.body.blocks.len() <= MAX_STRAIGHT;
        let loops = !self.flow.loops.is_empty();
        self.body.blocks.len() <= MAX_FOLLOWED
            && match look {
                Look::Structure | Look::Classes => false,
                Look::Counts => loops,
                Look::Values => loops || calls,
                Look::Detail => true,
            }
    }

    /// Finds the place of every block; false where that takes too much work.
    fn arrange(&mut self) -> bool {
        let blocks = self.body.blocks.len();
        let mut work = WORK_BASE + WORK_PER_BLOCK * blocks;
        self.mark_dying();
        let [mut inside, mut after] = std::mem::take(&mut self.pairs);
        inside.clear();
        after.clear();
        for &block in &self.flow.order[1..] {
            let above = self.flow.dominator[block as usize];
            let around = self.flow.loop_of[above as usize];
            if around == NONE || self.flow.holds(around, self.flow.loop_of[block as usize]) {
                if !self.inline(block, above) {
                    inside.push((above, block));
                }
                continue;
            }
            let mut outermost = around;
            loop {
                let parent = self.flow.loops[outermost as usize].parent;
                let Some(left) = work.checked_sub(1) else { return false };
                work = left;
                if parent == NONE || self.flow.holds(parent, self.flow.loop_of[block as usize]) {
                    break;
                }
                outermost = parent;
            }
            after.push((self.flow.loops[outermost as usize].header, block));
        }
        self.inside.fill(&inside, blocks);
        self.after.fill(&after, blocks);
        self.pairs = [inside, after];
        self.exits_fit(work)
    }

    /// Whether a block can be laid out where the one way to it branches off.
    fn inline(&self, block: u32, above: u32) -> bool {
        let mut ways = self.flow.preceding(block).iter();
        let place = self.flow.place[block as usize];
        let forward = |from: &&u32| self.flow.place[**from as usize] < place;
        let first = ways.by_ref().find(forward);
        first == Some(&above)
            && !ways.any(|from| forward(&from))
            && self.body.blocks[above as usize].exit != Exit::Table
    }

    /// Notes the ways out of each loop, and bounds them: later passes look through them one by one.
    fn exits_fit(&mut self, work: usize) -> bool {
        self.loop_blocks.iter_mut().for_each(Vec::clear);
        if self.flow.loops.is_empty() {
            return true;
        }
        let loops = self.flow.loops.len();
        self.ways.clear();
        self.ways.resize(loops, 0);
        let mut spent = 0_usize;
        self.loop_blocks.resize(self.loop_blocks.len().max(loops), Vec::new());
        for &block in &self.flow.order {
            let around = self.flow.loop_of[block as usize];
            if self.body.blocks[block as usize].exit == Exit::Table && around != NONE {
                self.loop_blocks[around as usize].push(block);
            }
            let gone = self.body.branches[block as usize].0 == NONE;
            if self.body.blocks[block as usize].exit == Exit::Branch && gone && around != NONE {
                note(&mut self.loop_blocks[around as usize], block);
            }
            for &to in self.body.graph.of(block) {
                let mut around = self.flow.loop_of[block as usize];
                while around != NONE && !self.flow.holds(around, self.flow.loop_of[to as usize]) {
                    self.ways[around as usize] += 1;
                    note(&mut self.loop_blocks[around as usize], block);
                    spent += self.ways[around as usize];
                    if spent > work {
                        return false;
                    }
                    around = self.flow.loops[around as usize].parent;
                }
            }
        }
        true
    }

    /// Marks the blocks from which every path ends the program or throws.
    fn mark_dying(&mut self) {
        self.dying.clear();
        self.dying.resize(self.body.blocks.len(), false);
        for &block in self.flow.order.iter().rev() {
            let exit = self.body.blocks[block as usize].exit;
            let successors = self.body.graph.of(block);
            self.dying[block as usize] = match exit {
                Exit::Stop => true,
                Exit::On | Exit::Table => {
                    !successors.is_empty() && successors.iter().all(|&to| self.dying[to as usize])
                }
                Exit::Branch => successors.len() == 2 && successors.iter().all(|&to| self.dying[to as usize]),
                Exit::Return | Exit::Leave | Exit::Unknown => false,
            };
        }
    }

    /// Writes the tree.
    fn lay(&mut self, code: &Code<'_>, forest: &mut Forest, detail: bool) {
        let blocks = self.body.blocks.len();
        self.events.clear();
        self.sites.clear();
        self.conds.clear();
        self.conds.resize(blocks, (NONE, false));
        self.frames.clear();
        self.frames.resize(blocks, NONE);
        self.heads.clear();
        self.heads.resize(blocks, NONE);
        forest.nodes.reserve(NODES_PER_BLOCK * blocks);
        forest.conds.reserve(blocks / 2);
        self.events.reserve(blocks);
        // The function itself is the outermost frame.
        self.open = 1;
        self.steps.clear();
        self.steps.push(Step::Place(0));
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Place(block) => self.place(code, forest, block, detail),
                Step::Otherwise => forest.nodes.push(Node::Else),
                Step::Stop => forest.nodes.push(Node::Stop),
                Step::Close => self.close(forest),
                Step::CloseLoop => {
                    self.close(forest);
                    self.events.push(Event::Leave);
                }
            }
        }
    }

    fn close(&mut self, forest: &mut Forest) {
        forest.nodes.push(Node::End);
        self.open -= 1;
    }

    /// Opens the frames a block needs, lays its instructions out, and leaves the rest for later steps.
    fn place(&mut self, code: &Code<'_>, forest: &mut Forest, block: u32, detail: bool) {
        let (after, inside) = (self.after.range(block), self.inside.range(block));
        for at in after.clone().rev() {
            let follower = self.after.blocks[at];
            self.steps.push(Step::Place(follower));
            self.steps.push(Step::Close);
        }
        for at in after.rev() {
            self.frame(forest, Node::Block);
            self.frames[self.after.blocks[at] as usize] = self.open - 1;
        }
        if let Some(number) = self.flow.heads(block) {
            let index = self.open_loop(code, forest, number, block);
            self.frame(forest, Node::Loop(index));
            self.heads[block as usize] = self.open - 1;
            self.events.push(Event::Enter(number, index));
            self.steps.push(Step::CloseLoop);
        }
        for at in inside.clone().rev() {
            let follower = self.inside.blocks[at];
            self.steps.push(Step::Place(follower));
            self.steps.push(Step::Close);
        }
        for at in inside.rev() {
            self.frame(forest, Node::Block);
            self.frames[self.inside.blocks[at] as usize] = self.open - 1;
        }
        self.events.push(Event::Block(block));
        self.work(code, forest, block, detail);
        self.finish(code, forest, block);
    }

    fn frame(&mut self, forest: &mut Forest, node: Node) {
        forest.nodes.push(node);
        self.open += 1;
    }

    fn open_loop(&self, code: &Code<'_>, forest: &mut Forest, number: u32, block: u32) -> u32 {
        let first = self.body.blocks[block as usize].first;
        let index = forest.loops.len() as u32;
        forest.loops.push(Loop {
            offset: code.offset(self.body.address(first)),
            depth: self.flow.loops[number as usize].depth,
            trip: Trip::Unknown(UnknownLoop::Data),
            main: program::NONE,
            again: true,
            test: program::NONE,
            phis: (0, 0),
            steers: false,
            lingers: None,
            early: false,
            ending: Ending::NONE,
            like: 0,
            finding: None,
        });
        index
    }

    /// The instructions of a block: counts, calls and bulk operations.
    fn work(&mut self, code: &Code<'_>, forest: &mut Forest, number: u32, detail: bool) {
        let block = self.body.blocks[number as usize];
        let mut from = block.first;
        for mark in block.marks.0..block.marks.1 {
            let at = self.body.marks[mark as usize];
            if self.body.flows[at as usize] == traits::Flow::Next {
                self.straight(from, at, block.end, detail);
                self.flush(forest);
                self.repeat(code, forest, (number, at), detail);
            } else {
                self.straight(from, at + 1, block.end, detail);
                self.flush(forest);
                self.sites.push(forest.nodes.len() as u32);
                self.call(forest, at);
            }
            from = at + 1;
        }
        // A return, and a jump that takes its place, is the unit that every function entered counts.
        let free = matches!(block.exit, Exit::Return | Exit::Leave | Exit::Unknown);
        self.straight(from, block.end, if free { block.end } else { u32::MAX }, detail);
        self.flush(forest);
    }

    /// An instruction that repeats itself: a loop of one instruction, and the bytes it moves.
    fn repeat(&mut self, code: &Code<'_>, forest: &mut Forest, (block, at): (u32, u32), detail: bool) {
        self.sites.push(forest.nodes.len() as u32);
        let (index, cond) = (forest.loops.len() as u32, forest.conds.len() as u32);
        let around = self.flow.loops.get(self.flow.loop_of[block as usize] as usize);
        let innermost = around.map_or(0, |around| around.depth) + 1;
        forest.loops.push(Loop {
            offset: code.offset(self.body.address(at)),
            depth: innermost,
            trip: Trip::Unknown(UnknownLoop::Data),
            main: cond,
            again: true,
            test: program::NONE,
            phis: (0, 0),
            steers: false,
            lingers: None,
            early: false,
            ending: Ending::NONE,
            like: 0,
            finding: None,
        });
        forest.conds.push(Cond { expr: program::NONE, chance: 0.5, leaves: false });
        forest.nodes.extend([Node::Bulk { length: program::NONE }, Node::Loop(index)]);
        self.straight(at, at + 1, u32::MAX, detail);
        self.flush(forest);
        forest.nodes.extend([Node::BrIf { depth: 0, cond }, Node::End]);
    }

    /// Counts instructions; the one before `free` is counted elsewhere.
    fn straight(&mut self, from: u32, end: u32, free: u32, detail: bool) {
        self.ops += end - from - u32::from(end == free && end > from && self.ends_free(end));
        if detail {
            for at in from..end {
                let instruction = &self.body.instructions[at as usize];
                let free = at + 1 == free && self.ends_free(at + 1);
                classes::count(&mut self.mix, instruction, traits::of(instruction), free);
            }
        }
    }

    /// Whether the instruction before a place returns or jumps out of the function.
    fn ends_free(&self, end: u32) -> bool {
        use traits::Flow::{IndirectJump, Jump, Return};
        matches!(self.body.flows[end as usize - 1], Return | Jump | IndirectJump)
    }

    fn flush(&mut self, forest: &mut Forest) {
        let mix = self.mix.flush(&mut forest.mixes).unwrap_or(program::NONE);
        if self.ops > 0 || mix != program::NONE {
            forest.nodes.push(Node::Work { ops: std::mem::take(&mut self.ops), mix });
        }
    }

    fn call(&mut self, forest: &mut Forest, at: u32) {
        forest.nodes.push(match self.body.callee(at) {
            Callee::Known(function) => Node::Call { function, args: program::NONE },
            Callee::Indirect => Node::CallIndirect { class: INDIRECT },
            Callee::Nothing => Node::Work { ops: 0, mix: program::NONE },
        });
    }

    /// How a block goes on.
    fn finish(&mut self, code: &Code<'_>, forest: &mut Forest, number: u32) {
        let block = self.body.blocks[number as usize];
        match block.exit {
            Exit::On => {
                if let Some(&to) = self.body.graph.of(number).first() {
                    self.go(forest, number, to);
                }
            }
            Exit::Branch => self.branch(code, forest, number),
            Exit::Table => self.switch(forest, number),
            Exit::Return => forest.nodes.push(Node::Return),
            Exit::Stop => forest.nodes.push(Node::Stop),
            Exit::Leave | Exit::Unknown => {
                self.tail(forest, number);
            }
        }
    }

    /// Depth of the frame to branch to for a block; `None` where it is laid out in place.
    fn depth(&self, from: u32, to: u32) -> Option<u32> {
        let back = self.flow.place[to as usize] <= self.flow.place[from as usize];
        let frame = if back { self.heads[to as usize] } else { self.frames[to as usize] };
        (frame != NONE).then(|| self.open - 1 - frame)
    }

    fn go(&mut self, forest: &mut Forest, from: u32, to: u32) {
        match self.depth(from, to) {
            Some(depth) => forest.nodes.push(Node::Br(depth)),
            None => self.steps.push(Step::Place(to)),
        }
    }

    /// A branch, its truth turned round where only what follows it has a frame.
    fn branch(&mut self, code: &Code<'_>, forest: &mut Forest, number: u32) {
        let (taken, next) = self.body.branches[number as usize];
        if taken == next && taken != NONE {
            return self.go(forest, number, taken);
        }
        let chance = chances::taken(self, code, number);
        let cond = forest.conds.len() as u32;
        let framed = |block: u32| if block == NONE { None } else { self.depth(number, block) };
        let (there, here) = (framed(taken), framed(next));
        let inverted = there.is_none() && here.is_some();
        let chance = if inverted { 1.0 - chance } else { chance };
        forest.conds.push(Cond { expr: program::NONE, chance: chance as f32, leaves: false });
        self.conds[number as usize] = (cond, inverted);
        match (there, here) {
            (Some(depth), _) => {
                forest.nodes.push(Node::BrIf { depth, cond });
                self.onward(forest, number, next);
            }
            (None, Some(depth)) => {
                forest.nodes.push(Node::BrIf { depth, cond });
                self.onward(forest, number, taken);
            }
            (None, None) => {
                self.frame(forest, Node::If(cond));
                self.steps.push(Step::Close);
                if taken == NONE {
                    // The way out of the function comes first and returns at once.
                    self.tail(forest, number);
                    forest.nodes.push(Node::Else);
                    if next == NONE { forest.nodes.push(Node::Stop) } else { self.steps.push(Step::Place(next)) }
                } else {
                    // What follows the function's last instruction is not known.
                    self.steps.push(if next == NONE { Step::Stop } else { Step::Place(next) });
                    self.steps.push(Step::Otherwise);
                    self.steps.push(Step::Place(taken));
                }
            }
        }
    }

    /// What a conditional branch leaves for when it is not taken (or, turned round, when it is).
    fn onward(&mut self, forest: &mut Forest, from: u32, to: u32) {
        if to != NONE {
            self.go(forest, from, to);
        } else if self.body.branches[from as usize].0 == NONE {
            self.tail(forest, from);
        } else {
            forest.nodes.push(Node::Stop);
        }
    }

    /// A jump to another function, which takes the place of a call and a return.
    fn tail(&mut self, forest: &mut Forest, from: u32) {
        self.sites.push(forest.nodes.len() as u32);
        self.call(forest, self.body.blocks[from as usize].end - 1);
        forest.nodes.push(Node::Return);
    }

    fn switch(&mut self, forest: &mut Forest, number: u32) {
        let start = forest.tables.len() as u32;
        let mut before = None;
        for at in self.body.graph.starts[number as usize]..self.body.graph.starts[number as usize + 1] {
            let to = self.body.graph.successors[at as usize];
            if before.replace(to) == Some(to) {
                if let Some(entry) = forest.tables.last_mut() {
                    entry.1 += 1;
                }
            } else if let Some(depth) = self.depth(number, to) {
                forest.tables.push((depth, 1));
            }
        }
        let len = forest.tables.len() as u32 - start;
        forest.nodes.push(if len == 0 { Node::Stop } else { Node::BrTable { start, len } });
    }
}

/// Adds a block to a list of blocks in order, once.
fn note(list: &mut Vec<u32>, block: u32) {
    if list.last() != Some(&block) {
        list.push(block);
    }
}
