//! The rung of a program whose files are in the page cache: its own and its shared libraries', read ahead.
//!
//! Nothing of it stands in a process: the system holds the pages, and takes them back when it needs the memory. Runs start
//! from nothing, but wait for no disk.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use forewarm_sandbox::RealClock;
use forewarm_sandbox::page_cache::{Span, read_ahead, settle};
use forewarm_types::Bytes;
use forewarm_types::host::Clock;

use super::NativeProgram;
use crate::holding::{Holding, Standing, lock};
use crate::program::Rung;
use crate::protocol::{Answer, RungStep};
use crate::stamps::Stamps;
use crate::wire;

/// A program's files, read ahead.
#[derive(Debug)]
pub(super) struct Files {
    standing: Standing,
    stamps: Stamps,
    /// Told when it is to end.
    end: std::sync::Mutex<Option<mpsc::Sender<()>>>,
    ended: std::sync::Mutex<mpsc::Receiver<()>>,
}

impl Files {
    /// Of files that were read, with the climb that ended there.
    pub fn new(standing: Standing, stamps: Stamps) -> Self {
        let (end, ended) = mpsc::channel();
        Self { standing, stamps, end: std::sync::Mutex::new(Some(end)), ended: std::sync::Mutex::new(ended) }
    }
}

/// Reads a program's files ahead, and says what that took and what they are.
pub(super) fn read(program: &NativeProgram) -> io::Result<(RungStep, Stamps)> {
    let began = RealClock.monotonic();
    let mut bytes = ahead(&program.file)?;
    for library in program.loaded.iter().filter(|file| **file != program.file) {
        bytes += ahead(library).unwrap_or(0);
    }
    let seconds = (RealClock.monotonic() - began).0;
    let files = std::iter::once(&program.file).chain(&program.loaded).cloned().collect();
    Ok((RungStep { rung: Rung::PageCache, seconds, bytes: Bytes(bytes) }, Stamps::take(files, Vec::new(), &[])))
}

/// Has all of a file in the page cache; its size.
fn ahead(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let whole = [Span { offset: 0, length }];
    read_ahead(&file, &whole)?;
    settle(&file, &whole)?;
    Ok(length)
}

impl Holding for Files {
    fn standing(&self) -> &Standing {
        &self.standing
    }

    fn changed(&self) -> Option<PathBuf> {
        self.stamps.changed().map(Path::to_owned)
    }

    /// None of its own: the system's cache gives its pages back by itself.
    fn held_bytes(&self) -> Bytes {
        Bytes::ZERO
    }

    fn listen(&self, news: &mut dyn FnMut()) {
        let _ = lock(&self.ended).recv();
        self.standing.tally.has_gone();
        news();
    }

    /// Tells the client where it stands; the client runs it from nothing.
    fn hand(&self, client: &UnixStream, _: &[OwnedFd]) -> io::Result<()> {
        self.standing.tally.begin(|| {
            // A client that has gone needs no word.
            let _ = wire::send(client, &Answer::Taken { rung: Rung::PageCache, tier: String::new() }, &[]);
            Ok(())
        })?;
        if self.standing.tally.over() {
            self.end();
        }
        Ok(())
    }

    fn end(&self) {
        lock(&self.end).take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Program;
    use crate::protocol::Climb;

    #[test]
    fn files_are_read_and_watched() {
        let folder = tempfile::tempdir().unwrap();
        let (file, library) = (folder.path().join("program"), folder.path().join("library.so"));
        std::fs::write(&file, vec![1; 3 << 20]).unwrap();
        std::fs::write(&library, b"x").unwrap();
        let absent = folder.path().join("absent.so");
        let program = NativeProgram { file, loaded: vec![library.clone(), absent], place: None };
        let (step, stamps) = read(&program).unwrap();
        assert_eq!((step.bytes, stamps.len()), (Bytes((3 << 20) + 1), 3));
        let climb = Climb {
            rung: Rung::PageCache,
            steps: vec![step],
            refused: None,
            held_bytes: Bytes::ZERO,
            files: stamps.len(),
            seconds: 0.0,
        };
        let files = Files::new(Standing::new(Program::Native(program), Rung::PageCache, climb), stamps);
        assert!(files.changed().is_none());
        std::fs::write(&library, b"another").unwrap();
        assert_eq!(files.changed(), Some(library));
        let missing = NativeProgram { file: folder.path().join("none"), loaded: Vec::new(), place: None };
        assert!(read(&missing).is_err());
        files.end();
        files.listen(&mut || {});
        assert!(files.tally().gone());
    }
}
