//! Bytes to an [`Image`]: headers, sections, symbols, relocations and dynamic entries, for any machine and word size.
//!
//! Counts that a header announces are never trusted: tables are slices of the file, and tables that overlap are read
//! only until as many entries were seen as the file could hold once.

use object::Endianness;
use object::elf;
use object::read::StringTable;
use object::read::elf::{Dyn, FileHeader, ProgramHeader, Rela, Relr, SectionHeader, Sym};

use super::image::{Image, Section, Segment, Symbol, SymbolKind};
use crate::error::AnalyzeError;

/// Loaded segments that are kept. Linkers make up to a dozen.
const MAX_SEGMENTS: usize = 256;

/// Bytes of a name that are kept.
const MAX_NAME: usize = 4096;

/// Reads an ELF file.
///
/// # Errors
/// [`AnalyzeError::Elf`] where the header or the tables it points to cannot be read.
pub(crate) fn read(bytes: &[u8]) -> Result<Image<'_>, AnalyzeError> {
    let bad = |message: &str| AnalyzeError::Elf { message: message.to_owned(), truncated: bytes.len() < 64 };
    match bytes.get(4) {
        Some(1) => Reader::<elf::FileHeader32<Endianness>>::read(bytes),
        Some(2) => Reader::<elf::FileHeader64<Endianness>>::read(bytes),
        Some(class) => Err(bad(&format!("unknown class {class}"))),
        None => Err(bad("the header is cut short")),
    }
}

struct Reader<'a, Elf: FileHeader<Endian = Endianness>> {
    bytes: &'a [u8],
    endian: Endianness,
    header: &'a Elf,
    sections: &'a [Elf::SectionHeader],
    image: Image<'a>,
    /// Dynamic entries: tag and value.
    dynamic: Vec<(i64, u64)>,
    /// Names of dynamic symbols by index, for relocations: the import, if it is one, and the address else.
    dynamic_symbols: Vec<(Option<u32>, u64)>,
    relocations_left: usize,
}

