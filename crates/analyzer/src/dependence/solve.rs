//! Whether a bounded integer combination can fall into a window: the arithmetic below every affine dependence test.
//!
//! Greatest common divisors and Banerjee's bounds (Banerjee, "Dependence Analysis for Supercomputing", 1988) prune; a
//! search over the largest coefficients, which leave few choices each, decides the rest. It gives up rather than work
//! long. Nothing here knows loops. Called by the pair test.

/// Steps of search allowed in one question.
const BUDGET: u32 = 512;

/// A variable's range is cut to this: with a coefficient of one it passes any address twice over.
const FAR: i64 = 1 << 40;

/// What can be said of a question; of several questions at once, the greatest answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Answer {
    /// No choice of the variables does it.
    Never,
    /// Not decided within the budget.
    Undecided,
    /// Some choice does.
    Sometimes,
}

/// Variables of unlike coefficients that a question may have: those of two accesses in a nest of six loops, and the two of
/// the loop in question.
const MAX_TERMS: usize = 14;

/// `constant + sum(coefficient * variable)`, each variable an integer from zero to its own greatest value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Combination {
    constant: i128,
    /// Positive coefficients, each once, with the greatest value of their variable.
    terms: [Term; MAX_TERMS],
    count: usize,
    /// Whether there were more.
    overflow: bool,
}

/// A coefficient, and the greatest value of its variable.
type Term = (u64, u64);

impl Combination {
    /// Adds `coefficient` times a variable of at most `greatest`; `None` for a variable without bound.
    pub(crate) fn add(&mut self, coefficient: i64, greatest: Option<i64>) {
        let greatest = greatest.map_or(FAR, |greatest| greatest.min(FAR));
        if coefficient == 0 || greatest <= 0 {
            return;
        }
        if coefficient < 0 {
            // Counted from the other end, the variable has a positive coefficient.
            self.constant += i128::from(coefficient) * i128::from(greatest);
        }
        let (coefficient, greatest) = (coefficient.unsigned_abs(), greatest as u64);
        // Two variables of one coefficient are one variable with both ranges.
        if let Some(term) = self.terms[..self.count].iter_mut().find(|term| term.0 == coefficient) {
            term.1 += greatest;
        } else if let Some(place) = self.terms.get_mut(self.count) {
            *place = (coefficient, greatest);
            self.count += 1;
        } else {
            self.overflow = true;
        }
    }

    /// Adds a constant.
    pub(crate) fn shift(&mut self, by: i64) {
        self.constant += i128::from(by);
    }

    /// The combination in the order in which its values are asked for.
    pub(crate) fn question(mut self) -> Question {
        self.terms[..self.count].sort_unstable_by_key(|term| std::cmp::Reverse(term.0));
        let Self { constant, terms, count, overflow } = self;
        let mut question = Question { constant, terms, count, overflow, most: [0; _], divisors: [0; _] };
        for at in (0..count).rev() {
            let (coefficient, greatest) = terms[at];
            question.most[at] = question.most[at + 1] + i128::from(coefficient) * i128::from(greatest);
            question.divisors[at] = gcd(question.divisors[at + 1], coefficient);
        }
        question
    }
}

/// A combination to which constants are added, and each time it is asked what values it can take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    constant: i128,
    /// The largest coefficient first.
    terms: [Term; MAX_TERMS],
    count: usize,
    overflow: bool,
    /// The largest sum of the terms from each on, and their common divisor.
    most: [i128; MAX_TERMS + 1],
    divisors: [u64; MAX_TERMS + 1],
}

impl Question {
    /// Gives the variable of a coefficient so many more values, or fewer, where there is one.
    pub(crate) fn lengthen(&mut self, coefficient: i64, by: i64) {
        if coefficient < 0 {
            self.constant += i128::from(coefficient) * i128::from(by);
        }
        let coefficient = coefficient.unsigned_abs();
        let Some(at) = self.terms[..self.count].iter().position(|term| term.0 == coefficient) else { return };
        self.terms[at].1 = self.terms[at].1.saturating_add_signed(by);
        for most in &mut self.most[..=at] {
            *most += i128::from(coefficient) * i128::from(by);
        }
    }

    /// Whether it can, with so much added, take a value from `low` to `high`, both included.
    pub(crate) fn meets(&self, added: i64, low: i64, high: i64) -> Answer {
        if self.overflow {
            return Answer::Undecided;
        }
        let constant = self.constant + i128::from(added);
        Search { question: self, steps: BUDGET }.from(0, i128::from(low) - constant, i128::from(high) - constant)
    }
}

struct Search<'a> {
    question: &'a Question,
    steps: u32,
}

