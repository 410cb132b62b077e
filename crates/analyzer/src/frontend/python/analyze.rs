//! A Python program from its bytes to the result: files laid out, phases told apart, imports resolved, and what the
//! shared analyses find told in Python's terms.

use std::collections::{BTreeMap, HashSet};

use forewarm_types::demand::{Dependence, Flag, Region, RegionKind};
use forewarm_types::python::{Gil, Handler, ImportTime, Phase, PythonDemand};
use forewarm_types::{Analysis, Basis, Bytes, CodeInfo, CodeKind, Digest, Estimate};

use super::closure::Closure;
use super::emit::Fixed;
use super::files::{self, Files};
use super::{facts, libraries};
use crate::environment::Environment;
use crate::error::AnalyzeError;
use crate::frontend::Detail;
use crate::program::{Node, Program};
use crate::summary::{self, Run};
use crate::{Depth, profile, regions};

/// Share of the run from which on a region is worth a flag.
const WORTH: f64 = 0.05;

/// Iterations from which on leaving the interpreter for an array library pays: the call itself takes about as long as
/// fifty bytecode operations. A default.
const WORTH_AN_ARRAY: f64 = 100.0;

/// What is asked about a Python file.
#[derive(Clone, Copy)]
pub struct PythonSource<'a> {
    /// Its name or path, for messages and for the prefix of a handler's name.
    pub file_name: &'a str,
    /// The function called for each event, as `handler` or `file.handler`; `None` for a script.
    pub handler: Option<&'a str>,
    /// What lies around it.
    pub environment: &'a dyn Environment,
}

/// See [`crate::analyze_python`].
pub(crate) fn analyze(
    bytes: &[u8],
    digest: Digest,
    size_bytes: Bytes,
    depth: Depth,
    source: &PythonSource<'_>,
) -> Result<Analysis, AnalyzeError> {
    let environment = source.environment;
    let interpreter = environment.interpreter();
    let version = interpreter.as_ref().and_then(|interpreter| version(&interpreter.version));
    let mut files = files::read(bytes, source.file_name, source.handler.is_none(), environment, version)?;
    let handler = source.handler.map(|name| find_handler(&files, name, source.file_name)).transpose()?;
    let mut names = Names::new(&mut files);
    let program = Program {
        forests: vec![std::mem::take(&mut files.sheet.forest)],
        functions: std::mem::take(&mut files.sheet.functions),
        ..Program::default()
    };
    let mut phases = Phases::of(&files, program, handler.as_ref().and_then(|handler| handler.function), &mut names)?;
    let mut closure = Closure::new(environment, version, depth);
    let mut lines = facts::Lines::default();
    let imports = facts::imports(&mut lines, &files, environment, interpreter.is_some());
    let (mut init, call) = load(&mut closure, &files, &mut phases, handler.is_some());
    let distributions = closure.distributions();
    let facts = facts::facts(&mut lines, &files, &distributions, interpreter.is_some());
    let contention = facts.contention.clone();
    let whole = &phases.whole;
    let (mut profile, mut warnings) = profile::assemble(facts, Some(whole), depth);
    (profile.ops.load_bytes, profile.ops.store_bytes, profile.ops.bulk_bytes) = (None, None, None);
    // What else is said of threads concerns programs that share a memory of their own.
    profile.contention = contention;
    profile.memory.traffic_bytes = None;
    if handler.is_none() {
        init.ops = profile.ops.total;
    }
    profile.memory.peak_bytes = init.import_bytes;
    let mut regions = regions::list(&phases.program, &mut names, whole);
    describe(&mut regions, &mut lines, &files, &phases.program);
    facts::warn(&mut warnings, &files, &imports, &closure, interpreter.is_some(), source);
    let python = PythonDemand {
        interpreter,
        init,
        handler: handler.as_ref().zip(call).map(|(handler, phase)| Handler {
            name: handler.name.clone(),
            line: handler.function.map_or(0, |function| facts::line_of(&mut lines, &files, function)),
            phase,
        }),
        imports,
        distributions,
        uses: facts::uses(&mut lines, &files),
        memory_flags: facts::memory_flags(&mut lines, &files),
    };
    let entry = handler.map_or_else(|| "__main__".to_owned(), |handler| handler.name);
    let code = CodeInfo { digest, kind: CodeKind::Python, size_bytes, entry };
    Ok(Analysis { code, profile, regions, warnings, native: None, python: Some(python), seconds: 0.0 })
}

/// `3.11.4` as its first two numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// The handler that was asked for.
struct Entry {
    name: String,
    /// Its function, where it is one of this program.
    function: Option<u32>,
}

