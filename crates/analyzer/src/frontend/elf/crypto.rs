//! Cryptography and checksums in machine code: tables that functions address, words and polynomials they hold, and the
//! instructions that processors have for them.
//!
//! What the scan met is put together here; only functions with a polynomial are decoded for it.

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};

use super::code::Code;
use super::image::Image;
use super::scan::Scans;
use crate::frontend::Algorithms;
use crate::signatures::{self, Sign, Tables};

/// The tables in an image's data, constant or not; what else is loaded are the linker's own lists.
pub(crate) fn tables(image: &Image<'_>) -> Tables {
    let holds = |name: &str| name.starts_with(".rodata") || name.starts_with(".data");
    let data = image.sections.iter().filter(|section| section.address != 0 && holds(section.name));
    let data =
        data.filter_map(|section| Some((i64::try_from(section.address).ok()?, image.bytes.get(section.file.clone())?)));
    signatures::tables_at(data)
}

/// The algorithms of all functions, and of tables that no function could be seen to use.
pub(crate) fn algorithms(code: &Code<'_>, scans: &Scans) -> Algorithms {
    let mut by_function: BTreeMap<u32, BTreeSet<&'static str>> = BTreeMap::new();
    let mut words: BTreeSet<(u32, &'static str, u32)> = BTreeSet::new();
    for &(index, sign) in &scans.signs {
        let mut found = |algorithm| by_function.entry(code.number(index)).or_default().insert(algorithm);
        match sign {
            Sign::Table(algorithm) | Sign::Instruction(algorithm) => drop(found(algorithm)),
            Sign::Word(algorithm, word) => {
                // One word is chance, two are not.
                let others = words.range((index, algorithm, 0)..=(index, algorithm, u32::MAX));
                if others.clone().any(|other| other.2 != word) {
                    found(algorithm);
                }
                words.insert((index, algorithm, word));
            }
            // A division by a polynomial shifts and combines.
            Sign::Polynomial(algorithm) => {
                if has(code, index, [Mnemonic::Shr, Mnemonic::Xor]) {
                    found(algorithm);
                }
            }
        }
    }
    let mut all: BTreeSet<&'static str> =
        code.tables.iter().flat_map(|tables| &tables.all).map(|table| table.algorithm).collect();
    all.extend(by_function.values().flatten());
    Algorithms { all, by_function }
}

/// The algorithm that an instruction stands for. The plain rounds of AES stand for none: hash tables use them to mix (Go's
/// `runtime.memhash`, Rust's `ahash`).
pub(super) fn algorithm(instruction: Mnemonic) -> Option<&'static str> {
    use Mnemonic::{
        Aesdeclast, Aesenclast, Aeskeygenassist, Sha1rnds4, Sha256rnds2, Vaesdeclast, Vaesenclast, Vaeskeygenassist,
        Vsha512rnds2,
    };
    match instruction {
        Aesenclast | Aesdeclast | Aeskeygenassist | Vaesenclast | Vaesdeclast | Vaeskeygenassist => Some("AES"),
        Sha1rnds4 => Some("SHA-1"),
        Sha256rnds2 => Some("SHA-256"),
        Vsha512rnds2 => Some("SHA-512"),
        _ => None,
    }
}

/// Whether a function has each of some instructions.
fn has<const N: usize>(code: &Code<'_>, index: u32, wanted: [Mnemonic; N]) -> bool {
    let mut decoder = Decoder::with_ip(64, code.bytes(index as usize), 0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut found = [false; N];
    while decoder.can_decode() && found.contains(&false) {
        decoder.decode_out(&mut instruction);
        for (found, wanted) in found.iter_mut().zip(wanted) {
            *found |= wanted == instruction.mnemonic();
        }
    }
    !found.contains(&false)
}
