//! scratch
use std::time::Instant;
use wasmtime::*;
#[expect(clippy::disallowed_methods, clippy::print_stderr, reason="scratch")]
fn main() {
    let f = std::env::args().nth(1).unwrap();
    let o = std::env::args().nth(2).unwrap_or_default();
    let on = |s: &str| o.split(',').any(|x| x == s);
    let t0 = Instant::now();
    let bytes = std::fs::read(f).unwrap();
    let t1 = Instant::now();
    let mut c = Config::new();
    c.strategy(if on("cl") { Strategy::Cranelift } else { Strategy::Winch });
    c.parallel_compilation(on("par"));
    if !on("map") { c.generate_address_map(false); }
    if !on("unw") { c.native_unwind_info(false); }
    if !on("sym") { c.debug_symbols(false); }
    c.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    if on("nocow") { c.memory_init_cow(false); }
    if on("nosig") { c.signals_based_traps(false); }
    if on("gcoff") { c.gc_support(false); }
    if on("nogc") { c.wasm_gc(false); c.wasm_function_references(false); c.wasm_exceptions(false); }
    if on("ver") { c.cranelift_debug_verifier(false); }
    if on("noopt") { c.cranelift_opt_level(OptLevel::None); }
    if on("single") { c.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass); }
    if on("lazy0") { c.table_lazy_init(false); }
    let t2 = Instant::now();
    let e = Engine::new(&c).unwrap();
    let t3 = Instant::now();
    let m = Module::from_binary(&e, &bytes).unwrap();
    let t4 = Instant::now();
    let mut l: Linker<wasmtime_wasi::p1::WasiP1Ctx> = Linker::new(&e);
    wasmtime_wasi::p1::add_to_linker_async(&mut l, |x| x).unwrap();
    let t5 = Instant::now();
    let p = l.instantiate_pre(&m).unwrap();
    let t6 = Instant::now();
    let rt = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let t7 = Instant::now();
    let w = wasmtime_wasi::WasiCtxBuilder::new().inherit_stdio().arg("x").allow_blocking_current_thread(true).build_p1();
    let mut s = Store::new(&e, w);
    let t8 = Instant::now();
    let i = rt.block_on(p.instantiate_async(&mut s)).unwrap();
    let t9 = Instant::now();
    let f = i.get_typed_func::<(), ()>(&mut s, "_start").unwrap();
    let _ = rt.block_on(f.call_async(&mut s, ()));
    let t10 = Instant::now();
    let n = |a: Instant, b: Instant| (b - a).as_secs_f64() * 1e6;
    if std::env::var_os("QUIET").is_none() {
    eprintln!("read {:.0} config {:.0} engine {:.0} module {:.0} linker {:.0} pre {:.0} rt {:.0} store {:.0} inst {:.0} call {:.0} total {:.0} text {}", n(t0,t1),n(t1,t2),n(t2,t3),n(t3,t4),n(t4,t5),n(t5,t6),n(t6,t7),n(t7,t8),n(t8,t9),n(t9,t10),n(t0,t10), m.text().len());
    }
    std::process::exit(0);
}
