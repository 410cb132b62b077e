//! Control-flow graphs of one function: depth-first order, dominators, natural loops.
//!
//! Blocks are numbers, the entry is block 0. Dominators by the semi-NCA algorithm (Georgiadis, "Linear-time algorithms
//! for dominators and related problems", 2005), whose second phase is given [`STEPS_PER_BLOCK`] steps a block; loops by
//! their back edges, inner ones collapsed first (Havlak, "Nesting of reducible and irreducible loops", TOPLAS 1997). A
//! graph that is not reducible, or outgrows the bound, is reported as not understood.

/// "None" for a block or loop.
pub(crate) const NONE: u32 = u32::MAX;

/// Steps of following chains allowed per block before the graph is given up.
pub(crate) const STEPS_PER_BLOCK: usize = 128;

/// Steps every graph may take.
const STEPS_BASE: usize = 1 << 14;

/// Successors of each block, in one list.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// Where each block's successors begin; one more at the end.
    pub starts: Vec<u32>,
    pub successors: Vec<u32>,
}

impl Graph {
    pub(crate) fn clear(&mut self) {
        self.starts.clear();
        self.successors.clear();
    }

    pub(crate) fn blocks(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    #[inline]
    pub(crate) fn of(&self, block: u32) -> &[u32] {
        &self.successors[self.starts[block as usize] as usize..self.starts[block as usize + 1] as usize]
    }
}

/// A natural loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NaturalLoop {
    pub header: u32,
    pub parent: u32,
    /// 1 for an outermost loop.
    pub depth: u32,
    /// Position among the loops in preorder of the nest, and the last position inside it.
    pub first: u32,
    pub last: u32,
}

/// What is known of a graph.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// Reachable blocks in reverse postorder, and each block's place in it.
    pub order: Vec<u32>,
    pub place: Vec<u32>,
    /// Immediate dominator of each block; of the entry itself.
    pub dominator: Vec<u32>,
    /// Predecessors of each block that are reachable.
    pub predecessor_starts: Vec<u32>,
    pub predecessors: Vec<u32>,
    pub loops: Vec<NaturalLoop>,
    /// Innermost loop of each block.
    pub loop_of: Vec<u32>,
    /// Interval of each block in the dominator tree.
    enter: Vec<u32>,
    leave: Vec<u32>,
    preorder: Vec<u32>,
    parent: Vec<u32>,
    number: Vec<u32>,
    stack: Vec<(u32, u32)>,
    semi: Vec<u32>,
    label: Vec<u32>,
    ancestor: Vec<u32>,
    path: Vec<u32>,
    /// Lists that the search for loops uses.
    outermost: Vec<u32>,
    work: Vec<u32>,
    free: Vec<u32>,
}

impl Flow {
    /// Analyses a graph; false where it is not reducible or outgrows the bound.
    pub(crate) fn analyse(&mut self, graph: &Graph) -> bool {
        let blocks = graph.blocks();
        self.loops.clear();
        self.traverse(graph, blocks);
        self.link(graph, blocks);
        let mut steps = STEPS_BASE + STEPS_PER_BLOCK * blocks;
        if blocks == 1 {
            self.dominator.clear();
            self.dominator.push(0);
        } else if !self.dominators(blocks, &mut steps) {
            return false;
        }
        self.intervals(blocks);
        self.find_loops(blocks, &mut steps)
    }

    /// Finds the blocks that the entry leads to alone.
    pub(crate) fn reach(&mut self, graph: &Graph) {
        self.traverse(graph, graph.blocks());
    }

    /// Whether the entry leads to a block.
    pub(crate) fn is_reached(&self, block: u32) -> bool {
        self.place.get(block as usize).is_some_and(|&place| place != NONE)
    }

    /// Finds the order of the blocks, and what precedes each, alone.
    pub(crate) fn only_order(&mut self, graph: &Graph) {
        let blocks = graph.blocks();
        self.traverse(graph, blocks);
        self.link(graph, blocks);
    }

