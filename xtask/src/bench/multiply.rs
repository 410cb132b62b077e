//! A module with all of its functions many times over, so that growth can be measured on real code: copy after copy
//! calls its own functions only, and a new `_start` calls the `_start` of each. Called by `bench analyze`.

use wasm_encoder::reencode::{Reencode, utils};
use wasm_encoder::{
    CodeSection, ElementSection, Elements, ExportKind, ExportSection, Function, FunctionSection, Module, RawSection,
};
use wasmparser::{ElementItems, FunctionBody, Parser, Payload};

use crate::process::{Outcome, While, failure};

/// What of a module is not copied as it is.
#[derive(Default)]
struct Parts<'a> {
    /// Functions imported, and types of those defined.
    imported: u32,
    types: Vec<u32>,
    bodies: Vec<FunctionBody<'a>>,
    /// Functions in tables.
    in_tables: Vec<u32>,
    start: u32,
}

/// Shifts the functions that a module defines.
struct Shift {
    imported: u32,
    by: u32,
}

impl Reencode for Shift {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, wasm_encoder::reencode::Error<Self::Error>> {
        Ok(if function < self.imported { function } else { function + self.by })
    }
}

/// The module with its functions `factor` times.
///
/// # Errors
/// The module cannot be read, or has no `_start`.
pub fn times(bytes: &[u8], factor: u32) -> Outcome<Vec<u8>> {
    let parts = parts(bytes)?;
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.doing("reading a module")?;
        match &payload {
            Payload::FunctionSection(_) => {
                module.section(&functions(&parts, factor));
            }
            Payload::ExportSection(_) => {
                let mut exports = ExportSection::new();
                exports.export("_start", ExportKind::Func, parts.imported + parts.types.len() as u32 * factor);
                module.section(&exports);
            }
            Payload::ElementSection(reader) => {
                let mut elements = ElementSection::new();
                utils::parse_element_section(&mut Shift { imported: 0, by: 0 }, &mut elements, reader.clone())
                    .doing("copying tables")?;
                for copy in 1..factor {
                    let mut shift = shift(&parts, copy);
                    let list: Result<Vec<u32>, _> =
                        parts.in_tables.iter().map(|&function| shift.function_index(function)).collect();
                    elements.declared(Elements::Functions(list.doing("copying tables")?.into()));
                }
                module.section(&elements);
            }
            Payload::CodeSectionStart { .. } => {
                module.section(&code(&parts, factor)?);
            }
            Payload::CustomSection(_) | Payload::CodeSectionEntry(_) | Payload::StartSection { .. } => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    let data = bytes.get(range).unwrap_or_default();
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    Ok(module.finish())
}

fn parts(bytes: &[u8]) -> Outcome<Parts<'_>> {
    let mut parts = Parts { start: u32::MAX, ..Parts::default() };
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.doing("reading a module")? {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    parts.imported += u32::from(matches!(
                        import.doing("reading imports")?.ty,
                        wasmparser::TypeRef::Func(_) | wasmparser::TypeRef::FuncExact(_)
                    ));
                }
            }
            Payload::FunctionSection(reader) => {
                parts.types = reader.into_iter().collect::<Result<_, _>>().doing("reading functions")?;
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export.doing("reading exports")?;
                    if export.name == "_start" {
                        parts.start = export.index;
                    }
                }
            }
            Payload::ElementSection(reader) => {
                for element in reader {
                    if let ElementItems::Functions(list) = element.doing("reading tables")?.items {
                        let list: Result<Vec<u32>, _> = list.into_iter().collect();
                        parts.in_tables.extend(list.doing("reading tables")?);
                    }
                }
            }
            Payload::CodeSectionEntry(body) => parts.bodies.push(body),
            _ => {}
        }
    }
    if parts.start < parts.imported || parts.start == u32::MAX {
        return Err(failure("the module to multiply defines no `_start`"));
    }
    Ok(parts)
}

fn shift(parts: &Parts<'_>, copy: u32) -> Shift {
    Shift { imported: parts.imported, by: parts.types.len() as u32 * copy }
}

fn functions(parts: &Parts<'_>, factor: u32) -> FunctionSection {
    let mut section = FunctionSection::new();
    for _ in 0..factor {
        for &ty in &parts.types {
            section.function(ty);
        }
    }
    let start = parts.types.get((parts.start - parts.imported) as usize).copied().unwrap_or_default();
    section.function(start);
    section
}

fn code(parts: &Parts<'_>, factor: u32) -> Outcome<CodeSection> {
    let mut section = CodeSection::new();
    let mut start = Function::new([]);
    for copy in 0..factor {
        let mut shift = shift(parts, copy);
        for body in &parts.bodies {
            utils::parse_function_body(&mut shift, &mut section, body.clone()).doing("copying a function")?;
        }
        start.instructions().call(shift.function_index(parts.start).doing("calling a copy")?);
    }
    start.instructions().end();
    section.function(&start);
    Ok(section)
}
