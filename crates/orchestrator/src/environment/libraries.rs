//! The shared libraries that an extension module needs, and those that these need: the `DT_NEEDED` entries, looked for
//! as the dynamic linker does (`ld.so(8)`): `DT_RUNPATH` or `DT_RPATH` with `$ORIGIN`, then the system's folders.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use forewarm_analyzer::SharedLibrary;
use forewarm_types::Bytes;
use object::elf;
use object::read::elf::{Dyn, ElfFile64};
use object::{Endianness, ReadCache};

/// Libraries followed from one module.
const MAX_LIBRARIES: usize = 200;

/// Folders in which the system keeps libraries, where no cache of the linker is read.
const SYSTEM: [&str; 6] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
];

/// The libraries behind a file.
pub fn closure(path: &Path) -> Vec<SharedLibrary> {
    let mut found: BTreeSet<SharedLibrary> = BTreeSet::new();
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(file) = waiting.pop() {
        if found.len() >= MAX_LIBRARIES || !seen.insert(file.clone()) {
            continue;
        }
        let Some((needed, folders)) = needed(&file) else { continue };
        for name in needed {
            let own = folders.iter().map(|folder| folder.join(&name)).find(|path| path.is_file());
            let system = || SYSTEM.iter().map(|folder| Path::new(folder).join(&name)).find(|path| path.is_file());
            let (path, bundled) = match own {
                Some(path) => (Some(path), true),
                None => (system(), false),
            };
            let bytes = path.as_deref().and_then(|path| std::fs::metadata(path).ok()).map(|meta| Bytes(meta.len()));
            found.insert(SharedLibrary { name, bytes, bundled });
            // What the system's libraries need in turn is the system's.
            waiting.extend(path.filter(|_| bundled));
        }
    }
    found.into_iter().collect()
}

/// The names a file needs, and the folders it says to look in.
fn needed(path: &Path) -> Option<(Vec<String>, Vec<PathBuf>)> {
    let cache = ReadCache::new(File::open(path).ok()?);
    let file: ElfFile64<'_, Endianness, _> = ElfFile64::parse(&cache).ok()?;
    let (endian, sections) = (file.endian(), file.elf_section_table());
    let (dynamic, link) = sections.dynamic(endian, &cache).ok()??;
    let strings = sections.strings(endian, &cache, link).ok()?;
    let origin = std::fs::canonicalize(path).ok()?.parent()?.to_owned();
    let (mut names, mut folders) = (Vec::new(), Vec::new());
    for entry in dynamic {
        let tag = entry.d_tag(endian);
        if tag == elf::DT_NULL {
            break;
        }
        let text = || {
            let offset = u32::try_from(entry.d_val(endian)).ok()?;
            Some(String::from_utf8_lossy(strings.get(offset).ok()?).into_owned())
        };
        match tag {
            elf::DT_NEEDED => names.extend(text()),
            elf::DT_RPATH | elf::DT_RUNPATH => {
                let list = text().unwrap_or_default();
                let folder = |part: &str| {
                    let part = part.replace("${ORIGIN}", "$ORIGIN");
                    PathBuf::from(part.replace("$ORIGIN", &origin.to_string_lossy()))
                };
                folders.extend(list.split(':').filter(|part| !part.is_empty()).map(folder));
            }
            _ => {}
        }
    }
    Some((names, folders))
}
