//! The code of an image as one numbered program: imports first, then functions; where a call goes.

use std::sync::atomic::{AtomicU8, Ordering};

use super::body::never_returns;
use super::crypto;
use super::functions::{self, Functions};
use super::image::Image;
use crate::signatures::Tables;

/// An image whose code is decoded, with its functions.
#[derive(Debug, Default)]
pub(crate) struct Code<'a> {
    pub image: Image<'a>,
    pub functions: Functions<'a>,
    /// Tables of cryptography and checksums in its data, where those were looked for.
    pub tables: Option<Tables>,
    /// Whether calls of each number do not come back, as far as that was asked: see [`Code::never_returns`].
    never: Vec<AtomicU8>,
    /// Where functions and stubs lie.
    places: Places,
    stubs: Places,
    /// What the words of the table of addresses that calls go through stand for: where it begins, and each in turn.
    table: (u64, Vec<Callee>),
}

/// Answers to whether calls of a function come back.
const UNASKED: u8 = 0;
const RETURNS: u8 = 1;
const NEVER: u8 = 2;

/// Bytes of code for which the place in the list of functions is kept, and in that of stubs, which have 16 each.
const GRAIN: u64 = 64;
const STUB_GRAIN: u64 = 8;

/// Entries of such a list at most: code so far apart is no program.
const MAX_PLACES: u64 = 1 << 26;

/// Things in order of their addresses, of which the one at an address is found in a step or two.
#[derive(Debug, Default)]
struct Places {
    low: u64,
    high: u64,
    grain: u64,
    /// The first that begins at or after each grain.
    first: Vec<u32>,
}

impl Places {
    /// Of what begins at addresses given in order, the last of which ends at `end`.
    fn new(starts: impl Iterator<Item = u64>, end: u64, grain: u64) -> Self {
        let mut out = Self { grain, ..Self::default() };
        let mut count = 0;
        for start in starts {
            if count == 0 {
                out.low = start;
            }
            out.fill((start - out.low) / grain + 1, count);
            count += 1;
        }
        if count > 0 {
            out.high = end.min(out.low.saturating_add(grain * MAX_PLACES));
            out.fill((out.high - out.low).div_ceil(grain), count);
        }
        out
    }

    /// Has the grains up to so many begin with a thing, but for those that begin with an earlier one.
    fn fill(&mut self, grains: u64, number: u32) {
        let grains = grains.min(MAX_PLACES) as usize;
        self.first.resize(self.first.len().max(grains), number);
    }

    #[inline]
    fn spans(&self, address: u64) -> bool {
        self.low <= address && address < self.high
    }

    /// The last that begins at an address or before, where `start` tells of each where it begins.
    #[inline]
    fn find(&self, address: u64, start: impl Fn(usize) -> Option<u64>) -> Option<usize> {
        if !self.spans(address) {
            return None;
        }
        let mut at = self.first[((address - self.low) / self.grain) as usize] as usize;
        while start(at).is_some_and(|start| start <= address) {
            at += 1;
        }
        at.checked_sub(1)
    }
}

/// Where a call or jump out of a function goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callee {
    /// A function or import, by number.
    Known(u32),
    /// Whatever a register or memory holds.
    Indirect,
    /// No function there.
    Nothing,
}

impl<'a> Code<'a> {
    /// Finds the functions of an image; none where its machine is not decoded. Where it is not to be `thorough`, what
    /// lies between functions is not looked for, nor data for tables.
    pub(crate) fn new(image: Image<'a>, thorough: bool) -> Self {
        let functions = if image.decodable() { functions::find(&image, thorough) } else { Functions::default() };
        let tables = (thorough && image.decodable()).then(|| crypto::tables(&image));
        Self::of(image, functions, tables)
    }

    fn of(image: Image<'a>, functions: Functions<'a>, tables: Option<Tables>) -> Self {
        let never = (0..image.imports.len() + functions.ranges.len()).map(|_| AtomicU8::new(UNASKED)).collect();
        let ranges = &functions.ranges;
        let places =
            Places::new(ranges.iter().map(|range| range.start), ranges.last().map_or(0, |last| last.end), GRAIN);
        let stubs = &functions.stubs;
        let stubs = Places::new(stubs.iter().map(|stub| stub.0), stubs.last().map_or(0, |last| last.0 + 1), STUB_GRAIN);
        let mut code = Self { image, functions, tables, never, places, stubs, table: (0, Vec::new()) };
        code.table = code.table();
        code
    }

    /// Has functions begin at addresses between the others, given in order; the new place in the list of each old one.
    pub(crate) fn add(&mut self, addresses: &[u64]) -> Vec<u32> {
        let Self { image, mut functions, tables, .. } = std::mem::take(self);
        let places = functions.add(&image, addresses);
        *self = Self::of(image, functions, tables);
        places
    }

    /// The table of addresses, `.got`, of which compilers call most imports.
    fn table(&self) -> (u64, Vec<Callee>) {
        let Some(section) = self.image.section(".got") else { return (0, Vec::new()) };
        let words = section.file.len() as u64 / 8;
        let end = words.checked_mul(8).and_then(|bytes| section.address.checked_add(bytes));
        let words = end.map_or(0, |_| words);
        (section.address, (0..words).map(|word| self.find_slot(section.address + 8 * word)).collect())
    }

