//! Which inputs to run where every run counts: sizes that rise from next to nothing, each as much larger as the runs so far say
//! it may be. Pure; runs are made elsewhere, and what they cost (operators, seconds) is theirs to say.
//!
//! Whether a budget is a millionth of a run or a tenth nobody knows beforehand; small runs tell it as they go, and cost
//! next to nothing.

use super::derive::{UNROLLED, alike};

/// By which factor each run's cost should exceed the one's before, beyond what every run costs: so that the last is most of what
/// all cost together, and enough sizes are seen below it.
const OUTDOES: f64 = 4.0;

/// Steps between the first size and the one asked for, at the least.
const STEPS: f64 = 4.0;

/// Least and largest factor from one size to the next; of sizes of which one more is more than the least, that.
const LEAST_STEP: f64 = 1.15;
const LARGEST_STEP: f64 = 8.0;

/// With which exponent cost is taken to grow in a size before that was seen: three loops, one inside the other.
const STEEPEST: f64 = 3.0;

/// Least exponent that is believed of a step.
const LEAST_EXPONENT: f64 = 0.1;

/// Share of what every run costs from which a difference is growth, and no accident of timing.
const NOTICEABLE: f64 = 0.1;

/// Of what may still be spent, so much is aimed at, since growth may quicken; and before any was seen.
const AIM: f64 = 0.6;
const FIRST_AIM: f64 = AIM / 3.0;

/// Halvings of the way from one size to another: to a thousandth of the logarithm of their ratio.
const HALVINGS: usize = 10;

/// Rising sizes below those of a run.
#[derive(Debug, Clone)]
pub struct Climb {
    values: Vec<u64>,
    /// What each has come to; nothing before the first run.
    at: Vec<u64>,
    /// With which exponents the cost grew with each, in the steps in which it was seen to: the last two.
    exponents: Vec<[Option<f64>; 2]>,
    /// The one that rose last, and by which factor.
    last: Option<(usize, f64)>,
    /// Costs of the runs so far.
    costs: Vec<f64>,
}

impl Climb {
    /// Below these sizes; `None` where there are none, or more than two.
    #[must_use]
    pub fn below(values: &[u64]) -> Option<Self> {
        (1..=2).contains(&values.len()).then(|| Self {
            values: values.to_vec(),
            at: Vec::new(),
            exponents: vec![[None; 2]; values.len()],
            last: None,
            costs: Vec::new(),
        })
    }

    /// Takes in what the last run cost.
    pub fn cost(&mut self, cost: f64) {
        let before = self.excess();
        self.costs.push(cost);
        let Some((at, factor)) = self.last else { return };
        let exponent = (self.excess() / before).ln() / factor.ln();
        if before > 0.0 && exponent.is_finite() {
            let [_, earlier] = self.exponents[at];
            self.exponents[at] = [earlier, Some(exponent.max(LEAST_EXPONENT))];
        }
    }

    /// The next run's sizes, where so much may still be spent; `None` where no larger ones are left.
    pub fn next(&mut self, left: f64) -> Option<Vec<u64>> {
        if self.at.is_empty() {
            self.at = self.values.iter().map(|value| first(*value)).collect();
            return Some(self.at.clone());
        }
        let from = self.last.map_or(0, |(at, _)| at + 1);
        // They take turns.
        let turns = (from..from + self.values.len()).map(|turn| turn % self.values.len());
        let (at, next) = turns.filter_map(|at| Some((at, self.larger(at, left)?))).next()?;
        self.last = Some((at, next as f64 / self.at[at] as f64));
        self.at[at] = next;
        Some(self.at.clone())
    }

    /// What the last run cost beyond what every run does; 0 where that cannot be told from nothing.
    fn excess(&self) -> f64 {
        let (Some(every), Some(last)) = (self.every(), self.costs.last()) else { return 0.0 };
        if *last > (1.0 + NOTICEABLE) * every { last - every } else { 0.0 }
    }

    /// What every run costs: no more than the cheapest so far.
    fn every(&self) -> Option<f64> {
        self.costs.iter().copied().reduce(f64::min)
    }

