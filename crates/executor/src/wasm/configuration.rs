//! How the engine is configured for each setting, and why each switch stands as it does.
//!
//! The WebAssembly proposals are those the engine enables by default, which is what its own command line offers; a
//! tier that lacks some (Winch: GC, function references, relaxed SIMD, tail calls, exceptions, stack switching) has
//! them turned off by the engine itself, and code that needs them is rejected when compiled.

use forewarm_types::{IsaLevel, Tier};
use wasmtime::{Config, OptLevel, Strategy, WasmBacktraceDetails};

use super::EngineSettings;

/// Raised whenever a change below changes the code an engine makes or takes.
pub(crate) const REVISION: u32 = 2;

/// The engine's configuration for the given settings.
pub(crate) fn config(settings: EngineSettings) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config.strategy(match settings.tier {
        Tier::Winch => Strategy::Winch,
        Tier::Cranelift | Tier::Pulley => Strategy::Cranelift,
    });
    if settings.tier == Tier::Pulley {
        config.target(pulley_target())?;
    } else if settings.isa == IsaLevel::Baseline {
        // A target given by name infers nothing from the processor this runs on.
        config.target(&target_lexicon::HOST.to_string())?;
    }
    // The single-pass compiler leaves only trampolines to the other, which are not worth optimising.
    config.cranelift_opt_level(if settings.tier == Tier::Winch { OptLevel::None } else { OptLevel::Speed });
    config.parallel_compilation(settings.threads > 1);
    config.consume_fuel(settings.metered);
    // Traps name the functions they went through, by the module's own name section; wasm offsets, native unwind tables
    // and symbols would cost compile time and artifact size on every run to describe the few that trap.
    config.generate_address_map(false);
    config.native_unwind_info(false);
    config.debug_symbols(false);
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    Ok(config)
}

fn pulley_target() -> &'static str {
    match (cfg!(target_pointer_width = "64"), cfg!(target_endian = "big")) {
        (true, false) => "pulley64",
        (true, true) => "pulley64be",
        (false, false) => "pulley32",
        (false, true) => "pulley32be",
    }
}
