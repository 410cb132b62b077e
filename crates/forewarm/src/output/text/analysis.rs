//! The page of `forewarm analyze`: what a program needs, where the time will go, and what is uncertain.

use std::collections::BTreeMap;
use std::path::Path;

use forewarm_types::demand::{Allocation, Dependence, IoDemand, ParallelismKind, Region, RegionKind};
use forewarm_types::python::Gil;
use forewarm_types::{Analysis, DemandProfile};

use super::words::{class, gain, plain};
use super::{WIDTH, heading, line, native};
use crate::human;

/// Regions shown: beyond the fifth few matter.
const REGIONS: usize = 5;
/// Operator classes shown.
const CLASSES: usize = 6;
/// Share of a loop's work from which on the loop inside it is all there is to it.
const NEST: f64 = 0.9;
/// Share of the run that a function does outside of what it calls, from which on it is worth a line.
const OWN: f64 = 0.02;
/// Imports named for each kind of host service.
const IMPORTS: usize = 6;

/// How an algorithm is told among the libraries.
const ALGORITHM: &str = "algorithm: ";

/// The whole page.
pub(super) fn page(file: &Path, analysis: &Analysis) -> String {
    let mut page = heading(file, &analysis.code);
    page += "\nWhat it needs\n";
    page.extend(analysis.native.as_ref().map(native::needs));
    if let Some(python) = &analysis.python {
        page += &super::python::needs(&analysis.profile, python);
    }
    page += &needs(analysis);
    page += "\nWhere it will spend its time\n";
    let telling = telling(&analysis.regions);
    if telling.is_empty() {
        page += "  no loop or function stands out\n";
    }
    page.extend(telling.iter().take(REGIONS).enumerate().map(|(index, region)| show(index + 1, region)));
    if telling.len() > REGIONS {
        page += &format!("  and {} more (--format json shows all)\n", telling.len() - REGIONS);
    }
    page += "\nWhat is uncertain\n";
    if analysis.warnings.is_empty() {
        page += "  nothing that matters\n";
    }
    for warning in &analysis.warnings {
        page += &human::item(warning, 2, WIDTH);
    }
    let seconds = human::seconds(analysis.seconds);
    page += &format!("\nanalysed in {seconds}, without running it; nine runs of ten should lie within the ranges\n");
    page
}

/// The regions worth naming: loops, but of a nest only those that say something of their own, and functions that do much
/// outside their loops. Every caller of a hot function has its share too; naming it adds nothing.
fn telling(regions: &[Region]) -> Vec<&Region> {
    let inside = |outer: &Region, inner: &Region| {
        let same = inner.kind == RegionKind::Loop && inner.function == outer.function;
        same && inner.depth > outer.depth && inner.offset > outer.offset
    };
    let says = |region: &&Region| match region.kind {
        _ if region.share <= 0.0 => false,
        // Not one that is there for the one inside it, nor one that only calls what does the work.
        RegionKind::Loop => {
            let nested = || regions.iter().filter(|inner| inside(region, inner));
            let own = region.self_share + nested().map(|inner| inner.self_share).sum::<f64>();
            own > OWN && (!region.flags.is_empty() || !nested().any(|inner| inner.share > NEST * region.share))
        }
        RegionKind::Function => {
            let told = |inner: &Region| inside(region, inner) && inner.share > region.self_share / 2.0;
            region.self_share > OWN && !regions.iter().any(told)
        }
    };
    regions.iter().filter(says).collect()
}

/// What any program needs, but for what was said of a Python program, or of a native one's libraries.
fn needs(analysis: &Analysis) -> String {
    let profile = &analysis.profile;
    let mut text = String::new();
    let whole = analysis.python.is_none();
    if whole {
        text += &line("operators", &operators(profile));
        let mix = mix(profile);
        if !mix.is_empty() {
            text += &line("of these", &mix);
        }
        text += &memory(profile);
    }
    text += &line("parallelism", &parallelism(profile));
    for (kind, via) in services(&profile.io) {
        text += &line(&kind, &via);
    }
    let isa = &profile.isa;
    let named = |algorithms: bool| -> Vec<String> {
        let strip = |name: &String| match name.strip_prefix(ALGORITHM) {
            Some(algorithm) => algorithms.then(|| algorithm.to_owned()),
            None => (!algorithms).then(|| name.clone()),
        };
        profile.libraries.iter().filter_map(strip).collect()
    };
    let lists = [
        ("crypto", &named(true)),
        ("made with", &if whole && analysis.native.is_none() { named(false) } else { Vec::new() }),
        ("requires", &isa.required),
        ("may use", &isa.may_use),
    ];
    text.extend(
        lists.iter().filter(|(_, names)| !names.is_empty()).map(|(label, names)| line(label, &names.join(", "))),
    );
    if whole {
        text += &line("to compile", &compilation(profile));
    }
    text + &contention(profile)
}

