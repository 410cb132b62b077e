//! Generated affine loop nests: what the analyzer says of each loop's dependence, beside what running every iteration
//! in the head shows. It must never call iterations independent that are not, nor carried what nothing carries.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;

use forewarm_analyzer::{Depth, analyze, binary};
use forewarm_types::demand::{Dependence, RegionKind};
use forewarm_types::{Analysis, Bytes, Digest};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// Loops nest this deep at most.
const DEPTH: usize = 3;

#[derive(Debug, Clone)]
enum Item {
    /// A load or store at `base + sum(coefficient * index)`.
    Access {
        store: bool,
        wide: bool,
        base: i32,
        coefficients: [i32; DEPTH],
    },
    Loop {
        trips: i32,
        pointer: bool,
        body: Vec<Item>,
    },
    /// Something done to one of two further locals.
    Scalar {
        local: usize,
        what: Scalar,
    },
}

#[derive(Debug, Clone, Copy)]
enum Scalar {
    /// A loaded number is added.
    Add,
    /// A loaded number is added, depending on it.
    AddIf,
    /// It is set to a number.
    Set,
    /// It is set to a number, depending on what was loaded.
    SetIf,
    /// It is used for something else.
    Use,
    /// The other one is set to it.
    Copy,
    /// It becomes the larger of itself and a loaded number.
    Max,
}

fn scalar() -> impl Strategy<Value = Item> {
    use Scalar::{Add, AddIf, Copy, Max, Set, SetIf, Use};
    let what = prop_oneof![4 => Just(Add), 1 => Just(AddIf), 2 => Just(Set), 1 => Just(SetIf), 2 => Just(Use), 1 => Just(Copy), 2 => Just(Max)];
    (0..2_usize, what).prop_map(|(local, what)| Item::Scalar { local, what })
}

fn access() -> impl Strategy<Value = Item> {
    let coefficient = prop_oneof![Just(0), Just(4), Just(8), Just(-4), Just(12), Just(16), Just(20), Just(40), Just(2)];
    (any::<bool>(), any::<bool>(), 0..24_i32, proptest::array::uniform3(coefficient))
        .prop_map(|(store, wide, base, coefficients)| Item::Access { store, wide, base: 4096 + base * 4, coefficients })
}

/// A nest whose innermost items are those given.
fn nest_of(item: BoxedStrategy<Item>) -> impl Strategy<Value = Item> {
    let access = move || item.clone();
    let wrap = |inner: BoxedStrategy<Item>| {
        (1..6_i32, any::<bool>(), proptest::collection::vec(inner, 1..4))
            .prop_map(|(trips, pointer, body)| Item::Loop { trips, pointer, body })
            .boxed()
    };
    let inner = wrap(access().boxed());
    let middle = wrap(prop_oneof![access().boxed(), inner].boxed());
    wrap(prop_oneof![1 => access().boxed(), 2 => middle].boxed())
}

fn nest() -> impl Strategy<Value = Item> {
    nest_of(access().boxed())
}

