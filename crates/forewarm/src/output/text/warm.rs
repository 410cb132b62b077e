//! What is kept ready between runs, for people.

use forewarm_orchestrator::{Kept, Pages, Warmed};

use super::plural;
use crate::human;
use crate::table::{Side, Table};
use forewarm_holder::Rung;

/// How far a climb came, what it took and what it holds.
pub fn climb(warmed: &Warmed) -> String {
    let climb = &warmed.climb;
    let file = warmed.file.display();
    let held = human::size(climb.held_bytes);
    let mut text = if climb.rung == Rung::PageCache {
        format!("{file}: {} in {}, which nobody holds\n", climb.rung.name(), human::seconds(climb.seconds))
    } else if climb.seconds > 0.0 {
        format!("{file}: {} in {}, holds {held}\n", climb.rung.name(), human::seconds(climb.seconds))
    } else {
        format!("{file}: {} stands already, holds {held}\n", climb.rung.name())
    };
    for step in &climb.steps {
        let (seconds, bytes) = (human::seconds(step.seconds), human::size(step.bytes));
        text.push_str(&format!("  {:<12} {seconds:>9}  {bytes:>9}\n", step.rung.name()));
    }
    text.push_str(&warmed.pages.as_ref().map(pages).unwrap_or_default());
    if let Some((rung, why)) = &climb.refused {
        text.push_str(&format!("  {} was refused: {why}\n", rung.name()));
    }
    text
}

/// What of a program's files was brought into memory.
fn pages(pages: &Pages) -> String {
    let files = plural(u32::try_from(pages.files).unwrap_or(u32::MAX), "file");
    let noted = if pages.noted { ", noted just now" } else { "" };
    format!("  of {files} in memory{noted}, {} were read\n", human::size(pages.read_bytes))
}

/// What is held.
pub fn held(held: &[Kept]) -> String {
    if held.is_empty() {
        return "nothing is kept warm\n".to_owned();
    }
    let columns = [
        ("program", Side::Left),
        ("rung", Side::Left),
        ("holds", Side::Right),
        ("$ an hour", Side::Right),
        ("climb", Side::Right),
        ("runs", Side::Right),
        ("running", Side::Right),
        ("idle", Side::Right),
    ];
    let mut table = Table::new(columns);
    for Kept { held: one, hold_dollars_per_hour } in held {
        table.row([
            one.file.display().to_string(),
            one.rung.name().to_owned(),
            human::size(one.held_bytes),
            human::dollars(*hold_dollars_per_hour),
            human::seconds(one.climb_seconds),
            one.runs.to_string(),
            one.active.to_string(),
            human::seconds(one.idle_seconds),
        ]);
    }
    table.render(0)
}

/// What was let go.
pub fn dropped(count: usize) -> String {
    match count {
        0 => "nothing was kept warm\n".to_owned(),
        count => format!("let go of {}\n", plural(u32::try_from(count).unwrap_or(u32::MAX), "program")),
    }
}
