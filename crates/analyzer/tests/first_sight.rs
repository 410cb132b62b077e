//! What a first run is told of a module too large to be understood whole before it: what lies near the entry point as it
//! is, proposals it uses included, and the rest as a guess that says so.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;

use forewarm_analyzer::{Depth, analyze, binary};
use forewarm_types::{Analysis, Bytes, Digest, Tier};

/// A module whose `_start` is given, with `functions` besides and 300 KB of functions called `far0` and up.
fn module(start: &str, functions: &str) -> Vec<u8> {
    let mut text = format!("(module (func (export \"_start\") {start}) {functions}\n");
    for number in 0..300 {
        let body = "(drop (i32.const 1000000))".repeat(200);
        let next = if number < 299 { format!("call $far{}", number + 1) } else { String::new() };
        writeln!(text, "(func $far{number} {body} {next})").unwrap();
    }
    text.push(')');
    binary(text.as_bytes()).unwrap().into_owned()
}

fn at(depth: Depth, bytes: &[u8]) -> Analysis {
    analyze(bytes, Digest([0; 32]), Bytes(bytes.len() as u64), depth).unwrap()
}

#[test]
fn what_is_near_is_told_exactly() {
    let bytes = module("call $near", "(func $near (drop (i32.const 1)))");
    let (run, full) = (at(Depth::Run, &bytes), at(Depth::Full, &bytes));
    assert_eq!(run.profile.ops, full.profile.ops);
    assert_eq!(run.profile.ops.total.unwrap().width_ratio(), 1.0);
    assert!(run.warnings.is_empty() && !run.profile.input_dependent, "{:?}", run.warnings);
}

#[test]
fn what_is_far_is_guessed_and_said_to_be() {
    let bytes = module("call $far0", "");
    let (run, full) = (at(Depth::Run, &bytes), at(Depth::Full, &bytes));
    let (guess, truth) = (run.profile.ops.total.unwrap(), full.profile.ops.total.unwrap().expected);
    assert!(guess.low < truth && truth < guess.high && guess.width_ratio() > 10.0, "{guess:?} for {truth}");
    assert!(run.profile.input_dependent && run.warnings.iter().any(|warning| warning.contains("not looked into")));
    assert!(full.warnings.is_empty(), "{:?}", full.warnings);
}

#[test]
fn what_is_near_tells_the_proposals_it_uses() {
    let rows = [
        ("return_call $near", Some(Tier::Winch), "tail-call"),
        ("(drop (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0)))", Some(Tier::Winch), "relaxed-simd"),
        ("(drop (v128.const i32x4 0 0 0 0))", None, "simd"),
        ("(drop (i32.extend8_s (i32.const 1)))", None, "sign-extension"),
        ("(block $b (try_table (catch_all $b)))", Some(Tier::Winch), "exceptions"),
    ];
    for (body, refused, proposal) in rows {
        let near = "(func $other) (func $near (drop (i32.const 1))".to_owned() + &body.replace("$near", "$other") + ")";
        let bytes = module("call $near", &near);
        let (run, full) = (at(Depth::Run, &bytes), at(Depth::Full, &bytes));
        assert!(run.profile.isa.required.iter().any(|found| found == proposal), "{proposal}");
        assert_eq!(run.profile.isa, full.profile.isa);
        assert_eq!(run.profile.compile, full.profile.compile);
        assert_eq!(refused.is_some(), run.profile.compile.unsupported.contains_key(&Tier::Winch), "{proposal}");
    }
}

#[test]
fn one_vast_function_leaves_room_for_the_others() {
    let vast = format!("(func $vast {})", "(drop (i32.const 1000000))".repeat(100_000));
    let bytes = module(
        "call $vast call $near",
        &format!("{vast} (func $near (memory.fill (i32.const 0) (i32.const 0) (i32.const 77))) (memory 1)"),
    );
    assert!(at(Depth::Run, &bytes).profile.ops.bulk_bytes.unwrap().low >= 77.0);
}

#[test]
fn a_test_for_null_is_no_sign_extension() {
    let bytes = wat::parse_str(r#"(module (func (export "_start") ref.null func ref.is_null drop))"#).unwrap();
    for depth in [Depth::Run, Depth::Full] {
        let required = at(depth, &bytes).profile.isa.required;
        assert!(!required.iter().any(|name| name == "sign-extension"), "{required:?}");
    }
}
