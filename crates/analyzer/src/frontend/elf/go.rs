//! Go's own function table, which stripping leaves in place: `.gopclntab`.
//!
//! Layout: `internal/abi/symtab.go` and `debug/gosym/pclntab.go` of the Go sources, versions 1.18 (`0xfffffff0`) and
//! 1.20 (`0xfffffff1`). Older versions are told by their symbols alone.

use super::image::Image;

/// Bytes of a function's name that are kept.
const MAX_NAME: usize = 512;

/// Functions: start, size 0, name.
pub(crate) fn functions<'a>(image: &Image<'a>) -> Vec<(u64, u64, &'a str)> {
    image.contents(".gopclntab").and_then(|table| read(image, table)).unwrap_or_default()
}

fn read<'a>(image: &Image<'a>, table: &'a [u8]) -> Option<Vec<(u64, u64, &'a str)>> {
    let magic = word(table, 0)?;
    if !matches!(magic, 0xffff_fff0 | 0xffff_fff1) || *table.get(7)? != 8 {
        return None;
    }
    let field = |index: usize| {
        let bytes = table.get(8 + 8 * index..16 + 8 * index)?;
        usize::try_from(u64::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    // Newer linkers leave the text's start zero and mean the beginning of the section.
    let text = match field(2)? as u64 {
        0 => image.section(".text")?.address,
        start => start,
    };
    let names = table.get(field(3)?..)?;
    let entries = table.get(field(7)?..)?;
    let count = field(0)?.min(entries.len() / 8);
    let function = |entry: &[u8]| {
        let start = text.wrapping_add(u64::from(word(entry, 0)?));
        let data = entries.get(word(entry, 4)? as usize..)?;
        let name = names.get(word(data, 4)? as usize..)?;
        let end = name.iter().take(MAX_NAME).position(|&byte| byte == 0)?;
        Some((start, 0, std::str::from_utf8(&name[..end]).ok()?))
    };
    Some(entries.chunks_exact(8).take(count).filter_map(function).collect())
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
