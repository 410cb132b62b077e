//! Timings of the engine's steps and of calls into code, for the calibration of a machine.

use std::sync::Arc;

use forewarm_sandbox::clock::thread_cpu;
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, Seconds, Step, StepTiming};
use wasmtime::{InstanceAllocationStrategy, Linker, PoolingAllocationConfig, Store, TypedFunc};

use super::{Code, Compiled, Engine, configuration, link::Linked};
use crate::error::WarmError;
use crate::stopwatch::Stopwatch;

/// A call of one export in a fresh instance, timed.
#[derive(Debug, Clone, Copy)]
pub struct CallTiming {
    /// CPU time of the calling thread.
    pub cpu_seconds: f64,
    /// Wall time.
    pub wall_seconds: f64,
}

/// An instance of which one export is called again and again.
pub struct Calls {
    store: Store<()>,
    function: TypedFunc<i32, i32>,
    clock: Arc<dyn Clock>,
}

impl Calls {
    /// One call.
    ///
    /// # Errors
    /// Where it traps.
    pub fn time(&mut self, argument: i32) -> Result<CallTiming, WarmError> {
        let (wall, cpu): (Seconds, Seconds) = (self.clock.monotonic(), thread_cpu());
        std::hint::black_box(self.function.call(&mut self.store, argument).map_err(instantiate_error)?);
        let cpu_seconds = (thread_cpu() - cpu).0;
        Ok(CallTiming { cpu_seconds, wall_seconds: (self.clock.monotonic() - wall).0 })
    }
}

fn instantiate_error(error: wasmtime::Error) -> WarmError {
    WarmError::Instantiate(crate::run::message(&error))
}

impl Engine {
    /// Links code as a real run does and times it.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn link(&self, code: &Compiled) -> Result<StepTiming, WarmError> {
        let watch = Stopwatch::start(&*self.clock);
        let linked = Linked::new(self, &code.code)?;
        let timing = watch.stop(Step::Link, Bytes::ZERO);
        drop(linked);
        Ok(timing)
    }

    /// Instantiates a module without imports `repeats` times, each timed; from the pool where `pooled`.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn instantiate(&self, code: &Compiled, pooled: bool, repeats: u32) -> Result<Vec<StepTiming>, WarmError> {
        if !pooled {
            return self.instantiate_in(&self.engine, module(code)?, Step::Instantiate, repeats);
        }
        let pool = self.pooling()?;
        // The same code in the pool's engine: allocation is no part of what is compiled, so the artifact carries over.
        let bytes = self.serialize(code)?;
        let file = crate::artifacts::scratch_file(&bytes).map_err(WarmError::Read)?;
        let kind = forewarm_types::CodeKind::WasmModule;
        let pooled = super::load::load(&pool, &file, kind).map_err(instantiate_error)?;
        self.instantiate_in(&pool, module(&Compiled { code: pooled })?, Step::Pool, repeats)
    }

    fn pooling(&self) -> Result<wasmtime::Engine, WarmError> {
        let mut pool = PoolingAllocationConfig::new();
        // A few slots are enough to time one; each reserves address space, some of it touched.
        pool.total_core_instances(4).total_memories(4).total_tables(4).total_stacks(4).total_gc_heaps(4);
        let make = || {
            let mut config = configuration::config(self.settings)?;
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
            wasmtime::Engine::new(&config)
        };
        make().map_err(|error| WarmError::Allocate(format!("an instance pool: {error:#}")))
    }

    fn instantiate_in(
        &self,
        engine: &wasmtime::Engine,
        module: &wasmtime::Module,
        step: Step,
        repeats: u32,
    ) -> Result<Vec<StepTiming>, WarmError> {
        let linked = Linker::<()>::new(engine).instantiate_pre(module).map_err(instantiate_error)?;
        (0..repeats)
            .map(|_| {
                let watch = Stopwatch::start(&*self.clock);
                let mut store = self.plain_store(engine)?;
                linked.instantiate(&mut store).map_err(instantiate_error)?;
                let timing = watch.stop(step, Bytes::ZERO);
                drop(store);
                Ok(timing)
            })
            .collect()
    }

    fn plain_store(&self, engine: &wasmtime::Engine) -> Result<Store<()>, WarmError> {
        let mut store = Store::new(engine, ());
        if self.settings.metered {
            store.set_fuel(u64::MAX).map_err(instantiate_error)?;
        }
        Ok(store)
    }

    /// A fresh instance of a module without imports, to call an export `(i32) -> i32` of.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn calls(&self, code: &Compiled, export: &str) -> Result<Calls, WarmError> {
        let mut store = self.plain_store(&self.engine)?;
        let linker = Linker::<()>::new(&self.engine);
        let instance = linker.instantiate(&mut store, module(code)?).map_err(instantiate_error)?;
        let function = instance
            .get_typed_func::<i32, i32>(&mut store, export)
            .map_err(|error| WarmError::Arguments(format!("{export:?}: {error:#}")))?;
        Ok(Calls { store, function, clock: Arc::clone(&self.clock) })
    }

    /// Calls an export in a fresh instance, `arguments.len()` times in turn.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn time_calls(&self, code: &Compiled, export: &str, arguments: &[i32]) -> Result<Vec<CallTiming>, WarmError> {
        let mut calls = self.calls(code, export)?;
        arguments.iter().map(|&argument| calls.time(argument)).collect()
    }
}

fn module(code: &Compiled) -> Result<&wasmtime::Module, WarmError> {
    match &code.code {
        Code::Module(module) => Ok(module),
        Code::Component(_) => Err(WarmError::Arguments("calibration calls core modules only".to_owned())),
    }
}
