//! What choices cost against the table's best, and what simple predictors say: pure functions over the table.

use std::collections::BTreeMap;

use serde::Serialize;

use super::foretell::{Foretelling, Foretold, OBJECTIVES};
use super::score::Row;
use super::table::{Measured, Table};
use crate::bench::statistics::median;

/// What a second is taken to be in a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// CPU seconds of everything, which others on the machine disturb least.
    Cpu,
    /// Wall seconds of everything: the median of all rounds.
    Wall,
}

/// How much dearer choices are than the best of the table, on one objective.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Regret {
    /// Of which kind of programs.
    pub kind: String,
    /// The objective.
    pub objective: String,
    /// By what time is told.
    pub clock: Clock,
    /// Pairs.
    pub pairs: usize,
    /// Of plans with an emulation: mean of cost over the least, less 1.
    pub emulated: f64,
    /// Of plans from the code alone.
    pub plain: f64,
    /// Of plans with an emulation by who has met the other programs.
    pub met: f64,
    /// Of each fixed choice, over the pairs that were measured on it.
    pub fixed: BTreeMap<String, f64>,
}

/// What a run that took so much costs.
pub fn cost(measured: &Measured, objective: &str, clock: Clock, foretelling: &Foretelling) -> f64 {
    let [per_core_second, per_byte_second, watts] = foretelling.prices;
    let seconds = if clock == Clock::Cpu { measured.total_cpu_seconds } else { measured.wall_seconds };
    let run = if clock == Clock::Cpu { measured.cpu_seconds } else { measured.run_seconds };
    let money = per_core_second * measured.total_cpu_seconds + per_byte_second * measured.memory_bytes * run;
    if objective == "cost-time" {
        return money * seconds;
    }
    let [second, joule, price] = foretelling.weights.get(objective).copied().unwrap_or_default();
    second * seconds + price * money + joule * watts * measured.total_cpu_seconds
}

/// Regret on every objective, by kind and clock.
pub fn regrets(table: &Table, foretelling: &Foretelling) -> Vec<Regret> {
    let mut regrets = Vec::new();
    for kind in ["wasm", "python", "native"] {
        for objective in OBJECTIVES {
            for clock in [Clock::Cpu, Clock::Wall] {
                regrets.extend(regret(table, foretelling, kind, objective, clock));
            }
        }
    }
    regrets
}