    /// Finds dominators alone; false where the graph outgrows the bound.
    pub(crate) fn only_dominators(&mut self, graph: &Graph) -> bool {
        let blocks = graph.blocks();
        self.traverse(graph, blocks);
        self.link(graph, blocks);
        self.dominators(blocks, &mut (STEPS_BASE + STEPS_PER_BLOCK * blocks))
    }

    /// Whether every path to `b` comes by `a`.
    #[inline]
    pub(crate) fn dominates(&self, a: u32, b: u32) -> bool {
        let (a, b) = (a as usize, b as usize);
        self.enter[a] <= self.enter[b] && self.leave[b] <= self.leave[a]
    }

    #[inline]
    pub(crate) fn preceding(&self, block: u32) -> &[u32] {
        let (from, to) =
            (self.predecessor_starts[block as usize] as usize, self.predecessor_starts[block as usize + 1] as usize);
        &self.predecessors[from..to]
    }

    /// Whether a loop holds another (or itself); everything lies in no loop.
    #[inline]
    pub(crate) fn holds(&self, outer: u32, inner: u32) -> bool {
        let Some(outer) = self.loops.get(outer as usize) else { return true };
        self.loops.get(inner as usize).is_some_and(|inner| outer.first <= inner.first && inner.first <= outer.last)
    }

    /// Whether a block is a loop's header.
    #[inline]
    pub(crate) fn heads(&self, block: u32) -> Option<u32> {
        let innermost = self.loop_of[block as usize];
        (innermost != NONE && self.loops[innermost as usize].header == block).then_some(innermost)
    }

    /// Depth-first search: preorder numbers, tree parents, reverse postorder.
    fn traverse(&mut self, graph: &Graph, blocks: usize) {
        reset(&mut self.number, blocks, NONE);
        reset(&mut self.parent, blocks, NONE);
        reset(&mut self.place, blocks, NONE);
        self.preorder.clear();
        self.order.clear();
        self.stack.clear();
        self.number[0] = 0;
        self.preorder.push(0);
        self.stack.push((0, 0));
        while let Some((block, next)) = self.stack.last_mut() {
            let Some(&to) = graph.of(*block).get(*next as usize) else {
                self.order.push(*block);
                self.stack.pop();
                continue;
            };
            *next += 1;
            if self.number[to as usize] == NONE {
                self.number[to as usize] = self.preorder.len() as u32;
                self.parent[to as usize] = *block;
                self.preorder.push(to);
                self.stack.push((to, 0));
            }
        }
        self.order.reverse();
        for (place, &block) in self.order.iter().enumerate() {
            self.place[block as usize] = place as u32;
        }
    }

    /// Predecessors, from the successors of reachable blocks.
    fn link(&mut self, graph: &Graph, blocks: usize) {
        reset(&mut self.predecessor_starts, blocks + 1, 0);
        for &block in &self.order {
            for &to in graph.of(block) {
                self.predecessor_starts[to as usize + 1] += 1;
            }
        }
        for block in 0..blocks {
            self.predecessor_starts[block + 1] += self.predecessor_starts[block];
        }
        let edges = self.predecessor_starts[blocks] as usize;
        reset(&mut self.predecessors, edges, NONE);
        // `label` serves as the next free place here.
        self.label.clear();
        self.label.extend_from_slice(&self.predecessor_starts[..blocks]);
        for &block in &self.order {
            for &to in graph.of(block) {
                let at = &mut self.label[to as usize];
                self.predecessors[*at as usize] = block;
                *at += 1;
            }
        }
    }

    fn dominators(&mut self, blocks: usize, steps: &mut usize) -> bool {
        reset(&mut self.semi, blocks, NONE);
        reset(&mut self.ancestor, blocks, NONE);
        reset(&mut self.dominator, blocks, NONE);
        self.label.clear();
        self.label.extend(0..blocks as u32);
        for &block in &self.preorder {
            self.semi[block as usize] = self.number[block as usize];
            self.dominator[block as usize] = self.parent[block as usize];
        }
        self.dominator[0] = 0;
        for at in (1..self.preorder.len()).rev() {
            let block = self.preorder[at];
            let mut semi = self.number[self.parent[block as usize] as usize];
            let (from, to) = (
                self.predecessor_starts[block as usize] as usize,
                self.predecessor_starts[block as usize + 1] as usize,
            );
            for index in from..to {
                let through = self.lowest(self.predecessors[index]);
                semi = semi.min(self.semi[through as usize]);
            }
            self.semi[block as usize] = semi;
            self.ancestor[block as usize] = self.parent[block as usize];
        }
        for at in 1..self.preorder.len() {
            let block = self.preorder[at];
            let mut dominator = self.dominator[block as usize];
            while self.number[dominator as usize] > self.semi[block as usize] {
                dominator = self.dominator[dominator as usize];
                let Some(left) = steps.checked_sub(1) else { return false };
                *steps = left;
            }
            self.dominator[block as usize] = dominator;
        }
        true
    }

