//! What the machine has: processors, instruction-set levels, caches, memory.
//!
//! Read from the system's own description through [`SystemFiles`]; nothing is timed. A file that is missing or makes
//! no sense costs its figure, never the inventory. Whether memory may be made executable and which shares of a core
//! can be enforced cannot be read from a file: the orchestrator fills those in.

use serde::{Deserialize, Serialize};

use forewarm_types::Bytes;
use forewarm_types::host::SystemFiles;

/// A processor of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Processor {
    /// Its name in configurations: `cpu0` for the first package.
    pub name: String,
    /// Model as the system names it.
    pub model: String,
    /// Cores (hardware threads) this process may use.
    pub cores: u32,
    /// Instruction-set level, such as `x86-64-v3`.
    pub isa_level: String,
    /// Single features of interest, such as `avx2`, `sha_ni`.
    pub isa_features: Vec<String>,
    /// Caches, innermost first.
    pub caches: Vec<Cache>,
}

/// A cache level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    /// 1, 2, 3.
    pub level: u32,
    /// Capacity of data.
    pub size_bytes: Bytes,
    /// Line length.
    pub line_bytes: Bytes,
}

/// The name of this machine among nodes.
pub const HERE: &str = "local";

/// What a node has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// The node's name; `local` for this machine.
    pub node: String,
    /// Its processors.
    pub processors: Vec<Processor>,
    /// Physical memory, or the control group's limit where that is less.
    pub memory_bytes: Bytes,
    /// Memory page size.
    pub page_bytes: Bytes,
    /// Whether memory may be made executable; without it only bytecode runs.
    pub executable_memory: bool,
    /// Shares of a core (other than the whole) that can be enforced here.
    pub enforceable_shares: Vec<f64>,
}

impl Inventory {
    /// Cores of all processors.
    #[must_use]
    pub fn cores(&self) -> u32 {
        self.processors.iter().fold(0, |sum, processor| sum.saturating_add(processor.cores))
    }
}

/// Page size where the system does not tell: the smallest of x86-64 and AArch64 alike (their architecture manuals).
const PAGE: Bytes = Bytes(4096);

/// Features of the x86-64 levels beyond the baseline, as /proc/cpuinfo names them (System V psABI for AMD64, 3.1.1:
/// table of micro-architecture levels; `abm` is LZCNT, `pni` SSE3).
const LEVELS: [(&str, &[&str]); 3] = [
    ("x86-64-v2", &["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"]),
    ("x86-64-v3", &["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"]),
    ("x86-64-v4", &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
];

/// Features listed in the inventory where present: those compilers and libraries dispatch on.
const INTERESTING: [&str; 20] = [
    "sse4_1",
    "sse4_2",
    "ssse3",
    "popcnt",
    "avx",
    "avx2",
    "bmi1",
    "bmi2",
    "fma",
    "f16c",
    "abm",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_vnni",
    "amx_tile",
    "aes",
    "pclmulqdq",
    "sha_ni",
    "vaes",
];

/// Features of AArch64 of the same kind.
const INTERESTING_ARM: [&str; 8] = ["asimd", "atomics", "aes", "sha2", "crc32", "sve", "sve2", "asimddp"];

/// Everything the system tells of this machine. `cores_allowed` is what the scheduler lets this process use.
#[must_use]
pub fn detect(files: &dyn SystemFiles, cores_allowed: u32) -> Inventory {
    let cpuinfo = files.read("/proc/cpuinfo").unwrap_or_default();
    let flags = words(&cpuinfo, &["flags", "Features"]);
    let has = |feature: &&str| flags.contains(feature);
    let listed = INTERESTING.iter().chain(&INTERESTING_ARM);
    let processor = Processor {
        name: "cpu0".to_owned(),
        model: field(&cpuinfo, &["model name", "Hardware", "uarch"]).unwrap_or_default().to_owned(),
        cores: cores(files, cores_allowed),
        isa_level: isa_level(&flags),
        isa_features: {
            let mut names: Vec<String> = listed.filter(|f| has(f)).map(|f| (*f).to_owned()).collect();
            names.sort();
            names.dedup();
            names
        },
        caches: caches(files),
    };
    Inventory { processors: vec![processor], memory_bytes: memory(files), ..unknown(cores_allowed) }
}

/// The least that must be known to plan a first run: cores and memory; processor details stay empty. Reads two to
/// four small files, where [`detect`] reads a long one and a dozen small ones.
#[must_use]
pub fn quick(files: &dyn SystemFiles, cores_allowed: u32) -> Inventory {
    Inventory { memory_bytes: memory(files), ..unknown(cores(files, cores_allowed)) }
}

/// A machine of which only the cores are known: no memory figure, features or caches.
#[must_use]
pub fn unknown(cores: u32) -> Inventory {
    let processor = Processor {
        name: "cpu0".to_owned(),
        model: String::new(),
        cores: cores.max(1),
        isa_level: std::env::consts::ARCH.replace('_', "-"),
        isa_features: Vec::new(),
        caches: Vec::new(),
    };
    Inventory {
        node: HERE.to_owned(),
        processors: vec![processor],
        memory_bytes: Bytes::ZERO,
        page_bytes: PAGE,
        executable_memory: true,
        enforceable_shares: Vec::new(),
    }
}

/// The value of the first line that starts with one of the names and a colon.
fn field<'a>(text: &'a str, names: &[&str]) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        names.contains(&name.trim()).then(|| value.trim())
    })
}

