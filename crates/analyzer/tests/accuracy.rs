//! A few kernels of the corpus against what they execute: a quick guard between runs of `cargo xtask bench accuracy`, which
//! measures all of them.
//!
//! `cargo xtask corpus` compiles them; without it the test says that it is skipped. The counts are wasmtime's fuel less the
//! bytes of bulk operations, as the emulator's example `fuel` counts them.
#![expect(clippy::print_stderr, reason = "a test says when it is skipped")]

use std::path::Path;

use forewarm_analyzer::{Depth, analyze};
use forewarm_types::demand::RegionKind;
use forewarm_types::{Bytes, Digest};

/// File, operators executed, whether its control flow is fixed by the code, and the function that executes most of them.
const KERNELS: [(&str, f64, bool, &str); 20] = [
    ("gemm-40-O2", 1309641.0, true, "__original_main"),
    ("gemm-40-O2-msimd128", 723034.0, true, "__original_main"),
    ("lu-40-O2", 471320.0, true, "__original_main"),
    // Whether its vectors may be used is decided when it runs, by where its arrays lie.
    ("lu-40-O2-msimd128", 465181.0, false, "__original_main"),
    ("jacobi2d-60-O2", 5028302.0, true, "__original_main"),
    ("jacobi2d-60-O2-msimd128", 2847915.0, true, "__original_main"),
    ("haar-2048-O2", 155440.0, true, "__original_main"),
    ("haar-2048-O2-msimd128", 63959.0, true, "__original_main"),
    ("crc-30000-O2", 835178.0, true, "__original_main"),
    ("crc-30000-O2-msimd128", 588001.0, true, "__original_main"),
    ("mergeup-3000-O2", 1683334.0, false, "__original_main"),
    ("mergeup-3000-O2-msimd128", 1683329.0, false, "__original_main"),
    ("eratosthenes-30000-O2", 927614.0, false, "__original_main"),
    ("eratosthenes-30000-O2-msimd128", 766376.0, false, "__original_main"),
    ("printer-100-O2", 263125.0, false, "printf_core"),
    ("printer-100-O2-msimd128", 262625.0, false, "printf_core"),
    ("nbodyk-1000-O2", 1503193.0, true, "__original_main"),
    ("nbodyk-1000-O2-msimd128", 1459155.0, true, "__original_main"),
    ("heap-3000-O2", 1589559.0, false, "__original_main"),
    ("heap-3000-O2-msimd128", 1589500.0, false, "__original_main"),
];

#[test]
fn kernels_execute_what_is_predicted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/corpus/kernels");
    let (mut seen, mut inside, mut hot, mut known, mut close) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (name, truth, fixed, hottest) in KERNELS {
        let Ok(bytes) = std::fs::read(folder.join(name).with_extension("wasm")) else { continue };
        let analysis = analyze(&bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full).unwrap();
        let total = analysis.profile.ops.total.unwrap();
        let ratio = total.expected / truth;
        // Lines printed are guessed to within their digits; everything else of these can be known.
        assert!(!fixed || (ratio - 1.0).abs() <= 0.35, "{name}: {total:?}, executes {truth}");
        known += f64::from(fixed);
        close += f64::from(fixed && (ratio - 1.0).abs() <= 0.1);
        let mut functions: Vec<_> =
            analysis.regions.iter().filter(|region| region.kind == RegionKind::Function).collect();
        functions.sort_by(|a, b| b.self_share.total_cmp(&a.self_share));
        seen += 1.0;
        inside += f64::from(total.contains(truth));
        hot += f64::from(functions.iter().take(3).any(|region| region.function == hottest));
    }
    if seen == 0.0 {
        eprintln!("skipped: no kernels; `cargo xtask corpus` compiles them");
        return;
    }
    assert!(close >= 0.8 * known, "of {known} kernels of fixed control flow {close} are within a tenth");
    assert!(inside >= 0.9 * seen && hot >= 0.8 * seen, "of {seen} kernels {inside} inside, {hot} with the hottest");
}
