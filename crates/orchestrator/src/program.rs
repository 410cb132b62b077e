//! The program's file: opened once, stamped, digested, and read only when a step needs its bytes.
//!
//! What is hashed and what is compiled are the same bytes: whoever asks for them gets those whose digest was checked.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forewarm_analyzer::AnalyzeError;
use forewarm_executor::lease::CodeSource;
use forewarm_store::Stamp;
use forewarm_types::{CodeKind, Digest, Seconds};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// A stamp is not trusted while the file may still be changing: within this many seconds of its last change
/// (the granularity of time stamps on the coarsest file system in use, FAT, is 2 s).
const SETTLE_SECONDS: f64 = 2.0;

/// Files of up to so many bytes are read into memory that is backed beforehand; a larger one may be a hole with a name.
const BACKED_UP_TO: usize = 1 << 30;

/// From this size on with huge pages, where the system has them: a smaller file would leave most of one unused.
const HUGE_PAGES_FROM: usize = 8 << 20;

/// An opened program.
pub struct Program {
    path: PathBuf,
    name: String,
    file: File,
    stamp: Stamp,
    settled: bool,
    identity: Option<(Digest, CodeKind)>,
    binary: Option<Arc<Vec<u8>>>,
}

impl Program {
    /// Opens a file without reading it.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::Unreadable`].
    pub fn open(path: &Path, now_unix: Seconds) -> Result<Self, Error> {
        let file = File::open(path).map_err(|cause| open_error(path, &cause))?;
        let meta = file.metadata().map_err(|cause| unreadable(path, &cause.to_string(), None))?;
        if !meta.is_file() {
            let what = if meta.is_dir() { "it is a directory" } else { "it is not a regular file" };
            return Err(unreadable(path, what, Some("name the program's file itself")));
        }
        let stamp = Stamp {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            mtime_ns: nanoseconds(meta.mtime(), meta.mtime_nsec()),
            ctime_ns: nanoseconds(meta.ctime(), meta.ctime_nsec()),
        };
        let changed = stamp.mtime_ns.max(stamp.ctime_ns) as f64 / 1e9;
        Ok(Self {
            path: path.to_owned(),
            name: name_of(path),
            file,
            stamp,
            settled: now_unix.0 - changed > SETTLE_SECONDS,
            identity: None,
            binary: None,
        })
    }

    /// The file's path as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's own name, the `argv[0]` of its run.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.name
    }

    /// The file's size when it was opened, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.stamp.size
    }

    /// The stamp under which its digest may be remembered; `None` while the file may still be changing.
    #[must_use]
    pub fn stamp(&self) -> Option<&Stamp> {
        self.settled.then_some(&self.stamp)
    }

    /// Takes the digest remembered for this stamp, and the kind that went with it, instead of reading the file.
    pub fn recognise(&mut self, digest: Digest, kind: CodeKind) {
        self.identity = Some((digest, kind));
    }

    /// Reads the file: its bytes as they lie there.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn read(&mut self) -> Result<Vec<u8>, Error> {
        self.read_raw().map_err(|cause| unreadable(&self.path, &cause.to_string(), None))
    }

    /// Settles what the program is, after its bytes were read, hashed and translated.
    pub fn identify(&mut self, digest: Digest, kind: CodeKind, binary: Arc<Vec<u8>>) {
        self.identity = Some((digest, kind));
        self.binary = Some(binary);
    }

    fn read_raw(&mut self) -> io::Result<Vec<u8>> {
        use std::io::Seek;
        self.file.seek(io::SeekFrom::Start(0))?;
        let size = usize::try_from(self.stamp.size).unwrap_or(usize::MAX);
        let mut bytes = vec![0; if size <= BACKED_UP_TO { size } else { 0 }];
        // In one call, where each page faults of its own otherwise. Where the system lacks it, they do.
        let _ = forewarm_sandbox::memory::populate(&mut bytes, size >= HUGE_PAGES_FROM);
        // The file may have shrunk or grown since it was opened.
        let read = read_into(&mut self.file, &mut bytes)?;
        bytes.truncate(read);
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn binary(&mut self) -> io::Result<Arc<Vec<u8>>> {
        if let Some(binary) = &self.binary {
            return Ok(Arc::clone(binary));
        }
        let bytes = self.read_raw()?;
        if self.identity.is_some_and(|(digest, _)| digest != digest_of(&bytes)) {
            return Err(io::Error::other("the file changed while it was being planned for; run it again"));
        }
        let translated = translated(&bytes).map_err(io::Error::other)?;
        let binary = Arc::new(translated.unwrap_or(bytes));
        self.binary = Some(Arc::clone(&binary));
        Ok(binary)
    }
}

/// The `argv[0]` of a run of a file: its own name.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| "program".into(), |name| name.to_string_lossy().into_owned())
}

/// Reads until the block is full or the file ends; how much was read.
fn read_into(file: &mut File, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match file.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl CodeSource for Program {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self) -> Digest {
        self.identity.map_or(Digest([0; 32]), |(digest, _)| digest)
    }

    fn kind(&self) -> CodeKind {
        self.identity.map_or(CodeKind::WasmModule, |(_, kind)| kind)
    }

    fn bytes(&mut self) -> Result<Arc<Vec<u8>>, io::Error> {
        self.binary()
    }
}

/// The binary of a program in WebAssembly's text format; `None` where the bytes are no text.
///
/// # Errors
/// Where the text cannot be translated.
pub fn translated(bytes: &[u8]) -> Result<Option<Vec<u8>>, AnalyzeError> {
    forewarm_analyzer::binary(bytes).map(|binary| match binary {
        Cow::Owned(translated) => Some(translated),
        Cow::Borrowed(_) => None,
    })
}

/// SHA-256 of bytes.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

fn nanoseconds(seconds: i64, nanoseconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

fn open_error(path: &Path, cause: &io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::NotFound { file: path.to_owned() },
        io::ErrorKind::PermissionDenied => {
            unreadable(path, &cause.to_string(), Some("check the file's permissions (chmod u+r)"))
        }
        _ => unreadable(path, &cause.to_string(), None),
    }
}

fn unreadable(path: &Path, cause: &str, hint: Option<&str>) -> Error {
    Error::Unreadable { file: path.to_owned(), cause: cause.to_owned(), hint: hint.map(str::to_owned) }
}
