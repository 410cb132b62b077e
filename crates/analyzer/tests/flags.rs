//! How often each rule that flags a region is right, over kernels labelled by hand.
//!
//! Each file in `tests/flags` names in its first line the hardware that its code gains from, shows the C it was compiled
//! from (clang 21, `-O2`, freestanding), and holds the module. A flag on any region of it is right if it is named there.
//! The analyzer reports these figures as the confidence of its flags, so they must be those that it holds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use forewarm_analyzer::{Depth, analyze, binary};
use forewarm_types::demand::Flag;
use forewarm_types::{Bytes, Digest};

/// Flags below which the analyzer tells no confidence.
const ENOUGH: u32 = 4;

fn kernels() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flags");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The labels of a kernel, and the flags of its regions.
fn read(file: &Path) -> (BTreeSet<String>, Vec<Flag>) {
    let text = std::fs::read_to_string(file).unwrap();
    let labels = text.lines().next().unwrap().strip_prefix(";; gains from:").unwrap();
    let bytes = binary(text.as_bytes()).unwrap();
    let analysis = analyze(&bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full).unwrap();
    let flags = analysis.regions.into_iter().flat_map(|region| region.flags).collect();
    (labels.split_whitespace().map(str::to_owned).collect(), flags)
}

#[test]
fn confidence_is_the_measured_precision() {
    // For each rule: kernels where its flag is right, where it is raised, and where it should be.
    let mut counts: BTreeMap<String, [u32; 3]> = BTreeMap::new();
    let mut told: BTreeMap<String, Option<f64>> = BTreeMap::new();
    let mut notes = Vec::new();
    for file in kernels() {
        let (labels, flags) = read(&file);
        let raised: BTreeSet<String> = flags.iter().map(|flag| flag.benefits_from.clone()).collect();
        for flag in &flags {
            told.insert(flag.benefits_from.clone(), flag.confidence);
        }
        for rule in raised.union(&labels) {
            let count = counts.entry(rule.clone()).or_default();
            let (is, should) = (raised.contains(rule), labels.contains(rule));
            count[0] += u32::from(is && should);
            count[1] += u32::from(is);
            count[2] += u32::from(should);
            if is != should {
                let name = file.file_stem().unwrap().to_string_lossy().into_owned();
                notes.push(format!("{name}: {rule} {}", if is { "raised wrongly" } else { "missing" }));
            }
        }
    }
    let table: Vec<String> =
        counts.iter().map(|(rule, [r, a, s])| format!("{rule}: {r} right of {a} raised, {s} due")).collect();
    let report = format!("{}\n{}", table.join("\n"), notes.join("\n"));
    for (rule, [right, raised, due]) in &counts {
        let measured = (*raised >= ENOUGH).then(|| f64::from(*right) / f64::from(*raised));
        let same = match (told.get(rule).copied().flatten(), measured) {
            (Some(told), Some(measured)) => (told - measured).abs() < 1e-9,
            (told, measured) => told == measured,
        };
        assert!(same, "{rule}: the analyzer says {:?}, measured is {measured:?}\n{report}", told.get(rule));
        assert!(2 * right >= *due, "{rule} finds less than half of what it should\n{report}");
    }
}
