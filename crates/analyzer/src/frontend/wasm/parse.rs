//! Bytes to modules: sections of a core module, and every core module nested in a component.
//!
//! Counts that a section announces are never trusted for an allocation; what is kept is bounded by the bytes read.

use std::hash::{Hash, Hasher};

use wasmparser::{
    CompositeInnerType, ElementItems, KnownCustom, MemoryType, Operator, Parser, Payload, TypeRef, ValType,
};

use super::features::{Feature, of_type};
use super::module::{Body, ImportedFunction, MemorySize, Module, Signature};
use super::validate::Sections;
use crate::error::AnalyzeError;
use crate::hash::Quick;

/// Bytes in a page of linear memory, unless a memory says otherwise (core specification, section 4.2.8).
const PAGE_BYTES: u64 = 65_536;

/// What a file holds.
#[derive(Default)]
pub(super) struct Contents<'a> {
    /// The core module, or all those nested in the component, in order.
    pub modules: Vec<Module<'a>>,
    /// Names the component itself imports and exports (not those of components within).
    pub component_imports: Vec<&'a str>,
    pub component_exports: Vec<&'a str>,
}

/// Reads all sections, and validates them where that is wanted.
///
/// # Errors
/// [`AnalyzeError::Invalid`] where a section breaks the format or, with `validate`, does not validate.
pub(super) fn parse(bytes: &[u8], validate: bool) -> Result<Contents<'_>, AnalyzeError> {
    let mut contents = Contents::default();
    let mut sections = validate.then(Sections::new);
    // One entry per open level of nesting: whether it is a module.
    let mut levels: Vec<bool> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Some(check) = sections.as_mut().map(|sections| sections.take(&payload)).transpose()?.flatten()
            && let Some(module) = contents.modules.last_mut()
        {
            module.check = Some(check);
        }
        match payload {
            Payload::Version { encoding, .. } => {
                let is_module = encoding == wasmparser::Encoding::Module;
                levels.push(is_module);
                if is_module {
                    contents.modules.push(Module::default());
                }
            }
            Payload::End(_) => drop(levels.pop()),
            Payload::ComponentImportSection(reader) if levels.len() == 1 => {
                for import in reader {
                    contents.component_imports.push(import?.name.name);
                }
            }
            Payload::ComponentExportSection(reader) if levels.len() == 1 => {
                for export in reader {
                    contents.component_exports.push(export?.name.name);
                }
            }
            payload if levels.last() == Some(&true) => {
                if let Some(module) = contents.modules.last_mut() {
                    section(module, payload)?;
                }
            }
            _ => {}
        }
    }
    for module in &mut contents.modules {
        module.table_functions.sort_unstable();
        module.table_functions.dedup();
        find_exits(module);
        if module.functions.len() != module.imports.len() + module.bodies.len() {
            let (message, offset) = ("function and code sections disagree in length".to_owned(), bytes.len() as u64);
            return Err(AnalyzeError::Invalid { message, offset, truncated: false });
        }
    }
    Ok(contents)
}

/// Wrappers around `proc_exit` that are followed: `exit` to `_Exit` to the import is three.
const EXIT_WRAPPERS: usize = 4;

