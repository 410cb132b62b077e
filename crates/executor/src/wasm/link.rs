//! Linking: a program's imports resolved against WASI preview 1 or 2, and what is missing named.

use wasmtime::component::{self, Component};
use wasmtime::{InstancePre, Linker, Module, Store};
use wasmtime_wasi::{p0, p1, p2};

use super::host::Host;
use super::{Code, Engine};
use crate::error::WarmError;

/// A program with its imports resolved.
pub(crate) enum Linked {
    Module(InstancePre<Host>),
    Component(component::InstancePre<Host>),
}

/// A program with its memory, ready to be called.
#[derive(Clone, Copy)]
pub(crate) enum Instance {
    Module(wasmtime::Instance),
    Component(component::Instance),
}

impl Linked {
    /// Resolves the imports of code.
    pub(crate) fn new(engine: &Engine, code: &Code) -> Result<Self, WarmError> {
        Self::with(engine, code, |_, _| Ok(()))
    }

    /// As [`Self::new`], with a module's linker changed first (a trial guards some functions).
    pub(crate) fn with(
        engine: &Engine,
        code: &Code,
        change: impl FnOnce(&mut Linker<Host>, &Module) -> wasmtime::Result<()>,
    ) -> Result<Self, WarmError> {
        match code {
            Code::Module(module) => {
                let mut linker = module_linker(engine, module).map_err(internal)?;
                change(&mut linker, module).map_err(internal)?;
                image(|| module.initialize_copy_on_write_image());
                let linked = linker.instantiate_pre(module);
                linked.map(Self::Module).map_err(|error| missing_in_module(engine, module, &linker, &error))
            }
            Code::Component(component) => {
                let mut linker = component::Linker::new(&engine.engine);
                p2::add_to_linker_async(&mut linker).map_err(internal)?;
                image(|| component.initialize_copy_on_write_image());
                let linked = linker.instantiate_pre(component);
                linked.map(Self::Component).map_err(|error| missing_in_component(engine, component, &error))
            }
        }
    }

    /// Makes the instance: its memories, tables and globals; a start function runs.
    pub(crate) async fn instantiate(&self, store: &mut Store<Host>) -> wasmtime::Result<Instance> {
        match self {
            Self::Module(linked) => linked.instantiate_async(store).await.map(Instance::Module),
            Self::Component(linked) => linked.instantiate_async(store).await.map(Instance::Component),
        }
    }
}

fn internal(error: wasmtime::Error) -> WarmError {
    WarmError::Instantiate(format!("{error:#}"))
}

/// Times that the memory image of a program is tried to be made.
const IMAGES: u32 = 3;

/// Makes the image that memories begin as, which belongs to this rung. The kernel refuses to seal it (`EBUSY` of
/// `F_ADD_SEALS`, fcntl(2)) while it has one of its pages on the move, as where memory gets short; a new one has other pages.
/// What keeps failing is told when the instance is made.
fn image(make: impl Fn() -> wasmtime::Result<()>) {
    let _ = (0..IMAGES).any(|_| make().is_ok());
}

/// A linker with those WASI snapshots the module asks for: defining one takes longer than most modules take to link.
fn module_linker(engine: &Engine, module: &Module) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(&engine.engine);
    linker.allow_shadowing(true);
    let imports_from = |name: &str| module.imports().any(|import| import.module() == name);
    if imports_from("wasi_snapshot_preview1") {
        p1::add_to_linker_async(&mut linker, |host: &mut Host| &mut host.wasi)?;
    }
    if imports_from("wasi_unstable") {
        p0::add_to_linker_async(&mut linker, |host: &mut Host| &mut host.wasi)?;
    }
    Ok(linker)
}

fn missing_in_module(engine: &Engine, module: &Module, linker: &Linker<Host>, error: &wasmtime::Error) -> WarmError {
    let Ok(host) = Host::new(&crate::Invocation::detached("")) else { return WarmError::Invalid(format!("{error:#}")) };
    let mut store = host.into_store(&engine.engine);
    let missing = module.imports().filter(|import| linker.get_by_import(&mut store, import).is_none());
    let missing: Vec<_> = missing.map(|import| format!("{}.{}", import.module(), import.name())).collect();
    if missing.is_empty() {
        WarmError::MissingImports(vec![format!("{error:#}")])
    } else {
        WarmError::MissingImports(missing)
    }
}

/// The packages of the `wasi:cli/command` world (WASI 0.2), all of which are linked.
const PACKAGES: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

fn missing_in_component(engine: &Engine, component: &Component, error: &wasmtime::Error) -> WarmError {
    let offered = |name: &str| {
        let version = name.split_once('@').map_or("", |(_, version)| version);
        PACKAGES.iter().any(|package| name.starts_with(package)) && version.starts_with("0.2.")
    };
    let ty = component.component_type();
    let missing: Vec<_> =
        ty.imports(&engine.engine).map(|(name, _)| name.to_owned()).filter(|name| !offered(name)).collect();
    WarmError::MissingImports(if missing.is_empty() { vec![format!("{error:#}")] } else { missing })
}
