//! How the peak of linear memory grows: from a few small runs, of which each tells it to a page.
//!
//! A peak is what a program begins with and whole pages beyond that, so that of a small run it says only within a page how much
//! was asked for. Each run bounds the coefficient of a form from both sides; a form whose bounds leave nothing is refuted. What is
//! left of several forms is what is not known. Pure; called by the orchestrator.

use forewarm_types::{Basis, Estimate};

use super::Sample;

/// Size of a page (WebAssembly Core Specification 1.0, 4.2.8).
const PAGE: f64 = 65_536.0;

/// Forms beyond a constant, as exponents of up to two features, with the natural logarithm of the odds against each: what is held
/// is mostly what a loop goes through, of which a table of two sizes is rarer by `e`, and one of a size by itself or by the other's
/// square by `e²`, as with the forms of counts.
const FORMS: [([f64; 2], f64); 7] = [
    ([1.0, 0.0], 0.0),
    ([0.0, 1.0], 0.0),
    ([1.0, 1.0], 1.0),
    ([2.0, 0.0], 1.0),
    ([0.0, 2.0], 1.0),
    ([0.5, 0.0], 2.0),
    ([0.0, 0.5], 2.0),
];

/// What a program's allocator takes of what is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Taken {
    /// That, to a page.
    Asked,
    /// So many powers of two, alike, each of which what is asked for a part of it fits: as Zig's allocator for WebAssembly, which
    /// its C library uses too.
    Doubled(f64),
    /// Up to twice that.
    More,
}

/// What is thought of first, and with the natural logarithm of the odds against it: one array, or two alike, is more usual than three.
const USUAL: [(Taken, f64); 4] =
    [(Taken::Asked, 0.0), (Taken::Doubled(1.0), 1.0), (Taken::Doubled(3.0), 2.0), (Taken::Doubled(5.0), 3.0)];

/// What a form makes of the run asked about, in bytes beyond the least peak.
#[derive(Debug, Clone, Copy)]
struct Told {
    low: f64,
    middle: f64,
    high: f64,
    weight: f64,
}

/// What the peak comes to in a run with these features, of the peaks of smaller runs. `None` without any, or where no form is left.
#[must_use]
pub fn peak(samples: &[Sample], target: &[f64]) -> Option<Estimate> {
    let least = samples.iter().map(|sample| sample.count).fold(f64::INFINITY, f64::min);
    let usable =
        !samples.is_empty() && least.is_finite() && samples.iter().all(|one| one.features.len() == target.len());
    if !usable {
        return None;
    }
    if samples.iter().all(|sample| sample.count == least) {
        // Nothing grew in any of them; that something yet may is left to the program's own peak so far.
        return Some(Estimate::exact(least, Basis::Emulated));
    }
    let told = |(taken, against): (Taken, f64)| by_forms(samples, target, taken, against);
    let mut forms: Vec<Told> = USUAL.into_iter().flat_map(told).collect();
    if forms.is_empty() {
        forms = told((Taken::More, 0.0));
    }
    let at = |of: fn(&Told) -> f64, probability: f64| {
        let mut values: Vec<(f64, f64)> = forms.iter().map(|form| (of(form), form.weight)).collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        super::quantile(&values, probability)
    };
    let expected = at(|form| form.middle, 0.5)?;
    let (low, high) = (at(|form| form.low, 0.05)?.min(expected), at(|form| form.high, 0.95)?.max(expected));
    let whole = |bytes: f64| least + (bytes / PAGE).ceil() * PAGE;
    Some(Estimate::new(whole(low), whole(expected), whole(high), Basis::Emulated))
}

