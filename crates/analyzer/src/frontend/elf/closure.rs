//! The shared libraries that a program loads, found as the dynamic linker finds them (ld.so(8), "Searching for shared
//! libraries"): `DT_RPATH` of who asks and of those that loaded it, `DT_RUNPATH` of who asks alone, the linker's cache,
//! the default folders.
//!
//! Pure: whoever has files answers through [`LibraryFiles`]. `LD_LIBRARY_PATH` is the answerer's affair, since it is part
//! of an environment that only a run has.

use std::collections::{HashSet, VecDeque};
use std::path::Path;

use forewarm_types::native::NativeLibrary;
use forewarm_types::{Bytes, NativeDemand};
use object::read::StringTable;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, FileKind, ReadRef, elf};

use crate::environment::SharedLibrary;

/// Libraries followed at most. Desktop programs load some 300.
const MOST: usize = 4096;

/// Folders in one search path at most.
const MOST_FOLDERS: usize = 256;

/// Answers about files, for the search of libraries.
pub trait LibraryFiles {
    /// What a file asks of the linker, `None` where there is none or it is no ELF file.
    fn file(&self, path: &str) -> Option<Asking>;

    /// Where a library of this name lies besides the folders that programs name: cache and default folders of the
    /// dynamic linker. Several, where they hold code for several machines.
    fn installed(&self, name: &str) -> Vec<String>;
}

/// What a file asks of the dynamic linker: its `DT_NEEDED`, `DT_RPATH` and `DT_RUNPATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    machine: u16,
    is_64: bool,
    needed: Vec<String>,
    rpath: Option<String>,
    runpath: Option<String>,
    size_bytes: Bytes,
}

impl Asking {
    /// Reads the headers and the dynamic section alone, so that large files in a cache of what was read
    /// ([`object::ReadCache`]) are hardly read at all.
    pub fn read<'a, R: ReadRef<'a>>(data: R) -> Option<Self> {
        match FileKind::parse(data).ok()? {
            FileKind::Elf32 => Self::of::<elf::FileHeader32<Endianness>, R>(data, false),
            FileKind::Elf64 => Self::of::<elf::FileHeader64<Endianness>, R>(data, true),
            _ => None,
        }
    }

    fn of<'a, H: FileHeader<Endian = Endianness>, R: ReadRef<'a>>(data: R, is_64: bool) -> Option<Self> {
        let header = H::parse(data).ok()?;
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, data).ok()?;
        let size_bytes = Bytes(data.len().ok()?);
        let mut asking = Self {
            machine: header.e_machine(endian),
            is_64,
            needed: Vec::new(),
            rpath: None,
            runpath: None,
            size_bytes,
        };
        let dynamic = segments.iter().find_map(|segment| segment.dynamic(endian, data).ok().flatten()).unwrap_or(&[]);
        let end = dynamic.iter().position(|entry| entry.tag(endian) == elf::DT_NULL);
        let dynamic = &dynamic[..end.unwrap_or(dynamic.len())];
        let table = dynamic.iter().find(|entry| entry.tag(endian) == elf::DT_STRTAB).map(|at| at.val(endian));
        let offset = table.and_then(|address| {
            segments.iter().find_map(|segment| {
                let (start, size) = (segment.p_vaddr(endian).into(), segment.p_filesz(endian).into());
                let within = address.checked_sub(start).filter(|within| *within < size)?;
                (segment.p_type(endian) == elf::PT_LOAD).then(|| segment.p_offset(endian).into().checked_add(within))?
            })
        });
        let Some(offset) = offset else { return Some(asking) };
        let strings = StringTable::new(data, offset, size_bytes.0);
        for entry in dynamic {
            let text = || Some(String::from_utf8_lossy(entry.string(endian, strings).ok()?).into_owned());
            match entry.tag(endian) {
                elf::DT_NEEDED if asking.needed.len() < MOST => asking.needed.extend(text()),
                elf::DT_RPATH => asking.rpath = text(),
                elf::DT_RUNPATH => asking.runpath = text(),
                _ => {}
            }
        }
        Some(asking)
    }
}

/// A file whose libraries are still to be looked for.
struct Loaded {
    name: String,
    asks: Asking,
    origin: String,
    /// Folders of `DT_RPATH` of whoever loaded it.
    inherited: Vec<String>,
}

/// A library that was looked for.
struct Sought<'a> {
    name: &'a str,
    /// Who needs it: empty for the file that the search began with.
    needed_by: &'a str,
    found: Option<&'a Found>,
}

/// Where a library lies.
struct Found {
    path: String,
    asks: Asking,
    /// Whether it lies where who needs it says, rather than where the system keeps libraries.
    named: bool,
}

