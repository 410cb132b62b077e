//! What waits for what in the loops that a run was in: the chain of results that each round hands to the next, and loads
//! whose address is what a load of the round before read.
//!
//! A loop's rounds overlap in a processor that executes out of order, until they are held up by the longest of the chains
//! that go through them (the critical path: Fields, Rubin and Bodik, ISCA 2001). The chain is found from the code: a few
//! rounds are gone through with, for each value on the stack and in the locals, the longest path of operators behind it; what
//! it grows by from round to round is the chain. Parts that run in less than half of the rounds are taken as not there, and
//! values in memory as not waited for. Only functions that make up most of the run are looked at. Called by
//! [`crate::counting`] when a run is over.

use std::collections::BTreeMap;

use forewarm_analyzer::operators::effect;
use forewarm_types::OpClass;
use forewarm_types::counts::Chain;
use wasmparser::{
    FuncValidatorAllocations, FunctionBody, Operator, Parser, ValidPayload, Validator, WasmFeatures,
    WasmModuleResources,
};

use crate::instrument::{Layout, memory_argument, site_of};

/// Functions are looked at, greatest first, until they hold this share of the operators.
const SHARE: f64 = 0.98;

/// Chains kept.
const MOST_CHAINS: usize = 64;

/// Rounds gone through before a chain's growth is looked at, and as many after: enough for values handed on through a few
/// locals to show.
const ROUNDS: usize = 4;

/// Operators of the largest loop looked at.
const MOST_OPERATORS: usize = 4096;

/// Cycles a result of a class takes to be ready, by which the longest path is chosen: those of x86-64 processors since 2015
/// (Fog, "Instruction tables", 2024; Abel and Reineke, uops.info, ASPLOS 2019). What they cost in seconds is calibrated.
fn cycles(class: OpClass) -> f64 {
    match class {
        OpClass::Const | OpClass::Local | OpClass::Branch => 0.0,
        OpClass::IntMul => 3.0,
        OpClass::FloatAdd | OpClass::FloatMul => 4.0,
        OpClass::Load | OpClass::Call | OpClass::CallIndirect | OpClass::HostCall | OpClass::Convert => 5.0,
        OpClass::FloatDiv | OpClass::FloatSqrt => 14.0,
        OpClass::IntDiv | OpClass::Atomic => 20.0,
        _ => 1.0,
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    /// Loops that carry something, by falling operators.
    pub chains: Vec<Chain>,
    /// Sites of accesses whose address needs what was read in the round before.
    pub chased: Vec<u16>,
}

/// Looks at the loops of what ran; nothing where the module does not validate, which then would not have run.
pub(crate) fn find(wasm: &[u8], layout: &Layout, counters: &[u64]) -> Chains {
    let hot = hot(layout, counters);
    let mut found = Chains::default();
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut allocations = FuncValidatorAllocations::default();
    let mut number = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let Ok(Ok(valid)) = payload.as_ref().map(|payload| validator.payload(payload)) else { break };
        let ValidPayload::Func(function, body) = valid else { continue };
        if hot.get(number).copied().unwrap_or(false) {
            let mut validator = function.into_validator(std::mem::take(&mut allocations));
            if let Some(nodes) = nodes(&mut validator, &body, wasm) {
                Body { nodes: &nodes, layout, counters, function: number as u32 }.look(&mut found);
            }
            allocations = validator.into_allocations();
        }
        number += 1;
    }
    found.chains.sort_by_key(|chain| std::cmp::Reverse(chain.operators.values().sum::<u64>()));
    found.chains.truncate(MOST_CHAINS);
    found
}

/// Which functions hold most of the operators.
fn hot(layout: &Layout, counters: &[u64]) -> Vec<bool> {
    let mut operators = vec![0_u64; layout.functions.len()];
    for (stretch, times) in layout.stretches.iter().zip(counters) {
        operators[stretch.function as usize] += times * u64::from(stretch.operators);
    }
    let mut order: Vec<usize> = (0..operators.len()).filter(|function| operators[*function] > 0).collect();
    order.sort_by_key(|function| std::cmp::Reverse(operators[*function]));
    let enough = SHARE * operators.iter().sum::<u64>() as f64;
    let mut hot = vec![false; operators.len()];
    let mut held = 0.0;
    for function in order {
        if held >= enough {
            break;
        }
        held += operators[function] as f64;
        hot[function] = true;
    }
    hot
}

