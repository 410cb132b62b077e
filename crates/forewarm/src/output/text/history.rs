//! Runs beside their predictions: the table of `forewarm history` and the account of `forewarm run --verbose`.

use std::path::Path;

use forewarm_orchestrator::{HistoryRow, Report};
use forewarm_types::{Exit, ExitCause, ProcessUsage};

use super::{line, shape, short};
use crate::human;
use crate::table::{Side, Table};

/// The table of past runs.
pub(super) fn page(runs: &[HistoryRow]) -> String {
    if runs.is_empty() {
        return "no runs are on record\n".to_owned();
    }
    let columns = [
        ("when (UTC)", Side::Left),
        ("program", Side::Left),
        ("configuration", Side::Left),
        ("predicted", Side::Right),
        ("actual", Side::Right),
        ("ratio", Side::Right),
        ("in interval", Side::Left),
        ("wall", Side::Right),
        ("exit", Side::Left),
    ];
    let mut table = Table::new(columns);
    for run in runs {
        table.row(row(run));
    }
    format!("{}predicted and actual are CPU time of the run proper, wall is all of it\n", table.render(0))
}

fn row(row: &HistoryRow) -> [String; 9] {
    let run = &row.observation;
    let score = run.score();
    let blank = || "-".to_owned();
    [
        human::moment(run.started_unix_seconds),
        format!("{} ({})", row.file_name, short(&run.digest)),
        run.configuration_class.clone(),
        run.predicted_cpu_seconds.map_or_else(blank, |e| human::seconds(e.expected)),
        // A run cut short would have taken longer.
        format!("{}{}", if run.exit.censored() { ">" } else { "" }, human::seconds(run.run_cpu_seconds)),
        score.run_ratio.map_or_else(blank, human::number),
        score.inside_interval.map_or_else(blank, |inside| if inside { "yes" } else { "no" }.to_owned()),
        human::seconds(run.wall_seconds),
        ending(&run.exit),
    ]
}

fn ending(exit: &Exit) -> String {
    match exit.cause {
        ExitCause::Exited => exit.code.to_string(),
        ExitCause::Trap => format!("{} trap", exit.code),
        ExitCause::Timeout => format!("{} time limit", exit.code),
        ExitCause::Memory => format!("{} memory limit", exit.code),
        ExitCause::CpuTime => format!("{} CPU time limit", exit.code),
        ExitCause::FileSize => format!("{} file size limit", exit.code),
        ExitCause::Signal => format!("{} signal", exit.code),
        ExitCause::Interrupted => format!("{} interrupted", exit.code),
    }
}

/// What a run took and how that compares: said on standard error after the run.
pub(super) fn account(file: &Path, report: &Report) -> String {
    let (seen, score) = (&report.observation, &report.prediction);
    let mut text = format!("forewarm: {}\n", file.display());
    text += &line("ran on", &shape(&report.plan.chosen.configuration));
    text += &line("because", &report.plan.chosen.why);
    let parts = [
        ("planning", seen.plan_seconds),
        ("trials", seen.emulation_seconds),
        ("waiting", seen.wait_seconds),
        ("warming up", seen.transition_seconds),
        ("running", seen.run_seconds),
    ];
    let parts = parts.map(|(name, seconds)| format!("{name} {}", human::seconds(seconds)));
    text += &line("took", &format!("{}: {}", human::seconds(seen.wall_seconds), parts.join(", ")));
    let steps = seen.steps.iter().map(|step| format!("{} {}", step.step.name(), human::seconds(step.wall_seconds)));
    let steps = steps.collect::<Vec<_>>().join(", ");
    if !steps.is_empty() {
        text += &line("warm-up", &steps);
    }
    if let Some(rung) = &seen.warm_state {
        let against =
            score.transition_ratio.map(|ratio| format!(", {} times what such starts took", human::number(ratio)));
        let started =
            format!("from {rung}, in {}{}", human::seconds(seen.transition_seconds), against.unwrap_or_default());
        text += &line("started", &started);
    }
    let predicted =
        seen.predicted_cpu_seconds.map_or_else(|| "nothing".to_owned(), |e| human::estimate(e, human::seconds));
    let ratio = score.run_ratio.map(|ratio| format!(", {} times the prediction", human::number(ratio)));
    let measured = human::seconds(seen.run_cpu_seconds);
    text += &line("CPU time", &format!("{measured}{}; predicted {predicted}", ratio.unwrap_or_default()));
    let (linear, whole) = (human::size(seen.peak_linear_memory_bytes), human::size(seen.peak_memory_bytes));
    let memory = if seen.process.is_some() { whole } else { format!("{linear} of its own, {whole} of the process") };
    let outgrew = seen.process.and_then(|process| process.outgrew_seconds);
    let outgrew = outgrew.map(|after| format!(", more than was set aside from {} on", human::seconds(after)));
    text += &line("memory", &format!("{memory}{}", outgrew.unwrap_or_default()));
    if let Some(repeat) = &seen.repeated {
        let (aside, lost) = (human::size(repeat.set_aside_bytes), human::seconds(repeat.lost_seconds));
        text += &line(
            "ran twice",
            &format!("{aside} set aside for it proved too little, which took {lost} of the waiting"),
        );
    }
    if let Some(process) = &seen.process {
        text += &line("measured", &measured_of(process, &seen.measured_by));
    }
    let held_back = [("a quota", seen.throttled_seconds), ("the host", seen.steal_seconds)];
    for (by, time) in held_back.into_iter().filter_map(|(by, time)| Some((by, time.filter(|time| *time > 0.0)?))) {
        text += &line("held back", &format!("{} by {by}", human::seconds(time)));
    }
    text + &line("exit", &ending(&seen.exit))
}

