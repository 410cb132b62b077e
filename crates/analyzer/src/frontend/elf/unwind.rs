//! Functions by their unwind entries: the sorted table in `.eh_frame_hdr`, and the lengths in `.eh_frame`.
//!
//! Format: Linux Standard Base 5.0, sections 10.6.1 and 10.6.2. Only the encodings that linkers write are read.

use super::image::Image;

/// Pointer encodings (LSB 5.0, section 10.5.1): 4-byte signed, relative to the place or to the table's begin.
const PCREL_SDATA4: u8 = 0x1b;
const DATAREL_SDATA4: u8 = 0x3b;
const UDATA4: u8 = 0x03;

/// Ranges of functions: start and size, the size 0 where the entry cannot be read.
pub(crate) fn ranges(image: &Image<'_>) -> Vec<(u64, u64)> {
    table(image).unwrap_or_default()
}

fn table(image: &Image<'_>) -> Option<Vec<(u64, u64)>> {
    let (address, file) = image.eh_frame_hdr.clone()?;
    let header = image.bytes.get(file.start..file.end.min(image.bytes.len()))?;
    if header.get(..4)? != [1, PCREL_SDATA4, UDATA4, DATAREL_SDATA4] {
        return None;
    }
    let count = word(header, 8)? as usize;
    let entries = header.get(12..)?.chunks_exact(8).take(count);
    let mut common = None;
    let entry = |bytes: &[u8]| {
        let start = address.wrapping_add_signed(i64::from(word(bytes, 0)? as i32));
        let frame = address.wrapping_add_signed(i64::from(word(bytes, 4)? as i32));
        Some((start, length(image, frame, &mut common).unwrap_or(0)))
    };
    Some(entries.filter_map(entry).collect())
}

/// The length of the code that a frame description entry covers, where its pointers are four bytes wide.
///
/// Most entries share the common one that was seen last, with its encoding.
fn length(image: &Image<'_>, frame: u64, common: &mut Option<(u64, Option<u8>)>) -> Option<u64> {
    let bytes = image.at(frame)?;
    let place = frame.checked_add(4)?.checked_sub(u64::from(word(bytes, 4)?))?;
    let (_, encoding) = *match common {
        Some(known) if known.0 == place => known,
        _ => common.insert((place, encoding(image, place))),
    };
    let encoding = encoding?;
    (encoding & 0x0f == 0x0b || encoding & 0x0f == UDATA4).then_some(())?;
    Some(u64::from(word(bytes, 12)?))
}

/// The pointer encoding that a common information entry names in its augmentation `R`.
fn encoding(image: &Image<'_>, common: u64) -> Option<u8> {
    let bytes = image.at(common)?;
    let text = bytes.get(9..17)?;
    let end = text.iter().position(|&byte| byte == 0)?;
    let mut at = 9 + end + 1;
    // Code and data alignment, return register, length of the augmentation data: LEB128 numbers.
    for _ in 0..4 {
        while bytes.get(at)? & 0x80 != 0 {
            at += 1;
        }
        at += 1;
    }
    for letter in text[..end].iter().skip_while(|&&letter| letter == b'z') {
        match letter {
            b'R' => return bytes.get(at).copied(),
            b'P' => at += if bytes.get(at)? & 0x0f == 0x0b { 5 } else { 9 },
            b'L' => at += 1,
            _ => return None,
        }
    }
    None
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
