//! What a program may touch: its WASI context and its limits, the data of its store.

use std::sync::Arc;

use forewarm_sandbox::measure::run_delay;
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, Seconds};
use wasmtime::{ResourceLimiter, Store};
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::error::WarmError;
use crate::invocation::{Invocation, Progress, Stdio};
use crate::wasm::outward::{Noted, unwatched};
use crate::wasm::trial::Stop;

/// Most elements all tables of a program may have together: 10,000,000, the limit browsers keep for one
/// (WebAssembly JavaScript Interface, "Implementation-defined Limits"). An element takes a pointer of host memory.
const MAX_TABLE_ELEMENTS: usize = 10_000_000;

/// Most tables, and most memories, of one program (WebAssembly JavaScript Interface: 100,000 tables, 100 memories per
/// module); a component has a few per nested module.
const MAX_TABLES: usize = 1_000;
const MAX_MEMORIES: usize = 1_000;

/// The data of a program's store.
pub(crate) struct Host {
    pub(crate) wasi: WasiP1Ctx,
    limits: Limits,
}

impl Host {
    /// The host side of an invocation.
    pub(crate) fn new(invocation: &Invocation) -> Result<Self, WarmError> {
        let limits = Limits {
            max_memory: invocation.max_memory.map(|bytes| usize::try_from(bytes.0).unwrap_or(usize::MAX)),
            set_aside: None,
            memory: 0,
            foreign: 0,
            table_elements: 0,
            progress: Arc::clone(&invocation.progress),
        };
        Ok(Self { wasi: context(invocation)?, limits })
    }

    /// Gives an instance that was made ahead what an invocation is given.
    ///
    /// # Errors
    /// Where a directory cannot be opened, or the instance has more memory already than the invocation allows.
    pub(crate) fn begin(&mut self, invocation: &Invocation) -> Result<(), WarmError> {
        let Self { wasi, limits } = Self::new(invocation)?;
        self.wasi = wasi;
        let taken = std::mem::replace(&mut self.limits, limits);
        self.limits.memory = taken.memory;
        self.limits.table_elements = taken.table_elements;
        let (memory, most) = (taken.memory, self.limits.max_memory);
        if most.is_some_and(|most| memory > most) {
            return Err(WarmError::Instantiate(format!("it begins with {memory} bytes of memory")));
        }
        invocation.progress.memory_reached(Bytes(memory as u64));
        Ok(())
    }

    /// Ends the program where it wants more than this before that time, and can run again ([`Progress::take_outgrown`]).
    pub(crate) fn set_aside(&mut self, bytes: Bytes, until: Seconds, clock: Arc<dyn Clock>) {
        let bytes = usize::try_from(bytes.0).unwrap_or(usize::MAX);
        self.limits.set_aside = Some(SetAside { bytes, until, clock });
    }

    /// The same for a program to which a memory of so many bytes was added.
    pub(crate) fn with_foreign_memory(mut self, bytes: u64) -> Self {
        self.limits.foreign = usize::try_from(bytes).unwrap_or(usize::MAX);
        self
    }

    /// Size of all memories of the program.
    pub(crate) fn linear_memory_bytes(&self) -> u64 {
        self.limits.memory.saturating_sub(self.limits.foreign) as u64
    }

    /// A store with this host as its data, its limits in force.
    pub(crate) fn into_store(self, engine: &wasmtime::Engine) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|host| &mut host.limits);
        store
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

fn context(invocation: &Invocation) -> Result<WasiP1Ctx, WarmError> {
    let mut builder = WasiCtxBuilder::new();
    builder.arg(&invocation.program).args(&invocation.arguments).envs(&invocation.environment);
    match invocation.stdio {
        Stdio::Inherit => {
            // The program has the process to itself: what blocks may block the thread, which spares a detour through a
            // pool of threads for each file operation.
            builder.allow_blocking_current_thread(true);
            let progress = || Arc::clone(&invocation.progress);
            builder.stdin(Noted { stream: std::io::stdin(), progress: progress() });
            builder.stdout(Noted { stream: std::io::stdout(), progress: progress() });
            builder.stderr(Noted { stream: std::io::stderr(), progress: progress() });
            if unwatched(invocation) {
                invocation.progress.acted();
            }
        }
        Stdio::Detached => {
            builder.stdin(StoppingStdin);
        }
    }
    for directory in &invocation.directories {
        let read_only = directory.read_only || invocation.stdio == Stdio::Detached;
        let permissions = if read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
        builder.preopened_dir(&directory.host, &directory.guest, permissions).map_err(|error| {
            WarmError::Directory {
                path: directory.host.clone(),
                cause: error
                    .downcast::<std::io::Error>()
                    .unwrap_or_else(|error| std::io::Error::other(error.to_string())),
            }
        })?;
    }
    if invocation.network {
        builder.inherit_network().allow_ip_name_lookup(true);
    }
    Ok(builder.build_p1())
}

/// A standard input that ends the trial that reads it: the real one is the real run's.
struct StoppingStdin;

impl IsTerminal for StoppingStdin {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for StoppingStdin {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(Self)
    }
}

impl InputStream for StoppingStdin {
    fn read(&mut self, _size: usize) -> StreamResult<bytes::Bytes> {
        Err(StreamError::Trap(Stop::ReadsStandardInput.into()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for StoppingStdin {
    async fn ready(&mut self) {}
}

/// Memory set aside for a program.
struct SetAside {
    bytes: usize,
    /// From when on more is lost by running again than it is worth.
    until: Seconds,
    clock: Arc<dyn Clock>,
}

impl SetAside {
    /// Whether it is too late to run again. What the thread waited for a core is not the program's, and only asked for, which
    /// takes a look at a file, once it matters.
    fn too_late(&self) -> bool {
        let late = self.clock.monotonic() - self.until;
        late.0 >= 0.0 && run_delay().is_none_or(|waited| late >= waited)
    }
}

/// What a program may take of the host's memory.
struct Limits {
    max_memory: Option<usize>,
    /// What was set aside for the program, as long as it can be run again.
    set_aside: Option<SetAside>,
    memory: usize,
    /// Bytes of memory that rewriting has added, which count as none of the program's.
    foreign: usize,
    table_elements: usize,
    progress: Arc<Progress>,
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        let own = total.saturating_sub(self.foreign);
        if self.max_memory.is_some_and(|limit| own > limit) {
            self.progress.memory_denied(Bytes(own as u64));
            return Ok(false);
        }
        if let Some(aside) = self.set_aside.take_if(|most| own > most.bytes) {
            // One that may have been seen, or has run for long, goes on with what it needs.
            if !self.progress.has_acted() && !aside.too_late() {
                self.progress.outgrew(Bytes(own as u64));
                return Err(wasmtime::Error::msg("more memory is wanted than was set aside"));
            }
        }
        self.memory = total;
        self.progress.memory_reached(Bytes(own as u64));
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if maximum.is_some_and(|maximum| desired > maximum) || total > MAX_TABLE_ELEMENTS {
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}
