//! The whole run from its entry point: costs summed bottom-up over the call graph, then execution counts pushed down to
//! the functions that matter.
//!
//! A function is evaluated once in general and again for each set of constant arguments that reaches it (a bounded
//! number of times). Cycles of calls are cut where they close and weighted by a prior on entry. Called by the profile.

use std::collections::{BTreeMap, BTreeSet};

use crate::callgraph::{CallGraph, Order};
use crate::dependence::{Accesses, Finding};
use crate::error::AnalyzeError;
use crate::frequency::{Arguments, Cost, Dealt, OFTEN, Visitor, evaluate};
use crate::frontend::{Allocator, Detail};
use crate::hash::{QuickMap, QuickSet};
use crate::lanes::{self, EQUAL, LANES, Lanes, Weights, seed};
use crate::mix::COUNTERS;
use crate::priors;
use crate::program::{Forest, Function, NONE, Program};

mod down;
mod live;
mod moved;
mod tape;

use down::Down;
use live::Live;
use moved::Moved;
use tape::{Recording, Tape};

/// Sets of constant arguments evaluated for one function, and for all together.
const MAX_SPECIAL: usize = 32;
const MAX_SPECIAL_ALL: usize = 4000;

/// Nodes walked under constant arguments, beyond an eighth of those of the whole program: enough for a small program to
/// be followed wholly, while a large one is planned for before that would pay.
const SPECIAL_NODES: usize = 1 << 11;

/// How deep evaluations under constant arguments nest.
const MAX_NESTING: u32 = 48;

/// A function under given arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Instance {
    function: u32,
    arguments: Vec<Option<i64>>,
    /// Things that the caller deals with, where the function's cost is told by that; else 0.
    scale: u64,
}

impl Instance {
    /// The function in general.
    fn general(function: u32) -> Self {
        Self { function, arguments: Vec::new(), scale: 0 }
    }
}

/// A loop's part in the run.
#[derive(Debug, Clone)]
pub(crate) struct LoopShare {
    /// What its iterations share.
    pub finding: Option<Finding>,
    /// Whether it works on vectors already.
    pub vectors: bool,
    /// Mean iterations each time it is entered.
    pub trips: Lanes,
    /// Mean executed count by class number in it, what it calls left out, and of bytes loaded and stored.
    pub mix: [f64; COUNTERS],
    /// How often it is entered.
    pub entered: Lanes,
    /// Operators executed in it and in what it calls, in the whole run.
    pub ops: Lanes,
}

/// What a run asks of an allocator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub calls: Lanes,
    /// Those whose arguments tell how much they ask for, and that much.
    pub told: Lanes,
    pub bytes: Lanes,
}

/// What the run does, from its entry point.
pub(crate) struct Run {
    pub cost: Cost,
    /// How likely each scenario is.
    pub weights: Weights,
    /// Mean executed count by class number, and of bytes loaded and stored.
    pub mix: [f64; COUNTERS],
    /// Mean number of functions entered, each a unit of fuel.
    pub entries: f64,
    /// Operators executed in each function that matters and in what it calls.
    pub functions: BTreeMap<u32, Lanes>,
    /// Mean number of operators executed in the code of each such function itself, its entries included.
    pub own: BTreeMap<u32, f64>,
    /// Loops by function and number therein.
    pub loops: BTreeMap<(u32, u32), LoopShare>,
    /// What the loops of the functions that matter access.
    pub accesses: BTreeMap<u32, Accesses>,
    /// Calls of each host function.
    pub host_calls: BTreeMap<u32, Lanes>,
    /// Functions that hand out memory, with what the run asks of them.
    pub asked: Vec<(Allocator, Asked)>,
    /// Whether a reached cycle of calls had to be guessed.
    pub recursive: bool,
    /// Whether functions were reached that were not looked into.
    pub beyond: bool,
    /// Whether the run goes through an interpreter's dispatch loop.
    pub dispatch: bool,
    /// Whether it comes to a loop that nothing leaves.
    pub endless: bool,
}

