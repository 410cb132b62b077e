//! What is held, and who may have it: the holder without its socket.
//!
//! It decides nothing about programs; it lets go of what has changed, of what a run has spoiled, and of the least valuable
//! when too much is held or the system wants memory back. [`crate::daemon`] gives it a socket; another face may ask it
//! the same things.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Release};
use std::sync::{Arc, Mutex};

use forewarm_types::Bytes;

use crate::holding::{Holding, lock, now};
use crate::program::{Program, Rung, nothing};
use crate::protocol::{Climb, Held};
use crate::room::Room;

/// What climbs to a rung for a program.
type Climber = dyn Fn(&Program, Rung) -> Result<Arc<dyn Holding>, String> + Send + Sync;

/// A held thing, and what of it had changed when it was looked at.
pub(crate) type Looked = (Arc<dyn Holding>, Option<PathBuf>);

/// All that is held.
pub(crate) struct Shelf {
    climber: Box<Climber>,
    room: Room,
    held: Mutex<Vec<Arc<dyn Holding>>>,
    /// Held while climbing: two climbs at once would only take turns on the cores.
    climbing: Mutex<()>,
    /// What is being climbed to anew in the background.
    again: Mutex<BTreeSet<PathBuf>>,
    asked: Mutex<f64>,
    /// Whether anything may hold more than when it was last weighed.
    unweighed: AtomicBool,
}

impl Shelf {
    /// An empty one.
    pub fn new(room: Room, climber: Box<Climber>) -> Arc<Self> {
        Arc::new(Self {
            climber,
            room,
            held: Mutex::default(),
            climbing: Mutex::default(),
            again: Mutex::default(),
            asked: Mutex::new(now()),
            unweighed: AtomicBool::new(false),
        })
    }

    /// What is held of a file.
    pub fn of(&self, file: &Path) -> Vec<Arc<dyn Holding>> {
        lock(&self.held).iter().filter(|held| held.program().file() == file).cloned().collect()
    }

    /// What is held.
    pub fn list(&self) -> Vec<Held> {
        self.all().iter().map(|held| held.held()).collect()
    }

    /// What is held at this moment; nothing is locked once it is known.
    fn all(&self) -> Vec<Arc<dyn Holding>> {
        lock(&self.held).clone()
    }

    /// Notes that somebody asks for something.
    pub fn touch(&self) {
        *lock(&self.asked) = now();
    }

    /// Seconds since anything was asked; none while something runs.
    pub fn idle_seconds(&self) -> f64 {
        let busy = lock(&self.held).iter().any(|held| held.tally().active() > 0) || !lock(&self.again).is_empty();
        if busy { 0.0 } else { now() - *lock(&self.asked) }
    }

    /// Climbs to a rung, unless something stands there.
    pub fn warm(self: &Arc<Self>, program: &Program, rung: Rung) -> Result<Climb, String> {
        if !program.ladder().contains(&rung) {
            let rungs: Vec<_> = program.ladder().iter().map(|rung| rung.name()).collect();
            return Err(format!("there is no rung {} for it; there are: {}", rung.name(), rungs.join(", ")));
        }
        let _climbing = lock(&self.climbing);
        let standing =
            self.find(program).ok().filter(|held| held.standing().wanted >= rung && held.changed().is_none());
        if let Some(held) = standing {
            return Ok(Climb { seconds: 0.0, ..held.standing().climb.clone() });
        }
        self.climb(program, rung)
    }

    /// Climbs, and puts what stands then in the place of what stood for the same.
    fn climb(self: &Arc<Self>, program: &Program, rung: Rung) -> Result<Climb, String> {
        let held = (self.climber)(program, rung)?;
        let climb = held.standing().climb.clone();
        if let Some(most) = self.room.most().filter(|most| climb.held_bytes.0 > most.0) {
            held.end();
            return Err(format!("it would hold {} bytes, and {} may be held in all", climb.held_bytes.0, most.0));
        }
        let (shelf, listened) = (Arc::clone(self), Arc::clone(&held));
        let listener = std::thread::Builder::new().name("listener".into()).stack_size(512 << 10);
        listener
            .spawn(move || listened.listen(&mut || shelf.after_run(&listened)))
            .map_err(|error| error.to_string())?;
        let mut all = lock(&self.held);
        let same = |other: &Arc<dyn Holding>| other.program().differs(program).is_none();
        let stale = |other: &Arc<dyn Holding>| other.program().file() == program.file() && other.changed().is_some();
        all.extract_if(.., |other| same(other) || stale(other)).for_each(|other| other.leave());
        all.push(Arc::clone(&held));
        drop(all);
        self.make_room(Some(&held));
        Ok(climb)
    }

    /// After a run, or when a thing is gone: what is no longer fit for the next run is let go, and made anew.
    fn after_run(self: &Arc<Self>, held: &Arc<dyn Holding>) {
        self.touch();
        self.unweighed.store(true, Release);
        if held.tally().gone() {
            lock(&self.held).retain(|other| !Arc::ptr_eq(other, held));
        } else if held.spoiled() {
            self.replace(held);
        }
    }

    /// Lets a thing go that can serve no more, and has it made anew where that can be done.
    fn replace(self: &Arc<Self>, held: &Arc<dyn Holding>) {
        if held.renewable() {
            self.renew(held);
        } else {
            self.let_go(held);
        }
    }

