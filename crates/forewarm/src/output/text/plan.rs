//! The pages of `forewarm plan` and `forewarm emulate`: the decision, and how it came about.

use std::path::Path;

use forewarm_orchestrator::{Emulation, Rehearsed};
use forewarm_types::model::RunModel;
use forewarm_types::plan::{Candidate, Trial};
use forewarm_types::{Cost, Plan, Term};

use super::{WIDTH, counts, heading, line, shape};
use crate::human;
use crate::table::{Side, Table};

/// Candidates in the table of terms: the winner and its rivals.
const RIVALS: usize = 5;

/// The decision, with `explain` all that led to it, and the run-time models where there are any.
pub(super) fn page(file: &Path, plan: &Plan, explain: bool, models: &[RunModel]) -> String {
    let mut page = heading(file, &plan.code);
    page += "\nDecision\n";
    page += &decision(plan);
    if explain {
        page += &candidates(plan);
        page += &terms(plan);
        page += &counts::models(models);
        page += &rejections(plan);
        page += &assumptions(plan);
    }
    let considered = human::count(plan.considered as f64);
    page += &format!("\nconsidered {considered} configurations in {}\n", human::seconds(plan.plan_seconds));
    page
}

/// The trial, then the decision that follows from it.
pub(super) fn emulation(file: &Path, emulation: &Emulation) -> String {
    let mut page = heading(file, &emulation.plan.code);
    if emulation.rehearsals.is_empty() {
        page += "\nTrial\n";
        page += &match &emulation.trial {
            Some(trial) => self::trial(trial, emulation),
            None => "  none was made\n".to_owned(),
        };
    } else {
        page += &rehearsals(&emulation.rehearsals);
    }
    if let Some(counts) = emulation.trial.as_ref().and_then(|trial| trial.counts.as_ref()) {
        page += &counts::page(counts);
        page += &counts::models(&emulation.models);
    }
    page += "\nDecision\n";
    page += &decision(&emulation.plan);
    page += &candidates(&emulation.plan);
    page
}

/// Runs on sample inputs, each in a line.
fn rehearsals(runs: &[Rehearsed]) -> String {
    let columns = [
        ("sample", Side::Left),
        ("CPU time", Side::Right),
        ("wall", Side::Right),
        ("memory", Side::Right),
        ("exit", Side::Left),
    ];
    let mut table = Table::new(columns);
    for run in runs {
        let exit = run.exit_code.map_or_else(|| "ended".to_owned(), |code| code.to_string());
        let (cpu, wall) = (human::seconds(run.cpu_seconds), human::seconds(run.wall_seconds));
        table.row([run.sample.clone(), cpu, wall, human::size(run.peak_memory_bytes), exit]);
    }
    format!("\nRuns on sample inputs\n{}", table.render(2))
}

fn trial(trial: &Trial, emulation: &Emulation) -> String {
    let whole = if trial.complete { "the whole run" } else { "a part of the run" };
    let stopped = trial.stopped_by.as_ref().map(|by| format!(", stopped by {by}"));
    let mut text = line(
        "counted",
        &format!("{} operators, {whole}{}", human::count(trial.ops as f64), stopped.unwrap_or_default()),
    );
    let foreseen = human::maybe(emulation.analysis.profile.ops.total, human::count);
    text += &line("foreseen", &format!("{foreseen} from the code alone"));
    text += &line("memory", &human::size(trial.peak_linear_memory_bytes));
    text + &line(
        "took",
        &format!("{}, {} of it running", human::seconds(trial.wall_seconds), human::seconds(trial.run_cpu_seconds)),
    )
}

