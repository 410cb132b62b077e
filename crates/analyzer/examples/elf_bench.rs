//! How fast native programs are analysed, beside decoding their code and nothing else, on one core.
//!
//! `cargo run --release -p forewarm-analyzer --example elf_bench -- FILE…` prints a line per file: bytes of code, seconds
//! to decode, seconds to analyse (best of several turns taken in pairs), their ratio, and the predicted total.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::time::Instant;

use forewarm_analyzer::{Depth, analyze};
use forewarm_types::{Bytes, Digest};
use iced_x86::{Decoder, DecoderOptions, Instruction};
use object::read::elf::{ElfFile64, FileHeader, SectionHeader};
use object::{Endianness, elf};

/// Turns taken, the best of which counts.
const TURNS: usize = 5;

fn main() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    println!("{:>10} {:>9} {:>9} {:>6} {:>12}  file", "code", "decode s", "analyse s", "ratio", "total");
    for file in std::env::args().skip(1) {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let Some(code) = code(&bytes) else { continue };
        let size: usize = code.iter().map(|piece| piece.len()).sum();
        let (mut decoded, mut analysed, mut total) = (f64::MAX, f64::MAX, f64::NAN);
        for _ in 0..TURNS {
            let start = Instant::now();
            let count: u64 = code.iter().map(|piece| decode(piece)).sum();
            decoded = decoded.min(start.elapsed().as_secs_f64());
            assert!(count > 0 || size == 0);
            let start = Instant::now();
            let analysis =
                pool.install(|| analyze(&bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full).unwrap());
            analysed = analysed.min(start.elapsed().as_secs_f64());
            total = analysis.profile.ops.total.map_or(f64::NAN, |total| total.expected);
        }
        println!("{size:>10} {decoded:>9.5} {analysed:>9.5} {:>6.2} {total:>12.4e}  {file}", analysed / decoded);
    }
}

/// The bytes of code sections.
fn code(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let header = elf::FileHeader64::<Endianness>::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let _ = ElfFile64::<Endianness>::parse(bytes).ok()?;
    let sections = header.section_headers(endian, bytes).ok()?;
    let executable = |section: &&elf::SectionHeader64<Endianness>| {
        section.sh_flags(endian) & u64::from(elf::SHF_EXECINSTR) != 0 && section.sh_type(endian) == elf::SHT_PROGBITS
    };
    sections.iter().filter(executable).map(|section| section.data(endian, bytes).ok()).collect()
}

fn decode(bytes: &[u8]) -> u64 {
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut count = 0;
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        count += u64::from(!instruction.is_invalid());
    }
    count
}
