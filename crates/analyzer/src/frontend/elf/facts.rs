//! What an image tells besides its functions: memory, host services, libraries, languages, threads and locks.

use std::collections::BTreeMap;

use forewarm_types::Bytes;
use forewarm_types::demand::{CompileDemand, Contention, IoKind, Parallelism, ParallelismKind};
use forewarm_types::native::{Kit, Linkage, NativeDemand, NativeKind};
use object::elf;

use super::code::Code;
use super::image::{Image, SymbolKind};
use super::scan::Scans;
use super::{interpreters, isa, kits, runtimes};
use crate::frontend::{Facts, Service};

/// Functions named for each kit.
const MOST_NAMED: usize = 6;

/// Longest name of a library or function that is kept, in characters.
const MAX_NAME: usize = 200;

/// Facts of an image, what is known of it as a native program, and what is uncertain; `whole` where all functions were
/// looked at.
pub(crate) fn facts(code: &Code<'_>, scans: &Scans, begin: &[u32], whole: bool) -> (Facts, NativeDemand, Vec<String>) {
    let image = &code.image;
    let (isa, mut warnings) = if whole { isa::demand(code, scans, begin) } else { isa::at_first_sight(code, scans) };
    let runtimes = runtimes::find(image);
    let native = native(code, runtimes);
    if !native.decoded {
        warnings
            .push(format!("code for {} is not decoded: only headers, symbols and libraries were read", native.machine));
    }
    if native.decoded && image.dynamic && !image.imports.is_empty() {
        warnings.push("instructions that shared libraries execute are not counted".to_owned());
    }
    warnings.extend(image.warnings.iter().take(1).cloned());
    let services = services(image);
    let starts_threads = services.iter().any(|service| service.kind == IoKind::Threads);
    let facts = Facts {
        initial_bytes: image.segments.iter().fold(0, |sum, segment| segment.memory_bytes.saturating_add(sum)),
        maximum_bytes: None,
        grows: native.linkage == Linkage::Static || image.imports.iter().any(|name| kits::allocates(name)),
        services,
        libraries: libraries(&native),
        isa,
        contention: contention(code, scans),
        compile: compile(code),
        interpreter: if whole { interpreters::find(code, scans).map(|index| place(code, index)) } else { None },
        ..threads(&native, starts_threads)
            .map_or_else(Facts::default, |parallelism| Facts { parallelism, ..Facts::default() })
    };
    (facts, native, warnings)
}

fn native(code: &Code<'_>, runtimes: Vec<String>) -> NativeDemand {
    let image = &code.image;
    let kind = match image.object_type {
        elf::ET_REL => NativeKind::Object,
        elf::ET_EXEC => NativeKind::Program,
        elf::ET_DYN if image.is_program() => NativeKind::Program,
        elf::ET_DYN => NativeKind::Library,
        _ => NativeKind::Other,
    };
    let own = |kind: SymbolKind| kind != SymbolKind::Other;
    NativeDemand {
        kind,
        machine: machine(image),
        address_bits: if image.is_64 { 64 } else { 32 },
        decoded: image.decodable(),
        unit: "machine instruction".to_owned(),
        linkage: if image.needed.is_empty() && image.interpreter.is_none() {
            Linkage::Static
        } else {
            Linkage::Dynamic
        },
        position_independent: image.object_type == elf::ET_DYN,
        interpreter: image.interpreter.map(short),
        stripped: !image.symbols.iter().any(|symbol| own(symbol.kind) && !symbol.exported),
        runtimes,
        kits: found_kits(image),
        needed: image.needed.iter().map(|name| short(name)).collect(),
        libraries: Vec::new(),
        missing: Vec::new(),
    }
}

