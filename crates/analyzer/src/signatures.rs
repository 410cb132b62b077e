//! Cryptography and checksums by the constants they cannot do without: tables in data segments, words in code.
//!
//! A function is told to work with an algorithm when it addresses the algorithm's table or holds at least two of its
//! words. Called for the functions that matter.

use std::collections::BTreeSet;

use crate::frontend::wasm::decode::Op;
use crate::frontend::wasm::module::Module;

/// Beginnings of tables, little-endian as WebAssembly stores words, with the algorithm, the table's size in bytes, and
/// the bytes of it that come before (the zero that heads a CRC table would match too much).
///
/// Sources: AES: FIPS 197, figures 7 and 14. SHA-256 and SHA-512: FIPS 180-4, sections 4.2.2 and 4.2.3. MD5: RFC 1321,
/// section 3.4. CRC-32: RFC 1952, section 8. ChaCha: RFC 8439, section 2.3. Blowfish and base64 are left out: their
/// beginnings are digits of pi and the alphabet.
const TABLES: [(&[u8], &str, i64, i64); 7] = [
    (&[0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b], "AES", 256, 0),
    (&[0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e], "AES", 256, 0),
    (&[0x98, 0x2f, 0x8a, 0x42, 0x91, 0x44, 0x37, 0x71, 0xcf, 0xfb, 0xc0, 0xb5], "SHA-256", 256, 0),
    (&[0x22, 0xae, 0x28, 0xd7, 0x98, 0x2f, 0x8a, 0x42, 0xcd, 0x65, 0xef, 0x23], "SHA-512", 640, 0),
    (&[0x78, 0xa4, 0x6a, 0xd7, 0x56, 0xb7, 0xc7, 0xe8, 0xdb, 0x70, 0x20, 0x24], "MD5", 256, 0),
    (&[0x96, 0x30, 0x07, 0x77, 0x2c, 0x61, 0x0e, 0xee, 0xba, 0x51, 0x09, 0x99], "CRC-32", 1024, 4),
    (b"expand 32-byte k", "ChaCha or Salsa", 16, 0),
];

/// Words in code, with the algorithm; two of one algorithm make a finding.
const WORDS: [(u32, &str); 14] = [
    (0x428a_2f98, "SHA-256"),
    (0x7137_4491, "SHA-256"),
    (0xb5c0_fbcf, "SHA-256"),
    (0x5a82_7999, "SHA-1"),
    (0x6ed9_eba1, "SHA-1"),
    (0x8f1b_bcdc, "SHA-1"),
    (0xca62_c1d6, "SHA-1"),
    (0xd76a_a478, "MD5"),
    (0xe8c7_b756, "MD5"),
    (0x2420_70db, "MD5"),
    (0x6170_7865, "ChaCha or Salsa"),
    (0x3320_646e, "ChaCha or Salsa"),
    (0x7962_2d32, "ChaCha or Salsa"),
    (0x6b20_6574, "ChaCha or Salsa"),
];

/// A table found in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub algorithm: &'static str,
    begin: i64,
    end: i64,
}

/// Tables kept of one module; a file with more was made to have them.
const MAX_TABLES: usize = 256;

/// Whether a word of four bytes may lie at one of the first four places of some table: a filter by hash, so that data is
/// gone through four bytes at a time whatever their alignment.
struct Filter([bool; 4096]);

impl Filter {
    fn new() -> Self {
        let mut filter = [false; 4096];
        for (beginning, ..) in TABLES {
            for word in beginning.windows(4).take(4) {
                filter[Self::slot(word)] = true;
            }
        }
        Self(filter)
    }

    fn slot(word: &[u8]) -> usize {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        // Fibonacci hashing (Knuth, "The Art of Computer Programming" 3, section 6.4).
        (word.wrapping_mul(0x9e37_79b1) >> 20) as usize
    }
}

/// Finds the tables in the data segments that lie at a constant address, up to [`MAX_TABLES`].
pub(crate) fn tables(module: &Module<'_>) -> Vec<Table> {
    let filter = Filter::new();
    let mut out = Vec::new();
    for &(address, data) in &module.data {
        let Some(address) = address else { continue };
        for (index, word) in data.chunks_exact(4).enumerate() {
            if filter.0[Filter::slot(word)] {
                // A table begins here or up to three bytes before.
                let last = 4 * index;
                for at in last.saturating_sub(3)..=last {
                    out.extend(table_at(address, data, at));
                }
                if out.len() >= MAX_TABLES {
                    return out;
                }
            }
        }
    }
    out
}

fn table_at(address: i64, data: &[u8], at: usize) -> Option<Table> {
    let &(_, algorithm, size, before) = TABLES.iter().find(|table| data[at..].starts_with(table.0))?;
    let begin = address.saturating_add(at as i64 - before);
    Some(Table { algorithm, begin, end: begin.saturating_add(size) })
}

/// The algorithms a function's operators betray.
pub(crate) fn algorithms(ops: &[Op], tables: &[Table]) -> BTreeSet<&'static str> {
    let mut out = BTreeSet::new();
    let mut words: Vec<(u32, &'static str)> = Vec::new();
    for op in ops {
        let constant = op.code == 0x41;
        if !constant && !matches!(op.code, 0x28..=0x35) {
            continue;
        }
        let inside = |table: &&Table| (table.begin..table.end).contains(&op.b);
        out.extend(tables.iter().find(inside).map(|table| table.algorithm));
        if constant {
            words.extend(WORDS.iter().find(|word| word.0 == op.b as u32));
        }
    }
    words.sort_unstable();
    words.dedup();
    for pair in words.iter().enumerate() {
        if words[pair.0 + 1..].iter().any(|other| other.1 == pair.1.1) {
            out.insert(pair.1.1);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(value: u32) -> Op {
        Op { code: 0x41, a: 0, b: i64::from(value as i32) }
    }

    #[test]
    fn one_word_is_chance_and_two_are_not() {
        let none: Vec<&str> = algorithms(&[constant(0x5a82_7999)], &[]).into_iter().collect();
        assert!(none.is_empty());
        let both = algorithms(&[constant(0x5a82_7999), constant(0x8f1b_bcdc), constant(0xd76a_a478)], &[]);
        assert_eq!(both.into_iter().collect::<Vec<_>>(), ["SHA-1"]);
    }

    #[test]
    fn tables_are_found_at_any_alignment_and_not_without_end() {
        for before in 0..9 {
            let data = [vec![0; before], TABLES[2].0.to_vec(), vec![0; 3]].concat();
            let module = Module { data: vec![(Some(0), &data)], ..Module::default() };
            let found: Vec<_> = tables(&module).iter().map(|table| (table.algorithm, table.begin)).collect();
            assert_eq!(found, [("SHA-256", before as i64)]);
        }
        let many = TABLES[0].0.repeat(100_000);
        let module = Module { data: vec![(Some(0), &many)], ..Module::default() };
        assert!((MAX_TABLES..2 * MAX_TABLES).contains(&tables(&module).len()));
    }

    #[test]
    fn a_table_counts_where_it_is_addressed() {
        let mut data = vec![0; 100];
        data.extend(TABLES[0].0);
        let module = Module { data: vec![(Some(1000), &data)], ..Module::default() };
        let found = tables(&module);
        assert_eq!(found.len(), 1);
        let load = |b| Op { code: 0x2d, a: 0, b };
        assert!(algorithms(&[load(1099)], &found).is_empty());
        assert_eq!(algorithms(&[load(1100)], &found).into_iter().collect::<Vec<_>>(), ["AES"]);
    }
}