    /// The ancestor of least semidominator in the forest of blocks done so far, with path compression.
    fn lowest(&mut self, block: u32) -> u32 {
        if self.ancestor[block as usize] == NONE {
            return block;
        }
        self.path.clear();
        let mut at = block;
        while self.ancestor[self.ancestor[at as usize] as usize] != NONE {
            self.path.push(at);
            at = self.ancestor[at as usize];
        }
        let root = self.ancestor[at as usize];
        let mut best = self.label[at as usize];
        while let Some(at) = self.path.pop() {
            if self.semi[best as usize] < self.semi[self.label[at as usize] as usize] {
                self.label[at as usize] = best;
            }
            best = self.label[at as usize];
            self.ancestor[at as usize] = root;
        }
        self.label[block as usize]
    }

    /// Preorder intervals of the dominator tree.
    fn intervals(&mut self, blocks: usize) {
        reset(&mut self.enter, blocks, NONE);
        reset(&mut self.leave, blocks, 0);
        // Subtree sizes, children before parents; then each child takes the next free interval of its parent.
        for &block in self.order.iter().rev() {
            self.leave[block as usize] += 1;
            let size = self.leave[block as usize];
            if block != 0 {
                self.leave[self.dominator[block as usize] as usize] += size;
            }
        }
        reset(&mut self.semi, blocks, 0);
        for &block in &self.order {
            let at = if block == 0 { 0 } else { self.semi[self.dominator[block as usize] as usize] };
            if block != 0 {
                self.semi[self.dominator[block as usize] as usize] += self.leave[block as usize];
            }
            self.enter[block as usize] = at;
            self.semi[block as usize] = at + 1;
        }
        for &block in &self.order {
            self.leave[block as usize] += self.enter[block as usize];
        }
    }

    /// Natural loops, inner ones first; then their nest. False where the graph is not reducible.
    fn find_loops(&mut self, blocks: usize, steps: &mut usize) -> bool {
        reset(&mut self.loop_of, blocks, NONE);
        let (mut outermost, mut work) = (std::mem::take(&mut self.outermost), std::mem::take(&mut self.work));
        outermost.clear();
        let understood = self.collect_loops(&mut outermost, &mut work, steps);
        (self.outermost, self.work) = (outermost, work);
        if understood {
            self.nest();
        }
        understood
    }

    fn collect_loops(&mut self, outermost: &mut Vec<u32>, work: &mut Vec<u32>, steps: &mut usize) -> bool {
        for at in (0..self.order.len()).rev() {
            let header = self.order[at];
            work.clear();
            for index in 0..self.preceding(header).len() {
                let from = self.preceding(header)[index];
                if self.place[from as usize] >= at as u32 {
                    if !self.dominates(header, from) {
                        return false;
                    }
                    work.push(from);
                }
            }
            if work.is_empty() {
                continue;
            }
            let number = self.loops.len() as u32;
            self.loops.push(NaturalLoop { header, parent: NONE, depth: 0, first: 0, last: 0 });
            outermost.push(number);
            self.loop_of[header as usize] = number;
            while let Some(block) = work.pop() {
                let Some(left) = steps.checked_sub(1) else { return false };
                *steps = left;
                let inner = self.loop_of[block as usize];
                let mut next = block;
                if inner == NONE {
                    self.loop_of[block as usize] = number;
                } else {
                    let top = top(outermost, inner);
                    if top == number {
                        continue;
                    }
                    outermost[top as usize] = number;
                    self.loops[top as usize].parent = number;
                    next = self.loops[top as usize].header;
                }
                if next != header {
                    let (from, to) = (
                        self.predecessor_starts[next as usize] as usize,
                        self.predecessor_starts[next as usize + 1] as usize,
                    );
                    work.extend_from_slice(&self.predecessors[from..to]);
                }
            }
        }
        true
    }