/// Fills in the libraries of a program that lies at `path`: those found, in the order of loading, and those missing.
pub fn resolve_libraries(native: &mut NativeDemand, path: &str, files: &dyn LibraryFiles) {
    (native.libraries, native.missing) = (Vec::new(), Vec::new());
    search(path, files, |Sought { name, needed_by, found }| {
        match found {
            Some(Found { path, asks, .. }) => native.libraries.push(NativeLibrary {
                name: name.to_owned(),
                path: path.clone(),
                needed_by: if needed_by.is_empty() { "the program" } else { needed_by }.to_owned(),
                size_bytes: asks.size_bytes,
            }),
            None => native.missing.push(name.to_owned()),
        }
        true
    });
}

/// The shared libraries that an extension module at `path` needs, by name, and those that the ones brought along need: what
/// the system's need in turn is the system's.
pub fn module_libraries(path: &str, files: &dyn LibraryFiles) -> Vec<SharedLibrary> {
    let mut libraries = Vec::new();
    search(path, files, |Sought { name, found, .. }| {
        let bundled = found.is_some_and(|found| found.named);
        let bytes = found.map(|found| found.asks.size_bytes);
        libraries.push(SharedLibrary { name: name.to_owned(), bytes, bundled });
        bundled
    });
    libraries.sort();
    libraries
}

/// Looks for all libraries behind a file, breadth first, once by name; `take` says whether to look for those of one in turn.
fn search(path: &str, files: &dyn LibraryFiles, mut take: impl FnMut(Sought<'_>) -> bool) {
    let first = |asks| Loaded { name: String::new(), asks, origin: folder(path), inherited: Vec::new() };
    let mut queue: VecDeque<Loaded> = files.file(path).map(first).into_iter().collect();
    let mut seen = HashSet::new();
    while let Some(loaded) = queue.pop_front() {
        let (folders, inherited) = folders(&loaded);
        for name in &loaded.asks.needed {
            if seen.len() >= MOST || !seen.insert(name.clone()) {
                continue;
            }
            let found = locate(&loaded.asks, name, &folders, files);
            let further = take(Sought { name, needed_by: &loaded.name, found: found.as_ref() });
            if let Some(Found { path, asks, .. }) = found.filter(|_| further) {
                let origin = folder(&path);
                queue.push_back(Loaded { name: name.clone(), asks, origin, inherited: inherited.clone() });
            }
        }
    }
}

/// The folders to look in for what a file asks for, and those that what it loads inherits.
fn folders(loaded: &Loaded) -> (Vec<String>, Vec<String>) {
    let split = |list: Option<&str>| -> Vec<String> {
        let parts = list.unwrap_or("").split(':').filter(|part| !part.is_empty()).take(MOST_FOLDERS);
        parts.map(|part| part.replace("${ORIGIN}", &loaded.origin).replace("$ORIGIN", &loaded.origin)).collect()
    };
    let Asking { rpath, runpath, .. } = &loaded.asks;
    if runpath.is_some() {
        return (split(runpath.as_deref()), loaded.inherited.clone());
    }
    let mut all = split(rpath.as_deref());
    all.extend(loaded.inherited.iter().take(MOST_FOLDERS).cloned());
    (all.clone(), all)
}

fn locate(asker: &Asking, name: &str, folders: &[String], files: &dyn LibraryFiles) -> Option<Found> {
    // The linker passes over files for another machine.
    let fits = |path: String, named| {
        let asks = files.file(&path).filter(|asks| asks.machine == asker.machine && asks.is_64 == asker.is_64)?;
        Some(Found { path, asks, named })
    };
    if name.contains('/') {
        return fits(name.to_owned(), true);
    }
    let named = folders.iter().find_map(|folder| fits(format!("{folder}/{name}"), true));
    named.or_else(|| files.installed(name).into_iter().find_map(|place| fits(place, false)))
}

fn folder(path: &str) -> String {
    let parent = Path::new(path).parent().map(|parent| parent.to_string_lossy().into_owned());
    parent.filter(|parent| !parent.is_empty()).unwrap_or_else(|| ".".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_file() {
        assert_eq!((folder("/usr/bin/ls"), folder("ls")), ("/usr/bin".to_owned(), ".".to_owned()));
    }

    #[test]
    fn a_file_that_asks_for_nothing_or_is_none() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        let asks = Asking::read(own.as_slice()).unwrap();
        assert!(asks.is_64 && asks.needed.iter().any(|name| name == "libc.so.6"), "{asks:?}");
        assert_eq!(Asking::read(&b"#!/bin/sh"[..]), None);
        for cut in [10, 64, 100, 1000] {
            // What is cut short may be read in part; it must be read to an end.
            let _ = Asking::read(&own[..cut]);
        }
    }
}
