//! What an instrumented run of a program counted: exact numbers of one input, without noise.
//!
//! Made by the emulator (rewritten WebAssembly), grown over inputs by its fits, priced by the planner, printed by
//! `forewarm emulate`. Counts are of the part that ran: [`Counts::complete`] says whether that was the whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::demand::{OpClass, OpMix};
use crate::estimate::{Basis, Estimate};
use crate::units::Bytes;

/// Exact counts of one run, or of the part of it that an emulation executed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Executed operators by class, each 1; structural ones (`nop drop block loop unreachable return else end`) are in
    /// none. A class that never ran is absent.
    pub classes: BTreeMap<OpClass, u64>,
    /// Functions entered, each of which wasmtime's fuel counts as 1 beyond its operators.
    pub functions_entered: u64,
    /// Bytes read from linear memory by loads.
    pub load_bytes: u64,
    /// Bytes written to linear memory by stores.
    pub store_bytes: u64,
    /// Bytes moved by `memory.copy`, `memory.fill` and `memory.init`.
    pub bulk_bytes: u64,
    /// Times control came to `br_table`, or to `br_if` or `if` and either way was open: what a branch predictor sees.
    pub conditional_branches: u64,
    /// Functions that ran, by falling operators of their own.
    pub functions: Vec<FunctionCount>,
    /// Loops that were entered, by falling iterations.
    pub loops: Vec<LoopCount>,
    /// Calls of each import, `module.name`.
    pub host_calls: BTreeMap<String, u64>,
    /// Greatest size of linear memory.
    pub peak_linear_memory_bytes: Bytes,
    /// Successful growths of linear memory, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub growths: Vec<Growth>,
    /// How far apart in memory the accesses to the same line lie; `None` where addresses were not sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<ReuseHistogram>,
    /// How well branches were foreseen; `None` where they were not sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branches: Option<BranchSample>,
    /// Loops whose rounds wait for each other, by falling operators.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chains: Vec<Chain>,
    /// The run in intervals of about equal operators, in order; empty where it was too short to have two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<Interval>,
    /// Whether the program ran to its end, so that these are the counts of the whole run and not of its beginning.
    pub complete: bool,
    /// What stopped it where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
}

/// What a function executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionCount {
    /// Its index in the module's function index space.
    pub index: u32,
    /// Its name, or `func[index]`.
    pub name: String,
    /// Times it was entered.
    pub entered: u64,
    /// Operators of its own, what it calls left out, its entries included.
    pub operators: u64,
}

/// What a loop executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopCount {
    /// Index of its function.
    pub function: u32,
    /// Byte offset of its `loop` operator in the file.
    pub offset: u64,
    /// Loop depth in its function, 1 for an outermost loop.
    pub depth: u32,
    /// Times it was entered from before it.
    pub entered: u64,
    /// Times its first operator was come to, by entering or by going round.
    pub iterations: u64,
}

/// A growth of linear memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Operators that had been executed at the interval's end before it (exact where the run has no intervals yet: 0).
    pub after_operators: u64,
    /// The size then reached, all memories together.
    pub bytes: Bytes,
}

/// Length of the line that reuse distances are counted in, in bytes: that of x86-64 and most AArch64 processors.
pub const LINE_BYTES: u64 = 64;

/// Accesses by reuse distance: the number of distinct lines touched since the same line was touched before.
///
/// Mattson, Gecsei, Slutz and Traiger, "Evaluation techniques for storage hierarchies", IBM Systems Journal 1970: under
/// LRU an access hits in a cache of `n` lines exactly when its distance is below `n`. Numbers are fractional: they are
/// shares from sampled windows times the exact number of accesses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReuseHistogram {
    /// Accesses of distance 0 (bin 0), 1 (bin 1), 2 to 3 (bin 2), … `2^(b-1)` to `2^b - 1` (bin b).
    pub accesses: Vec<f64>,
    /// Accesses of a line that was never touched before, or longer ago than any window could tell.
    pub far_accesses: f64,
    /// Lines that the program can have touched at all; 0 where that is not known.
    #[serde(default)]
    pub footprint_lines: f64,
    /// Of accesses of lines that the nearest cache no longer holds, but that a short window had seen before.
    #[serde(default)]
    pub reused: Foresight,
    /// Of accesses of lines that a short window had not seen before.
    #[serde(default)]
    pub fresh: Foresight,
    /// Accesses that were looked at.
    pub sampled: u64,
}

/// How far accesses are known ahead, as shares of them; the rest follow from arithmetic or from something read, but no rule.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Foresight {
    /// They lie beside the line which the same operator touched last: a stream prefetcher fetches them ahead.
    pub sequential_share: f64,
    /// They lie as far from what the same operator touched last as that lay from what it touched before: many can be on their
    /// way at once.
    pub strided_share: f64,
    /// Their address needs what the same operator read in the round before: each waits for the last.
    pub chased_share: f64,
}

