//! The page of `forewarm resources`: every figure of the model with its source and samples.

use std::collections::BTreeMap;

use forewarm_resources::{Beside, Crowded, Figure, Inventory, ResourceModel, StepCost};
use forewarm_types::{Bytes, Step};

use super::{line, plural};
use crate::human;
use crate::table::{Side, Table};

/// The whole page.
pub(super) fn page(model: &ResourceModel, nodes: &[ResourceModel]) -> String {
    let mut sources = Sources::default();
    let mut page = inventory(&model.inventory);
    page += &others(nodes);
    page += &op_costs(model, &mut sources);
    page += &steps(model, &mut sources);
    page += &rates(model, &mut sources);
    page + &sources.render()
}

/// Sources are long and shared: tables name them by number, and a list at the end spells them out.
#[derive(Default)]
struct Sources {
    numbers: BTreeMap<String, usize>,
}

impl Sources {
    fn number(&mut self, source: &str) -> String {
        let next = self.numbers.len() + 1;
        format!("[{}]", self.numbers.entry(source.to_owned()).or_insert(next))
    }

    fn render(&self) -> String {
        let mut ordered: Vec<_> = self.numbers.iter().collect();
        ordered.sort_by_key(|(_, number)| **number);
        let words = |source: &str| forewarm_resources::sources::words(source).to_owned();
        let lines = ordered.iter().map(|(source, number)| line(&format!("[{number}]"), &words(source)));
        format!("\nSources (a figure of 0 samples is a default)\n{}", lines.collect::<String>())
    }
}

fn inventory(inventory: &Inventory) -> String {
    let mut text = format!("{}\n", inventory.node);
    for processor in &inventory.processors {
        let cores = plural(processor.cores, "core");
        text += &line(&processor.name, &format!("{}, {cores}, {}", processor.model, processor.isa_level));
        let caches = processor.caches.iter().map(|cache| format!("L{} {}", cache.level, human::size(cache.size_bytes)));
        text += &line("caches", &caches.collect::<Vec<_>>().join(", "));
        text += &line("features", &processor.isa_features.join(", "));
    }
    let pages = human::size(inventory.page_bytes);
    text += &line("memory", &format!("{} in pages of {pages}", human::size(inventory.memory_bytes)));
    if !inventory.executable_memory {
        text += &line("", "memory may not be made executable: only bytecode runs");
    }
    text
}

/// The other machines that are known, in a line each.
fn others(nodes: &[ResourceModel]) -> String {
    let named = |node: &ResourceModel| {
        let Inventory { processors, memory_bytes, .. } = &node.inventory;
        let processors = processors.iter().map(|one| format!("{}, {}", one.model, plural(one.cores, "core")));
        let words = format!("{}, {}", processors.collect::<Vec<_>>().join(", "), human::size(*memory_bytes));
        line(&node.inventory.node, &words)
    };
    let lines: String = nodes.iter().map(named).collect();
    if lines.is_empty() { lines } else { format!("\nOther nodes, on which plans are priced too\n{lines}") }
}

fn op_costs(model: &ResourceModel, sources: &mut Sources) -> String {
    let columns = [
        ("tier", Side::Left),
        ("operators", Side::Left),
        ("each", Side::Right),
        ("samples", Side::Right),
        ("source", Side::Left),
    ];
    let mut table = Table::new(columns);
    for (tier, costs) in &model.op_costs.tiers {
        for (class, figure) in &costs.seconds_per_op {
            table.row([
                tier.to_string(),
                class.name().to_owned(),
                human::seconds(figure.value),
                samples(figure.samples),
                sources.number(&figure.source),
            ]);
        }
        if let Some(figure) = &costs.correction {
            let factor = format!("×{}", human::number(figure.value));
            table.row([
                tier.to_string(),
                "all (learned)".to_owned(),
                factor,
                samples(figure.samples),
                sources.number(&figure.source),
            ]);
        }
    }
    format!("\nOperators\n{}", table.render(2))
}