    /// Depths and preorder intervals of the loop nest. Loops were found inner first, so parents have higher numbers.
    fn nest(&mut self) {
        let count = self.loops.len();
        for at in 0..count {
            self.loops[at].last += 1;
            let (size, parent) = (self.loops[at].last, self.loops[at].parent);
            if parent != NONE {
                self.loops[parent as usize].last += size;
            }
        }
        let mut free = std::mem::take(&mut self.free);
        reset(&mut free, count, 0);
        let mut next = 0;
        for at in (0..count).rev() {
            let NaturalLoop { parent, last: size, .. } = self.loops[at];
            let place = if parent == NONE { &mut next } else { &mut free[parent as usize] };
            let first = *place;
            *place += size;
            free[at] = first + 1;
            let depth = if parent == NONE { 1 } else { self.loops[parent as usize].depth + 1 };
            self.loops[at] = NaturalLoop { depth, first, last: first + size - 1, ..self.loops[at] };
        }
        self.free = free;
    }
}

/// The outermost loop found so far around another, with path halving.
fn top(outermost: &mut [u32], mut at: u32) -> u32 {
    while outermost[at as usize] != at {
        outermost[at as usize] = outermost[outermost[at as usize] as usize];
        at = outermost[at as usize];
    }
    at
}

fn reset(list: &mut Vec<u32>, len: usize, value: u32) {
    list.clear();
    list.resize(len, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(blocks: &[&[u32]]) -> Graph {
        let mut graph = Graph::default();
        for successors in blocks {
            graph.starts.push(graph.successors.len() as u32);
            graph.successors.extend_from_slice(successors);
        }
        graph.starts.push(graph.successors.len() as u32);
        graph
    }

    fn check(blocks: &[&[u32]], dominators: &[u32], loops: &[(u32, u32)]) {
        let mut flow = Flow::default();
        assert!(flow.analyse(&graph(blocks)));
        assert_eq!(flow.dominator, dominators);
        let mut found: Vec<_> = flow.loops.iter().map(|found| (found.header, found.depth)).collect();
        found.sort_unstable();
        assert_eq!(found, loops);
    }

    #[test]
    fn dominators_and_loops() {
        check(&[&[1, 2], &[3], &[3], &[]], &[0, 0, 0, 0], &[]);
        check(&[&[1], &[2, 3], &[1], &[]], &[0, 0, 1, 1], &[(1, 1)]);
        // Two nested loops with one latch each, and an early way out of both.
        check(&[&[1], &[2, 5], &[3, 5], &[2, 4], &[1], &[]], &[0, 0, 1, 2, 3, 1], &[(1, 1), (2, 2)]);
        // Two loops that share a header are one.
        check(&[&[1], &[2, 3, 4], &[1], &[1], &[]], &[0, 0, 1, 1, 1], &[(1, 1)]);
        check(&[&[0, 1], &[]], &[0, 0], &[(0, 1)]);
    }

    #[test]
    fn what_cannot_be_reached_is_left_out() {
        let mut flow = Flow::default();
        assert!(flow.analyse(&graph(&[&[2], &[2], &[]])));
        assert_eq!((flow.order.len(), flow.place[1]), (2, NONE));
    }

    #[test]
    fn two_ways_into_a_loop_are_irreducible() {
        assert!(!Flow::default().analyse(&graph(&[&[1, 2], &[2], &[1, 3], &[]])));
    }

    #[test]
    fn a_long_ladder_stays_linear() {
        let many = 100_000;
        let blocks: Vec<Vec<u32>> = (0..many).map(|b| vec![b + 1, many]).chain([vec![]]).collect();
        let slices: Vec<&[u32]> = blocks.iter().map(|block| &block[..]).collect();
        assert!(Flow::default().analyse(&graph(&slices)));
    }
}