fn find_handler(files: &Files, wanted: &str, file_name: &str) -> Result<Entry, AnalyzeError> {
    let stem = file_name.rsplit('/').next().unwrap_or(file_name);
    let stem = stem.strip_suffix(".py").unwrap_or(stem);
    let (module, name) = wanted.rsplit_once('.').unwrap_or((stem, wanted));
    let missing = |found: Vec<String>| AnalyzeError::NoHandler { handler: wanted.to_owned(), found };
    if module.rsplit(['.', '/']).next() != Some(stem) {
        return Err(missing(vec![format!("{stem}.{name}")]));
    }
    match files.globals.get(name) {
        Some(Fixed::Function(function)) => Ok(Entry { name: name.to_owned(), function: Some(*function) }),
        // Made by a call of a library, such as an adapter of a web framework: there, but not to be looked into.
        Some(Fixed::Object(_) | Fixed::Path(_) | Fixed::Instance(_)) => {
            Ok(Entry { name: name.to_owned(), function: None })
        }
        _ => {
            let function = |(name, fixed): (&String, &Fixed)| matches!(fixed, Fixed::Function(_)).then(|| name.clone());
            let mut found: Vec<String> = files.globals.iter().filter_map(function).collect();
            found.sort();
            Err(missing(found))
        }
    }
}

/// Names and places of functions.
struct Names {
    defs: BTreeMap<u32, (String, u64)>,
}

impl Names {
    fn new(files: &mut Files) -> Self {
        let named = |(&number, def): (&u32, &super::emit::Def)| {
            let module = files.files.get(def.file as usize).map_or("", |file| file.module.as_str());
            let name = if module.is_empty() || def.name.starts_with('<') {
                def.name.clone()
            } else {
                format!("{module}.{}", def.name)
            };
            (number, (name, u64::from(def.file) << 32 | u64::from(def.offset)))
        };
        Self { defs: files.sheet.defs.iter().map(named).collect() }
    }
}

impl Detail for Names {
    fn names(&self, functions: &[u32]) -> BTreeMap<u32, String> {
        let name = |function: &u32| Some((*function, self.defs.get(function)?.0.clone()));
        functions.iter().filter_map(name).collect()
    }

    fn offset(&self, function: u32) -> Option<u64> {
        self.defs.get(&function).map(|def| def.1)
    }
}

/// The program with its run as a whole and in parts.
pub(super) struct Phases {
    program: Program,
    whole: Run,
    init: Option<Estimate>,
    call: Option<Estimate>,
    /// Functions reached by loading the program, and by a call of its handler.
    pub init_functions: HashSet<u32>,
    pub call_functions: HashSet<u32>,
}

impl Phases {
    fn of(files: &Files, program: Program, handler: Option<u32>, names: &mut Names) -> Result<Self, AnalyzeError> {
        let mut program = program;
        let (mut first, later) = facts::tops(files);
        let (mut init, mut call) = (None, None);
        let mut roots = first.clone();
        let mut call_roots = later.clone();
        match handler {
            Some(function) => call_roots.push(function),
            // What a script imports late it imports in its one run.
            None => first.extend(&later),
        }
        roots.extend(&call_roots);
        if handler.is_some() {
            program.roots.clone_from(&first);
            init = Some(total(&summary::run(&mut program, names)?));
            program.roots.clone_from(&call_roots);
            call = Some(total(&summary::run(&mut program, names)?));
        }
        let (init_functions, call_functions) = (reached(&program, &first), reached(&program, &call_roots));
        program.roots = roots;
        let whole = summary::run(&mut program, names)?;
        let init = init.or_else(|| Some(total(&whole)));
        Ok(Self { program, whole, init, call, init_functions, call_functions })
    }
}

fn total(run: &Run) -> Estimate {
    run.cost.total().weighted_estimate(&run.weights, Basis::Static)
}

/// Functions that calls lead to.
fn reached(program: &Program, roots: &[u32]) -> HashSet<u32> {
    let mut seen: HashSet<u32> = roots.iter().copied().collect();
    let mut waiting: Vec<u32> = roots.to_vec();
    while let Some(function) = waiting.pop() {
        for node in program.nodes(function) {
            if let Node::Call { function, .. } = *node
                && seen.insert(function)
            {
                waiting.push(function);
            }
        }
    }
    seen
}

