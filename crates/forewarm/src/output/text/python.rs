//! What the page of `forewarm analyze` says of a Python program in place of a WebAssembly module's own words: phases,
//! imports with what they load, libraries and the interpreter's lock.

use std::collections::BTreeMap;

use forewarm_types::python::{Distribution, Gil, Import, ImportTime, LibraryKind, LibraryUse, Phase};
use forewarm_types::{DemandProfile, PythonDemand};

use super::line;
use crate::human;

/// Names in one list.
const NAMED: usize = 6;

/// What a Python program needs.
pub(super) fn needs(profile: &DemandProfile, python: &PythonDemand) -> String {
    let mut text = line("loading", &phase(&python.init));
    if let Some(handler) = &python.handler {
        text += &line("one call", &format!("of {} (line {}): {}", handler.name, handler.line, phase(&handler.phase)));
    }
    if profile.input_dependent {
        text += &line("", "how much depends on the input");
    }
    text += &line("interpreter", &interpreter(python));
    text += &imports(&python.imports);
    for distribution in &python.distributions {
        text += &line("loads", &loads(distribution));
    }
    text += &libraries(&python.uses);
    for flag in &python.memory_flags {
        let size = flag.bytes.map_or_else(|| "a size the code does not tell".to_owned(), human::size);
        let variable = flag.variable.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
        text += &line(
            "gives memory",
            &format!("{size} to another program by {}{variable} (line {})", flag.flag, flag.line),
        );
    }
    text
}

fn phase(phase: &Phase) -> String {
    let mut words = vec![match phase.ops {
        Some(ops) => format!("{} bytecode operations", human::told(Some(ops), human::count)),
        None => "an unknown number of bytecode operations".to_owned(),
    }];
    if phase.modules > 0 {
        let cut = if phase.modules_cut { "at least " } else { "" };
        let plural = if phase.modules == 1 { "" } else { "s" };
        let mut loads = format!("imports {cut}{} module{plural}", phase.modules);
        if let Some(seconds) = phase.import_seconds {
            loads += &format!(" in {}", human::estimate(seconds, human::seconds));
        }
        if let Some(bytes) = phase.import_bytes {
            loads += &format!(", {}", human::estimate(bytes, human::bytes));
        }
        words.push(loads);
    }
    words.join("; ")
}

fn interpreter(python: &PythonDemand) -> String {
    match &python.interpreter {
        Some(found) => format!("Python {}, {}", found.version, found.path),
        None => "none found".to_owned(),
    }
}

fn imports(imports: &[Import]) -> String {
    let mut by_time: BTreeMap<ImportTime, Vec<&str>> = BTreeMap::new();
    for import in imports.iter().filter(|import| import.when != ImportTime::Never) {
        let names = by_time.entry(import.when).or_default();
        if !names.contains(&import.module.as_str()) {
            names.push(&import.module);
        }
    }
    let label = |when| match when {
        ImportTime::Static => "imports",
        ImportTime::Conditional => "may import",
        ImportTime::Optional => "tries",
        ImportTime::Lazy => "when called",
        ImportTime::Never => "never",
    };
    by_time.into_iter().map(|(when, names)| line(label(when), &list(&names))).collect()
}

fn list(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn loads(distribution: &Distribution) -> String {
    let mut text = format!("{} {}: {} modules", distribution.name, distribution.version, distribution.modules);
    if !distribution.extension_modules.is_empty() {
        text += &format!(", {} of them native", distribution.extension_modules.len());
    }
    if !distribution.shared_libraries.is_empty() {
        text += &format!(", {} shared libraries", distribution.shared_libraries.len());
    }
    if distribution.native_bytes.0 > 0 {
        text += &format!(", {} of native code", human::size(distribution.native_bytes));
    }
    text
}

/// Libraries by what they do, each with its first place.
fn libraries(uses: &[LibraryUse]) -> String {
    let mut kinds: BTreeMap<LibraryKind, Vec<(&LibraryUse, u32)>> = BTreeMap::new();
    for used in uses {
        let entries = kinds.entry(used.kind).or_default();
        match entries.iter_mut().find(|(known, _)| known.library == used.library) {
            Some((_, places)) => *places += used.places,
            None => entries.push((used, used.places)),
        }
    }
    let show = |(used, places): &(&LibraryUse, u32)| {
        let lock = match used.gil {
            Gil::Releases => "gives up the lock",
            Gil::Holds => "holds the lock",
            Gil::Depends => "may hold the lock",
        };
        let more = if *places > 1 { format!(" and {} more", places - 1) } else { String::new() };
        format!("{} (line {}{more}; {lock})", used.library, used.line)
    };
    let label = |kind| match kind {
        LibraryKind::Vectorised => "arrays",
        LibraryKind::Tensor => "tensors",
        LibraryKind::Crypto => "cryptography",
        LibraryKind::Compression => "compression",
        LibraryKind::Image => "images",
        LibraryKind::Database => "databases",
        LibraryKind::Network => "network by",
        LibraryKind::Thread => "threads by",
        LibraryKind::Process => "processes",
        LibraryKind::Asyncio => "event loop",
        LibraryKind::Parsing => "formats",
    };
    kinds
        .into_iter()
        .map(|(kind, entries)| {
            let words: Vec<String> = entries.iter().take(NAMED).map(show).collect();
            line(label(kind), &words.join(", "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use forewarm_types::python::{ImportOrigin, Interpreter};
    use forewarm_types::{Basis, Bytes, Estimate};

    use super::*;

    #[test]
    fn a_program_reads_well() {
        let import = |module: &str, when| Import {
            module: module.into(),
            line: 1,
            when,
            function: None,
            origin: ImportOrigin::Distribution,
            distribution: None,
        };
        let python = PythonDemand {
            interpreter: Some(Interpreter {
                path: "/v/bin/python".into(),
                version: "3.11.4".into(),
                search_path: vec![],
            }),
            init: Phase {
                ops: Some(Estimate::exact(120.0, Basis::Static)),
                modules: 180,
                modules_measured: 180,
                import_seconds: Some(Estimate::new(0.09, 0.1, 0.11, Basis::Emulated)),
                ..Phase::default()
            },
            imports: vec![import("numpy", ImportTime::Static), import("PIL", ImportTime::Lazy)],
            distributions: vec![Distribution {
                name: "numpy".into(),
                version: "2.0".into(),
                modules: 150,
                extension_modules: vec!["numpy._core._multiarray_umath".into()],
                shared_libraries: vec!["libopenblas.so".into(), "libm.so.6".into()],
                native_bytes: Bytes(40 << 20),
            }],
            uses: vec![LibraryUse {
                library: "numpy".into(),
                kind: LibraryKind::Vectorised,
                gil: Gil::Releases,
                call: "numpy.dot".into(),
                line: 7,
                function: "f".into(),
                places: 3,
                in_loop: true,
            }],
            ..PythonDemand::default()
        };
        assert_eq!(phase(&Phase::default()), "an unknown number of bytecode operations");
        let text = imports(&python.imports) + &loads(&python.distributions[0]) + "\n" + &libraries(&python.uses);
        insta::assert_snapshot!(text, @r"
          imports     numpy
          when called PIL
        numpy 2.0: 150 modules, 1 of them native, 2 shared libraries, 40.0 MiB of native code
          arrays      numpy (line 7 and 2 more; gives up the lock)
        ");
        assert!(phase(&python.init).contains("imports 180 modules in 100 ms"), "{}", phase(&python.init));
    }
}
