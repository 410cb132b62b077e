//! Compiled artifacts on disk: content-addressed, verified, written atomically, bounded in size.
//!
//! An artifact is machine code, so it is trusted only where nobody else can have put it: the directory and each entry
//! belong to the effective user and are closed to others, are opened without following links, and are checked by
//! descriptor. Each has a sidecar ([`sidecar`]) with its SHA-256 and the stamp of the file it was taken of; the artifact
//! is hashed again whenever the stamp differs. Layout: `<SHA-256 of the code>/<tier>-<isa>-<compatibility>.cwasm`, and
//! the same with `.stamp` for the sidecar; links in `files/` note by a file's stamp its code, or how its runs begin. Called by
//! [`crate::lease`].

pub mod sidecar;

mod files;

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use forewarm_types::{Bytes, CodeKind, Digest, IsaLevel, Step, StepTiming, Tier};
use rustix::fs::{
    AtFlags, FlockOperation, Timespec, Timestamps, UTIME_NOW, flock, readlinkat, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::stopwatch::Stopwatch;
use crate::wasm::{Compiled, Engine, configuration};
use files::{Name, private_directory, private_file};
use sidecar::{Sidecar, Stamp};

/// Files remembered at most, each a link of some 100 bytes: as many as the database remembers (`forewarm_store::MAX_FILES`).
const MOST_FILES: usize = 4096;

/// The cache directory.
pub struct ArtifactCache {
    directory: PathBuf,
    root: OwnedFd,
    limit: Bytes,
}

/// What stands in the cache under one key.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ArtifactInfo {
    /// The code.
    pub digest: Digest,
    /// The compiler.
    pub tier: Tier,
    /// The instruction-set level.
    pub isa: IsaLevel,
    /// Size on disk.
    pub size_bytes: Bytes,
    /// Last use, in seconds since the Unix epoch.
    pub used_unix_seconds: f64,
}

/// An artifact found and trusted, not yet loaded.
pub(crate) struct Found {
    home: OwnedFd,
    name: Name,
    artifact: File,
}

impl Found {
    /// Its file.
    pub(crate) fn artifact(&self) -> &File {
        &self.artifact
    }
}