fn regret(table: &Table, foretelling: &Foretelling, kind: &str, objective: &str, clock: Clock) -> Option<Regret> {
    let (mut emulated, mut plain, mut met) = (Vec::new(), Vec::new(), Vec::new());
    let mut fixed: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, pair) in table.measured.iter().filter(|(_, pair)| pair.kind == kind) {
        let costs = pair.configurations.iter();
        let costs: BTreeMap<&str, f64> =
            costs.map(|(key, measured)| (key.as_str(), cost(measured, objective, clock, foretelling))).collect();
        let least = costs.values().copied().fold(f64::INFINITY, f64::min);
        let Some(ways) = foretelling.pairs.get(name).filter(|_| costs.len() > 1) else { continue };
        let of = |foretold: &Foretold| Some(costs.get(foretold.chosen.get(objective)?.as_str())? / least - 1.0);
        let Some((with, without)) = of(&ways.emulated).zip(of(&ways.plain)) else { continue };
        emulated.push(with);
        plain.push(without);
        met.extend(of(&ways.met));
        for (key, cost) in &costs {
            fixed.entry((*key).to_owned()).or_default().push(cost / least - 1.0);
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    (!emulated.is_empty()).then(|| Regret {
        kind: kind.to_owned(),
        objective: objective.to_owned(),
        clock,
        pairs: emulated.len(),
        emulated: mean(&emulated),
        plain: mean(&plain),
        met: mean(&met),
        fixed: fixed.into_iter().map(|(key, values)| (key, mean(&values))).collect(),
    })
}

/// CPU seconds of emulation, as far as a plan takes longer with one than without, over those of measuring every configuration
/// once: the mean over objectives.
pub fn probing_share(table: &Table, foretelling: &Foretelling) -> f64 {
    let (mut probing, mut sweep) = (0.0, 0.0);
    for (name, ways) in &foretelling.pairs {
        let took = |foretold: &Foretold, objective: &str| foretold.plan_cpu_seconds.get(objective).copied();
        let longer = OBJECTIVES
            .iter()
            .filter_map(|objective| Some((took(&ways.emulated, objective)? - took(&ways.plain, objective)?).max(0.0)));
        probing += longer.sum::<f64>() / OBJECTIVES.len() as f64;
        let measured = table.measured.get(name).into_iter().flat_map(|pair| pair.configurations.values());
        sweep += measured.map(|measured| measured.total_cpu_seconds).sum::<f64>();
    }
    probing / sweep
}

/// What somebody would say who knows this program's run on the input next to this one, and else what is usual.
pub fn last_value(table: &Table, rows: &[Row]) -> Vec<Row> {
    let says = |row: &Row| {
        let of_program = table.measured.iter().filter(|(name, pair)| pair.program == row.program && **name != row.pair);
        let mut seconds =
            of_program.filter_map(|(_, pair)| Some(pair.configurations.get(&row.configuration)?.cpu_seconds));
        seconds.next_back().or_else(|| usual(table, row))
    };
    replaced(rows, says)
}

/// The geometric mean of the other programs' runs on the same configuration.
fn usual(table: &Table, row: &Row) -> Option<f64> {
    let others = others(table, row);
    let sum: f64 = others.iter().map(|(_, seconds)| seconds.ln()).sum();
    (!others.is_empty()).then(|| (sum / others.len() as f64).exp())
}

/// Logarithms of what the other WebAssembly programs take at their fastest, each the median over its inputs.
pub fn usual_logs(table: &Table, but: &str) -> Vec<f64> {
    let mut programs: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for pair in table.measured.values().filter(|pair| pair.kind == "wasm" && pair.program != but) {
        programs.entry(&pair.program).or_default().push(pair.fastest().ln());
    }
    programs.values().map(|logs| median(logs)).collect()
}

/// Code size and CPU seconds of other programs of the kind on the same configuration.
fn others(table: &Table, row: &Row) -> Vec<(f64, f64)> {
    let pairs = table.measured.values().filter(|pair| pair.program != row.program && pair.kind == row.kind);
    pairs.filter_map(|pair| Some((pair.code_bytes, pair.configurations.get(&row.configuration)?.cpu_seconds))).collect()
}

/// A line through the logarithms of code size and time of the other programs (least squares).
pub fn by_code_size(table: &Table, rows: &[Row]) -> Vec<Row> {
    let says = |row: &Row| {
        let size = table.measured.get(&row.pair)?.code_bytes.ln();
        let points: Vec<(f64, f64)> = others(table, row).iter().map(|(x, y)| (x.ln(), y.ln())).collect();
        let count = points.len() as f64;
        let (mx, my) = points.iter().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x / count, sy + y / count));
        let (xx, xy) =
            points.iter().fold((0.0, 0.0), |(xx, xy), (x, y)| (xx + (x - mx).powi(2), xy + (x - mx) * (y - my)));
        let slope = if xx > 0.0 { xy / xx } else { 0.0 };
        (count > 0.0).then(|| (my + slope * (size - mx)).exp())
    };
    replaced(rows, says)
}

