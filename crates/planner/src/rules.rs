//! The rules that reject candidates: a named list, in the order they are asked, each with the reason it stands there.

/// A rule that rejects candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its key in `plan.rejected`.
    pub name: &'static str,
    /// What a rejected candidate lacks.
    pub reason: &'static str,
    /// Whether it states a hard constraint; else the candidate is possible, only pointless.
    pub hard: bool,
}

/// Which rule, as an index into [`RULES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Rejection {
    TierOverride,
    TierUnsupported,
    NoExecutableMemory,
    UnknownCost,
    IsaAbsent,
    ThreadsOverride,
    ThreadsUseless,
    ShareNotEnforceable,
    ThreadsExceedShare,
    MemoryBelowInitial,
    MemoryUnfit,
    Deadline,
    Dominated,
}

/// Every rule. User overrides come first, for they make all else moot; then what the code and the machine cannot do,
/// cheapest test first; then what the shape makes pointless; then what needs the predicted cost; dominance last, since
/// only what is otherwise possible may dominate.
pub const RULES: [Rule; 13] = [
    Rule { name: "tier_override", reason: "another tier was asked for", hard: true },
    Rule { name: "tier_unsupported", reason: "the tier cannot compile this code", hard: true },
    // Machine code needs memory that may be made executable; bytecode does not.
    Rule { name: "no_executable_memory", reason: "this machine allows no executable memory", hard: true },
    // Without a cost nothing can be compared; defaults exist for every tier, so this shows a damaged model.
    Rule { name: "unknown_cost", reason: "the resource model knows no cost of this tier", hard: true },
    Rule { name: "isa_absent", reason: "the instruction set lacks a required feature", hard: true },
    Rule { name: "threads_override", reason: "another number of threads was asked for", hard: true },
    // Threads beyond functions to compile and threads of the program would idle.
    Rule { name: "threads_useless", reason: "neither compilation nor program can use so many threads", hard: false },
    Rule { name: "share_not_enforceable", reason: "this machine cannot enforce that share of a core", hard: true },
    // Threads beyond a quota are throttled together: measured slower than one (Linux CFS bandwidth control).
    Rule { name: "threads_exceed_share", reason: "several threads on part of a core throttle each other", hard: false },
    Rule { name: "memory_below_initial", reason: "the program's initial memory does not fit the limit", hard: true },
    Rule { name: "memory_unfit", reason: "more memory than there is or than is allowed", hard: true },
    // Rejects only while some candidate may keep the deadline.
    Rule { name: "deadline", reason: "even a fast run (5th percentile) would miss the deadline", hard: true },
    // Another tier or level in the same shape climbs no slower, runs no slower and holds no more.
    Rule { name: "dominated", reason: "another tier or level is no worse in any respect", hard: false },
];

impl Rejection {
    /// The rule itself.
    pub fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_distinct_and_in_the_order_of_the_enum() {
        for (index, rule) in RULES.iter().enumerate() {
            assert!(RULES[..index].iter().all(|other| other.name != rule.name));
        }
        assert_eq!(Rejection::TierOverride.rule().name, "tier_override");
        assert_eq!(Rejection::Dominated.rule().name, "dominated");
        assert_eq!(Rejection::MemoryUnfit.rule().name, "memory_unfit");
    }
}
