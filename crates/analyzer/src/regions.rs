//! The loops and functions that matter, by falling share of the run. Called by [`crate::analyze`].

use std::collections::{BTreeMap, BTreeSet};

use forewarm_types::Basis;
use forewarm_types::demand::{Dependence, Region, RegionKind};

use crate::frontend::wasm::decode::Decoded;
use crate::frontend::wasm::module::Module;
use crate::program::{Expr, Forest, NONE, Trip};
use crate::summary::{Run, Trees};
use crate::{Depth, flags, signatures};

/// Regions listed for a plan, and for people.
const MOST_FOR_A_RUN: usize = 20;
const MOST_IN_FULL: usize = 200;

/// Lists the regions of a run.
pub(crate) fn list(module: &Module<'_>, trees: &Trees, run: &Run, depth: Depth) -> Vec<Region> {
    let whole = run.cost.total().weighted_mean(&run.weights).max(1.0);
    let share = |ops: crate::lanes::Lanes| (ops.weighted_mean(&run.weights) / whole).clamp(0.0, 1.0);
    let mut found: Vec<(f64, u32, Option<u32>)> = Vec::new();
    found.extend(run.functions.iter().map(|(&function, &ops)| (share(ops), function, None)));
    found.extend(run.loops.iter().map(|(&(function, index), part)| (share(part.ops), function, Some(index))));
    found.retain(|region| region.0 > 0.0);
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    found.truncate(if depth == Depth::Run { MOST_FOR_A_RUN } else { MOST_IN_FULL });
    let names = names(module, found.iter().map(|region| region.1));
    let mut list = Lister { module, trees, run, names, crypto: None };
    if depth == Depth::Full {
        list.crypto = Some((signatures::tables(module), Decoded::default()));
    }
    found.into_iter().filter_map(|(share, function, index)| list.region(share, function, index)).collect()
}

struct Lister<'a> {
    module: &'a Module<'a>,
    trees: &'a Trees,
    run: &'a Run,
    names: BTreeMap<u32, String>,
    /// Tables of cryptography, and a decoder; only where people ask.
    crypto: Option<(Vec<signatures::Table>, Decoded)>,
}

impl Lister<'_> {
    fn region(&mut self, share: f64, function: u32, index: Option<u32>) -> Option<Region> {
        let name = self.names.get(&function).cloned().unwrap_or_else(|| format!("func[{function}]"));
        let base = Region {
            function: name,
            kind: RegionKind::Function,
            offset: self.module.body(function)?.offset,
            depth: 0,
            share,
            trip_count: None,
            trip_expression: None,
            dependence: Dependence::Unknown,
            flags: Vec::new(),
        };
        let Some(index) = index else {
            return Some(Region { flags: flags::of_algorithms(self.algorithms(function)), ..base });
        };
        let (forest, tree) = self.trees.functions.get((function as usize).checked_sub(self.module.imports.len())?)?;
        let forest = self.trees.forests.get(*forest as usize)?;
        let entry = forest.loops.get((tree.loops.start + index) as usize)?;
        let part = self.run.loops.get(&(function, index))?;
        Some(Region {
            kind: RegionKind::Loop,
            offset: entry.offset,
            depth: entry.depth,
            trip_count: Some(part.trips.estimate(Basis::Static)),
            trip_expression: expression(forest, &entry.trip),
            dependence: part.finding.map_or(Dependence::Unknown, |finding| finding.dependence),
            flags: flags::of_loop(part, share),
            ..base
        })
    }

    fn algorithms(&mut self, function: u32) -> BTreeSet<&'static str> {
        let params = self.module.function_signature(function).map_or(0, |signature| u32::from(signature.params));
        let (Some((tables, decoded)), Some(body)) = (&mut self.crypto, self.module.body(function)) else {
            return BTreeSet::new();
        };
        match decoded.read(self.module, body.bytes, body.offset, params, &mut 0) {
            Ok(()) => signatures::algorithms(&decoded.ops, tables),
            Err(_) => BTreeSet::new(),
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
        Expr::Opaque { .. } | Expr::Either(..) => None,
    }
}

/// Names of some functions, from the name section.
fn names(module: &Module<'_>, wanted: impl Iterator<Item = u32>) -> BTreeMap<u32, String> {
    let mut out: BTreeMap<u32, String> = wanted.map(|function| (function, String::new())).collect();
    if let Some(reader) = module.names.clone() {
        for name in reader.into_iter().map_while(Result::ok) {
            if let wasmparser::Name::Function(map) = name {
                for naming in map.into_iter().map_while(Result::ok) {
                    if let Some(place) = out.get_mut(&naming.index) {
                        *place = naming.name.chars().take(300).collect();
                    }
                }
                break;
            }
        }
    }
    for (name, function) in &module.exports {
        if let Some(place) = out.get_mut(function).filter(|place| place.is_empty()) {
            (*name).clone_into(place);
        }
    }
    out.retain(|_, name| !name.is_empty());
    out
}
