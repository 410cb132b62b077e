//! What is assumed of a loop, branch or call that the code alone leaves open, each constant with its source.
//!
//! These are the defaults the learner may one day refine. Those said to be fitted are so to the mean trips of the loops of
//! 168 small C programs (`corpus/kernels`, those written last left out), as the emulator's example `fuel` counts them and
//! the analyzer's example `profile` tells their kind: the median, and a spread that nine tenths of them lie in. Called by
//! the frequency analysis and the summary.

use std::sync::LazyLock;

use crate::lanes::{LANES, Lanes, LogNormal, Weights, seed};

/// Chance that a branch by a comparison with a constant for equality, or for "negative", is taken.
///
/// The opcode heuristic: 84 % of such branches go the other way (Wu and Larus, "Static branch frequency and program
/// profile analysis", MICRO 1994, table 1).
pub(crate) const OPCODE_UNLIKELY: f64 = 0.16;

/// Chance of entering a loop that a branch can skip: the loop header heuristic, 75 % (Wu and Larus 1994, table 1).
pub(crate) const SKIP_LOOP: f64 = 0.25;

/// Chance of reaching a block that ends in `unreachable`: LLVM's `BranchProbabilityInfo` gives such an edge the lowest
/// probability it has (1 in 2^20).
pub(crate) const NEVER: f64 = 1.0 / (1 << 20) as f64;

/// Chance of reaching a path that can only end the program early, such as that of an error on the way to `main`: LLVM's
/// `BranchProbabilityInfo` gives blocks that end in a call that does not return the weight 1, others 0xfffff
/// (`BlockExecWeight::NORETURN` and `DEFAULT`).
pub(crate) const NORETURN: f64 = 1.0 / 0xf_ffff as f64;

/// Chance of reaching a path that is there for what seldom happens: LLVM's `BranchProbabilityInfo` weights cold calls 4 to
/// 64.
pub(crate) const COLD: f64 = 4.0 / 68.0;

/// Chance of a branch about which nothing is known.
pub(crate) const EVEN: f64 = 0.5;

/// Chance that two things are equal of which nothing is known: 60 % of comparisons of pointers for equality fail (the pointer
/// heuristic of Wu and Larus 1994, table 1).
pub(crate) const EQUAL: f64 = 0.4;

/// How far a branch of unknown direction leans, in one scenario, to the side drawn.
///
/// Most branches go nearly always one way: in the programs of Wu and Larus (1994) and of Ball and Larus ("Branch
/// prediction for free", PLDI 1993) the best static prediction misses only 9 % of branches.
pub(crate) const BIAS: f64 = 0.91;

/// The kinds of loop whose trip count the code does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownLoop {
    /// Counts to a bound known only at run time.
    Counted,
    /// Works off what it adds to: a queue, a stack, a heap that is emptied.
    Worklist,
    /// Ends by what it finds in data: a scan, a list walk.
    Data,
    /// The same, and calls functions: most such loops wait for a call to succeed, or walk a short list.
    Calling,
    /// Has no exit at all.
    Endless,
    /// Goes by a jump table: a state machine or a small interpreter.
    Machine,
    /// Halves or doubles what it works on: a binary search, a walk down a heap.
    Halving,
    /// Clears or carries the lowest bit of its variable that is set.
    Bits,
    /// Takes remainders of its variables: Euclid's algorithm.
    Remainder,
    /// Goes round without its counter's moving where what it looked for was not there.
    Hopping,
    /// Divides or shifts its variable each time; the bound is the most iterations the width allows.
    Shrinking(u32),
    /// Dispatches over a large jump table or through indirect calls: an interpreter or event loop.
    Dispatch,
}

impl UnknownLoop {
    /// The kind's name, and the number it comes with, if any.
    fn name(self) -> (&'static [u8], Option<u32>) {
        match self {
            Self::Counted => (b"Counted", None),
            Self::Worklist => (b"Worklist", None),
            Self::Data => (b"Data", None),
            Self::Calling => (b"Calling", None),
            Self::Endless => (b"Endless", None),
            Self::Machine => (b"Machine", None),
            Self::Halving => (b"Halving", None),
            Self::Bits => (b"Bits", None),
            Self::Remainder => (b"Remainder", None),
            Self::Hopping => (b"Hopping", None),
            Self::Dispatch => (b"Dispatch", None),
            Self::Shrinking(most) => (b"Shrinking", Some(most)),
        }
    }

