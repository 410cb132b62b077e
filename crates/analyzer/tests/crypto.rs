//! Real modules that have cryptography or checksums, and many that have none: what the analyzer recognises in each.
//!
//! `cargo xtask corpus` fetches and builds them; without it the test says that it is skipped.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking, and says when it is skipped")]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use forewarm_analyzer::{Depth, analyze};
use forewarm_types::demand::RegionKind;
use forewarm_types::{Analysis, Bytes, Digest};

/// What is in each module by its sources: the algorithms that must be found, and others that may be. A module that is not
/// listed has none.
const TRUTH: [(&str, &[&str], &[&str]); 15] = [
    ("argon2-browser", &["BLAKE2"], &["Argon2"]),
    ("argon2", &["BLAKE2"], &["Argon2", "ChaCha or Salsa"]),
    ("bcrypt", &["Blowfish (bcrypt)"], &["ChaCha or Salsa"]),
    ("crc32", &["CRC-32", "CRC-32C"], &[]),
    ("tiny-secp256k1", &["SHA-256", "big-integer multiplication"], &[]),
    // Go's crypto and hash packages, which its runtime and HTTP bring along.
    (
        "esbuild",
        &["AES", "SHA-1", "SHA-256", "SHA-512"],
        &["SHA-3", "ChaCha or Salsa", "MD5", "CRC-32", "big-integer multiplication"],
    ),
    // hashlib, zlib, crypt.
    (
        "python",
        &["MD5", "SHA-1", "SHA-256", "SHA-512", "SHA-3", "BLAKE2", "CRC-32"],
        &["Blowfish (bcrypt)", "ChaCha or Salsa", "CRC-64", "BLAKE2 or BLAKE3", "big-integer multiplication"],
    ),
    // PNG.
    ("resvg", &["CRC-32"], &[]),
    ("usvg", &["CRC-32"], &[]),
    ("sha256", &["SHA-256"], &[]),
    ("sha256k", &["SHA-256"], &[]),
    ("crc", &["CRC-32"], &[]),
    ("crcbits", &["CRC-32"], &[]),
    ("sha1k", &["SHA-1"], &[]),
    ("graphviz", &[], &["CRC-32"]),
];

/// The folder that `cargo xtask corpus` makes.
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/corpus")
}

/// Says aloud that a test is skipped; `cargo xtask ci` lists what this writes.
fn skip(reason: &str) {
    let line = format!("SKIP crypto: {reason}");
    eprintln!("{line}");
    if let Some(list) = std::env::var_os("FOREWARM_SKIPS") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(list);
        let _ = file.and_then(|mut file| writeln!(file, "{line}"));
    }
}

fn programs(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(corpus().join(folder)) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    files.sort();
    files
}

fn analysis(file: &Path) -> Analysis {
    let bytes = std::fs::read(file).unwrap();
    analyze(&bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full).unwrap()
}

/// The algorithms that the whole module is said to hold, and those that single functions are.
fn found(analysis: &Analysis) -> [BTreeSet<String>; 2] {
    let libraries = analysis.profile.libraries.iter();
    let named = libraries.filter_map(|library| library.strip_prefix("algorithm: ")).map(str::to_owned);
    let functions = analysis.regions.iter().filter(|region| region.kind == RegionKind::Function);
    let flags = functions.flat_map(|region| &region.flags).filter(|flag| flag.benefits_from == "crypto");
    let reasons =
        flags.filter_map(|flag| flag.reason.strip_prefix("works as ")?.split_once(" does")).map(|r| r.0.to_owned());
    [named.collect(), reasons.collect()]
}

/// What is wrong with what was found in a module.
fn check(file: &Path) -> Vec<String> {
    let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
    // Kernels are named for their source, size and flags.
    let name = if file.parent().is_some_and(|folder| folder.ends_with("kernels")) {
        stem.split('-').next().unwrap_or_default().to_owned()
    } else {
        stem.clone()
    };
    let (must, may) = TRUTH.iter().find(|row| row.0 == name).map_or((&[][..], &[][..]), |row| (row.1, row.2));
    let [all, functions] = found(&analysis(file));
    let allowed = |algorithm: &&String| must.contains(&algorithm.as_str()) || may.contains(&algorithm.as_str());
    let missing = must.iter().filter(|algorithm| !all.contains(**algorithm)).map(|a| format!("{stem} lacks {a}"));
    let wrong = all.union(&functions).filter(|algorithm| !allowed(algorithm)).map(|a| format!("{stem} has no {a}"));
    missing.chain(wrong).collect()
}

#[test]
fn cryptography_is_found_where_it_is_and_nowhere_else() {
    let libraries = programs("crypto");
    let ordinary = [programs("wasm"), programs("kernels")].concat();
    if libraries.len() < 6 || ordinary.len() < 20 {
        return skip("the corpus was not made, or is an old one; `cargo xtask corpus` makes it");
    }
    let wrong: Vec<String> = libraries.iter().chain(&ordinary).flat_map(|file| check(file)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
