//! What must not change the analyzer's counts, and what must change them in a known way: names, the order of functions,
//! and the constants that bound loops.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use forewarm_analyzer::{Depth, analyze, binary};
use forewarm_types::{Bytes, Digest, Estimate};

/// A function of the program under test: its name and its text, in which `$name` stands for calls of others.
const FUNCTIONS: [(&str, &str); 5] = [
    (
        "scan",
        "(param $p i32) (result i32) (local $n i32)
           loop
             (local.set $n (i32.add (local.get $n) (i32.const 1)))
             (br_if 0 (i32.load8_u (i32.add (local.get $p) (local.get $n))))
           end
           (local.get $n)",
    ),
    (
        "walk",
        "(param $p i32) (result i32)
           (if (result i32) (i32.eqz (local.get $p)) (then (i32.const 0)) (else
             (i32.add (call $walk (i32.load (local.get $p))) (call $walk (i32.load offset=4 (local.get $p))))))",
    ),
    (
        "nest",
        "(param $n i32) (local $i i32) (local $j i32)
           (local.set $i (i32.const 0))
           loop
             (local.set $j (i32.const 0))
             loop
               (i32.store8 (local.get $j) (local.get $i))
               (br_if 0 (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n)))
             end
             (br_if 0 (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))
           end",
    ),
    ("choose", "(param $x i32) (if (i32.load (local.get $x)) (then (call $nest (i32.const 7))))"),
    (
        "start",
        "(export \"_start\")
           (call $nest (i32.const 40)) (call $choose (call $scan (i32.const 64))) (drop (call $walk (i32.const 128)))",
    ),
];

fn total(text: &str) -> Estimate {
    let bytes = binary(text.as_bytes()).unwrap();
    let analysis = analyze(&bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full).unwrap();
    analysis.profile.ops.total.unwrap()
}

/// The program with its functions in an order, each name passed through `rename`.
fn program(order: &[usize], rename: impl Fn(&str) -> String) -> String {
    let mut text = "(module (memory 1)".to_owned();
    for &index in order {
        let (name, body) = FUNCTIONS[index];
        let mut body = body.to_owned();
        for (callee, _) in FUNCTIONS {
            body = body.replace(&format!("call ${callee}"), &format!("call ${}", rename(callee)));
        }
        text += &format!("(func ${} {body})", rename(name));
    }
    text + ")"
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

#[test]
fn names_and_order_change_no_count() {
    let first = total(&program(&[0, 1, 2, 3, 4], str::to_owned));
    assert!(first.low < first.high, "the program must hold unknowns: {first:?}");
    let same = |order: &[usize], rename: &dyn Fn(&str) -> String| {
        let other = total(&program(order, rename));
        let ends = [(first.low, other.low), (first.expected, other.expected), (first.high, other.high)];
        assert!(ends.iter().all(|&(a, b)| close(a, b)), "{order:?}: {first:?} {other:?}");
    };
    same(&[0, 1, 2, 3, 4], &|name| format!("renamed_{}", name.len()) + name);
    for order in [[4, 3, 2, 1, 0], [2, 4, 0, 3, 1], [1, 0, 4, 2, 3]] {
        same(&order, &str::to_owned);
    }
}

#[test]
fn stripping_changes_no_count() {
    let text = program(&[0, 1, 2, 3, 4], str::to_owned);
    let named = binary(text.as_bytes()).unwrap();
    // The name section is the last; its identifier is 0 and it names itself.
    let at = named.windows(5).rposition(|window| window == b"\x04name").unwrap();
    let start = (0..at).rev().find(|&start| named[start] == 0).unwrap();
    let stripped = &named[..start];
    let of = |bytes: &[u8]| {
        let analysis = analyze(bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full).unwrap();
        analysis.profile.ops
    };
    assert!(stripped.len() < named.len());
    assert_eq!(of(stripped), of(&named));
}

/// A nest of loops over one constant: `square` by itself, or triangular.
fn nest(n: u32, triangular: bool) -> f64 {
    let bound =
        if triangular { "(i32.add (local.get $i) (i32.const 1))".to_owned() } else { format!("(i32.const {n})") };
    let text = format!(
        "(module (memory 1) (func (export \"_start\") (local $i i32) (local $j i32) (local $k i32)
           loop
             (local.set $j (i32.const 0))
             loop
               (local.set $k (i32.const 0))
               loop
                 (i32.store8 (local.get $k) (local.get $j))
                 (br_if 0 (i32.lt_s (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const {n})))
               end
               (br_if 0 (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 1))) {bound}))
             end
             (br_if 0 (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {n})))
           end))"
    );
    let total = total(&text);
    assert!(total.low == total.high, "all trips are known: {total:?}");
    total.expected
}

#[test]
fn a_constant_scales_the_count_as_the_nest_says() {
    for triangular in [false, true] {
        // A polynomial of the third degree: its fourth differences vanish, its third are six times the leading term.
        let mut row: Vec<f64> = (1..=6).map(|k| nest(20 * k, triangular)).collect();
        let size = row[5];
        for _ in 0..3 {
            row = row.windows(2).map(|pair| pair[1] - pair[0]).collect();
        }
        let body = if triangular { 4.5 } else { 9.0 };
        let leading = row[0] / 6.0 / 8000.0;
        assert!((leading - body).abs() < 0.6 * body, "{leading}");
        assert!(row.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 1e-6 * size), "{row:?}");
    }
}

#[test]
fn trips_times_a_factor_count_in_proportion() {
    let base = |k: u32| nest(10 * k, false);
    let ratio = base(20) / base(10);
    assert!((7.9..8.0).contains(&ratio), "{ratio}");
}

/// A program's text with a function of 80 KB behind it that nothing calls.
fn padded(text: &str) -> String {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with(";;")).collect();
    let code = code.join("\n");
    let end = code.rfind(')').unwrap();
    format!("{} (func {}))", &code[..end], "(drop (i32.const 1000000))".repeat(16_000))
}

/// Of a large program only what a run comes to is laid out: that must tell the same as laying out all of it.
#[test]
fn functions_that_nothing_calls_change_no_estimate() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let mut met = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.lines().any(|line| line.starts_with("(module")) {
            continue;
        }
        let of = |text: &str| {
            let bytes = binary(text.as_bytes()).unwrap().into_owned();
            let analysis = analyze(&bytes, Digest([0; 32]), Bytes(0), Depth::Full).unwrap();
            let loops = |region: &forewarm_types::demand::Region| {
                format!("{:?} {:?} {:?} {:?}", region.function, region.share, region.trip_count, region.dependence)
            };
            let calls: Vec<_> = analysis.profile.io.iter().map(|io| io.calls).collect();
            let memory = analysis.profile.memory.peak_bytes;
            (analysis.profile.ops, memory, calls, analysis.regions.iter().map(loops).collect::<Vec<_>>())
        };
        let (small, large) = (of(&text), of(&padded(&text)));
        assert_eq!(small.0, large.0, "{}", path.display());
        assert_eq!((small.1, small.2, small.3), (large.1, large.2, large.3), "{}", path.display());
        met += 1;
    }
    assert!(met > 20, "{met}");
}
