//! The shelf with things made up for it, on systems made up for it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};

use forewarm_types::Bytes;

use super::*;
use crate::holding::Standing;
use crate::python::PythonProgram;
use crate::room::fake;
use crate::walls::Walls;

/// A thing that holds as many bytes as the name of its file says, and took as many seconds.
#[derive(Debug)]
struct Made {
    standing: Standing,
    ended: Mutex<mpsc::Receiver<()>>,
    end: mpsc::Sender<()>,
    changed: Arc<AtomicBool>,
}

impl Holding for Made {
    fn standing(&self) -> &Standing {
        &self.standing
    }
    fn changed(&self) -> Option<PathBuf> {
        self.changed.load(SeqCst).then(|| self.program().file().to_owned())
    }
    fn held_bytes(&self) -> Bytes {
        self.standing.climb.held_bytes
    }
    fn listen(&self, news: &mut dyn FnMut()) {
        let _ = lock(&self.ended).recv();
        self.standing.tally.has_gone();
        news();
    }
    fn hand(&self, _: &UnixStream, _: &[OwnedFd]) -> io::Result<()> {
        self.standing.tally.begin(|| Ok(()))
    }
    fn end(&self) {
        let _ = self.end.send(());
    }
}

fn program(name: &str) -> Program {
    Program::Python(PythonProgram {
        python: "/usr/bin/python3".into(),
        file: Path::new("/srv").join(name),
        runner: None,
        directory: "/srv".into(),
        environment: Vec::new(),
        import_lines: Vec::new(),
        walls: Walls::default(),
    })
}

/// A shelf whose things hold and take what their names say (`bytes-seconds`), in a system of a million bytes.
fn shelf(root: &Path, most: u64) -> (Arc<Shelf>, Arc<AtomicBool>) {
    fake::system(root, 1000, 500, 0.0);
    let changed = Arc::new(AtomicBool::new(false));
    let sign = Arc::clone(&changed);
    let climber = move |program: &Program, rung: Rung| {
        let name = program.file().file_name().unwrap().to_str().unwrap();
        let (bytes, seconds) = name.split_once('-').ok_or("no such program")?;
        let (end, ended) = mpsc::channel();
        let climb = Climb {
            rung,
            steps: Vec::new(),
            refused: None,
            held_bytes: Bytes(bytes.parse().unwrap()),
            files: 1,
            seconds: seconds.parse().unwrap(),
        };
        let (program, changed) = (program.clone(), Arc::clone(&sign));
        let made =
            Made { standing: Standing::new(program, Rung::Worker, climb), ended: Mutex::new(ended), end, changed };
        Ok(Arc::new(made) as Arc<dyn Holding>)
    };
    (Shelf::new(Room::under(root, Some(Bytes(most))), Box::new(climber)), changed)
}

fn names(shelf: &Shelf) -> Vec<String> {
    let name = |held: &Held| held.file.file_name().unwrap().to_str().unwrap().to_owned();
    shelf.list().iter().map(name).collect()
}

fn run(shelf: &Arc<Shelf>, name: &str) -> Result<(), String> {
    let (client, _) = UnixStream::pair().unwrap();
    let streams = [(); 3].map(|()| OwnedFd::from(tempfile::tempfile().unwrap()));
    shelf.run(&client, &program(name), &streams, &[])
}

#[test]
fn no_more_is_held_than_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let (shelf, _) = shelf(folder.path(), 100);
    // Ten bytes each that took ten seconds are worth more than fifty that took one.
    for name in ["50-1", "10-10", "40-9"] {
        shelf.warm(&program(name), Rung::Worker).unwrap();
    }
    assert_eq!(names(&shelf), ["50-1", "10-10", "40-9"]);
    shelf.warm(&program("30-0.1"), Rung::Worker).unwrap();
    // The newest stays, though it is worth least.
    assert_eq!(names(&shelf), ["10-10", "40-9", "30-0.1"]);
    assert!(shelf.warm(&program("101-1"), Rung::Worker).unwrap_err().contains("100 may be held"));
    assert_eq!(names(&shelf).len(), 3);
    // What serves a run is not let go, though it is worth less than what is.
    run(&shelf, "30-0.1").unwrap();
    shelf.warm(&program("60-1"), Rung::Worker).unwrap();
    assert_eq!(names(&shelf), ["10-10", "30-0.1", "60-1"]);
}

#[test]
fn memory_is_given_back_one_thing_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (shelf, _) = shelf(folder.path(), 1000);
    for name in ["50-1", "10-10", "40-9"] {
        shelf.warm(&program(name), Rung::Worker).unwrap();
    }
    shelf.relieve();
    assert_eq!(names(&shelf).len(), 3);
    fake::system(folder.path(), 1000, 50, 0.0);
    shelf.relieve();
    assert_eq!(names(&shelf), ["10-10", "40-9"]);
    fake::system(folder.path(), 1000, 500, 70.0);
    shelf.relieve();
    assert_eq!(names(&shelf), ["10-10"]);
    run(&shelf, "10-10").unwrap();
    shelf.relieve();
    assert_eq!(names(&shelf), ["10-10"]);
}

#[test]
fn what_changed_serves_nobody_and_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (shelf, changed) = shelf(folder.path(), 1000);
    assert!(run(&shelf, "10-1").unwrap_err().contains("nothing is warm"));
    shelf.warm(&program("10-1"), Rung::Worker).unwrap();
    assert!((shelf.warm(&program("10-1"), Rung::Worker).unwrap().seconds).abs() < f64::EPSILON);
    assert!(shelf.idle_seconds() >= 0.0);
    run(&shelf, "10-1").unwrap();
    assert!(shelf.idle_seconds().abs() < f64::EPSILON);
    changed.store(true, SeqCst);
    assert!(run(&shelf, "10-1").unwrap_err().contains("has changed"));
    changed.store(false, SeqCst);
    while shelf.of(Path::new("/srv/10-1")).is_empty() || shelf.list()[0].runs > 0 {
        std::thread::yield_now();
    }
    assert_eq!(shelf.release(Some(Path::new("/srv/10-1"))), 1);
    assert!(shelf.warm(&program("unheard"), Rung::Worker).unwrap_err().contains("no such program"));
}
