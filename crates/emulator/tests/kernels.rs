//! The kernels execute the operators they say they do: wasmtime's fuel counts the same.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use forewarm_emulator::generate::kernels::{self, EXPORT, Kernel};
use forewarm_types::OpClass;

/// Rounds between the two calls compared; kernels with chances in them need many for their shares to settle.
const ROUNDS: i32 = 2000;

/// Fuel used by a call of so many rounds.
fn fuel(kernel: &Kernel, rounds: i32) -> f64 {
    let mut config = wasmtime::Config::new();
    config.consume_fuel(true);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let module = wasmtime::Module::new(&engine, &kernel.wasm).unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    store.set_fuel(u64::MAX / 4).unwrap();
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
    instance.get_typed_func::<i32, i32>(&mut store, EXPORT).unwrap().call(&mut store, rounds).unwrap();
    (u64::MAX / 4 - store.get_fuel().unwrap()) as f64
}

#[test]
fn declared_counts_are_those_of_the_fuel() {
    for kernel in kernels::all() {
        let used = (fuel(&kernel, ROUNDS + 100) - fuel(&kernel, 100)) / f64::from(ROUNDS);
        let of = |class| kernel.counts.get(&class).copied().unwrap_or(0.0);
        // Beside one for each operator, fuel has one for each function entered and one for each byte copied.
        let entered = of(OpClass::Call) + of(OpClass::CallIndirect);
        let copied = 48.0 * of(OpClass::Bulk);
        let declared = kernel.counts.values().sum::<f64>() + entered + copied;
        assert!((used / declared - 1.0).abs() < 0.04, "{}: declared {declared}, used {used}", kernel.name);
    }
}
