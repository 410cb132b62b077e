//! A number under uncertainty as sixteen equally likely scenarios, "lanes".
//!
//! Every unknown (a trip count, a branch bias, an indirect callee) draws one value per lane by Latin hypercube
//! sampling, so that products, sums and shared causes combine as they should without any formula for them: two loops
//! bounded by one `n` stay together lane by lane, two unrelated loops do not. Nothing here knows WebAssembly.
//! Called by the priors and the summary.

use std::ops::{Add, AddAssign, Div, Mul, Sub};

use forewarm_types::{Basis, Estimate};

/// Scenarios sampled: a multiple of the vector width, and enough for the 5th and 95th percentile to lie inside.
pub(crate) const LANES: usize = 16;

/// Largest value a lane holds, so that nests of unknown loops stay finite: 10^18 operators are decades of run time.
pub(crate) const CEILING: f64 = 1e18;

/// The standard normal quantile at `(k + 0.5) / 16` for each lane `k`.
const NORMAL: [f64; LANES] = [
    -1.862_731_867,
    -1.318_010_897,
    -1.009_990_169,
    -0.776_421_761,
    -0.579_132_162,
    -0.402_250_065,
    -0.237_202_110,
    -0.078_412_413,
    0.078_412_413,
    0.237_202_110,
    0.402_250_065,
    0.579_132_162,
    0.776_421_761,
    1.009_990_169,
    1.318_010_897,
    1.862_731_867,
];

/// Weight of the cause all unknowns share, as the root of their correlation: one quarter.
///
/// Programs differ from each other more than loops within a program do; without a shared cause a thousand unknown
/// loops would average out to a certainty nobody has. A default, not a measurement.
const SHARED: f64 = 0.5;

/// How likely each scenario is; they sum to one.
pub(crate) type Weights = [f64; LANES];

/// All scenarios equally likely.
pub(crate) const EQUAL: Weights = [1.0 / LANES as f64; LANES];

/// One value per scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lanes(pub [f64; LANES]);

impl Lanes {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);
    pub(crate) const ONE: Self = Self([1.0; LANES]);

    #[inline]
    pub(crate) fn splat(value: f64) -> Self {
        Self([value; LANES])
    }

    #[inline]
    pub(crate) fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self(self.0.map(f))
    }

    #[inline]
    pub(crate) fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }

    /// Cuts every lane to `[0, CEILING]`; what is not a number becomes zero.
    #[inline]
    pub(crate) fn bounded(self) -> Self {
        self.map(bounded)
    }

    #[inline]
    pub(crate) fn is_zero(self) -> bool {
        self.0.iter().all(|&value| value <= 0.0)
    }

    /// The one value of all lanes, if they agree.
    #[inline]
    pub(crate) fn exact(self) -> Option<f64> {
        let first = self.0[0];
        // All are looked at, several at once: mostly they agree.
        self.0.iter().fold(true, |all, &value| all & (value == first)).then_some(first)
    }

    /// Draws an unknown of a log-normal distribution; equal seeds give equal draws.
    #[inline]
    pub(crate) fn draw(from: &LogNormal, seed: u64) -> Self {
        let order = permutation(seed);
        Self(std::array::from_fn(|lane| from.0[lane][order[lane] as usize]))
    }

    /// An unknown uniform in `(0, 1)`, independent of every other seed.
    #[inline]
    pub(crate) fn uniform(seed: u64) -> Self {
        let order = permutation(seed);
        Self(std::array::from_fn(|lane| (f64::from(order[lane]) + 0.5) / LANES as f64))
    }

    /// Sixteen values, one for each lane, in an order that the seed tells as that of [`Lanes::uniform`].
    #[inline]
    pub(crate) fn ordered(values: &[f64; LANES], seed: u64) -> Self {
        let order = permutation(seed);
        Self(std::array::from_fn(|lane| values[usize::from(order[lane]) % LANES]))
    }

    /// The mean where scenarios have these weights, which sum to one.
    pub(crate) fn weighted_mean(self, weights: &Weights) -> f64 {
        self.exact().unwrap_or_else(|| self.0.iter().zip(weights).map(|(value, weight)| value * weight).sum())
    }

    /// The lanes as an estimate where all are equally likely.
    pub(crate) fn estimate(self, basis: Basis) -> Estimate {
        self.weighted_estimate(&EQUAL, basis)
    }

    /// The lanes as an estimate: the mean of the middle ones, and the 5th and 95th percentile read between the sorted lanes;
    /// where a few lanes draw the mean out of that interval all the same, their median.
    ///
    /// A lane stands for the quantile at the middle of its weight.
    pub(crate) fn weighted_estimate(self, weights: &Weights, basis: Basis) -> Estimate {
        if let Some(value) = self.exact() {
            return Estimate::exact(value, basis);
        }
        let mut sorted: [(f64, f64); LANES] = std::array::from_fn(|lane| (self.0[lane], weights[lane]));
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let quantile = |wanted: f64| {
            let (mut before, mut last) = (0.0, (0.0, sorted[0].0));
            for (value, weight) in sorted {
                let here = (before + weight / 2.0, value);
                if here.0 >= wanted {
                    let part = if here.0 > last.0 { (wanted - last.0) / (here.0 - last.0) } else { 1.0 };
                    return last.1 + (here.1 - last.1) * part;
                }
                (before, last) = (before + weight, here);
            }
            last.1
        };
        let (low, high) = (quantile(0.05), quantile(0.95));
        let mean = middle(&sorted);
        let expected = if (low..=high).contains(&mean) { mean } else { quantile(0.5) };
        Estimate::new(low, expected, high, basis)
    }
}

