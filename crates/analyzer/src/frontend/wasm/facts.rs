//! What the sections of a file tell besides its functions: memory, host services, toolchains, proposals, what compiling
//! it takes.

use forewarm_types::Bytes;
use forewarm_types::demand::{CompileDemand, IoKind, IsaDemand, Parallelism, ParallelismKind};

use super::features::{self, Feature};
use super::module::Module;
use super::parse::Contents;
use crate::frontend::{Facts, Service};
use crate::io;

/// Longest entry of the `producers` section that is kept, in characters.
const MAX_LIBRARY: usize = 200;

/// Facts of a whole file whose run happens in module `main`.
pub(super) fn facts(contents: &Contents<'_>, main: usize) -> Facts {
    let modules = &contents.modules;
    let set = modules.iter().fold(0, |set, module| set | module.features);
    let memories = || modules.iter().flat_map(|module| &module.memories);
    Facts {
        initial_bytes: memories().fold(0, |sum, memory| sum.saturating_add(memory.initial_bytes)),
        maximum_bytes: memories().try_fold(0_u64, |sum, memory| Some(sum.saturating_add(memory.maximum_bytes?))),
        grows: set & Feature::MemoryGrowth.bit() != 0,
        services: services(contents, main),
        libraries: libraries(modules),
        isa: IsaDemand { required: features::names(set), may_use: Vec::new() },
        compile: compile(modules, set),
        ..threads(modules, set).map_or_else(Facts::default, |parallelism| Facts { parallelism, ..Facts::default() })
    }
}

/// How the program uses threads, where it starts any.
fn threads(modules: &[Module<'_>], set: u32) -> Option<Parallelism> {
    let spawns = modules
        .iter()
        .flat_map(|module| &module.imports)
        .any(|import| io::kind(import.module, import.name) == IoKind::Threads);
    let shared = modules.iter().flat_map(|module| &module.memories).any(|memory| memory.shared);
    (spawns && (shared || set & Feature::Threads.bit() != 0))
        .then_some(Parallelism { kind: ParallelismKind::Threads, max_useful_threads: None })
}

fn services(contents: &Contents<'_>, main: usize) -> Vec<Service> {
    if !contents.component_imports.is_empty() {
        let interface = |&via: &&str| Service { kind: io::kind(via, ""), via: via.to_owned(), function: None };
        return contents.component_imports.iter().map(interface).collect();
    }
    let imports = contents.modules.get(main).map(|module| &module.imports[..]).unwrap_or_default();
    let service = |(function, import): (u32, &super::module::ImportedFunction<'_>)| Service {
        kind: io::kind(import.module, import.name),
        via: format!("{}.{}", import.module, import.name),
        function: Some(function),
    };
    (0..).zip(imports).map(service).collect()
}

/// Languages, tools and kits named by the `producers` sections, and Go's mark.
fn libraries(modules: &[Module<'_>]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for module in modules {
        for (field, name, version) in &module.producers {
            let text =
                if version.is_empty() { format!("{field}: {name}") } else { format!("{field}: {name} {version}") };
            out.push(text.chars().take(MAX_LIBRARY).collect());
        }
        if module.go {
            out.push("language: Go".to_owned());
        }
    }
    out.sort();
    out.dedup();
    out
}

fn compile(modules: &[Module<'_>], set: u32) -> CompileDemand {
    let bodies = || modules.iter().flat_map(|module| &module.bodies);
    CompileDemand {
        code_bytes: modules.iter().map(|module| Bytes(module.code_bytes)).sum(),
        functions: bodies().count() as u64,
        largest_function_bytes: Bytes(bodies().map(|body| body.bytes.len() as u64).max().unwrap_or(0)),
        unsupported: features::unsupported(set),
    }
}