    /// A number that loops share which are of one kind and end alike: Horner's hash of what they are called. (By name, so that
    /// a further kind does not change what is drawn for the others.)
    pub(crate) fn alike(self, ending: Ending) -> u64 {
        let mut sum = 0_u64;
        let mut mix = |byte: u8| sum = sum.wrapping_mul(31).wrapping_add(u64::from(byte));
        let (name, number) = self.name();
        for (name, number) in [(name, number), (b"Ending", Some(u32::from(ending.0)))] {
            name.iter().for_each(|&byte| mix(byte));
            if let Some(number) = number {
                mix(b'(');
                let places = number.checked_ilog10().unwrap_or(0);
                (0..=places).rev().for_each(|place| mix(b'0' + (number / 10_u32.pow(place) % 10) as u8));
                mix(b')');
            }
        }
        sum
    }
}

/// What leaves a loop where data does: the outcomes of the tests by which it ends, as a set.
///
/// Things are seldom equal and seldom zero (the opcode heuristic of Wu and Larus 1994, table 1), so that a loop which goes
/// on until two are runs long, and one that goes on as long as two are is over soon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ending(u8);

impl Ending {
    pub(crate) const NONE: Self = Self(0);
    /// Two things are equal.
    pub(crate) const EQUAL: Self = Self(1);
    /// Two things differ.
    pub(crate) const DIFFERENT: Self = Self(2);
    /// Something is zero: the end of a text or list.
    pub(crate) const ZERO: Self = Self(4);
    /// Something is not zero.
    pub(crate) const NONZERO: Self = Self(8);
    /// One thing is less than another.
    pub(crate) const ORDER: Self = Self(16);
    /// Something that is not followed.
    pub(crate) const OTHER: Self = Self(32);
    /// More than one test.
    pub(crate) const SEVERAL: Self = Self(64);

    /// With another test beside those there are.
    pub(crate) fn with(self, other: Self) -> Self {
        let several = if self == Self::NONE { Self::NONE } else { Self::SEVERAL };
        Self(self.0 | other.0 | several.0)
    }

    /// Whether a loop that halves something ends before nothing is left of it: where anything is asked but whether one
    /// thing is less than another, or equal, as a binary search does.
    pub(crate) fn soon(self) -> bool {
        self.holds(Self::OTHER) || self.holds(Self::NONZERO) || self.holds(Self::SEVERAL) && !self.holds(Self::EQUAL)
    }

    pub(crate) fn holds(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Median trips of a data-dependent loop.
///
/// A loop branch is taken 88 % of the time (Wu and Larus 1994, table 1), a mean of 8.3 trips; a log-normal with this
/// median and spread has that mean.
static DATA: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((4.0, 7.3), 1.0));

/// The same where it is entered many times: a mean varies less.
static DATA_OFTEN: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((4.5, 5.5), 1.0));

/// The same until something is found that equals another: what is looked for often lies near. Fitted: probes of hash
/// tables, unions, fall-backs of an automaton run 1.2 to 2.3 times, a chain of Collatz 48 to 96.
static FOUND_OFTEN: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((2.0, 5.0), 1.0));

/// The same until one thing is less than another. Fitted: 1.3 to 5.7 in sorts, heaps and scanners.
static ORDER_OFTEN: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((3.5, 4.5), 1.0));

/// The same inside another loop of unknown trips: what is nested so is short. Fitted: lists of edges run 4.5 times, words
/// 5.2, partitions 2.3 to 2.8.
static DATA_INSIDE: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((2.5, 4.0), 1.0));

/// A loop that nothing leaves runs until it is stopped: a default, from minutes to months at a turn per nanosecond.
static ENDLESS: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((1e14, 100.0), 1.0));

/// A loop around a jump table.
///
/// A default: from a short text to a hundred thousand steps of a program.
static MACHINE: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((200.0, 1000.0), 1.0));

/// Euclid's algorithm takes `12 ln 2 / pi^2 * ln n` steps in the mean (Knuth, The Art of Computer Programming, volume 2,
/// section 4.5.3): four to eight of numbers from a hundred to ten thousand.
static REMAINDER: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((4.0, 2.2), 1.0));

/// Times round for each move of a counter that a branch lets move: 1.1 or 11, as the branch leans ([`BIAS`]); the median is a
/// default between.
static HOPPING: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((2.0, 5.5), 1.05));

/// A loop that halves or doubles something of unknown size: the binary logarithm of two to a million.
static HALVING: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((6.0, 3.0), 1.0));

/// A loop that ends by data and calls functions.
static CALLING: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((1.3, 6.0), 1.0));

/// How far data moves what a loop counts by, as a multiple of the least it can. Fitted: from 1.9 where characters are decoded
/// to 100 where text is compressed.
static STRIDE: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((4.0, 10.0), 1.0));

