//! The speed goals as arithmetic on medians: each is computed and said to hold or not. Pure; called by the benches.

use std::fmt::Display;

use serde::Serialize;

use super::statistics::geometric_mean;

/// Modules below this are judged by a difference, since process start-up is most of their time.
const SMALL_MODULE_BYTES: u64 = 100_000;
/// The difference allowed to them.
const SMALL_ALLOWANCE_SECONDS: f64 = 0.0015;
/// Modules above this get the larger warm allowance.
const LARGE_MODULE_BYTES: u64 = 1_000_000;

/// Medians of one case's first run.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Its name.
    pub case: String,
    /// The module's size.
    pub module_bytes: u64,
    /// Whether every trip count that matters can be known.
    pub known_trip_counts: bool,
    /// Whether it is one of the long computations.
    pub long_compute: bool,
    /// Forewarm's median.
    pub forewarm_seconds: f64,
    /// The optimising peer's.
    pub cranelift_seconds: f64,
    /// The fast-compiling peer's.
    pub winch_seconds: f64,
}

impl Measured {
    /// The better of the two peers.
    pub fn better_seconds(&self) -> f64 {
        self.cranelift_seconds.min(self.winch_seconds)
    }

    fn against_better(&self) -> f64 {
        self.forewarm_seconds / self.better_seconds()
    }

    /// The ratio to the better one, where a small module's excess within its allowance counts as none.
    fn allowed_against_better(&self) -> f64 {
        let within = self.forewarm_seconds - self.better_seconds() <= SMALL_ALLOWANCE_SECONDS;
        let ratio = self.against_better();
        if self.module_bytes < SMALL_MODULE_BYTES && within { ratio.min(1.0) } else { ratio }
    }
}

/// One goal, what was measured, and whether it holds.
#[derive(Debug, Clone, Serialize)]
pub struct Criterion {
    goal: String,
    measured: f64,
    limit: f64,
    holds: bool,
    /// The cases that miss a goal held by each of them.
    missed_by: Vec<String>,
}

impl Criterion {
    fn at_least(goal: &str, measured: f64, limit: f64) -> Self {
        Self { goal: goal.to_owned(), measured, limit, holds: measured >= limit, missed_by: Vec::new() }
    }

    fn at_most(goal: &str, measured: f64, limit: f64) -> Self {
        Self { goal: goal.to_owned(), measured, limit, holds: measured <= limit, missed_by: Vec::new() }
    }
}

impl Display for Criterion {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdict = if self.holds { "holds " } else { "MISSED" };
        write!(formatter, "{verdict}  {}: {:.3} (limit {:.3})", self.goal, self.measured, self.limit)?;
        if self.missed_by.is_empty() { Ok(()) } else { write!(formatter, "; missed by {}", self.missed_by.join(", ")) }
    }
}

/// The goals for a first run; none where nothing was measured.
pub fn cold(cases: &[Measured]) -> Vec<Criterion> {
    if cases.is_empty() {
        return Vec::new();
    }
    let mean = |ratio: fn(&Measured) -> f64| geometric_mean(&cases.iter().map(ratio).collect::<Vec<_>>());
    let mut criteria = vec![
        Criterion::at_least(
            "geometric mean, times faster than cranelift",
            mean(|case| case.cranelift_seconds / case.forewarm_seconds),
            2.0,
        ),
        Criterion::at_least(
            "geometric mean, times faster than winch",
            mean(|case| case.winch_seconds / case.forewarm_seconds),
            1.0,
        ),
        Criterion::at_most("geometric mean, time over the better peer's", mean(Measured::against_better), 1.08),
        Criterion::at_most("the same, 1.5 ms allowed below 100 KB", mean(Measured::allowed_against_better), 1.08),
    ];
    let long: Vec<f64> =
        cases.iter().filter(|case| case.long_compute).map(|case| case.winch_seconds / case.forewarm_seconds).collect();
    if !long.is_empty() {
        criteria.push(Criterion::at_least("long computations, times faster than winch", geometric_mean(&long), 1.4));
    }
    criteria.extend(each(
        "every program, time over the better peer's (1.5 ms allowed below 100 KB)",
        cases.iter(),
        1.08,
    ));
    let known = cases.iter().filter(|case| case.known_trip_counts);
    criteria.extend(each("programs of known trip counts, the same", known, 1.15));
    criteria
}

