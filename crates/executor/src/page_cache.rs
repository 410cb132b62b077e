//! Manifests of the page cache: which parts of which files a program reads, recorded once and read ahead later.
//!
//! The lowest rung of a process' warm ladder. A manifest is data: the orchestrator keeps it in the store and names the files;
//! whether reading ahead is worth it is the planner's word. A file that has changed since is passed over.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use forewarm_sandbox::page_cache::{self, Span};
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, Step, StepTiming};
use serde::{Deserialize, Serialize};

use crate::stopwatch::Stopwatch;

/// What a program reads of its files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Manifest {
    files: Vec<Part>,
}

/// What it reads of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    path: PathBuf,
    /// Size and time of change of the content, in nanoseconds: of another file at this path nothing is known.
    stamp: (u64, i64),
    /// Offsets and lengths, in bytes.
    spans: Vec<(u64, u64)>,
}

impl Manifest {
    /// Of these files, what of them is in memory now, in the order given: after the program has read them, what it read
    /// (and what else is there). A file of another owner counts whole, since the kernel tells of own ones alone.
    #[must_use]
    pub fn record(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut seen = std::collections::HashSet::new();
        let fresh = files.into_iter().filter(|path| seen.insert(path.clone()));
        Self { files: fresh.filter_map(|path| Part::record(&path)).collect() }
    }

    /// How many files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Bytes of all parts.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        Bytes(self.files.iter().map(Part::bytes).sum())
    }

    /// The files that have most in it: looking at these tells at little cost whether the rest is likely to be there.
    #[must_use]
    pub fn sample(&self, most: usize) -> Self {
        let mut files = self.files.clone();
        files.sort_by_key(|part| std::cmp::Reverse(part.bytes()));
        files.truncate(most);
        Self { files }
    }

    /// Whether every file is as it was recorded.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.files.iter().all(|part| part.open().is_some())
    }

    /// How much of it is not in memory. What cannot be asked about counts as there.
    #[must_use]
    pub fn absent(&self) -> Bytes {
        let absent = |part: &Part| page_cache::absent(&part.open()?, &part.ranges());
        Bytes(self.files.iter().filter_map(absent).map(|bytes| bytes.0).sum())
    }

    /// Has what is not in memory read, in order, and returns how much that is once it is begun; what cannot be read is
    /// passed over.
    pub fn read_ahead(&self) -> Bytes {
        let begin = |part: &Part| {
            let (file, ranges) = (part.open()?, part.ranges());
            let absent = page_cache::absent(&file, &ranges)?;
            if absent.0 > 0 {
                // The program will meet what is wrong with it.
                let _ = page_cache::read_ahead(&file, &ranges);
            }
            Some(absent.0)
        };
        Bytes(self.files.iter().filter_map(begin).sum())
    }

    /// Waits for what was begun.
    pub fn settle(&self) {
        for (file, part) in self.files.iter().filter_map(|part| Some((part.open()?, part))) {
            let _ = page_cache::settle(&file, &part.ranges());
        }
    }
}

/// A manifest being read ahead by a thread of its own.
#[derive(Debug)]
pub struct Reading {
    done: Receiver<StepTiming>,
}

impl Reading {
    /// Begins; `None` where there can be no thread for it.
    pub fn begin(manifest: impl FnOnce() -> Option<Manifest> + Send + 'static, clock: Arc<dyn Clock>) -> Option<Self> {
        let (said, done) = mpsc::channel();
        let read = move || {
            let watch = Stopwatch::start(&*clock);
            let Some(manifest) = manifest() else { return };
            let absent = manifest.read_ahead();
            manifest.settle();
            // Nobody may be there to hear it any more.
            let _ = said.send(watch.stop(Step::ReadAhead, absent));
        };
        std::thread::Builder::new().name("read-ahead".into()).spawn(read).ok().map(|_| Self { done })
    }

    /// What it took, where it is over by now.
    #[must_use]
    pub fn told(&self) -> Option<StepTiming> {
        self.done.try_recv().ok()
    }
}