/// Trips of a loop that halves something until data ends it: each further one is half as likely where data is as likely to
/// end it as not, two in the mean. Fitted: sifting up and down a heap 1.2 to 4.9.
static SOON: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((1.75, 2.6), 1.0));

/// How often a number that a call returns, or that was counted, is about as large as what was dealt with before, and then
/// what part of that: defaults.
const HANDED_ON: f64 = 0.6;
static PART: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((0.8, 3.0), 0.0));

/// A loop with a bound known only at run time inside another loop of unknown trips.
static COUNTED_INSIDE: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((3.0, 6.0), 1.0));

/// Trips of a loop until something but its bound ends it.
static EARLY: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((3.0, 10.0), 1.0));

/// Trips of a loop until two things differ, and the chance that they never do. Fitted: comparisons of strings and runs 1.3 to
/// 8.7.
static UNLIKE: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((1.8, 4.0), 1.0));
const SELDOM_OUT: f64 = 0.1;

/// Chance that a loop that ends by data goes each time through what an earlier loop made, where it is entered a few times.
/// A default.
const GOES_THROUGH: f64 = 0.1;

/// How much more often such a loop may run than the earlier one dealt with things: a queue takes up some of them again.
/// A default.
const SLACK: f64 = 4.0;

/// Trips of such a loop at least: with fewer nothing goes through anything.
const LEAST_SCALED: f64 = 2.0;

/// A bound of a sixteenth of all 32-bit numbers, or more, is there for the counter's type alone, or comes of wrapping
/// around it: nothing runs to it that may end earlier.
const ANY_NUMBER: f64 = (1_u64 << 28) as f64;

/// Chance that a loop with several exits runs to its bound: one that is entered many times, which looks for something each
/// time, and one that is entered once, whose other exits are for what goes wrong. Defaults.
const RUNS_OUT: f64 = 0.25;
const MOSTLY_OUT: f64 = 0.6;

/// Median trips and spread of a loop with a bound known only at run time.
///
/// LLVM's `BranchProbabilityInfo` weights a loop's back edge 124 to 4: a mean of 32 trips, which a log-normal with this
/// median and spread has.
static COUNTED: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((8.0, 16.0), 1.0));

/// The same where it is entered many times: a mean varies less. Fitted: rows of sparse matrices and lists run 4 to 10 times.
static COUNTED_OFTEN: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((4.5, 6.0), 1.0));

/// Median and spread of a number handed in from outside (the result of a call such as `atoi`), as a bound.
///
/// A default: between two and two thousand in nine cases of ten.
static HANDED_IN: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((64.0, 32.0), 1.0));

/// Median and spread of the trips of a dispatch loop: an interpreter runs as long as its input asks.
///
/// A default; the warning that goes with it says that the code cannot tell.
static DISPATCH: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((2000.0, 10_000.0), 1.0));

/// Activations by recursion for each call into a recursive function.
///
/// A default: from no more than the call itself to some thousands of activations of a search.
static RECURSION: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((60.0, 100.0), 1.0));

/// The same of a call that is made many times: a walk down a tree, the terms of an expression. A default: from none to a
/// small subtree.
static RECURSION_OFTEN: LazyLock<LogNormal> = LazyLock::new(|| LogNormal::new((8.0, 8.0), 1.0));

/// Things a function must have dealt with to tell how much more it does. A default: what is smaller is a header, a key, a name.
pub(crate) const LEAST_SCALE: f64 = 16.0;

/// The least number by which a recursion goes in proportion: one that multiplied with it would not end.
/// A default, about the median of [`RECURSION`].
const LEAST_SIZE: f64 = 64.0;

/// Operators that a call of a function not looked into executes, there and in what it calls, for each operator of its
/// body: median, and spread to the 95th percentile.
///
/// Of what full analysis says of the 26,000 functions of graphviz, resvg, usvg, CPython, esbuild and flite (their
/// WebAssembly builds), by program: the median lies between 1 and 20, the 5th percentile between 0.1 and 0.3, the 95th
/// between 60 and 300,000. A default in the middle of those.
static BEYOND: LazyLock<Lanes> = LazyLock::new(|| Lanes::draw(&LogNormal::new((4.0, 10_000.0), 0.1), 0));

/// How long programs run: the log-normal that Shahrad et al. ("Serverless in the Wild", USENIX ATC 2020, section 3.5)
/// fit to the average execution times of Azure's functions, in seconds: log mean and log standard deviation.
const RUN_SECONDS: (f64, f64) = (-0.38, 2.36);

