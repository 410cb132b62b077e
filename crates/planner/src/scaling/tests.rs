//! Tests of the belief over configurations, on curves made by laws it was not given.

use super::*;
use crate::information::most_valuable;

/// Six sizes by four numbers of workers.
fn grid() -> Vec<Capacity> {
    let sizes = [0.5, 1.0, 2.0, 3.0, 3.5, 4.0];
    sizes.iter().flat_map(|cores| [4.0, 8.0, 16.0, 32.0].map(|workers| Capacity { workers, cores: *cores })).collect()
}

fn rent(grid: &[Capacity]) -> PowerObjective {
    PowerObjective { prices: grid.iter().map(|at| at.workers * at.cores).collect(), exponent: 2.0 }
}

/// How long something takes on a configuration.
type Law<'a> = &'a dyn Fn(&Capacity) -> f64;

/// Chooses at most `most` measurements, makes them, and tells what is believed and which were made.
fn explore(truth: Law<'_>, others: &[Curve], most: usize, uses: f64) -> (ScalingBelief, Vec<usize>) {
    let grid = grid();
    let objective = rent(&grid);
    let prior = Prior { others, noise: 0.03, like_another: LIKE_ANOTHER };
    let mut belief = ScalingBelief::of(vec![Mixture::before(&grid, &hypotheses(&grid), &prior)]);
    let mut made = Vec::new();
    while made.len() < most {
        let probes: Vec<Setting<'_>> = (0..grid.len())
            .filter(|at| !made.contains(at))
            .map(|configuration| Setting { configuration, objective: &objective, uses })
            .collect();
        let Some((probe, _)) = most_valuable(&belief.log_seconds(), &probes) else { break };
        belief.update(probe.configuration, &[truth(&grid[probe.configuration])]);
        made.push(probe.configuration);
    }
    (belief, made)
}

/// Regret of the choice, and the median error of all predictions.
fn judge(truth: Law<'_>, belief: &ScalingBelief) -> (f64, f64) {
    let grid = grid();
    let objective = rent(&grid);
    let cost = |at: usize| objective.prices[at] * truth(&grid[at]).powi(2);
    let least = (0..grid.len()).map(cost).fold(f64::INFINITY, f64::min);
    let chosen = objective.best(&belief.log_seconds()).unwrap();
    let estimates = belief.seconds();
    let mut errors: Vec<f64> =
        grid.iter().zip(&estimates).map(|(at, seconds)| (seconds.expected / truth(at) - 1.0).abs()).collect();
    errors.sort_by(f64::total_cmp);
    (cost(chosen) / least - 1.0, errors[errors.len() / 2])
}

#[test]
fn three_measurements_find_the_best_of_many() {
    let laws: [(&str, Law<'_>); 4] = [
        ("divided", &|at| 0.4 + 90.0 / (at.workers * at.cores)),
        ("single", &|at| 2.0 + 5.0 / at.cores.min(1.0)),
        ("crowded", &|at| 1.0 + 0.15 * at.workers),
        ("root", &|at| 30.0 / at.workers.sqrt() + 0.05 * at.workers),
    ];
    for (name, truth) in laws {
        let (belief, made) = explore(truth, &[], 3, f64::INFINITY);
        let (regret, error) = judge(truth, &belief);
        assert_eq!(made.len(), 3, "{name}");
        assert!(regret < 0.1, "{name}: regret {regret}");
        assert!(error < 0.15, "{name}: error {error}");
    }
}

#[test]
fn another_program_tells_what_to_expect() {
    let truth = |at: &Capacity| 0.05 + 90.0 / (at.workers * at.cores);
    let other: Curve = grid().iter().map(|at| 10.0 * truth(at)).enumerate().collect();
    let last = grid().len() - 1;
    let wanted = (truth(&grid()[last]) / truth(&grid()[0])).ln();
    let miss = |others: &[Curve]| {
        let logs = explore(&truth, others, 0, f64::INFINITY).0.log_seconds();
        (logs.mean[last] - logs.mean[0] - wanted).abs()
    };
    assert!(miss(&[other]) < 0.9 * miss(&[]));
}

#[test]
fn measuring_stops_where_it_costs_more_than_it_saves() {
    let truth = |at: &Capacity| 0.4 + 90.0 / (at.workers * at.cores);
    let made = |uses| explore(&truth, &[], 10, uses).1.len();
    assert_eq!(made(0.5), 0);
    assert!(made(10.0) <= made(10_000.0) && made(10_000.0) <= 10);
    assert!(made(10_000.0) >= 2);
}

#[test]
fn what_is_measured_is_known_and_intervals_hold_the_rest() {
    let truth = |at: &Capacity| 1.0 + 20.0 / (at.workers * at.cores).min(24.0);
    let (belief, made) = explore(&truth, &[], 3, f64::INFINITY);
    let estimates = belief.seconds();
    let inside = grid().iter().zip(&estimates).filter(|(at, seconds)| seconds.contains(truth(at))).count();
    assert!(inside * 10 >= grid().len() * 8, "{inside} of {}", grid().len());
    for at in made {
        assert!((estimates[at].expected / truth(&grid()[at]) - 1.0).abs() < 0.1);
    }
}
