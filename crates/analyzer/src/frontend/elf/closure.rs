//! The shared libraries that a program loads, found as the dynamic linker finds them (ld.so(8), "Searching for shared
//! libraries"): `DT_RPATH` of who asks and of those that loaded it, `DT_RUNPATH` of who asks alone, the linker's cache,
//! the default folders.
//!
//! Pure: whoever has files answers through [`LibraryFiles`]. `LD_LIBRARY_PATH` is the answerer's affair, since it is part
//! of an environment that only a run has.

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use forewarm_types::native::NativeLibrary;
use forewarm_types::{Bytes, NativeDemand};

use super::image::Image;
use super::read::read;

/// Libraries followed at most. Desktop programs load some 300.
const MOST: usize = 4096;

/// Folders in one search path at most.
const MOST_FOLDERS: usize = 256;

/// Answers about files, for the search of libraries.
pub trait LibraryFiles {
    /// The bytes of a file, `None` where there is none.
    fn file(&self, path: &str) -> Option<Arc<[u8]>>;

    /// Where a library of this name lies besides the folders that programs name: cache and default folders of the
    /// dynamic linker. Several, where they hold code for several machines.
    fn installed(&self, name: &str) -> Vec<String>;
}

/// A file whose libraries are still to be looked for.
struct Asking {
    name: String,
    bytes: Arc<[u8]>,
    origin: String,
    /// Folders of `DT_RPATH` of whoever loaded it.
    inherited: Vec<String>,
}

/// Fills in the libraries of a program that lies at `path`: those found, in the order of loading, and those missing.
pub fn resolve_libraries(native: &mut NativeDemand, path: &str, bytes: Arc<[u8]>, files: &dyn LibraryFiles) {
    let first = Asking { name: String::new(), bytes, origin: folder(path), inherited: Vec::new() };
    let mut queue = VecDeque::from([first]);
    let mut seen = HashSet::new();
    (native.libraries, native.missing) = (Vec::new(), Vec::new());
    while let Some(asking) = queue.pop_front() {
        let Ok(image) = read(&asking.bytes) else { continue };
        let (folders, inherited) = folders(&image, &asking);
        for name in &image.needed {
            if native.libraries.len() + native.missing.len() >= MOST || !seen.insert((*name).to_owned()) {
                continue;
            }
            let Some((path, bytes)) = locate(&image, name, &folders, files) else {
                native.missing.push((*name).to_owned());
                continue;
            };
            let needed_by = if asking.name.is_empty() { "the program".to_owned() } else { asking.name.clone() };
            let size_bytes = Bytes(bytes.len() as u64);
            let origin = folder(&path);
            native.libraries.push(NativeLibrary { name: (*name).to_owned(), path, needed_by, size_bytes });
            queue.push_back(Asking { name: (*name).to_owned(), bytes, origin, inherited: inherited.clone() });
        }
    }
}

/// The folders to look in for a file, and those that what it loads inherits.
fn folders(image: &Image<'_>, asking: &Asking) -> (Vec<String>, Vec<String>) {
    let split = |list: Option<&str>| -> Vec<String> {
        let parts = list.unwrap_or("").split(':').filter(|part| !part.is_empty()).take(MOST_FOLDERS);
        parts.map(|part| part.replace("${ORIGIN}", &asking.origin).replace("$ORIGIN", &asking.origin)).collect()
    };
    if image.runpath.is_some() {
        return (split(image.runpath), asking.inherited.clone());
    }
    let mut all = split(image.rpath);
    all.extend(asking.inherited.iter().take(MOST_FOLDERS).cloned());
    (all.clone(), all)
}

fn locate(image: &Image<'_>, name: &str, folders: &[String], files: &dyn LibraryFiles) -> Option<(String, Arc<[u8]>)> {
    let places: Vec<String> = if name.contains('/') {
        vec![name.to_owned()]
    } else {
        let named = folders.iter().map(|folder| format!("{folder}/{name}"));
        named.chain(files.installed(name)).collect()
    };
    places.into_iter().find_map(|place| {
        let bytes = files.file(&place)?;
        // The linker passes over files for another machine.
        let fits = read(&bytes).is_ok_and(|found| found.machine == image.machine && found.is_64 == image.is_64);
        fits.then_some((place, bytes))
    })
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
}
