//! A plan in words: why the winner won, what was taken for granted, the climb and the schedule.

use forewarm_types::plan::{Slot, WarmStep};
use forewarm_types::{Basis, Bytes, Estimate, Rung, Step, Term};

use crate::belief::Belief;
use crate::candidates::{Candidates, Priced};
use crate::cost::{Pricing, SURELY_LATE, Shape};
use crate::risk::break_even_seconds;
use forewarm_resources::sources;

/// One sentence: the winner, the best of another tier, the terms that decide between them, and where they break even.
pub(crate) fn why(candidates: &Candidates, pricing: &Pricing<'_>, best: &Priced, ranked: &[&Priced]) -> String {
    let shape = candidates.shape(best);
    let name = name(shape);
    let rival = ranked.iter().find(|other| candidates.shape(other).tier != shape.tier);
    let Some(rival) = rival else {
        return match ranked.get(1) {
            Some(other) => {
                let difference = other.total_dollars - best.total_dollars;
                format!("{name} costs least; only its shape was open, and the next costs {} more", dollars(difference))
            }
            None => format!("{name} is all that is possible"),
        };
    };
    let other = candidates.shape(rival);
    let terms = pricing.terms(shape, &best.variant);
    let theirs = pricing.terms(other, &rival.variant);
    let differences = |sign: f64| {
        let term = |index: usize| sign * (theirs[index] - terms[index]);
        (0..terms.len()).map(|index| (term(index), Term::ALL[index])).max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let saves =
        differences(1.0).map_or_else(String::new, |(by, term)| format!(", saving {} of {}", dollars(by), key(term)));
    let gives = differences(-1.0)
        .filter(|(by, _)| *by > 0.0)
        .map_or_else(String::new, |(by, term)| format!(" against {} more of {}", dollars(by), key(term)));
    format!(
        "{name} costs {} and {}, the runner-up, {}{saves}{gives}{}",
        dollars(best.total_dollars),
        crate::explain::name(other),
        dollars(rival.total_dollars),
        break_even(pricing, shape, other)
    )
}

/// Where two tiers break even, and where the run is expected to lie.
fn break_even(pricing: &Pricing<'_>, a: &Shape, b: &Shape) -> String {
    let belief = pricing.belief;
    let climb = |shape: &Shape| shape.figures.transition_wall;
    let (slower, faster) = if climb(a) <= climb(b) { (a.tier, b.tier) } else { (b.tier, a.tier) };
    let (Some(at), Some(run)) =
        (break_even_seconds(belief, &pricing.weights, slower, faster), belief.run_cpu_seconds(faster))
    else {
        return String::new();
    };
    format!(
        "; they break even where a {faster} run takes {}, and this one is believed to take {} to {} ({})",
        seconds(at),
        seconds(run.low),
        seconds(run.high),
        basis(run.basis)
    )
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Default => "a prior over programs",
        Basis::Static => "from its code",
        Basis::Emulated => "from a trial",
        Basis::Observed => "from past runs",
    }
}

fn name(shape: &Shape) -> String {
    let threads = if shape.threads == 1 { String::new() } else { format!(" on {} threads", shape.threads) };
    let warm = if shape.standing { ", its artifact standing" } else { "" };
    format!("{}/{}{threads}{warm}", shape.tier.name(), shape.isa.name())
}

fn key(term: Term) -> &'static str {
    match term {
        Term::Plan => "planning",
        Term::Probe => "trials",
        Term::Wait => "waiting",
        Term::Transition => "transition time",
        Term::Run => "run time",
        Term::Imposed => "others' time",
        Term::TransitionEnergy => "transition energy",
        Term::RunEnergy => "run energy",
        Term::Cores => "core-seconds",
        Term::Memory => "memory",
        Term::Hold => "holding",
        Term::Retry => "a second run with more memory",
        Term::Failure => "expected failure",
        Term::Reuse => "value left behind",
    }
}

