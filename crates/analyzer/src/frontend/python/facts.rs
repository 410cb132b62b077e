//! What a Python program's files tell besides control flow: imports resolved, libraries used, the interpreter's lock,
//! memory flags, and what is uncertain in words.

use std::collections::{BTreeSet, HashMap, HashSet};

use forewarm_types::demand::{Contention, Parallelism, ParallelismKind};
use forewarm_types::python::{
    Distribution, Gil, Import, ImportOrigin, ImportTime, LibraryKind, LibraryUse, MemoryFlag,
};
use forewarm_types::{Basis, Estimate};

use super::analyze::PythonSource;
use super::closure::Closure;
use super::emit::Use;
use super::files::Files;
use crate::environment::Environment;
use crate::frontend::{Facts, Service};

/// Names that the file of a handler is likely to have (DESIGN, section 6).
const HANDLERS: [&str; 2] = ["handler", "lambda_handler"];

/// Modules named in a warning.
const NAMED: usize = 5;

/// `file:line` of an offset; the file by its own name.
pub(super) fn place(lines: &mut Lines, files: &Files, file: u32, offset: u32) -> String {
    let label = files.files.get(file as usize).map_or("", |file| file.label.as_str());
    format!("{}:{}", label.rsplit('/').next().unwrap_or(label), lines.line(files, file, offset))
}

/// The line of a function's definition.
pub(super) fn line_of(lines: &mut Lines, files: &Files, function: u32) -> u32 {
    files.sheet.defs.get(&function).map_or(0, |def| lines.line(files, def.file, def.offset))
}

/// Files whose top level runs when the program is loaded.
pub(super) fn static_files(files: &Files) -> HashSet<u32> {
    let numbers: HashMap<&str, u32> =
        files.files.iter().enumerate().map(|(number, file)| (file.module.as_str(), number as u32)).collect();
    let mut out = HashSet::new();
    // The file given is the last one, after all those it imports.
    let mut waiting: Vec<u32> = (files.files.len() as u32).checked_sub(1).into_iter().collect();
    if files.files.len() == 1 {
        return waiting.into_iter().collect();
    }
    while let Some(file) = waiting.pop() {
        if !out.insert(file) {
            continue;
        }
        let at_load = |when| !matches!(when, ImportTime::Lazy | ImportTime::Never);
        for found in files.sheet.imports.iter().filter(|found| found.file == file && at_load(found.when)) {
            let below = found.names.iter().map(|name| format!("{}.{name}", found.module));
            let above = found.module.match_indices('.').map(|(end, _)| found.module[..end].to_owned());
            let all = [found.module.clone()].into_iter().chain(below).chain(above);
            waiting.extend(all.filter_map(|module| numbers.get(module.as_str())));
        }
    }
    out
}

/// The functions that are files' top levels: of those loaded at once, and of those loaded later.
pub(super) fn tops(files: &Files) -> (Vec<u32>, Vec<u32>) {
    let statics = static_files(files);
    let tops = files.files.iter().enumerate().map(|(number, file)| (statics.contains(&(number as u32)), file.top));
    let (first, later): (Vec<_>, Vec<_>) = tops.partition(|(at_once, _)| *at_once);
    (first.into_iter().map(|top| top.1).collect(), later.into_iter().map(|top| top.1).collect())
}

/// The imports, resolved.
pub(super) fn imports(
    lines: &mut Lines,
    files: &Files,
    environment: &dyn Environment,
    interpreter: bool,
) -> Vec<Import> {
    let mut out: Vec<Import> = Vec::new();
    for found in &files.sheet.imports {
        let file = environment.find(&found.module);
        let origin = match &file {
            Some(file) => file.origin,
            None if interpreter => ImportOrigin::Missing,
            None => ImportOrigin::Unknown,
        };
        out.push(Import {
            module: found.module.clone(),
            line: lines.line(files, found.file, found.offset),
            when: found.when,
            function: found.function.and_then(|function| files.sheet.defs.get(&function)).map(|def| def.name.clone()),
            origin,
            distribution: file.and_then(|file| file.distribution).map(|name| name.to_string()),
        });
    }
    out
}

