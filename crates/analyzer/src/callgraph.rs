//! Who calls whom, and in which order costs can be summed: callees before callers, cycles found.
//!
//! Indirect calls go through a node per group, whose members are the functions such a call can reach. Iterative, so that no call chain exhausts the stack. Called by the summary.

use crate::program::{Node, Program};

/// The call graph: functions are nodes by number, then one node per group of indirect callees.
#[derive(Debug)]
pub(crate) struct CallGraph<'a> {
    starts: Vec<u32>,
    edges: Vec<u32>,
    groups: &'a [Vec<u32>],
    functions: u32,
}

/// The strongly connected components reachable from the roots, callees first.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Nodes in order.
    pub nodes: Vec<u32>,
    /// Component of each node; `u32::MAX` for nodes that are not reached.
    pub component: Vec<u32>,
    /// Whether each component is a cycle.
    pub recursive: Vec<bool>,
}

impl<'a> CallGraph<'a> {
    /// Builds the graph from the calls in each function's tree.
    pub(crate) fn new(program: &'a Program) -> Self {
        let functions = program.functions.len() as u32;
        let mut graph = Self { starts: Vec::new(), edges: Vec::new(), groups: &program.groups, functions };
        for function in 0..functions {
            graph.starts.push(graph.edges.len() as u32);
            let begin = graph.edges.len();
            for node in program.nodes(function) {
                let callee = match *node {
                    Node::Call { function, .. } => (function < functions).then_some(function),
                    Node::CallIndirect { class } => program.group(class).map(|group| functions + group),
                    _ => None,
                };
                graph.edges.extend(callee);
            }
            graph.keep_each_once(begin);
        }
        graph.starts.push(graph.edges.len() as u32);
        graph
    }

    /// Sorts the edges from `begin` on and keeps each once.
    fn keep_each_once(&mut self, begin: usize) {
        self.edges[begin..].sort_unstable();
        let mut last = None;
        let mut kept = begin;
        for index in begin..self.edges.len() {
            if last.replace(self.edges[index]) != Some(self.edges[index]) {
                self.edges[kept] = self.edges[index];
                kept += 1;
            }
        }
        self.edges.truncate(kept);
    }

    pub(crate) fn functions(&self) -> u32 {
        self.functions
    }

    fn successors(&self, node: u32) -> &[u32] {
        match node.checked_sub(self.functions) {
            Some(group) => &self.groups[group as usize],
            None => &self.edges[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize],
        }
    }

    /// Tarjan's strongly connected components ("Depth-first search and linear graph algorithms", 1972), iteratively.
    pub(crate) fn order(&self, roots: &[u32]) -> Order {
        let count = self.functions as usize + self.groups.len();
        let unseen = u32::MAX;
        let mut order = Order { component: vec![unseen; count], ..Order::default() };
        let (mut index, mut low) = (vec![unseen; count], vec![0_u32; count]);
        let (mut stack, mut path, mut next) = (Vec::new(), Vec::<(u32, u32)>::new(), 0_u32);
        for &root in roots.iter().filter(|&&root| (root as usize) < count) {
            if index[root as usize] != unseen {
                continue;
            }
            path.push((root, 0));
            while let Some(&(node, edge)) = path.last() {
                let at = node as usize;
                if edge == 0 {
                    (index[at], low[at]) = (next, next);
                    next += 1;
                    stack.push(node);
                }
                if let Some(&to) = self.successors(node).get(edge as usize) {
                    if let Some(top) = path.last_mut() {
                        top.1 += 1;
                    }
                    if index[to as usize] == unseen {
                        path.push((to, 0));
                    } else if order.component[to as usize] == unseen {
                        low[at] = low[at].min(index[to as usize]);
                    }
                    continue;
                }
                path.pop();
                if let Some(&(parent, _)) = path.last() {
                    low[parent as usize] = low[parent as usize].min(low[at]);
                }
                if low[at] == index[at] {
                    self.close(&mut order, &mut stack, node);
                }
            }
        }
        order
    }

    fn close(&self, order: &mut Order, stack: &mut Vec<u32>, root: u32) {
        let component = order.recursive.len() as u32;
        let begin = order.nodes.len();
        while let Some(node) = stack.pop() {
            order.component[node as usize] = component;
            order.nodes.push(node);
            if node == root {
                break;
            }
        }
        let cyclic = order.nodes.len() - begin > 1 || self.successors(root).contains(&root);
        order.recursive.push(cyclic);
    }
}