impl<'a, Elf: FileHeader<Endian = Endianness>> Reader<'a, Elf> {
    fn read(bytes: &'a [u8]) -> Result<Image<'a>, AnalyzeError> {
        let bad = |error: object::read::Error| AnalyzeError::Elf {
            message: error.to_string(),
            truncated: error.to_string().contains("size"),
        };
        let header = Elf::parse(bytes).map_err(bad)?;
        let endian = header.endian().map_err(bad)?;
        let programs = header.program_headers(endian, bytes).map_err(bad)?;
        let sections = header.section_headers(endian, bytes).map_err(bad)?;
        let image = Image {
            bytes,
            is_64: header.is_type_64(),
            little_endian: endian == Endianness::Little,
            machine: header.e_machine(endian),
            object_type: header.e_type(endian),
            entry: header.e_entry(endian).into(),
            ..Image::default()
        };
        let relocations_left = bytes.len() / size_of::<Elf::Rela>();
        let (dynamic, dynamic_symbols) = (Vec::new(), Vec::new());
        let mut reader = Self { bytes, endian, header, sections, image, dynamic, dynamic_symbols, relocations_left };
        reader.segments(programs);
        reader.sections();
        reader.fixed();
        reader.symbols();
        reader.dynamic();
        reader.relocations();
        reader.image.pointers.sort_unstable();
        // Of several relocations of one place the last holds.
        let slots = &mut reader.image.slots;
        slots.reverse();
        slots.sort_by_key(|slot| slot.0);
        slots.dedup_by_key(|slot| slot.0);
        reader.init();
        Ok(reader.image)
    }

    fn segments(&mut self, programs: &'a [Elf::ProgramHeader]) {
        let endian = self.endian;
        for program in programs {
            let (offset, size) = program.file_range(endian);
            let kept = (self.bytes.len() as u64).saturating_sub(offset).min(size);
            match program.p_type(endian) {
                elf::PT_LOAD if self.image.segments.len() < MAX_SEGMENTS => {
                    let flags = program.p_flags(endian);
                    let memory_bytes: u64 = program.p_memsz(endian).into();
                    self.image.segments.push(Segment {
                        address: program.p_vaddr(endian).into(),
                        offset,
                        file_bytes: kept,
                        memory_bytes: memory_bytes.max(kept),
                        executable: flags & elf::PF_X != 0,
                        writable: flags & elf::PF_W != 0,
                    });
                    if kept < size {
                        self.image.warnings.push("the file ends before what its headers announce".to_owned());
                    }
                }
                elf::PT_INTERP if self.image.interpreter.is_none() => {
                    let path = program.interpreter(endian, self.bytes).ok().flatten();
                    self.image.interpreter = path.and_then(text);
                }
                elf::PT_DYNAMIC if self.dynamic.is_empty() => {
                    let entries = program.dynamic(endian, self.bytes).ok().flatten().unwrap_or_default();
                    let entries = entries.iter().map(|entry| (entry.d_tag(endian).into(), entry.d_val(endian).into()));
                    self.dynamic = entries.take_while(|entry| entry.0 != 0).collect();
                    self.image.dynamic = true;
                }
                elf::PT_GNU_EH_FRAME => {
                    let begin = offset as usize;
                    let range = begin..begin.saturating_add(kept as usize);
                    self.image.eh_frame_hdr = Some((program.p_vaddr(endian).into(), range));
                }
                elf::PT_NOTE | elf::PT_GNU_PROPERTY => self.notes(program),
                _ => {}
            }
        }
    }

    /// The instruction sets that a `NT_GNU_PROPERTY_TYPE_0` note demands.
    fn notes(&mut self, program: &Elf::ProgramHeader) {
        let Ok(Some(notes)) = program.notes(self.endian, self.bytes) else { return };
        for note in notes.map_while(Result::ok) {
            let Some(properties) = note.gnu_properties(self.endian) else { continue };
            for property in properties.map_while(Result::ok) {
                if property.pr_type() == elf::GNU_PROPERTY_X86_ISA_1_NEEDED {
                    self.image.isa_needed |= property.data_u32(self.endian).unwrap_or(0);
                }
            }
        }
    }

    fn sections(&mut self) {
        let endian = self.endian;
        let strings = self.header.section_strings(endian, self.bytes, self.sections).unwrap_or_default();
        for section in self.sections {
            let flags: u64 = section.sh_flags(endian).into();
            let range = section.file_range(endian).unwrap_or((0, 0));
            let begin = usize::try_from(range.0).unwrap_or(usize::MAX).min(self.bytes.len());
            let end = begin.saturating_add(usize::try_from(range.1).unwrap_or(usize::MAX)).min(self.bytes.len());
            let loaded = flags & u64::from(elf::SHF_ALLOC) != 0;
            self.image.sections.push(Section {
                name: section.name(endian, strings).ok().and_then(text).unwrap_or(""),
                address: if loaded { section.sh_addr(endian).into() } else { 0 },
                file: begin..end,
                executable: loaded && flags & u64::from(elf::SHF_EXECINSTR) != 0,
            });
        }
    }

    /// Sections that are read-only once the dynamic linker has done its work.
    fn fixed(&mut self) {
        let fixed = |section: &&Section<'_>| {
            section.address != 0 && (section.name.starts_with(".got") || section.name.starts_with(".data.rel.ro"))
        };
        let range = |section: &Section<'_>| section.address..section.address.saturating_add(section.file.len() as u64);
        self.image.fixed = self.image.sections.iter().filter(fixed).map(range).collect();
        self.image.fixed.sort_unstable_by_key(|range| (range.start, range.end));
    }