fn machine(image: &Image<'_>) -> String {
    let order = if image.little_endian { "" } else { " big-endian" };
    match image.machine {
        elf::EM_X86_64 if image.is_64 => "x86-64".to_owned(),
        elf::EM_X86_64 => "x86-64 with 32-bit addresses".to_owned(),
        elf::EM_386 => "x86".to_owned(),
        elf::EM_AARCH64 => format!("aarch64{order}"),
        elf::EM_ARM => format!("arm{order}"),
        elf::EM_RISCV => "riscv".to_owned(),
        elf::EM_PPC64 => format!("powerpc64{order}"),
        elf::EM_S390 => "s390x".to_owned(),
        elf::EM_MIPS => format!("mips{order}"),
        elf::EM_LOONGARCH => "loongarch".to_owned(),
        elf::EM_BPF => "bpf".to_owned(),
        other => format!("machine {other}"),
    }
}

fn found_kits(image: &Image<'_>) -> Vec<Kit> {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    // A static program has its libraries within: their names are its own symbols.
    let own = image.symbols.iter().filter(|symbol| symbol.kind != SymbolKind::Other && !image.dynamic);
    for name in image.imports.iter().copied().chain(own.map(|symbol| symbol.name)) {
        if let Some(kit) = kits::purpose(name) {
            let via = found.entry(kit).or_default();
            if via.len() < MOST_NAMED {
                via.push(short(name));
            }
        }
    }
    found.into_iter().map(|(name, via)| Kit { name: name.to_owned(), via }).collect()
}

fn services(image: &Image<'_>) -> Vec<Service> {
    let service = |(function, name): (u32, &&str)| {
        let kind = kits::service(name)?;
        Some(Service { kind, via: short(name), function: Some(function) })
    };
    (0..).zip(&image.imports).filter_map(service).collect()
}

fn libraries(native: &NativeDemand) -> Vec<String> {
    let languages = native.runtimes.iter().map(|name| format!("runtime: {name}"));
    let kits = native.kits.iter().map(|kit| format!("kit: {}", kit.name));
    languages.chain(kits).chain(native.needed.iter().cloned()).collect()
}

/// How the program uses threads, where it starts any.
fn threads(native: &NativeDemand, starts: bool) -> Option<Parallelism> {
    let has = |name: &str| native.kits.iter().any(|kit| kit.name == name);
    let go = native.runtimes.iter().any(|name| name == "Go");
    let many = starts || has("OpenMP") || has("TBB") || go;
    many.then_some(Parallelism { kind: ParallelismKind::Threads, max_useful_threads: None })
}

fn contention(code: &Code<'_>, scans: &Scans) -> Vec<Contention> {
    let image = &code.image;
    let lock = |name: &&&str| kits::waits(name);
    let mut out: Vec<Contention> = image
        .imports
        .iter()
        .filter(lock)
        .map(|name| Contention { kind: "lock".to_owned(), location: short(name) })
        .collect();
    let busiest = scans.iter().enumerate().max_by_key(|(index, scan)| (scan.locked, std::cmp::Reverse(*index)));
    if let Some((index, scan)) = busiest.filter(|(_, scan)| scan.locked > 0) {
        let all: u64 = scans.iter().map(|scan| u64::from(scan.locked)).sum();
        let location = format!("{all} locked instructions, {} of them in {}", scan.locked, place(code, index as u32));
        out.push(Contention { kind: "atomic".to_owned(), location });
    }
    out
}

/// A function by place in the list, in words.
fn place(code: &Code<'_>, index: u32) -> String {
    match code.name(code.number(index)) {
        "" => format!("the function at offset {:#x}", code.functions.ranges[index as usize].offset),
        name => short(name),
    }
}

fn compile(code: &Code<'_>) -> CompileDemand {
    let sizes = || code.functions.ranges.iter().map(|range| range.end - range.start);
    CompileDemand {
        code_bytes: Bytes(code.image.code().iter().map(|piece| piece.1.len() as u64).sum()),
        functions: sizes().count() as u64,
        largest_function_bytes: Bytes(sizes().max().unwrap_or(0)),
        ..CompileDemand::default()
    }
}

fn short(name: &str) -> String {
    let end = name.char_indices().nth(MAX_NAME).map_or(name.len(), |next| next.0);
    name[..end].to_owned()
}
