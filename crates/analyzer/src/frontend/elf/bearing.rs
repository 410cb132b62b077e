//! Which functions have a bearing on what a program requires: those from which a run may come to code with features, and those
//! that may pass on to them what the processor said. What others do because of it makes no difference. Called by
//! [`super::isa`], which looks again at the former alone.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::code::Code;
use super::isa::{VARIABLE_BYTES, object_at, ranges};
use super::scan::{Scan, Scans};
use super::taint::Known;

/// Functions by whether code with features can be reached from them, by place in the list.
pub(super) struct Bearing {
    leads: Vec<bool>,
}

impl Bearing {
    /// Follows calls and addresses that are taken back from the functions with features.
    pub(super) fn new(code: &Code<'_>, scans: &Scans) -> Self {
        let mut leads: Vec<bool> = scans.iter().map(|scan| scan.features != 0).collect();
        let naming = Naming::new(code, scans);
        let mut work: Vec<u32> = (0..).zip(&leads).filter(|(_, leads)| **leads).map(|(index, _)| index).collect();
        while let Some(index) = work.pop() {
            for &by in naming.of(index) {
                if !std::mem::replace(&mut leads[by as usize], true) {
                    work.push(by);
                }
            }
        }
        Self { leads }
    }

    /// Functions that have a bearing where what is found of them is followed so many rounds more: they lead to features, or
    /// may return what the processor said to one that has a bearing with a round less, or leave it in data that this touches, other
    /// than what is known to hold it already.
    pub(super) fn within<'s>(
        &'s self,
        rounds: usize,
        (code, scans): (&Code<'_>, &'s Scans),
        data: &BTreeSet<u64>,
        sizes: &'s [(u64, u64)],
    ) -> Within<'s> {
        let known = Known { data: ranges(data, sizes), ..Known::default() };
        let mut out = Within { scans, sizes, bear: Cow::Borrowed(&self.leads), touched: Vec::new() };
        for round in 0..rounds {
            if round > 0 {
                out.bear = (0..scans.len()).map(|index| out.bears(index)).collect::<Vec<_>>().into();
            }
            out.hand_on(code, &known);
        }
        out
    }
}

/// Functions that have a bearing within some rounds.
pub(super) struct Within<'s> {
    scans: &'s Scans,
    sizes: &'s [(u64, u64)],
    /// Those that are known to, by place in the list.
    bear: Cow<'s, [bool]>,
    /// Variables that functions touch which have one with a round less, in order: see [`Within::variables`].
    touched: Vec<u64>,
}

impl Within<'_> {
    /// Whether the function at a place in the list has one.
    pub(super) fn bears(&self, index: usize) -> bool {
        let touched = |variable: &u64| self.touched.binary_search(variable).is_ok();
        let touches = |&address: &u64| self.variables(address).iter().any(touched);
        self.bear[index] || self.scans.data(&self.scans.list[index]).iter().any(touches)
    }

    /// The places by which a variable is known that an address lies in: the grain of memory, the next, and where the
    /// variable begins if its size is told.
    fn variables(&self, address: u64) -> [u64; 3] {
        let grain = address / VARIABLE_BYTES;
        [grain, grain + 1, object_at(self.sizes, address).map_or(grain, |object| object.0)]
    }

    /// Has those bear too that those call which do, and those that touch what they touch.
    fn hand_on(&mut self, code: &Code<'_>, known: &Known) {
        let (mut bear, mut touched) = (self.bear.to_vec(), Vec::new());
        for (_, scan) in self.scans.iter().enumerate().filter(|(index, _)| self.bear[*index]) {
            for &address in self.scans.data(scan).iter().filter(|address| !known.holds(**address)) {
                let [grain, _, object] = self.variables(address);
                touched.extend([grain, object]);
            }
            for callee in self.scans.calls(scan).iter().filter_map(|callee| callee.checked_sub(code.first())) {
                bear[callee as usize] = true;
            }
        }
        touched.sort_unstable();
        touched.dedup();
        (self.bear, self.touched) = (bear.into(), touched);
    }
}

/// By which functions each is called, or its address taken.
struct Naming {
    starts: Vec<u32>,
    by: Vec<u32>,
}

impl Naming {
    fn new(code: &Code<'_>, scans: &Scans) -> Self {
        let named = |scan: &Scan| {
            let numbers = scans.calls(scan).iter().chain(scans.taken(scan));
            numbers
                .filter_map(|number| number.checked_sub(code.first()))
                .filter(|&index| (index as usize) < scans.len())
        };
        let mut starts = vec![0; scans.len() + 1];
        scans.iter().flat_map(named).for_each(|index| starts[index as usize + 1] += 1);
        for index in 0..scans.len() {
            starts[index + 1] += starts[index];
        }
        let (mut next, mut by) = (starts.clone(), vec![0; starts[scans.len()] as usize]);
        for (from, scan) in (0..).zip(scans.iter()) {
            for index in named(scan) {
                by[next[index as usize] as usize] = from;
                next[index as usize] += 1;
            }
        }
        Self { starts, by }
    }

    fn of(&self, index: u32) -> &[u32] {
        &self.by[self.starts[index as usize] as usize..self.starts[index as usize + 1] as usize]
    }
}