impl Part {
    fn record(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let found = file.metadata().ok().filter(Metadata::is_file)?;
        let spans = match page_cache::resident(&file) {
            Ok(Some(spans)) => spans.into_iter().map(|span| (span.offset, span.length)).collect(),
            Ok(None) => vec![(0, found.len())],
            Err(_) => return None,
        };
        let part = Self { path: path.to_owned(), stamp: stamp(&found), spans };
        (part.bytes() > 0).then_some(part)
    }

    /// Sums that a damaged manifest cannot make overflow.
    fn bytes(&self) -> u64 {
        self.spans.iter().fold(0, |sum, (_, length)| sum.saturating_add(*length))
    }

    /// The file, where it is what was recorded.
    fn open(&self) -> Option<File> {
        let file = File::open(&self.path).ok()?;
        let found = file.metadata().ok()?;
        (found.is_file() && stamp(&found) == self.stamp).then_some(file)
    }

    /// The spans that lie within the file.
    fn ranges(&self) -> Vec<Span> {
        let (size, _) = self.stamp;
        let within =
            self.spans.iter().filter(|(offset, length)| offset.checked_add(*length).is_some_and(|end| end <= size));
        within.map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
    }
}

fn stamp(found: &Metadata) -> (u64, i64) {
    (found.len(), found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in the build's own folder: a temporary one may be kept in memory, which lets nothing go.
    fn file(bytes: usize) -> tempfile::NamedTempFile {
        let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let file = tempfile::NamedTempFile::new_in(folder).unwrap();
        std::fs::write(file.path(), vec![1; bytes]).unwrap();
        file.as_file().sync_all().unwrap();
        file
    }

    fn let_go(file: &tempfile::NamedTempFile) {
        page_cache::let_go(&File::open(file.path()).unwrap()).unwrap();
    }

    #[test]
    fn what_was_there_is_there_again() {
        let (small, large) = (file(10_000), file(3_000_000));
        let paths = [small.path().to_owned(), large.path().to_owned(), small.path().to_owned(), "/no/such".into()];
        let manifest = Manifest::record(paths);
        assert_eq!((manifest.len(), manifest.bytes(), manifest.absent()), (2, Bytes(3_010_000), Bytes(0)));
        assert_eq!(manifest.sample(1).bytes(), Bytes(3_000_000));
        let text = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
        let_go(&small);
        let_go(&large);
        assert!(manifest.absent().0 > 1_000_000, "{:?}", manifest.absent());
        let gone = manifest.absent();
        assert_eq!(manifest.read_ahead(), gone);
        manifest.settle();
        assert_eq!(manifest.absent(), Bytes(0));
        let_go(&large);
        let gone = manifest.absent();
        let again = manifest.clone();
        let reading = Reading::begin(move || Some(again), Arc::new(forewarm_sandbox::RealClock)).unwrap();
        let step = (0..1000).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            reading.told()
        });
        assert_eq!(step.map(|step| (step.step, step.bytes)), Some((Step::ReadAhead, gone)));
        assert_eq!(manifest.absent(), Bytes(0));
    }

    #[test]
    fn a_changed_file_is_passed_over() {
        let changing = file(100_000);
        let manifest = Manifest::record([changing.path().to_owned()]);
        std::fs::write(changing.path(), vec![2; 200_000]).unwrap();
        changing.as_file().sync_all().unwrap();
        let_go(&changing);
        assert!(!manifest.is_current());
        assert_eq!(manifest.absent(), Bytes(0));
    }

    #[test]
    fn spans_outside_a_file_are_not_asked_for() {
        let short = file(5000);
        let mut manifest = Manifest::record([short.path().to_owned()]);
        manifest.files[0].spans.extend([(u64::MAX, 2), (4096, u64::MAX), (0, 6000)]);
        assert_eq!(manifest.files[0].ranges().len(), 1);
        assert_eq!(manifest.bytes(), Bytes(u64::MAX));
        manifest.read_ahead();
        assert_eq!(manifest.absent(), Bytes(0));
    }
}