/// What each phase imports.
fn load(closure: &mut Closure<'_>, files: &Files, phases: &mut Phases, handles: bool) -> (Phase, Option<Phase>) {
    let statics = facts::static_files(files);
    let runs = |found: &super::imports::Found, functions: &HashSet<u32>| match found.function {
        Some(function) => functions.contains(&function),
        None => statics.contains(&found.file) && found.when != ImportTime::Never,
    };
    for found in &files.sheet.imports {
        if found.when != ImportTime::Never && runs(found, &phases.init_functions) {
            closure.add(&found.module, &found.names);
        }
    }
    let mut init = closure.phase(0);
    init.ops = phases.init;
    if !handles {
        return (init, None);
    }
    let mark = closure.loaded.len();
    for found in &files.sheet.imports {
        if found.when == ImportTime::Lazy && runs(found, &phases.call_functions) {
            closure.add(&found.module, &found.names);
        }
    }
    let mut call = closure.phase(mark);
    call.ops = phases.call;
    (init, Some(call))
}

/// Tells regions in Python's terms: lines, trip counts as in the source, libraries and the lock.
fn describe(regions: &mut [Region], lines: &mut facts::Lines, files: &Files, program: &Program) {
    let loops: BTreeMap<u64, usize> = program.forests.first().map_or_else(BTreeMap::new, |forest| {
        forest.loops.iter().enumerate().map(|(index, entry)| (entry.offset, index)).collect()
    });
    let uses = uses_by_place(files);
    for region in regions {
        let (file, offset) = ((region.offset >> 32) as u32, region.offset as u32);
        region.location = Some(facts::place(lines, files, file, offset));
        if region.kind == RegionKind::Function {
            describe_function(region, uses.get(&region.offset).map_or(&[], Vec::as_slice));
        } else if let Some(note) = loops.get(&region.offset).and_then(|&index| files.sheet.notes.get(index)) {
            region.trip_expression.clone_from(&note.text);
            region.dependence = note.dependence.unwrap_or(Dependence::Unknown);
            region.dependence_reason = None;
            region.gil = lock(&note.libraries, note.arithmetic > 0);
            if region.share >= WORTH {
                region.flags.extend(note.libraries.iter().filter_map(|library| flag(library)));
                region.flags.extend(array_flag(region, note.arithmetic, !note.libraries.is_empty()));
                dedup(&mut region.flags);
            }
        }
        region.offset = u64::from(offset);
    }
}

/// Libraries used in functions, by the place of the function.
fn uses_by_place(files: &Files) -> BTreeMap<u64, Vec<&super::emit::Use>> {
    let mut out: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for entry in files.sheet.uses.values() {
        if let Some(def) = files.sheet.defs.get(&entry.function) {
            out.entry(u64::from(def.file) << 32 | u64::from(def.offset)).or_default().push(entry);
        }
    }
    out.values_mut().for_each(|uses| uses.sort_by(|a, b| (a.offset, &a.call).cmp(&(b.offset, &b.call))));
    out
}

fn describe_function(region: &mut Region, used: &[&super::emit::Use]) {
    let libraries: Vec<_> = used.iter().map(|entry| entry.library).collect();
    region.gil = lock(&libraries, true);
    if region.share >= WORTH {
        region.flags.extend(libraries.iter().filter_map(|library| flag(library)));
        dedup(&mut region.flags);
    }
}

/// What a region does with the interpreter's lock.
fn lock(libraries: &[&'static libraries::Library], interprets: bool) -> Option<Gil> {
    let releases = libraries.iter().any(|library| library.gil != Gil::Holds);
    let holds = libraries.iter().any(|library| library.gil != Gil::Releases);
    Some(match (releases, holds || interprets) {
        (false, _) => Gil::Holds,
        (true, false) => Gil::Releases,
        (true, true) => Gil::Depends,
    })
}

fn flag(library: &libraries::Library) -> Option<Flag> {
    let (benefits_from, why) = libraries::gains(library)?;
    let reason = format!("{} {why}", library.name);
    Some(Flag { benefits_from: benefits_from.to_owned(), reason, confidence: None })
}

/// Arithmetic one number at a time, whose iterations are free of each other.
fn array_flag(region: &Region, arithmetic: u32, in_library: bool) -> Option<Flag> {
    let free = matches!(region.dependence, Dependence::Independent | Dependence::Reduction);
    let long = region.trip_count.is_some_and(|trips| trips.low >= WORTH_AN_ARRAY);
    (free && long && arithmetic > 0 && !in_library).then(|| Flag {
        benefits_from: "simd".to_owned(),
        reason: "arithmetic on one number after another in the interpreter; written as operations on whole arrays it \
                 would run in vector registers"
            .to_owned(),
        confidence: None,
    })
}

fn dedup(flags: &mut Vec<Flag>) {
    let mut seen: HashSet<String> = HashSet::new();
    flags.retain(|flag| seen.insert(flag.benefits_from.clone()));
}
