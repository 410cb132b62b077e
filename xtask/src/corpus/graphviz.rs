//! Makes a command of the graphviz library module, which exports `graphviz_render` and whose own `_start` renders
//! nothing: a new `_start` is appended that reads DOT from standard input and writes SVG. Called by `fetch`.

use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, InstructionSink, MemArg, Module, RawSection,
    SectionId, TypeSection,
};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

use crate::process::{Outcome, While, failure};

/// The most bytes of DOT read.
const INPUT_BYTES: i32 = 1 << 20;

/// What the new entry point needs to know of the library.
#[derive(Default)]
struct Library {
    types: u32,
    imported_functions: u32,
    functions: u32,
    fd_read: Option<u32>,
    fd_write: Option<u32>,
    proc_exit: Option<u32>,
    start: Option<u32>,
    malloc: Option<u32>,
    render: Option<u32>,
}

/// The library as a command.
///
/// # Errors
/// The bytes are not the module this is written for.
pub fn command(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let library = survey(bytes)?;
    let entry = library.imported_functions + library.functions;
    let body = entry_point(&library)
        .ok_or_else(|| failure("the graphviz module lacks an import or export it used to have"))?;
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.doing("parsing the graphviz module")?;
        let Some((id, range)) = payload.as_section() else { continue };
        let raw = &bytes[range.clone()];
        match &payload {
            Payload::TypeSection(_) => appended(&mut module, SectionId::Type, raw, &{
                let mut section = TypeSection::new();
                section.ty().function([], []);
                encoded(&section)
            })?,
            Payload::FunctionSection(_) => appended(&mut module, SectionId::Function, raw, &{
                let mut section = FunctionSection::new();
                section.function(library.types);
                encoded(&section)
            })?,
            Payload::ExportSection(_) => {
                module.section(&exports(bytes, entry)?);
            }
            Payload::CodeSectionStart { .. } => appended(&mut module, SectionId::Code, raw, &{
                let mut section = CodeSection::new();
                section.function(&body);
                encoded(&section)
            })?,
            _ => {
                module.section(&RawSection { id, data: raw });
            }
        }
    }
    Ok(module.finish())
}

fn survey(bytes: &[u8]) -> Outcome<Library> {
    let mut library = Library::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.doing("parsing the graphviz module")? {
            Payload::TypeSection(section) => library.types = section.count(),
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.doing("parsing the graphviz module's imports")?;
                    let TypeRef::Func(_) = import.ty else { continue };
                    let index = Some(library.imported_functions);
                    match import.name {
                        "fd_read" => library.fd_read = index,
                        "fd_write" => library.fd_write = index,
                        "proc_exit" => library.proc_exit = index,
                        _ => {}
                    }
                    library.imported_functions += 1;
                }
            }
            Payload::FunctionSection(section) => library.functions = section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.doing("parsing the graphviz module's exports")?;
                    match export.name {
                        "_start" => library.start = Some(export.index),
                        "malloc" => library.malloc = Some(export.index),
                        "graphviz_render" => library.render = Some(export.index),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(library)
}

fn exports(bytes: &[u8], entry: u32) -> Outcome<ExportSection> {
    let mut section = ExportSection::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::ExportSection(old) = payload.doing("parsing the graphviz module")? else { continue };
        for export in old {
            let export = export.doing("parsing the graphviz module's exports")?;
            match (export.name, export.kind) {
                ("_start", _) => section.export("_start", ExportKind::Func, entry),
                (name, ExternalKind::Func) => section.export(name, ExportKind::Func, export.index),
                (name, ExternalKind::Memory) => section.export(name, ExportKind::Memory, export.index),
                (name, kind) => return Err(failure(format!("the graphviz module exports {name} as {kind:?}"))),
            };
        }
    }
    Ok(section)
}

/// A vector section's bytes: its count, then its items.
fn encoded(section: &impl wasm_encoder::Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    section.encode(&mut bytes);
    bytes
}

/// Adds a section that holds the old items and one more; `one` is an encoded section (size, count 1, item).
fn appended(module: &mut Module, id: SectionId, old: &[u8], one: &[u8]) -> Outcome {
    let (count, old_items) = leb(old)?;
    let (_, one_body) = leb(one)?;
    let (_, one_item) = leb(one_body)?;
    let mut data = Vec::with_capacity(old.len() + one_item.len() + 1);
    wasm_encoder::Encode::encode(&(count + 1), &mut data);
    data.extend_from_slice(old_items);
    data.extend_from_slice(one_item);
    module.section(&RawSection { id: id as u8, data: &data });
    Ok(())
}

