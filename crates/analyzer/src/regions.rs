//! The loops and functions that matter, by falling share of the run. Called by [`crate::analyze`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use forewarm_types::Basis;
use forewarm_types::demand::{Contention, Dependence, Parallelism, ParallelismKind, Region, RegionKind};

use crate::dependence::Finding;
use crate::frontend::{Algorithms, Detail};
use crate::hash::QuickMap;
use crate::lanes::Lanes;
use crate::mix::{LOAD_BYTES, STORE_BYTES};
use crate::program::{Expr, Forest, Loop, NONE, Program, Trip};
use crate::summary::{LoopShare, Run};
use crate::{flags, memory};

/// Regions listed.
const MOST: usize = 200;

/// Lists the regions of a run.
pub(crate) fn list(program: &Program, detail: &mut dyn Detail, run: &Run) -> Vec<Region> {
    let whole = run.cost.total().weighted_mean(&run.weights).max(1.0);
    let share = |ops: crate::lanes::Lanes| (ops.weighted_mean(&run.weights) / whole).clamp(0.0, 1.0);
    let mut found: Vec<(f64, u32, Option<u32>)> = Vec::new();
    found.extend(run.functions.iter().map(|(&function, &ops)| (share(ops), function, None)));
    found.extend(run.loops.iter().map(|(&(function, index), part)| (share(part.ops), function, Some(index))));
    found.retain(|region| region.0 > 0.0);
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    found.truncate(MOST);
    let mut functions: Vec<u32> = found.iter().map(|region| region.1).collect();
    functions.sort_unstable();
    functions.dedup();
    let names = detail.names(&functions);
    let footprints = RefCell::default();
    let mut list = Lister { program, detail, run, names, loops: QuickMap::default(), footprints };
    found.into_iter().filter_map(|(share, function, index)| list.region(share, function, index)).collect()
}

/// Adds the functions that work with cryptography or checksums and are not listed: the run is not seen to reach them, or
/// there is no telling what a run is.
pub(crate) fn add_algorithms(regions: &mut Vec<Region>, detail: &dyn Detail, found: &Algorithms) {
    let listed: BTreeSet<u64> =
        regions.iter().filter(|region| region.kind == RegionKind::Function).map(|region| region.offset).collect();
    let functions: Vec<u32> = found.by_function.keys().copied().collect();
    let names = detail.names(&functions);
    let more = found.by_function.iter().filter_map(|(function, algorithms)| {
        let offset = detail.offset(*function).filter(|offset| !listed.contains(offset))?;
        let name = names.get(function).cloned().unwrap_or_else(|| format!("func[{function}]"));
        Some(Region { flags: flags::of_algorithms(algorithms.iter().copied()), ..blank(name, offset, 0.0) })
    });
    let more: Vec<Region> = more.take(MOST).collect();
    regions.extend(more);
}

/// The parallelism that a program of one thread leaves unused: where its largest loop for threads is, as many as that has
/// iterations.
pub(crate) fn unused_parallelism(regions: &[Region]) -> Option<Parallelism> {
    let for_threads = |region: &&Region| region.flags.iter().any(|flag| flag.benefits_from == "threads");
    let largest = regions.iter().find(for_threads)?;
    Some(Parallelism { kind: ParallelismKind::DataParallel, max_useful_threads: largest.trip_count })
}

/// Where memory's bandwidth bounds the run, and with it whatever else needs it.
pub(crate) fn bandwidth(regions: &[Region]) -> Vec<Contention> {
    let bound = |region: &&Region| region.flags.iter().any(|flag| flag.benefits_from == "fast-memory");
    let place = |region: &Region| Contention {
        kind: "memory-bandwidth".to_owned(),
        location: format!("the loop at {:#x} in {}", region.offset, region.function),
    };
    regions.iter().filter(bound).map(place).collect()
}

/// A function of which nothing else is known.
fn blank(function: String, offset: u64, share: f64) -> Region {
    Region {
        function,
        kind: RegionKind::Function,
        offset,
        depth: 0,
        share,
        self_share: 0.0,
        trip_count: None,
        trip_expression: None,
        dependence: Dependence::Unknown,
        dependence_reason: None,
        dependence_condition: None,
        reductions: Vec::new(),
        accesses: None,
        footprint_bytes: None,
        traffic_bytes: None,
        flags: Vec::new(),
        location: None,
        gil: None,
    }
}

