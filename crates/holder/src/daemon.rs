//! The holder's own process: it listens, keeps the zygotes, and ends when nobody needs it.
//!
//! It decides nothing about programs; it lets go of what has changed, of what a run has spoiled, of the least valuable
//! when the system wants memory back, and of all when idle.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, Mutex};

use forewarm_sandbox::{RealClock, measure, process};
use forewarm_types::host::Clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::place::{Place, PlaceError, is_own};
use crate::protocol::{Answer, Climb, Program, Request, Rung};
use crate::wire;
use crate::zygote::{Zygote, lock};

/// Share of the machine's memory that must be available, or something is let go: the default of earlyoom (its manual,
/// `-m`), which ends whole programs at that point.
const AVAILABLE: f64 = 0.10;

/// Share of time in which every task waited for memory over ten seconds, at which something is let go: the default of
/// systemd-oomd (oomd.conf(5), `DefaultMemoryPressureLimit`).
const PRESSURE: f64 = 60.0;

/// Seconds between two looks at memory and idleness.
const LOOK: i64 = 1;

/// How a holder behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Seconds without a request after which it ends.
    pub idle_seconds: f64,
}

/// A zygote, and what of it had changed when it was looked at.
type Looked = (Arc<Zygote>, Option<PathBuf>);

struct Daemon {
    socket: PathBuf,
    /// Held as long as this is the user's holder.
    lock_file: Mutex<Option<OwnedFd>>,
    zygotes: Mutex<Vec<Arc<Zygote>>>,
    /// Held while climbing: two climbs at once would only take turns on the cores.
    climbing: Mutex<()>,
    /// What is being climbed to anew in the background.
    again: Mutex<BTreeSet<PathBuf>>,
    asked: Mutex<f64>,
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
        zygotes: Mutex::default(),
        climbing: Mutex::default(),
        again: Mutex::default(),
        asked: Mutex::new(now()),
        ending: AtomicBool::new(false),
    });
    while !daemon.ending.load(Acquire) {
        if waiting(&listener) {
            if let Ok((stream, _)) = listener.accept() {
                daemon.attend(stream);
            }
            continue;
        }
        daemon.relieve();
        if daemon.idle_seconds() > settings.idle_seconds {
            break;
        }
    }
    daemon.resign();
    lock(&daemon.zygotes).drain(..).for_each(|zygote| zygote.end());
    Ok(())
}

