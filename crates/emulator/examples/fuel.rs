//! What a WASI command executes, exactly: the fuel that wasmtime consumes, and where it goes, function by function and
//! loop by loop. The truth that `cargo xtask bench accuracy` holds the analyzer against.
//!
//! `cargo run --profile ci -p forewarm-emulator --example fuel -- FILE.wasm…` prints one JSON line per file. Each file
//! runs twice, without arguments, files or input, and with its output dropped: as it is on metered code, and rewritten
//! so that every function adds the operators it executes to a counter of its own, by the same price list (wasmtime
//! 48's default: each operator 1, but `nop drop block loop unreachable return else end` 0, plus 1 per function
//! entered). What fuel charges beyond those counters are the bytes of bulk operations and what growth costs.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use serde_json::{Value, json};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, GlobalSection, GlobalType, Instruction, ValType,
};
use wasmparser::{BlockType, Name, Operator, Parser, Payload};
use wasmtime::{Config, Engine, Linker, Module, Store, Val};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

type Failure = Box<dyn std::error::Error>;

/// Name of the exported counters, before their number.
const COUNTER: &str = "forewarm.count.";

/// A counted loop: its function, the offset of its operator in the file, its depth.
struct CountedLoop {
    function: u32,
    offset: usize,
    depth: u32,
}

/// A rewritten module and what its counters mean: one per function defined, then two per loop: times entered, times
/// its header ran.
struct Counted {
    bytes: Vec<u8>,
    first_function: u32,
    functions: u32,
    loops: Vec<CountedLoop>,
    names: Vec<(u32, String)>,
}

fn free(operator: &Operator<'_>) -> bool {
    use Operator::{Block, Drop, Else, End, Loop, Nop, Return, Unreachable};
    matches!(operator, Nop | Drop | Block { .. } | Loop { .. } | Unreachable | Return | Else | End)
}

/// Whether counts must be written down before this operator: control may go elsewhere.
fn parts(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::Block { .. }
            | O::Loop { .. }
            | O::If { .. }
            | O::Else
            | O::End
            | O::Br { .. }
            | O::BrIf { .. }
            | O::BrTable { .. }
            | O::Return
            | O::Unreachable
            | O::Call { .. }
            | O::CallIndirect { .. }
            | O::ReturnCall { .. }
            | O::ReturnCallIndirect { .. }
    )
}

fn value_type(ty: wasmparser::ValType) -> Result<ValType, Failure> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(_) => return Err("a local that holds a reference".into()),
    })
}

/// Adds to a counter without touching the operands.
fn add(body: &mut wasm_encoder::Function, counter: u32, amount: i64) {
    if amount > 0 {
        body.instruction(&Instruction::GlobalGet(counter));
        body.instruction(&Instruction::I64Const(amount));
        body.instruction(&Instruction::I64Add);
        body.instruction(&Instruction::GlobalSet(counter));
    }
}

struct Rewriter<'a> {
    wasm: &'a [u8],
    first_global: u32,
    functions: u32,
    loops: Vec<CountedLoop>,
}

impl Rewriter<'_> {
    fn body(
        &mut self,
        body: &wasmparser::FunctionBody<'_>,
        index: u32,
        function: u32,
    ) -> Result<wasm_encoder::Function, Failure> {
        let mut locals = Vec::new();
        for local in body.get_locals_reader()? {
            let (count, ty) = local?;
            locals.push((count, value_type(ty)?));
        }
        let mut out = wasm_encoder::Function::new(locals);
        let counter = self.first_global + index;
        let mut pending = 1;
        let mut depth = 0_u32;
        let mut open = Vec::new();
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let start = reader.original_position();
            let operator = reader.read()?;
            let end = reader.original_position();
            pending += i64::from(!free(&operator));
            if parts(&operator) {
                add(&mut out, counter, std::mem::take(&mut pending));
            }
            if let Operator::Loop { blockty } = operator {
                let plain = matches!(blockty, BlockType::Empty | BlockType::Type(_) | BlockType::FuncType(_));
                let slot = self.first_global + self.functions + 2 * self.loops.len() as u32;
                depth += 1;
                self.loops.push(CountedLoop { function, offset: start, depth });
                if plain {
                    add(&mut out, slot, 1);
                }
                out.raw(self.wasm[start..end].iter().copied());
                add(&mut out, slot + 1, 1);
                open.push(true);
                continue;
            }
            match operator {
                Operator::Block { .. } | Operator::If { .. } => open.push(false),
                Operator::End => depth -= u32::from(open.pop().unwrap_or(false)),
                _ => {}
            }
            out.raw(self.wasm[start..end].iter().copied());
        }
        Ok(out)
    }
}

