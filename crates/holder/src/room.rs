//! How much memory there is to hold things in: read from the system, below a root that tests choose.

use std::path::PathBuf;

use forewarm_types::Bytes;

/// Share of the machine's memory that must be available, or something is let go: the default of earlyoom (its manual,
/// `-m`), which ends whole programs at that point.
const AVAILABLE: f64 = 0.10;

/// Share of time, in percent, in which every task waited for memory over ten seconds, at which something is let go: the
/// default of systemd-oomd (oomd.conf(5), `DefaultMemoryPressureLimit`).
const PRESSURE: f64 = 60.0;

/// Share of the machine's memory that may be held where nobody says: what systemd gives a user's runtime directory, which
/// is memory kept between commands just so (logind.conf(5), `RuntimeDirectorySize`).
const HELD: f64 = 0.10;

/// The memory there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    root: PathBuf,
    most: Option<Bytes>,
}

impl Room {
    /// As the system under a root has it, of which at most so much may be held (a tenth of all where nobody says).
    #[must_use]
    pub fn under(root: impl Into<PathBuf>, most: Option<Bytes>) -> Self {
        Self { root: root.into(), most }
    }

    /// Most that may be held; `None` where the system does not say what it has.
    #[must_use]
    pub fn most(&self) -> Option<Bytes> {
        self.most.or_else(|| self.meminfo("MemTotal:").map(|total| Bytes((total.as_f64() * HELD) as u64)))
    }

    /// Whether the system is short of memory.
    #[must_use]
    pub fn scarce(&self) -> bool {
        let available = self.meminfo("MemAvailable:").zip(self.meminfo("MemTotal:"));
        let little = available.is_some_and(|(available, total)| available.as_f64() < total.as_f64() * AVAILABLE);
        little
            || std::fs::read_to_string(self.root.join("proc/pressure/memory"))
                .is_ok_and(|text| stalled(&text) >= PRESSURE)
    }

    /// A field of proc_meminfo(5).
    fn meminfo(&self, name: &str) -> Option<Bytes> {
        let text = std::fs::read_to_string(self.root.join("proc/meminfo")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| Bytes(kib.saturating_mul(1024)))
    }
}

/// Share of the last ten seconds in which all tasks waited for memory, in percent: `full avg10` of Linux
/// Documentation/accounting/psi.rst.
fn stalled(pressure: &str) -> f64 {
    let full = pressure.lines().find_map(|line| line.strip_prefix("full avg10="));
    full.and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0.0)
}

/// Systems that tests make up.
#[cfg(test)]
pub(crate) mod fake {
    use std::fs;
    use std::path::Path;

    /// Writes what a system would say of its memory, in KiB, and of its pressure, in percent.
    pub fn system(root: &Path, total: u64, available: u64, pressure: f64) {
        fs::create_dir_all(root.join("proc/pressure")).unwrap();
        fs::write(root.join("proc/meminfo"), format!("MemTotal: {total} kB\nMemAvailable: {available} kB\n")).unwrap();
        let text = format!("some avg10=99.00 avg60=1 avg300=0 total=5\nfull avg10={pressure:.2} avg60=0.00 total=10\n");
        fs::write(root.join("proc/pressure/memory"), text).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scarcity_is_read_from_the_systems_words() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::under(folder.path(), None);
        assert!(!room.scarce() && room.most().is_none());
        let check = |available: u64, pressure: f64, scarce: bool| {
            fake::system(folder.path(), 1000, available, pressure);
            assert_eq!(room.scarce(), scarce, "{available} {pressure}");
        };
        check(500, 0.0, false);
        check(99, 0.0, true);
        check(101, 59.0, false);
        check(500, 61.5, true);
        assert_eq!(room.most(), Some(Bytes(102_400)));
        assert_eq!(Room::under(folder.path(), Some(Bytes(5))).most(), Some(Bytes(5)));
    }
}