/// What an operator does to the stack and the locals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Get(u32),
    Set(u32),
    Tee(u32),
    /// Values in, values out.
    Makes(u32, u32),
    /// Blocks and branches: what is on the stack stays what it is.
    Structure,
}

/// An operator of a body.
#[derive(Debug)]
struct Node {
    does: Does,
    class: Option<OpClass>,
    offset: u64,
    /// The number of the access of memory 0 that it is, from 1 on.
    access: Option<u32>,
    /// Height of the stack behind it.
    height: usize,
    /// Of a `loop`, the node of its end.
    end: usize,
    calls: bool,
}

fn nodes(
    validator: &mut wasmparser::FuncValidator<impl WasmModuleResources>,
    body: &FunctionBody<'_>,
    wasm: &[u8],
) -> Option<Vec<Node>> {
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader).ok()?;
    let mut operators = body.get_operators_reader().ok()?;
    let (mut nodes, mut open): (Vec<Node>, Vec<Option<usize>>) = (Vec::new(), vec![None]);
    let mut accesses = 0;
    while !operators.eof() {
        let offset = operators.original_position();
        let operator = operators.read().ok()?;
        let encoded = wasm.get(offset..operators.original_position())?;
        let does = does(&operator, validator);
        validator.op(offset, &operator).ok()?;
        let effect = effect(encoded);
        let touches = matches!(effect.class, Some(OpClass::Load | OpClass::Store));
        let own = touches && memory_argument(encoded).is_some_and(|(memory, _)| memory == 0);
        accesses += u32::from(own);
        match operator {
            Operator::Loop { .. } => open.push(Some(nodes.len())),
            Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => open.push(None),
            Operator::End => {
                if let Some(Some(begin)) = open.pop() {
                    let end = nodes.len();
                    let begin: &mut Node = nodes.get_mut(begin)?;
                    begin.end = end;
                }
            }
            _ => {}
        }
        nodes.push(Node {
            does,
            class: effect.class,
            offset: offset as u64,
            access: own.then_some(accesses),
            height: validator.operand_stack_height() as usize,
            end: 0,
            calls: matches!(effect.class, Some(OpClass::Call | OpClass::CallIndirect | OpClass::HostCall)),
        });
    }
    Some(nodes)
}

fn does(operator: &Operator<'_>, validator: &wasmparser::FuncValidator<impl WasmModuleResources>) -> Does {
    use Operator as O;
    match operator {
        O::LocalGet { local_index } => Does::Get(*local_index),
        O::LocalSet { local_index } => Does::Set(*local_index),
        O::LocalTee { local_index } => Does::Tee(*local_index),
        O::Block { .. }
        | O::Loop { .. }
        | O::If { .. }
        | O::Else
        | O::End
        | O::TryTable { .. }
        | O::Br { .. }
        | O::BrIf { .. }
        | O::BrTable { .. }
        | O::Return
        | O::Unreachable => Does::Structure,
        _ => operator.operator_arity(validator).map_or(Does::Structure, |(takes, gives)| Does::Makes(takes, gives)),
    }
}

/// The longest path of operators behind a value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Path {
    cycles: f64,
    /// Operators on it by class; [`OpClass::Local`]: values handed on in locals.
    counts: [u32; OpClass::ALL.len()],
}

impl Path {
    fn with(mut self, class: OpClass) -> Self {
        self.cycles += cycles(class);
        self.counts[class as usize] += 1;
        self
    }

    fn longer(self, other: Self) -> Self {
        if other.cycles > self.cycles { other } else { self }
    }

    fn loads(&self) -> u32 {
        self.counts[OpClass::Load as usize]
    }
}

/// A function's body with what was counted of it.
struct Body<'a> {
    nodes: &'a [Node],
    layout: &'a Layout,
    counters: &'a [u64],
    function: u32,
}

/// What is behind each value while a loop is gone through.
#[derive(Default)]
struct State {
    stack: Vec<Path>,
    locals: BTreeMap<u32, Path>,
    /// By access, what is behind its address.
    addresses: BTreeMap<u32, Path>,
}