/// What else was measured of a process, and how closely.
fn measured_of(process: &ProcessUsage, tier: &str) -> String {
    format!(
        "{} user, {} system, {} page faults ({} from disk), read {}, wrote {}; by {tier}",
        human::seconds(process.user_seconds),
        human::seconds(process.system_seconds),
        process.minor_faults + process.major_faults,
        process.major_faults,
        human::size(process.read_bytes),
        human::size(process.written_bytes),
    )
}

#[cfg(test)]
mod tests {
    use forewarm_types::{Basis, Bytes, Digest, Estimate, Features, Observation, SCHEMA, Step, StepTiming};

    use super::*;

    fn run(cause: ExitCause, code: i32) -> Observation {
        Observation {
            digest: Digest([0xcd; 32]),
            configuration_class: "winch/native".into(),
            features: Features::default(),
            started_unix_seconds: 1_735_689_599.0,
            wall_seconds: 0.05,
            plan_seconds: 0.001,
            emulation_seconds: 0.0,
            wait_seconds: 0.0,
            transition_seconds: 0.029,
            run_seconds: 0.02,
            cpu_seconds: 0.06,
            run_cpu_seconds: 0.018,
            peak_memory_bytes: Bytes(40 << 20),
            peak_linear_memory_bytes: Bytes(1 << 20),
            exit: Exit { cause, code, signal: None, message: None },
            censored: false,
            measured_by: "rusage".into(),
            run_delay_seconds: None,
            throttled_seconds: None,
            steal_seconds: None,
            steps: vec![StepTiming { step: Step::Compile, wall_seconds: 0.028, cpu_seconds: 0.03, bytes: Bytes(9000) }],
            first_instruction_seconds: None,
            warm_state: None,
            ops: None,
            process: None,
            repeated: None,
            denied: Vec::new(),
            predicted_transition_seconds: None,
            predicted_cpu_seconds: Some(Estimate::new(0.005, 0.012, 0.02, Basis::Static)),
            predicted_memory_bytes: None,
        }
    }

    #[test]
    fn runs_stand_beside_their_predictions() {
        let row = |number, observation| HistoryRow { number, file_name: "p.wasm".into(), observation, plan_json: None };
        let runs = [row(2, run(ExitCause::Exited, 0)), row(1, run(ExitCause::Timeout, 124))];
        insta::assert_snapshot!(page(&runs), @r"
        when (UTC)           program                configuration  predicted    actual  ratio  in interval     wall  exit
        2024-12-31 23:59:59  p.wasm (cdcdcdcdcdcd)  winch/native     12.0 ms   18.0 ms   1.50  yes          50.0 ms  0
        2024-12-31 23:59:59  p.wasm (cdcdcdcdcdcd)  winch/native     12.0 ms  >18.0 ms      -  -            50.0 ms  124 time limit
        predicted and actual are CPU time of the run proper, wall is all of it
        ");
        assert_eq!(page(&[]), "no runs are on record\n");
    }

    #[test]
    fn the_account_is_a_short_page() {
        let observation = run(ExitCause::Exited, 3);
        let prediction = observation.score();
        let plan = super::super::plan::tests::sample();
        let report = Report { schema: SCHEMA, plan, observation, prediction, results: Vec::new(), outcome: None };
        insta::assert_snapshot!(account("p.wasm".as_ref(), &report), @r"
        forewarm: p.wasm
          ran on      winch/native, 2 threads, keeps artifact
          because     winch compiles in 30 ms what cranelift compiles in 200 ms
          took        50.0 ms: planning 1.00 ms, trials 0 s, waiting 0 s, warming up 29.0 ms, running
                      20.0 ms
          warm-up     compile 28.0 ms
          CPU time    18.0 ms, 1.50 times the prediction; predicted 12.0 ms (5.00 ms to 20.0 ms, static)
          memory      1.00 MiB of its own, 40.0 MiB of the process
          exit        3
        ");
    }
}
