//! The processor's energy counters, where the system shows them: RAPL packages and memory below `/sys/class/powercap`.
//!
//! Read through [`SystemFiles`]; when to read, and what ran in between, is the caller's affair. Called by the emulator's
//! calibration.

use forewarm_types::Joules;
use forewarm_types::host::SystemFiles;

/// Where Linux shows them (Documentation/power/powercap/powercap.rst).
const ROOT: &str = "/sys/class/powercap";

/// Most packages and subzones looked for; machines have up to eight sockets.
const MOST: u32 = 8;

/// Energy counters of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyCounters {
    zones: Vec<Zone>,
}

#[derive(Debug, Clone, PartialEq)]
struct Zone {
    path: String,
    /// Micro-joules after which it begins again at zero.
    range: f64,
}

/// What all counters showed at one moment: micro-joules.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyReading(Vec<f64>);

impl EnergyCounters {
    /// The counters of all packages, and of memory where it is no part of its package. `None` where there are none, as in most
    /// virtual machines, or they may not be read.
    #[must_use]
    pub fn find(files: &dyn SystemFiles) -> Option<Self> {
        let packages = (0..MOST).map(|at| format!("intel-rapl:{at}"));
        let memory = (0..MOST).flat_map(|at| (0..MOST).map(move |sub| format!("intel-rapl:{at}:{sub}")));
        let zones: Vec<Zone> = packages.chain(memory).filter_map(|name| Zone::find(files, &name)).collect();
        (!zones.is_empty()).then_some(Self { zones })
    }

    /// What they show now; `None` where one of them can no longer be read.
    #[must_use]
    pub fn read(&self, files: &dyn SystemFiles) -> Option<EnergyReading> {
        self.zones
            .iter()
            .map(|zone| number(files, &format!("{}/energy_uj", zone.path)))
            .collect::<Option<_>>()
            .map(EnergyReading)
    }

    /// Energy between two readings, each counter having begun again at most once.
    #[must_use]
    pub fn between(&self, first: &EnergyReading, then: &EnergyReading) -> Joules {
        let pairs = first.0.iter().zip(&then.0).zip(&self.zones);
        let micro = |((first, then), zone): ((&f64, &f64), &Zone)| {
            if then < first { then + zone.range - first } else { then - first }
        };
        Joules(pairs.map(micro).sum::<f64>().max(0.0) / 1e6)
    }
}

impl Zone {
    fn find(files: &dyn SystemFiles, name: &str) -> Option<Self> {
        let path = format!("{ROOT}/{name}");
        let kind = files.read(&format!("{path}/name"))?;
        // Cores and graphics are parts of their package; memory is not.
        let counts = kind.trim().starts_with("package") || kind.trim() == "dram";
        let range = number(files, &format!("{path}/max_energy_range_uj"))?;
        (counts && number(files, &format!("{path}/energy_uj")).is_some()).then_some(Self { path, range })
    }
}

fn number(files: &dyn SystemFiles, path: &str) -> Option<f64> {
    files.read(path)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    struct Files(BTreeMap<String, String>);

    impl SystemFiles for Files {
        fn read(&self, path: &str) -> Option<String> {
            self.0.get(path).cloned()
        }
    }

    fn machine(zones: &[(&str, &str, u64)]) -> Files {
        let file = |zone: &str, name: &str, text: String| (format!("{ROOT}/{zone}/{name}"), text);
        let files = zones.iter().flat_map(|(zone, kind, energy)| {
            [
                file(zone, "name", format!("{kind}\n")),
                file(zone, "energy_uj", format!("{energy}\n")),
                file(zone, "max_energy_range_uj", "1000000000\n".to_owned()),
            ]
        });
        Files(files.collect())
    }

    #[test]
    fn packages_and_memory_count_and_their_parts_do_not() {
        let zones = |energy| {
            machine(&[
                ("intel-rapl:0", "package-0", energy),
                ("intel-rapl:0:0", "core", energy),
                ("intel-rapl:0:1", "dram", energy),
                ("intel-rapl:1", "package-1", energy),
                ("intel-rapl:2", "psys", energy),
            ])
        };
        let counters = EnergyCounters::find(&zones(0)).unwrap();
        let (first, then) = (counters.read(&zones(1_000_000)).unwrap(), counters.read(&zones(3_000_000)).unwrap());
        assert_eq!(counters.between(&first, &then), Joules(6.0));
        assert_eq!(counters.between(&first, &first), Joules(0.0));
    }

    #[test]
    fn a_counter_that_began_again_is_followed() {
        let at = |energy| machine(&[("intel-rapl:0", "package-0", energy)]);
        let counters = EnergyCounters::find(&at(0)).unwrap();
        let (first, then) = (counters.read(&at(999_000_000)).unwrap(), counters.read(&at(1_000_000)).unwrap());
        assert_eq!(counters.between(&first, &then), Joules(2.0));
    }

    #[test]
    fn a_machine_without_counters_has_none() {
        assert_eq!(EnergyCounters::find(&machine(&[])), None);
        let mut hidden = machine(&[("intel-rapl:0", "package-0", 7)]);
        hidden.0.remove(&format!("{ROOT}/intel-rapl:0/energy_uj"));
        assert_eq!(EnergyCounters::find(&hidden), None);
    }
}
