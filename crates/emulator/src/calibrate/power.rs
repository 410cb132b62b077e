//! Power of the machine, by its own energy counters: idle, and with all cores at work.
//!
//! Where there are no counters the table stands, and energy stays a multiple of time.

use std::time::Duration;

use forewarm_resources::energy::EnergyCounters;
use forewarm_resources::{AcceleratorWatts, Figure, Power};
use forewarm_types::host::{AcceleratorPower, Clock, SystemFiles};

use super::SOURCE;
use crate::statistics::{deviation, median};

/// Looks at each state, of which the median counts.
const LOOKS: u32 = 3;

/// Measures `power` anew where this machine has counters, in looks of so many seconds; whether it did. Power of memory held
/// stays the table's, since no counter tells it from that of memory used.
pub fn measure_power(
    power: &mut Power,
    files: &dyn SystemFiles,
    clock: &dyn Clock,
    cores: u32,
    look_seconds: f64,
) -> bool {
    let Some(counters) = EnergyCounters::find(files) else { return false };
    let look = |state: &dyn Fn(f64)| -> Option<Vec<f64>> {
        let watts = |_| {
            let (began, first) = (clock.monotonic(), counters.read(files)?);
            state(look_seconds);
            let seconds = (clock.monotonic() - began).0;
            let joules = counters.between(&first, &counters.read(files)?).0;
            (seconds > 0.0).then(|| joules / seconds / f64::from(cores.max(1)))
        };
        (0..LOOKS).map(watts).collect()
    };
    let idle = look(&|seconds| std::thread::sleep(Duration::from_secs_f64(seconds.max(0.0))));
    let busy = look(&|seconds| work(clock, cores, seconds));
    let (Some(idle), Some(busy)) = (idle, busy) else { return false };
    let figure = |watts: &[f64]| Figure::measured(median(watts), deviation(watts), watts.len() as u64, SOURCE);
    let (idle, busy) = (figure(&idle), figure(&busy));
    if idle.value <= 0.0 {
        return false;
    }
    // Others' work while this machine should have been idle must not make work look cheaper than rest.
    power.busy_watts_per_core = Figure { value: busy.value.max(idle.value), ..busy };
    power.idle_watts_per_core = idle;
    power.from_table = false;
    true
}

/// Measures what accelerators draw while this machine is left alone, in looks of so many seconds: by the energy they count,
/// else by the power they tell of. One that says nothing is left out.
pub fn measure_accelerators(power: &mut Power, source: &dyn AcceleratorPower, clock: &dyn Clock, look_seconds: f64) {
    let mut seen: Vec<(String, Vec<f64>)> = Vec::new();
    for _ in 0..LOOKS {
        let (first, began) = (source.read(), clock.monotonic());
        std::thread::sleep(Duration::from_secs_f64(look_seconds.max(0.0)));
        let (then, seconds) = (source.read(), (clock.monotonic() - began).0);
        for (at, (before, after)) in first.iter().zip(&then).enumerate() {
            if seen.len() <= at {
                seen.push((after.name.clone(), Vec::new()));
            }
            let counted = before.joules.zip(after.joules).map(|(before, after)| (after - before) / seconds);
            let watts = counted.filter(|watts| watts.is_finite() && *watts >= 0.0).or(after.watts);
            seen[at].1.extend(watts);
        }
    }
    let figure = |watts: &[f64]| Figure::measured(median(watts), deviation(watts), watts.len() as u64, SOURCE);
    let told = seen.into_iter().filter(|(_, watts)| !watts.is_empty());
    power.accelerators = told.map(|(name, watts)| AcceleratorWatts { name, idle_watts: figure(&watts) }).collect();
}

/// Keeps all cores at integer arithmetic for so long.
fn work(clock: &dyn Clock, cores: u32, seconds: f64) {
    let until = clock.monotonic().0 + seconds;
    std::thread::scope(|scope| {
        for core in 0..cores.max(1) {
            scope.spawn(move || {
                let mut word = u64::from(core) | 1;
                while clock.monotonic().0 < until {
                    for _ in 0..4096 {
                        word = std::hint::black_box(word.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17));
                    }
                }
                word
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use forewarm_resources::defaults;
    use forewarm_types::Seconds;
    use forewarm_types::host::Accelerator;

    use super::*;

    /// A clock that a look at it moves on by a tenth of a second, and a machine that draws so many watts by it.
    struct Machine {
        tenths: AtomicU64,
        watts: f64,
        counters: bool,
    }

    impl Clock for Machine {
        fn monotonic(&self) -> Seconds {
            Seconds(self.tenths.fetch_add(1, Ordering::Relaxed) as f64 / 10.0)
        }

        fn unix(&self) -> Seconds {
            Seconds(0.0)
        }

        fn process_cpu(&self) -> Seconds {
            Seconds(0.0)
        }
    }

    impl SystemFiles for Machine {
        fn read(&self, path: &str) -> Option<String> {
            let seconds = self.tenths.load(Ordering::Relaxed) as f64 / 10.0;
            match path.strip_prefix("/sys/class/powercap/intel-rapl:0/").filter(|_| self.counters)? {
                "name" => Some("package-0\n".into()),
                "max_energy_range_uj" => Some("1000000000000".into()),
                "energy_uj" => Some(format!("{:.0}", seconds * self.watts * 1e6)),
                _ => None,
            }
        }
    }

    impl AcceleratorPower for Machine {
        fn read(&self) -> Vec<Accelerator> {
            let seconds = self.tenths.load(Ordering::Relaxed) as f64 / 10.0;
            let one = |name: &str, joules, watts| Accelerator { name: name.into(), joules, watts };
            vec![
                one("counts", Some(seconds * self.watts), Some(1.0)),
                one("tells", None, Some(7.0)),
                one("silent", None, None),
            ]
        }
    }

    #[test]
    fn accelerators_are_read_by_the_energy_they_count_or_the_power_they_tell() {
        let machine = Machine { tenths: AtomicU64::new(0), watts: 40.0, counters: false };
        let mut power = defaults::power();
        measure_accelerators(&mut power, &machine, &machine, 0.001);
        let found: Vec<(&str, u64)> =
            power.accelerators.iter().map(|one| (&*one.name, one.idle_watts.samples)).collect();
        assert_eq!(found, [("counts", 3), ("tells", 3)]);
        assert!((power.accelerators[0].idle_watts.value - 40.0).abs() < 1e-9, "{:?}", power.accelerators);
        assert!((power.accelerators[1].idle_watts.value - 7.0).abs() < 1e-12);
        assert!(power.from_table, "the table of the cores stands all the same");
    }

    #[test]
    fn counters_replace_the_table() {
        let machine = Machine { tenths: AtomicU64::new(0), watts: 40.0, counters: true };
        let mut power = defaults::power();
        assert!(measure_power(&mut power, &machine, &machine, 4, 0.01));
        assert!(!power.from_table && power.busy_watts_per_core.samples == 3);
        // What one look costs the other's clock makes the measured power differ a little from the drawn one.
        assert!((5.0..=20.0).contains(&power.busy_watts_per_core.value), "{:?}", power.busy_watts_per_core);
    }

    #[test]
    fn the_table_stands_where_nothing_counts() {
        let machine = Machine { tenths: AtomicU64::new(0), watts: 40.0, counters: false };
        let mut power = defaults::power();
        assert!(!measure_power(&mut power, &machine, &machine, 4, 0.01));
        assert_eq!(power, defaults::power());
    }
}