/// The mean of values and their weights, in order, without the sixteenth of the weight at either end: what one scenario
/// alone comes to, by a path that hardly any run takes, would else drown what all others agree on (a trimmed mean; Tukey,
/// "A survey of sampling from contaminated distributions", 1960).
fn middle(sorted: &[(f64, f64); LANES]) -> f64 {
    const CUT: f64 = 1.0 / LANES as f64;
    let (mut before, mut sum, mut weights) = (0.0, 0.0, 0.0);
    for &(value, weight) in sorted {
        let kept = (f64::min(before + weight, 1.0 - CUT) - f64::max(before, CUT)).max(0.0);
        (before, sum, weights) = (before + weight, sum + kept * value, weights + kept);
    }
    if weights > 0.0 { sum / weights } else { sorted[LANES / 2].0 }
}

/// The one of `count` things that each scenario picks by a draw of [`Lanes::uniform`].
pub(crate) fn picks(seed: u64, count: usize) -> [usize; LANES] {
    permutation(seed).map(|order| pick(usize::from(order), count))
}

/// The one of `count` things that stands in the middle of a sixteenth of them.
fn pick(sixteenth: usize, count: usize) -> usize {
    (2 * sixteenth + 1) * count / (2 * LANES)
}

/// Those of `count` things that some scenario picks, whatever the seed.
pub(crate) fn picked(count: usize) -> impl Iterator<Item = usize> {
    let lanes = if count == 0 { 0 } else { LANES };
    (0..lanes).map(move |lane| pick(lane, count))
}

/// Numbers to all powers that [`Lanes::uniform`] draws: to the 1/32, 3/32, 5/32 and so on.
pub(crate) struct Powers([Lanes; LANES]);

impl Powers {
    /// By square roots, of which computing takes less than of logarithms.
    pub(crate) fn of(numbers: Lanes) -> Self {
        let sixteenth = numbers.map(|number| number.sqrt().sqrt().sqrt().sqrt());
        let mut power = sixteenth.map(f64::sqrt);
        Self(std::array::from_fn(|_| {
            let here = power;
            power = power * sixteenth;
            here
        }))
    }