/// Finds the functions that end the program: their last operators are a call of one that does, and `unreachable`.
fn find_exits(module: &mut Module<'_>) {
    let mut exits: Vec<u32> = (0..module.imports.len() as u32)
        .filter(|&function| matches!(module.imports[function as usize].name, "proc_exit" | "exit"))
        .collect();
    // The few bodies that end so, each with whom it calls there.
    let first = module.imports.len();
    let ends = |(index, body): (usize, &Body<'_>)| Some((last_call(body.bytes)?, (first + index) as u32));
    let ends: Vec<(u32, u32)> = module.bodies.iter().enumerate().filter_map(ends).collect();
    for _ in 0..EXIT_WRAPPERS {
        let known = |function: &u32| exits.binary_search(function).is_ok();
        let more: Vec<u32> = ends.iter().filter(|end| known(&end.0) && !known(&end.1)).map(|end| end.1).collect();
        if more.is_empty() {
            break;
        }
        exits.extend(more);
        exits.sort_unstable();
    }
    module.exits = exits;
}

/// The function called just before a closing `unreachable`, read from the end: `10 <index> 00 0b`.
fn last_call(body: &[u8]) -> Option<u32> {
    let body = body.strip_suffix(&[0x00, 0x0b])?;
    (2..=6.min(body.len())).find_map(|length| {
        let (opcode, index) = body[body.len() - length..].split_first()?;
        let (last, rest) = index.split_last()?;
        let whole = *last < 0x80 && rest.iter().all(|&byte| byte >= 0x80);
        let value = || index.iter().rev().fold(0_u64, |value, &byte| value << 7 | u64::from(byte & 0x7f));
        (*opcode == 0x10 && whole).then(value).and_then(|value| u32::try_from(value).ok())
    })
}

fn section<'a>(module: &mut Module<'a>, payload: Payload<'a>) -> Result<(), AnalyzeError> {
    match payload {
        Payload::TypeSection(reader) => types(module, reader)?,
        Payload::ImportSection(reader) => {
            for import in reader.into_imports() {
                import_item(module, import?);
            }
        }
        Payload::FunctionSection(reader) => {
            for ty in reader {
                module.functions.push(ty?);
            }
        }
        Payload::TableSection(reader) => {
            for table in reader {
                table_type(module, table?.ty);
            }
        }
        Payload::MemorySection(reader) => {
            for memory in reader {
                memory_type(module, memory?);
            }
        }
        Payload::GlobalSection(reader) => {
            for global in reader {
                let global = global?;
                module.features |= of_type(global.ty.content_type);
                let value = if global.ty.mutable { None } else { constant(module, &global.init_expr) };
                collect_functions(module, &global.init_expr);
                module.globals.push(value);
            }
        }
        Payload::ExportSection(reader) => {
            for export in reader {
                let export = export?;
                if export.kind == wasmparser::ExternalKind::Func {
                    module.exports.push((export.name, export.index));
                }
            }
        }
        Payload::StartSection { func, .. } => module.start = Some(func),
        Payload::ElementSection(reader) => {
            for element in reader {
                elements(module, element?.items)?;
            }
        }
        Payload::DataSection(reader) => {
            for data in reader {
                let data = data?;
                let address = match &data.kind {
                    wasmparser::DataKind::Active { offset_expr, .. } => constant(module, offset_expr),
                    wasmparser::DataKind::Passive => None,
                };
                if let (None, Some(address)) = (module.format_mark, address) {
                    let found = crate::formatting::find_mark(data.data);
                    module.format_mark = found.map(|at| address + at as i64);
                }
                module.data.push((address, data.data));
            }
        }
        Payload::TagSection(_) => module.features |= Feature::Exceptions.bit(),
        Payload::CodeSectionStart { size, .. } => module.code_bytes = u64::from(size),
        Payload::CodeSectionEntry(body) => {
            module.bodies.push(Body { bytes: body.as_bytes(), offset: body.range().start as u64 });
        }
        Payload::CustomSection(reader) => custom(module, &reader),
        _ => {}
    }
    Ok(())
}

fn types(module: &mut Module<'_>, reader: wasmparser::TypeSectionReader<'_>) -> Result<(), AnalyzeError> {
    for group in reader {
        let group = group?;
        if group.is_explicit_rec_group() {
            module.features |= Feature::Gc.bit();
        }
        for ty in group.types() {
            let signature = match &ty.composite_type.inner {
                CompositeInnerType::Func(function) => Some(signature(module, function.params(), function.results())),
                CompositeInnerType::Cont(_) => {
                    module.features |= Feature::StackSwitching.bit();
                    None
                }
                CompositeInnerType::Array(_) | CompositeInnerType::Struct(_) => {
                    module.features |= Feature::Gc.bit();
                    None
                }
            };
            if !ty.is_final || ty.supertype_idx.is_some() {
                module.features |= Feature::Gc.bit();
            }
            module.signatures.push(signature);
        }
    }
    Ok(())
}

