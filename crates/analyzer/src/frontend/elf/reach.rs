//! Which functions are laid out: those that a run can come to, the likeliest to matter first, as many as a budget of code
//! bytes allows.
//!
//! Best-first over calls from where the run begins. Each call takes a function further from what matters, each loop
//! around the call brings it nearer, since it multiplies what the callee does; a loop that goes by a table is taken for
//! an interpreter's. In a first run functions are looked at as they are met, so that time does not grow with the file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::budgets;
use super::code::Code;
use super::scan::{Scan, Scanner, Scans};
use super::shapes::Shapes;

/// What a call takes off a callee's nearness, and what each loop around it adds. A loop of unknown length runs some ten
/// times (`crate::priors`), a call inside a function is reached in one run of it out of three or so: Wu and Larus
/// (MICRO 1994) give the branches on the way chances between 0.5 and 0.8.
const CALL: i32 = 1;
const LOOP: i32 = 2;

/// What a call through a register or memory takes off besides: it may have gone to any of many.
const INDIRECT: i32 = 2;

/// What a loop around a jump by a table adds to the function it stands in: as much as two loops, of which one waits for
/// its input.
const DISPATCH: i32 = 2 * LOOP;

/// Nearness lies within so much of that of the beginning, whatever cycles of calls add up to.
const FARTHEST: i32 = 1 << 16;

/// Functions, looked at when they are asked for.
pub(crate) struct Looks<'c, 'a> {
    code: &'c Code<'a>,
    scanner: Scanner,
    scans: Scans,
    /// Functions not looked at, by place in the list; empty where all were.
    unseen: Vec<bool>,
}

impl<'c, 'a> Looks<'c, 'a> {
    /// With all functions looked at.
    pub(crate) fn all(code: &'c Code<'a>, scans: Scans, scanner: Scanner) -> Self {
        Self { code, scanner, scans, unseen: Vec::new() }
    }

    /// With none.
    pub(crate) fn none(code: &'c Code<'a>, scanner: Scanner) -> Self {
        let functions = code.functions.ranges.len();
        Self { code, scanner, scans: Scans::unseen(functions), unseen: vec![true; functions] }
    }

    pub(crate) fn code(&self) -> &'c Code<'a> {
        self.code
    }

    pub(crate) fn scans(&self) -> &Scans {
        &self.scans
    }

    /// What was seen, and what was learnt of shapes on the way.
    pub(crate) fn into_scans(self) -> (Scans, Shapes) {
        (self.scans, self.scanner.shapes)
    }

    /// The function at a place in the list.
    pub(crate) fn at(&mut self, index: u32) -> Option<&Scan> {
        if let Some(unseen) = self.unseen.get_mut(index as usize)
            && std::mem::take(unseen)
        {
            let scan = self.scanner.function(self.code, index as usize, &mut self.scans);
            self.scans.list[index as usize] = scan;
        }
        self.scans.list.get(index as usize)
    }
}

/// What is laid out.
pub(crate) struct Reached {
    /// Functions by place in the list, in order.
    pub list: Vec<u32>,
    /// Those of them whose values are not followed, since that would take more than is left, by place, in order.
    pub unfollowed: Vec<u32>,
    /// Whether there are others that a run can come to.
    pub partial: bool,
}

/// The search from the beginning outwards.
struct Search<'l, 'c, 'a> {
    looks: &'l mut Looks<'c, 'a>,
    group: &'l [u32],
    /// How near the group's members are known to be.
    group_nearness: i32,
    waiting: BinaryHeap<(i32, Reverse<u32>, u32)>,
    /// Functions that were put in line, so that like ones keep their order.
    met: u32,
    done: Vec<bool>,
}

/// Chooses what is laid out, from the functions that begin the run and those that an indirect call is taken to reach.
pub(crate) fn reach(looks: &mut Looks<'_, '_>, begin: &[u32], group: &[u32], budget: u64) -> Reached {
    let done = vec![false; looks.scans().len()];
    let mut search = Search { looks, group, group_nearness: i32::MIN, waiting: BinaryHeap::new(), met: 0, done };
    begin.iter().for_each(|&function| search.meet(function, 0));
    // What nothing is seen to call through memory may still be called so by libraries.
    search.meet_group(-FARTHEST);
    let mut reached = Reached { list: Vec::new(), unfollowed: Vec::new(), partial: false };
    let mut left = budget;
    while let Some((nearness, _, index)) = search.waiting.pop() {
        if std::mem::replace(&mut search.done[index as usize], true) {
            continue;
        }
        if left == 0 {
            reached.partial = true;
            break;
        }
        let range = &search.looks.code.functions.ranges[index as usize];
        let bytes = range.end - range.start;
        let repeats = search.looks.at(index).is_some_and(|scan| scan.repeats);
        let follows = repeats && budgets::cost(true, bytes) <= left;
        if repeats && !follows {
            reached.unfollowed.push(index);
        }
        left = left.saturating_sub(budgets::cost(follows, bytes));
        reached.list.push(index);
        search.calls(index, nearness);
    }
    reached.list.sort_unstable();
    reached.unfollowed.sort_unstable();
    reached
}

impl Search<'_, '_, '_> {
    fn meet(&mut self, function: u32, nearness: i32) {
        let Some(index) = function.checked_sub(self.looks.code.first()) else { return };
        if self.done.get(index as usize).is_some_and(|done| !done) {
            self.waiting.push((nearness, Reverse(self.met), index));
            self.met = self.met.wrapping_add(1);
        }
    }

    fn meet_group(&mut self, nearness: i32) {
        if nearness > self.group_nearness {
            self.group_nearness = nearness;
            let group = self.group;
            group.iter().for_each(|&function| self.meet(function, nearness));
        }
    }

    /// Puts in line what a function calls.
    fn calls(&mut self, index: u32, nearness: i32) {
        let Some(scan) = self.looks.at(index).cloned() else { return };
        let here = nearness + if scan.repeats && scan.jumps > 0 { DISPATCH } else { 0 };
        let beyond = |loops: u8, less: i32| (here + i32::from(loops) * LOOP - less).clamp(1 - FARTHEST, FARTHEST);
        let calls: Vec<(u32, u8)> = self.looks.scans().nested_calls(&scan).collect();
        for (callee, loops) in calls {
            self.meet(callee, beyond(loops, CALL));
        }
        if let Some(loops) = scan.indirect.checked_sub(1) {
            self.meet_group(beyond(loops, CALL + INDIRECT));
        }
    }
}