/// How much that prior counts: half, as a power prior (Ibrahim and Chen, "Power prior distributions for regression
/// models", 2000), since functions of one cloud are not all programs.
const PRIOR_WEIGHT: f64 = 0.5;

/// Operators per second, to bring counts and that prior together: one per nanosecond, a default between the tiers.
const OPERATORS_PER_SECOND: f64 = 1e9;

/// The exponential distribution's value at the middle of each sixteenth.
static EXPONENTIAL: LazyLock<[f64; LANES]> =
    LazyLock::new(|| std::array::from_fn(|lane| -((lane as f64 + 0.5) / LANES as f64).ln()));

/// Where a loop stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing around it is known to run often.
    Outside,
    /// In loops that are known to run many times.
    Often,
    /// In another loop of unknown trips.
    InsideUnknown,
}

/// How plausible each scenario is, from how long the whole run would take in it.
///
/// A program that someone runs ends: a scenario counts by the share of programs that run at least as long. Scenarios
/// that agree are left as they are, so that a loop known to be long stays so. The normal distribution is taken by its
/// logistic approximation, `1 / (1 + exp(-1.702 z))` (Haley 1952; error below 0.01).
pub(crate) fn plausible(total: Lanes) -> Weights {
    let (mean, deviation) = RUN_SECONDS;
    let weight = |operators: f64| {
        let z = ((operators / OPERATORS_PER_SECOND).max(1e-12).ln() - mean) / deviation;
        (1.0 / (1.0 + (1.702 * z).exp())).powf(PRIOR_WEIGHT)
    };
    let weights = total.map(weight);
    let sum: f64 = weights.0.iter().sum();
    weights.map(|weight| weight / sum).0
}

/// Trips of a loop the code says nothing about, lane by lane, at least 1.
pub(crate) fn trips(kind: UnknownLoop, ending: Ending, place: Place, name: u64) -> Lanes {
    let inside = place == Place::InsideUnknown;
    let from = match kind {
        UnknownLoop::Data if place == Place::Often && ending.holds(Ending::EQUAL) => &FOUND_OFTEN,
        UnknownLoop::Data if place == Place::Often && ending == Ending::DIFFERENT => &UNLIKE,
        UnknownLoop::Data if place == Place::Often && ending == Ending::ORDER => &ORDER_OFTEN,
        UnknownLoop::Data if place == Place::Often => &DATA_OFTEN,
        UnknownLoop::Calling => &CALLING,
        UnknownLoop::Endless => &ENDLESS,
        UnknownLoop::Machine => &MACHINE,
        UnknownLoop::Remainder => &REMAINDER,
        UnknownLoop::Hopping => &HOPPING,
        UnknownLoop::Halving | UnknownLoop::Bits => &HALVING,
        UnknownLoop::Data | UnknownLoop::Worklist if inside => &DATA_INSIDE,
        UnknownLoop::Data | UnknownLoop::Worklist => &DATA,
        UnknownLoop::Counted if inside => &COUNTED_INSIDE,
        UnknownLoop::Counted if place == Place::Often => &COUNTED_OFTEN,
        UnknownLoop::Counted => &COUNTED,
        UnknownLoop::Dispatch => &DISPATCH,
        UnknownLoop::Shrinking(most) => {
            return Lanes::uniform(name).map(|u| (u * f64::from(most)).ceil().max(1.0));
        }
    };
    Lanes::draw(from, name)
}

/// Trips of a loop that something else than its bound may end, of which it would make `most`.
pub(crate) fn ended_early(most: Lanes, ending: Ending, place: Place, name: u64) -> Lanes {
    let differs = ending == Ending::DIFFERENT;
    let found = Lanes::draw(if differs { &UNLIKE } else { &EARLY }, name ^ 0xea);
    let out = Lanes::uniform(name ^ 0xeb);
    let runs_out = match (differs, place) {
        (true, _) => SELDOM_OUT,
        (false, Place::Outside) => MOSTLY_OUT,
        _ => RUNS_OUT,
    };
    Lanes(std::array::from_fn(|lane| {
        let most = most.0[lane];
        if out.0[lane] < runs_out && most < ANY_NUMBER { most } else { most.min(found.0[lane]) }
    }))
}