    /// Lets a thing go and climbs there anew, in the background.
    fn renew(self: &Arc<Self>, held: &Arc<dyn Holding>) {
        let mut all = lock(&self.held);
        if !all.iter().any(|other| Arc::ptr_eq(other, held)) {
            return;
        }
        all.retain(|other| !Arc::ptr_eq(other, held));
        drop(all);
        held.leave();
        let (program, rung) = (held.program().clone(), held.standing().wanted);
        if !lock(&self.again).insert(program.file().to_owned()) {
            return;
        }
        let shelf = Arc::clone(self);
        let _ = std::thread::Builder::new().name("again".into()).stack_size(512 << 10).spawn(move || {
            let climbing = lock(&shelf.climbing);
            // What cannot be climbed to any more stays cold; the next `forewarm warm` says why.
            if shelf.find(&program).is_err() {
                let _ = shelf.climb(&program, rung);
            }
            drop(climbing);
            lock(&shelf.again).remove(program.file());
        });
    }

    /// What can serve a program, or why nothing can.
    fn find(&self, program: &Program) -> Result<Arc<dyn Holding>, String> {
        let all = lock(&self.held);
        let mut closest = None;
        for held in all.iter().filter(|held| !held.tally().gone() && !held.spoiled()) {
            match held.program().differs(program) {
                None => return Ok(Arc::clone(held)),
                Some(why) if held.program().file() == program.file() => closest = Some(why),
                Some(_) => {}
            }
        }
        Err(closest.unwrap_or_else(nothing))
    }

    /// Hands a run to what is held for it: from then on the client speaks with the run's own process.
    pub fn run(
        self: &Arc<Self>,
        client: &UnixStream,
        program: &Program,
        beside: &[OwnedFd],
        looked: &[Looked],
    ) -> Result<(), String> {
        if beside.len() < 3 {
            return Err("the standard streams are missing".to_owned());
        }
        let held = self.find(program).inspect_err(|_| {
            self.of(program.file()).iter().filter(|held| held.changed().is_some()).for_each(|held| self.replace(held));
        })?;
        // What was looked at since the client began stands: an edit from then on is one during the run.
        let known = looked.iter().find(|(other, _)| Arc::ptr_eq(other, &held)).map(|(_, changed)| changed.clone());
        if let Some(file) = known.unwrap_or_else(|| held.changed()) {
            self.replace(&held);
            return Err(format!("{} has changed", file.display()));
        }
        if held.hand(client, beside).is_err() {
            // The client finds the line closed before its run began, and runs cold.
            lock(&self.held).retain(|other| !Arc::ptr_eq(other, &held));
            held.end();
        }
        Ok(())
    }

    /// Lets go of a file's, or of all; returns how many were held.
    pub fn release(&self, file: Option<&Path>) -> usize {
        let mut all = lock(&self.held);
        let dropped: Vec<_> = match file {
            Some(file) => all.extract_if(.., |held| held.program().file() == file).collect(),
            None => all.drain(..).collect(),
        };
        drop(all);
        dropped.iter().for_each(|held| held.leave());
        dropped.len()
    }

    /// Ends everything now.
    pub fn clear(&self) {
        lock(&self.held).drain(..).for_each(|held| held.end());
    }

    /// Lets go of the least valuable: as much as there is too much of, and where the system is short of memory one thing
    /// (the next look shows whether that was enough).
    pub fn relieve(&self) {
        if self.unweighed.swap(false, AcqRel) {
            self.make_room(None);
        }
        if self.room.scarce() {
            let least = least(&weigh(&self.all()), None);
            least.iter().for_each(|least| self.let_go(least));
        }
    }

    /// Lets go of the least valuable until no more is held than may be; never of what was just climbed to.
    fn make_room(&self, newest: Option<&Arc<dyn Holding>>) {
        let Some(most) = self.room.most() else { return };
        let mut weighed = weigh(&self.all());
        while weighed.iter().map(|one| one.bytes.0).sum::<u64>() > most.0 {
            let Some(least) = least(&weighed, newest) else { return };
            weighed.retain(|one| !Arc::ptr_eq(&one.held, &least));
            self.let_go(&least);
        }
    }

    fn let_go(&self, held: &Arc<dyn Holding>) {
        lock(&self.held).retain(|other| !Arc::ptr_eq(other, held));
        held.leave();
    }
}

/// A held thing, and what it is worth keeping.
struct Weighed {
    held: Arc<dyn Holding>,
    bytes: Bytes,
    worth: f64,
}

/// Worth keeping is what saves much time per byte and was used lately: the density of a greedy knapsack, aged as
/// GreedyDual-Size ages it (Cao and Irani 1997).
fn weigh(all: &[Arc<dyn Holding>]) -> Vec<Weighed> {
    let weigh = |held: &Arc<dyn Holding>| {
        let shown = held.held();
        let worth = shown.climb_seconds / shown.held_bytes.as_f64().max(1.0) / (1.0 + shown.idle_seconds);
        Weighed { held: Arc::clone(held), bytes: shown.held_bytes, worth }
    };
    all.iter().map(weigh).collect()
}

/// The least valuable that serves no run.
fn least(weighed: &[Weighed], newest: Option<&Arc<dyn Holding>>) -> Option<Arc<dyn Holding>> {
    let spared = |one: &Weighed| newest.is_some_and(|newest| Arc::ptr_eq(newest, &one.held));
    let idle = weighed.iter().filter(|one| one.held.tally().active() == 0 && !spared(one));
    idle.min_by(|one, other| one.worth.total_cmp(&other.worth)).map(|one| Arc::clone(&one.held))
}

#[cfg(test)]
mod tests;
