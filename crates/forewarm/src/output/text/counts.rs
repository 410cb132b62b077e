//! What an instrumented run counted, for people: classes, functions, loops, memory, and the run times that follow from
//! it, in their terms. Part of the page of `forewarm emulate`.

use forewarm_types::counts::{Counts, LINE_BYTES, ReuseHistogram};
use forewarm_types::model::RunModel;

use super::line;
use crate::human;
use crate::table::{Side, Table};

/// Rows of each table: what matters is at its top.
const ROWS: usize = 8;

/// Sizes of caches, in bytes, of which the page says how many accesses would miss them: the usual first, second and last
/// levels.
const CACHES: [f64; 3] = [32_768.0, 1_048_576.0, 33_554_432.0];

/// The counts.
pub(super) fn page(counts: &Counts) -> String {
    let mut page = "\nCounts\n".to_owned();
    page += &line("operators", &classes(counts));
    let branches = human::count(counts.conditional_branches as f64);
    page += &line("branches", &format!("{branches} that could go either way"));
    page += &line(
        "memory",
        &format!(
            "{} loaded, {} stored, {} moved in bulk; grown {} times",
            human::bytes(counts.load_bytes as f64),
            human::bytes(counts.store_bytes as f64),
            human::bytes(counts.bulk_bytes as f64),
            counts.growths.len()
        ),
    );
    if let Some(reuse) = &counts.reuse {
        page += &line("reuse", &self::reuse(reuse));
    }
    if !counts.host_calls.is_empty() {
        page += &line("host calls", &host_calls(counts));
    }
    page + &functions(counts) + &loops(counts)
}

fn classes(counts: &Counts) -> String {
    let total = counts.operators().max(1) as f64;
    let mut classes: Vec<_> = counts.classes.iter().collect();
    classes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shares = classes.into_iter().take(ROWS);
    let shares: Vec<_> =
        shares.map(|(class, count)| format!("{} {}", human::percent(*count as f64 / total), class.name())).collect();
    shares.join(", ")
}

fn reuse(reuse: &ReuseHistogram) -> String {
    let total = reuse.total().max(1.0);
    let missed = CACHES.map(|bytes| {
        let share = reuse.misses(bytes / LINE_BYTES as f64) / total;
        format!("{} beyond {}", human::percent(share), human::bytes(bytes))
    });
    let (sampled, foreseen) = (human::count(reuse.sampled as f64), human::percent(reuse.fresh.sequential_share));
    let (strided, chased) = (human::percent(reuse.fresh.strided_share), human::percent(reuse.fresh.chased_share));
    format!(
        "{} of accesses; of the far ones {foreseen} line after line, {strided} by a constant stride, {chased} by what was read \
         before ({sampled} sampled)",
        missed.join(", ")
    )
}

fn host_calls(counts: &Counts) -> String {
    let mut calls: Vec<_> = counts.host_calls.iter().collect();
    calls.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let short = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let calls =
        calls.into_iter().take(ROWS).map(|(name, count)| format!("{} {}", human::count(*count as f64), short(name)));
    calls.collect::<Vec<_>>().join(", ")
}

fn functions(counts: &Counts) -> String {
    let total = counts.operators().max(1) as f64;
    let mut table = Table::new([("function", Side::Left), ("entered", Side::Right), ("operators", Side::Right)]);
    for function in counts.functions.iter().take(ROWS) {
        let share = human::percent(function.operators as f64 / total);
        table.row([function.name.clone(), human::count(function.entered as f64), share]);
    }
    format!("\nFunctions by operators of their own\n{}", table.render(2))
}

fn loops(counts: &Counts) -> String {
    if counts.loops.is_empty() {
        return String::new();
    }
    let columns = [("loop", Side::Left), ("depth", Side::Right), ("entered", Side::Right), ("rounds", Side::Right)];
    let mut table = Table::new(columns);
    for found in counts.loops.iter().take(ROWS) {
        let name = counts.functions.iter().find(|function| function.index == found.function);
        let name = name.map_or_else(|| format!("func[{}]", found.function), |function| function.name.clone());
        let (entered, rounds) = (human::count(found.entered as f64), human::count(found.iterations as f64));
        table.row([format!("{name} at {:#x}", found.offset), found.depth.to_string(), entered, rounds]);
    }
    format!("\nLoops by rounds\n{}", table.render(2))
}

/// The run-time model of each tier in its terms.
pub(super) fn models(models: &[RunModel]) -> String {
    let mut page = String::new();
    for model in models {
        let whole = human::estimate(model.cpu_seconds, human::seconds);
        page += &format!("\nRun time on {}: {whole}\n", model.tier.name());
        let columns = [("term", Side::Left), ("count", Side::Right), ("each", Side::Right), ("time", Side::Right)];
        let mut table = Table::new(columns);
        for term in model.terms.iter().take(ROWS) {
            let (each, all) = (human::seconds(term.seconds_each), human::seconds(term.seconds * model.correction));
            table.row([term.name.clone(), human::count(term.count), each, all]);
        }
        page += &table.render(2);
    }
    page
}