/// The text of a nest; loops count in `$i0`, `$i1`, … by depth, up by one or down to zero.
fn text(item: &Item, depth: usize, label: &mut u32, out: &mut String) {
    match item {
        Item::Scalar { local, what } => {
            let (own, other) = (format!("$s{local}"), format!("$s{}", 1 - local));
            let load = "(i32.load (i32.const 64))";
            let sum = format!("(local.set {own} (i32.add (local.get {own}) {load}))");
            let set = format!("(local.set {own} (i32.const 7))");
            let line = match what {
                Scalar::Add => sum,
                Scalar::AddIf => format!("(if {load} (then {sum}))"),
                Scalar::Set => set,
                Scalar::SetIf => format!("(if {load} (then {set}))"),
                Scalar::Use => format!("(drop (i32.mul (local.get {own}) (i32.const 3)))"),
                Scalar::Copy => format!("(local.set {other} (local.get {own}))"),
                Scalar::Max => format!(
                    "(local.set $x {load}) (local.set {own} (select (local.get $x) (local.get {own}) \
                     (i32.gt_s (local.get $x) (local.get {own}))))"
                ),
            };
            writeln!(out, "{line}").unwrap();
        }
        Item::Access { store, wide, base, coefficients } => {
            let mut address = format!("(i32.const {base})");
            for (level, coefficient) in coefficients.iter().enumerate().take(depth).filter(|term| *term.1 != 0) {
                address = format!("(i32.add {address} (i32.mul (local.get $i{level}) (i32.const {coefficient})))");
            }
            let of = if *wide { "i64" } else { "i32" };
            if *store {
                writeln!(out, "({of}.store {address} ({of}.const 1))").unwrap();
            } else {
                writeln!(out, "(drop ({of}.load {address}))").unwrap();
            }
        }
        Item::Loop { trips, pointer, body } => {
            *label += 1;
            let name = format!("$l{label}");
            writeln!(out, "(local.set $i{depth} (i32.const 0)) (loop {name}").unwrap();
            body.iter().for_each(|item| text(item, depth + 1, label, out));
            let next = format!("(local.tee $i{depth} (i32.add (local.get $i{depth}) (i32.const 1)))");
            let test = if *pointer { "i32.ne" } else { "i32.lt_s" };
            writeln!(out, "(br_if {name} ({test} {next} (i32.const {trips}))))").unwrap();
        }
    }
}

/// A byte range touched by an access of an iteration, told by the indices of the loops around it.
struct Touch {
    loops: Vec<(usize, i32)>,
    begin: i64,
    end: i64,
    store: bool,
}

/// Lists the loops in order, and everything that running the nest touches.
fn run(item: &Item, around: &mut Vec<(usize, i32)>, number: &mut usize, touches: &mut Vec<Touch>) {
    match item {
        Item::Scalar { .. } => {}
        Item::Access { store, wide, base, coefficients } => {
            let moved = around.iter().zip(coefficients).map(|(index, by)| index.1 * by).sum::<i32>();
            let begin = i64::from(base + moved);
            let end = begin + if *wide { 8 } else { 4 };
            touches.push(Touch { loops: around.clone(), begin, end, store: *store });
        }
        Item::Loop { trips, body, .. } => {
            let own = *number;
            for index in 0..*trips {
                *number = own + 1;
                around.push((own, index));
                body.iter().for_each(|item| run(item, around, number, touches));
                around.pop();
            }
        }
    }
}

/// Whether two iterations of a loop, within one iteration of the loops around it, touch a byte that one of them writes.
fn depends(of: usize, touches: &[Touch]) -> bool {
    let inside: Vec<_> =
        touches.iter().filter_map(|t| t.loops.iter().position(|l| l.0 == of).map(|at| (at, t))).collect();
    inside.iter().enumerate().any(|(index, (at, first))| {
        inside[index + 1..].iter().any(|(_, second)| {
            first.loops[..*at] == second.loops[..*at]
                && first.loops[*at] != second.loops[*at]
                && (first.store || second.store)
                && first.begin < second.end
                && second.begin < first.end
        })
    })
}

fn analysis(text: &str) -> Analysis {
    let bytes = binary(text.as_bytes()).unwrap();
    analyze(&bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full).unwrap()
}

/// What the analyzer says of each loop, in order of the code.
fn said(source: &str) -> Vec<Dependence> {
    let analysis = analysis(source);
    let mut loops: Vec<_> = analysis.regions.iter().filter(|region| region.kind == RegionKind::Loop).collect();
    loops.sort_by_key(|region| region.offset);
    loops.iter().map(|region| region.dependence).collect()
}

