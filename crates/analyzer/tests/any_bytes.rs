//! The analyzer on bytes nobody meant: random, mutated, and made to hurt. Nothing here may panic, hang or need memory
//! out of proportion; the fuzz targets run the same bodies for longer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/cases.rs"]
mod support;

use std::path::Path;

use forewarm_analyzer::fuzz::{analyze_bytes, translate_text, whole};
use forewarm_analyzer::{AnalyzeError, Depth, analyze, binary};
use forewarm_types::{Analysis, Bytes, Digest};
use proptest::prelude::*;
use support::cases;

fn golden() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().map(|file| binary(&std::fs::read(file).unwrap()).unwrap().into_owned()).collect()
}

fn leb(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], &leb(content.len() as u64)[..], content].concat()
}

/// A module with one function `_start` of type `[] -> []`, whose body (locals and operators) is given; types may be
/// added.
fn module(types: &[&[u8]], body: &[u8]) -> Vec<u8> {
    let mut type_section = leb(types.len() as u64 + 1);
    type_section.extend([0x60, 0, 0]);
    type_section.extend(types.concat());
    let code = [&[1][..], &leb(body.len() as u64), body].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &type_section),
        section(3, &[1, 0]),
        section(5, &[1, 0, 1]),
        section(7, &[&[1, 6][..], b"_start", &[0, 0]].concat()),
        section(10, &code),
    ]
    .concat()
}

/// Analyses all of a module, after a first run's look at it.
fn run(bytes: &[u8]) -> Result<Analysis, AnalyzeError> {
    let first = analyze(bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Run);
    let whole = whole(bytes);
    // What is not looked into may be broken; what is wholly understood is no worse at first sight.
    assert!(first.is_ok() || whole.is_err(), "{first:?}");
    whole
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn random_bytes(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        analyze_bytes(&data);
        analyze_bytes(&[b"\0asm\x01\0\0\0", &data[..]].concat());
        analyze_bytes(&[b"\0asm\x0d\0\x01\0", &data[..]].concat());
        translate_text(&data);
    }

    #[test]
    fn random_operators(data in proptest::collection::vec(operator(), 0..200)) {
        let mut body = vec![2, 3, 0x7f, 1, 0x7c];
        body.extend(data.concat());
        body.push(0x0b);
        analyze_bytes(&module(&[&[0x60, 2, 0x7f, 0x7e, 1, 0x7f]], &body));
    }

    #[test]
    fn mutated_programs(which in any::<prop::sample::Index>(), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let programs = golden();
        let mut bytes = programs[which.index(programs.len())].clone();
        for (place, byte) in edits {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        analyze_bytes(&bytes);
    }

    #[test]
    fn truncated_programs(which in any::<prop::sample::Index>(), keep in any::<prop::sample::Index>()) {
        let programs = golden();
        let bytes = &programs[which.index(programs.len())];
        let cut = &bytes[..keep.index(bytes.len())];
        analyze_bytes(cut);
    }
}

/// Operators that mostly decode, so that the walk behind the decoder sees nonsense and not only the decoder does.
fn operator() -> impl Strategy<Value = Vec<u8>> {
    let small = 0..6_u8;
    prop_oneof![
        4 => (0x20..=0x22_u8, small.clone()).prop_map(|(op, local)| vec![op, local]),
        3 => (0x00..=0x7f_u8).prop_map(|value| vec![0x41, value]),
        4 => (0x45..=0xc4_u8).prop_map(|op| vec![op]),
        2 => prop_oneof![Just(vec![0x02, 0x40]), Just(vec![0x03, 0x40]), Just(vec![0x04, 0x40]), Just(vec![0x03, 0x7f])],
        1 => prop_oneof![Just(vec![0x02, 0x01]), Just(vec![0x03, 0x01]), Just(vec![0x05]), Just(vec![0x1b])],
        4 => Just(vec![0x0b]),
        4 => (0x0c..=0x0d_u8, small.clone()).prop_map(|(op, depth)| vec![op, depth]),
        1 => (small.clone(), small.clone(), small.clone()).prop_map(|(a, b, c)| vec![0x0e, 2, a, b, c]),
        1 => prop_oneof![Just(vec![0x0f]), Just(vec![0x00]), Just(vec![0x10, 0]), Just(vec![0x11, 1, 0])],
        1 => (0x28..=0x3e_u8).prop_map(|op| vec![op, 0, 0]),
        1 => prop_oneof![Just(vec![0x40, 0]), Just(vec![0xfc, 10, 0, 0]), Just(vec![0xfc, 11, 0]), Just(vec![0xd0, 0x70])],
    ]
}

#[test]
fn a_million_nested_blocks() {
    for block in [0x02, 0x03] {
        let mut body = vec![0];
        body.extend([block, 0x40].repeat(1_000_000));
        body.extend(vec![0x0b; 1_000_001]);
        let analysis = run(&module(&[], &body)).unwrap();
        assert!(analysis.profile.ops.total.is_some());
    }
}

#[test]
fn loops_that_nest_and_assign_are_bounded() {
    // Every loop assigns a local of its own, and each branch goes all the way out.
    let depth = 1500_u32;
    let mut body = [leb(1), leb(u64::from(depth)), vec![0x7f]].concat();
    for local in 0..depth {
        body.extend([0x03, 0x40, 0x41, 1, 0x21]);
        body.extend(leb(u64::from(local)));
        body.extend([0x41, 1, 0x0d]);
        body.extend(leb(u64::from(local)));
    }
    body.extend(vec![0x0b; depth as usize + 1]);
    assert!(run(&module(&[], &body)).unwrap().profile.ops.total.is_some());
}

#[test]
fn the_first_offence_by_place_is_told_whatever_is_met_first() {
    let text = r#"(module (func (i32.add (i32.const 1) (i64.const 2)) drop) (func (i64.eqz (i32.const 1)) drop)
        (func (export "_start") call 1))"#;
    let bytes = wat::parse_str(text).unwrap();
    let Err(AnalyzeError::Invalid { offset, .. }) = whole_and_checked(&bytes) else { panic!("it is not valid") };
    let mut bodies = wasmparser::Parser::new(0).parse_all(&bytes).filter_map(|payload| match payload.unwrap() {
        wasmparser::Payload::CodeSectionEntry(body) => Some(body.range()),
        _ => None,
    });
    assert!(bodies.next().unwrap().contains(&(offset as usize)), "{offset:#x}");
}

