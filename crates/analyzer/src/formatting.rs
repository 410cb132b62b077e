//! What formatted output costs: `printf` and its kin, the one library routine that nearly every C program runs and whose
//! cost its code alone tells badly, since it depends on a format and on digits.
//!
//! The routine is known by its constants (as cryptography is by its tables), so that names do not matter: the C
//! library musl, which WASI's C library and zig's share, prefixes numbers out of the text `-+   0X0x`. Its cost is a
//! linear model of the format, which is read from constant data where it lies there. Called by the front end, which
//! marks the routine, and by the frequency analysis.

use crate::lanes::{Lanes, LogNormal, seed};
use std::sync::LazyLock;

/// The text that marks musl's `printf_core` (`src/stdio/vfprintf.c`: the prefixes of `%p`, `%x`, `%i` and `%d`).
pub(crate) const MARK: &[u8] = b"-+   0X0x\0";

/// Where the mark lies in a data segment, by Horspool's search ("Practical fast searching in strings", 1980), which looks
/// at one byte in ten.
pub(crate) fn find_mark(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(window) = data.get(at..at + MARK.len()) {
        if window == MARK {
            return Some(at);
        }
        let last = window[MARK.len() - 1];
        let behind = MARK[..MARK.len() - 1].iter().rposition(|&byte| byte == last);
        at += behind.map_or(MARK.len(), |behind| MARK.len() - 1 - behind);
    }
    None
}

/// The parameter of the routine that holds the format, and the one that holds the stream (zero: only look).
pub(crate) const FORMAT: usize = 1;
const STREAM: usize = 0;

/// Formats longer than this are not read.
const LONGEST: usize = 4096;

// Operators, as `cargo run --profile ci -p forewarm-emulator --example fuel` counts them on programs of one `printf`
// each (zig 0.17.1's musl, -O2): both passes of the routine over the format, and the calls it makes.

/// Of a call whatever the format.
const CALL: f64 = 326.0;
/// Of a run of text, and of each character in it.
const TEXT: f64 = 184.0;
const CHARACTER: f64 = 50.0;
/// Of a conversion of a number with one digit, and of each further one.
const NUMBER: f64 = 440.0;
const DIGIT: f64 = 39.0;
/// Of one with a width: the padding.
const WIDTH: f64 = 240.0;
/// Of a string of no length, and of each character of it.
const STRING: f64 = 520.0;
const STRING_CHARACTER: f64 = 30.0;
/// Of a floating-point number: zero or whole, and otherwise.
const FLOAT_WHOLE: f64 = 2800.0;
const FLOAT: f64 = 6700.0;
/// Share of the first, looking pass in all of it.
const LOOKING: f64 = 0.3;

/// Digits of a number that is printed: one to nine, alike likely.
const MOST_DIGITS: f64 = 9.0;
/// How often a floating-point number is whole: a default.
const WHOLE: f64 = 0.1;
/// Length of a string that is printed: median, and spread to the 95th percentile; a default.
static LENGTH: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((6.0, 6.0), 0.0));
/// Conversions where the format is not known: median and spread; a default.
static UNKNOWN: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((2.0, 4.0), 1.0));
/// How other builds of the library differ from the one measured: a default.
static BUILD: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((1.0, 1.1), 0.0));

/// One conversion of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Text(usize),
    Number { padded: bool },
    Float,
    String,
    Character,
}

/// Operators of one call under known arguments; `text` reads constant data from an address on.
pub(crate) fn cost<'a>(arguments: &[Option<i64>], text: impl Fn(i64) -> Option<&'a [u8]>) -> Lanes {
    let known = |index: usize| arguments.get(index).copied().flatten();
    let share = match known(STREAM) {
        Some(0) => LOOKING,
        _ => 1.0 - LOOKING,
    };
    let build = Lanes::draw(&BUILD, seed([0, 0, 0xf0]));
    let format = known(FORMAT).and_then(text);
    let whole = match format {
        Some(format) => of_format(&format[..format.len().min(LONGEST)], known(FORMAT).unwrap_or(0) as u64),
        None => Lanes::draw(&UNKNOWN, seed([0, 1, 0xf0])) * (TEXT + NUMBER + 6.0 * CHARACTER) + Lanes::splat(CALL),
    };
    whole * build * share
}