fn module(body: &str, params: &str) -> String {
    format!(
        "(module (memory 1) (func (export \"_start\") {params} (local $i0 i32) (local $i1 i32) (local $i2 i32) (local $s0 i32) (local $s1 i32) (local $x i32)\n{body}))"
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]
    #[test]
    fn no_loop_is_called_independent_that_is_not(nest in nest()) {
        let mut body = String::new();
        text(&nest, 0, &mut 0, &mut body);
        let source = module(&body, "");
        let (mut touches, mut loops) = (Vec::new(), 0);
        run(&nest, &mut Vec::new(), &mut loops, &mut touches);
        let said = said(&source);
        prop_assert!(said.len() == loops, "{} of {loops} loops told of\n{source}", said.len());
        for (of, said) in said.into_iter().enumerate() {
            let truth = depends(of, &touches);
            prop_assert!(said != Dependence::Independent || !truth, "loop {of} is not independent\n{source}");
            prop_assert!(said != Dependence::Reduction, "loop {of} accumulates nothing\n{source}");
            prop_assert!(said != Dependence::Carried || truth, "loop {of} carries nothing\n{source}");
        }
    }
}

/// What a local may hold: the iterations in which the numbers in it were put there, and in which it was added to.
#[derive(Debug, Clone, Default)]
struct Held(Vec<Vec<(usize, i32)>>);

/// Runs what is done to the two locals; notes each loop of which an iteration uses what an earlier one left, first
/// those where the use is not an accumulation, then all.
fn flow(
    item: &Item,
    around: &mut Vec<(usize, i32)>,
    number: &mut usize,
    held: &mut [Held; 2],
    found: &mut [Vec<usize>; 2],
) {
    // The loops of which an earlier iteration, within one iteration of the loops around, wrote what is held.
    let carried = |held: &Held, around: &[(usize, i32)]| -> Vec<usize> {
        let differs = |from: &Vec<(usize, i32)>| {
            (0..around.len())
                .find(|&at| from.get(at) != Some(&around[at]))
                .filter(|&at| from.get(at).is_some_and(|l| l.0 == around[at].0))
        };
        held.0.iter().filter_map(differs).map(|at| around[at].0).collect()
    };
    match item {
        Item::Access { .. } => {}
        Item::Scalar { local, what } => {
            let from = carried(&held[*local], around);
            let here = Held(vec![around.clone()]);
            match what {
                Scalar::Add | Scalar::AddIf | Scalar::Max => {
                    found[1].extend(from);
                    held[*local].0.push(around.clone());
                }
                Scalar::Set => held[*local] = here,
                Scalar::SetIf => held[*local].0.push(around.clone()),
                Scalar::Use => {
                    found[0].extend(&from);
                    found[1].extend(from);
                }
                // A copy is no use; what was copied keeps its origin.
                Scalar::Copy => held[1 - local] = held[*local].clone(),
            }
        }
        Item::Loop { trips, body, .. } => {
            let own = *number;
            for index in 0..*trips {
                *number = own + 1;
                around.push((own, index));
                body.iter().for_each(|item| flow(item, around, number, held, found));
                around.pop();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]
    #[test]
    fn values_that_flow_between_iterations_are_told(nest in nest_of(scalar().boxed())) {
        let mut body = String::new();
        text(&nest, 0, &mut 0, &mut body);
        let source = module(&body, "");
        let mut found = [Vec::new(), Vec::new()];
        flow(&nest, &mut Vec::new(), &mut 0, &mut [Held::default(), Held::default()], &mut found);
        for (of, said) in said(&source).into_iter().enumerate() {
            prop_assert!(said != Dependence::Independent || !found[1].contains(&of), "loop {of} carries a value\n{source}");
            prop_assert!(said != Dependence::Reduction || !found[0].contains(&of), "loop {of} uses a sum\n{source}");
        }
    }
}

#[test]
fn most_nests_are_decided() {
    // The tests must not be passed by knowing nothing.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut decided, mut all) = (0, 0);
    for _ in 0..300 {
        let nest = nest().new_tree(&mut runner).unwrap().current();
        let mut body = String::new();
        text(&nest, 0, &mut 0, &mut body);
        let said = said(&module(&body, ""));
        all += said.len();
        decided += said.iter().filter(|said| **said != Dependence::Unknown).count();
    }
    assert!(decided * 100 >= all * 95, "{decided} of {all}");
}
