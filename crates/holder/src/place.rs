//! Where the holder's socket lies, and whom one meets there.
//!
//! `$XDG_RUNTIME_DIR/forewarm` where that is the user's, else a directory of the user's own in the temporary folder. Both
//! must belong to the effective user alone, be no links, and lie where nobody else could put another in their place.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};

/// A directory that belongs to the effective user alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    directory: PathBuf,
}

/// Tells builds apart by what they hold and by their protocol: FNV-1a (Fowler, Noll, Vo), 32 bits.
const BUILD: u32 = {
    let texts = [
        include_bytes!("protocol.rs").as_slice(),
        include_bytes!("program.rs").as_slice(),
        include_bytes!("walls.rs").as_slice(),
        include_bytes!("python.rs").as_slice(),
        include_bytes!("python/zygote.py").as_slice(),
        include_bytes!("native.rs").as_slice(),
        include_bytes!("native/measured.rs").as_slice(),
        include_bytes!("native/spawned.rs").as_slice(),
        include_bytes!("native/waiting.rs").as_slice(),
        include_bytes!("wasm.rs").as_slice(),
    ];
    let (mut hash, mut text) = (0x811c_9dc5_u32, 0);
    while text < texts.len() {
        let mut at = 0;
        while at < texts[text].len() {
            hash = (hash ^ texts[text][at] as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        text += 1;
    }
    hash
};

/// Why there is no holder to speak with, or none can be started.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The directory is another's, open to others, or a link.
    #[error("{0} does not belong to this user alone")]
    Unsafe(PathBuf),
    /// Who listens there is another user.
    #[error("another user listens at {0}")]
    Stranger(PathBuf),
    /// The system refuses.
    #[error("{0}: {1}")]
    System(PathBuf, io::Error),
}

impl Place {
    /// From the variables of the environment.
    #[must_use]
    pub fn find(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Self {
        let user = rustix::process::geteuid().as_raw();
        let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        // The specification has this directory belong to the user; another's is no place for this one.
        let runtime =
            runtime.filter(|path| fs::metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == user));
        let directory = match runtime {
            Some(runtime) => runtime.join("forewarm"),
            None => std::env::temp_dir().join(format!("forewarm-{user}")),
        };
        Self { directory }
    }

    /// A place at a directory of the caller's choice.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The socket's path. Another build, whose holder would speak otherwise, has another.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.join(format!("holder-{}-{BUILD:08x}", env!("CARGO_PKG_VERSION")))
    }

    fn lock(&self) -> PathBuf {
        self.socket().with_added_extension("lock")
    }

    /// Connects without waiting; `None` where nobody listens.
    ///
    /// # Errors
    /// Where the place is not this user's alone, or who listens is somebody else.
    pub fn connect(&self) -> Result<Option<UnixStream>, PlaceError> {
        match fs::symlink_metadata(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PlaceError::System(self.directory.clone(), error)),
            Ok(_) => self.check()?,
        }
        let path = self.socket();
        let failed = |error: Errno| PlaceError::System(path.clone(), error.into());
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(failed)?;
        // So that the number of each process that answers comes from the kernel.
        sockopt::set_socket_passcred(&stream, true).map_err(failed)?;
        let address = SocketAddrUnix::new(&path).map_err(failed)?;
        match connect(&stream, &address) {
            Ok(()) => {}
            Err(Errno::NOENT | Errno::CONNREFUSED | Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        if !is_own(&stream) {
            return Err(PlaceError::Stranger(path));
        }
        let stream = UnixStream::from(stream);
        stream.set_nonblocking(false).map_err(|error| PlaceError::System(path, error))?;
        Ok(Some(stream))
    }

    /// Listens, unless another holder of this user does: then `None`. The lock is held as long as what is returned.
    ///
    /// # Errors
    /// Where the place cannot be made safe, or the system refuses.
    pub fn listen(&self) -> Result<Option<(UnixListener, OwnedFd)>, PlaceError> {
        let system = |error: io::Error| PlaceError::System(self.directory.clone(), error);
        match fs::DirBuilder::new().mode(0o700).create(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(system(error)),
            _ => self.check()?,
        }
        let lock = fs::OpenOptions::new().create(true).truncate(false).write(true).open(self.lock());
        let lock = OwnedFd::from(lock.map_err(system)?);
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(system(error.into())),
        }
        // Whoever left a socket there has gone, or the lock would be held.
        match fs::remove_file(self.socket()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(system(error)),
            _ => {}
        }
        let listener = UnixListener::bind(self.socket()).map_err(system)?;
        fs::set_permissions(self.socket(), fs::Permissions::from_mode(0o600)).map_err(system)?;
        Ok(Some((listener, lock)))
    }

    /// Whether the directory is this user's alone.
    fn check(&self) -> Result<(), PlaceError> {
        let user = rustix::process::geteuid().as_raw();
        let safe = fs::symlink_metadata(&self.directory)
            .is_ok_and(|found| found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0);
        if safe && self.directory.parent().is_some_and(|parent| settled(parent, user)) {
            return Ok(());
        }
        Err(PlaceError::Unsafe(self.directory.clone()))
    }
}

/// Whether nobody but the user and root can put something else in the place of what lies in a directory.
fn settled(parent: &Path, user: u32) -> bool {
    const STICKY: u32 = 0o1000;
    fs::metadata(parent).is_ok_and(|found| {
        (found.uid() == user || found.uid() == 0) && (found.mode() & 0o022 == 0 || found.mode() & STICKY != 0)
    })
}

/// Whether the other end of a connection is the same user, as the kernel says.
#[must_use]
pub fn is_own(stream: impl AsFd) -> bool {
    sockopt::socket_peercred(stream).is_ok_and(|peer| peer.uid == rustix::process::geteuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(folder: &Path) -> Place {
        Place::at(folder.join("forewarm"))
    }

    #[test]
    fn one_holder_listens_and_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        assert!(place.connect().unwrap().is_none());
        let (listener, lock) = place.listen().unwrap().unwrap();
        assert!(place.listen().unwrap().is_none());
        assert!(is_own(place.connect().unwrap().unwrap()));
        drop((listener, lock));
        assert!(place.connect().unwrap().is_none());
        assert!(place.listen().unwrap().is_some());
    }

    #[test]
    fn what_others_could_have_made_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        fs::create_dir(folder.path().join("real")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("real"), folder.path().join("forewarm")).unwrap();
        assert!(matches!(place.connect(), Err(PlaceError::Unsafe(_))));
        assert!(matches!(place.listen(), Err(PlaceError::Unsafe(_))));
        fs::remove_file(folder.path().join("forewarm")).unwrap();
        fs::create_dir(folder.path().join("forewarm")).unwrap();
        fs::set_permissions(folder.path().join("forewarm"), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(place.listen(), Err(PlaceError::Unsafe(_))));
        fs::set_permissions(folder.path().join("forewarm"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(place.listen(), Err(PlaceError::Unsafe(_))));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(place.listen().unwrap().is_some());
    }

    #[test]
    fn the_runtime_directory_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let given = folder.path().to_owned();
        let found = Place::find(|name| (name == "XDG_RUNTIME_DIR").then(|| given.clone().into()));
        assert!(found.socket().starts_with(folder.path().join("forewarm")));
        let elsewhere = Place::find(|_| None);
        assert!(elsewhere.socket().to_string_lossy().contains("forewarm-"));
    }
}
