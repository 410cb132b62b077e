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

/// What the peak comes to in a run with these features, of the peaks of smaller runs. `None` without any, or where no form is left.
#[must_use]
pub fn peak(samples: &[Sample], target: &[f64]) -> Option<Estimate> {
    let least = samples.iter().map(|sample| sample.count).fold(f64::INFINITY, f64::min);
    let usable =
        !samples.is_empty() && least.is_finite() && samples.iter().all(|one| one.features.len() == target.len());
    let constant = samples.iter().all(|sample| sample.count == least);
    let grown: Vec<(f64, f64, f64)> = FORMS
        .iter()
        .filter(|(exponents, _)| exponents.iter().zip(0..).all(|(exponent, at)| *exponent == 0.0 || at < target.len()))
        .filter_map(|(exponents, against)| {
            let (low, high) = bounds(samples, exponents, least)?;
            let size = form(exponents, target)? - form(exponents, smallest(samples)?)?;
            Some((low * size, high * size, (-against).exp()))
        })
        .collect();
    if !usable || (grown.is_empty() && !constant) {
        return None;
    }
    if constant {
        // Nothing grew in any of them; that something yet may is left to the program's own peak so far.
        return Some(Estimate::exact(least, Basis::Emulated));
    }
    let middle = |(low, high, weight): &(f64, f64, f64)| ((low.max(high / 4.0) * high).sqrt(), *weight);
    let mut middles: Vec<(f64, f64)> = grown.iter().map(middle).collect();
    middles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let expected = super::quantile(&middles, 0.5)?;
    let end = |of: fn(&(f64, f64, f64)) -> f64, probability: f64| {
        let mut ends: Vec<(f64, f64)> = grown.iter().map(|form| (of(form), form.2)).collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        super::quantile(&ends, probability)
    };
    let (low, high) = (end(|form| form.0, 0.05)?.min(expected), end(|form| form.1, 0.95)?.max(expected));
    let whole = |bytes: f64| least + (bytes / PAGE).ceil() * PAGE;
    Some(Estimate::new(whole(low), whole(expected), whole(high), Basis::Emulated))
}

/// Between what a form's coefficient lies: each run has grown beyond the smallest by what the form has, to a page more or less.
/// `None` where no coefficient does.
fn bounds(samples: &[Sample], exponents: &[f64; 2], least: f64) -> Option<(f64, f64)> {
    let first = form(exponents, smallest(samples)?)?;
    let (mut low, mut high) = (0.0_f64, f64::INFINITY);
    for sample in samples {
        let (size, grown) = (form(exponents, &sample.features)? - first, sample.count - least);
        if size > 0.0 {
            (low, high) = (low.max((grown - PAGE) / size), high.min((grown + PAGE) / size));
        } else if grown > PAGE {
            return None;
        }
    }
    (low <= high && high.is_finite()).then_some((low, high))
}

/// Features of the run with the least peak, the first of those alike.
fn smallest(samples: &[Sample]) -> Option<&[f64]> {
    let least = samples.iter().reduce(|least, sample| if sample.count < least.count { sample } else { least });
    least.map(|sample| sample.features.as_slice())
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