fn leb(bytes: &[u8]) -> Outcome<(u32, &[u8])> {
    let mut reader = wasmparser::BinaryReader::new(bytes, 0);
    let value = reader.read_var_u32().doing("reading a section's count")?;
    Ok((value, &bytes[reader.original_position()..]))
}

// Locals of the entry point.
const INPUT: u32 = 0;
const LENGTH: u32 = 1;
/// A scratch block: buffer and length (an iovec) at 0 and 4, a count at 8, format and engine names at 12 and 16.
const SCRATCH: u32 = 2;
const RESULT: u32 = 3;

fn entry_point(library: &Library) -> Option<Function> {
    let mut function = Function::new([(4, wasm_encoder::ValType::I32)]);
    let mut code = function.instructions();
    code.call(library.start?);
    code.i32_const(INPUT_BYTES).call(library.malloc?).local_set(INPUT);
    code.i32_const(32).call(library.malloc?).local_set(SCRATCH);
    read_all(&mut code, library.fd_read?);
    code.local_get(INPUT).local_get(LENGTH).i32_add().i32_const(0).i32_store8(memory(0, 0));
    code.local_get(SCRATCH).i32_const(i32::from_le_bytes(*b"svg\0")).i32_store(memory(12, 2));
    code.local_get(SCRATCH).i32_const(i32::from_le_bytes(*b"dot\0")).i32_store(memory(16, 2));
    code.local_get(INPUT);
    code.local_get(SCRATCH).i32_const(12).i32_add();
    code.local_get(SCRATCH).i32_const(16).i32_add();
    code.local_get(SCRATCH).i32_const(8).i32_add();
    code.call(library.render?).local_tee(RESULT).i32_eqz();
    code.if_(wasm_encoder::BlockType::Empty).i32_const(1).call(library.proc_exit?).end();
    code.local_get(SCRATCH).i32_load(memory(8, 2)).local_set(LENGTH);
    write_all(&mut code, library.fd_write?);
    code.end();
    Some(function)
}

/// Reads standard input until its end, an error, or a full buffer.
fn read_all(code: &mut InstructionSink<'_>, fd_read: u32) {
    code.block(wasm_encoder::BlockType::Empty).loop_(wasm_encoder::BlockType::Empty);
    code.local_get(SCRATCH).local_get(INPUT).local_get(LENGTH).i32_add().i32_store(memory(0, 2));
    code.local_get(SCRATCH).i32_const(INPUT_BYTES - 1).local_get(LENGTH).i32_sub().i32_store(memory(4, 2));
    code.i32_const(0).local_get(SCRATCH).i32_const(1).local_get(SCRATCH).i32_const(8).i32_add().call(fd_read).br_if(1);
    code.local_get(SCRATCH).i32_load(memory(8, 2)).i32_eqz().br_if(1);
    code.local_get(LENGTH).local_get(SCRATCH).i32_load(memory(8, 2)).i32_add().local_set(LENGTH);
    code.br(0).end().end();
}

/// Writes `LENGTH` bytes at `RESULT` to standard output; ends early on an error.
fn write_all(code: &mut InstructionSink<'_>, fd_write: u32) {
    code.block(wasm_encoder::BlockType::Empty).loop_(wasm_encoder::BlockType::Empty);
    code.local_get(LENGTH).i32_eqz().br_if(1);
    code.local_get(SCRATCH).local_get(RESULT).i32_store(memory(0, 2));
    code.local_get(SCRATCH).local_get(LENGTH).i32_store(memory(4, 2));
    code.i32_const(1).local_get(SCRATCH).i32_const(1).local_get(SCRATCH).i32_const(8).i32_add().call(fd_write).br_if(1);
    code.local_get(RESULT).local_get(SCRATCH).i32_load(memory(8, 2)).i32_add().local_set(RESULT);
    code.local_get(LENGTH).local_get(SCRATCH).i32_load(memory(8, 2)).i32_sub().local_set(LENGTH);
    code.br(0).end().end();
}

fn memory(offset: u64, align: u32) -> MemArg {
    MemArg { offset, align, memory_index: 0 }
}