    /// The number of the first function with code.
    pub(crate) fn first(&self) -> u32 {
        self.image.imports.len() as u32
    }

    /// The number of a function by its place in the list.
    pub(crate) fn number(&self, range: u32) -> u32 {
        self.first() + range
    }

    /// The bytes of a function.
    pub(crate) fn bytes(&self, range: usize) -> &'a [u8] {
        let Some(range) = self.functions.ranges.get(range) else { return &[] };
        self.image.bytes.get(range.offset..range.offset + (range.end - range.start) as usize).unwrap_or_default()
    }

    /// Whether an address lies between the first function and the end of the last.
    #[inline]
    pub(crate) fn spans(&self, address: u64) -> bool {
        self.places.spans(address)
    }

    /// The function that an address lies in, by its place in the list.
    #[inline]
    pub(crate) fn holding(&self, address: u64) -> Option<u32> {
        let ranges = &self.functions.ranges;
        let at = self.places.find(address, |at| ranges.get(at).map(|range| range.start))?;
        (address < ranges[at].end).then_some(at as u32)
    }

    /// The function that begins at an address.
    #[inline]
    pub(crate) fn starting(&self, address: u64) -> Option<u32> {
        self.holding(address).filter(|&at| self.functions.ranges[at as usize].start == address)
    }

    /// The number of the function that begins at an address.
    #[inline]
    pub(crate) fn number_of(&self, address: u64) -> Option<u32> {
        self.starting(address).map(|range| self.number(range))
    }

    /// The bytes of the file from a function's first on.
    pub(crate) fn bytes_from(&self, range: usize) -> &'a [u8] {
        let Some(range) = self.functions.ranges.get(range) else { return &[] };
        self.image.bytes.get(range.offset..).unwrap_or_default()
    }

    /// What an address stands for when it is called.
    pub(crate) fn callee(&self, address: u64) -> Callee {
        let stubs = &self.functions.stubs;
        if let Some(at) = self.stubs.find(address, |at| stubs.get(at).map(|stub| stub.0))
            && stubs[at].0 == address
        {
            return Callee::Known(stubs[at].1);
        }
        match self.holding(address) {
            Some(range) => Callee::Known(self.number(range)),
            None => Callee::Nothing,
        }
    }

    /// The function whose address lies in a slot that the program does not change.
    pub(crate) fn slot(&self, address: u64) -> Callee {
        let place = address.wrapping_sub(self.table.0) / 8;
        if address >= self.table.0 && address % 8 == self.table.0 % 8 && place < self.table.1.len() as u64 {
            return self.table.1[place as usize];
        }
        self.find_slot(address)
    }

    fn find_slot(&self, address: u64) -> Callee {
        if let Some(import) = self.image.import_at(address) {
            return Callee::Known(import);
        }
        let places = &self.image.pointers;
        let at = places.partition_point(|pointer| pointer.0 < address);
        match places.get(at).filter(|pointer| pointer.0 == address && self.image.relocated_once(address)) {
            Some(pointer) => self.callee(pointer.1),
            None => Callee::Indirect,
        }
    }

    /// Whether calls of a number do not come back, by its name: names are long and many, and few are asked for.
    pub(crate) fn never_returns(&self, number: u32) -> bool {
        let Some(known) = self.never.get(number as usize) else { return false };
        match known.load(Ordering::Relaxed) {
            UNASKED => {
                let never = never_returns(self.name(number));
                known.store(if never { NEVER } else { RETURNS }, Ordering::Relaxed);
                never
            }
            answer => answer == NEVER,
        }
    }

    /// Whether a number is an import of one of these names.
    pub(crate) fn is_import(&self, number: u32, names: &[&str]) -> bool {
        self.image.imports.get(number as usize).is_some_and(|name| names.contains(name))
    }

    /// A function's name, empty where it has none.
    pub(crate) fn name(&self, number: u32) -> &'a str {
        match (number as usize).checked_sub(self.image.imports.len()) {
            Some(range) => self.functions.ranges.get(range).map_or("", |range| range.name),
            None => self.image.imports[number as usize],
        }
    }
}

impl Code<'_> {
    /// The place of an address in the file.
    pub(crate) fn offset(&self, address: u64) -> u64 {
        match self.holding(address) {
            Some(range) => {
                let range = &self.functions.ranges[range as usize];
                range.offset as u64 + (address - range.start)
            }
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_address() {
        let starts = [10, 74, 75, 300];
        let places = Places::new(starts.into_iter(), 310, 64);
        let find = |address| places.find(address, |at| starts.get(at).copied());
        assert_eq!([9, 10, 73, 74, 75].map(find), [None, Some(0), Some(0), Some(1), Some(2)]);
        assert_eq!([299, 300, 309, 310].map(find), [Some(2), Some(3), Some(3), None]);
        assert_eq!(Places::new(std::iter::empty(), 0, 64).find(0, |_| None), None);
    }
}