    fn symbols(&mut self) {
        let table = |kind| self.sections.iter().find(|section| section.sh_type(self.endian) == kind);
        let read = |section: &'a Elf::SectionHeader| {
            let symbols = section.data_as_array::<Elf::Sym, _>(self.endian, self.bytes).unwrap_or_default();
            let link = self.sections.get(section.sh_link(self.endian) as usize);
            let strings = link.and_then(|link| link.strings(self.endian, self.bytes).ok().flatten());
            (symbols, strings.unwrap_or_default())
        };
        let tables = [table(elf::SHT_DYNSYM).map(read), table(elf::SHT_SYMTAB).map(read)];
        for (table, dynamic) in tables.into_iter().zip([true, false]) {
            if let Some((symbols, strings)) = table {
                self.table(symbols, strings, dynamic);
            }
        }
    }

    fn table(&mut self, symbols: &'a [Elf::Sym], strings: StringTable<'a>, dynamic: bool) {
        let endian = self.endian;
        for symbol in symbols {
            let name = symbol.name(endian, strings).ok().and_then(text).unwrap_or("");
            let kind = match symbol.st_type() {
                elf::STT_FUNC => SymbolKind::Function,
                elf::STT_GNU_IFUNC => SymbolKind::IndirectFunction,
                _ => SymbolKind::Other,
            };
            let address: u64 = symbol.st_value(endian).into();
            if symbol.is_undefined(endian) {
                let import = (!name.is_empty()).then(|| self.import(name, dynamic));
                if dynamic {
                    self.dynamic_symbols.push((import.flatten(), 0));
                }
                continue;
            }
            if dynamic {
                self.dynamic_symbols.push((None, address));
            }
            if symbol.st_type() != elf::STT_SECTION && symbol.st_type() != elf::STT_FILE && !name.is_empty() {
                let size = symbol.st_size(endian).into();
                self.image.symbols.push(Symbol { name, address, size, kind, exported: dynamic });
            }
        }
    }

    /// Notes an undefined symbol. Those of an object file's symbol table count too: its linker has to find them.
    fn import(&mut self, name: &'a str, dynamic: bool) -> Option<u32> {
        if !dynamic && self.image.object_type != elf::ET_REL {
            return None;
        }
        self.image.imports.push(name);
        u32::try_from(self.image.imports.len() - 1).ok()
    }

    fn value(&self, tag: i64) -> Option<u64> {
        self.dynamic.iter().find(|entry| entry.0 == tag).map(|entry| entry.1)
    }

    fn dynamic(&mut self) {
        let Some(table) = self.value(elf::DT_STRTAB).and_then(|address| self.image.at(address)) else {
            return;
        };
        let size = self.value(elf::DT_STRSZ).and_then(|size| usize::try_from(size).ok());
        let table = &table[..size.unwrap_or(table.len()).min(table.len())];
        let string = |offset: u64| {
            let rest = table.get(usize::try_from(offset).ok()?..)?;
            let end = rest.iter().take(MAX_NAME).position(|&byte| byte == 0)?;
            text(&rest[..end])
        };
        for &(tag, value) in &self.dynamic {
            match tag {
                elf::DT_NEEDED => self.image.needed.extend(string(value)),
                elf::DT_SONAME => self.image.soname = string(value),
                elf::DT_RPATH => self.image.rpath = string(value),
                elf::DT_RUNPATH => self.image.runpath = string(value),
                elf::DT_FLAGS_1 => self.image.flags_1 = value,
                _ => {}
            }
        }
        if self.dynamic_symbols.is_empty() {
            self.symbols_without_sections(table);
        }
    }

    /// Dynamic symbols of a file without section headers: linkers put their strings right behind them.
    fn symbols_without_sections(&mut self, strings: &'a [u8]) {
        let begin = self.value(elf::DT_SYMTAB);
        let end = self.value(elf::DT_STRTAB);
        let Some((begin, bytes)) = begin.and_then(|begin| Some((begin, self.image.at(begin)?))) else { return };
        let span = end.and_then(|end| usize::try_from(end.checked_sub(begin)?).ok()).unwrap_or(0).min(bytes.len());
        let count = span / size_of::<Elf::Sym>();
        if let Ok((symbols, _)) = object::pod::slice_from_bytes::<Elf::Sym>(bytes, count) {
            self.table(symbols, StringTable::new(strings, 0, strings.len() as u64), true);
        }
    }

    fn relocations(&mut self) {
        if self.image.machine != elf::EM_X86_64 || !self.image.is_64 {
            return;
        }
        let endian = self.endian;
        let mut tables: Vec<&'a [Elf::Rela]> = Vec::new();
        let mut packed: Vec<&'a [Elf::Relr]> = Vec::new();
        for section in self.sections {
            let loaded = section.sh_flags(endian).into() & u64::from(elf::SHF_ALLOC) != 0;
            match section.sh_type(endian) {
                elf::SHT_RELA if loaded => tables.extend(section.data_as_array(endian, self.bytes)),
                elf::SHT_RELR if loaded => packed.extend(section.data_as_array(endian, self.bytes)),
                _ => {}
            }
        }
        if self.sections.is_empty() {
            for (address, size) in [(elf::DT_RELA, elf::DT_RELASZ), (elf::DT_JMPREL, elf::DT_PLTRELSZ)] {
                let bytes = self.value(address).and_then(|address| self.image.at(address));
                let size = self.value(size).and_then(|size| usize::try_from(size).ok());
                let (Some(bytes), Some(size)) = (bytes, size) else { continue };
                let count = size.min(bytes.len()) / size_of::<Elf::Rela>();
                tables.extend(object::pod::slice_from_bytes(bytes, count).map(|table| table.0));
            }
        }
        for table in tables {
            for relocation in table {
                let Some(left) = self.relocations_left.checked_sub(1) else { return };
                self.relocations_left = left;
                self.relocation(relocation);
            }
        }
        for table in packed {
            self.packed(table);
        }
    }

    fn relocation(&mut self, relocation: &Elf::Rela) {
        let endian = self.endian;
        let place: u64 = relocation.r_offset(endian).into();
        let addend: i64 = relocation.r_addend(endian).into();
        let symbol = relocation.r_sym(endian, false) as usize;
        match relocation.r_type(endian, false) {
            elf::R_X86_64_JUMP_SLOT | elf::R_X86_64_GLOB_DAT | elf::R_X86_64_64 => {
                match self.dynamic_symbols.get(symbol) {
                    Some(&(Some(import), _)) => self.image.slots.push((place, import)),
                    Some(&(None, address)) if address != 0 => {
                        self.image.pointers.push((place, address.wrapping_add_signed(addend)));
                    }
                    _ => {}
                }
            }
            elf::R_X86_64_RELATIVE => self.image.pointers.push((place, addend as u64)),
            elf::R_X86_64_IRELATIVE => self.image.resolvers.push(addend as u64),
            _ => {}
        }
    }

    /// Relative relocations in their packed form: the addend lies in the place.
    fn packed(&mut self, table: &'a [Elf::Relr]) {
        for place in object::read::elf::RelrIterator::<Elf>::new(self.endian, table) {
            let Some(left) = self.relocations_left.checked_sub(1) else { return };
            self.relocations_left = left;
            let place: u64 = place.into();
            if let Some(address) = self.image.word(place) {
                self.image.pointers.push((place, address));
            }
        }
        let _ = Elf::Relr::get;
    }

    /// The functions called around `main`, from the arrays that list them.
    fn init(&mut self) {
        for tag in [elf::DT_INIT, elf::DT_FINI] {
            self.image.init.extend(self.value(tag));
        }
        let arrays = [
            (self.value(elf::DT_PREINIT_ARRAY), self.value(elf::DT_PREINIT_ARRAYSZ)),
            (self.value(elf::DT_INIT_ARRAY), self.value(elf::DT_INIT_ARRAYSZ)),
            (self.value(elf::DT_FINI_ARRAY), self.value(elf::DT_FINI_ARRAYSZ)),
        ];
        let from_tags = arrays.into_iter().filter_map(|(address, size)| Some((address?, size?)));
        let named = [".preinit_array", ".init_array", ".fini_array"].into_iter();
        let from_sections = named.filter_map(|name| {
            let section = self.image.section(name)?;
            Some((section.address, section.file.len() as u64))
        });
        let ranges: Vec<(u64, u64)> = from_tags.chain(from_sections).collect();
        let pointers = &self.image.pointers;
        let moved = |place: u64| {
            let after = pointers.partition_point(|pointer| pointer.0 <= place);
            after.checked_sub(1).map(|at| pointers[at]).filter(|pointer| pointer.0 == place).map(|pointer| pointer.1)
        };
        let mut out = Vec::new();
        for (address, size) in ranges {
            let slots = (size / 8).min(self.bytes.len() as u64 / 8);
            for place in (0..slots).filter_map(|slot| address.checked_add(8 * slot)) {
                out.extend(moved(place).or_else(|| self.image.word(place)));
            }
        }
        out.retain(|&address| address != 0 && address != u64::MAX);
        self.image.init.extend(out);
        self.image.init.sort_unstable();
        self.image.init.dedup();
        self.image.init.truncate(self.bytes.len() / 8);
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(&bytes[..bytes.len().min(MAX_NAME)]).ok()
}