struct Lister<'a> {
    program: &'a Program,
    detail: &'a mut dyn Detail,
    run: &'a Run,
    names: BTreeMap<u32, String>,
    /// The loops of functions that were met, by number.
    loops: QuickMap<u32, Vec<Option<&'a LoopShare>>>,
    /// Footprints that were told, by function and number of the loop: of a nest several loops ask for those around them.
    footprints: RefCell<QuickMap<(u32, u32), Lanes>>,
}

impl<'a> Lister<'a> {
    /// Finds the part in the run of each loop of a function, by number.
    fn find_loops(&mut self, function: u32) {
        let run = self.run;
        self.loops.entry(function).or_insert_with(|| {
            let mut all = Vec::new();
            for (&(_, index), part) in run.loops.range((function, 0)..=(function, u32::MAX)) {
                all.resize(index as usize, None);
                all.push(Some(part));
            }
            all
        });
    }

    fn region(&mut self, share: f64, function: u32, index: Option<u32>) -> Option<Region> {
        let name = self.names.get(&function).cloned().unwrap_or_else(|| format!("func[{function}]"));
        let base = blank(name, self.detail.offset(function)?, share);
        let Some(index) = index else {
            let algorithms = self.detail.algorithms(function);
            let own = self.run.own.get(&function).copied().unwrap_or(0.0);
            let whole = self.run.cost.ops.weighted_mean(&self.run.weights).max(1.0);
            let self_share = (own / whole).clamp(0.0, 1.0);
            return Some(Region { self_share, flags: flags::of_algorithms(algorithms), ..base });
        };
        let (forest, tree) = self.program.tree(function)?;
        let entry = forest.loops.get((tree.loops.start + index) as usize)?;
        let part = self.run.loops.get(&(function, index))?;
        let loops = &forest.loops[tree.loops.start as usize..tree.loops.end as usize];
        let region = Region {
            kind: RegionKind::Loop,
            offset: entry.offset,
            depth: entry.depth,
            self_share: self.own_share(function, index, loops),
            trip_count: Some(part.trips.estimate(Basis::Static)),
            trip_expression: expression(forest, &entry.trip),
            ..base
        };
        Some(self.with_memory(region, function, part))
    }

    /// The share of a loop's own code, without the loops inside it and what it calls; 0 where its function does too little itself
    /// to be looked into. The loops of a function stand in preorder of their nest.
    fn own_share(&self, function: u32, index: u32, loops: &[Loop]) -> f64 {
        let executed = |index: u32| {
            let part = self.run.loops.get(&(function, index));
            part.map_or(0.0, |part| part.mix[..LOAD_BYTES].iter().sum::<f64>())
        };
        let depth = loops[index as usize].depth;
        let behind = (index + 1..).zip(&loops[index as usize + 1..]);
        let inside = behind.take_while(|inner| inner.1.depth > depth).filter(|inner| inner.1.depth == depth + 1);
        let own = executed(index) - inside.map(|inner| executed(inner.0)).sum::<f64>();
        let whole = self.run.cost.ops.weighted_mean(&self.run.weights).max(1.0);
        (own / whole).clamp(0.0, 1.0)
    }

    /// The region with what is known of its dependence and of what it does with memory.
    fn with_memory(&mut self, region: Region, function: u32, part: &LoopShare) -> Region {
        let run = self.run;
        let (Some(finding), Some(accesses)) = (&part.finding, run.accesses.get(&function)) else {
            let reason = "it takes too small a part in the run to be looked into";
            return Region { dependence_reason: Some(reason.to_owned()), ..region };
        };
        self.find_loops(function);
        let loops = self.loops.get(&function).map(Vec::as_slice).unwrap_or_default();
        let other = |of: u32| loops.get(of as usize).copied().flatten();
        let trips = |of: u32| other(of).map_or(Lanes::ONE, |inner| inner.trips);
        let told = |finding: &Finding| {
            let known = self.footprints.borrow().get(&(function, finding.of)).copied();
            known.unwrap_or_else(|| {
                let fresh = memory::footprint(accesses, finding, &trips);
                self.footprints.borrow_mut().insert((function, finding.of), fresh);
                fresh
            })
        };
        let footprint_of = |of: u32| other(of)?.finding.as_ref().map(told);
        let footprint = told(finding);
        let operators = part.ops.weighted_estimate(&run.weights, Basis::Static);
        let bytes = part.mix[LOAD_BYTES] + part.mix[STORE_BYTES];
        let pattern = memory::pattern(accesses, finding);
        let share = region.share;
        let facts = flags::Facts {
            part,
            finding,
            accesses,
            pattern: &pattern,
            footprint,
            share,
            other: &other,
            footprint_of: &footprint_of,
        };
        let flags = flags::of_loop(&facts);
        Region {
            dependence: finding.dependence,
            dependence_reason: finding.why.map(|why| why.words().to_owned()),
            dependence_condition: finding.condition.clone(),
            reductions: finding.accumulates.iter().map(|family| family.name().to_owned()).collect(),
            accesses: Some(pattern),
            footprint_bytes: Some(footprint.weighted_estimate(&run.weights, Basis::Static)),
            traffic_bytes: Some(memory::traffic(bytes, part.ops.weighted_mean(&run.weights), operators)),
            flags,
            ..region
        }
    }
}

