//! What loops do with memory: how their accesses move, how many distinct bytes they touch, how many they move.
//!
//! The footprint of a loop is the union of the address ranges of its accesses, array by array: those that start at like
//! bases are compared, those of unlike bases are taken to be apart. A range is as long as slopes and trip counts make
//! it, and no longer than all executions together. Pure arithmetic on what the dependence analysis kept. Called for
//! the regions shown and for the profile.

use forewarm_types::Estimate;
use forewarm_types::demand::AccessPattern;

use crate::dependence::{Accesses, Finding, Reference, Space};
use crate::hash::QuickMap;
use crate::lanes::{self, Lanes, Number, Powers, seed};
use crate::values::Apart;

/// Strides told apart.
const MAX_STRIDES: usize = 8;

/// Bytes that 32-bit addresses tell apart: no footprint is larger.
const ADDRESSES: f64 = 4_294_967_296.0;

/// How the accesses of a loop move with it.
pub(crate) fn pattern(accesses: &Accesses, finding: &Finding) -> AccessPattern {
    let mut out = AccessPattern::default();
    let references: Vec<&Reference> = of(accesses, finding).collect();
    let whole = tiled(&references, finding.of);
    for (reference, whole) in references.iter().zip(whole) {
        if reference.irregular.is_some_and(|at| accesses.runs_in(at, finding.of)) {
            out.indirect += 1;
            continue;
        }
        match reference.bytes(finding.of) {
            Some(0) => out.invariant += 1,
            Some(bytes) => {
                *(if whole { &mut out.contiguous } else { &mut out.strided }) += 1;
                out.stride_bytes.push(bytes);
            }
            None => out.strided += 1,
        }
    }
    out.stride_bytes.sort_unstable();
    out.stride_bytes.dedup();
    out.stride_bytes.truncate(MAX_STRIDES);
    out
}

/// Whether each access and its neighbours leave nothing out between one iteration of a loop and the next: alone where it
/// moves by its own width, together where the loop was unrolled.
fn tiled(references: &[&Reference], of: u32) -> Vec<bool> {
    let mut out = vec![false; references.len()];
    let kind = |at: usize| (references[at].store, references[at].width, references[at].base.print());
    let moves = |at: &usize| references[*at].bytes(of).is_some_and(|bytes| bytes != 0);
    let mut order: Vec<_> =
        (0..references.len()).filter(moves).map(|at| (kind(at), references[at].base.constant, at)).collect();
    order.sort_unstable();
    for chunk in order.chunk_by(|a, b| a.0 == b.0) {
        let mut rest: Vec<usize> = chunk.iter().map(|entry| entry.2).collect();
        while let Some(&first) = rest.first() {
            let first = references[first];
            let alike = |at: &usize| {
                let other = references[*at];
                std::ptr::eq(first, other)
                    || (matches!(other.base.apart(&first.base), Apart::By(_)) && other.moves_with(first))
            };
            let others: Vec<usize> = rest.iter().copied().filter(|at| !alike(at)).collect();
            rest.retain(alike);
            tile(references, &rest, of, &mut out);
            rest = others;
        }
    }
    out
}

/// The same of accesses that move alike, from bases a number apart, in the order of their addresses.
fn tile(references: &[&Reference], alike: &[usize], of: u32, out: &mut [bool]) {
    let moves = alike.first().and_then(|&first| Some((references[first].width, references[first].bytes(of)?)));
    let Some((width, stride)) = moves.map(|(width, bytes)| (width, bytes.saturating_abs())).filter(|by| by.1 > 0)
    else {
        return;
    };
    let address = |at: usize| references[at].base.constant;
    let (mut near, mut whole) = (0..0, false);
    for &at in alike {
        let apart = |place: usize| alike.get(place).map(|&other| address(other).saturating_sub(address(at)));
        let (mut begin, mut end) = (near.start, near.end);
        while apart(begin).is_some_and(|apart| apart <= -stride) {
            begin += 1;
        }
        while apart(end).is_some_and(|apart| apart < stride) {
            end += 1;
        }
        // Neighbours mostly have the same neighbours.
        if near != (begin..end) {
            near = begin..end;
            let mut offsets: Vec<i64> =
                alike[near.clone()].iter().map(|&other| address(other).rem_euclid(stride)).collect();
            offsets.sort_unstable();
            offsets.dedup();
            whole = offsets.len() as i64 * width >= stride;
        }
        out[at] = whole;
    }
}

/// Accesses to linear memory in a loop and in those inside it.
pub(crate) fn of<'a>(accesses: &'a Accesses, finding: &Finding) -> impl Iterator<Item = &'a Reference> {
    let list = accesses.references.get(finding.references.clone()).unwrap_or_default();
    list.iter().filter(|reference| reference.space == Space::Memory)
}

/// Distinct bytes that a loop touches each time it is entered; `trips` are those of the function's loops by number.
pub(crate) fn footprint(accesses: &Accesses, finding: &Finding, trips: &dyn Fn(u32) -> Lanes) -> Lanes {
    let inside = |of: u32| accesses.runs_in(of, finding.of);
    union(accesses, &of(accesses, finding).collect::<Vec<_>>(), &inside, trips)
}

/// Distinct bytes that the loops of a function touch in one call of it.
pub(crate) fn footprint_of_all(accesses: &Accesses, trips: &dyn Fn(u32) -> Lanes) -> Lanes {
    let memory = accesses.references.iter().filter(|reference| reference.space == Space::Memory);
    union(accesses, &memory.collect::<Vec<_>>(), &|_| true, trips)
}

