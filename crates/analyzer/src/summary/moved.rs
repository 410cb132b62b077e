//! Functions that cost the same whatever some of their arguments are, found by trying: a recursion over parts of an array
//! is evaluated once for each length, not once for each part.
//!
//! Part of the call summary.

use crate::hash::QuickMap;

/// The known arguments of a call.
type Known = Vec<Option<i64>>;

/// Whether a function costs the same under other arguments: told by the sets of arguments it was evaluated under.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Where all arguments are moved alike, as of one that divides a range between two bounds.
    alike: Guess,
    /// Where only addresses differ, as of one that is handed parts of arrays.
    places: Guess,
}

/// One guess at what makes no difference.
#[derive(Debug, Default)]
struct Guess {
    /// By what is left of the arguments: the arguments met first, and the cost.
    seen: QuickMap<Known, (Known, f64)>,
    least: f64,
    agreed: u32,
    differed: bool,
}

/// Sets of arguments that must have cost the same before others are taken to: a default.
const AGREED: u32 = 2;

/// Difference in cost that is put down to rounding where a range is divided.
const ROUNDED: f64 = 0.1;

impl Guess {
    fn note(&mut self, left: Known, arguments: &[Option<i64>], cost: f64) {
        if self.seen.is_empty() || cost < self.least {
            self.least = cost;
        }
        let Some((_, other)) = self.seen.get(&left) else {
            self.seen.insert(left, (arguments.to_vec(), cost));
            return;
        };
        // Where a recursion ends, all cost the same whatever they are given.
        if (cost - other).abs() > ROUNDED * other {
            self.differed = true;
        } else if cost > 2.0 * self.least {
            self.agreed += 1;
        }
    }

    fn same(&self, left: &[Option<i64>]) -> Option<&Known> {
        let told = !self.differed && self.agreed >= AGREED;
        self.seen.get(left).map(|seen| &seen.0).filter(|_| told)
    }
}

impl Moved {
    /// The arguments relative to the first known one; `None` where no two are known.
    fn relative(arguments: &[Option<i64>]) -> Option<Known> {
        let mut known = arguments.iter().flatten();
        let (first, _) = (known.next()?, known.next()?);
        Some(arguments.iter().map(|argument| argument.map(|argument| argument.wrapping_sub(*first))).collect())
    }

    /// The arguments that are no addresses; `None` where all are, or none is.
    fn placeless(arguments: &[Option<i64>], addresses: i64) -> Option<Known> {
        let left: Vec<_> = arguments.iter().map(|argument| argument.filter(|&number| number < addresses)).collect();
        (left != arguments && left.iter().any(Option::is_some)).then_some(left)
    }

    pub(super) fn note(&mut self, arguments: &[Option<i64>], addresses: i64, cost: f64) {
        if let Some(left) = Self::relative(arguments) {
            self.alike.note(left, arguments, cost);
        }
        if let Some(left) = Self::placeless(arguments, addresses) {
            self.places.note(left, arguments, cost);
        }
    }

    /// Arguments under which the cost is known to be the same.
    pub(super) fn same(&self, arguments: &[Option<i64>], addresses: i64) -> Option<&Known> {
        let alike = Self::relative(arguments).and_then(|left| self.alike.same(&left));
        alike.or_else(|| self.places.same(&Self::placeless(arguments, addresses)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(costs: &[(&[i64], f64)]) -> Moved {
        let mut moved = Moved::default();
        for (arguments, cost) in costs {
            let arguments: Known = arguments.iter().copied().map(Some).collect();
            moved.note(&arguments, 1000, *cost);
        }
        moved
    }

    fn same(moved: &Moved, arguments: &[i64]) -> Option<Known> {
        let arguments: Known = arguments.iter().copied().map(Some).collect();
        moved.same(&arguments, 1000).cloned()
    }

    #[test]
    fn ranges_of_one_length_cost_the_same_once_seen_to() {
        let halves: [(&[i64], f64); 6] =
            [(&[0, 1], 3.0), (&[1, 2], 3.0), (&[0, 2], 12.0), (&[2, 4], 12.0), (&[0, 4], 30.0), (&[4, 8], 30.0)];
        assert_eq!(same(&noted(&halves[..4]), &[8, 12]), None);
        assert_eq!(same(&noted(&halves), &[8, 12]), Some(vec![Some(0), Some(4)]));
        assert_eq!(same(&noted(&halves), &[8, 16]), None);
    }

    #[test]
    fn binomials_do_not() {
        let costs: [(&[i64], f64); 6] =
            [(&[1, 1], 1.0), (&[2, 2], 1.0), (&[2, 1], 3.0), (&[3, 2], 5.0), (&[4, 3], 7.0), (&[4, 2], 11.0)];
        assert_eq!(same(&noted(&costs), &[5, 4]), None);
    }

    #[test]
    fn places_make_no_difference_where_they_were_seen_to_make_none() {
        let parts: [(&[i64], f64); 6] = [
            (&[2000, 1], 2.0),
            (&[2004, 1], 2.0),
            (&[2000, 8], 20.0),
            (&[3000, 8], 20.0),
            (&[5000, 8], 20.0),
            (&[2000, 9], 22.0),
        ];
        assert_eq!(same(&noted(&parts), &[7000, 8]), Some(vec![Some(2000), Some(8)]));
    }
}
