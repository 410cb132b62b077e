//! A module's sections as they lie, and what rewriting needs to know of each index space. Called by [`super::instrument`].

use std::collections::BTreeMap;

use wasmparser::{CompositeInnerType, FunctionBody, KnownCustom, Name, Parser, Payload, TypeRef};

use super::InstrumentError;
use super::encode::read_unsigned;

/// Section identifiers (WebAssembly core specification 5.5.2; 13: exception handling).
pub(super) mod section {
    pub(in super::super) const TYPE: u8 = 1;
    pub(in super::super) const FUNCTION: u8 = 3;
    pub(in super::super) const TABLE: u8 = 4;
    pub(in super::super) const MEMORY: u8 = 5;
    pub(in super::super) const GLOBAL: u8 = 6;
    pub(in super::super) const EXPORT: u8 = 7;
    pub(in super::super) const START: u8 = 8;
    pub(in super::super) const ELEMENT: u8 = 9;
    pub(in super::super) const CODE: u8 = 10;
    /// The order in which they stand.
    pub(in super::super) const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
}

/// What a section holds: a count, and so many items after it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Section<'a> {
    pub count: u64,
    pub items: &'a [u8],
    pub whole: &'a [u8],
}

/// A module, read.
#[derive(Debug)]
pub(super) struct Module<'a> {
    pub wasm: &'a [u8],
    pub sections: BTreeMap<u8, Section<'a>>,
    pub bodies: Vec<FunctionBody<'a>>,
    /// Parameters of each type; 0 for those of no function.
    parameters: Vec<u32>,
    /// Type of each function with a body.
    types: Vec<u32>,
    /// Names of imported functions.
    pub imports: Vec<String>,
    /// Entities of each kind, imported ones among them; of each table, whether it is indexed by 64 bits.
    pub tables: Vec<bool>,
    pub globals: u32,
    /// Of each memory, whether it is addressed by 64 bits.
    pub memories: Vec<bool>,
    pub exports: Vec<String>,
    pub names: BTreeMap<u32, String>,
    pub start: Option<u32>,
}

impl<'a> Module<'a> {
    pub fn read(wasm: &'a [u8]) -> Result<Self, InstrumentError> {
        let mut module = Self {
            wasm,
            sections: BTreeMap::new(),
            bodies: Vec::new(),
            parameters: Vec::new(),
            types: Vec::new(),
            imports: Vec::new(),
            tables: Vec::new(),
            globals: 0,
            memories: Vec::new(),
            exports: Vec::new(),
            names: BTreeMap::new(),
            start: None,
        };
        for payload in Parser::new(0).parse_all(wasm) {
            module.take(payload?)?;
        }
        if module.bodies.len() != module.types.len() {
            return Err(InstrumentError::Unsupported("functions and bodies differ in number"));
        }
        Ok(module)
    }

    /// Number of types, each of a recursive group counted.
    pub fn type_count(&self) -> u32 {
        self.parameters.len() as u32
    }

    /// Number of functions, imported ones among them.
    pub fn function_count(&self) -> u32 {
        (self.imports.len() + self.types.len()) as u32
    }

    /// Whether a memory is addressed by 64 bits.
    pub fn is_wide(&self, memory: u32) -> bool {
        self.memories.get(memory as usize).copied().unwrap_or(false)
    }

    /// Parameters of a function with a body.
    pub fn parameters_of(&self, body: usize) -> u32 {
        let ty = self.types.get(body).and_then(|ty| self.parameters.get(*ty as usize));
        ty.copied().unwrap_or(0)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<(), InstrumentError> {
        if let Some((id, range)) = payload.as_section()
            && id != 0
        {
            let whole = &self.wasm[range];
            let mut at = 0;
            let count = read_unsigned(whole, &mut at).unwrap_or(0);
            self.sections.insert(id, Section { count, items: whole.get(at..).unwrap_or_default(), whole });
            if !section::ORDER.contains(&id) {
                return Err(InstrumentError::Unsupported("a section of an unknown kind"));
            }
        }
        match payload {
            Payload::Version { encoding, .. } if encoding != wasmparser::Encoding::Module => {
                return Err(InstrumentError::Unsupported("a component: its modules cannot be reached from outside"));
            }
            Payload::TypeSection(section) => self.take_types(section)?,
            Payload::ImportSection(section) => self.take_imports(section)?,
            Payload::FunctionSection(section) => {
                self.types = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.tables.push(table?.ty.table64);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memories.push(memory?.memory64);
                }
            }
            Payload::GlobalSection(section) => self.globals += section.count(),
            Payload::ExportSection(section) => self.take_exports(section)?,
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(custom) => self.take_names(&custom),
            _ => {}
        }
        Ok(())
    }

    fn take_types(&mut self, section: wasmparser::TypeSectionReader<'a>) -> Result<(), InstrumentError> {
        for group in section {
            for ty in group?.into_types() {
                self.parameters.push(match ty.composite_type.inner {
                    CompositeInnerType::Func(function) => function.params().len() as u32,
                    _ => 0,
                });
            }
        }
        Ok(())
    }

    fn take_imports(&mut self, section: wasmparser::ImportSectionReader<'a>) -> Result<(), InstrumentError> {
        for import in section.into_imports() {
            let import = import?;
            match import.ty {
                TypeRef::Func(_) | TypeRef::FuncExact(_) => {
                    self.imports.push(format!("{}.{}", import.module, import.name));
                }
                TypeRef::Table(table) => self.tables.push(table.table64),
                TypeRef::Memory(memory) => self.memories.push(memory.memory64),
                TypeRef::Global(_) => self.globals += 1,
                TypeRef::Tag(_) => {}
            }
        }
        Ok(())
    }

    fn take_exports(&mut self, section: wasmparser::ExportSectionReader<'a>) -> Result<(), InstrumentError> {
        for export in section {
            let export = export?;
            self.exports.push(export.name.to_owned());
            if export.kind == wasmparser::ExternalKind::Func {
                self.names.entry(export.index).or_insert_with(|| export.name.to_owned());
            }
        }
        Ok(())
    }

    /// Names, as far as they can be read: they are for people.
    fn take_names(&mut self, custom: &wasmparser::CustomSectionReader<'a>) {
        let KnownCustom::Name(reader) = custom.as_known() else { return };
        for name in reader.into_iter().map_while(Result::ok) {
            if let Name::Function(map) = name {
                self.names.extend(map.into_iter().map_while(Result::ok).map(|name| (name.index, name.name.to_owned())));
            }
        }
    }
}
