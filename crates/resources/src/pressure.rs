//! What a run asks of memory: the share of its time that memory gives the pace of, from its counts or its analysis.

use forewarm_types::Pressure;
use forewarm_types::counts::{Counts, LINE_BYTES};
use forewarm_types::demand::MemoryDemand;

use crate::Hierarchy;
use crate::hierarchy::Flow;

/// From what was counted: the last level's accesses that were foreseen (line after line, or by a stride) stream, all others
/// chase, each for as long as it takes; of a run that takes so many CPU seconds. `None` where addresses were not looked at, or
/// no hierarchy is known.
#[must_use]
pub fn counted(hierarchy: &Hierarchy, counts: &Counts, cpu_seconds: f64) -> Option<Pressure> {
    let reuse = counts.reuse.as_ref()?;
    let operators = counts.classes.values().sum::<u64>() as f64;
    let flow = Flow { operators, mispredictions: counts.mispredictions().unwrap_or_default() };
    let last = hierarchy.costs(reuse, flow).pop()?;
    // With a single level what a short window saw before comes from it too.
    let foresight = if hierarchy.levels.len() == 1 { reuse.reused } else { reuse.fresh };
    let streamed = foresight.sequential_share * last.level.streamed_seconds.value
        + foresight.strided_share * last.level.scattered_seconds.value;
    let share = |seconds_each: f64| (last.accesses * seconds_each / cpu_seconds).clamp(0.0, 1.0);
    let (streaming_share, chasing_share) = (share(streamed), share((last.seconds_each - streamed).max(0.0)));
    (cpu_seconds > 0.0).then_some(Pressure { streaming_share, chasing_share })
}

/// From the analysis alone: what cannot stay in the last cache streams through it, at the rate memory has; of a run that takes
/// so many CPU seconds. Nothing where traffic, peak or hierarchy are not known.
#[must_use]
pub fn foreseen(hierarchy: &Hierarchy, memory: &MemoryDemand, cpu_seconds: f64) -> Pressure {
    let streams = || {
        let last = hierarchy.levels.last()?;
        let (traffic, peak) = (memory.traffic_bytes?.expected, memory.peak_bytes?.expected);
        let lines = if peak > last.beyond_bytes.as_f64() { traffic / LINE_BYTES as f64 } else { 0.0 };
        let share = lines * last.streamed_seconds.value / cpu_seconds;
        share.is_finite().then_some(share.clamp(0.0, 1.0))
    };
    Pressure { streaming_share: streams().unwrap_or(0.0), chasing_share: 0.0 }
}

#[cfg(test)]
mod tests {
    use forewarm_types::counts::{Foresight, ReuseHistogram};
    use forewarm_types::{Basis, Bytes, Estimate, OpClass};

    use super::*;
    use crate::{Figure, MemoryLevel};

    fn hierarchy() -> Hierarchy {
        let figure = |value| Figure::measured(value, 0.0, 3, "test");
        let level = |name: &str, beyond, factor: f64| MemoryLevel {
            name: name.into(),
            beyond_bytes: Bytes(beyond),
            chased_seconds: figure(100e-9 * factor),
            scattered_seconds: figure(10e-9 * factor),
            streamed_seconds: figure(2e-9 * factor),
        };
        Hierarchy { levels: vec![level("L2", 1 << 15, 0.1), level("memory", 1 << 20, 1.0)] }
    }

    fn far(accesses: f64, fresh: Foresight) -> Counts {
        let reuse = ReuseHistogram { far_accesses: accesses, fresh, ..ReuseHistogram::default() };
        Counts { classes: [(OpClass::Load, 1_000_000)].into(), reuse: Some(reuse), ..Counts::default() }
    }

    #[test]
    fn what_memory_gives_the_pace_of_presses_on_it() {
        let streams = far(1e6, Foresight { sequential_share: 1.0, ..Foresight::default() });
        let pressure = counted(&hierarchy(), &streams, 4e-3).unwrap();
        assert!((pressure.streaming_share - 0.5).abs() < 1e-9 && pressure.chasing_share < 1e-9, "{pressure:?}");
        let chases = far(1e4, Foresight { chased_share: 1.0, ..Foresight::default() });
        let pressure = counted(&hierarchy(), &chases, 4e-3).unwrap();
        assert!((pressure.chasing_share - 0.25).abs() < 1e-9 && pressure.streaming_share == 0.0, "{pressure:?}");
        assert_eq!(counted(&hierarchy(), &Counts::default(), 1.0), None);
        assert_eq!(counted(&Hierarchy::default(), &streams, 1.0), None);
    }

    #[test]
    fn the_analysis_tells_what_cannot_stay_in_the_cache() {
        let exact = |value| Some(Estimate::exact(value, Basis::Static));
        let memory =
            |peak| MemoryDemand { traffic_bytes: exact(64e6), peak_bytes: exact(peak), ..MemoryDemand::default() };
        assert!((foreseen(&hierarchy(), &memory(1e8), 4e-3).streaming_share - 0.5).abs() < 1e-9);
        assert!(foreseen(&hierarchy(), &memory(1e5), 4e-3).is_none());
        assert!(foreseen(&Hierarchy::default(), &memory(1e8), 4e-3).is_none());
    }
}