    pub(crate) fn draw(&self, seed: u64) -> Lanes {
        let order = permutation(seed);
        Lanes(std::array::from_fn(|lane| self.0[usize::from(order[lane]) % LANES].0[lane]))
    }
}

/// A log-normal distribution as its values by lane and by own quantile, so that a draw computes nothing.
pub(crate) struct LogNormal([[f64; LANES]; LANES]);

impl LogNormal {
    /// From the median and the spread, the 95th percentile over the median; no value is below `least`.
    pub(crate) fn new((median, spread): (f64, f64), least: f64) -> Self {
        const Z95: f64 = 1.644_853_627;
        let sigma = spread.ln() / Z95;
        let own = (1.0 - SHARED * SHARED).sqrt();
        // A product of powers, since a first run waits for these tables.
        let shared = NORMAL.map(|z| median * (sigma * SHARED * z).exp());
        let own = NORMAL.map(|z| (sigma * own * z).exp());
        let value = |lane: usize, other: usize| (shared[lane] * own[other]).max(least);
        Self(std::array::from_fn(|lane| std::array::from_fn(|other| value(lane, other))))
    }
}

macro_rules! lanewise {
    ($trait:ident, $method:ident, $op:tt) => {
        impl $trait for Lanes {
            type Output = Self;
            #[inline]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $op b)
            }
        }
    };
}
lanewise!(Add, add, +);
lanewise!(Sub, sub, -);
lanewise!(Mul, mul, *);
lanewise!(Div, div, /);

impl AddAssign for Lanes {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<f64> for Lanes {
    type Output = Self;
    #[inline]
    fn mul(self, factor: f64) -> Self {
        self.map(|value| value * factor)
    }
}

/// A number cut to `[0, CEILING]`, or zero.
#[inline]
pub(crate) fn bounded(value: f64) -> f64 {
    if value > 0.0 { value.min(CEILING) } else { 0.0 }
}

/// A value per scenario that is often the same in all, and then computed once.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    One(f64),
    Many(Lanes),
}

impl Number {
    pub(crate) fn of(lanes: Lanes) -> Self {
        lanes.exact().map_or(Self::Many(lanes), Self::One)
    }

    pub(crate) fn lanes(self) -> Lanes {
        match self {
            Self::One(value) => Lanes::splat(value),
            Self::Many(lanes) => lanes,
        }
    }

    /// The one value of all scenarios, if they agree.
    pub(crate) fn exact(self) -> Option<f64> {
        match self {
            Self::One(value) => Some(value),
            Self::Many(lanes) => lanes.exact(),
        }
    }

    /// The value in one scenario.
    #[inline]
    pub(crate) fn at(&self, lane: usize) -> f64 {
        match self {
            Self::One(value) => *value,
            Self::Many(lanes) => lanes.0[lane],
        }
    }

    /// Whether all scenarios are known to agree.
    pub(crate) fn agreed(&self) -> bool {
        matches!(self, Self::One(_))
    }

    pub(crate) fn map(self, f: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::One(value) => Self::One(f(value)),
            Self::Many(lanes) => Self::Many(lanes.map(f)),
        }
    }

    pub(crate) fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        match (self, other) {
            (Self::One(a), Self::One(b)) => Self::One(f(a, b)),
            _ => Self::Many(self.lanes().zip(other.lanes(), f)),
        }
    }

    pub(crate) fn any(self, f: impl Fn(f64) -> bool) -> bool {
        match self {
            Self::One(value) => f(value),
            // All are looked at, several at once: mostly there is none.
            Self::Many(lanes) => lanes.0.into_iter().fold(false, |any, value| any | f(value)),
        }
    }
}

/// Mixes the words that name an unknown into a seed (the finaliser of splitmix64).
pub(crate) const fn seed(words: [u64; 3]) -> u64 {
    mix(mix(mix(0x9e37_79b9_7f4a_7c15, words[0]), words[1]), words[2])
}

