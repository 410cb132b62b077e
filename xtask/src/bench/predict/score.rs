//! How far what was foretold lies from what was measured: pure functions over rows of both.
//!
//! Whatever is learned from runs is learned from the other programs' alone (leave-one-program-out): a factor on each
//! kind of prediction, and by what its interval is to be widened. Every program counts once in what the others teach,
//! however many inputs it has.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bench::statistics::median;

/// The 95th percentile of the standard normal distribution.
const Z95: f64 = 1.644_853_626_951_472_2;

/// Fewest other programs that a factor or a width is learned from.
const FEWEST: usize = 3;

/// Least deviation of a logarithm that an interval is taken to have: what CPU time itself varies by between runs.
const LEAST_DEVIATION: f64 = 0.02;

/// A prediction and its truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Program and input.
    pub pair: String,
    /// What is left out together.
    pub program: String,
    /// `wasm`, `python` or `native`.
    pub kind: String,
    /// Where it ran.
    pub configuration: String,
    /// What the prediction rests on.
    pub basis: String,
    /// Whether the plan chose this configuration.
    pub chosen: bool,
    /// Measured.
    pub truth: f64,
    /// Foretold.
    pub expected: f64,
    /// Ends of its 90 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Row {
    fn log_error(&self) -> f64 {
        (self.expected / self.truth).ln()
    }

    fn inside(&self) -> bool {
        self.low <= self.truth && self.truth <= self.high
    }

    fn deviation(&self) -> f64 {
        ((self.high / self.low).ln() / (2.0 * Z95)).max(LEAST_DEVIATION)
    }

    /// What predictions of the same sort have in common.
    fn sort(&self) -> (&str, &str, &str) {
        (&self.kind, &self.configuration, &self.basis)
    }
}

/// How errors lie: absolute percentage errors as shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Errors {
    /// Predictions.
    pub count: usize,
    /// Their median.
    pub median: f64,
    /// The least that nine in ten do not exceed.
    pub p90: f64,
}

/// Errors of predictions; `None` without any.
pub fn errors<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Option<Errors> {
    let mut errors: Vec<f64> = rows.into_iter().map(|row| (row.expected / row.truth - 1.0).abs()).collect();
    errors.sort_by(f64::total_cmp);
    let at = ((0.9 * errors.len() as f64).ceil() as usize).checked_sub(1)?;
    Some(Errors { count: errors.len(), median: median(&errors), p90: errors[at] })
}

/// The share of predictions within a factor of two.
pub fn within_two<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Option<f64> {
    let within: Vec<bool> = rows.into_iter().map(|row| row.log_error().abs() <= 2.0_f64.ln()).collect();
    (!within.is_empty()).then(|| within.iter().filter(|within| **within).count() as f64 / within.len() as f64)
}

/// How often intervals hold the truth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Coverage {
    /// Predictions.
    pub count: usize,
    /// Share inside.
    pub inside: f64,
    /// Chance of a share at least so far from 90 %, were that the true one (two-sided exact binomial test).
    pub p_value: f64,
    /// Median of upper over lower end.
    pub width: f64,
}

/// Coverage of predictions; `None` without any.
pub fn coverage(rows: &[Row]) -> Option<Coverage> {
    let inside = rows.iter().filter(|row| row.inside()).count();
    let widths: Vec<f64> = rows.iter().map(|row| row.high / row.low).collect();
    (!rows.is_empty()).then(|| Coverage {
        count: rows.len(),
        inside: inside as f64 / rows.len() as f64,
        p_value: binomial(rows.len(), inside, 0.9),
        width: median(&widths),
    })
}

/// Two-sided exact binomial test: the probability of all outcomes no likelier than the one seen.
fn binomial(trials: usize, successes: usize, chance: f64) -> f64 {
    let mut logs = Vec::with_capacity(trials + 1);
    let mut log = trials as f64 * (1.0 - chance).ln();
    for k in 0..=trials {
        logs.push(log);
        log += ((trials - k) as f64 / (k + 1) as f64).ln() + (chance / (1.0 - chance)).ln();
    }
    let seen = logs[successes] + 1e-9;
    logs.iter().filter(|log| **log <= seen).map(|log| log.exp()).sum::<f64>().min(1.0)
}

