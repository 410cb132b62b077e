//! Compares predicted with actual CPU times of C kernels that the calibration has never seen.
//!
//! `cargo run --release -p forewarm-emulator --example accuracy -- accuracy.wasm`, the module compiled from
//! `accuracy.c` beside this file. Operators are counted by class exactly: the kernel runs on metered code once per
//! class, with a fuel table that charges that class alone.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::collections::BTreeMap;
use std::sync::Arc;

use forewarm_emulator::{Budget, calibrate};
use forewarm_executor::wasm::{Engine, EngineSettings};
use forewarm_resources::inventory;
use forewarm_sandbox::{RealClock, RealFiles};
use forewarm_types::{CodeKind, IsaLevel, OpClass, Tier};
use wasmtime::{Config, OperatorCost};

type Failure = Box<dyn std::error::Error>;

macro_rules! tables {
    ($($class:ident: $($operator:ident)*;)*) => {
        /// A fuel table that charges one class alone.
        fn table(class: Option<OpClass>) -> OperatorCost {
            let mut cost = OperatorCost::new();
            $($(cost.$operator = u8::from(class == Some(OpClass::$class));)*)*
            cost
        }
    };
}

// Every operator that clang emits for the kernels without SIMD, atomics or bulk memory.
tables! {
    Const: I32Const I64Const F32Const F64Const;
    Local: LocalGet LocalSet LocalTee;
    Global: GlobalGet GlobalSet;
    IntMul: I32Mul I64Mul;
    IntDiv: I32DivS I32DivU I32RemS I32RemU I64DivS I64DivU I64RemS I64RemU;
    FloatAdd: F64Add F64Sub F64Eq F64Ne F64Lt F64Gt F64Le F64Ge F64Abs F64Neg F64Min F64Max F64Copysign;
    FloatMul: F64Mul;
    FloatDiv: F64Div;
    FloatSqrt: F64Sqrt F64Floor F64Ceil F64Trunc F64Nearest;
    Convert: F64ConvertI32S F64ConvertI32U F64ConvertI64S F64ConvertI64U I32TruncF64S I32TruncF64U I32TruncSatF64S;
    Load: I32Load I64Load F32Load F64Load I32Load8S I32Load8U I32Load16S I32Load16U I64Load8U I64Load32U I64Load32S;
    Store: I32Store I64Store F32Store F64Store I32Store8 I32Store16 I64Store8 I64Store16 I64Store32;
    Branch: Br BrIf BrTable If;
    Call: Call;
    CallIndirect: CallIndirect;
    Bulk: MemoryCopy MemoryFill MemoryGrow;
    IntAlu: I32Eqz I32Eq I32Ne I32LtS I32LtU I32GtS I32GtU I32LeS I32LeU I32GeS I32GeU I64Eqz I64Eq I64Ne I64LtS I64LtU
        I64GtS I64GtU I64LeS I64LeU I64GeS I64GeU I32Clz I32Ctz I32Popcnt I32Add I32Sub I32And I32Or I32Xor I32Shl
        I32ShrS I32ShrU I32Rotl I32Rotr I64Add I64Sub I64And I64Or I64Xor I64Shl I64ShrS I64ShrU I64Rotl I64Rotr
        I32WrapI64 I64ExtendI32S I64ExtendI32U I32Extend8S I32Extend16S Select MemorySize;
}

const CLASSES: [OpClass; 17] = [
    OpClass::Const,
    OpClass::Local,
    OpClass::Global,
    OpClass::IntMul,
    OpClass::IntDiv,
    OpClass::FloatAdd,
    OpClass::FloatMul,
    OpClass::FloatDiv,
    OpClass::FloatSqrt,
    OpClass::Convert,
    OpClass::Load,
    OpClass::Store,
    OpClass::Branch,
    OpClass::Call,
    OpClass::CallIndirect,
    OpClass::Bulk,
    OpClass::IntAlu,
];

/// Operators executed between two calls of different lengths, by class.
fn counts(wasm: &[u8], export: &str, lengths: [i32; 2]) -> Result<BTreeMap<OpClass, f64>, Failure> {
    let entered = fuel(wasm, export, lengths, None)?;
    let mut counts = BTreeMap::new();
    for class in CLASSES {
        let count = fuel(wasm, export, lengths, Some(class))? - entered;
        counts.insert(class, count);
    }
    Ok(counts)
}