/// What the program may wait for, by kind.
fn contention(profile: &DemandProfile) -> String {
    let mut kinds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in &profile.contention {
        let place = entry.location.split(' ').map(plain).collect::<Vec<_>>().join(" ");
        kinds.entry(&entry.kind).or_default().push(place);
    }
    kinds.iter().map(|(kind, places)| line("contention", &format!("{kind}: {}", places.join(", ")))).collect()
}

fn operators(profile: &DemandProfile) -> String {
    let total = human::told(profile.ops.total, human::count);
    if profile.input_dependent { format!("{total}; depends on the input") } else { total }
}

/// The operator classes by falling share.
fn mix(profile: &DemandProfile) -> String {
    let mut classes: Vec<_> = profile.ops.classes.iter().map(|(kind, e)| (class(*kind), e.expected)).collect();
    let sum: f64 = classes.iter().map(|(_, count)| count).sum();
    if sum <= 0.0 {
        return String::new();
    }
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    let shown = classes.iter().take(CLASSES).filter(|(_, count)| *count > 0.0);
    shown.map(|(name, count)| format!("{name} {}", human::percent(count / sum))).collect::<Vec<_>>().join(", ")
}

fn memory(profile: &DemandProfile) -> String {
    let memory = &profile.memory;
    let limit = memory
        .maximum_bytes
        .map_or_else(|| "no limit of its own".to_owned(), |max| format!("at most {}", human::size(max)));
    let peak = human::told(memory.peak_bytes, human::bytes);
    let mut text = line("memory", &format!("starts with {}, peak {peak}, {limit}", human::size(memory.initial_bytes)));
    let told = |what: &str, bytes| format!("{what} {}", human::told(Some(bytes), human::bytes));
    let moved = memory.traffic_bytes.map(|bytes| told("moves", bytes));
    let touched = memory.footprint_bytes.map(|bytes| told("loops touch", bytes));
    let traffic: Vec<String> = moved.into_iter().chain(touched).collect();
    if !traffic.is_empty() {
        text += &line("traffic", &traffic.join("; "));
    }
    let asks: Vec<String> = memory.allocations.iter().map(asks).collect();
    if !asks.is_empty() {
        text += &line("allocation", &asks.join(", "));
    }
    text
}

/// A way of asking for memory, with how often or how much where that is known.
fn asks(allocation: &Allocation) -> String {
    let name = plain(&allocation.via);
    match (allocation.calls, allocation.bytes) {
        (_, Some(bytes)) => format!("{name} for {}", human::bytes(bytes.expected)),
        (Some(calls), None) => format!("{name} {} times", human::count(calls.expected.ceil())),
        (None, None) => name,
    }
}

fn parallelism(profile: &DemandProfile) -> String {
    let kind = match profile.parallelism.kind {
        ParallelismKind::Serial => "one thread",
        ParallelismKind::DataParallel => "iterations could run at once, though the code does not",
        ParallelismKind::Threads => "starts threads itself",
    };
    match profile.parallelism.max_useful_threads {
        Some(useful) if useful.expected > 1.0 => {
            format!("{kind}; useful up to {} threads", human::count(useful.expected))
        }
        _ => kind.to_owned(),
    }
}