/// A trip count as text, where it depends on parameters alone: parameters are `p0`, `p1`, …
fn expression(forest: &Forest, trip: &Trip) -> Option<String> {
    let Trip::Formula { start, len, constant, step, per: NONE } = *trip else { return None };
    let terms = forest.terms.get(start as usize..(start + len) as usize)?;
    if terms.is_empty() {
        return None;
    }
    // ceil(distance / step) + 1 = ceil((distance + step) / step)
    let offset = constant.checked_add(step)?;
    let divides = offset % step == 0 && terms.iter().all(|term| term.1 % step == 0);
    let by = if divides { step } else { 1 };
    let mut text = String::new();
    for &(expr, coefficient) in terms {
        let name = operand(forest, expr, 0)?;
        push_term(&mut text, coefficient / by, &name);
    }
    match offset / by {
        0 => {}
        value if value < 0 => text.push_str(&format!(" - {}", value.unsigned_abs())),
        value => text.push_str(&format!(" + {value}")),
    }
    Some(if divides { text } else { format!("ceil(({text}) / {step})") })
}

fn push_term(text: &mut String, coefficient: i64, name: &str) {
    let sign = match (text.is_empty(), coefficient < 0) {
        (true, false) => "",
        (true, true) => "-",
        (false, false) => " + ",
        (false, true) => " - ",
    };
    text.push_str(sign);
    match coefficient.unsigned_abs() {
        1 => text.push_str(name),
        factor => text.push_str(&format!("{factor}*{name}")),
    }
}

fn operand(forest: &Forest, expr: u32, depth: u32) -> Option<String> {
    if depth > 4 {
        return None;
    }
    match *forest.exprs.get(expr as usize)? {
        Expr::Const(value) => Some(value.to_string()),
        Expr::Param(index) => Some(format!("p{index}")),
        Expr::Linear { x, scale, offset } => {
            let mut text = String::new();
            push_term(&mut text, scale, &operand(forest, x, depth + 1)?);
            if offset != 0 {
                push_term(&mut text, offset, "1");
            }
            Some(format!("({text})"))
        }
        Expr::Operation { code: code @ (crate::values::MIN | crate::values::MAX), a, b } => {
            let name = if code == crate::values::MIN { "min" } else { "max" };
            Some(format!("{name}({}, {})", operand(forest, a, depth + 1)?, operand(forest, b, depth + 1)?))
        }
        Expr::Operation { code, a, b } => {
            let sign = match code {
                0x71 | 0x83 => "&",
                0x75 | 0x76 | 0x87 | 0x88 => ">>",
                0x6c | 0x7e => "*",
                0x6d | 0x6e | 0x7f | 0x80 => "/",
                0x6f | 0x70 | 0x81 | 0x82 => "%",
                _ => return None,
            };
            Some(format!("({} {sign} {})", operand(forest, a, depth + 1)?, operand(forest, b, depth + 1)?))
        }
        Expr::Phi(phi) => match forest.phis.get(phi as usize)?.step {
            Some(0) => operand(forest, forest.phis[phi as usize].init, depth + 1),
            _ => None,
        },
        Expr::Word { .. } | Expr::Opaque { .. } | Expr::Either(..) | Expr::Between(..) | Expr::Choose { .. } => None,
    }
}