/// Trips of a loop that ends by data, in code that has been seen to deal with up to `most` things: anything up to as many, or
/// a `few` each time where it is repeated. One that `waits` works off what it adds to.
///
/// Programs go through the same data again that they went through before: a list that a loop built is walked, a queue
/// over a grid empties cell by cell.
pub(crate) fn scaled(few: Lanes, most: f64, (repeated, waits): (bool, bool), name: u64) -> Lanes {
    let most = (SLACK * most).max(LEAST_SCALED);
    // More often through most of it than through little; all the more where it waits for what it adds to. Defaults.
    let bend = if waits { 1.0 / 3.0 } else { 0.5 };
    let part = |u: f64| (LEAST_SCALED.ln() + (most / LEAST_SCALED).ln() * u.powf(bend)).exp();
    let draw = Lanes::uniform(name ^ 0x5ca1e);
    if !repeated {
        return draw.map(part);
    }
    few.zip(draw, |few, u| if u < GOES_THROUGH { part(u / GOES_THROUGH) } else { few })
}

/// Trips of a loop that halves or doubles something that has `scale` parts: up to the binary logarithm, and a little
/// more; some end early, as a walk down a heap does.
pub(crate) fn halvings(scale: f64, name: u64) -> Lanes {
    let most = scale.max(2.0).log2() + 1.0;
    Lanes::uniform(name ^ 0x4a1f).map(|u| (most * (0.15 + u)).max(1.0))
}

/// By how much each iteration moves a variable that data moves.
pub(crate) fn stride(name: u64) -> Lanes {
    Lanes::draw(&STRIDE, name)
}

/// How often an iteration moves a variable that data moves or leaves alone.
pub(crate) fn moving(name: u64) -> Lanes {
    Lanes::draw(&HOPPING, name).map(|rounds| 1.0 / rounds)
}

/// A number handed in from outside where so many things are dealt with: more often than not about as many, the length of a text
/// that was written say.
pub(crate) fn bound_by(scale: f64, name: u64) -> Lanes {
    let free = Lanes::draw(&HANDED_IN, name);
    let part = Lanes::draw(&PART, name ^ 0x9a27);
    let pick = Lanes::uniform(name ^ 0x91c);
    Lanes(std::array::from_fn(|lane| if pick.0[lane] < HANDED_ON { scale * part.0[lane] } else { free.0[lane] }))
}

/// Trips of a loop that halves something, of which that would allow `most`, and that something else may end.
pub(crate) fn cut_short(most: Lanes, name: u64) -> Lanes {
    most.zip(Lanes::draw(&SOON, name ^ 0x500), f64::min)
}

/// A number that bounds loops, read from memory or a parameter (`handed_in` false) or returned by a call (true).
pub(crate) fn bound(handed_in: bool, name: u64) -> Lanes {
    Lanes::draw(if handed_in { &HANDED_IN } else { &COUNTED }, name)
}

/// Operators executed by a call of a function not looked into, for each operator of its body.
///
/// One unknown for them all: whether the rest of a program is much or little, not what each function does. Drawn one by
/// one, thousands would average out to a certainty nobody has.
pub(crate) fn beyond() -> Lanes {
    *BEYOND
}

/// Activations for each call into a recursive cycle: of one of many such calls, a few; of one that is made where so many
/// things are dealt with, between a walk down a tree of them and two visits of each.
pub(crate) fn recursion(often: bool, scale: f64, name: u64) -> Lanes {
    if often {
        return Lanes::draw(&RECURSION_OFTEN, name);
    }
    if scale < LEAST_SIZE {
        return Lanes::draw(&RECURSION, name);
    }
    let (least, most) = (scale.log2().ln(), (2.0 * scale).ln());
    Lanes::uniform(name).map(|u| (least + (most - least) * u.sqrt()).exp())
}

/// Weights of a jump table's target in each scenario: exponential, so that scenarios favour different targets.
pub(crate) fn target_weight(name: u64) -> Lanes {
    Lanes::ordered(&EXPONENTIAL, name)
}

/// The chance of a branch in each scenario, leaning to one side or the other so that the mean is about `chance`.
///
/// A branch met once goes one way, not both in part; only `repeated` ones divide the flow.
pub(crate) fn branch(chance: f64, repeated: bool, function: u32, site: u32) -> Lanes {
    let lean = if repeated { BIAS.max(chance.max(1.0 - chance)) } else { 1.0 };
    Lanes::uniform(seed([u64::from(function), u64::from(site), 0xb4]))
        .map(|u| if u < chance { lean } else { 1.0 - lean })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_told_alike_by_what_they_are_called() {
        let mixed = |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
        for kind in
            [UnknownLoop::Counted, UnknownLoop::Dispatch, UnknownLoop::Shrinking(7), UnknownLoop::Shrinking(1030)]
        {
            for ending in [Ending::NONE, Ending::ORDER, Ending::ORDER.with(Ending::OTHER)] {
                let called = format!("{kind:?}{ending:?}").bytes().fold(0, mixed);
                assert_eq!(kind.alike(ending), called, "{kind:?}{ending:?}");
            }
        }
    }
}