fn of_format(format: &[u8], name: u64) -> Lanes {
    let mut out = Lanes::splat(CALL);
    for (site, piece) in pieces(format).into_iter().enumerate() {
        let uniform = Lanes::uniform(seed([name, site as u64, 0xf1]));
        out += match piece {
            Piece::Text(length) => Lanes::splat(TEXT + CHARACTER * length as f64),
            Piece::Character => Lanes::splat(NUMBER),
            Piece::Number { padded } => {
                let base = NUMBER + if padded { WIDTH } else { 0.0 };
                uniform.map(|u| base + DIGIT * (u * MOST_DIGITS).floor())
            }
            Piece::Float => uniform.map(|u| if u < WHOLE { FLOAT_WHOLE } else { FLOAT * (0.92 + 0.2 * u) }),
            Piece::String => {
                Lanes::draw(&LENGTH, seed([name, site as u64, 0xf2])).map(|length| STRING + STRING_CHARACTER * length)
            }
        };
    }
    out
}

/// A format by the C standard (ISO/IEC 9899:2018, 7.21.6.1) in pieces, up to its end or its NUL.
fn pieces(format: &[u8]) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut text = 0;
    let mut rest = format.iter().copied().take_while(|&byte| byte != 0).peekable();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            text += 1;
            continue;
        }
        let mut padded = false;
        let mut kind = 0;
        for next in rest.by_ref() {
            match next {
                b'1'..=b'9' | b'*' => padded = true,
                b'-' | b'+' | b' ' | b'#' | b'0' | b'.' | b'\'' | b'h' | b'l' | b'j' | b'z' | b't' | b'L' => {}
                other => {
                    kind = other;
                    break;
                }
            }
        }
        if kind == b'%' {
            text += 1;
            continue;
        }
        if text > 0 {
            out.push(Piece::Text(std::mem::take(&mut text)));
        }
        out.extend(match kind {
            b'd' | b'i' | b'u' | b'x' | b'X' | b'o' | b'p' => Some(Piece::Number { padded }),
            b'f' | b'F' | b'e' | b'E' | b'g' | b'G' | b'a' | b'A' => Some(Piece::Float),
            b's' | b'S' | b'm' => Some(Piece::String),
            b'c' | b'C' => Some(Piece::Character),
            _ => None,
        });
    }
    if text > 0 {
        out.push(Piece::Text(text));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_fall_into_pieces() {
        let number = |padded| Piece::Number { padded };
        let rows: [(&[u8], &[Piece]); 6] = [
            (b"", &[]),
            (b"n %d\n\0%f", &[Piece::Text(2), number(false), Piece::Text(1)]),
            (b"%5d%%%-8.3Lf", &[number(true), Piece::Text(1), Piece::Float]),
            (b"%s%c", &[Piece::String, Piece::Character]),
            (b"100%", &[Piece::Text(3)]),
            (b"%016llx", &[number(true)]),
        ];
        for (format, expected) in rows {
            assert_eq!(pieces(format), expected, "{}", String::from_utf8_lossy(format));
        }
    }

    #[test]
    fn the_mark_is_found_wherever_it_lies() {
        for before in 0..25 {
            let data = [b"-+   0X0".repeat(4)[..before].to_vec(), MARK.to_vec(), vec![0; 3]].concat();
            let found = find_mark(&data).map(|at| &data[at..at + MARK.len()]);
            assert_eq!(found, Some(MARK), "{before}");
        }
        assert_eq!((find_mark(b""), find_mark(b"-+   0X0x"), find_mark(&[0; 100])), (None, None, None));
    }

    #[test]
    fn looking_and_printing_add_up_to_what_was_measured() {
        let format: &[u8] = b"%d\n\0";
        let text = |_| Some(format);
        let both = cost(&[Some(0), Some(8)], text) + cost(&[None, Some(8)], text);
        let mean = both.0.iter().sum::<f64>() / both.0.len() as f64;
        // 1,000 operators for one digit, 1,312 for nine.
        assert!((1000.0..1312.0).contains(&mean), "{mean}");
    }
}
