//! Prints what the calibration of this machine finds: `cargo run --release -p forewarm-emulator --example calibrate`.
//!
//! For a look at the numbers while working on the kernels; users have `forewarm resources probe`.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::sync::Arc;

use forewarm_emulator::{Budget, calibrate};
use forewarm_sandbox::{RealClock, RealFiles};
use forewarm_types::host::Clock;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cores = std::thread::available_parallelism()?.get() as u32;
    let inventory = forewarm_resources::inventory::detect(&RealFiles, cores);
    let clock = Arc::new(RealClock);
    let started = clock.monotonic();
    let stage_clock = Arc::clone(&clock);
    let mut stage = |line: &str| println!("{:6.2} s  {line}", (stage_clock.monotonic() - started).0);
    let model = calibrate(inventory, Budget::default(), Arc::clone(&clock) as Arc<dyn Clock>, &mut stage)?;
    println!("{:6.2} s  done\n", (clock.monotonic() - started).0);
    for (tier, costs) in &model.op_costs.tiers {
        println!("{tier}: ns per operator");
        for (class, figure) in &costs.seconds_per_op {
            let (value, deviation) = (figure.value * 1e9, figure.deviation * 1e9);
            println!("  {:14} {value:8.3} ± {deviation:6.3}  {}", class.name(), figure.samples);
        }
        println!("  baseline factor {:?}", costs.baseline_factor.as_ref().map(|figure| figure.value));
    }
    let tiers = model.transitions.tiers.iter().map(|(tier, steps)| (tier.name(), steps));
    for (name, steps) in tiers.chain([("common", &model.transitions.common)]) {
        for (step, cost) in steps {
            println!(
                "{name} {}: {:.1} µs + {:.5} s/MB, ± {:.2}, parallel {:.2}, holds {:.2}, peak {:.2} B/B, n {}",
                step.name(),
                cost.fixed_seconds * 1e6,
                cost.seconds_per_megabyte,
                cost.log_deviation,
                cost.parallel_fraction,
                cost.bytes_per_byte,
                cost.peak_bytes_per_byte,
                cost.samples,
            );
        }
    }
    println!("first touch {:?}", model.transitions.first_touch_seconds_per_byte);
    println!("contention {:?}\nmetering {:?}", model.contention, model.metering);
    if let Some(path) = std::env::args().nth(1) {
        std::fs::write(path, serde_json::to_string(&model)?)?;
    }
    Ok(())
}
