//! The forms that counts may grow by: sums of terms, each a product of powers and logarithms of features.
//!
//! The exponents are Extra-P's (Calotoiu et al., SC13: `n^(i/j)` with small `i` and `j`, `log2^k n` with `k` up to 2). Beyond
//! its family are a power whose exponent is searched for, for divide-and-conquer with other branching, and an exponential, for
//! enumeration. Every form costs what makes it less likely beforehand: fractions, logarithms, further terms.

/// A factor of a term.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Factor {
    Power {
        feature: usize,
        exponent: f64,
        logs: i32,
    },
    /// `exp(rate · (feature - from))`.
    Exponential {
        feature: usize,
        rate: f64,
        from: f64,
    },
}

/// What counts grow by: a constant and terms, the leading one last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    terms: Vec<Vec<Factor>>,
    /// What speaks against it beforehand: the negative logarithm of its prior weight, up to a constant.
    pub cost: f64,
    /// Parameters that were searched for beside the coefficients.
    pub searched: usize,
}

/// Exponents of leading terms.
const EXPONENTS: [f64; 18] = [
    0.25,
    1.0 / 3.0,
    0.5,
    2.0 / 3.0,
    0.75,
    1.0,
    1.25,
    4.0 / 3.0,
    1.5,
    5.0 / 3.0,
    1.75,
    2.0,
    2.25,
    7.0 / 3.0,
    2.5,
    8.0 / 3.0,
    2.75,
    3.0,
];

/// Terms that may stand beside a leading one: exponent and logarithms.
const BESIDE: [(f64, i32); 6] = [(0.0, 1), (0.5, 0), (1.0, 0), (1.0, 1), (2.0, 0), (2.0, 1)];

/// Powers of each of two features.
const OF_TWO: [(f64, i32); 7] = [(0.5, 0), (1.0, 0), (1.0, 1), (1.5, 0), (2.0, 0), (2.0, 1), (3.0, 0)];

/// Costs, in natural logarithms of odds: loops nest whole, so that a half is rarer by `e²` than a whole exponent, any other
/// fraction by `e⁴`; a logarithm by `e`; each further term by `e^1.5`. The bench shows what other costs would come to.
const HALF: f64 = 2.0;
const FRACTION: f64 = 4.0;
const LOGARITHM: f64 = 1.0;
const TERM: f64 = 1.5;
const SEARCHED_POWER: f64 = 4.0;
const EXPONENTIAL: f64 = 6.0;

/// Cost per unit by which the exponent of a feature with only two values differs from one: two values cannot tell.
const UNTOLD: f64 = 4.0;

/// Every form for points of one or two features.
pub(super) fn forms(points: &[Vec<f64>]) -> Vec<Form> {
    match points.first().map_or(0, Vec::len) {
        1 => of_one(points),
        2 => of_two(points),
        _ => Vec::new(),
    }
}

fn of_one(points: &[Vec<f64>]) -> Vec<Form> {
    let form = |parts: &[(f64, i32)]| Form {
        terms: parts.iter().map(|(exponent, logs)| vec![power(0, *exponent, *logs)]).collect(),
        cost: parts.iter().map(|part| cost(*part) + TERM).sum(),
        searched: 0,
    };
    let leads: Vec<(f64, i32)> = EXPONENTS.iter().flat_map(|exponent| (0..3).map(|logs| (*exponent, logs))).collect();
    let mut all = vec![form(&[]), form(&[(0.0, 1)]), form(&[(0.0, 2)]), form(&[(1.0, 0), (2.0, 0), (3.0, 0)])];
    for lead in leads {
        all.push(form(&[lead]));
        all.extend(BESIDE.iter().filter(|beside| **beside < lead).map(|beside| form(&[*beside, lead])));
    }
    all.extend(searched(points));
    all
}

/// Powers and exponentials on a grid; of each kind the best one counts, which the grid's fineness pays for.
fn searched(points: &[Vec<f64>]) -> Vec<Form> {
    let from = points.iter().map(|point| point[0]).fold(0.0, f64::max);
    let powers = (5..400).map(|step| (power(0, f64::from(step) / 100.0, 0), SEARCHED_POWER));
    let bases = (2..250).map(|step| Factor::Exponential { feature: 0, rate: f64::from(step) / 100.0, from });
    powers
        .chain(bases.map(|factor| (factor, EXPONENTIAL)))
        .map(|(factor, cost)| Form { terms: vec![vec![factor]], cost, searched: 1 })
        .collect()
}

