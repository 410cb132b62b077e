//! Whether what a zygote was loaded from is still what lies on disk.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells a file from what was there before: device, inode, size, times of content and of change.
pub type FileStamp = (u64, u64, u64, i64, i64);

/// Of a file that may not be there.
type Stamp = Option<FileStamp>;

/// The state of everything that was loaded, at one moment.
#[derive(Debug, Default)]
pub struct Stamps {
    files: Vec<(PathBuf, Stamp)>,
    /// Folders whose names decide which file an import finds.
    folders: Vec<(PathBuf, u64)>,
    /// Folders that were shown as they were when the zygote was made: by device and inode.
    shown: Vec<(PathBuf, Option<(u64, u64)>)>,
}

impl Stamps {
    /// Of the files given, the folders in which modules are looked for, and what is shown.
    pub fn take(files: Vec<PathBuf>, folders: Vec<PathBuf>, shown: &[PathBuf]) -> Self {
        Self {
            files: files.into_iter().map(|file| (file.clone(), of(&file))).collect(),
            folders: folders.into_iter().map(|folder| (folder.clone(), names(&folder))).collect(),
            shown: shown.iter().map(|path| (path.clone(), identity(path))).collect(),
        }
    }

    /// How many files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// What has changed since, where something has.
    pub fn changed(&self) -> Option<&Path> {
        let file = self.files.iter().find(|(file, then)| of(file) != *then).map(|(file, _)| file);
        let folder = || self.folders.iter().find(|(folder, then)| names(folder) != *then).map(|(folder, _)| folder);
        let shown = || self.shown.iter().find(|(path, then)| identity(path) != *then).map(|(path, _)| path);
        file.or_else(folder).or_else(shown).map(PathBuf::as_path)
    }

    /// What may have changed at or after a moment (nanoseconds since the Unix epoch), and so while it was being loaded.
    ///
    /// A file that is not there may have been; then its folder was changed since. In the program's own folder, where its
    /// output may lie, names are compared with those before instead.
    pub fn changed_since(&self, moment: i64, own: &Names) -> Option<&Path> {
        let late = |stamp: &Stamp| stamp.is_some_and(|(.., changed)| changed >= moment);
        let moved = |folder: &Path| if folder == own.folder { own.changed() } else { late(&of(folder)) };
        let file = self.files.iter().find(|(file, stamp)| match stamp {
            None => file.parent().is_some_and(moved),
            Some(_) => late(stamp),
        });
        let folder = || self.folders.iter().map(|(folder, _)| folder).find(|folder| moved(folder));
        file.map(|(file, _)| file).or_else(folder).map(PathBuf::as_path)
    }
}

/// The names in a folder at one moment.
#[derive(Debug)]
pub struct Names {
    folder: PathBuf,
    names: u64,
}

impl Names {
    /// Those now.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), names: names(folder) }
    }

    fn changed(&self) -> bool {
        names(&self.folder) != self.names
    }
}

/// What a file is now.
#[must_use]
pub fn of(file: &Path) -> Option<FileStamp> {
    fs::metadata(file).ok().map(|found| of_metadata(&found))
}

/// What an open file is.
#[must_use]
pub fn of_metadata(found: &fs::Metadata) -> FileStamp {
    let nanoseconds =
        |seconds: i64, nanoseconds: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds);
    let changed = nanoseconds(found.ctime(), found.ctime_nsec());
    (found.dev(), found.ino(), found.size(), nanoseconds(found.mtime(), found.mtime_nsec()), changed)
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// The names in a folder that an import may find there: source, extension modules, archives, packages.
fn names(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let module = [".py", ".pyc", ".so", ".pth"].iter().any(|end| text.ends_with(end));
            let package = || entry.file_type().is_ok_and(|kind| !kind.is_file()) && text != "__pycache__";
            (module || package()).then_some(name)
        })
        .collect();
    names.sort();
    let mut hasher = DefaultHasher::new();
    names.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_change_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a.py"), "1").unwrap();
        let take = || Stamps::take(vec![at("a.py"), at("absent.toml")], vec![folder.path().into()], &[at("shown")]);
        let check = |change: &dyn Fn(), seen: bool| {
            let stamps = take();
            assert_eq!((stamps.len(), stamps.changed()), (2, None));
            change();
            assert_eq!(stamps.changed().is_some(), seen);
        };
        check(&|| {}, false);
        check(&|| fs::write(at("a.py"), "22").unwrap(), true);
        check(&|| fs::write(at("absent.toml"), "").unwrap(), true);
        check(&|| fs::write(at("b.py"), "").unwrap(), true);
        check(&|| fs::write(at("output.txt"), "").unwrap(), false);
        check(&|| fs::create_dir(at("__pycache__")).unwrap(), false);
        check(&|| fs::create_dir(at("shown")).unwrap(), true);
        check(&|| fs::remove_file(at("a.py")).unwrap(), true);
    }

    #[test]
    fn what_changed_late_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (folder.path().join("own"), folder.path().join("other"));
        fs::create_dir(&own).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(own.join("a.py"), "").unwrap();
        let late = |files: &[PathBuf], folders: &[PathBuf], moment: i64, before: &Names| {
            Stamps::take(files.to_vec(), folders.to_vec(), &[]).changed_since(moment, before).is_some()
        };
        let before = Names::of(&own);
        let both = [own.clone(), other.clone()];
        assert!(late(&[own.join("a.py")], &[], 0, &before) && !late(&[own.join("a.py")], &both, i64::MAX, &before));
        assert!(late(&[], &both, 0, &before) && !late(&[], &both[..1], 0, &before));
        assert!(!late(&[own.join("absent.py")], &[], 0, &before) && late(&[other.join("absent.py")], &[], 0, &before));
        fs::remove_file(own.join("a.py")).unwrap();
        assert!(late(&[own.join("a.py")], &[], i64::MAX, &before));
    }
}
