//! Algorithms by what their rounds do, where they need no constants: rotations by telling amounts, wide multiplications
//! with carries, logic without shifts.
//!
//! Every rule asks for so many operators of so few kinds in one function that nothing else was found to meet it; the
//! tests hold them against programs without cryptography. Called by the signatures.

use std::collections::BTreeSet;

use crate::frontend::wasm::decode::{Census, Op};

/// Rotations that a round function has at least: the smallest rounds of the algorithms below have sixteen or, where a
/// loop holds one quarter round of two words, eight.
const ROTATIONS: u32 = 8;

/// Wide multiplications of an unrolled product of long numbers: more than the 16 of a quadruple-precision float's.
const PRODUCTS: u32 = 40;

/// The name of a product of long numbers.
pub(crate) const LONG_PRODUCT: &str = "big-integer multiplication";

/// Bitsliced S-boxes: the smallest circuit known for that of AES has 32 ANDs and 81 XORs (Boyar and Peralta, "A small
/// depth-16 circuit for the AES S-box", SEC 2012).
const ANDS: u32 = 30;
const XORS: u32 = 75;

/// Counts of what a function does.
#[derive(Debug)]
struct Mix {
    /// Rotations left by each constant amount.
    narrow: [u32; 32],
    wide: [u32; 64],
    products: u32,
    additions: u32,
    carries: u32,
    /// The longest run of logic without shifts, comparisons or branches: its ANDs and XORs.
    circuit: (u32, u32),
    run: (u32, u32),
}

impl Mix {
    fn of(ops: &[Op]) -> Self {
        let mut mix = Self {
            narrow: [0; 32],
            wide: [0; 64],
            products: 0,
            additions: 0,
            carries: 0,
            circuit: (0, 0),
            run: (0, 0),
        };
        let mut before = None;
        for op in ops {
            // Half of all operators: they move values about and count for nothing.
            if matches!(op.code, 0x20..=0x22) {
                before = None;
                continue;
            }
            mix.take(op, before);
            before = matches!(op.code, 0x41 | 0x42).then_some(op.b);
        }
        mix
    }

    fn take(&mut self, op: &Op, constant: Option<i64>) {
        match (op.code, constant) {
            (0x77, Some(by)) => self.narrow[by.rem_euclid(32) as usize] += 1,
            (0x78, Some(by)) => self.narrow[(-by).rem_euclid(32) as usize] += 1,
            (0x89, Some(by)) => self.wide[by.rem_euclid(64) as usize] += 1,
            (0x8a, Some(by)) => self.wide[(-by).rem_euclid(64) as usize] += 1,
            // Constants multiply in hashes, divisions by constants and calendars.
            (0x7e, None) => self.products += 1,
            // Multiplications to 128 bits stand for four.
            (0x115 | 0x116, _) => self.products += 4,
            (0x7c, _) => self.additions += 1,
            (0x87 | 0x88, Some(20..=60)) => self.carries += 1,
            _ => {}
        }
        match op.code {
            0x71 | 0x83 => self.extend(1, 0),
            0x73 | 0x85 => self.extend(0, 1),
            // Moving values about, and the NOT that is an exclusive or with minus one, belong to a circuit.
            0x20..=0x22 | 0x41 | 0x42 | 0x72 | 0x84 | 0x28 | 0x29 | 0x36 | 0x37 => {}
            _ => self.run = (0, 0),
        }
    }

    fn extend(&mut self, ands: u32, xors: u32) {
        self.run = (self.run.0 + ands, self.run.1 + xors);
        if self.run.0 + self.run.1 > self.circuit.0 + self.circuit.1 {
            self.circuit = self.run;
        }
    }

    /// Whether nearly all rotations are by these amounts, each of them often.
    fn rotates(counts: &[u32], amounts: &[usize]) -> bool {
        let all: u32 = counts.iter().skip(1).sum();
        let these: u32 = amounts.iter().map(|&by| counts[by]).sum();
        let least = amounts.iter().map(|&by| counts[by]).min().unwrap_or(0);
        these >= ROTATIONS && least * 2 * amounts.len() as u32 >= these && these * 10 >= all * 9
    }
}

/// Whether a function has as many rotations, wide products, or ANDs and XORs as the rules ask for at the least.
pub(crate) fn may_go_in_rounds(census: &Census) -> bool {
    census.count(&[0x77, 0x78, 0x89, 0x8a]) >= ROTATIONS
        || census.count(&[0x7e]) + 4 * census.count(&[0x115, 0x116]) >= PRODUCTS
        || (census.count(&[0x71, 0x83]) >= ANDS && census.count(&[0x73, 0x85]) >= XORS)
}

/// The algorithms that a function's operators betray by their mix.
pub(crate) fn by_rounds(ops: &[Op], out: &mut BTreeSet<&'static str>) {
    // The smallest function that any rule accepts.
    if ops.len() < 2 * ROTATIONS as usize {
        return;
    }
    let mix = Mix::of(ops);
    if Mix::rotates(&mix.narrow, &[16, 12, 8, 7]) {
        out.insert("ChaCha or Salsa");
    }
    if Mix::rotates(&mix.narrow, &[7, 9, 13, 18]) {
        out.insert("ChaCha or Salsa");
    }
    if Mix::rotates(&mix.narrow, &[16, 20, 24, 25]) {
        out.insert("BLAKE2 or BLAKE3");
    }
    if Mix::rotates(&mix.wide, &[32, 40, 48, 1]) {
        out.insert(if mix.products >= ROTATIONS { "Argon2" } else { "BLAKE2" });
    }
    if keccak(&mix.wide) {
        out.insert("SHA-3");
    }
    if mix.products >= PRODUCTS && mix.additions * 2 >= mix.products && mix.carries >= 8 {
        out.insert(LONG_PRODUCT);
    }
    let (ands, xors) = mix.circuit;
    if ands >= ANDS && xors >= XORS && xors >= 2 * ands && xors <= 5 * ands {
        out.insert("bitsliced S-box (AES or another cipher)");
    }
}

/// Whether a function rotates by most of Keccak's offsets: FIPS 202, table 2.
fn keccak(wide: &[u32; 64]) -> bool {
    const OFFSETS: [usize; 23] =
        [1, 2, 3, 6, 8, 10, 14, 15, 18, 20, 21, 25, 27, 28, 36, 39, 41, 43, 44, 45, 55, 56, 61];
    let met = OFFSETS.iter().filter(|&&by| wide[by] > 0).count();
    let others = (1..64).filter(|by| !OFFSETS.contains(by) && *by != 62 && wide[*by] > 0).count();
    met >= 20 && others == 0
}