/// Analyses all of a module, and validates it.
fn whole_and_checked(bytes: &[u8]) -> Result<Analysis, AnalyzeError> {
    analyze(bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full)
}

#[test]
fn an_else_belongs_to_an_if() {
    for block in [0x02, 0x03] {
        let body = [0, block, 0x40, 0x05, 0x41, 0, 0x0d, 0, 0x0b, 0x0b];
        assert!(matches!(run(&module(&[], &body)), Err(AnalyzeError::Invalid { .. })));
    }
    let twice = [0, 0x41, 0, 0x04, 0x40, 0x05, 0x05, 0x0b, 0x0b];
    assert!(run(&module(&[], &twice)).is_err());
}

#[test]
fn locals_that_do_not_exist_or_are_too_many_to_follow() {
    let set = |local: u64| [&[0x03, 0x40, 0x41, 1, 0x22][..], &leb(local), &[0x0d, 0, 0x0b]].concat();
    let missing = [vec![0], set(40_000), vec![0x0b]].concat();
    assert!(run(&module(&[], &missing)).is_ok(), "left to validation");
    let many = [&[1][..], &leb(9000), &[0x7f], &set(8999), &[0x0b]].concat();
    assert!(run(&module(&[], &many)).unwrap().profile.ops.total.is_some());
}