struct Summary<'a> {
    program: &'a Program,
    graph: &'a CallGraph<'a>,
    order: &'a Order,
    /// Costs in general, of those functions that were evaluated; a cost is half a kilobyte, and many are never reached.
    costs: Vec<Cost>,
    /// Which of them is a function's, by number; `NONE` where none is.
    general: Vec<u32>,
    groups: Vec<Option<Cost>>,
    special: QuickMap<Instance, Cost>,
    per_function: QuickMap<u32, usize>,
    /// Nodes that may still be walked under constant arguments.
    special_nodes: usize,
    active: QuickSet<Instance>,
    /// What each recursive function was seen to cost, by scale, under arguments that are all moved alike.
    moved: QuickMap<(u32, u64), Moved>,
    /// Whether the cost of each function would be told better by how many things its caller deals with.
    scaled: Vec<bool>,
    /// Whether that is so of the function that is being evaluated.
    wants_scale: bool,
    /// Instances that cost what another does whose arguments are all moved alike.
    alias: QuickMap<Instance, Instance>,
    /// Instances in the order in which they were finished, callees before callers, with what was met in them.
    finished: Vec<(Instance, Option<Tape>)>,
    /// How much of that is kept.
    taped: usize,
    /// Lists to be written on, as many as evaluations nest.
    blank: Vec<Tape>,
    /// Whether something was called on the way whose cost was not known yet, since it is on a cycle of calls.
    cut: bool,
    /// Instances of which that is so.
    cut_short: QuickSet<Instance>,
    /// Functions that hand out memory.
    allocators: BTreeMap<u32, Allocator>,
    component: u32,
    nesting: u32,
    recursive: bool,
}

/// How often a run of a lazy program is summed up before all of it is laid out. Under known arguments a function may call
/// what it does not in general; once is usual.
const ROUNDS: usize = 3;

/// Sums up the run that begins at the program's roots, one after the other; lays out what that takes.
///
/// # Errors
/// None of its own; those of laying out functions.
pub(crate) fn run(program: &mut Program, detail: &mut dyn Detail) -> Result<Run, AnalyzeError> {
    if !program.lazy {
        return Ok(sum_up(program, detail)?.0);
    }
    let mut live = Live::new(program);
    for _ in 0..ROUNDS {
        live.spread(program, detail)?;
        detail.settle(program);
        let (run, missed) = sum_up(program, detail)?;
        if missed.is_empty() {
            return Ok(run);
        }
        live.add(missed);
    }
    let waits = |function: &u32| program.tree(*function).is_some_and(|(_, tree)| tree.uncalled);
    let rest: Vec<u32> = (0..program.functions.len() as u32).filter(waits).collect();
    detail.grow(&rest, program)?;
    detail.settle(program);
    Ok(sum_up(program, detail)?.0)
}

/// Sums a run up over the functions that are laid out; further those that it comes to and are not.
fn sum_up(program: &Program, detail: &mut dyn Detail) -> Result<(Run, BTreeSet<u32>), AnalyzeError> {
    let graph = CallGraph::new(program);
    let order = graph.order(&program.roots);
    let mut summary = Summary {
        program,
        graph: &graph,
        order: &order,
        costs: Vec::with_capacity(order.nodes.len()),
        general: vec![NONE; program.functions.len()],
        groups: vec![None; program.groups.len()],
        special: QuickMap::default(),
        per_function: QuickMap::default(),
        special_nodes: special_nodes(program),
        active: QuickSet::default(),
        moved: QuickMap::default(),
        scaled: vec![false; program.functions.len()],
        wants_scale: false,
        alias: QuickMap::default(),
        finished: Vec::new(),
        taped: 0,
        blank: Vec::new(),
        cut: false,
        cut_short: QuickSet::default(),
        allocators: detail.allocators(),
        component: u32::MAX,
        nesting: 0,
        recursive: false,
    };
    for &node in &order.nodes {
        summary.node(node);
    }
    let beyond = order.nodes.iter().any(|&node| summary.tree(node).is_some_and(|(_, tree)| tree.opaque));
    let mut cost = Cost::ZERO;
    summary.component = u32::MAX;
    for &root in &program.roots {
        summary.call(root, &[], Lanes::ONE, Dealt::default(), &mut cost);
    }
    let weights = priors::plausible(cost.total());
    let mut down = Down::new(&mut summary, detail, cost.total(), weights);
    for &root in &program.roots {
        down.enter(root, &[], Lanes::ONE, (Lanes::ONE, Dealt::default()));
    }
    down.all()?;
    let asked = down.asked();
    let Down { mix, entries, functions, own, loops, accesses, host_calls, dispatch, endless, missed, .. } = down;
    let recursive = summary.recursive;
    let run = Run {
        cost,
        weights,
        mix,
        entries,
        functions,
        own,
        loops,
        accesses,
        host_calls,
        asked,
        recursive,
        beyond,
        dispatch,
        endless,
    };
    Ok((run, missed))
}

/// The member of a group that each scenario picks.
fn picks(group: u32, members: &[u32]) -> [u32; LANES] {
    let seed = seed([u64::from(group), members.len() as u64, 0x6c]);
    lanes::picks(seed, members.len()).map(|at| members[at])
}

/// Nodes that may be walked under constant arguments; where functions were left out, constants would not go far.
fn special_nodes(program: &Program) -> usize {
    let all: usize = program.forests.iter().map(|forest| forest.nodes.len()).sum();
    if program.partial { all / 8 } else { SPECIAL_NODES + all / 16 }
}

impl<'a> Summary<'a> {
    fn tree(&self, function: u32) -> Option<(&'a Forest, &'a Function)> {
        self.program.tree(function)
    }