fn words<'a>(text: &'a str, names: &[&str]) -> std::collections::BTreeSet<&'a str> {
    field(text, names).unwrap_or_default().split_whitespace().collect()
}

fn isa_level(flags: &std::collections::BTreeSet<&str>) -> String {
    if !flags.contains("lm") {
        return std::env::consts::ARCH.replace('_', "-");
    }
    let reached = LEVELS.iter().take_while(|(_, needed)| needed.iter().all(|feature| flags.contains(feature)));
    reached.last().map_or("x86-64-v1", |(level, _)| level).to_owned()
}

/// The cores allowed, or the control group's quota in whole cores where that is less.
fn cores(files: &dyn SystemFiles, allowed: u32) -> u32 {
    let number = |path: &str| files.read(path).and_then(|text| text.trim().parse::<f64>().ok());
    let v2 = files.read("/sys/fs/cgroup/cpu.max").and_then(|text| {
        let (quota, period) = text.trim().split_once(' ')?;
        Some(quota.parse::<f64>().ok()? / period.trim().parse::<f64>().ok()?)
    });
    let quota = v2.or_else(|| {
        let quota = number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").filter(|quota| *quota > 0.0)?;
        Some(quota / number("/sys/fs/cgroup/cpu/cpu.cfs_period_us").filter(|period| *period > 0.0)?)
    });
    let quota = quota.filter(|cores| cores.is_finite() && *cores > 0.0).map_or(u32::MAX, |cores| cores.ceil() as u32);
    allowed.min(quota).max(1)
}

/// Physical memory, or the smallest limit of the control group (version 2 or 1); zero where nothing tells.
fn memory(files: &dyn SystemFiles) -> Bytes {
    let meminfo = files.read("/proc/meminfo").unwrap_or_default();
    let physical = field(&meminfo, &["MemTotal"])
        .and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(u64::MAX, |kibibytes| kibibytes.saturating_mul(1024));
    let limit = |path| files.read(path).and_then(|text| text.trim().parse::<u64>().ok());
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let least = limits.into_iter().filter_map(limit).fold(physical, u64::min);
    Bytes(if least == u64::MAX { 0 } else { least })
}

/// Data and unified caches of the first core, innermost first.
fn caches(files: &dyn SystemFiles) -> Vec<Cache> {
    // Four indices are the most Linux shows for processors in use: L1 data, L1 instruction, L2, L3.
    (0..4).filter_map(|index| cache(files, index)).collect()
}