impl ArtifactCache {
    /// The cache at `directory` (made, 0700, where it is missing), holding at most `limit` bytes.
    ///
    /// # Errors
    /// Where the directory cannot be made, or is not the effective user's own, 0700.
    pub fn open(directory: PathBuf, limit: Bytes) -> Result<Self, io::Error> {
        let root = match files::open_directory(rustix::fs::CWD, &directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                files::make_directories(&directory)?;
                files::open_directory(rustix::fs::CWD, &directory)?
            }
            opened => opened?,
        };
        private_directory(&root)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", directory.display())))?;
        Ok(Self { directory, root, limit })
    }

    /// Where it lies.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// The tiers and instruction-set levels for which a trusted artifact of the code stands.
    #[must_use]
    pub fn standing(&self, digest: &Digest) -> Vec<(Tier, IsaLevel)> {
        let Some(home) = self.home(digest) else { return Vec::new() };
        let names = files::names(&home);
        names.into_iter().filter(|name| self.check(&home, name).is_some()).map(|name| (name.tier, name.isa)).collect()
    }

    /// What [`Self::note`] was told of a file of this stamp: a guess, since the cache does not know what the stamp is made of.
    pub(crate) fn noted(&self, stamp: &str) -> Option<String> {
        let files = files::open_directory(&self.root, files::FILES).ok()?;
        private_directory(&files).ok()?;
        Some(readlinkat(&files, stamp, Vec::new()).ok()?.to_str().ok()?.to_owned())
    }

    /// Notes of a file of this stamp what is to be known before the database is asked; nothing more where that is `None`.
    ///
    /// # Errors
    /// Where the cache cannot be written.
    pub(crate) fn note(&self, stamp: &str, what: Option<&str>) -> Result<(), io::Error> {
        if self.noted(stamp).as_deref() == what {
            return Ok(());
        }
        let files = self.make_directory(files::FILES)?;
        let _ = unlinkat(&files, stamp, AtFlags::empty());
        what.map_or(Ok(()), |what| Ok(symlinkat(what, &files, stamp)?))
    }

    /// The tier and level of the artifact of a code that was used last, where it has at least so many bytes. Whether it can
    /// be trusted is seen when it is opened.
    pub(crate) fn last_used(&self, digest: &Digest, from: u64) -> Option<(Tier, IsaLevel)> {
        let home = self.home(digest)?;
        let used = |name: &Name| {
            let stat = statat(&home, name.stamp(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
            Some((stat.st_mtime, stat.st_mtime_nsec))
        };
        let name = files::names(&home).into_iter().max_by_key(used)?;
        let size = statat(&home, name.artifact(), AtFlags::SYMLINK_NOFOLLOW).ok()?.st_size;
        u64::try_from(size).is_ok_and(|size| size >= from).then_some((name.tier, name.isa))
    }

    /// Finds the trusted artifact of a code for a tier and level.
    pub(crate) fn find(&self, digest: &Digest, tier: Tier, isa: IsaLevel) -> Option<Found> {
        let home = self.home(digest)?;
        let names = files::names(&home);
        let mut fitting = names.into_iter().filter(|name| (name.tier, name.isa) == (tier, isa));
        let (name, artifact) = fitting.find_map(|name| self.check(&home, &name).map(|artifact| (name, artifact)))?;
        Some(Found { home, name, artifact })
    }

    /// Maps an artifact for an engine. What turns out not to be of this engine is removed.
    pub(crate) fn load(&self, found: Found, engine: &Engine, kind: CodeKind) -> Option<(Compiled, StepTiming)> {
        let Found { home, name, artifact } = found;
        let mapped = if name == Name::of(engine) { engine.map(&artifact, kind).ok() } else { None };
        if mapped.is_some() {
            // The time of last use, by which the cache evicts.
            let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
            let times = Timestamps { last_access: now, last_modification: now };
            let _ = utimensat(&home, name.stamp(), &times, AtFlags::SYMLINK_NOFOLLOW);
        } else {
            files::remove(&home, &name);
        }
        mapped
    }

    /// Writes the artifact of a code, and evicts what is then too much.
    ///
    /// # Errors
    /// Where it cannot be written; nothing half-written is ever under an artifact's name.
    pub(crate) fn store(&self, digest: &Digest, engine: &Engine, code: &Compiled) -> Result<StepTiming, io::Error> {
        let timing = self.write(digest, engine, code)?;
        let _ = self.prune(self.limit);
        Ok(timing)
    }

    /// Writes the artifact of a code.
    pub(crate) fn write(&self, digest: &Digest, engine: &Engine, code: &Compiled) -> Result<StepTiming, io::Error> {
        let watch = Stopwatch::start(&*engine.clock);
        let bytes = engine.serialize(code).map_err(io::Error::other)?;
        if bytes.len() as u64 > self.limit.0 {
            return Err(io::Error::other(format!("{} bytes are more than the cache may hold", bytes.len())));
        }
        let name = Name::of(engine);
        let home = self.make_home(digest)?;
        let artifact = files::write(&self.root, &home, &name.artifact(), &bytes)?;
        // Renaming changes the time of the last status change, so the stamp is taken only now. A writer killed here
        // leaves an artifact without a fitting sidecar, which nobody will load.
        let stamp = Stamp::of(&rustix::fs::fstat(&artifact)?);
        let sidecar = Sidecar { host: host(), sha256: Sha256::digest(&bytes).into(), stamp };
        files::write(&self.root, &home, &name.stamp(), sidecar.to_string().as_bytes())?;
        Ok(watch.stop(Step::Persist, Bytes(bytes.len() as u64)))
    }

    /// Takes the place of the one process that prepares artifacts of a code, until what is returned is dropped or its
    /// process dies; `None` while another has it.
    ///
    /// # Errors
    /// Where the cache cannot be written.
    pub(crate) fn begin_preparing(&self, digest: &Digest) -> Result<Option<OwnedFd>, io::Error> {
        let home = self.make_home(digest)?;
        match flock(&home, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(home)),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a process prepares artifacts of a code now.
    #[must_use]
    pub fn being_prepared(&self, digest: &Digest) -> bool {
        let Some(home) = self.home(digest) else { return false };
        flock(&home, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }

    /// The directory of a code's artifacts, if there is one that can be trusted.
    fn home(&self, digest: &Digest) -> Option<OwnedFd> {
        let home = files::open_directory(&self.root, digest.hex()).ok()?;
        private_directory(&home).ok()?;
        Some(home)
    }

    fn make_home(&self, digest: &Digest) -> Result<OwnedFd, io::Error> {
        self.make_directory(&digest.hex())
    }

    /// A directory in the cache, made where it is missing.
    fn make_directory(&self, name: &str) -> Result<OwnedFd, io::Error> {
        match rustix::fs::mkdirat(&self.root, name, rustix::fs::Mode::RWXU) {
            Err(error) if error != rustix::io::Errno::EXIST => return Err(error.into()),
            _ => {}
        }
        let directory = files::open_directory(&self.root, name)?;
        private_directory(&directory)?;
        Ok(directory)
    }

    /// Opens an artifact if its bytes are those once written. Where they are not, and never can be, it is removed.
    fn check(&self, home: &OwnedFd, name: &Name) -> Option<File> {
        let artifact = files::open_file(home, &name.artifact()).ok()?;
        let stat = rustix::fs::fstat(&artifact).ok()?;
        private_file(&stat).ok()?;
        // Without a sidecar a writer is just about to write it, or was killed; the next writer replaces what it left.
        let sidecar = read_sidecar(home, name).filter(|sidecar| sidecar.host == host())?;
        let stamp = Stamp::of(&stat);
        if sidecar.stamp == stamp {
            return Some(artifact);
        }
        if hash(&artifact).ok() != Some(sidecar.sha256) {
            files::remove(home, name);
            return None;
        }
        let renewed = Sidecar { stamp, ..sidecar };
        let _ = files::write(&self.root, home, &name.stamp(), renewed.to_string().as_bytes());
        Some(artifact)
    }

    /// What stands in it.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn list(&self) -> Result<Vec<ArtifactInfo>, io::Error> {
        Ok(self.entries()?.into_iter().map(|(info, _)| info).collect())
    }

    fn entries(&self) -> Result<Vec<(ArtifactInfo, Name)>, io::Error> {
        let mut entries = Vec::new();
        for digest in files::codes(&self.root)? {
            let Some(home) = self.home(&digest) else { continue };
            for name in files::names(&home) {
                let Ok(artifact) = statat(&home, name.artifact(), AtFlags::SYMLINK_NOFOLLOW) else { continue };
                let used = statat(&home, name.stamp(), AtFlags::SYMLINK_NOFOLLOW).unwrap_or(artifact);
                let info = ArtifactInfo {
                    digest,
                    tier: name.tier,
                    isa: name.isa,
                    size_bytes: Bytes(u64::try_from(artifact.st_size).unwrap_or(0)),
                    used_unix_seconds: used.st_mtime as f64 + used.st_mtime_nsec as f64 * 1e-9,
                };
                entries.push((info, name));
            }
        }
        Ok(entries)
    }

    /// Evicts least recently used artifacts until at most `keep` bytes stand, and sweeps leftovers of killed writers.
    /// Returns the bytes freed.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn prune(&self, keep: Bytes) -> Result<Bytes, io::Error> {
        let mut freed = files::sweep(&self.root)?;
        let mut entries = self.entries()?;
        entries.sort_by(|(a, _), (b, _)| a.used_unix_seconds.total_cmp(&b.used_unix_seconds));
        let mut standing: Bytes = entries.iter().map(|(info, _)| info.size_bytes).sum();
        for (info, name) in entries {
            if standing.0 <= keep.0 {
                break;
            }
            let Some(home) = self.home(&info.digest) else { continue };
            files::remove(&home, &name);
            // Only an empty directory goes.
            let _ = unlinkat(&self.root, info.digest.hex(), AtFlags::REMOVEDIR);
            standing = Bytes(standing.0.saturating_sub(info.size_bytes.0));
            freed = freed + info.size_bytes;
        }
        self.forget_files();
        Ok(freed)
    }

    /// Forgets files of codes of which nothing stands any more; all, where they have become many.
    fn forget_files(&self) {
        let Ok(files) = files::open_directory(&self.root, files::FILES) else { return };
        let stamps = files::entries(&files).unwrap_or_default();
        let many = stamps.len() > MOST_FILES;
        let leads_nowhere = |noted: String| noted.parse().is_ok_and(|digest| self.home(&digest).is_none());
        for stamp in stamps {
            if many || self.noted(&stamp).is_none_or(leads_nowhere) {
                let _ = unlinkat(&files, &stamp, AtFlags::empty());
            }
        }
    }
}

fn read_sidecar(home: &OwnedFd, name: &Name) -> Option<Sidecar> {
    let file = files::open_file(home, &name.stamp()).ok()?;
    private_file(&rustix::fs::fstat(&file).ok()?).ok()?;
    let mut bytes = Vec::with_capacity(sidecar::MAX_BYTES);
    file.take(sidecar::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).ok()?;
    Sidecar::parse(&bytes)
}

fn hash(file: &File) -> Result<[u8; 32], io::Error> {
    let mut reader = file;
    io::Seek::rewind(&mut reader)?;
    let mut hasher = Sha256::new();
    io::copy(&mut reader, &mut hasher)?;
    Ok(hasher.finalize().into())
}

/// What of this host decides whether an artifact fits, as far as can be told without making an engine: the engine's
/// version, its configuration and the processor's features. The engine's own compatibility hash is in the name.
fn host() -> u64 {
    static HOST: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| {
        let text = format!("{}/{}/{:?}", env!("CARGO_PKG_VERSION"), configuration::REVISION, files::processor());
        u64::from_le_bytes(prefix(&Sha256::digest(text.as_bytes()).into()))
    });
    *HOST
}

/// The engine's compatibility hash, by SHA-256 so that it is the same in every process.
fn compatibility(engine: &Engine) -> u64 {
    struct Digesting(Sha256);
    impl Hasher for Digesting {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            u64::from_le_bytes(prefix(&self.0.clone().finalize().into()))
        }
    }
    let mut hasher = Digesting(Sha256::new());
    engine.engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

fn prefix(digest: &[u8; 32]) -> [u8; 8] {
    std::array::from_fn(|index| digest[index])
}

/// An unnamed file with the given contents.
pub(crate) fn scratch_file(bytes: &[u8]) -> Result<File, io::Error> {
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    Ok(file)
}