/// Bytes whose line breaks are counted together.
const CHUNK: usize = 1024;

/// Lines of many offsets: each file's line breaks are counted once, by chunks.
#[derive(Default)]
pub(super) struct Lines {
    before: HashMap<u32, Vec<u32>>,
}

impl Lines {
    fn line(&mut self, files: &Files, file: u32, offset: u32) -> u32 {
        let text = files.files.get(file as usize).map_or(&[][..], |file| file.text.as_bytes());
        let breaks = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u32;
        let before = self.before.entry(file).or_insert_with(|| {
            let counts = text.chunks(CHUNK).scan(0, |sum, chunk| {
                let before = *sum;
                *sum += breaks(chunk);
                Some(before)
            });
            counts.collect()
        });
        let offset = (offset as usize).min(text.len());
        let chunk = offset / CHUNK;
        before.get(chunk).copied().unwrap_or(0) + breaks(text.get(chunk * CHUNK..offset).unwrap_or_default()) + 1
    }
}

fn sorted_uses(files: &Files) -> Vec<&Use> {
    let mut uses: Vec<&Use> = files.sheet.uses.values().collect();
    uses.sort_by(|a, b| (a.file, a.offset, &a.call).cmp(&(b.file, b.offset, &b.call)));
    uses
}

/// Uses of libraries, in the order of the source; imports that nothing is called of come last.
pub(super) fn uses(lines: &mut Lines, files: &Files) -> Vec<LibraryUse> {
    let mut out: Vec<LibraryUse> = Vec::new();
    for entry in sorted_uses(files) {
        out.push(LibraryUse {
            library: entry.library.name.to_owned(),
            kind: entry.library.kind,
            gil: entry.library.gil,
            call: entry.call.clone(),
            line: lines.line(files, entry.file, entry.offset),
            function: files.sheet.defs.get(&entry.function).map(|def| def.name.clone()).unwrap_or_default(),
            places: entry.places,
            in_loop: entry.in_loop,
        });
    }
    for found in files.sheet.imports.iter().filter(|found| found.when != ImportTime::Never) {
        let Some(library) = super::libraries::find(&found.module) else { continue };
        if out.iter().any(|known| known.library == library.name) {
            continue;
        }
        let function = found.function.and_then(|function| files.sheet.defs.get(&function));
        out.push(LibraryUse {
            library: library.name.to_owned(),
            kind: library.kind,
            gil: library.gil,
            call: "import".to_owned(),
            line: lines.line(files, found.file, found.offset),
            function: function.map_or_else(|| "<module>".to_owned(), |def| def.name.clone()),
            places: 1,
            in_loop: false,
        });
    }
    out
}

pub(super) fn memory_flags(lines: &mut Lines, files: &Files) -> Vec<MemoryFlag> {
    let flags = files.sheet.memory_flags.iter();
    flags.map(|(file, flag, offset)| MemoryFlag { line: lines.line(files, *file, *offset), ..flag.clone() }).collect()
}

/// What the profile says besides counts.
pub(super) fn facts(lines: &mut Lines, files: &Files, distributions: &[Distribution], interpreter: bool) -> Facts {
    let mut services: Vec<Service> = files
        .sheet
        .hosts
        .iter()
        .map(|(via, &(function, kind))| Service { kind, via: via.clone(), function: Some(function) })
        .collect();
    services.sort_by(|a, b| a.via.cmp(&b.via));
    let mut names: BTreeSet<String> =
        distributions.iter().map(|found| format!("{} {}", found.name, found.version)).collect();
    if !interpreter {
        names.extend(files.sheet.uses.values().map(|entry| entry.library.name.to_owned()));
    }
    Facts {
        services,
        libraries: names.into_iter().collect(),
        parallelism: parallelism(files),
        contention: contention(lines, files),
        ..Facts::default()
    }
}