fn of_two(points: &[Vec<f64>]) -> Vec<Form> {
    let few: Vec<bool> = (0..2).map(|at| values(points, at) < 3).collect();
    let untold = |at: usize, part: (f64, i32)| {
        if few[at] { UNTOLD * (part.0 + 0.3 * f64::from(part.1) - 1.0).abs() } else { 0.0 }
    };
    let mut all = Vec::new();
    for a in OF_TWO {
        for b in OF_TWO {
            let (first, second) = (power(0, a.0, a.1), power(1, b.0, b.1));
            let base = cost(a) + cost(b) + untold(0, a) + untold(1, b);
            let product = vec![first, second];
            let groups = [
                vec![product.clone()],
                vec![vec![first], product.clone()],
                vec![vec![second], product],
                vec![vec![first], vec![second]],
            ];
            all.extend(groups.into_iter().map(|terms| Form {
                cost: base + TERM * terms.len() as f64,
                terms,
                searched: 0,
            }));
        }
    }
    for at in 0..2 {
        let alone = |part: &(f64, i32)| Form {
            terms: vec![vec![power(at, part.0, part.1)]],
            cost: cost(*part) + TERM,
            searched: 0,
        };
        all.extend(OF_TWO.iter().map(alone));
    }
    all
}

fn values(points: &[Vec<f64>], at: usize) -> usize {
    let mut column: Vec<f64> = points.iter().map(|point| point[at]).collect();
    column.sort_by(f64::total_cmp);
    column.dedup();
    column.len()
}

fn power(feature: usize, exponent: f64, logs: i32) -> Factor {
    Factor::Power { feature, exponent, logs }
}

fn cost((exponent, logs): (f64, i32)) -> f64 {
    let whole = exponent.fract() == 0.0;
    let half = (2.0 * exponent).fract() == 0.0 && exponent > 0.0;
    let fraction = if whole {
        0.0
    } else if half {
        HALF
    } else {
        FRACTION
    };
    let bare = if exponent == 0.0 { LOGARITHM } else { 0.0 };
    fraction + LOGARITHM * f64::from(logs) + bare
}

impl Factor {
    fn value(&self, point: &[f64]) -> f64 {
        match *self {
            Self::Power { feature, exponent, logs } => point[feature].powf(exponent) * point[feature].log2().powi(logs),
            Self::Exponential { feature, rate, from } => (rate * (point[feature] - from)).exp(),
        }
    }

    fn words(&self) -> String {
        let name = |feature: usize| ["n", "m"][feature.min(1)];
        match *self {
            Self::Power { feature, exponent, logs } => {
                let log = |times: i32| if times == 1 { " log".to_owned() } else { format!(" log^{times}") };
                match (exponent == 0.0, logs) {
                    (true, logs) => format!("{} {}", log(logs).trim(), name(feature)),
                    (false, 0) => format!("{}^{exponent:.3}", name(feature)),
                    (false, logs) => format!("{0}^{exponent:.3}{1} {0}", name(feature), log(logs)),
                }
            }
            Self::Exponential { feature, rate, .. } => format!("{:.3}^{}", rate.exp(), name(feature)),
        }
    }
}

impl Form {
    /// The values of its terms at a point, the constant's first.
    pub fn row(&self, point: &[f64]) -> Vec<f64> {
        let term = |term: &Vec<Factor>| term.iter().map(|factor| factor.value(point)).product();
        std::iter::once(1.0).chain(self.terms.iter().map(term)).collect()
    }

    /// Its terms in words, the leading one first.
    pub fn words(&self) -> String {
        let term = |term: &Vec<Factor>| term.iter().map(Factor::words).collect::<Vec<_>>().join(" ");
        let terms: Vec<String> = self.terms.iter().rev().map(term).collect();
        if terms.is_empty() { "1".to_owned() } else { terms.join(" + ") }
    }
}
