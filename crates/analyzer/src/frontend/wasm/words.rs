//! Which words of a module's data nothing is seen to change: variables such as the size of a problem that keep the value
//! they begin with, and constants that are read rather than written into the code.
//!
//! A word counts as changed where some function stores to its address, or where the address of something that may hold
//! it is handed on, by code or in the data itself. Called once the functions are laid out that a run comes to; of the others
//! it matters what they name.

use std::ops::Range;

use super::module::Module;
use crate::program::Forest;

/// How far behind an address that is handed on memory may be changed through it, in bytes: the size of a `FILE` of musl
/// on 32 bits (`src/internal/stdio_impl.h`), which is the structure that every C program's data holds.
const REACH: u32 = 112;

/// Data looked through for addresses, in bytes; with more no word counts as constant.
const MOST_DATA: usize = 4 << 20;

/// Where addresses lie whose naming by a function that is not laid out matters: it may change what it names the address of,
/// or stores to beside an address that is not known.
pub(super) fn range(module: &Module<'_>) -> Range<i64> {
    if too_much(module) {
        return 0..0;
    }
    let ends = |&(address, data): &(Option<i64>, &[u8])| Some((address?, address?.saturating_add(data.len() as i64)));
    let ends = module.data.iter().filter_map(ends);
    let (from, to) = ends.fold((i64::MAX, 0), |all, one| (all.0.min(one.0), all.1.max(one.1)));
    from..to
}

fn too_much(module: &Module<'_>) -> bool {
    module.data.iter().map(|data| data.1.len()).sum::<usize>() > MOST_DATA
}

/// Addresses read that nothing changes, in order; `named` are those that other functions name.
pub(super) fn unchanged(module: &Module<'_>, forests: &[Forest], named: &[u32]) -> Vec<u32> {
    let mut read: Vec<u32> = forests.iter().flat_map(|forest| &forest.words.read).copied().collect();
    read.sort_unstable();
    read.dedup();
    if read.is_empty() || too_much(module) {
        return Vec::new();
    }
    let mut kept = vec![true; read.len()];
    let (least, most) = (read.first().copied().unwrap_or(0), read.last().copied().unwrap_or(0));
    let mut change = |from: u32, to: u32| {
        if to <= least || from > most {
            return;
        }
        let first = read.partition_point(|&address| address < from);
        let changed = read[first..].iter().take_while(|&&address| address < to).count();
        kept[first..first + changed].fill(false);
    };
    for &(address, alone) in forests.iter().flat_map(|forest| &forest.words.stored) {
        if alone {
            change(address.saturating_sub(7), address.saturating_add(8));
        } else {
            change(address, address.saturating_add(REACH));
        }
    }
    for &address in named {
        change(address, address.saturating_add(REACH));
    }
    for &(_, data) in &module.data {
        for word in data.chunks_exact(4) {
            let address = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            change(address, address.saturating_add(REACH));
        }
    }
    let mut kept = kept.into_iter();
    read.retain(|_| kept.next().unwrap_or(false));
    read
}