#[test]
fn a_huge_jump_table() {
    let count = 2_000_000_u32;
    let body =
        [vec![0, 0x02, 0x40, 0x41, 0, 0x0e], leb(u64::from(count)), vec![0; count as usize + 1], vec![0x0b, 0x0b]];
    assert!(run(&module(&[], &body.concat())).unwrap().profile.ops.total.is_some());
}

#[test]
fn a_thousand_operands_at_every_block() {
    let wide = [&[0x60][..], &leb(1000), &[0x7f; 1000], &leb(1000), &[0x7f; 1000]].concat();
    let mut body = vec![0];
    body.extend([0x41, 0].repeat(1000));
    body.extend([0x02, 0x01, 0x0b].repeat(300_000));
    body.extend(vec![0x1a; 1000]);
    body.push(0x0b);
    assert!(run(&module(&[&wide], &body)).unwrap().profile.ops.total.is_some());
}

#[test]
fn forged_sizes_are_refused_or_ignored() {
    let many_locals = module(&[], &[&[1][..], &leb(u64::from(u32::MAX)), &[0x7f, 0x0b]].concat());
    assert!(matches!(run(&many_locals), Err(AnalyzeError::Limit { .. })));
    let mut forged = b"\0asm\x01\0\0\0".to_vec();
    forged.extend([1, 5]);
    forged.extend(leb(u64::from(u32::MAX)));
    assert!(matches!(run(&forged), Err(AnalyzeError::Invalid { .. })));
    let vast_table = module(&[], &[&[0, 0x41, 0, 0x0e][..], &leb(u64::from(u32::MAX)), &[0x0b]].concat());
    assert!(run(&vast_table).is_err());
}

#[test]
fn many_small_functions_after_a_large_one() {
    let mut bodies = [leb(20_001), leb(200_002), vec![0]].concat();
    bodies.extend([0x01].repeat(200_000));
    bodies.push(0x0b);
    bodies.extend([2, 0, 0x0b].repeat(20_000));
    let bytes = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[leb(20_001), vec![0; 20_001]].concat()),
        section(7, &[&[1, 6][..], b"_start", &[0, 0]].concat()),
        section(10, &bodies),
    ]
    .concat();
    assert_eq!(run(&bytes).unwrap().profile.compile.functions, 20_001);
}

#[test]
fn a_chain_of_calls_a_hundred_thousand_deep() {
    let count = 100_000_u64;
    let mut bodies = leb(count);
    for function in 0..count {
        let call = if function + 1 < count { [vec![0x41, 7, 0x10], leb(function + 1)].concat() } else { vec![] };
        let body = [vec![0], call, vec![0x0b]].concat();
        bodies.extend(leb(body.len() as u64));
        bodies.extend(body);
    }
    // The first takes nothing, so that it can be the entry; the others take the number it starts with.
    let types = [2, 0x60, 0, 0, 0x60, 1, 0x7f, 0];
    let bytes = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &types),
        section(3, &[leb(count), vec![0], vec![1; count as usize - 1]].concat()),
        section(7, &[&[1, 6][..], b"_start", &[0, 0]].concat()),
        section(10, &bodies),
    ]
    .concat();
    let total = run(&bytes).unwrap().profile.ops.total.unwrap();
    assert_eq!(total.expected, (3 * count - 2) as f64);
}

#[test]
fn a_large_function_called_with_many_constants() {
    // Each call asks for the callee under other arguments; the work that may go into that is bounded.
    let mut callee = vec![0];
    callee.extend([0x20, 0, 0x04, 0x40, 0x0b].repeat(200_000));
    callee.push(0x0b);
    let calls: Vec<u8> = (0..60_u64).flat_map(|n| [&[0x41][..], &leb(n), &[0x10, 1]].concat()).collect();
    let main = [vec![0], calls, vec![0x0b]].concat();
    let bodies = [leb(2), leb(main.len() as u64), main, leb(callee.len() as u64), callee].concat();
    let bytes = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[2, 0x60, 0, 0, 0x60, 1, 0x7f, 0]),
        section(3, &[2, 0, 1]),
        section(7, &[&[1, 6][..], b"_start", &[0, 0]].concat()),
        section(10, &bodies),
    ]
    .concat();
    assert!(run(&bytes).unwrap().profile.ops.total.is_some());
}