fn union(
    accesses: &Accesses,
    references: &[&Reference],
    inside: &dyn Fn(u32) -> bool,
    trips: &dyn Fn(u32) -> Lanes,
) -> Lanes {
    let mut placed: Vec<&Reference> = Vec::with_capacity(references.len());
    let mut moving = Moving::default();
    // All that cannot be placed.
    let mut loose = Lanes::ZERO;
    // How often the innermost loop around an access runs, to powers.
    let mut executions: QuickMap<u32, Box<Powers>> = QuickMap::default();
    for (index, &reference) in references.iter().enumerate() {
        let width = Lanes::splat(reference.width as f64);
        let regular = reference.irregular.is_none_or(|of| !inside(of));
        if regular && reference.slopes.iter().all(|slope| slope.symbol.is_none()) {
            placed.push(reference);
            for slope in reference.slopes.iter().filter(|slope| inside(slope.of)) {
                moving.learn(slope.of, trips);
            }
        } else if reference.irregular.is_some() {
            // Data decides: anything from one place to a fresh one each time.
            let places = executions.entry(reference.inside).or_insert_with(|| {
                let around = accesses.around(reference.inside).filter(|&of| inside(of)).map(trips);
                Box::new(Powers::of(around.fold(Lanes::ONE, |product, trips| (product * trips).bounded())))
            });
            loose += width * places.draw(seed([index as u64, u64::from(reference.inside), 0xf007]));
        } else {
            // Rows of an unknown length: as many distinct places as the loops that move it have iterations.
            let moving =
                accesses.around(reference.inside).filter(|&of| inside(of) && reference.slopes_of(of).next().is_some());
            loose += moving.map(trips).fold(width, |product, trips| (product * trips).bounded());
        }
    }
    // Arrays are told apart by what their addresses start from.
    placed.sort_by_key(|reference| reference.base.print());
    let arrays = placed.chunk_by(|a, b| a.base.print() == b.base.print());
    arrays.fold(loose, |sum, array| sum + cover(array, &moving)).map(|bytes| bytes.min(ADDRESSES))
}

/// Trips of the loops with which accesses move; few enough to be looked through.
#[derive(Default)]
struct Moving(Vec<(u32, Number)>);

impl Moving {
    fn learn(&mut self, of: u32, trips: &dyn Fn(u32) -> Lanes) {
        if self.of(of).is_none() {
            self.0.push((of, Number::of(trips(of))));
        }
    }

    fn of(&self, of: u32) -> Option<&Number> {
        self.0.iter().find(|known| known.0 == of).map(|known| &known.1)
    }
}

/// Bytes that accesses to one array cover together, scenario by scenario.
fn cover(array: &[&Reference], moving: &Moving) -> Lanes {
    let mut slopes = array.iter().flat_map(|reference| &reference.slopes);
    if slopes.all(|slope| moving.of(slope.of).is_none_or(Number::agreed)) {
        let [bytes] = covered(array, moving);
        return Lanes::splat(bytes);
    }
    Lanes(covered(array, moving))
}

/// The same in the first `N` scenarios.
fn covered<const N: usize>(array: &[&Reference], moving: &Moving) -> [f64; N] {
    let ranges: Vec<Touched<N>> = array.iter().map(|reference| range(reference, moving)).collect();
    let mut order: Vec<&Touched<N>> = ranges.iter().collect();
    std::array::from_fn(|lane| covered_in(&mut order, lane))
}

/// A range of addresses in each scenario, and the most that can be touched of it.
struct Touched<const N: usize> {
    begin: [f64; N],
    end: [f64; N],
    most: [f64; N],
}

fn range<const N: usize>(reference: &Reference, moving: &Moving) -> Touched<N> {
    let (start, width) = (reference.base.constant as f64, reference.width as f64);
    let mut out = Touched { begin: [start; N], end: [start + width; N], most: [width; N] };
    for slope in &reference.slopes {
        let Some(trips) = moving.of(slope.of) else { continue };
        let trips: [f64; N] = std::array::from_fn(|lane| trips.at(lane));
        let end = if slope.bytes < 0 { &mut out.begin } else { &mut out.end };
        for lane in 0..N {
            end[lane] += (trips[lane] - 1.0) * slope.bytes as f64;
            out.most[lane] = lanes::bounded(out.most[lane] * trips[lane]);
        }
    }
    out
}

/// Bytes that ranges cover together in one scenario. Scenarios mostly agree on the order.
fn covered_in<const N: usize>(order: &mut [&Touched<N>], lane: usize) -> f64 {
    if !order.is_sorted_by(|a, b| a.begin[lane] <= b.begin[lane]) {
        order.sort_unstable_by(|a, b| a.begin[lane].total_cmp(&b.begin[lane]));
    }
    let mut out = 0.0;
    let mut at: Option<[f64; 3]> = None;
    for span in order.iter().map(|range| [range.begin[lane], range.end[lane], range.most[lane]]) {
        at = Some(match at {
            // Ranges that overlap are one, which is touched no more than all of them together.
            Some(open) if span[0] < open[1] => [open[0], open[1].max(span[1]), open[2] + span[2]],
            Some(done) => {
                out += (done[1] - done[0]).min(done[2]);
                span
            }
            None => span,
        });
    }
    out + at.map_or(0.0, |last| (last[1] - last[0]).min(last[2]))
}

/// An estimate of what a loop moves: its own bytes in the mean, as uncertain as its operators, of which there are `mean` in
/// the mean.
pub(crate) fn traffic(bytes: f64, mean: f64, operators: Estimate) -> Estimate {
    let of = |operators: f64| if mean > 0.0 { bytes * operators / mean } else { bytes };
    Estimate::new(of(operators.low), of(operators.expected), of(operators.high), operators.basis)
}