fn signature(module: &mut Module<'_>, params: &[ValType], results: &[ValType]) -> Signature {
    for &ty in params.iter().chain(results) {
        module.features |= of_type(ty);
    }
    if results.len() > 1 {
        module.features |= Feature::MultiValue.bit();
    }
    let mut hasher = Quick::default();
    (params, results).hash(&mut hasher);
    let narrow = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    Signature { params: narrow(params.len()), results: narrow(results.len()), shape: hasher.finish() }
}

fn import_item<'a>(module: &mut Module<'a>, import: wasmparser::Import<'a>) {
    match import.ty {
        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
            module.functions.push(ty);
            module.imports.push(ImportedFunction { module: import.module, name: import.name });
        }
        TypeRef::Memory(memory) => memory_type(module, memory),
        TypeRef::Table(table) => table_type(module, table),
        TypeRef::Global(global) => {
            module.features |= of_type(global.content_type);
            module.globals.push(None);
        }
        TypeRef::Tag(_) => module.features |= Feature::Exceptions.bit(),
    }
}

fn memory_type(module: &mut Module<'_>, memory: MemoryType) {
    let page = memory.page_size_log2.map_or(PAGE_BYTES, |log2| 1_u64.checked_shl(log2).unwrap_or(PAGE_BYTES));
    let bit = |on: bool, feature: Feature| if on { feature.bit() } else { 0 };
    module.features |= bit(memory.memory64, Feature::Memory64)
        | bit(memory.shared, Feature::Threads)
        | bit(memory.page_size_log2.is_some(), Feature::CustomPageSizes)
        | bit(!module.memories.is_empty(), Feature::MultiMemory);
    module.memories.push(MemorySize {
        initial_bytes: memory.initial.saturating_mul(page),
        maximum_bytes: memory.maximum.map(|pages| pages.saturating_mul(page)),
        shared: memory.shared,
    });
}

fn table_type(module: &mut Module<'_>, table: wasmparser::TableType) {
    // Every module that calls through a table has a table of functions; that alone needs no proposal.
    if table.element_type != wasmparser::RefType::FUNCREF {
        module.features |= of_type(ValType::Ref(table.element_type));
    }
    if table.table64 {
        module.features |= Feature::Memory64.bit();
    }
}

fn elements(module: &mut Module<'_>, items: ElementItems<'_>) -> Result<(), AnalyzeError> {
    match items {
        ElementItems::Functions(functions) => {
            for function in functions {
                module.table_functions.push(function?);
            }
        }
        ElementItems::Expressions(ty, expressions) => {
            if ty != wasmparser::RefType::FUNCREF {
                module.features |= of_type(ValType::Ref(ty));
            }
            for expression in expressions {
                collect_functions(module, &expression?);
            }
        }
    }
    Ok(())
}

/// Notes the functions whose references a constant expression makes.
fn collect_functions(module: &mut Module<'_>, expression: &wasmparser::ConstExpr<'_>) {
    let mut reader = expression.get_operators_reader();
    while let Ok(operator) = reader.read() {
        match operator {
            Operator::RefFunc { function_index } => module.table_functions.push(function_index),
            Operator::End => break,
            _ => {}
        }
    }
}

/// The value of a constant expression that is one constant, or one immutable global.
fn constant(module: &Module<'_>, expression: &wasmparser::ConstExpr<'_>) -> Option<i64> {
    let mut reader = expression.get_operators_reader();
    let value = match reader.read().ok()? {
        Operator::I32Const { value } => i64::from(value),
        Operator::I64Const { value } => value,
        Operator::GlobalGet { global_index } => module.globals.get(global_index as usize).copied().flatten()?,
        _ => return None,
    };
    matches!(reader.read().ok()?, Operator::End).then_some(value)
}

fn custom<'a>(module: &mut Module<'a>, reader: &wasmparser::CustomSectionReader<'a>) {
    module.go |= reader.name() == "go:buildid";
    match reader.as_known() {
        KnownCustom::Name(names) => module.names = Some(names),
        KnownCustom::Producers(producers) => {
            // A custom section that does not parse is ignored, as the specification asks.
            for field in producers.into_iter().map_while(Result::ok) {
                for value in field.values.into_iter().map_while(Result::ok) {
                    module.producers.push((field.name, value.name, value.version));
                }
            }
        }
        _ => {}
    }
}