fn steps(model: &ResourceModel, sources: &mut Sources) -> String {
    let columns = [
        ("tier", Side::Left),
        ("step", Side::Left),
        ("fixed", Side::Right),
        ("per MB", Side::Right),
        ("held per byte", Side::Right),
        ("peak per byte", Side::Right),
        ("samples", Side::Right),
        ("source", Side::Left),
    ];
    let mut table = Table::new(columns);
    let mut add = |tier: &str, steps: &BTreeMap<Step, StepCost>| {
        for (step, cost) in steps {
            table.row([
                tier.to_owned(),
                step.name().to_owned(),
                human::seconds(cost.fixed_seconds),
                human::seconds(cost.seconds_per_megabyte),
                human::number(cost.bytes_per_byte),
                human::number(cost.peak_bytes_per_byte),
                samples(cost.samples),
                sources.number(&cost.source),
            ]);
        }
    };
    add("any", &model.transitions.common);
    for (tier, steps) in &model.transitions.tiers {
        add(tier.name(), steps);
    }
    format!("\nSteps of the warm ladder, in CPU time\n{}", table.render(2))
}

fn rates(model: &ResourceModel, sources: &mut Sources) -> String {
    let columns = [("figure", Side::Left), ("value", Side::Right), ("samples", Side::Right), ("source", Side::Left)];
    let mut table = Table::new(columns);
    let mut add = |name: &str, figure: &Figure, shown: String| {
        table.row([name.to_owned(), shown, samples(figure.samples), sources.number(&figure.source)]);
    };
    let (power, price, contention) = (&model.power, &model.price, &model.contention);
    let watts = |figure: &Figure| format!("{} W", human::number(figure.value));
    add("an idle core", &power.idle_watts_per_core, watts(&power.idle_watts_per_core));
    add("a busy core", &power.busy_watts_per_core, watts(&power.busy_watts_per_core));
    add("memory, per GB", &power.watts_per_gigabyte, watts(&power.watts_per_gigabyte));
    let core = &price.dollars_per_core_second;
    add("a core, per hour", core, human::dollars(core.value * 3600.0));
    let memory = &price.dollars_per_byte_second;
    add("memory, per GB and hour", memory, human::dollars(memory.value * 1e9 * 3600.0));
    let disk = &price.dollars_per_disk_byte_second;
    add("disk, per GB and hour", disk, human::dollars(disk.value * 1e9 * 3600.0));
    if let Some(touch) = &model.transitions.first_touch_seconds_per_byte {
        add("first touch of memory, per MB", touch, human::seconds(touch.value * 1e6));
    }
    if let Some(touch) = &model.transitions.page_touch {
        let rate = |figure: &Figure| human::seconds(figure.value * 1e6);
        add("first touch by a process, per MB", &touch.small, rate(&touch.small));
        add("the same behind large pages", &touch.large, rate(&touch.large));
    }
    if let Some(start) = &model.transitions.thread_start_seconds {
        add("start of a further compiling thread", start, human::seconds(start.value));
    }
    for Beside { work, other, cores, factor } in &contention.beside {
        let name = format!("{} beside {} on {}", work.name(), other.name(), plural(*cores as u32, "core"));
        add(&name, factor, format!("×{}", human::number(factor.value)));
    }
    for Crowded { threads_per_core, factor } in &contention.crowded {
        let name = format!("{} to a core, beyond turns", plural(*threads_per_core as u32, "thread"));
        add(&name, factor, format!("×{}", human::number(factor.value)));
    }
    for (rung, start) in &model.transitions.warm_starts {
        add(&format!("start from {rung}"), start, human::seconds(start.value));
    }
    let processes = &model.workload.processes;
    add("start of a process", &processes.spawn_seconds, human::seconds(processes.spawn_seconds.value));
    for (kind, own) in [("native", &processes.native), ("Python", &processes.python)] {
        let seconds = human::seconds(own.seconds.value);
        add(&format!("CPU time of {kind} programs beyond their start, median"), &own.seconds, seconds);
        let bytes = human::size(Bytes(own.bytes.value as u64));
        add(&format!("memory of {kind} programs beyond their start, median"), &own.bytes, bytes);
    }
    for one in &power.accelerators {
        add(&format!("{}, left alone", one.name), &one.idle_watts, watts(&one.idle_watts));
    }
    let table_note = if power.from_table { "  power is from a table: energy is a multiple of time\n" } else { "" };
    format!("\nPower, prices, contention\n{}{table_note}", table.render(2))
}

fn samples(count: u64) -> String {
    if count == 0 { "default".to_owned() } else { count.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_numbered_in_order_of_appearance() {
        let mut sources = Sources::default();
        assert_eq!(sources.number("z"), "[1]");
        assert_eq!(sources.number("a"), "[2]");
        assert_eq!(sources.number("z"), "[1]");
        assert!(sources.render().ends_with("  [1]         z\n  [2]         a\n"));
    }
}
