//! Power drawn and prices paid.

use serde::{Deserialize, Serialize};

use forewarm_types::{Basis, Bytes, Dollars, Estimate, Joules};

use crate::Figure;

/// Power of the machine, per core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Watts of an idle core.
    pub idle_watts_per_core: Figure,
    /// Watts of a fully used core, idle part included.
    pub busy_watts_per_core: Figure,
    /// Watts per 10^9 bytes of memory held.
    pub watts_per_gigabyte: Figure,
    /// Whether it comes from a table, so that energy is only a multiple of time.
    pub from_table: bool,
    /// Accelerators whose driver tells what they draw; nothing that runs here uses them yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accelerators: Vec<AcceleratorWatts>,
}

/// Power of an accelerator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceleratorWatts {
    /// Its model.
    pub name: String,
    /// Watts while this machine is left alone.
    pub idle_watts: Figure,
}

impl Power {
    /// Energy of work: `busy watts * core-seconds + watts per gigabyte * 10^-9 * bytes * wall seconds`.
    ///
    /// The whole power of a busy core is charged, its idle part included: a core in use cannot sleep.
    #[must_use]
    pub fn joules(&self, core_seconds: f64, held: Bytes, wall_seconds: f64) -> Joules {
        let cores = self.busy_watts_per_core.value * core_seconds;
        Joules(cores + self.watts_per_gigabyte.value * held.as_f64() / 1e9 * wall_seconds)
    }

    /// The same for uncertain core-seconds; wall time is taken in proportion to them.
    #[must_use]
    pub fn energy(&self, core_seconds: Estimate, held: Bytes, wall_per_core_second: f64) -> Estimate {
        let rate = self.joules(1.0, held, wall_per_core_second).0;
        let basis = if self.from_table { Basis::Default } else { core_seconds.basis };
        let rate = if rate.is_finite() { rate.max(0.0) } else { 0.0 };
        core_seconds.scale(rate).with_basis(basis.min(core_seconds.basis))
    }
}

/// Prices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars per core-second.
    pub dollars_per_core_second: Figure,
    /// US dollars per byte-second of memory.
    pub dollars_per_byte_second: Figure,
    /// US dollars per byte-second of disk, for artifacts held.
    pub dollars_per_disk_byte_second: Figure,
}

impl Price {
    /// Price of core-seconds.
    #[must_use]
    pub fn cores(&self, core_seconds: f64) -> Dollars {
        Dollars(self.dollars_per_core_second.value * core_seconds)
    }

    /// Price of memory held for a time.
    #[must_use]
    pub fn memory(&self, held: Bytes, seconds: f64) -> Dollars {
        Dollars(self.dollars_per_byte_second.value * held.as_f64() * seconds)
    }

    /// Price of disk held for a time.
    #[must_use]
    pub fn disk(&self, held: Bytes, seconds: f64) -> Dollars {
        Dollars(self.dollars_per_disk_byte_second.value * held.as_f64() * seconds)
    }
}

#[cfg(test)]
mod tests {
    use crate::defaults;

    use super::*;

    #[test]
    fn an_hour_costs_what_the_price_list_says() {
        let price = defaults::price();
        assert!((price.cores(3600.0).0 - 0.04048).abs() < 1e-9);
        assert!((price.memory(Bytes(1_000_000_000), 3600.0).0 - 0.004_445).abs() < 1e-9);
        assert!((price.disk(Bytes(1_000_000_000), 730.0 * 3600.0).0 - 0.08).abs() < 1e-9);
    }

    #[test]
    fn table_power_makes_energy_a_multiple_of_time() {
        let power = defaults::power();
        let one = Estimate::exact(1.0, Basis::Observed);
        let energy = power.energy(one, Bytes::ZERO, 1.0);
        assert_eq!(energy.basis, Basis::Default);
        assert!((energy.expected - 3.5).abs() < 1e-9);
        assert!((power.joules(0.0, Bytes(1_000_000_000), 3600.0).0 - 0.000_392 * 3.6e6).abs() < 1e-6);
    }
}