/// What each form tells that is not refuted.
fn by_forms(samples: &[Sample], target: &[f64], taken: Taken, against: f64) -> Vec<Told> {
    let told = |(exponents, against_form): &([f64; 2], f64)| {
        let (low, high, likelihood) = bounds(samples, exponents, taken)?;
        let size = form(exponents, target)? - form(exponents, smallest(samples)?.features.as_slice())?;
        let middle = (low.max(high / 4.0) * high).sqrt();
        let weight = likelihood * (-against - against_form).exp();
        let [low, middle, high] = [low, middle, high].map(|each| each * size);
        let (low, middle, high) =
            (taken.least(low), (taken.least(middle) * taken.most(middle)).sqrt(), taken.most(high));
        Some(Told { low, middle, high, weight })
    };
    let fits =
        |exponents: &[f64; 2]| exponents.iter().zip(0..).all(|(exponent, at)| *exponent == 0.0 || at < target.len());
    FORMS.iter().filter(|(exponents, _)| fits(exponents)).filter_map(told).collect()
}

/// Between what a form's coefficient lies, since each run has grown beyond the smallest by what the form has, and how much likelier these
/// peaks are where so much is taken than where what is asked for is. `None` where no coefficient does.
fn bounds(samples: &[Sample], exponents: &[f64; 2], taken: Taken) -> Option<(f64, f64, f64)> {
    let smallest = smallest(samples)?;
    let first = form(exponents, &smallest.features)?;
    let (mut low, mut high, mut likelihood) = (0.0_f64, f64::INFINITY, 1.0);
    for sample in samples {
        let (size, grown) = (form(exponents, &sample.features)? - first, sample.count - smallest.count);
        if size > 0.0 {
            let (least, most, ratio) = taken.asked(grown)?;
            (low, high, likelihood) = (low.max(least / size), high.min(most / size), likelihood * ratio);
        } else if grown > PAGE {
            return None;
        }
    }
    (low <= high && high.is_finite()).then_some((low, high, likelihood))
}

impl Taken {
    /// Between what was asked for where so much was taken, and how much likelier that is where this is taken than where what is asked
    /// for is. `None` where it is not taken.
    fn asked(self, grown: f64) -> Option<(f64, f64, f64)> {
        match self {
            Self::Asked => Some((grown - PAGE, grown + PAGE, 1.0)),
            Self::More => Some(((grown - PAGE) / 2.0, grown + PAGE, 1.0)),
            Self::Doubled(_) if grown <= PAGE => Some((0.0, 2.0 * PAGE, 1.0)),
            Self::Doubled(parts) => {
                let whole = parts * (grown / parts).log2().round().exp2();
                // A page more or less, as anything is, of the half of it in which what is asked for may lie.
                let ratio = (whole / 2.0 / (3.0 * PAGE)).max(1.0);
                ((whole - grown).abs() <= PAGE).then_some((whole / 2.0, whole, ratio))
            }
        }
    }

    /// The least that is taken where so much is asked for.
    fn least(self, asked: f64) -> f64 {
        match self {
            Self::Asked | Self::More => asked,
            Self::Doubled(parts) => parts * (asked / parts).max(1.0).log2().ceil().exp2(),
        }
    }

    /// The most.
    fn most(self, asked: f64) -> f64 {
        if self == Self::More { 2.0 * asked } else { self.least(asked) }
    }
}

/// The run with the least peak, the first of those alike.
fn smallest(samples: &[Sample]) -> Option<&Sample> {
    samples.iter().reduce(|least, sample| if sample.count < least.count { sample } else { least })
}

