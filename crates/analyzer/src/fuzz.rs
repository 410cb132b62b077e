//! Bodies of the fuzz targets: what must hold of any bytes at all. Not part of the interface.
//!
//! Called by the targets in `fuzz/` and, bounded, by a test on the stable toolchain.

use forewarm_types::{Analysis, Bytes, CodeKind, Digest, Estimate};

use crate::frontend::elf;
use crate::{
    AnalyzeError, Budget, Depth, Nothing, PythonSource, analyze, analyze_python, analyze_within, binary, kind,
};

/// Budgets of code bytes for a first run, from nothing to more than a fuzzer's input holds.
const BUDGETS: [usize; 4] = [0, 9, 90, usize::MAX];

/// Analyses arbitrary bytes at both depths: never a panic; estimates in order; both depths agree on the counts; a first
/// run with less time knows the same proposals; what is only scanned has the operators that decoding finds.
///
/// # Panics
/// Where one of these does not hold.
pub fn analyze_bytes(data: &[u8]) {
    if let Err(error) = kind(data) {
        let _ = (error.offset(), error.hint());
        assert!(!error.to_string().is_empty());
    }
    let at = |depth| analyze(data, Digest([0; 32]), Bytes(data.len() as u64), depth);
    let (run, full) = (at(Depth::Run), at(Depth::Full));
    for analysis in [&run, &full].into_iter().flatten() {
        check(analysis);
    }
    if let Ok(full) = &full {
        let run = run.as_ref().map(|run| &run.profile.ops);
        assert_eq!(run, Ok(&full.profile.ops), "what validates is understood alike at both depths");
        for budget in BUDGETS {
            let hurried = analyze_within(
                data,
                Digest([0; 32]),
                Bytes(data.len() as u64),
                Depth::Run,
                Budget { whole: budget, nearest: budget },
            );
            let hurried = hurried.unwrap_or_else(|error| panic!("budget {budget}: {error}"));
            check(&hurried);
            let (met, all) = (&hurried.profile.compile, &full.profile.compile);
            assert_eq!(met.code_bytes, all.code_bytes);
            // Of a native program a hurried look finds the functions that it comes to.
            assert!(met.functions == all.functions || full.code.kind == CodeKind::Elf);
            assert!(met.unsupported.keys().all(|tier| all.unsupported.contains_key(tier)));
        }
    }
}

/// Analyses all of a module as a first run does what is near: every body looked into, none validated.
///
/// # Errors
/// As [`analyze`].
pub fn whole(data: &[u8]) -> Result<Analysis, AnalyzeError> {
    analyze_within(
        data,
        Digest([0; 32]),
        Bytes(data.len() as u64),
        Depth::Run,
        Budget { whole: usize::MAX, nearest: 0 },
    )
}

/// Translates arbitrary text; what comes out is analysed like any binary.
///
/// # Panics
/// As [`analyze_bytes`].
pub fn translate_text(data: &[u8]) {
    match binary(data) {
        Ok(bytes) => analyze_bytes(&bytes),
        Err(error) => assert!(error.offset().is_none_or(|offset| offset <= data.len() as u64)),
    }
}

/// Analyses arbitrary bytes as the code of a native program, and as such a program.
///
/// # Panics
/// As [`analyze_bytes`].
pub fn analyze_code(data: &[u8]) {
    check_shapes(data);
    analyze_bytes(&program(data));
    analyze_bytes(&[&b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"[..], data].concat());
}

/// Reads arbitrary bytes as machine code by the shape of its instructions and by decoding them, which must agree.
///
/// # Panics
/// Where they do not.
pub fn check_shapes(data: &[u8]) {
    elf::check_shapes(data);
}

/// The smallest ELF program for x86-64 around some code, which runs from its first byte: header, one loaded segment.
#[must_use]
pub fn program(code: &[u8]) -> Vec<u8> {
    /// Where the file is loaded, and where code lies in it: behind the header and one program header.
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let size = HEADERS + code.len() as u64;
    // Type, machine, version; entry, program headers, section headers; flags; sizes and counts.
    out.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    for word in [BASE + HEADERS, 64, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend([0; 4]);
    for half in [64_u16, 56, 1, 64, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    // Loaded, readable and executable; offset, addresses, sizes, alignment.
    out.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    for word in [0, BASE, BASE, size, size, 4096] {
        out.extend(word.to_le_bytes());
    }
    out.extend_from_slice(code);
    out
}

/// Analyses arbitrary bytes as Python, as a script and as a file with a handler: never a panic, estimates in order.
///
/// # Panics
/// Where one of these does not hold.
pub fn analyze_python_bytes(data: &[u8]) {
    for handler in [None, Some("handler"), Some("fuzz.f")] {
        let source = PythonSource { file_name: "fuzz.py", handler, environment: &Nothing };
        let size = Bytes(data.len() as u64);
        match analyze_python(data, Digest([0; 32]), size, Depth::Full, &source) {
            Ok(analysis) => {
                check(&analysis);
                let python = analysis.python.unwrap_or_default();
                assert!(python.init.ops.is_some(), "every Python program has an init");
                let phases = [Some(&python.init), python.handler.as_ref().map(|handler| &handler.phase)];
                for estimate in phases.into_iter().flatten().filter_map(|phase| phase.ops) {
                    assert!(estimate.low <= estimate.expected && estimate.expected <= estimate.high, "{estimate:?}");
                }
            }
            Err(error) => {
                let _ = (error.offset(), error.hint());
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

fn check(analysis: &Analysis) {
    let ops = &analysis.profile.ops;
    let memory = &analysis.profile.memory;
    let trips = analysis.regions.iter().filter_map(|region| region.trip_count);
    let calls = analysis.profile.io.iter().filter_map(|io| io.calls);
    let single = [ops.total, ops.load_bytes, ops.store_bytes, ops.bulk_bytes, memory.peak_bytes, memory.traffic_bytes];
    for estimate in ops.classes.values().copied().chain(single.into_iter().flatten()).chain(trips).chain(calls) {
        let Estimate { low, expected, high, coverage, .. } = estimate;
        assert!(0.0 <= low && low <= expected && expected <= high && high.is_finite(), "{estimate:?}");
        assert!(coverage > 0.0 && coverage <= 1.0, "{estimate:?}");
    }
    for region in &analysis.regions {
        assert!((0.0..=1.0).contains(&region.share), "{region:?}");
    }
}
