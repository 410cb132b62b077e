//! The files around a native program: where the dynamic linker of this machine finds libraries.
//!
//! Reads the linker's cache and the default folders; the search itself is the analyzer's. Called when a program is seen for
//! the first time, since what it is loaded with tells what its start takes, when its files are read ahead, and for the
//! extension modules of Python programs.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use forewarm_analyzer::{Asking, LibraryFiles};
use forewarm_types::Analysis;
use object::ReadCache;

/// The dynamic linker's cache (ldconfig(8)).
const CACHE: &str = "/etc/ld.so.cache";

/// How the cache begins in the format that glibc has written since 2.2 (`sysdeps/generic/dl-cache.h`); the older format
/// may stand before it.
const CACHE_MAGIC: &[u8] = b"glibc-ld.so.cache1.1";

/// Folders the linker looks in last (ld.so(8)), and where Debian and musl keep theirs.
const FOLDERS: [&str; 9] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
];

/// Fills in the shared libraries of a native program, as they lie on this machine.
pub(crate) fn find_libraries(analysis: &mut Analysis, path: &Path) {
    let Some(native) = analysis.native.as_mut().filter(|native| !native.needed.is_empty()) else { return };
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    forewarm_analyzer::resolve_libraries(native, &path.to_string_lossy(), &Installed::default());
    if !native.missing.is_empty() {
        let missing = native.missing.join(", ");
        analysis.warnings.push(format!("shared libraries that are not on this machine: {missing}"));
    }
}

/// Libraries as installed here.
#[derive(Default)]
pub(crate) struct Installed {
    /// Paths by name, read from the cache at the first question.
    cache: OnceCell<HashMap<String, Vec<String>>>,
}

impl LibraryFiles for Installed {
    fn file(&self, path: &str) -> Option<Asking> {
        let file = File::open(path).ok()?;
        file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Asking::read(&ReadCache::new(file))
    }

    fn installed(&self, name: &str) -> Vec<String> {
        let cache = self.cache.get_or_init(|| std::fs::read(CACHE).map(|bytes| parse(&bytes)).unwrap_or_default());
        let mut places = cache.get(name).cloned().unwrap_or_default();
        places.extend(FOLDERS.iter().map(|folder| format!("{folder}/{name}")));
        places
    }
}

/// Paths by name from the bytes of the cache: a header of 48 bytes, entries of 24, strings by offset from the header.
fn parse(bytes: &[u8]) -> HashMap<String, Vec<String>> {
    let mut out: HashMap<String, Vec<String>> = HashMap::new();
    let at = bytes.windows(CACHE_MAGIC.len()).position(|window| window == CACHE_MAGIC);
    let Some(cache) = at.map(|at| &bytes[at..]) else { return out };
    let word = |at: usize| {
        let bytes = cache.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let text = |at: usize| {
        let rest = cache.get(at..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        std::str::from_utf8(&rest[..end]).ok()
    };
    let count = word(20).unwrap_or(0).min(cache.len() / 24);
    for entry in (0..count).map(|index| 48 + 24 * index) {
        let names = word(entry + 4).and_then(text).zip(word(entry + 8).and_then(text));
        if let Some((name, path)) = names {
            out.entry(name.to_owned()).or_default().push(path.to_owned());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_names_paths() {
        let mut cache = CACHE_MAGIC.to_vec();
        cache.extend(1_u32.to_le_bytes());
        cache.resize(48, 0);
        for word in [1_u32, 72, 80, 0, 0, 0] {
            cache.extend(word.to_le_bytes());
        }
        cache.extend(b"libx.so\0/lib/libx.so\0");
        let found = parse(&[&b"ld.so-1.7.0\0old"[..], &cache].concat());
        assert_eq!(found.get("libx.so").map(Vec::as_slice), Some(&["/lib/libx.so".to_owned()][..]));
        assert!(parse(b"").is_empty());
        assert!(parse(&cache[..50]).is_empty());
    }
}
