//! Who calls whom, and in which order costs can be summed: callees before callers, cycles found.
//!
//! Indirect calls go through a node per function type, whose members are the functions of that type that a table can
//! hold. Iterative, so that no call chain exhausts the stack. Called by the summary.

use std::collections::HashMap;

use crate::frontend::wasm::module::{Module, Signature};

/// The call graph: functions are nodes by index, then one node per group of indirect callees.
#[derive(Debug, Default)]
pub(crate) struct CallGraph {
    starts: Vec<u32>,
    edges: Vec<u32>,
    /// Members of each group.
    pub groups: Vec<Vec<u32>>,
    group_of: HashMap<Signature, u32>,
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

/// What a function calls.
pub(crate) enum Callee {
    Direct(u32),
    /// Through a table, by type index.
    Indirect(u32),
}

impl CallGraph {
    /// Builds the graph from each function's callees.
    pub(crate) fn new(module: &Module<'_>, callees: impl Fn(u32, &mut dyn FnMut(Callee))) -> Self {
        let functions = module.functions.len() as u32;
        let mut graph = Self { functions, ..Self::default() };
        for &function in &module.table_functions {
            if let Some(signature) = module.function_signature(function) {
                let next = graph.groups.len() as u32;
                let group = *graph.group_of.entry(signature).or_insert(next);
                if group == next {
                    graph.groups.push(Vec::new());
                }
                graph.groups[group as usize].push(function);
            }
        }
        for function in 0..functions {
            graph.starts.push(graph.edges.len() as u32);
            let begin = graph.edges.len();
            callees(function, &mut |callee| {
                let node = match callee {
                    Callee::Direct(function) => (function < functions).then_some(function),
                    Callee::Indirect(ty) => {
                        module.signature(ty).and_then(|s| graph.group_of.get(&s)).map(|g| functions + g)
                    }
                };
                graph.edges.extend(node);
            });
            graph.edges[begin..].sort_unstable();
            let mut last = None;
            let mut kept = begin;
            for index in begin..graph.edges.len() {
                if last.replace(graph.edges[index]) != Some(graph.edges[index]) {
                    graph.edges[kept] = graph.edges[index];
                    kept += 1;
                }
            }
            graph.edges.truncate(kept);
        }
        graph.starts.push(graph.edges.len() as u32);
        graph
    }

    /// The node of the indirect callees of a type.
    pub(crate) fn group(&self, module: &Module<'_>, ty: u32) -> Option<u32> {
        module.signature(ty).and_then(|signature| self.group_of.get(&signature)).copied()
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