/// Dollars in a readable magnitude: these are fractions of a cent.
fn dollars(value: f64) -> String {
    format!("${value:.2e}")
}

fn seconds(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0} s"),
        v if v >= 1.0 => format!("{v:.1} s"),
        v if v >= 1e-3 => format!("{:.1} ms", v * 1e3),
        v => format!("{:.1} us", v * 1e6),
    }
}

/// What was taken for granted, with sources in words.
pub(crate) fn assumptions(belief: &Belief, chosen: &Shape) -> Vec<String> {
    let sourced = belief.sources.iter().map(|source| {
        let words = sources::words(&source.key);
        format!("{}: default ({words})", source.says)
    });
    let mut lines: Vec<String> = sourced.collect();
    if belief.peak.basis == Basis::Default {
        lines.push(
            "peak memory: unknown, taken as log-uniform between the declared initial and maximum size (Jaynes 1968)"
                .into(),
        );
    }
    if belief.tried && belief.evidence.at_least().is_some() {
        lines.push(
            "a trial that did not end: the run is taken to last as Unix processes do, P[T > t | T > b] = b/t \
             (Harchol-Balter, UCB/CSD-94-826, 1994)"
                .into(),
        );
    }
    if belief.machine.load.cores > 0.0 && belief.machine.contention.beside.is_empty() {
        lines.push(
            "others' runs: taken to slow this one by nothing but turns on the cores, since nothing more was measured"
                .into(),
        );
    }
    if chosen.figures.late > SURELY_LATE {
        lines.push("the deadline: no configuration is expected to keep it, so the cheapest is taken".into());
    }
    if !belief.file_known {
        lines.push("the program was never seen before".into());
    }
    lines
}

/// The climb, step by step.
pub(crate) fn warm_up(belief: &Belief, shape: &Shape, warm_state: Rung) -> Vec<WarmStep> {
    let climb = &belief.climbs[shape.tier as usize];
    let code = Bytes(climb.artifact_bytes as u64);
    let wall = climb.compile.scale(if climb.compile.expected > 0.0 {
        climb.compile_wall(shape.threads) / climb.compile.expected
    } else {
        1.0
    });
    let joules = |cpu: Estimate| cpu.scale(belief.machine.core_watts);
    let step = |step, seconds, cpu, bytes| WarmStep { step, seconds, joules: joules(cpu), bytes };
    let mut steps = Vec::new();
    if shape.standing {
        steps.push(step(Step::Map, climb.map, climb.map, code));
    } else {
        steps.push(step(Step::Compile, wall, climb.compile, code));
        if warm_state == Rung::Artifact {
            steps.push(step(Step::Persist, climb.persist, climb.persist, code));
        }
    }
    steps.push(step(Step::Link, climb.link, climb.link, Bytes::ZERO));
    steps.push(step(Step::Instantiate, climb.instantiate, climb.instantiate, belief.demand.initial_bytes));
    if shape.prefault {
        let prefault = belief.machine.prefault;
        steps.push(step(Step::Prefault, prefault, prefault, belief.demand.initial_bytes));
    }
    steps
}

/// Who does what when: the climb, then the run.
pub(crate) fn schedule(belief: &Belief, shape: &Shape) -> Vec<Slot> {
    let processor = belief.machine.processors.get(usize::from(shape.processor));
    let processor = processor.map_or_else(|| "cpu0".to_owned(), |processor| processor.name.clone());
    let ready = shape.figures.transition_wall;
    let run = belief.runs[shape.tier as usize].map_or(0.0, |run| run.estimate().expected * shape.figures.wall_per_cpu);
    let climb = if shape.standing { "map" } else { "compile" };
    vec![
        Slot { task: climb.to_owned(), processor: processor.clone(), start_seconds: 0.0, end_seconds: ready },
        Slot { task: "run".to_owned(), processor, start_seconds: ready, end_seconds: ready + run },
    ]
}
