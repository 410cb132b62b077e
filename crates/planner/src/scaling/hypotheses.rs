//! What curves of time over configurations can look like: sums of products of powers of workers and cores.

/// What a configuration gives, as far as parallel work is concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// Workers (functions, processes, threads) that divide the work among them.
    pub workers: f64,
    /// Cores that each of them has, or the share of one.
    pub cores: f64,
}

/// Curves that stand for all of them.
const COUNT: usize = 512;

/// Decades over which the parts of a sum may differ in size. Of a quantity of which nothing is known but that it is positive,
/// the logarithm is uniform (Jaynes, Prior Probabilities, 1968); beyond four decades the smaller part cannot be measured.
const DECADES: f64 = 4.0;

/// Threads that a worker may be able to use: a single one, a few, or all there are.
const WORKER_THREADS: [f64; 4] = [1.0, 2.0, 4.0, f64::INFINITY];

/// Curves of the logarithm of time over the configurations, each about zero: a spread of what is physically possible.
///
/// A curve is `Σ w_j g_j` with `g` the serial part (1), work divided among workers (1 / workers), work done again by each
/// worker as fast as it computes (1 / cores), work divided and computed (1 / (workers · cores)), coordination that grows with
/// workers (workers), and work in a limited number of independent pieces (1 / min(workers · cores, pieces)): Amdahl's law
/// (1967) with an overhead term (Gunther's, 1993), over the serverless setting in which cores come in proportion to memory.
/// A worker uses no more cores than it has threads for. Weights are uniform on the logarithmic scale; the points are a Halton
/// sequence (Halton 1960), so that the same configurations have the same curves in every run, whatever their order.
#[must_use]
pub fn hypotheses(capacities: &[Capacity]) -> Vec<Vec<f64>> {
    let total = |capacity: &Capacity| capacity.workers * capacity.cores;
    let least = capacities.iter().map(total).fold(f64::INFINITY, f64::min).ln();
    let most = capacities.iter().map(total).fold(0.0, f64::max).ln();
    (1..=COUNT)
        .map(|index| {
            let point = halton(index);
            let threads = WORKER_THREADS[((point[0] * 4.0) as usize).min(3)];
            let pieces = (least + (most - least) * point[1]).exp();
            curve(capacities, threads, pieces, &point[2..])
        })
        .collect()
}

fn curve(capacities: &[Capacity], threads: f64, pieces: f64, weights: &[f64]) -> Vec<f64> {
    let terms = |capacity: &Capacity| {
        let Capacity { workers, cores } = *capacity;
        let speed = cores.min(threads);
        [1.0, 1.0 / workers, 1.0 / speed, 1.0 / (workers * speed), workers, 1.0 / (workers * cores).min(pieces)]
    };
    let table: Vec<[f64; TERMS]> = capacities.iter().map(terms).collect();
    // Each term is one in the middle of its range, so that its weight says what it matters.
    let middle: [f64; TERMS] = std::array::from_fn(|term| {
        let column = || table.iter().map(|row| row[term]);
        (column().fold(f64::INFINITY, f64::min) * column().fold(0.0, f64::max)).sqrt()
    });
    let sum = |row: &[f64; TERMS]| -> f64 {
        let term = |at: usize| 10_f64.powf(-DECADES * weights[at]) * row[at] / middle[at];
        (0..TERMS).map(term).sum()
    };
    let logs: Vec<f64> = table.iter().map(|row| sum(row).ln()).collect();
    let mean = logs.iter().sum::<f64>() / logs.len().max(1) as f64;
    logs.into_iter().map(|log| log - mean).collect()
}

/// Terms of a curve.
const TERMS: usize = 6;

/// A point of the Halton sequence in the unit cube: threads, pieces, and a weight per term.
fn halton(index: usize) -> [f64; 2 + TERMS] {
    [2, 3, 5, 7, 11, 13, 17, 19].map(|base: usize| {
        let (mut rest, mut fraction, mut value) = (index, 1.0 / base as f64, 0.0);
        while rest > 0 {
            value += fraction * (rest % base) as f64;
            rest /= base;
            fraction /= base as f64;
        }
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_follow_the_configurations_whatever_their_order() {
        let one = |workers: f64, cores: f64| Capacity { workers, cores };
        let (a, b) = ([one(4.0, 1.0), one(8.0, 2.0), one(16.0, 0.5)], [one(16.0, 0.5), one(4.0, 1.0), one(8.0, 2.0)]);
        for (left, right) in hypotheses(&a).iter().zip(hypotheses(&b)) {
            assert!((left[0] - right[1]).abs() < 1e-12 && (left[2] - right[0]).abs() < 1e-12);
            assert!(left.iter().sum::<f64>().abs() < 1e-9 && left.iter().all(|log| log.is_finite()));
        }
    }

    #[test]
    fn something_divides_among_workers_and_something_does_not() {
        let capacities: Vec<Capacity> =
            [1.0, 2.0, 4.0, 8.0].map(|workers| Capacity { workers, cores: 1.0 }).into_iter().collect();
        let slopes: Vec<f64> = hypotheses(&capacities).iter().map(|curve| (curve[3] - curve[0]) / 8_f64.ln()).collect();
        let near = |wanted: f64| slopes.iter().any(|slope| (slope - wanted).abs() < 0.1);
        assert!(near(-1.0) && near(0.0) && near(-0.5) && near(0.9));
    }
}