impl Body<'_> {
    fn look(&self, found: &mut Chains) {
        let own: Vec<usize> = (0..self.layout.stretches.len())
            .filter(|stretch| self.layout.stretches[*stretch].function == self.function)
            .collect();
        for (begin, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.end > 0) {
            let header = self.layout.loops.iter().find(|one| one.offset == node.offset);
            let Some(rounds) = header.map(|header| self.counters[header.header as usize]) else { continue };
            let body = &self.nodes[begin + 1..node.end];
            if rounds > 0 && body.len() <= MOST_OPERATORS {
                self.look_at(body, rounds, &own, found);
            }
        }
    }

    fn look_at(&self, body: &[Node], rounds: u64, own: &[usize], found: &mut Chains) {
        let often: Vec<u64> = body.iter().map(|node| self.times(node, own)).collect();
        let mut state = State::default();
        let go = |state: &mut State| {
            for (node, times) in body.iter().zip(&often) {
                state.step(node, 2 * times >= rounds);
            }
        };
        (0..ROUNDS).for_each(|_| go(&mut state));
        let (before, addresses) = (state.locals.clone(), std::mem::take(&mut state.addresses));
        (0..ROUNDS).for_each(|_| go(&mut state));
        for (access, path) in &state.addresses {
            let loads = addresses.get(access).map_or(0, Path::loads);
            if path.loads() >= loads + ROUNDS as u32 {
                found.chased.push(site_of(self.function, *access));
            }
        }
        let innermost = body.iter().all(|node| node.end == 0 && !node.calls);
        let grown = |(local, after): (&u32, &Path)| {
            let before = before.get(local).copied().unwrap_or_default();
            (after.cycles - before.cycles, before, *after)
        };
        let longest = state.locals.iter().map(grown).max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, before, after)) = longest.filter(|(growth, ..)| innermost && *growth > 0.0) {
            let mut operators = BTreeMap::new();
            for (node, times) in body.iter().zip(&often) {
                if let Some(class) = node.class {
                    *operators.entry(class).or_insert(0) += times;
                }
            }
            let path = OpClass::ALL.into_iter().zip(after.counts.iter().zip(&before.counts));
            let each = rounds as f64 / ROUNDS as f64;
            let path = path.filter(|(_, (after, before))| after > before);
            let path = path.map(|(class, (after, before))| (class, f64::from(after - before) * each)).collect();
            found.chains.push(Chain { operators, path });
        }
    }

    /// Times an operator was executed: those of the stretch it lies in.
    fn times(&self, node: &Node, own: &[usize]) -> u64 {
        let at = own.partition_point(|stretch| self.layout.stretches[*stretch].end < node.offset);
        own.get(at).map_or(0, |stretch| self.counters[*stretch])
    }
}

impl State {
    fn pop(&mut self) -> Path {
        self.stack.pop().unwrap_or_default()
    }

    /// One operator; what is set where control seldom comes changes nothing.
    fn step(&mut self, node: &Node, likely: bool) {
        match node.does {
            Does::Get(local) => self.stack.push(self.locals.get(&local).copied().unwrap_or_default()),
            Does::Set(local) => {
                let path = self.pop();
                self.keep(local, path, likely);
            }
            Does::Tee(local) => {
                let path = self.stack.last().copied().unwrap_or_default();
                self.keep(local, path, likely);
            }
            Does::Makes(takes, gives) => {
                let taken: Vec<Path> = (0..takes).map(|_| self.pop()).collect();
                // The address lies below everything else that an access takes.
                if let (Some(access), Some(address)) = (node.access, taken.last()) {
                    self.addresses.insert(access, *address);
                }
                let longest = taken.into_iter().fold(Path::default(), Path::longer);
                let made = node.class.map_or(longest, |class| longest.with(class));
                self.stack.extend((0..gives).map(|_| made));
            }
            Does::Structure => {}
        }
        self.stack.resize(node.height, Path::default());
    }

    fn keep(&mut self, local: u32, path: Path, likely: bool) {
        if likely {
            let handed = Path { cycles: path.cycles, ..path.with(OpClass::Local) };
            self.locals.insert(local, handed);
        }
    }
}
