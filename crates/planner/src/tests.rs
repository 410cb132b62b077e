//! The planner as a whole: choices follow the model, terms add up, rules hold, nothing panics.

use forewarm_types::{Objective, Tier};
use crate::testing::{Problem, exactly, spread};
use crate::weights;

#[test]
fn explore() {
    for (name, bytes, ops) in [
        ("tiny hello 2KB", 2_138u64, spread(2e2, 1e5)),
        ("hello 20KB", 20_000, spread(1e3, 1e6)),
        ("hello 60KB", 60_000, spread(1e3, 1e6)),
        ("hello 60KB wide", 60_000, spread(1e2, 1e9)),
        ("1MB unknown", 1_000_000, spread(1e2, 1e9)),
        ("1MB none", 1_000_000, None),
        ("6MB none", 6_000_000, None),
        ("6MB wide", 6_000_000, spread(1e4, 1e12)),
        ("matmul const", 20_000, exactly(18e9)),
        ("matmul const 2KB", 2_000, exactly(18e9)),
        ("matmul 64", 20_000, exactly(5e6)),
        ("state machine", 20_000, exactly(3e9)),
        ("argv nest", 20_000, spread(1e3, 1e12)),
        ("argv nest 2KB", 2_000, spread(1e3, 1e12)),
        ("argv nest 60KB", 60_000, spread(1e3, 1e12)),
        ("nest 5KB", 5_000, spread(1e2, 1e9)),
    ] {
        let p = Problem::new(bytes, ops);
        let b = p.believe();
        let w = weights(Objective::Latency);
        let plan = p.plan();
        let probe = crate::next_probe(&b, &w, crate::ProbeMode::Auto);
        println!("{name}: {} | C run {:?} | probe {:?}\n   {}\n   prep {:?}", plan.chosen.configuration.class(), b.run_cpu_seconds(Tier::Cranelift).map(|e| (e.low, e.expected, e.high)), probe, plan.chosen.why, plan.prepare.map(|p| (p.configuration.class(), p.net_value_dollars)));
    }
}