fn decision(plan: &Plan) -> String {
    let (chosen, cost) = (&plan.chosen, &plan.chosen.cost);
    let mut text = line("run it on", &shape(&chosen.configuration));
    text += &line("because", &chosen.why);
    text += &line("warm-up", &human::estimate(cost.transition_seconds, human::seconds));
    let steps: Vec<String> = plan
        .warm_up
        .iter()
        .map(|step| format!("{} {}", step.step.name(), human::seconds(step.seconds.expected)))
        .collect();
    if !steps.is_empty() {
        text += &line("steps", &steps.join(", then "));
    }
    text += &line("run", &human::estimate(cost.run_seconds, human::seconds));
    text += &line("memory", &human::estimate(cost.memory_bytes, human::bytes));
    text += &set_aside(plan);
    text += &line("energy", &human::estimate(cost.energy_joules, human::joules));
    text += &line("cost", &format!("{} under the objective {}", human::dollars(cost.total_dollars), plan.objective));
    if let Some(prepare) = &plan.prepare {
        let runs = human::count(prepare.expected_reuses);
        let worth = human::dollars(prepare.net_value_dollars);
        text += &line(
            "afterwards",
            &format!("prepare {} for {runs} runs to come, worth {worth}", prepare.configuration.class()),
        );
    }
    text
}

/// What is set aside where that may prove too little, and what becomes of the run then.
fn set_aside(plan: &Plan) -> String {
    let (Some(retry), Some(place)) = (plan.chosen.cost.retry, plan.chosen.configuration.placement()) else {
        return String::new();
    };
    let (aside, most) = (human::size(place.memory_bytes), human::size(retry.memory_bytes));
    let then = match plan.chosen.configuration.process() {
        Some(_) => format!("given up to {most} as it runs"),
        None => format!("run again with up to {most}, where it has done nothing yet that shows"),
    };
    let words = format!("{aside}; it needs more with {}, and is then {then}", human::percent(retry.probability));
    line("sets aside", &words)
}

fn candidates(plan: &Plan) -> String {
    let columns = [
        ("#", Side::Right),
        ("configuration", Side::Left),
        ("wait", Side::Right),
        ("warm-up", Side::Right),
        ("run", Side::Right),
        ("set aside", Side::Right),
        ("energy", Side::Right),
        ("cost", Side::Right),
        ("", Side::Left),
    ];
    let mut table = Table::new(columns);
    for (index, candidate) in plan.candidates.iter().enumerate() {
        table.row(candidate_row(index, candidate, plan));
    }
    format!("\nCandidates, cheapest first\n{}", table.render(2))
}

fn candidate_row(index: usize, candidate: &Candidate, plan: &Plan) -> Vec<String> {
    let cost = &candidate.cost;
    let remark = match &candidate.why_not {
        Some(why_not) => format!("rejected: {why_not}"),
        None if candidate.configuration == plan.chosen.configuration => "chosen".to_owned(),
        None => String::new(),
    };
    vec![
        (index + 1).to_string(),
        shape(&candidate.configuration),
        human::seconds(cost.wait_seconds.expected),
        human::seconds(cost.transition_seconds.expected),
        human::seconds(cost.run_seconds.expected),
        candidate.configuration.placement().map_or_else(String::new, |place| human::size(place.memory_bytes)),
        human::joules(cost.energy_joules.expected),
        human::dollars(cost.total_dollars),
        remark,
    ]
}

/// The terms of the cost, a column for each of the first candidates; terms that are nothing everywhere are left out.
fn terms(plan: &Plan) -> String {
    let rivals: Vec<&Cost> = plan
        .candidates
        .iter()
        .filter(|candidate| candidate.feasible)
        .take(RIVALS)
        .map(|candidate| &candidate.cost)
        .collect();
    let numbers = (1..=rivals.len()).map(|number| (format!("#{number}"), Side::Right));
    let mut table = Table::new(std::iter::once(("term".to_owned(), Side::Left)).chain(numbers));
    let of = |cost: &Cost, term: Term| cost.terms_dollars.get(&term).copied().unwrap_or(0.0);
    for term in Term::ALL.into_iter().filter(|term| rivals.iter().any(|cost| of(cost, *term) != 0.0)) {
        let values = rivals.iter().map(|cost| human::dollars(of(cost, term)));
        table.row(std::iter::once(describe(term).to_owned()).chain(values));
    }
    let totals = rivals.iter().map(|cost| human::dollars(cost.total_dollars));
    table.row(std::iter::once("total".to_owned()).chain(totals));
    format!("\nTerms of their cost\n{}", table.render(2))
}