#[test]
fn many_exits_and_variables_in_one_loop() {
    let locals = 3000_u64;
    let mut body = [leb(1), leb(locals), vec![0x7f, 0x02, 0x40, 0x03, 0x40]].concat();
    for local in 0..locals {
        // local += 1; leave if local == 7
        let index = leb(local);
        body.extend([&[0x20][..], &index, &[0x41, 1, 0x6a, 0x22], &index, &[0x41, 7, 0x46, 0x0d, 1]].concat());
    }
    body.extend([0x0c, 0, 0x0b, 0x0b, 0x0b]);
    assert!(run(&module(&[], &body)).unwrap().profile.ops.total.is_some());
}

#[test]
fn a_million_types_functions_and_imports() {
    let count = 1_000_000_u64;
    let types = [leb(count), [0x60, 0, 0].repeat(count as usize)].concat();
    let many_types = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &types),
        section(3, &[1, 0]),
        section(7, &[&[1, 6][..], b"_start", &[0, 0]].concat()),
        section(10, &[1, 2, 0, 0x0b]),
    ];
    assert_eq!(run(&many_types.concat()).unwrap().profile.ops.total.unwrap().expected, 1.0);
    let imports = [leb(100_000), [&[1, b'm', 1, b'f', 0, 0][..]].concat().repeat(100_000)].concat();
    let many_imports = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(2, &imports),
        section(3, &[1, 0]),
        section(7, &[&[1, 6][..], b"_start", &[0], &leb(100_000)].concat()),
        section(10, &[&[1][..], &[4, 0, 0x10, 7, 0x0b]].concat()),
    ];
    assert_eq!(run(&many_imports.concat()).unwrap().profile.io.len(), 100_000);
}

#[test]
fn local_declarations_without_end() {
    // A million groups of no locals each, then one of a few.
    let groups = 1_000_000_u64;
    let body = [leb(groups), [0, 0x7f].repeat(groups as usize), vec![0x0b]].concat();
    assert!(run(&module(&[], &body)).is_ok());
}

#[test]
fn calls_through_a_large_table_in_every_function() {
    // Each function calls through a table that holds them all: a clique, if edges were kept one by one.
    let count = 20_000_u64;
    let bodies = [leb(count), [7, 0, 0x41, 0, 0x11, 0, 0, 0x0b].repeat(count as usize)].concat();
    let members: Vec<u8> = (0..count).flat_map(leb).collect();
    let bytes = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[leb(count), vec![0; count as usize]].concat()),
        section(4, &[&[1, 0x70, 0][..], &leb(count)].concat()),
        section(7, &[&[1, 6][..], b"_start", &[0, 0]].concat()),
        section(9, &[&[1, 0, 0x41, 0, 0x0b][..], &leb(count), &members].concat()),
        section(10, &bodies),
    ]
    .concat();
    assert!(run(&bytes).unwrap().profile.ops.total.is_some());
}

#[test]
fn components_nested_without_end() {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..3000 {
        bytes = [b"\0asm\x0d\0\x01\0".to_vec(), section(4, &bytes)].concat();
    }
    let _ = run(&bytes);
}

#[test]
fn deep_nests_and_loops_without_number() {
    // Whatever asks about the loops around it must not ask all of them each time.
    let nests = [[0x03, 0x40].repeat(1900), vec![0x0b; 1900]].concat().repeat(100);
    assert!(run(&module(&[], &[&[0][..], &nests, &[0x0b]].concat())).unwrap().profile.ops.total.is_some());
    let rows = [&[0][..], &[0x03, 0x40, 0x0b].repeat(500_000), &[0x0b]].concat();
    assert!(run(&module(&[], &rows)).unwrap().regions.len() <= 200);
}