/// The predictions as they would be had all other programs been run before: each divided by the median of what those of
/// its sort were off by, and its interval as much wider or narrower as held nine tenths of theirs.
pub fn learned(rows: &[Row]) -> Vec<Row> {
    let shifted: Vec<Row> = rows.iter().map(|row| shifted(row, rows)).collect();
    shifted.iter().map(|row| widened(row, &shifted)).collect()
}

/// One number for each other program of a row's sort: the median over its pairs.
fn of_others(row: &Row, rows: &[Row], what: impl Fn(&Row) -> f64) -> Vec<f64> {
    let mut programs: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for other in rows.iter().filter(|other| other.program != row.program && other.sort() == row.sort()) {
        programs.entry(&other.program).or_default().push(what(other));
    }
    programs.values().map(|values| median(values)).filter(|value| value.is_finite()).collect()
}

fn shifted(row: &Row, rows: &[Row]) -> Row {
    let others = of_others(row, rows, Row::log_error);
    let factor = if others.len() < FEWEST { 1.0 } else { (-median(&others)).exp() };
    Row { expected: row.expected * factor, low: row.low * factor, high: row.high * factor, ..row.clone() }
}

fn widened(row: &Row, rows: &[Row]) -> Row {
    let mut others = of_others(row, rows, |other| other.log_error().abs() / other.deviation());
    if others.len() < FEWEST {
        return row.clone();
    }
    others.sort_by(f64::total_cmp);
    // Split conformal prediction (Vovk, Gammerman and Shafer 2005): the (n + 1) 0.9-th smallest score, at most the last.
    let at = ((0.9 * (others.len() + 1) as f64).ceil() as usize).min(others.len()) - 1;
    let spread = (others[at] * row.deviation()).exp();
    Row { low: row.expected / spread, high: row.expected * spread, ..row.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(program: &str, truth: f64, expected: f64) -> Row {
        Row {
            pair: format!("{program}-{truth}"),
            program: program.to_owned(),
            kind: "wasm".to_owned(),
            configuration: "winch".to_owned(),
            basis: "emulated".to_owned(),
            chosen: true,
            truth,
            expected,
            low: expected / 1.5,
            high: expected * 1.5,
        }
    }

    #[test]
    fn errors_are_relative_to_the_truth() {
        let rows: Vec<Row> = (1..=10).map(|tenth| row("a", 1.0, 1.0 + f64::from(tenth) / 10.0)).collect();
        let errors = errors(&rows).unwrap_or(Errors { count: 0, median: 0.0, p90: 0.0 });
        assert_eq!(errors.count, 10);
        assert!((errors.median - 0.55).abs() < 1e-9 && (errors.p90 - 0.9).abs() < 1e-9, "{errors:?}");
        assert_eq!(within_two(&rows), Some(1.0));
        assert_eq!(within_two(&[row("a", 1.0, 2.1)]), Some(0.0));
        assert_eq!((super::errors(&[]), within_two(&[]), coverage(&[])), (None, None, None));
    }

    #[test]
    fn the_binomial_test_is_that_of_the_tables() {
        // R: binom.test(7, 10, 0.9) gives 0.0702; binom.test(160, 200, 0.9) gives 2.5e-05.
        assert!((binomial(10, 7, 0.9) - 0.0702).abs() < 1e-3, "{}", binomial(10, 7, 0.9));
        assert!(binomial(200, 180, 0.9) > 0.9);
        assert!(binomial(200, 160, 0.9) < 1e-3);
    }

    #[test]
    fn a_common_factor_is_learned_from_other_programs_alone() {
        let mut rows: Vec<Row> = ["a", "b", "c", "d"].map(|program| row(program, 1.0, 2.0)).into();
        // A fifth program is off by another factor, on two inputs, and must not teach itself.
        rows.extend([row("e", 1.0, 6.0), row("e", 2.0, 12.0)]);
        let learned = learned(&rows);
        assert!((learned[0].expected - 1.0).abs() < 1e-9, "{:?}", learned[0]);
        assert!((learned[4].expected - 3.0).abs() < 1e-9, "{:?}", learned[4]);
    }

    #[test]
    fn intervals_grow_until_the_others_are_inside() {
        let rows: Vec<Row> =
            (0..40).map(|number| row(&format!("p{number}"), 1.0, (0.6 * f64::from(number % 11 - 5)).exp())).collect();
        let before = coverage(&rows).map_or(0.0, |coverage| coverage.inside);
        let after = coverage(&learned(&rows)).map_or(0.0, |coverage| coverage.inside);
        assert!(before < 0.4 && after >= 0.85, "{before} {after}");
    }
}