impl Search<'_> {
    /// Whether the terms from `first` on can sum to a value from `low` to `high`.
    fn from(&mut self, first: usize, low: i128, high: i128) -> Answer {
        let Question { terms, count, most, divisors, .. } = self.question;
        let (low, high) = (low.max(0), high.min(most[first]));
        if low > high {
            return Answer::Never;
        }
        if low == 0 {
            return Answer::Sometimes;
        }
        // Only multiples of the common divisor are ever met.
        let divisor = divisors[first];
        let (low, high) = (ceil(low, divisor), floor(high, divisor));
        if low > high {
            return Answer::Never;
        }
        let covered = covered(&terms[first..*count], divisor, high - low + 1);
        if low <= covered {
            return Answer::Sometimes;
        }
        self.each(first, low * i128::from(divisor), high * i128::from(divisor))
    }

    /// Tries each value of the variable with the largest coefficient.
    fn each(&mut self, first: usize, low: i128, high: i128) -> Answer {
        let (coefficient, greatest) = self.question.terms[first];
        let least = (low - self.question.most[first + 1]).max(0);
        let end = floor(high, coefficient).min(i128::from(greatest));
        let mut value = ceil(least, coefficient);
        while value <= end {
            let Some(left) = self.steps.checked_sub(1) else { return Answer::Undecided };
            self.steps = left;
            let taken = value * i128::from(coefficient);
            match self.from(first + 1, low - taken, high - taken) {
                Answer::Never => {}
                found => return found,
            }
            value += 1;
        }
        Answer::Never
    }
}

/// How far, in units of `divisor`, windows of this many units are all met: the smaller terms step over no window, and
/// each larger one is no wider than what those before it cover.
fn covered(terms: &[Term], divisor: u64, window: i128) -> i128 {
    let mut reach = 0;
    for &(coefficient, greatest) in terms.iter().rev() {
        let coefficient = i128::from(coefficient / divisor);
        if coefficient > reach + window {
            break;
        }
        reach += coefficient * i128::from(greatest);
    }
    reach
}

/// A number that is not negative over a divisor, rounded down; numbers of 64 bits are divided at once.
fn floor(number: i128, by: u64) -> i128 {
    match u64::try_from(number) {
        Ok(number) => i128::from(number / by),
        Err(_) => number.div_euclid(i128::from(by)),
    }
}

/// The same rounded up.
fn ceil(number: i128, by: u64) -> i128 {
    floor(number + i128::from(by) - 1, by)
}

fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brute(constant: i64, terms: &[(i64, i64)], low: i64, high: i64) -> bool {
        let Some((&(coefficient, greatest), rest)) = terms.split_first() else {
            return (low..=high).contains(&constant);
        };
        (0..=greatest).any(|value| brute(constant + coefficient * value, rest, low, high))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn answers_are_those_of_trying_everything(
            constant in -60..60_i64,
            terms in proptest::collection::vec((-24..24_i64, 0..7_i64), 0..4),
            low in -20..20_i64,
            width in 0..9_i64,
        ) {
            let mut combination = Combination::default();
            for &(coefficient, greatest) in &terms {
                combination.add(coefficient, Some(greatest));
            }
            let expected = if brute(constant, &terms, low, low + width) { Answer::Sometimes } else { Answer::Never };
            let found = combination.question().meets(constant, low, low + width);
            prop_assert!(found == expected, "{found:?}");
        }

        #[test]
        fn a_shortened_question_is_that_of_a_shorter_range(
            constant in -60..60_i64,
            (coefficient, greatest) in (-24..24_i64, 1..7_i64),
            terms in proptest::collection::vec((-24..24_i64, 0..7_i64), 0..3),
            low in -20..20_i64,
            width in 0..9_i64,
        ) {
            let of = |greatest: i64| {
                let mut combination = Combination::default();
                combination.add(coefficient, Some(greatest));
                terms.iter().for_each(|&(coefficient, greatest)| combination.add(coefficient, Some(greatest)));
                combination.question()
            };
            let mut shortened = of(greatest);
            for greatest in (0..greatest).rev() {
                shortened.lengthen(coefficient, -1);
                let ask = |question: &Question| question.meets(constant, low, low + width);
                prop_assert_eq!(ask(&shortened), ask(&of(greatest)));
            }
        }
    }

    #[test]
    fn a_large_question_is_given_up() {
        let mut combination = Combination::default();
        // Even sums only, hidden from the divisor by one odd term that is too large to matter.
        for coefficient in [2_000_003, 1_414_214, 1_000_006, 707_108, 500_002] {
            combination.add(coefficient, Some(1 << 30));
        }
        assert_ne!(combination.question().meets(-1, 1 << 50, 1 << 50), Answer::Never);
    }
}