/// Host services by kind, with the names of their imports.
fn services(io: &[IoDemand]) -> Vec<(String, String)> {
    let mut kinds: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for demand in io {
        // A module's import is `module.name`; a component's an interface, whose version has the dots.
        let name = match demand.via.split_once('@') {
            Some((interface, _)) => interface,
            None => demand.via.rsplit_once('.').map_or(demand.via.as_str(), |(_, name)| name),
        };
        let names = kinds.entry(demand.kind).or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let show = |names: Vec<&str>| {
        let more = names.len().saturating_sub(IMPORTS);
        let list = names[..names.len() - more].join(", ");
        if more == 0 { list } else { format!("{list} and {more} more") }
    };
    kinds.into_iter().map(|(kind, names)| (kebab(&format!("{kind:?}")), show(names))).collect()
}

/// `NeuralNetwork` as `neural-network`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_uppercase() && index > 0 {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

fn compilation(profile: &DemandProfile) -> String {
    let compile = &profile.compile;
    let functions = human::count(compile.functions as f64);
    let plural = if compile.functions == 1 { "" } else { "s" };
    let mut text = format!("{} of code in {functions} function{plural}", human::size(compile.code_bytes));
    text.extend(compile.unsupported.iter().map(|(tier, feature)| format!("; not by {tier} ({feature})")));
    text
}

fn show(rank: usize, region: &Region) -> String {
    let what = match region.kind {
        RegionKind::Loop => format!("loop in {}", plain(&region.function)),
        RegionKind::Function => format!("function {}", plain(&region.function)),
    };
    let depth = if region.depth > 0 { format!(", depth {}", region.depth) } else { String::new() };
    let share = human::percent(region.share);
    let place = region.location.clone().unwrap_or_else(|| format!("offset {:#x}", region.offset));
    let mut text = format!("  {rank}. {share} in {what} ({place}{depth})\n");
    for fact in [trips(region), dependence(region), traffic(region), lock(region)].into_iter().flatten() {
        text += &human::wrap(&fact, 5, WIDTH);
    }
    for flag in &region.flags {
        let precision = flag.confidence.map(|c| format!(" (rule right on {} of labelled kernels)", human::percent(c)));
        let words = format!("{}: {}{}", gain(&flag.benefits_from), flag.reason, precision.unwrap_or_default());
        text += &human::wrap(&words, 5, WIDTH);
    }
    text
}

fn trips(region: &Region) -> Option<String> {
    if region.kind != RegionKind::Loop {
        return None;
    }
    let expression = region.trip_expression.as_ref().map(|text| format!(", as {text}"));
    let count = human::told(region.trip_count, human::count);
    Some(format!("trip count {count}{}", expression.unwrap_or_default()))
}

/// What a region of Python does with the interpreter's lock.
fn lock(region: &Region) -> Option<String> {
    let words = match region.gil? {
        Gil::Holds => "holds the interpreter's lock",
        Gil::Releases => "its libraries give up the interpreter's lock",
        Gil::Depends => "holds the interpreter's lock except in libraries",
    };
    Some(words.to_owned())
}

fn dependence(region: &Region) -> Option<String> {
    if region.kind != RegionKind::Loop {
        return None;
    }
    let reason = || region.dependence_reason.clone();
    let words = match region.dependence {
        Dependence::Independent => "iterations are independent".to_owned(),
        Dependence::Reduction if region.reductions.is_empty() => "iterations only accumulate".to_owned(),
        Dependence::Reduction => format!("iterations only accumulate ({})", region.reductions.join(", ")),
        Dependence::Carried => reason().unwrap_or_else(|| "each iteration needs the one before".to_owned()),
        Dependence::Unknown => match (&region.dependence_condition, reason()) {
            (Some(condition), _) => format!("iterations are independent {condition}"),
            (None, Some(reason)) => format!("no telling whether iterations depend on each other: {reason}"),
            (None, None) => "no telling whether iterations depend on each other".to_owned(),
        },
    };
    Some(words)
}

/// What a loop does with memory.
fn traffic(region: &Region) -> Option<String> {
    let accesses = region.accesses.as_ref()?;
    let all = accesses.contiguous + accesses.strided + accesses.invariant + accesses.indirect;
    let widest = accesses.stride_bytes.iter().map(|bytes| bytes.unsigned_abs()).max();
    let mut words: Vec<String> = Vec::new();
    if accesses.strided > 0 {
        let strides = widest
            .map_or("by amounts fixed while it runs".to_owned(), |b| format!("of up to {}", human::bytes(b as f64)));
        words.push(format!("memory in strides {strides}"));
    } else if accesses.contiguous > 0 {
        words.push("memory in order".to_owned());
    }
    if accesses.indirect > 0 {
        words.push(format!("{} of {all} addresses are computed from data", accesses.indirect));
    }
    if all == 0 {
        return None;
    }
    words.extend(region.footprint_bytes.map(|bytes| format!("touches {} each time", human::bytes(bytes.expected))));
    let moved = region.traffic_bytes.filter(|bytes| bytes.expected >= 1.0);
    words.extend(moved.map(|bytes| format!("moves {} in all", human::bytes(bytes.expected))));
    Some(words.join(", "))
}

#[cfg(test)]
mod tests {
    use forewarm_types::demand::{AccessPattern, CompileDemand, Flag, IoKind, IsaDemand, MemoryDemand, Parallelism};
    use forewarm_types::{Basis, Bytes, CodeInfo, CodeKind, Digest, Estimate, OpClass, OpMix, Tier};

    use super::*;

    fn region(kind: RegionKind, share: f64, flags: Vec<Flag>) -> Region {
        Region {
            function: "matmul".into(),
            kind,
            offset: 0x1234,
            depth: 3,
            share,
            trip_count: Some(Estimate::exact(256.0, Basis::Static)),
            self_share: if kind == RegionKind::Loop { share } else { 0.0 },
            trip_expression: Some("n".into()),
            dependence: Dependence::Reduction,
            dependence_reason: None,
            dependence_condition: None,
            reductions: vec!["float sum".into()],
            accesses: (kind == RegionKind::Loop).then(|| AccessPattern {
                contiguous: 1,
                strided: 1,
                stride_bytes: vec![8, 2048],
                ..AccessPattern::default()
            }),
            footprint_bytes: Some(Estimate::exact(4096.0, Basis::Static)),
            traffic_bytes: Some(Estimate::exact(268_435_456.0, Basis::Static)),
            flags,
            location: None,
            gil: None,
        }
    }

    fn sample() -> Analysis {
        let exact = |value| Estimate::exact(value, Basis::Static);
        let classes = [(OpClass::IntAlu, exact(60.0)), (OpClass::Local, exact(40.0))].into();
        let ops = OpMix { total: Some(Estimate::new(5e8, 1e9, 3e9, Basis::Static)), classes, ..OpMix::default() };
        let io = |via: &str| IoDemand { kind: IoKind::Filesystem, via: via.to_owned(), calls: None };
        let flag =
            Flag { benefits_from: "simd".into(), reason: "independent float operations".into(), confidence: Some(0.9) };
        Analysis {
            code: CodeInfo {
                digest: Digest([0xab; 32]),
                kind: CodeKind::WasmModule,
                size_bytes: Bytes(1 << 20),
                entry: "_start".into(),
            },
            profile: DemandProfile {
                ops,
                memory: MemoryDemand {
                    initial_bytes: Bytes(1 << 16),
                    maximum_bytes: None,
                    peak_bytes: Some(exact(131_072.0)),
                    traffic_bytes: Some(exact(1e9)),
                    footprint_bytes: Some(exact(1_572_864.0)),
                    allocations: vec![Allocation { via: "malloc".into(), calls: Some(exact(3.0)), bytes: None }],
                },
                parallelism: Parallelism { kind: ParallelismKind::Serial, max_useful_threads: None },
                io: vec![io("wasi_snapshot_preview1.fd_read"), io("wasi_snapshot_preview1.fd_write")],
                libraries: vec!["algorithm: AES".into(), "language: Rust".into()],
                isa: IsaDemand::default(),
                contention: Vec::new(),
                compile: CompileDemand {
                    code_bytes: Bytes(900 << 10),
                    functions: 1234,
                    largest_function_bytes: Bytes(4096),
                    unsupported: [(Tier::Winch, "tail calls".to_owned())].into(),
                },
                input_dependent: true,
            },
            regions: vec![
                region(RegionKind::Function, 1.0, vec![]),
                region(RegionKind::Loop, 0.63, vec![flag]),
                Region {
                    function: "_ZN4core5slice4sort6stable17h0123456789abcdefE".into(),
                    offset: 0x2345,
                    depth: 1,
                    dependence: Dependence::Unknown,
                    dependence_condition: Some("if [p0, p0 + 400) and [p1, p1 + 400) do not overlap".into()),
                    ..region(RegionKind::Loop, 0.2, vec![])
                },
            ],
            warnings: vec!["the trip count of a loop in main depends on what is read".into()],
            native: None,
            python: None,
            seconds: 0.0031,
        }
    }

    #[test]
    fn every_line_fits() {
        let page = page("matmul.wasm".as_ref(), &sample());
        assert!(page.lines().all(|line| line.chars().count() <= WIDTH), "{page}");
    }

    #[test]
    fn the_page_reads_well() {
        insta::assert_snapshot!(page("matmul.wasm".as_ref(), &sample()), @r"
        matmul.wasm
          wasm-module, 1.00 MiB, _start, sha256:abababababab

        What it needs
          operators   1.00 billion (500 million to 3.00 billion); depends on the input
          of these    integer arithmetic 60 %, moves 40 %
          memory      starts with 64.0 KiB, peak 128 KiB, no limit of its own
          traffic     moves 954 MiB; loops touch 1.50 MiB
          allocation  malloc 3 times
          parallelism one thread
          filesystem  fd_read, fd_write
          crypto      AES
          made with   language: Rust
          to compile  900 KiB of code in 1234 functions; not by winch (tail calls)

        Where it will spend its time
          1. 63 % in loop in matmul (offset 0x1234, depth 3)
             trip count 256, as n
             iterations only accumulate (float sum)
             memory in strides of up to 2.00 KiB, touches 4.00 KiB each time, moves 256 MiB in all
             gains from vectors: independent float operations (rule right on 90 % of labelled kernels)
          2. 20 % in loop in core::slice::sort::stable (offset 0x2345, depth 1)
             trip count 256, as n
             iterations are independent if [p0, p0 + 400) and [p1, p1 + 400) do not overlap
             memory in strides of up to 2.00 KiB, touches 4.00 KiB each time, moves 256 MiB in all

        What is uncertain
          - the trip count of a loop in main depends on what is read

        analysed in 3.10 ms, without running it; nine runs of ten should lie within the ranges
        ");
    }
}