fn parallelism(files: &Files) -> Parallelism {
    let uses = || files.sheet.uses.values();
    let threads = uses().any(|entry| matches!(entry.library.kind, LibraryKind::Thread));
    let processes = uses().any(|entry| entry.library.kind == LibraryKind::Process && !starts_a_program(&entry.call));
    let inside = uses().any(|entry| entry.library.kind == LibraryKind::Tensor || linear_algebra(&entry.call));
    let releasing = uses().any(|entry| {
        entry.library.gil != Gil::Holds && !matches!(entry.library.kind, LibraryKind::Thread | LibraryKind::Process)
    });
    let one = Some(Estimate::exact(1.0, Basis::Static));
    match (threads || processes || inside, processes || inside || releasing) {
        (true, true) => Parallelism { kind: ParallelismKind::Threads, max_useful_threads: None },
        // Threads that never give up the lock run one at a time.
        (true, false) => Parallelism { kind: ParallelismKind::Threads, max_useful_threads: one },
        (false, _) => Parallelism { kind: ParallelismKind::Serial, max_useful_threads: one },
    }
}

/// Processes that run something other than this program's code.
fn starts_a_program(call: &str) -> bool {
    call.starts_with("subprocess") || call.starts_with("os.")
}

/// Routines that NumPy and SciPy hand to a BLAS with threads of its own (NumPy, "Linear algebra", "Note on threads").
fn linear_algebra(call: &str) -> bool {
    let last = call.rsplit('.').next().unwrap_or(call);
    (call.starts_with("numpy") || call.starts_with("scipy"))
        && (call.contains(".linalg.") || matches!(last, "dot" | "matmul" | "vdot" | "inner" | "tensordot"))
}

/// Threads that interpret share one lock.
fn contention(lines: &mut Lines, files: &Files) -> Vec<Contention> {
    let starts = |entry: &&Use| entry.library.kind == LibraryKind::Thread;
    let mut point =
        |entry: &Use| Contention { kind: "gil".to_owned(), location: place(lines, files, entry.file, entry.offset) };
    sorted_uses(files).into_iter().filter(starts).map(&mut point).collect()
}

/// Says what is uncertain and why.
pub(super) fn warn(
    warnings: &mut Vec<String>,
    files: &Files,
    imports: &[Import],
    closure: &Closure<'_>,
    interpreter: bool,
    source: &PythonSource<'_>,
) {
    if !files.sheet.uses.is_empty() {
        warnings.push("what libraries do inside their own code is not counted".to_owned());
    }
    warnings.extend(files.broken.iter().map(|error| format!("a file it imports cannot be read: {error}")));
    let needed = |import: &&Import| matches!(import.when, ImportTime::Static | ImportTime::Lazy);
    let missing: BTreeSet<&str> = imports
        .iter()
        .filter(|import| import.origin == ImportOrigin::Missing)
        .filter(needed)
        .map(|import| import.module.as_str())
        .collect();
    if !missing.is_empty() {
        let named: Vec<&str> = missing.iter().take(NAMED).copied().collect();
        let more = missing.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        warnings.push(format!("not installed for this interpreter: {}{more}", named.join(", ")));
    }
    if !interpreter && !imports.is_empty() {
        warnings.push(
            "no Python interpreter was found: what imports lead to is not known; name one with --python".to_owned(),
        );
    }
    if closure.cut {
        warnings.push("imports lead to more modules than were looked at".to_owned());
    }
    let unmeasured = closure.phase(0);
    if interpreter && unmeasured.modules > unmeasured.modules_measured {
        let of = unmeasured.modules;
        let count = of - unmeasured.modules_measured;
        warnings.push(format!(
            "what importing costs was not measured for {count} of {of} modules: forewarm emulate measures it"
        ));
    }
    let handler =
        HANDLERS.iter().find(|name| matches!(files.globals.get(**name), Some(super::emit::Fixed::Function(_))));
    if let Some(name) = handler.filter(|_| source.handler.is_none()) {
        warnings.push(format!("read as a script; --handler {name} tells what a call of {name} costs"));
    }
}
