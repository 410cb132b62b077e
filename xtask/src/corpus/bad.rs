//! Files that are not runnable programs, one per way of being wrong, for tests of what Forewarm says about them.
//! Called by `corpus`.

use std::fs;

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Module, TypeSection,
};

use super::{Corpus, write_if_new};
use crate::process::{Outcome, While};

/// Size of the file of zeros.
const ZEROS_BYTES: u64 = 100_000_000;

/// Writes all of them; the last is sparse, so that it costs no disk.
///
/// # Errors
/// A file cannot be written.
pub fn write_all(corpus: &Corpus) -> Outcome {
    let whole = fs::read(corpus.wasm("hello")).doing("reading the hello program")?;
    let files: [(&str, Vec<u8>); 6] = [
        ("not-wasm", b"This is a line of text, not a program.\n".to_vec()),
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        (
            "invalid",
            one_function("_start", |code| {
                code.i32_const(1).i64_const(2).i32_add().drop();
            }),
        ),
        ("no-start", one_function("other", |_| ())),
        ("missing-import", with_foreign_import()),
    ];
    for (name, bytes) in files {
        write_if_new(&path(corpus, name), &bytes)?;
    }
    let zeros = path(corpus, "zeros");
    if fs::metadata(&zeros).is_ok_and(|metadata| metadata.len() == ZEROS_BYTES) {
        return Ok(());
    }
    fs::File::create(&zeros)
        .and_then(|file| file.set_len(ZEROS_BYTES))
        .doing(format_args!("writing {}", zeros.display()))
}

/// Where the file of this name lies.
pub fn path(corpus: &Corpus, name: &str) -> std::path::PathBuf {
    corpus.at("bad").join(format!("{name}.wasm"))
}

/// A module with one exported function of no parameters.
fn one_function(name: &str, body: impl FnOnce(&mut wasm_encoder::InstructionSink<'_>)) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export(name, ExportKind::Func, 0);
    let mut function = Function::new([]);
    body(&mut function.instructions());
    function.instructions().end();
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&exports).section(&code);
    module.finish()
}

/// A command that imports a function nobody provides.
fn with_foreign_import() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import("nowhere", "nothing", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 1);
    let mut function = Function::new([]);
    function.instructions().call(0).end();
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module.finish()
}
