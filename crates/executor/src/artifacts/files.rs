//! The cache's file operations, all relative to descriptors of directories that were checked.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use forewarm_sandbox::cgroup::alive;
use forewarm_types::{Bytes, Digest, IsaLevel, Tier};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat, statat};
use rustix::path::Arg;

use crate::wasm::Engine;

const TEMPORARY: &str = ".writing-";

/// The directory of links from files to codes.
pub(super) const FILES: &str = "files";

/// The key of an artifact within its code's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) tier: Tier,
    pub(super) isa: IsaLevel,
    compatibility: u64,
}

impl Name {
    /// The key of what an engine makes.
    pub(super) fn of(engine: &Engine) -> Self {
        let compatibility = super::compatibility(engine);
        Self { tier: engine.settings.tier, isa: engine.settings.isa, compatibility }
    }

    pub(super) fn artifact(&self) -> String {
        format!("{}-{}-{:016x}.cwasm", self.tier.name(), self.isa.name(), self.compatibility)
    }

    pub(super) fn stamp(&self) -> String {
        format!("{}-{}-{:016x}.stamp", self.tier.name(), self.isa.name(), self.compatibility)
    }

    fn parse(file: &str) -> Option<Self> {
        let mut words = file.strip_suffix(".cwasm")?.split('-');
        let tier = words.next()?.parse().ok()?;
        let isa = words.next()?;
        let isa = [IsaLevel::Baseline, IsaLevel::Native].into_iter().find(|level| level.name() == isa)?;
        let this = Self { tier, isa, compatibility: u64::from_str_radix(words.next()?, 16).ok()? };
        (this.artifact() == file).then_some(this)
    }
}

/// The artifacts named in a code's directory.
pub(super) fn names(home: &OwnedFd) -> Vec<Name> {
    entries(home).unwrap_or_default().iter().filter_map(|name| Name::parse(name)).collect()
}

/// The codes that have a directory.
pub(super) fn codes(root: &OwnedFd) -> Result<Vec<Digest>, io::Error> {
    let entries = entries(root)?;
    Ok(entries
        .iter()
        .filter_map(|name| name.parse().ok())
        .filter(|digest: &Digest| entries.contains(&digest.hex()))
        .collect())
}

/// The names in a directory.
pub(super) fn entries(directory: &OwnedFd) -> Result<Vec<String>, io::Error> {
    let entries = rustix::fs::Dir::read_from(directory)?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str().ok().map(str::to_owned)).collect())
}

pub(super) fn open_directory(parent: impl AsFd, path: impl Arg) -> Result<OwnedFd, io::Error> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    Ok(openat(parent, path, flags, Mode::empty())?)
}

pub(super) fn make_directories(path: &Path) -> Result<(), io::Error> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens an entry for reading, not through a link, and without waiting should it be a pipe.
pub(super) fn open_file(home: &OwnedFd, name: &str) -> Result<File, io::Error> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    Ok(File::from(openat(home, name, flags, Mode::empty())?))
}

/// That a directory is the effective user's own, and closed to everyone else.
pub(super) fn private_directory(directory: &OwnedFd) -> Result<(), io::Error> {
    private(&rustix::fs::fstat(directory)?, FileType::Directory)
}

/// That a file is a regular one, the effective user's own, and closed to everyone else.
pub(super) fn private_file(stat: &Stat) -> Result<(), io::Error> {
    private(stat, FileType::RegularFile)
}

fn private(stat: &Stat, kind: FileType) -> Result<(), io::Error> {
    let denied = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()));
    if FileType::from_raw_mode(stat.st_mode) != kind {
        return denied("not the kind of file it should be");
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return denied("belongs to another user");
    }
    if stat.st_mode & 0o077 != 0 {
        return denied("open to other users; set its mode to 0700");
    }
    Ok(())
}

/// Writes a file whole under a temporary name, then renames it into place. Not synced: what a crash of the machine
/// leaves torn is seen by its hash.
pub(super) fn write(root: &OwnedFd, home: &OwnedFd, name: &str, bytes: &[u8]) -> Result<File, io::Error> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let temporary = format!("{TEMPORARY}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let create = || {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(root, &temporary, flags, Mode::RUSR | Mode::WUSR)
    };
    let mut file = File::from(create().or_else(|error| {
        // A dead process of the same number left it.
        if error == rustix::io::Errno::EXIST {
            rustix::fs::unlinkat(root, &temporary, AtFlags::empty())?;
        }
        create()
    })?);
    let written = file.write_all(bytes).and_then(|()| Ok(rustix::fs::renameat(root, &temporary, home, name)?));
    if let Err(error) = written {
        let _ = rustix::fs::unlinkat(root, &temporary, AtFlags::empty());
        return Err(error);
    }
    Ok(file)
}

/// Removes an artifact and its sidecar.
pub(super) fn remove(home: &OwnedFd, name: &Name) {
    let _ = rustix::fs::unlinkat(home, name.artifact(), AtFlags::empty());
    let _ = rustix::fs::unlinkat(home, name.stamp(), AtFlags::empty());
}

/// Removes what killed writers left; returns its size.
pub(super) fn sweep(root: &OwnedFd) -> Result<Bytes, io::Error> {
    let mut freed = Bytes::ZERO;
    for name in entries(root)? {
        let writer = name.strip_prefix(TEMPORARY).and_then(|rest| rest.split('-').next()?.parse().ok());
        if writer.is_none_or(alive) {
            continue;
        }
        let size =
            statat(root, &name, AtFlags::SYMLINK_NOFOLLOW).map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
        if rustix::fs::unlinkat(root, &name, AtFlags::empty()).is_ok() {
            freed = freed + Bytes(size);
        }
    }
    Ok(freed)
}

/// The processor's features that compiled code may rely on.
pub(super) fn processor() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        // Those the engine looks for: wasmtime `detect_host_feature`.
        macro_rules! present {
            ($($feature:tt)*) => { [$(($feature, std::is_x86_feature_detected!($feature))),*] };
        }
        let features = present!["sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "avx" "avx2" "fma" "bmi1" "bmi2" "lzcnt"
            "avx512bitalg" "avx512dq" "avx512f" "avx512vl" "avx512vbmi" "cmpxchg16b"];
        features.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        vec![std::env::consts::ARCH]
    }
}