fn replaced(rows: &[Row], says: impl Fn(&Row) -> Option<f64>) -> Vec<Row> {
    let row = |row: &Row| Some(Row { expected: says(row)?, ..row.clone() });
    rows.iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::foretell::Ways;
    use super::super::table::tests::run;
    use super::*;

    fn table() -> Table {
        let runs = [("a-1", 1.0), ("a-2", 2.0), ("b-1", 4.0), ("c-1", 16.0)];
        let runs: Vec<_> = runs
            .iter()
            .flat_map(|(pair, seconds)| [run(pair, "winch", 0, 2.0 * seconds), run(pair, "cranelift", 0, *seconds)])
            .collect();
        Table::of(&runs)
    }

    fn foretelling(chosen: &str) -> Foretelling {
        let chosen = OBJECTIVES.map(|objective| (objective.to_owned(), chosen.to_owned()));
        let took = |seconds: [f64; 5]| OBJECTIVES.map(str::to_owned).into_iter().zip(seconds).collect();
        let one = Foretold { chosen: chosen.into(), plan_cpu_seconds: took([0.1; 5]), ..Foretold::default() };
        // One objective's plan takes longer than the others'.
        let emulated = Foretold { plan_cpu_seconds: took([0.2, 0.2, 0.2, 0.7, 0.2]), ..one.clone() };
        let ways = Ways { met: emulated.clone(), emulated, plain: one };
        Foretelling {
            pairs: table().measured.into_keys().map(|name| (name, ways.clone())).collect(),
            weights: OBJECTIVES.map(|objective| (objective.to_owned(), [1.0, 0.0, 0.0])).into(),
            prices: [1.0, 0.0, 10.0],
        }
    }

    fn row(pair: &str) -> Row {
        Row {
            pair: pair.to_owned(),
            program: pair.split('-').next().unwrap_or(pair).to_owned(),
            kind: "wasm".to_owned(),
            configuration: "winch".to_owned(),
            basis: "emulated".to_owned(),
            chosen: false,
            truth: 1.0,
            expected: 1.0,
            low: 1.0,
            high: 1.0,
        }
    }

    #[test]
    fn the_best_choice_has_no_regret_and_another_its_price() {
        let table = table();
        let best = regrets(&table, &foretelling("cranelift"));
        assert!(best.iter().all(|regret| regret.emulated.abs() < 1e-9), "{best:?}");
        let latency = |all: &[Regret]| {
            let found = all.iter().find(|one| one.objective == "latency" && one.clock == Clock::Wall);
            found.map_or((f64::NAN, f64::NAN), |one| (one.emulated, one.fixed["winch"]))
        };
        let other = latency(&regrets(&table, &foretelling("winch")));
        // (2 s + 0.1) / (s + 0.1) - 1, for s of 1, 2, 4 and 16.
        let expected = [1.0, 2.0, 4.0, 16.0].map(|s: f64| s / (s + 0.1)).iter().sum::<f64>() / 4.0;
        assert!((other.0 - expected).abs() < 1e-9 && other.0 == other.1, "{other:?}");
    }

    #[test]
    fn probing_is_set_against_the_whole_sweep() {
        let sweep: f64 = [1.0, 2.0, 4.0, 16.0].iter().map(|seconds| 3.0 * seconds + 0.2).sum();
        assert!((probing_share(&table(), &foretelling("winch")) - 0.8 / sweep).abs() < 1e-9);
    }

    #[test]
    fn what_is_usual_is_that_of_the_others() {
        // a: the geometric mean of 1 and 2; b: 4; c: 16.
        let logs = usual_logs(&table(), "c");
        assert_eq!(logs.len(), 2);
        assert!((logs[0].exp() - 2.0_f64.sqrt()).abs() < 1e-9 && (logs[1].exp() - 4.0).abs() < 1e-9, "{logs:?}");
    }

    #[test]
    fn simple_predictors_do_not_see_the_program_they_judge() {
        let table = table();
        // Another input of the program; else the geometric mean of the others: (2 4 8)^(1/3) on winch.
        assert_eq!(last_value(&table, &[row("a-1")])[0].expected, 4.0);
        assert!((last_value(&table, &[row("c-1")])[0].expected - 4.0).abs() < 1e-9);
        // All code is of one size, so that the line is flat.
        assert!((by_code_size(&table, &[row("c-1")])[0].expected - 4.0).abs() < 1e-9);
    }
}