    /// The cost of a function in general, once it was evaluated.
    fn general(&self, function: u32) -> Option<&Cost> {
        self.costs.get(*self.general.get(function as usize)? as usize)
    }

    /// Evaluates a node of the call graph in general.
    fn node(&mut self, node: u32) {
        self.component = self.order.component[node as usize];
        let Some(group) = node.checked_sub(self.graph.functions()) else {
            if let Some((forest, tree)) = self.tree(node).filter(|(_, tree)| !tree.uncalled) {
                self.wants_scale = false;
                // One that calls itself is told by how deep that goes.
                let recursive = self.recursive(node);
                let (cost, tape) = self.record((forest, tree), &[], 0.0);
                self.scaled[node as usize] = self.wants_scale && !recursive;
                self.general[node as usize] = self.costs.len() as u32;
                self.costs.push(cost);
                self.finished.push((Instance::general(node), tape));
            }
            return;
        };
        let members = &self.program.groups[group as usize];
        self.groups[group as usize] = Some(self.sample(group, members));
    }

    /// Whether a node of the call graph is on a cycle.
    fn recursive(&self, node: u32) -> bool {
        let component = self.order.component.get(node as usize).copied().unwrap_or(u32::MAX);
        self.order.recursive.get(component as usize).copied().unwrap_or(false)
    }

    /// Evaluates a function, and writes down what is met; nothing where that will cost more once all cycles are told.
    fn record(
        &mut self,
        (forest, tree): (&Forest, &Function),
        arguments: &[Option<i64>],
        handed: f64,
    ) -> (Cost, Option<Tape>) {
        let before = std::mem::take(&mut self.cut);
        let mut recording = Recording::new(self);
        let cost = evaluate(forest, tree, arguments, handed, &mut recording);
        let tape = recording.done();
        let tape = tape.filter(|_| !self.cut);
        self.cut |= before;
        (cost, tape)
    }

    /// Notes that a function's cost is not known yet, where it has one.
    fn cut_at(&mut self, function: u32) {
        self.cut |= self.tree(function).is_some();
    }

    /// The parameters that tell how much memory a function hands out, one bit each.
    fn sizes(&self, function: u32) -> u64 {
        let sizes = self.allocators.get(&function).map_or(&[][..], |allocator| allocator.size);
        sizes.iter().fold(0, |bits, &at| bits | 1 << at)
    }

    /// Those of a call's arguments that its cost is told by.
    fn telling_arguments(&self, function: u32, arguments: &[Option<i64>]) -> Arguments {
        let telling = self.sensitive(function);
        let told = |at: usize| arguments.get(at).copied().flatten().filter(|_| telling >> at & 1 != 0);
        std::array::from_fn(told)
    }

    /// The cost of calling one of a group: each scenario takes another member.
    fn sample(&self, group: u32, members: &[u32]) -> Cost {
        let mut out = Cost::ZERO;
        for (lane, member) in picks(group, members).into_iter().enumerate() {
            if let Some(cost) = self.general(member) {
                out.ops.0[lane] = cost.ops.0[lane];
                out.bulk.0[lane] = cost.bulk.0[lane];
                out.grown_pages.0[lane] = cost.grown_pages.0[lane];
            }
        }
        out
    }

    /// Whom each scenario's call of one of a group reaches, and the activations that it leads to, where there are so many of
    /// them.
    fn reached(&mut self, group: u32, times: Lanes) -> ([u32; LANES], Lanes) {
        let members = picks(group, &self.program.groups[group as usize]);
        if let Some(all) = self.activations(self.graph.functions() + group, times, 0.0) {
            return (members, all);
        }
        let mut each = Lanes::ONE;
        for (lane, &member) in members.iter().enumerate() {
            // A member may be on a cycle of its own.
            if let Some(activations) = self.activations(member, times, 0.0) {
                each.0[lane] = activations.0[lane];
            }
        }
        (members, each)
    }

    /// The activations that one of so many calls into a cycle from outside it leads to, made where `scale` things are
    /// dealt with; `None` where it is no such call.
    fn activations(&mut self, node: u32, times: Lanes, scale: f64) -> Option<Lanes> {
        let component = self.order.component.get(node as usize).copied().unwrap_or(u32::MAX);
        if component == self.component || !self.order.recursive.get(component as usize).copied().unwrap_or(false) {
            return None;
        }
        let tree = self.tree(node).map(|(_, tree)| tree);
        // What a format tells holds whatever is called on the way.
        if tree.is_some_and(|tree| tree.formats) {
            return None;
        }
        self.recursive = true;
        let shape = tree.map_or(0, Function::shape);
        // Not where a loop might run often.
        let often = times.0.iter().filter(|&&times| times >= OFTEN).count() >= LANES / 2;
        Some(priors::recursion(often, scale, seed([u64::from(shape), 0, 0x4ec])))
    }