    /// The next value of a size, above the one it has come to.
    fn larger(&self, at: usize, left: f64) -> Option<u64> {
        let (value, now, every) = (self.values[at], self.at[at], self.every()?);
        let usual = (value as f64 / first(value) as f64).powf(1.0 / STEPS).clamp(LEAST_STEP, LARGEST_STEP);
        let exponent = match self.exponents[at] {
            [_, None] => STEEPEST,
            // What grows faster than any power grows by a larger one with each step.
            [Some(earlier), Some(last)] => last + (last - earlier).max(0.0),
            [None, Some(last)] => last,
        };
        let aim = if self.costs.len() == 1 { FIRST_AIM } else { AIM };
        let room = aim * left - every;
        // Of the first run any part may grow.
        let excess = if self.costs.len() == 1 { every } else { self.excess() };
        let affords = if excess > 0.0 { (room / excess).powf(1.0 / exponent) } else { usual };
        let outdoes = if excess > every { OUTDOES.powf(1.0 / exponent) } else { usual };
        let least = LEAST_STEP.min((now + 1) as f64 / now as f64);
        let factor = usual.min(affords).min(outdoes.max(least));
        let wanted = if value.is_power_of_two() {
            // Nothing lies between one and its double.
            (now as f64 * usual.min(affords).min(outdoes.max(2.0))).log2().floor().exp2() as u64
        } else {
            alike(((now as f64 * factor) as u64).max(now + 1), value)
        };
        (room > 0.0 && factor >= least && wanted > now && wanted < value).then_some(wanted)
    }
}

/// The largest sizes between those of a run and those asked for, on the way from the ones to the others, that are allowed: what is
/// allowed must be so for all smaller ones. `None` where none are larger than that run's.
pub fn largest_between(from: &[u64], to: &[u64], allows: impl Fn(&[u64]) -> bool) -> Option<Vec<u64>> {
    let at = |way: f64| -> Vec<u64> {
        let size = |(from, to): (&u64, &u64)| {
            let size = *from as f64 * (*to as f64 / *from as f64).powf(way);
            let size = if to.is_power_of_two() { size.log2().floor().exp2() as u64 } else { alike(size as u64, *to) };
            size.max(*from)
        };
        from.iter().zip(to).map(size).collect()
    };
    // The last is what was asked for, which is to be run for its own sake.
    let (mut least, mut most) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = (least + most) / 2.0;
        if allows(&at(middle)) { least = middle } else { most = middle }
    }
    Some(at(least)).filter(|sizes| sizes.as_slice() != from && sizes.as_slice() != to)
}

/// More sizes than can be told apart, all as far on their way up as the largest is at `scale`: what is a product of their powers is a
/// power of it.
#[must_use]
pub fn together(values: &[u64], scale: u64) -> Vec<u64> {
    let largest = values.iter().copied().max().unwrap_or(scale);
    let from = first(largest) as f64;
    let way = (scale as f64 / from).ln() / (largest as f64 / from).ln();
    let way = if way.is_finite() { way.clamp(0.0, 1.0) } else { 1.0 };
    let size = |value: &u64| {
        let from = first(*value) as f64;
        let size = from * (*value as f64 / from).powf(way);
        if value.is_power_of_two() { size.log2().floor().exp2() as u64 } else { alike(size.round() as u64, *value) }
    };
    values.iter().map(size).collect()
}