fn describe(term: Term) -> &'static str {
    match term {
        Term::Plan => "time to plan",
        Term::Probe => "time for trials",
        Term::Wait => "time waiting",
        Term::Transition => "time to warm up",
        Term::Run => "time to run",
        Term::Imposed => "time imposed on others",
        Term::TransitionEnergy => "energy to warm up",
        Term::RunEnergy => "energy to run",
        Term::Cores => "price of cores",
        Term::Memory => "price of memory",
        Term::Hold => "price of what stays",
        Term::Retry => "risk of a second run",
        Term::Failure => "risk of failure",
        Term::Reuse => "value for later runs",
    }
}

fn rejections(plan: &Plan) -> String {
    if plan.rejected.is_empty() {
        return "\nNothing was rejected\n".to_owned();
    }
    let mut table = Table::new([("rule", Side::Left), ("rejected", Side::Right)]);
    for (rule, count) in &plan.rejected {
        table.row([rule.clone(), human::count(*count as f64)]);
    }
    format!("\nRejected before pricing or by a hard constraint\n{}", table.render(2))
}

fn assumptions(plan: &Plan) -> String {
    if plan.assumptions.is_empty() {
        return String::new();
    }
    let lines = plan.assumptions.iter().map(|assumption| human::item(assumption, 2, WIDTH));
    format!("\nTaken for granted\n{}", lines.collect::<String>())
}

#[cfg(test)]
pub(super) mod tests {
    use forewarm_types::plan::{Choice, Preparation, WarmStep};
    use forewarm_types::{
        Basis, Bytes, CodeInfo, CodeKind, Configuration, CpuSettings, Digest, Estimate, IsaLevel, Objective, Placement,
        Rung, SCHEMA, Settings, Step, Tier, Weights,
    };

    use super::*;

    fn configuration(tier: Tier) -> Configuration {
        let cpu = CpuSettings { tier, isa: IsaLevel::Native, threads: 2, pinned: false, prefault: false };
        let place = Placement {
            region: "all".into(),
            node: "local".into(),
            processor: "cpu0".into(),
            units: 2,
            share: 1.0,
            memory_bytes: Bytes::MIB,
            settings: Settings::Cpu(cpu),
        };
        Configuration { placements: vec![place], warm_state: Rung::Artifact }
    }

    fn candidate(tier: Tier, warm: f64, run: f64, why_not: Option<&str>) -> Candidate {
        let guess = |value: f64| Estimate::new(value / 2.0, value, value * 2.0, Basis::Static);
        let cost = Cost {
            total_dollars: (warm + run) * 0.01,
            terms_dollars: [(Term::Transition, warm * 0.01), (Term::Run, run * 0.01)].into(),
            wait_seconds: Estimate::exact(0.0, Basis::Observed),
            transition_seconds: guess(warm),
            run_seconds: guess(run),
            energy_joules: guess(1.5),
            memory_bytes: guess(2e6),
            contention_factor: 1.0,
            pressure: Default::default(),
            retry: None,
        };
        Candidate {
            configuration: configuration(tier),
            feasible: why_not.is_none(),
            why_not: why_not.map(str::to_owned),
            cost,
        }
    }