    /// The callee under these arguments, if any of them is known, or how many things it deals with. The flow asks only for
    /// arguments that matter to it.
    fn telling(&self, function: u32, arguments: &[Option<i64>], each: f64) -> Option<Instance> {
        let scaled = self.scaled.get(function as usize).copied().unwrap_or(false);
        let scale = if scaled { each as u64 } else { 0 };
        let any = (scale > 0 || arguments.iter().any(Option::is_some)) && self.tree(function).is_some();
        let instance = any.then(|| Instance { function, arguments: arguments.to_vec(), scale })?;
        if self.alias.is_empty() {
            return Some(instance);
        }
        Some(self.alias.get(&instance).cloned().unwrap_or(instance))
    }

    /// Adds the cost under constant arguments; `None` where that is not worth it or would not end.
    fn specialise(&mut self, instance: &Instance, times: Lanes, sum: &mut Cost) -> Option<()> {
        if let Some(cost) = self.special.get(instance) {
            sum.add(cost, times);
            self.cut |= !self.cut_short.is_empty() && self.cut_short.contains(instance);
            return Some(());
        }
        let (forest, tree) = self.tree(instance.function)?;
        let key = (instance.function, instance.scale);
        if let Some(same) =
            self.moved.get(&key).and_then(|moved| moved.same(&instance.arguments, self.program.addresses))
        {
            let same = Instance { arguments: same.clone(), ..*instance };
            let cost = self.special.get(&same).map(|cost| sum.add(cost, times));
            self.cut |= self.cut_short.contains(&same);
            self.alias.insert(instance.clone(), same);
            return cost;
        }
        let count = self.per_function.entry(instance.function).or_default();
        let over = *count >= MAX_SPECIAL || self.special.len() >= MAX_SPECIAL_ALL || self.nesting >= MAX_NESTING;
        if over || self.active.contains(instance) {
            return None;
        }
        let left = self.special_nodes.checked_sub(tree.nodes.len())?;
        self.special_nodes = left;
        *count += 1;
        self.nesting += 1;
        self.active.insert(instance.clone());
        let before = std::mem::replace(&mut self.component, u32::MAX - 1);
        let wanted = self.wants_scale;
        let around = std::mem::take(&mut self.cut);
        let (cost, tape) = self.record((forest, tree), &instance.arguments, instance.scale as f64);
        if self.cut {
            self.cut_short.insert(instance.clone());
        }
        self.cut |= around;
        self.wants_scale = wanted;
        self.component = before;
        self.active.remove(instance);
        self.nesting -= 1;
        self.special.insert(instance.clone(), cost);
        if self.nesting > 0 {
            let moved = self.moved.entry(key).or_default();
            moved.note(&instance.arguments, self.program.addresses, cost.ops.weighted_mean(&EQUAL));
        }
        self.finished.push((instance.clone(), tape));
        sum.add(&cost, times);
        Some(())
    }
}

impl Visitor for Summary<'_> {
    fn sensitive(&self, function: u32) -> u64 {
        self.tree(function).map_or(0, |(_, tree)| tree.sensitive)
    }

    fn text(&self, address: i64) -> Option<&[u8]> {
        self.program.text(address)
    }

    fn unchanged(&self, address: u32) -> bool {
        self.program.constant_words.binary_search(&address).is_ok()
    }

    fn addresses(&self) -> i64 {
        self.program.addresses
    }

    fn wants_scale(&mut self) {
        self.wants_scale = true;
    }

    fn call(&mut self, function: u32, arguments: &[Option<i64>], times: Lanes, dealt: Dealt, sum: &mut Cost) {
        self.wants_scale |= dealt.each <= 0.0 && self.scaled.get(function as usize).copied().unwrap_or(false);
        if let Some(instance) = self.telling(function, arguments, dealt.each)
            && self.specialise(&instance, times, sum).is_some()
        {
            return;
        }
        let activations = self.activations(function, times, dealt.all);
        let Some(cost) = self.general(function) else { return self.cut_at(function) };
        match activations {
            Some(activations) => sum.add(&cost.scaled(activations), times),
            None => sum.add(cost, times),
        }
    }

    fn call_indirect(&mut self, class: u32, times: Lanes, sum: &mut Cost) {
        let Some(group) = self.program.group(class) else { return };
        let (members, each) = self.reached(group, times);
        let sampled;
        let cost = match &self.groups[group as usize] {
            Some(cost) => cost,
            None => {
                sampled = self.sample(group, &self.program.groups[group as usize]);
                let unknown = members.iter().find(|&&member| self.general(member).is_none()).copied();
                unknown.into_iter().for_each(|member| self.cut_at(member));
                &sampled
            }
        };
        sum.add(cost, times * each);
    }
}