/// Where a climb begins: at the cube root. A run of half a minute executes some 10^11 operators, so that one that grows by any
/// power executes some thousands there. Numbers such as 10, at which programs enumerate, begin at half of themselves.
fn first(value: u64) -> u64 {
    let root = (value as f64).cbrt().max(value.div_ceil(2).min(UNROLLED) as f64) as u64;
    if value.is_power_of_two() { root.next_power_of_two() } else { root }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes run of a program that costs so much, within a budget.
    fn check(values: &[u64], budget: f64, law: impl Fn(&[u64]) -> f64) -> Vec<Vec<u64>> {
        let mut climb = Climb::below(values).unwrap();
        let (mut runs, mut left) = (Vec::new(), budget);
        while let Some(sizes) = climb.next(left) {
            let cost = law(&sizes);
            left -= cost;
            runs.push(sizes);
            assert!(left > 0.0, "{runs:?}");
            climb.cost(cost);
        }
        runs
    }

    #[test]
    fn sizes_rise_as_far_as_the_budget_allows() {
        for (value, power, budget) in
            [(3_000_000, 1.0, 3e5), (3_000_000, 1.0, 3e7), (30_000, 2.0, 3e5), (1000, 3.0, 1e6)]
        {
            let law = |sizes: &[u64]| 2000.0 + 20.0 * (sizes[0] as f64).powf(power);
            let sizes = check(&[value], budget, law);
            let largest = law(sizes.last().unwrap());
            assert!(sizes.len() >= 3 && largest > 0.1 * budget, "{power} {sizes:?}");
            assert!(sizes.windows(2).all(|pair| pair[0][0] < pair[1][0]));
        }
    }

    #[test]
    fn small_numbers_rise_in_small_steps_and_powers_stay_powers() {
        let sizes = check(&[36], 1e6, |sizes| 3000.0 + 10.0 * 1.618_f64.powf(sizes[0] as f64));
        assert!(sizes.len() >= 4 && sizes.last().unwrap()[0] >= 17, "{sizes:?}");
        let sizes = check(&[65536], 1e6, |sizes| 3000.0 + 9.0 * (sizes[0] as f64).powf(1.585));
        assert!(sizes.len() >= 3 && sizes.iter().all(|size| size[0].is_power_of_two()), "{sizes:?}");
    }

    #[test]
    fn what_enumerates_rises_by_one() {
        // Queens on a board: each row more takes some six times as long.
        let sizes = check(&[15], 0.08, |sizes| 6e-5 + 1e-10 * 6_f64.powi(sizes[0] as i32));
        assert_eq!(sizes.last().unwrap()[0], 11, "{sizes:?}");
        assert!(sizes.len() >= 4, "{sizes:?}");
    }

    #[test]
    fn of_two_numbers_each_varies() {
        let sizes = check(&[4000, 60_000], 1e6, |sizes| 3000.0 + 10.0 * sizes[0] as f64 * sizes[1] as f64);
        let values = |at: usize| {
            let mut values: Vec<u64> = sizes.iter().map(|size| size[at]).collect();
            values.dedup();
            values.len()
        };
        assert!(values(0) >= 2 && values(1) >= 2 && sizes.len() >= 4, "{sizes:?}");
        assert!(Climb::below(&[1000, 2000, 3000]).is_none() && Climb::below(&[]).is_none());
    }

    #[test]
    fn a_run_that_is_shorter_than_the_budget_is_not_run_whole() {
        let sizes = check(&[400], 1e12, |sizes| 3000.0 + 10.0 * sizes[0] as f64);
        assert!(sizes.iter().all(|size| size[0] < 400) && sizes.len() >= 4, "{sizes:?}");
    }

    #[test]
    fn the_largest_size_that_is_allowed_is_found() {
        let square = |sizes: &[u64]| sizes[0] * sizes[0] <= 1_000_000;
        let found = largest_between(&[100], &[40_000], square).unwrap();
        assert!((950..=1000).contains(&found[0]) && found[0] % UNROLLED == 0, "{found:?}");
        assert_eq!(largest_between(&[64], &[4096], |sizes| sizes[0] <= 1000), Some(vec![512]));
        assert_eq!(largest_between(&[100], &[40_000], |_| false), None);
        let both = largest_between(&[20, 30], &[4000, 60_000], |sizes| sizes[0] * sizes[1] <= 600_000).unwrap();
        assert!(both[0] > 100 && both[1] > 200, "{both:?}");
    }

    #[test]
    fn many_sizes_rise_together() {
        let values = [1600, 1200, 300];
        assert_eq!(together(&values, 1600), values);
        assert_eq!(together(&values, first(1600)), values.map(first));
        let middle = together(&values, 130);
        assert!(middle.iter().zip(&values).all(|(size, value)| first(*value) < *size && size < value), "{middle:?}");
        assert_eq!(together(&[1024, 10, 50], 128)[0], 128);
    }

    #[test]
    fn what_every_run_costs_is_no_growth() {
        // Seconds of an interpreter that takes 20 ms to start, and 2 µs for each of so many squares.
        let law = |sizes: &[u64]| 0.02 + 1.7e-6 * (sizes[0] as f64).powi(2);
        let sizes = check(&[1900], 0.3, law);
        assert!(sizes.len() >= 3 && law(sizes.last().unwrap()) > 0.05, "{sizes:?}");
    }
}