const fn mix(state: u64, word: u64) -> u64 {
    let mut z = (state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Permutations to draw from; more would differ no more usefully.
const PERMUTATIONS: usize = 1024;

/// The permutations, made when the program is compiled: a first run waits for every microsecond.
static TABLE: [[u8; LANES]; PERMUTATIONS] = {
    let mut table = [[0; LANES]; PERMUTATIONS];
    let mut number = 0;
    while number < PERMUTATIONS {
        table[number] = mixed(seed([number as u64, 0, 0]));
        number += 1;
    }
    table
};

/// One of [`PERMUTATIONS`] permutations of the lanes.
fn permutation(seed: u64) -> &'static [u8; LANES] {
    &TABLE[(seed >> 20) as usize % PERMUTATIONS]
}

/// A permutation by three rounds of an invertible affine map and shift on four bits.
const fn mixed(seed: u64) -> [u8; LANES] {
    let mut out = [0; LANES];
    let mut lane = 0;
    while lane < LANES {
        let mut x = lane as u64;
        let mut round = 0;
        while round < 3 {
            let key = seed >> (round * 16);
            x = (x.wrapping_mul(key | 1).wrapping_add(key >> 8)) & 15;
            x ^= x >> 2;
            round += 1;
        }
        out[lane] = x as u8;
        lane += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_are_permutations_and_differ() {
        let mut distinct = std::collections::HashSet::new();
        for n in 0..200 {
            let order = *permutation(seed([n, 1, 2]));
            let mut sorted = order;
            sorted.sort_unstable();
            assert_eq!(sorted, std::array::from_fn::<u8, LANES, _>(|k| k as u8));
            distinct.insert(order);
        }
        assert!(distinct.len() > 150, "{}", distinct.len());
    }

    #[test]
    fn powers_are_those_of_a_uniform_draw() {
        let numbers = Lanes(std::array::from_fn(|lane| 1.0 + 10.0_f64.powi(lane as i32)));
        let expected = numbers.zip(Lanes::uniform(7 << 20), f64::powf);
        let found = Powers::of(numbers).draw(7 << 20);
        assert!(found.zip(expected, |a, b| (a / b - 1.0).abs()).0.into_iter().all(|error| error < 1e-12));
    }

    #[test]
    fn each_scenario_picks_what_lies_at_its_draw() {
        for count in [1, 2, 3, 16, 17, 1000] {
            let places = Lanes::uniform(count as u64).0.map(|place| (place * count as f64) as usize);
            assert_eq!(picks(count as u64, count), places);
        }
    }

    #[test]
    fn one_unknown_has_the_percentiles_it_was_given() {
        let e = Lanes::draw(&LogNormal::new((100.0, 10.0), 0.0), 7).estimate(Basis::Static);
        assert!((60.0..1000.0).contains(&e.expected) && e.low < 40.0 && e.high > 250.0, "{e:?}");
    }

    #[test]
    fn one_scenario_alone_does_not_set_the_expectation() {
        let mut lanes = Lanes::splat(10.0);
        (lanes.0[3], lanes.0[9]) = (1e15, 11.0);
        assert!(lanes.estimate(Basis::Static).expected < 10.1);
        let even = Lanes(std::array::from_fn(|lane| lane as f64));
        assert!((even.estimate(Basis::Static).expected - 7.5).abs() < 1e-12);
    }

    #[test]
    fn nests_spread_wider_than_sequences() {
        let ten = LogNormal::new((10.0, 10.0), 0.0);
        let (a, b) = (Lanes::draw(&ten, 1), Lanes::draw(&ten, 99 << 20));
        let (nest, sequence) = ((a * b).estimate(Basis::Static), (a + b).estimate(Basis::Static));
        assert!(nest.width_ratio() > sequence.width_ratio());
    }
}
