//! Cryptography and checksums: by constants they cannot do without, tables in data segments and words in code, and by
//! what their rounds do.
//!
//! A function is told to work with an algorithm when it addresses the algorithm's table, holds at least two of its
//! words, holds a checksum's polynomial and shifts by it, or does what only that algorithm's rounds do ([`rounds`]).
//! Called for the functions that matter, and where people ask for all of them.

use std::collections::BTreeSet;

use crate::frontend::wasm::decode::{Census, Op, code};
use crate::frontend::wasm::module::Module;

mod constants;
mod rounds;

use constants::{Beginning, POLYNOMIALS, TABLES, WORDS};
pub(crate) use rounds::{LONG_PRODUCT, by_rounds, may_go_in_rounds};

/// A table found in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub algorithm: &'static str,
    begin: i64,
    end: i64,
}

/// What a number in machine code, or an instruction, may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It is an address in an algorithm's table.
    Table(&'static str),
    /// It stands for an instruction that processors have for an algorithm.
    Instruction(&'static str),
    /// It is one of an algorithm's words.
    Word(&'static str, u32),
    /// It is a checksum's polynomial.
    Polynomial(&'static str),
}

/// Whether a number of 32 bits in machine code is large enough to tell anything by its value.
#[inline]
pub(crate) fn may_be_sign(value: u32) -> bool {
    u64::from((value as i32).unsigned_abs()) >= LEAST_WORD
}

/// What a number of 32 bits in machine code tells by its value.
pub(crate) fn sign(value: u32) -> Option<Sign> {
    if !may_be_sign(value) {
        return None;
    }
    let named = |list: &[(u64, &'static str)]| list.iter().find(|word| word.0 == u64::from(value)).map(|word| word.1);
    let word = named(&WORDS).map(|algorithm| Sign::Word(algorithm, value));
    word.or_else(|| named(&POLYNOMIALS).map(Sign::Polynomial))
}

/// The tables of a module, to be asked of every address in its code.
#[derive(Debug)]
pub(crate) struct Tables {
    pub all: Vec<Table>,
    /// Whether some table lies in a block of 256 bytes, by the low bits of its number.
    blocks: [bool; BLOCKS],
}

const BLOCKS: usize = 4096;
const BLOCK_BYTES: i64 = 256;

impl Tables {
    fn new(all: Vec<Table>) -> Self {
        let mut blocks = [false; BLOCKS];
        for table in &all {
            for block in table.begin.div_euclid(BLOCK_BYTES)..=(table.end - 1).div_euclid(BLOCK_BYTES) {
                blocks[block.rem_euclid(BLOCKS as i64) as usize] = true;
            }
        }
        Self { all, blocks }
    }

    /// The table at an address.
    #[inline]
    pub(crate) fn at(&self, address: i64) -> Option<&Table> {
        let block = address.div_euclid(BLOCK_BYTES).rem_euclid(BLOCKS as i64);
        // Nearly every address is settled here.
        if !self.blocks[block as usize] {
            return None;
        }
        self.all.iter().find(|table| (table.begin..table.end).contains(&address))
    }
}

/// Constants of less magnitude are everywhere, addresses of data among them, and none is a word.
const LEAST_WORD: u64 = 0x0400_0000;

/// `memory.init`, as the decoder numbers it.
const MEMORY_INIT: u16 = 0x108;

/// Size in bytes of a body that may multiply two 64-bit numbers to one of 128 bits, which compilers call where they have
/// no operator for it; LLVM's has some 100.
pub(crate) const MULTIPLIER_BYTES: usize = 300;

/// Calls of a multiplier in one function that make a product of long numbers: four words by four.
const MULTIPLIER_CALLS: usize = 16;

/// Whether a function's census lets it be one that [`multiplies_wide`].
pub(crate) fn may_multiply_wide(census: &Census) -> bool {
    census.any(&[0x7e])
}

/// Whether a function multiplies two 64-bit numbers to one of 128 bits: by halves, without loops or calls.
pub(crate) fn multiplies_wide(ops: &[Op]) -> bool {
    let directs = |op: &Op| matches!(op.code & code::MASK, 0x03 | 0x0c..=0x0e | 0x10 | 0x11);
    if ops.iter().any(directs) {
        return false;
    }
    let count = |codes: &[u16]| ops.iter().filter(|op| codes.contains(&op.code)).count();
    let halves = ops.windows(2).filter(|pair| pair[0].code == 0x42 && pair[0].b == 32 && pair[1].code == 0x88).count();
    (3..=8).contains(&count(&[0x7e])) && halves >= 2 && count(&[0x37]) == 2
}

/// Where the segments that code puts in place come to lie: pairs of segment and address, from the operators of the
/// function that does it.
pub(crate) fn placed(ops: &[Op]) -> Vec<(u32, i64)> {
    let constant = |op: &Op| matches!(op.code, 0x41 | 0x42).then_some(op.b);
    let place = |window: &[Op]| {
        let (to, from) = (constant(&window[0])?, constant(&window[1])?);
        constant(&window[2])?;
        (window[3].code == MEMORY_INIT).then_some((window[3].a, to.checked_sub(from)?))
    };
    ops.windows(4).filter_map(place).collect()
}

/// Finds the tables in the data segments whose address is known; of those without one, `placed` tells some.
pub(crate) fn tables(module: &Module<'_>, placed: &[(u32, i64)]) -> Tables {
    let told = |index: usize| placed.iter().find(|place| place.0 as usize == index).map(|place| place.1);
    let data = module.data.iter().enumerate().take(MAX_SEGMENTS);
    tables_in(data.map(|(index, &(address, data))| (address.or_else(|| told(index)), data)))
}

/// Finds the tables in data at known addresses.
pub(crate) fn tables_at<'d>(data: impl Iterator<Item = (i64, &'d [u8])>) -> Tables {
    tables_in(data.map(|(address, data)| (Some(address), data)))
}

fn tables_in<'d>(pieces: impl Iterator<Item = (Option<i64>, &'d [u8])>) -> Tables {
    let mut out = Vec::new();
    for (address, data) in pieces {
        for (at, table) in FILTER.find(data) {
            // One whose place is not known is addressed by nothing.
            let begin = address.map(|address| address.saturating_add(at as i64 - table.before));
            let (begin, end) = begin.map_or((0, 0), |begin| (begin, begin.saturating_add(table.size)));
            out.push(Table { algorithm: table.algorithm, begin, end });
        }
        if out.len() >= MAX_TABLES {
            break;
        }
    }
    Tables::new(out)
}

/// Segments looked into: WebAssembly engines take no more.
const MAX_SEGMENTS: usize = 100_000;

/// Tables kept of one module; a file with more was made to have them.
const MAX_TABLES: usize = 256;

/// Bytes compared at once, and from one place looked at to the next; bytes that are looked at together.
const WORD: usize = 8;
const LINE: usize = 4 * WORD;

/// Words of each table, one for each distance from a multiple of eight, so that one of them is aligned wherever the table begins:
/// data is gone through eight bytes at a time, and a filter by hash settles nearly every word.
struct Filter {
    /// By hash: where in `words` those with that hash begin, counted from 1; 0 where there are none.
    slots: [u8; SLOTS],
    /// By hash, each with its place in its table, and the table.
    words: [(u64, usize, usize); WORD * TABLES.len()],
}

const SLOTS: usize = 1 << 14;

// A place among the words fits a byte.
const _: () = assert!(WORD * TABLES.len() <= u8::MAX as usize);

/// Made when the program is compiled: small modules are analysed in less time than it takes.
static FILTER: Filter = Filter::new();

impl Filter {
    const fn new() -> Self {
        let mut words = [(0, 0, 0); WORD * TABLES.len()];
        let mut next = 0;
        while next < words.len() {
            let at = telling(TABLES[next / WORD].bytes, next % WORD);
            let word = Self::word(TABLES[next / WORD].bytes, at);
            // Put where it belongs among those before it.
            let mut place = next;
            while place > 0 && Self::slot(words[place - 1].0) > Self::slot(word) {
                words[place] = words[place - 1];
                place -= 1;
            }
            words[place] = (word, at, next / WORD);
            next += 1;
        }
        let mut slots = [0; SLOTS];
        while next > 0 {
            slots[Self::slot(words[next - 1].0)] = next as u8;
            next -= 1;
        }
        Self { slots, words }
    }

    /// The word at a place in some bytes.
    const fn word(bytes: &[u8], at: usize) -> u64 {
        let (mut word, mut byte) = (0, WORD);
        while byte > 0 {
            byte -= 1;
            word = word << 8 | bytes[at + byte] as u64;
        }
        word
    }

    const fn slot(word: u64) -> usize {
        // Fibonacci hashing (Knuth, "The Art of Computer Programming" 3, section 6.4).
        (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.ilog2())) as usize
    }

    /// The tables that begin in a segment, with their places, up to [`MAX_TABLES`].
    fn find(&self, data: &[u8]) -> Vec<(usize, &'static Beginning)> {
        let mut out = Vec::new();
        // Four words at a time: nearly none has a place in the filter.
        let (lines, rest) = data.as_chunks::<LINE>();
        for (index, line) in lines.iter().enumerate() {
            let words: [u64; LINE / WORD] = std::array::from_fn(|at| Self::word(line, WORD * at));
            if words.iter().fold(0, |any, &word| any | self.slots[Self::slot(word)]) == 0 {
                continue;
            }
            self.look_up(data, &words, LINE * index, &mut out);
            if out.len() >= MAX_TABLES {
                return out;
            }
        }
        let words: Vec<u64> = rest.chunks_exact(WORD).map(|word| Self::word(word, 0)).collect();
        self.look_up(data, &words, data.len() - rest.len(), &mut out);
        out
    }

    /// Adds the tables that hold one of some words, which stand at a place in the data.
    fn look_up(&self, data: &[u8], words: &[u64], place: usize, out: &mut Vec<(usize, &'static Beginning)>) {
        let tables: &'static [Beginning] = &TABLES;
        for (&word, place) in words.iter().zip((place..).step_by(WORD)) {
            let slot = Self::slot(word);
            let Some(first) = usize::from(self.slots[slot]).checked_sub(1) else { continue };
            let alike = self.words[first..].iter().take_while(|entry| Self::slot(entry.0) == slot);
            for &(_, at, table) in alike.filter(|entry| entry.0 == word) {
                let table = &tables[table];
                let begin = place.checked_sub(at).filter(|&begin| data[begin..].starts_with(table.bytes));
                out.extend(begin.map(|begin| (begin, table)));
            }
        }
    }
}

/// Where the most telling word of a table begins among those that begin at `first` or eights later: zeros are everywhere, so
/// that the word with the fewest of them tells most.
const fn telling(bytes: &[u8], first: usize) -> usize {
    let (mut best, mut fewest) = (first, usize::MAX);
    let mut at = first;
    while at + WORD <= bytes.len() {
        let mut zeros = 0;
        let mut byte = at;
        while byte < at + WORD {
            if bytes[byte] == 0 {
                zeros += 1;
            }
            byte += 1;
        }
        if zeros < fewest {
            (best, fewest) = (at, zeros);
        }
        at += WORD;
    }
    best
}

/// Whether a function that calls multipliers so often sums many wide products with carries; hashes make such products
/// too, but do not sum them.
///
/// # Errors
/// Where its operators cannot be read.
pub(crate) fn sums_products<E>(calls: usize, ops: impl FnOnce() -> Result<Vec<Op>, E>) -> Result<bool, E> {
    if calls < MULTIPLIER_CALLS {
        return Ok(false);
    }
    // An unsigned comparison of a sum with what was added tells the carry.
    let carries = ops()?.iter().filter(|op| matches!(op.code, 0x54 | 0x56)).count();
    Ok(2 * carries >= calls)
}

/// The algorithms a function's constants betray.
pub(crate) fn by_constants(census: &Census, tables: &Tables) -> BTreeSet<&'static str> {
    let mut out = BTreeSet::new();
    let mut words: BTreeSet<(&'static str, u64)> = BTreeSet::new();
    let mut polynomials: BTreeSet<&'static str> = BTreeSet::new();
    for &(code, value) in &census.constants {
        out.extend(tables.at(value).map(|table| table.algorithm));
        if matches!(code, 0x41 | 0x42) && value.unsigned_abs() >= LEAST_WORD {
            let value = if code == 0x41 { u64::from(value as u32) } else { value as u64 };
            words.extend(WORDS.iter().filter(|word| word.0 == value).map(|word| (word.1, word.0)));
            polynomials.extend(POLYNOMIALS.iter().filter(|word| word.0 == value).map(|word| word.1));
        }
    }
    for (index, word) in words.iter().enumerate() {
        if words.iter().skip(index + 1).any(|other| other.0 == word.0) {
            out.insert(word.0);
        }
    }
    // A division by a polynomial shifts and combines.
    if census.any(&[0x76, 0x88]) && census.any(&[0x73, 0x85]) {
        out.extend(polynomials);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_found_wherever_it_begins() {
        for table in &TABLES {
            for before in 0..2 * WORD {
                let data = [&vec![1; before], table.bytes, &[2; 5]].concat();
                let found: Vec<usize> =
                    FILTER.find(&data).into_iter().filter(|found| found.1.bytes == table.bytes).map(|f| f.0).collect();
                assert_eq!(found, [before], "{} {:?}", table.algorithm, table.bytes);
            }
        }
        assert!(FILTER.find(&[0; 4096]).is_empty());
        assert_eq!(FILTER.slots[Filter::slot(0)], 0, "zeros are looked at no closer");
    }

    fn constant(value: u32) -> Op {
        Op { code: 0x41, a: 0, b: i64::from(value as i32) }
    }

    fn addressed(ops: &[Op], tables: &Tables) -> Vec<&'static str> {
        let mut census = Census::default();
        for op in ops {
            census.meet(op.code);
            if matches!(op.code, 0x41 | 0x42 | 0x28..=0x35) {
                census.note(op.code, op.b);
            }
        }
        let mut found = by_constants(&census, tables);
        if may_go_in_rounds(&census) {
            by_rounds(ops, &mut found);
        }
        found.into_iter().collect()
    }

    fn found(ops: &[Op]) -> Vec<&'static str> {
        addressed(ops, &Tables::new(Vec::new()))
    }

    #[test]
    fn no_word_is_a_small_constant() {
        for value in WORDS.iter().chain(&POLYNOMIALS).map(|word| word.0) {
            // Held as the code holds it: a 32-bit constant with its sign.
            let held = u32::try_from(value).map_or(value as i64, |narrow| i64::from(narrow as i32));
            assert!(held.unsigned_abs() >= LEAST_WORD, "{value:#x}");
        }
    }

    #[test]
    fn one_word_is_chance_and_two_are_not() {
        assert!(found(&[constant(0x5a82_7999)]).is_empty());
        let both = [constant(0x5a82_7999), constant(0x8f1b_bcdc), constant(0xd76a_a478)];
        assert_eq!(found(&both), ["SHA-1"]);
        assert!(found(&[constant(0x5a82_7999), constant(0x5a82_7999)]).is_empty());
    }

    #[test]
    fn a_table_counts_where_it_is_addressed() {
        let mut data = vec![0; 100];
        data.extend(TABLES[0].bytes);
        let module = Module { data: vec![(Some(1000), &data)], ..Module::default() };
        let tables = tables(&module, &[]);
        assert_eq!(tables.all.len(), 1);
        let load = |b| Op { code: 0x2d, a: 0, b };
        assert!(addressed(&[load(1099)], &tables).is_empty());
        assert_eq!(addressed(&[load(1100)], &tables), ["AES"]);
    }

    #[test]
    fn a_table_that_code_puts_in_place_is_found_there() {
        let module = Module { data: vec![(None, TABLES[8].bytes)], ..Module::default() };
        let init = [constant(2048), constant(0), constant(12), Op { code: MEMORY_INIT, a: 0, b: 0 }];
        let found = tables(&module, &placed(&init));
        assert_eq!(addressed(&[constant(2048)], &found), ["SHA-256"]);
        let lost = tables(&module, &[]);
        assert!(addressed(&[constant(0)], &lost).is_empty());
    }

    #[test]
    fn a_polynomial_counts_where_it_is_divided_by() {
        let bare = [constant(0xedb8_8320)];
        assert!(found(&bare).is_empty());
        let ops = |codes: &[u16]| codes.iter().map(|&code| Op { code, a: 0, b: 1 }).collect::<Vec<_>>();
        assert_eq!(found(&[&bare[..], &ops(&[0x76, 0x73])].concat()), ["CRC-32"]);
    }

    #[test]
    fn rotations_tell_only_where_nothing_else_rotates() {
        let rounds = |amounts: &[u32], times: usize| {
            let rotate = |&by: &u32| [constant(by), Op { code: 0x77, a: 0, b: 0 }];
            amounts.iter().flat_map(rotate).collect::<Vec<_>>().repeat(times)
        };
        assert_eq!(found(&rounds(&[16, 12, 8, 7], 8)), ["ChaCha or Salsa"]);
        assert_eq!(found(&rounds(&[16, 20, 24, 25], 8)), ["BLAKE2 or BLAKE3"]);
        assert!(found(&rounds(&[16, 12, 8, 7], 1)).is_empty(), "too few");
        assert!(found(&rounds(&[16, 12, 8, 7, 15, 13], 8)).is_empty(), "some other hash");
    }
}
