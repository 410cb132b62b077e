//! What a plan sets aside of the memory for a program: held where a control group can hold it, and given up as soon as more is
//! needed, so that nothing fails because a plan thought too little.
//!
//! Of version 2 the program is in its group from the beginning. Of version 1 it is taken into one beside its run, once it has
//! lasted long enough for that to be next to nothing; elsewhere the supervisor's looks alone tell. Asked by [`super::supervise`].

use std::io;
use std::os::fd::BorrowedFd;
use std::thread::JoinHandle;

use forewarm_types::{Bytes, Seconds};
use rustix::event::PollFlags;

use super::{raw, survey};
use crate::cgroup::{Aside, Group};

/// Seconds that a run has lasted before it is taken into a group beside it: making, joining and removing one takes half a
/// millisecond of CPU time (measured, docs/performance.md), and so no more than a two-hundredth of what it is for.
const JOINED_AFTER: f64 = 0.1;

/// Rounds in which processes are taken into a group, where those there go on starting others meanwhile.
const ROUNDS: usize = 8;

/// The memory set aside for a program.
#[derive(Debug)]
pub struct SetAside {
    bytes: Bytes,
    stage: Stage,
    /// When more was needed, in monotonic nanoseconds.
    outgrown: Option<u64>,
}

#[derive(Debug)]
enum Stage {
    /// The program is in no group yet.
    Apart,
    /// It is being taken into one.
    Joining(JoinHandle<io::Result<Aside>>),
    Held(Aside),
    /// Nothing holds it, or nothing is left to hold it to; the group goes with this where there was one.
    Loose {
        _group: Option<Aside>,
    },
}

impl SetAside {
    /// So many bytes for a program, in its group where it has one.
    pub fn new(bytes: Bytes, group: Option<&Group>) -> Self {
        let stage = match group.map(|group| group.set_aside(bytes)) {
            None => Stage::Apart,
            Some(Ok(aside)) => Stage::Held(aside),
            Some(Err(_)) => Stage::Loose { _group: None },
        };
        Self { bytes, stage, outgrown: None }
    }

    /// What shows, and how, that the program needs more; `None` where nothing does.
    pub fn event(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        match &self.stage {
            Stage::Held(aside) => Some(aside.event()),
            _ => None,
        }
    }

    /// The program needs more, and is given what it may have.
    pub fn give_way(&mut self) {
        self.outgrown.get_or_insert_with(raw::now);
        self.stage = match std::mem::replace(&mut self.stage, Stage::Loose { _group: None }) {
            Stage::Held(aside) => {
                // Where the system refuses that it says so again.
                let given = aside.give_way();
                if given.is_ok() { Stage::Loose { _group: Some(aside) } } else { Stage::Held(aside) }
            }
            stage => stage,
        };
    }

    /// Looks after it, given what a program begun at some time holds now; returns when to look next, in monotonic nanoseconds.
    pub fn look(&mut self, init: i32, begun: u64, memory: Bytes) -> u64 {
        if memory > self.bytes && self.outgrown.is_none() {
            self.give_way();
        }
        let due = begun.saturating_add((JOINED_AFTER * 1e9) as u64);
        match &self.stage {
            Stage::Apart if self.outgrown.is_some() => self.stage = Stage::Loose { _group: None },
            Stage::Apart if raw::now() < due => return due,
            Stage::Apart => {
                // What it holds already stays where it is counted now.
                let left = Bytes(self.bytes.0.saturating_sub(memory.0));
                let joining = std::thread::Builder::new().name("set aside".to_owned()).spawn(move || join(init, left));
                self.stage = joining.map_or(Stage::Loose { _group: None }, Stage::Joining);
                return raw::now().saturating_add((JOINED_AFTER * 1e9) as u64);
            }
            Stage::Joining(thread) if thread.is_finished() => {
                self.joined();
                if self.outgrown.is_some() {
                    self.give_way();
                }
            }
            Stage::Joining(_) => return raw::now().saturating_add((JOINED_AFTER * 1e9) as u64),
            Stage::Held(_) | Stage::Loose { .. } => {}
        }
        u64::MAX
    }

    /// Takes over the group in which the program is by now.
    fn joined(&mut self) {
        if matches!(self.stage, Stage::Joining(_))
            && let Stage::Joining(thread) = std::mem::replace(&mut self.stage, Stage::Loose { _group: None })
        {
            let aside = thread.join().ok().and_then(Result::ok);
            self.stage = aside.map_or(Stage::Loose { _group: None }, Stage::Held);
        }
    }

    /// When a program begun at some time needed more than this, from then on; nothing is being joined any more after this.
    pub fn outgrown(&mut self, begun: u64) -> Option<Seconds> {
        self.joined();
        self.outgrown.map(|at| Seconds(at.saturating_sub(begun) as f64 * 1e-9))
    }
}

/// Takes all processes below an init into a group of their own.
fn join(init: i32, left: Bytes) -> io::Result<Aside> {
    let aside = Aside::make(left)?;
    let mut taken = Vec::new();
    for _ in 0..ROUNDS {
        let new: Vec<i32> = survey::descendants(init).into_iter().filter(|process| !taken.contains(process)).collect();
        if new.is_empty() {
            break;
        }
        // One that has ended meanwhile needs no memory.
        new.iter().for_each(|process| drop(aside.take(*process)));
        taken.extend(new);
    }
    Ok(aside)
}