fn form(exponents: &[f64; 2], features: &[f64]) -> Option<f64> {
    let power = |(exponent, value): (&f64, &f64)| value.powf(*exponent);
    let size: f64 = exponents.iter().zip(features).map(power).product();
    (size.is_finite() && size > 0.0).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is foretold of a program that begins with 16 MiB and asks for so many bytes.
    fn check(sizes: &[&[f64]], target: &[f64], asks: impl Fn(&[f64]) -> f64) -> (Estimate, f64) {
        let peak_of = |features: &[f64]| (16 << 20) as f64 + (asks(features) / PAGE).ceil() * PAGE;
        let samples: Vec<Sample> =
            sizes.iter().map(|size| Sample { features: size.to_vec(), count: peak_of(size) }).collect();
        (peak(&samples, target).unwrap(), peak_of(target))
    }

    #[test]
    fn what_grows_by_pages_is_told_to_a_page() {
        let sizes: [&[f64]; 6] = [&[158.0], &[632.0], &[2528.0], &[10_112.0], &[40_448.0], &[161_792.0]];
        let (foretold, truth) = check(&sizes, &[4_000_000.0], |n| 8.0 * n[0]);
        assert!((foretold.expected / truth - 1.0).abs() < 0.1 && foretold.contains(truth), "{foretold:?} {truth}");
        let sizes: [&[f64]; 5] = [&[8.0], &[21.0], &[56.0], &[150.0], &[240.0]];
        let (foretold, truth) = check(&sizes, &[800.0], |n| 8.0 * n[0] * n[0]);
        assert!((foretold.expected / truth - 1.0).abs() < 0.1 && foretold.contains(truth), "{foretold:?} {truth}");
    }

    #[test]
    fn allocators_that_take_more_than_they_are_asked_for_are_told_too() {
        // In pages beyond 16 MiB, as two arrays of so many numbers of 8 bytes were seen to take: 1.3, 6.5, 26 and 56 were asked for.
        let runs = [(271.0, 0.0), (664.0, 0.0), (5312.0, 1.0), (26_744.0, 7.0), (105_208.0, 31.0), (227_216.0, 63.0)];
        let sample = |(n, pages): (f64, f64)| Sample { features: vec![n], count: (16 << 20) as f64 + pages * PAGE };
        let foretold = peak(&runs.map(sample), &[20_000_000.0]).unwrap();
        let taken = (16 << 20) as f64 + 2.0 * (8.0 * 20_000_000.0_f64).log2().ceil().exp2();
        assert!(
            foretold.expected == taken && foretold.contains(taken) && foretold.low > 0.4 * taken,
            "{foretold:?} {taken}"
        );
        // Three arrays, and such as nobody knows.
        let sizes: [&[f64]; 5] = [&[12.0], &[42.0], &[144.0], &[360.0], &[560.0]];
        let doubled = |bytes: f64| bytes.log2().ceil().exp2();
        let (foretold, truth) = check(&sizes, &[1900.0], |n| 3.0 * doubled(8.0 * n[0] * n[0]));
        assert!((foretold.expected - truth).abs() <= PAGE, "{foretold:?} {truth}");
        let (foretold, truth) = check(&sizes, &[1900.0], |n| doubled(8.0 * n[0] * n[0]) + 8.0 * n[0] * n[0]);
        assert!((0.5..2.0).contains(&(foretold.expected / truth)) && foretold.contains(truth), "{foretold:?} {truth}");
    }

    #[test]
    fn what_does_not_grow_stays() {
        let sizes: [&[f64]; 3] = [&[100.0], &[1000.0], &[8000.0]];
        let (foretold, truth) = check(&sizes, &[1_000_000.0], |_| 0.0);
        assert_eq!((foretold.low, foretold.expected, foretold.high), (truth, truth, truth));
    }

    #[test]
    fn two_sizes_tell_which_of_them_matters() {
        let sizes: [&[f64]; 5] = [&[16.0, 39.0], &[64.0, 39.0], &[64.0, 156.0], &[256.0, 156.0], &[256.0, 624.0]];
        let (foretold, truth) = check(&sizes, &[4000.0, 60_000.0], |n| 6400.0 * n[0]);
        assert!(foretold.contains(truth) && foretold.high < 2.0 * truth, "{foretold:?} {truth}");
    }

    #[test]
    fn nothing_tells_nothing() {
        assert!(peak(&[], &[1.0]).is_none());
        let odd = |count: f64| Sample { features: vec![10.0], count };
        assert!(peak(&[odd(1e6), odd(9e6)], &[100.0]).is_none(), "two peaks of one size");
    }
}
