//! The holder's own process: the shelf behind its socket, until nobody needs it.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, Mutex};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::holding::{Holding, lock, now};
use crate::place::{Place, PlaceError, is_own};
use crate::program::{Program, Rung};
use crate::protocol::{Answer, Request};
use crate::python::zygote::Zygote;
use crate::room::Room;
use crate::shelf::{Looked, Shelf};
use crate::wasm::stand::Stand;
use crate::wire;

/// Seconds between two looks at memory and idleness.
const LOOK: i64 = 1;

/// How a holder behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Seconds without a request after which it ends.
    pub idle_seconds: f64,
    /// The memory it may use.
    pub room: Room,
    /// The command that stands for WebAssembly programs: it gets the line to the holder as its standard input.
    pub stand: Vec<OsString>,
}

struct Daemon {
    socket: PathBuf,
    /// Held as long as this is the user's holder.
    lock_file: Mutex<Option<OwnedFd>>,
    shelf: Arc<Shelf>,
    ending: AtomicBool,
}

/// Serves until idle or told to end; at once where another holder of this user does.
///
/// # Errors
/// Where the place cannot be used.
pub fn serve(place: &Place, settings: Settings) -> Result<(), PlaceError> {
    let Some((listener, lock_file)) = place.listen()? else { return Ok(()) };
    let daemon = Arc::new(Daemon {
        socket: place.socket(),
        lock_file: Mutex::new(Some(lock_file)),
        shelf: Shelf::new(settings.room, Box::new(move |program, rung| climb(&settings.stand, program, rung))),
        ending: AtomicBool::new(false),
    });
    let mut looked = now();
    while !daemon.ending.load(Acquire) {
        if waiting(&listener)
            && let Ok((stream, _)) = listener.accept()
        {
            daemon.attend(stream);
        }
        if now() - looked < LOOK as f64 {
            continue;
        }
        looked = now();
        daemon.shelf.relieve();
        if daemon.shelf.idle_seconds() > settings.idle_seconds {
            break;
        }
    }
    daemon.resign();
    daemon.shelf.clear();
    Ok(())
}

/// Climbs to a rung of any kind of program.
fn climb(stand: &[OsString], program: &Program, rung: Rung) -> Result<Arc<dyn Holding>, String> {
    match program {
        Program::Python(python) => {
            let zygote = Zygote::climb(python, rung).map_err(|error| error.to_string())?;
            Ok(Arc::new(zygote))
        }
        Program::Native(native) => crate::native::climb(native, rung),
        Program::Wasm(wasm) => Ok(Arc::new(Stand::climb(stand, wasm, rung)?)),
    }
}

fn waiting(listener: &UnixListener) -> bool {
    let timeout = Timespec { tv_sec: LOOK, tv_nsec: 0 };
    poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready > 0)
}

impl Daemon {
    /// Is the user's holder no longer: new clients find none, or the next one.
    fn resign(&self) {
        if let Some(lock_file) = lock(&self.lock_file).take() {
            let _ = std::fs::remove_file(&self.socket);
            drop(lock_file);
        }
        self.ending.store(true, Release);
    }

    /// Answers a client in a thread of its own, so that no client waits for another's climb.
    fn attend(self: &Arc<Self>, stream: UnixStream) {
        if !is_own(&stream) {
            return;
        }
        self.shelf.touch();
        let daemon = Arc::clone(self);
        // Without a thread the client finds the line closed, and runs cold.
        let _ = std::thread::Builder::new().name("client".into()).stack_size(512 << 10).spawn(move || {
            let Ok((mut request, mut beside)) = wire::receive::<Request>(&stream) else { return };
            let mut looked = Vec::new();
            if let Request::Look { file } = &request {
                looked = daemon.look(&stream, file);
                (request, beside) = match wire::receive::<Request>(&stream) {
                    Ok(next) => next,
                    // It thought better of it.
                    Err(_) => return,
                };
            }
            daemon.answer(&stream, request, &beside.descriptors, &looked);
        });
    }

    /// Says whether anything is held of a file, and looks which of it is still what was loaded.
    fn look(&self, stream: &UnixStream, file: &Path) -> Vec<Looked> {
        let held = self.shelf.of(file);
        if wire::send(stream, &Answer::Known(held.iter().map(|held| held.standing().climb.rung).collect()), &[])
            .is_err()
        {
            return Vec::new();
        }
        held.into_iter().map(|held| (held.changed(), held)).map(|(changed, held)| (held, changed)).collect()
    }

    fn answer(&self, stream: &UnixStream, request: Request, beside: &[OwnedFd], looked: &[Looked]) {
        let answer = match request {
            Request::Look { .. } => return,
            Request::Warm { program, rung } => match self.shelf.warm(&program, rung) {
                Ok(climb) => Answer::Climbed(climb),
                Err(why) => Answer::Failed(why),
            },
            Request::List => Answer::Held(self.shelf.list()),
            Request::Drop { file } => {
                if file.is_none() {
                    self.resign();
                }
                Answer::Dropped(self.shelf.release(file.as_deref()))
            }
            Request::Run { program } => match self.shelf.run(stream, &program, beside, looked) {
                Ok(()) => return,
                Err(why) => Answer::Cold(why),
            },
        };
        // A client that has gone needs no answer.
        let _ = wire::send(stream, &answer, &[]);
        self.shelf.touch();
    }
}