/// A goal that each case must meet.
fn each<'a>(goal: &str, cases: impl Iterator<Item = &'a Measured>, limit: f64) -> Option<Criterion> {
    let ratios: Vec<(&str, f64)> = cases.map(|case| (case.case.as_str(), case.allowed_against_better())).collect();
    let worst = ratios.iter().map(|(_, ratio)| *ratio).fold(f64::NEG_INFINITY, f64::max);
    let missed_by = ratios.iter().filter(|(_, ratio)| *ratio > limit).map(|(case, _)| (*case).to_owned()).collect();
    (!ratios.is_empty()).then(|| Criterion { missed_by, ..Criterion::at_most(goal, worst, limit) })
}

/// The goal for a run with a warm artifact: the difference allowed to a module of this size.
pub fn warm_allowance_seconds(module_bytes: u64) -> f64 {
    if module_bytes < LARGE_MODULE_BYTES { 0.001 } else { 0.003 }
}

/// Whether every warm difference is allowed: `(case, module bytes, seconds over the peer's)`.
pub fn warm(differences: &[(String, u64, f64)]) -> Option<Criterion> {
    let excess = |(_, bytes, seconds): &(String, u64, f64)| (seconds - warm_allowance_seconds(*bytes)) * 1e3;
    let worst = differences.iter().map(excess).fold(f64::NEG_INFINITY, f64::max);
    let missed_by = differences.iter().filter(|case| excess(case) > 0.0).map(|(case, ..)| case.clone()).collect();
    let goal = "warm runs, worst ms beyond the allowance over a precompiled run";
    (!differences.is_empty()).then(|| Criterion { missed_by, ..Criterion::at_most(goal, worst, 0.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, module_bytes: u64, forewarm: f64, cranelift: f64, winch: f64) -> Measured {
        Measured {
            case: name.to_owned(),
            module_bytes,
            known_trip_counts: name.starts_with("known"),
            long_compute: name.starts_with("known"),
            forewarm_seconds: forewarm,
            cranelift_seconds: cranelift,
            winch_seconds: winch,
        }
    }

    fn verdicts(cases: &[Measured]) -> Vec<bool> {
        cold(cases).into_iter().map(|criterion| criterion.holds).collect()
    }

    #[test]
    fn goals_hold_and_are_missed() {
        assert_eq!(verdicts(&[case("a", 5_000_000, 1.0, 4.0, 1.0), case("known", 20_000, 1.0, 1.0, 1.5)]), [true; 7]);
        // Twice as fast as one, but slower than the other everywhere.
        assert_eq!(
            verdicts(&[case("a", 5_000_000, 1.2, 4.0, 1.0), case("known", 20_000, 1.2, 1.0, 1.1)]),
            [false, false, false, false, false, false, false]
        );
    }

    #[test]
    fn a_small_module_may_lose_a_millisecond_and_a_half() {
        assert!((case("a", 99_000, 0.0064, 0.005, 0.009).allowed_against_better() - 1.0).abs() < 1e-12);
        assert!(case("a", 99_000, 0.0067, 0.005, 0.009).allowed_against_better() > 1.3);
        assert!(case("a", 101_000, 0.0064, 0.005, 0.009).allowed_against_better() > 1.2);
    }

    #[test]
    fn warm_differences_are_judged_by_size() {
        let holds = |bytes, seconds| warm(&[("a".to_owned(), bytes, seconds)]).is_some_and(|criterion| criterion.holds);
        assert!(holds(900_000, 0.0009) && !holds(900_000, 0.0011));
        assert!(holds(1_100_000, 0.0029) && !holds(1_100_000, 0.0031));
        assert!(warm(&[]).is_none() && cold(&[]).is_empty());
    }
}