    pub(in crate::output::text) fn sample() -> Plan {
        let winner = candidate(Tier::Winch, 0.03, 0.012, None);
        let chosen = Choice {
            configuration: winner.configuration.clone(),
            cost: winner.cost.clone(),
            why: "winch compiles in 30 ms what cranelift compiles in 200 ms".into(),
        };
        Plan {
            schema: SCHEMA,
            code: CodeInfo {
                digest: Digest([0xab; 32]),
                kind: CodeKind::WasmModule,
                size_bytes: Bytes(2048),
                entry: "_start".into(),
            },
            objective: Objective::Latency,
            weights: Weights { dollars_per_second: 0.01, dollars_per_joule: 0.0, price_factor: 1.0 },
            chosen,
            candidates: vec![
                winner,
                candidate(Tier::Cranelift, 0.2, 0.006, None),
                candidate(Tier::Pulley, 0.2, 0.5, Some("dominated")),
            ],
            warm_up: vec![WarmStep {
                step: Step::Compile,
                seconds: Estimate::exact(0.03, Basis::Observed),
                joules: Estimate::exact(0.3, Basis::Default),
                bytes: Bytes::MIB,
            }],
            schedule: Vec::new(),
            considered: 96,
            rejected: [("dominated".to_owned(), 93)].into(),
            assumptions: vec!["power from a table, so that energy is a multiple of time".into()],
            prepare: Some(Preparation {
                configuration: configuration(Tier::Cranelift),
                expected_reuses: 3.2,
                net_value_dollars: 1e-4,
            }),
            predicted_cpu_seconds: Estimate::new(0.006, 0.012, 0.024, Basis::Static),
            plan_seconds: 0.000_21,
            emulation_seconds: 0.0,
        }
    }

    #[test]
    fn the_page_gives_the_reason() {
        insta::assert_snapshot!(page("p.wasm".as_ref(), &sample(), false, &[]), @r"
        p.wasm
          wasm-module, 2.00 KiB, _start, sha256:abababababab

        Decision
          run it on   winch/native, 2 threads, keeps artifact
          because     winch compiles in 30 ms what cranelift compiles in 200 ms
          warm-up     30.0 ms (15.0 ms to 60.0 ms, static)
          steps       compile 30.0 ms
          run         12.0 ms (6.00 ms to 24.0 ms, static)
          memory      1.91 MiB (977 KiB to 3.81 MiB, static)
          energy      1.50 J (750 mJ to 3.00 J, static)
          cost        420 µ$ under the objective latency
          afterwards  prepare cranelift/native for 3.20 runs to come, worth 100 µ$

        considered 96 configurations in 210 µs
        ");
    }

    #[test]
    fn the_explanation_shows_candidates_terms_and_rejections() {
        insta::assert_snapshot!(page("p.wasm".as_ref(), &sample(), true, &[]), @r"
        p.wasm
          wasm-module, 2.00 KiB, _start, sha256:abababababab

        Decision
          run it on   winch/native, 2 threads, keeps artifact
          because     winch compiles in 30 ms what cranelift compiles in 200 ms
          warm-up     30.0 ms (15.0 ms to 60.0 ms, static)
          steps       compile 30.0 ms
          run         12.0 ms (6.00 ms to 24.0 ms, static)
          memory      1.91 MiB (977 KiB to 3.81 MiB, static)
          energy      1.50 J (750 mJ to 3.00 J, static)
          cost        420 µ$ under the objective latency
          afterwards  prepare cranelift/native for 3.20 runs to come, worth 100 µ$

        Candidates, cheapest first
          #  configuration                                wait  warm-up      run  set aside  energy     cost
          1  winch/native, 2 threads, keeps artifact       0 s  30.0 ms  12.0 ms   1.00 MiB  1.50 J   420 µ$  chosen
          2  cranelift/native, 2 threads, keeps artifact   0 s   200 ms  6.00 ms   1.00 MiB  1.50 J  2.06 m$
          3  pulley/native, 2 threads, keeps artifact      0 s   200 ms   500 ms   1.00 MiB  1.50 J  7.00 m$  rejected: dominated

        Terms of their cost
          term                 #1       #2
          time to warm up  300 µ$  2.00 m$
          time to run      120 µ$  60.0 µ$
          total            420 µ$  2.06 m$

        Rejected before pricing or by a hard constraint
          rule       rejected
          dominated        93

        Taken for granted
          - power from a table, so that energy is a multiple of time

        considered 96 configurations in 210 µs
        ");
    }
}