impl ReuseHistogram {
    /// All accesses.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.accesses.iter().sum::<f64>() + self.far_accesses
    }

    /// Accesses that miss in a fully associative cache of so many lines under LRU; a bin the size falls into is divided
    /// evenly on the log scale, on which it has length 1. What holds all lines misses each at most once.
    #[must_use]
    pub fn misses(&self, lines: f64) -> f64 {
        // The bin of `lines` as a real number: bin b ends below 2^b.
        let end = lines.max(1.0).log2();
        let beyond = |(bin, accesses): (usize, &f64)| {
            let (first, last) = (bin as f64 - 1.0, bin as f64);
            accesses * if bin == 0 { 0.0 } else { ((last - end) / (last - first)).clamp(0.0, 1.0) }
        };
        let misses = self.accesses.iter().enumerate().map(beyond).sum::<f64>() + self.far_accesses;
        let all_fit = self.footprint_lines > 0.0 && lines >= self.footprint_lines;
        if all_fit { misses.min(self.footprint_lines) } else { misses }
    }
}

/// Branches that were shown to a simulated branch predictor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BranchSample {
    /// Branches that were judged.
    pub sampled: u64,
    /// Of these, those that went otherwise than foreseen.
    pub mispredicted: u64,
}

/// A loop without loops or calls inside, whose rounds carry a value from one to the next.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Chain {
    /// Operators executed in it, by class.
    pub operators: BTreeMap<OpClass, u64>,
    /// Of these, those that lie one behind the other on its longest chain of results; [`OpClass::Local`] is a result handed
    /// on in a local, the others are operators.
    pub path: BTreeMap<OpClass, f64>,
}

/// A stretch of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Operators executed in it, exact.
    pub operators: u64,
    /// Its block vector (operators by straight stretch of code), projected to few dimensions and divided by
    /// `operators`: Sherwood, Perelman, Hamerly and Calder, ASPLOS 2002.
    pub vector: Vec<f32>,
    /// CPU time it took on the instrumented tier.
    pub cpu_seconds: f64,
}

impl Counts {
    /// Operators in the unit of wasmtime's default fuel, bulk bytes left out: one each, and one per function entered.
    #[must_use]
    pub fn operators(&self) -> u64 {
        self.classes.values().sum::<u64>() + self.functions_entered
    }

    /// Executed operators of one class.
    #[must_use]
    pub fn of(&self, class: OpClass) -> u64 {
        self.classes.get(&class).copied().unwrap_or(0)
    }

    /// Loads and stores.
    #[must_use]
    pub fn accesses(&self) -> u64 {
        self.of(OpClass::Load) + self.of(OpClass::Store)
    }

    /// Branches that went otherwise than a branch predictor would foresee, from the share among those sampled.
    #[must_use]
    pub fn mispredictions(&self) -> Option<f64> {
        let BranchSample { sampled, mispredicted } = self.branches?;
        let all = self.conditional_branches + self.of(OpClass::CallIndirect);
        (sampled > 0).then(|| mispredicted as f64 / sampled as f64 * all as f64)
    }

    /// The same as a demand profile has it; exact where the run was complete, else each a lower bound taken as it is.
    #[must_use]
    pub fn mix(&self) -> OpMix {
        let exact = |count: u64| Estimate::exact(count as f64, Basis::Emulated);
        OpMix {
            total: Some(exact(self.operators())),
            classes: self.classes.iter().map(|(class, count)| (*class, exact(*count))).collect(),
            load_bytes: Some(exact(self.load_bytes)),
            store_bytes: Some(exact(self.store_bytes)),
            bulk_bytes: Some(exact(self.bulk_bytes)),
            ..OpMix::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_in_the_unit_of_fuel() {
        let classes = [(OpClass::IntAlu, 5), (OpClass::Call, 2)].into();
        let counts = Counts { classes, functions_entered: 3, bulk_bytes: 100, ..Counts::default() };
        assert_eq!(counts.operators(), 10);
        assert_eq!(counts.mix().total.map(|total| total.expected), Some(10.0));
        assert_eq!(counts.of(OpClass::Load), 0);
    }

    #[test]
    fn misses_fall_with_the_size_of_the_cache() {
        let reuse =
            ReuseHistogram { accesses: vec![8.0, 4.0, 2.0, 1.0], far_accesses: 1.0, ..ReuseHistogram::default() };
        assert_eq!(reuse.total(), 16.0);
        // One line holds distance 0 only.
        assert_eq!(reuse.misses(1.0), 8.0);
        assert_eq!(reuse.misses(2.0), 4.0);
        assert_eq!(reuse.misses(4.0), 2.0);
        assert_eq!(reuse.misses(8.0), 1.0);
        assert_eq!(reuse.misses(1e9), 1.0);
        assert!(reuse.misses(3.0) < reuse.misses(2.0) && reuse.misses(3.0) > reuse.misses(4.0));
        // A cache that holds the two lines there are misses each of them once.
        let small = ReuseHistogram { far_accesses: 9.0, footprint_lines: 2.0, ..reuse };
        assert_eq!((small.misses(1.0), small.misses(2.0)), (16.0, 2.0));
    }
}