/// Section by section as it was, but for counters among globals and exports, and code that feeds them.
fn rewrite(wasm: &[u8]) -> Result<Counted, Failure> {
    let mut imported = (0, 0);
    let (mut global_count, mut global_bytes) = (0, Vec::new());
    let mut bodies = Vec::new();
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    match import?.ty {
                        wasmparser::TypeRef::Func(_) | wasmparser::TypeRef::FuncExact(_) => imported.0 += 1,
                        wasmparser::TypeRef::Global(_) => imported.1 += 1,
                        _ => {}
                    }
                }
            }
            Payload::GlobalSection(section) => {
                global_count = section.count();
                global_bytes = section.clone().into_iter_with_offsets().next().map_or(Ok(Vec::new()), |first| {
                    first.map(|(offset, _)| wasm[offset..section.range().end].to_vec())
                })?;
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            Payload::CustomSection(section) => {
                if let wasmparser::KnownCustom::Name(reader) = section.as_known() {
                    for name in reader.into_iter().map_while(Result::ok) {
                        if let Name::Function(map) = name {
                            names.extend(map.into_iter().map_while(Result::ok).map(|n| (n.index, n.name.to_owned())));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let first_global = imported.1 + global_count;
    let mut rewriter = Rewriter { wasm, first_global, functions: bodies.len() as u32, loops: Vec::new() };
    let mut code = CodeSection::new();
    for (index, body) in bodies.iter().enumerate() {
        code.function(&rewriter.body(body, index as u32, imported.0 + index as u32)?);
    }
    let counters = rewriter.functions + 2 * rewriter.loops.len() as u32;
    let mut globals = GlobalSection::new();
    let ty = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
    for _ in 0..counters {
        globals.global(ty, &ConstExpr::i64_const(0));
    }
    let mut out = wasm_encoder::Module::new();
    let mut global_done = false;
    let write_globals = |out: &mut wasm_encoder::Module, done: &mut bool| {
        if !std::mem::replace(done, true) {
            let new: Vec<u8> = tail(&globals, counters);
            let all = [leb(global_count + counters), global_bytes.clone(), new].concat();
            out.section(&wasm_encoder::RawSection { id: 6, data: &all });
        }
    };
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::GlobalSection(_) => write_globals(&mut out, &mut global_done),
            Payload::ExportSection(section) => {
                write_globals(&mut out, &mut global_done);
                let mut exports = ExportSection::new();
                for number in 0..counters {
                    exports.export(&format!("{COUNTER}{number}"), ExportKind::Global, first_global + number);
                }
                let old = section.clone().into_iter_with_offsets().next().transpose()?;
                let old = old.map_or(Vec::new(), |(offset, _)| wasm[offset..section.range().end].to_vec());
                let all = [leb(section.count() + counters), old, tail(&exports, counters)].concat();
                out.section(&wasm_encoder::RawSection { id: 7, data: &all });
            }
            Payload::CodeSectionStart { .. } => drop(out.section(&code)),
            Payload::CodeSectionEntry(_) | Payload::CustomSection(_) => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    out.section(&wasm_encoder::RawSection { id, data: &wasm[range] });
                }
            }
        }
    }
    Ok(Counted {
        bytes: out.finish(),
        first_function: imported.0,
        functions: rewriter.functions,
        loops: rewriter.loops,
        names,
    })
}

/// A section's items without their count.
fn tail(section: &impl wasm_encoder::Encode, count: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    section.encode(&mut bytes);
    // Size of the section, then count of items.
    let size = bytes.iter().position(|byte| byte & 0x80 == 0).map_or(0, |at| at + 1);
    bytes.split_off(size + leb(count).len())
}

fn leb(value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    wasm_encoder::Encode::encode(&value, &mut bytes);
    bytes
}

/// Runs a command to its end; the fuel it used where asked, and its counters.
fn run(wasm: &[u8], metered: bool, counters: u32) -> Result<(u64, Vec<u64>), Failure> {
    let mut config = Config::new();
    config.consume_fuel(metered);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, wasm)?;
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |context| context)?;
    let mut store = Store::new(&engine, WasiCtxBuilder::new().arg("kernel").build_p1());
    let budget = u64::MAX / 4;
    if metered {
        store.set_fuel(budget)?;
    }
    let instance = linker.instantiate(&mut store, &module)?;
    let before = if metered { store.get_fuel()? } else { 0 };
    if let Err(error) = instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())
        && error.downcast_ref::<I32Exit>().is_none_or(|exit| exit.0 != 0)
    {
        return Err(error.into());
    }
    let used = if metered { before - store.get_fuel()? } else { 0 };
    let read = |number| match instance.get_global(&mut store, &format!("{COUNTER}{number}")).map(|g| g.get(&mut store))
    {
        Some(Val::I64(value)) => value as u64,
        _ => 0,
    };
    Ok((used, (0..counters).map(read).collect()))
}

fn truth(wasm: &[u8]) -> Result<Value, Failure> {
    let counted = rewrite(wasm)?;
    let (fuel, _) = run(wasm, true, 0)?;
    let all = counted.functions + 2 * counted.loops.len() as u32;
    let (_, counts) = run(&counted.bytes, false, all)?;
    let operators: u64 = counts[..counted.functions as usize].iter().sum();
    let name = |function| counted.names.iter().find(|name| name.0 == function).map(|name| name.1.clone());
    let functions: Vec<Value> = (0..counted.functions)
        .filter(|&index| counts[index as usize] > 0)
        .map(|index| {
            let function = counted.first_function + index;
            json!({"function": function, "name": name(function), "self": counts[index as usize]})
        })
        .collect();
    let loops: Vec<Value> = counted
        .loops
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let slot = counted.functions as usize + 2 * index;
            json!({"function": entry.function, "offset": entry.offset, "depth": entry.depth,
                   "entries": counts[slot], "headers": counts[slot + 1]})
        })
        .filter(|entry| entry["entries"] != 0)
        .collect();
    Ok(json!({"fuel": fuel, "operators": operators, "bulk": fuel - operators, "functions": functions, "loops": loops}))
}

fn main() -> Result<(), Failure> {
    for path in std::env::args().skip(1) {
        let wasm = std::fs::read(&path)?;
        let mut line = truth(&wasm).unwrap_or_else(|error| json!({"error": error.to_string()}));
        line["file"] = json!(path);
        println!("{line}");
    }
    Ok(())
}