fn now() -> f64 {
    RealClock.monotonic().0
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
        *lock(&self.asked) = now();
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
            daemon.answer(&stream, request, beside.descriptors, &looked);
        });
    }

    /// Says whether anything is held of a file, and looks which of it is still what was loaded.
    fn look(&self, stream: &UnixStream, file: &Path) -> Vec<Looked> {
        let held: Vec<_> = lock(&self.zygotes).iter().filter(|zygote| zygote.program.file == file).cloned().collect();
        if wire::send(stream, &Answer::Known(!held.is_empty()), &[]).is_err() {
            return Vec::new();
        }
        held.into_iter().map(|zygote| (zygote.changed(), zygote)).map(|(changed, zygote)| (zygote, changed)).collect()
    }

    fn answer(self: &Arc<Self>, stream: &UnixStream, request: Request, descriptors: Vec<OwnedFd>, looked: &[Looked]) {
        let answer = match request {
            Request::Look { .. } => return,
            Request::Warm { program, rung } => self.warm(&program, rung),
            Request::List => Answer::Held(lock(&self.zygotes).iter().map(|zygote| zygote.held()).collect()),
            Request::Drop { file } => self.release(file),
            Request::Run { program } => match self.run(stream, &program, &descriptors, looked) {
                Ok(()) => return,
                Err(why) => Answer::Cold(why),
            },
        };
        // A client that has gone needs no answer.
        let _ = wire::send(stream, &answer, &[]);
        *lock(&self.asked) = now();
    }

    fn warm(self: &Arc<Self>, program: &Program, rung: Rung) -> Answer {
        let _climbing = lock(&self.climbing);
        let standing = self.find(program).ok().filter(|zygote| zygote.wanted >= rung && zygote.changed().is_none());
        if let Some(zygote) = standing {
            return Answer::Climbed(Climb { seconds: 0.0, ..zygote.climb.clone() });
        }
        match self.climb(program, rung) {
            Ok(climb) => Answer::Climbed(climb),
            Err(why) => Answer::Failed(why),
        }
    }

    /// Climbs, and puts the zygote in the place of one that stood for the same.
    fn climb(self: &Arc<Self>, program: &Program, rung: Rung) -> Result<Climb, String> {
        let zygote = Zygote::climb(program, rung).map_err(|error| error.to_string())?;
        let climb = zygote.climb.clone();
        let (daemon, listened) = (Arc::clone(self), Arc::clone(&zygote));
        let listener = std::thread::Builder::new().name("listener".into()).stack_size(256 << 10);
        listener
            .spawn(move || listened.listen(|zygote| daemon.after_run(zygote)))
            .map_err(|error| error.to_string())?;
        let mut zygotes = lock(&self.zygotes);
        let replaced = zygotes.extract_if(.., |other| other.program.differs(program).is_none());
        replaced.for_each(|other| other.leave());
        zygotes.push(zygote);
        Ok(climb)
    }

    /// After a run, or when a zygote is gone: what is no longer fit for the next is let go, and made anew.
    fn after_run(self: &Arc<Self>, zygote: &Zygote) {
        *lock(&self.asked) = now();
        if zygote.gone() {
            lock(&self.zygotes).retain(|other| !std::ptr::eq(Arc::as_ptr(other), zygote));
        } else if zygote.spoiled() {
            self.renew(zygote);
        }
    }

    /// Lets a zygote go and climbs there anew, in the background.
    fn renew(self: &Arc<Self>, zygote: &Zygote) {
        let mut zygotes = lock(&self.zygotes);
        let here = |other: &Arc<Zygote>| std::ptr::eq(Arc::as_ptr(other), zygote);
        if !zygotes.iter().any(here) {
            return;
        }
        zygotes.retain(|other| !here(other));
        drop(zygotes);
        zygote.leave();
        let (program, rung) = (zygote.program.clone(), zygote.wanted);
        if !lock(&self.again).insert(program.file.clone()) {
            return;
        }
        let daemon = Arc::clone(self);
        let _ = std::thread::Builder::new().name("again".into()).stack_size(512 << 10).spawn(move || {
            let climbing = lock(&daemon.climbing);
            // What cannot be climbed to any more stays cold; the next `forewarm warm` says why.
            if daemon.find(&program).is_err() {
                let _ = daemon.climb(&program, rung);
            }
            drop(climbing);
            lock(&daemon.again).remove(&program.file);
        });
    }

    /// The zygote that can serve a program, or why there is none.
    fn find(&self, program: &Program) -> Result<Arc<Zygote>, String> {
        let zygotes = lock(&self.zygotes);
        let mut closest = None;
        for zygote in zygotes.iter().filter(|zygote| !zygote.gone() && !zygote.spoiled()) {
            match zygote.program.differs(program) {
                None => return Ok(Arc::clone(zygote)),
                Some(why) if zygote.program.file == program.file => closest = Some(why),
                Some(_) => {}
            }
        }
        Err(closest.unwrap_or_else(|| "nothing is warm for this program".to_owned()))
    }

    /// Hands a run to a zygote: from then on the client speaks with the run's own process.
    fn run(
        self: &Arc<Self>,
        stream: &UnixStream,
        program: &Program,
        descriptors: &[OwnedFd],
        looked: &[Looked],
    ) -> Result<(), String> {
        if descriptors.len() < 3 {
            return Err("the standard streams are missing".to_owned());
        }
        let zygote = self.find(program)?;
        // What was looked at since the client began stands: an edit from then on is one during the run.
        let known = looked.iter().find(|(other, _)| Arc::ptr_eq(other, &zygote)).map(|(_, changed)| changed.clone());
        if let Some(file) = known.unwrap_or_else(|| zygote.changed()) {
            self.renew(&zygote);
            return Err(format!("{} has changed", file.display()));
        }
        let taken = Answer::Taken { rung: zygote.climb.rung, tier: zygote.tier.name().to_owned() };
        wire::send(stream, &taken, &[]).map_err(|error| error.to_string())?;
        let handed: Vec<_> = std::iter::once(stream.as_fd()).chain(descriptors.iter().map(AsFd::as_fd)).collect();
        if zygote.hand(&handed).is_err() {
            // The client finds the line closed before its run began, and runs cold.
            lock(&self.zygotes).retain(|other| !Arc::ptr_eq(other, &zygote));
            zygote.end();
        }
        Ok(())
    }

    fn release(&self, file: Option<PathBuf>) -> Answer {
        if file.is_none() {
            self.resign();
        }
        let mut zygotes = lock(&self.zygotes);
        let dropped: Vec<_> = match &file {
            Some(file) => zygotes.extract_if(.., |zygote| zygote.program.file == *file).collect(),
            None => zygotes.drain(..).collect(),
        };
        dropped.iter().for_each(|zygote| zygote.leave());
        Answer::Dropped(dropped.len())
    }

    /// Seconds since anything was asked; none while something runs.
    fn idle_seconds(&self) -> f64 {
        let busy = lock(&self.zygotes).iter().any(|zygote| zygote.active() > 0) || !lock(&self.again).is_empty();
        if busy { 0.0 } else { now() - *lock(&self.asked) }
    }

    /// Lets go of the least valuable where the system wants memory back, one at a time.
    fn relieve(&self) {
        if !scarce() {
            return;
        }
        let mut zygotes = lock(&self.zygotes);
        // Worth keeping is what saves much time per byte and was used lately: the density of a greedy knapsack, aged as
        // GreedyDual-Size ages it (Cao and Irani 1997).
        let worth = |zygote: &Zygote| {
            let held = zygote.held();
            held.climb_seconds / held.held_bytes.as_f64().max(1.0) / (1.0 + held.idle_seconds)
        };
        let idle = zygotes.iter().enumerate().filter(|(_, zygote)| zygote.active() == 0);
        let least = idle.map(|(at, zygote)| (at, worth(zygote))).min_by(|one, other| one.1.total_cmp(&other.1));
        if let Some((at, _)) = least {
            zygotes.remove(at).leave();
        }
    }
}

/// Whether the system is short of memory.
fn scarce() -> bool {
    let available = process::available_memory().zip(measure::total_memory());
    let little = available.is_some_and(|(available, total)| available.as_f64() < total.as_f64() * AVAILABLE);
    little || std::fs::read_to_string("/proc/pressure/memory").is_ok_and(|text| stalled(&text) >= PRESSURE)
}

/// Share of the last ten seconds in which all tasks waited for memory: `full avg10` of Linux
/// Documentation/accounting/psi.rst.
fn stalled(pressure: &str) -> f64 {
    let full = pressure.lines().find_map(|line| line.strip_prefix("full avg10="));
    full.and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_read_from_the_systems_words() {
        let text = "some avg10=12.00 avg60=1 avg300=0 total=5\nfull avg10=61.50 avg60=0.00 avg300=0.00 total=10\n";
        assert!((stalled(text) - 61.5).abs() < 1e-9);
        assert!(stalled("nothing").abs() < 1e-9);
    }
}