fn fuel(wasm: &[u8], export: &str, lengths: [i32; 2], class: Option<OpClass>) -> Result<f64, Failure> {
    let mut config = Config::new();
    config.consume_fuel(true).operator_cost(table(class));
    let engine = wasmtime::Engine::new(&config)?;
    let module = wasmtime::Module::new(&engine, wasm)?;
    let mut used = [0.0; 2];
    for (used, length) in used.iter_mut().zip(lengths) {
        let mut store = wasmtime::Store::new(&engine, ());
        store.set_fuel(u64::MAX / 4)?;
        let instance = wasmtime::Instance::new(&mut store, &module, &[])?;
        instance.get_typed_func::<i32, i32>(&mut store, export)?.call(&mut store, length)?;
        *used = (u64::MAX / 4 - store.get_fuel()?) as f64;
    }
    Ok(used[1] - used[0])
}

fn seconds(engine: &Engine, wasm: &[u8], export: &str, [short, long]: [i32; 2]) -> Result<f64, Failure> {
    let (code, _) = engine.compile(wasm, CodeKind::WasmModule)?;
    let calls = engine.time_calls(&code, export, &[short, long, short, long, short, long, short, long, short, long])?;
    let least = |at: usize| calls.iter().skip(at).step_by(2).map(|call| call.cpu_seconds).fold(f64::MAX, f64::min);
    Ok(least(1) - least(0))
}

fn main() -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("usage: accuracy accuracy.wasm")?;
    let wasm = std::fs::read(path)?;
    let cores = std::thread::available_parallelism()?.get() as u32;
    let budget = Budget { module_bytes: Vec::new(), ..Budget::default() };
    let model = calibrate(inventory::detect(&RealFiles, cores), budget, Arc::new(RealClock), &mut |_| ())?;
    let kernels = [
        ("matmul", 2),
        ("machine", 100),
        ("steady_machine", 100),
        ("sieve", 10),
        ("quicksort", 2),
        ("sha256", 50),
        ("nbody", 50),
        ("eight_queens", 3),
        ("hash_table", 50),
        ("bytecode", 100),
        ("count_words", 100),
        ("dispatch", 200),
        ("life", 30),
    ];
    let mut logs: BTreeMap<Tier, Vec<f64>> = BTreeMap::new();
    println!(
        "{:16} {:>10}  predicted/actual and actual ms, by tier; winch/cranelift predicted, actual",
        "kernel", "operators"
    );
    for (export, length) in kernels {
        let lengths = [length, 4 * length];
        let counts = counts(&wasm, export, lengths)?;
        let mut line = format!("{export:16} {:10.0}", counts.values().sum::<f64>());
        let mut times = BTreeMap::new();
        for tier in Tier::ALL {
            let settings = EngineSettings { tier, isa: IsaLevel::Native, metered: false, threads: 1 };
            let engine = Engine::new(settings, Arc::new(RealClock))?;
            let actual = seconds(&engine, &wasm, export, lengths)?;
            let costs = &model.op_costs.tiers[&tier].seconds_per_op;
            let predicted: f64 = counts.iter().map(|(class, count)| count * costs[class].value).sum();
            line += &format!("  {tier} {:5.2} ({:7.2})", predicted / actual, actual * 1e3);
            logs.entry(tier).or_default().push((predicted / actual).ln());
            times.insert(tier, (predicted, actual));
        }
        let (winch, cranelift) = (times[&Tier::Winch], times[&Tier::Cranelift]);
        println!("{line}  ratio {:5.2} {:5.2}", winch.0 / cranelift.0, winch.1 / cranelift.1);
    }
    for (tier, logs) in logs {
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let square = logs.iter().map(|log| log * log).sum::<f64>() / logs.len() as f64;
        println!(
            "{tier}: geometric mean of predicted/actual {:.2}, root mean square factor {:.2}",
            mean.exp(),
            square.sqrt().exp()
        );
    }
    Ok(())
}