fn cache(files: &dyn SystemFiles, index: u32) -> Option<Cache> {
    let read = |name: &str| files.read(&format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{name}"));
    if read("type").is_some_and(|kind| kind.trim() == "Instruction") {
        return None;
    }
    let line = read("coherency_line_size").and_then(|text| text.trim().parse().ok()).unwrap_or(64);
    Some(Cache {
        level: read("level")?.trim().parse().ok()?,
        size_bytes: size(&read("size")?)?,
        line_bytes: Bytes(line),
    })
}

/// A size as sysfs writes it: `32K`, `8M`, `512`.
fn size(text: &str) -> Option<Bytes> {
    let text = text.trim();
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    let factor = match unit {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor).map(Bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    struct Files(BTreeMap<String, String>);

    impl SystemFiles for Files {
        fn read(&self, path: &str) -> Option<String> {
            self.0.get(path).cloned()
        }
    }

    fn files(rows: &[(&str, &str)]) -> Files {
        Files(rows.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    fn level_of(flags: &str, expected: &str) {
        let inventory = detect(&files(&[("/proc/cpuinfo", &format!("flags\t\t: {flags}\n"))]), 2);
        assert_eq!(inventory.processors[0].isa_level, expected);
    }

    const V2: &str = "lm cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3";
    const V3: &str = "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave";

    #[test]
    fn levels_follow_the_abi() {
        level_of("lm sse2", "x86-64-v1");
        level_of(V2, "x86-64-v2");
        level_of(&format!("{V2} {V3}"), "x86-64-v3");
        level_of(&format!("{V2} {V3} avx512f avx512bw avx512cd avx512dq avx512vl"), "x86-64-v4");
        level_of(&format!("lm {V3} avx512f"), "x86-64-v1");
    }

    #[test]
    fn a_machine_is_read_whole() {
        let cache = "/sys/devices/system/cpu/cpu0/cache";
        let rows = [
            (
                "/proc/cpuinfo".to_owned(),
                format!("processor : 0\nmodel name\t: AMD EPYC\nflags : {V2} sha_ni\n\nprocessor : 1\n"),
            ),
            ("/proc/meminfo".to_owned(), "MemTotal:  16384 kB\nMemFree: 1 kB\n".to_owned()),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes".to_owned(), "8388608\n".to_owned()),
            (format!("{cache}/index0/level"), "1".to_owned()),
            (format!("{cache}/index0/type"), "Data\n".to_owned()),
            (format!("{cache}/index0/size"), "32K\n".to_owned()),
            (format!("{cache}/index0/coherency_line_size"), "64\n".to_owned()),
            (format!("{cache}/index1/level"), "1".to_owned()),
            (format!("{cache}/index1/type"), "Instruction".to_owned()),
            (format!("{cache}/index1/size"), "32K".to_owned()),
            (format!("{cache}/index2/level"), "2".to_owned()),
            (format!("{cache}/index2/type"), "Unified".to_owned()),
            (format!("{cache}/index2/size"), "1M".to_owned()),
        ];
        let inventory = detect(&Files(rows.into_iter().collect()), 2);
        assert_eq!(inventory.memory_bytes, Bytes(8 << 20));
        let processor = &inventory.processors[0];
        assert_eq!((processor.model.as_str(), processor.cores), ("AMD EPYC", 2));
        assert!(processor.isa_features.contains(&"sha_ni".to_owned()));
        let sizes: Vec<_> = processor.caches.iter().map(|cache| (cache.level, cache.size_bytes.0)).collect();
        assert_eq!(sizes, [(1, 32 << 10), (2, 1 << 20)]);
    }

    #[test]
    fn quotas_bound_the_cores() {
        let quota = |rows: &[(&str, &str)]| quick(&files(rows), 8).cores();
        assert_eq!(quota(&[("/sys/fs/cgroup/cpu.max", "150000 100000\n")]), 2);
        assert_eq!(quota(&[("/sys/fs/cgroup/cpu.max", "max 100000\n")]), 8);
        let v1 = [("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1"), ("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")];
        assert_eq!(quota(&v1), 8);
    }

    #[test]
    fn nothing_readable_is_still_an_inventory() {
        let inventory = detect(&files(&[]), 0);
        assert_eq!((inventory.cores(), inventory.memory_bytes), (1, Bytes::ZERO));
        assert!(inventory.processors[0].caches.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,80}", size in "\\PC{0,8}") {
            let paths = ["/proc/cpuinfo", "/proc/meminfo", "/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/memory.max"];
            let mut rows: BTreeMap<String, String> = paths.map(|path| (path.to_owned(), text.clone())).into();
            rows.insert("/sys/devices/system/cpu/cpu0/cache/index0/level".into(), text.clone());
            rows.insert("/sys/devices/system/cpu/cpu0/cache/index0/size".into(), size);
            let inventory = detect(&Files(rows), 4);
            prop_assert!((1..=4).contains(&inventory.cores()));
        }
    }
}
