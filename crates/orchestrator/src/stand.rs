//! The stand of a WebAssembly program: the process that the holder starts, which climbs, waits, and forks one process for
//! each run. Its body is here since the holder knows no engine.
//!
//! It has one thread and never makes a context for a program itself, so that what each run gets (random numbers above all)
//! is made in its own process. A run's process ends with its client, with the stand, or by itself.

mod run;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use forewarm_executor::{ArtifactCache, Standing, WarmError};
use forewarm_holder::wasm::worker::{Line, Notice, heed, tell};
use forewarm_holder::{Rung, Word};
use forewarm_sandbox::fork::{self, Side};
use forewarm_sandbox::process::{Circumstances, standing_below};
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, CodeKind, Configuration, Digest};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};
use serde::{Deserialize, Serialize};

/// What a stand is told to stand for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// The code.
    pub digest: Digest,
    /// Its kind.
    pub kind: CodeKind,
    /// The configuration whose artifact stands.
    pub configuration: Configuration,
    /// Where artifacts lie.
    pub cache: PathBuf,
    /// Whether its runs may use sockets.
    pub network: bool,
    /// Whether it begins by itself when it is instantiated.
    pub starts: bool,
}

/// How often in a row a process may end while it waits before nothing is waited with any more.
const MOST_LOST: u32 = 3;

/// Stands until the holder has gone and the last run is over.
///
/// # Errors
/// Where the line breaks, or nothing can be stood for (the holder has been told then).
pub fn stand(line: OwnedFd, clock: Arc<dyn Clock>) -> io::Result<()> {
    let line = Line::new(line);
    let (wanted, orders) = line.orders()?;
    let told: Orders = serde_json::from_str(&orders)?;
    let standing = climb(&line, wanted, &told, &clock).map_err(|(rung, error)| {
        // Where the holder has gone, nobody is to be told.
        let _ = line.refused(rung, &error.to_string());
        io::Error::other(error.to_string())
    })?;
    let mut stand = Stand {
        line,
        rung: wanted,
        starts: told.starts,
        orders,
        standing: Some(standing),
        clock,
        runs: Vec::new(),
        lost: 0,
        left: false,
    };
    if wanted == Rung::Instance && told.starts {
        stand.rung = Rung::Linked;
        stand.line.refused(Rung::Instance, "it begins by itself when it is instantiated, which is its run's to do")?;
    } else if wanted == Rung::Instance {
        stand.wait_first()?;
    }
    stand.line.ready()?;
    while stand.attend()? {}
    Ok(())
}

fn climb(line: &Line, wanted: Rung, orders: &Orders, clock: &Arc<dyn Clock>) -> Result<Standing, (Rung, WarmError)> {
    let unsaid = |error: io::Error| WarmError::Read(error);
    let cache =
        ArtifactCache::open(orders.cache.clone(), Bytes(u64::MAX)).map_err(|error| (Rung::Mapped, unsaid(error)))?;
    let code = (&orders.digest, orders.kind);
    let mapped = Standing::map(&cache, code, &orders.configuration, orders.network, Arc::clone(clock));
    let (mut standing, timing) = mapped.map_err(|error| (Rung::Mapped, error))?;
    let said = line.step(Rung::Mapped, timing.wall_seconds, held());
    said.map_err(|error| (Rung::Mapped, unsaid(error)))?;
    if wanted >= Rung::Linked {
        let timing = standing.link().map_err(|error| (Rung::Linked, error))?;
        let said = line.step(Rung::Linked, timing.wall_seconds, held());
        said.map_err(|error| (Rung::Linked, unsaid(error)))?;
    }
    Ok(standing)
}

/// Memory that this process and those it has forked hold.
fn held() -> Bytes {
    standing_below(std::process::id().cast_signed())
}

/// The stand's life after its climb.
struct Stand {
    line: Line,
    rung: Rung,
    starts: bool,
    orders: String,
    /// Taken by a forked process for its run.
    standing: Option<Standing>,
    clock: Arc<dyn Clock>,
    runs: Vec<Run>,
    /// Processes in a row that ended while they waited.
    lost: u32,
    /// Whether the holder has gone.
    left: bool,
}

/// A process that was forked for a run, from before it has one until its client has gone.
struct Run {
    handle: OwnedFd,
    /// On which it says that it has a run.
    notice: Option<OwnedFd>,
    client: Option<UnixStream>,
    ended: bool,
    served: bool,
}

impl Stand {
    /// Has the first process wait, and says how long that took, or that it cannot.
    fn wait_first(&mut self) -> io::Result<()> {
        let began = self.clock.monotonic();
        self.fork_waiting()?;
        let notice = self.runs.last().and_then(|run| run.notice.as_ref()).map_or(Notice::Gone, heed);
        let why = match notice {
            Notice::Waits => {
                return self.line.step(Rung::Instance, (self.clock.monotonic() - began).0, held());
            }
            Notice::Failed(why) => why,
            _ => "its process ended".to_owned(),
        };
        self.rung = Rung::Linked;
        self.line.refused(Rung::Instance, &why)
    }

    /// Forks a process that waits with an instance.
    fn fork_waiting(&mut self) -> io::Result<()> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        match fork::alone()? {
            Side::Child => {
                self.leave_others();
                self.wait_and_run(&theirs)
            }
            Side::Parent(child) => {
                self.runs.push(Run::of(child, Some(ours), None)?);
                Ok(())
            }
        }
    }

    /// Takes the next run and forks a process for it.
    fn fork_for_next(&mut self) -> io::Result<()> {
        let Some(handed) = self.line.next()? else { return Ok(()) };
        match fork::alone()? {
            Side::Child => {
                self.leave_others();
                self.run(&Circumstances::own(), None, &handed)
            }
            Side::Parent(child) => {
                self.runs.push(Run::of(child, None, Some(handed.client))?);
                Ok(())
            }
        }
    }

    /// In a forked process: lets go of what belongs to other runs, whose clients are to find their lines closed when those
    /// runs are over.
    fn leave_others(&mut self) {
        self.runs.clear();
    }

    /// Waits until something happens and sees to it; `false` once there is nothing left to stand for.
    fn attend(&mut self) -> io::Result<bool> {
        let waits = self.rung == Rung::Instance && self.lost < MOST_LOST && !self.left;
        if waits && self.runs.iter().all(|run| run.served) {
            self.fork_waiting()?;
        }
        let (line, seen) = self.look(waits)?;
        for (run, [ended, other]) in self.runs.iter_mut().zip(seen) {
            run.see(ended, other);
        }
        for run in self.runs.extract_if(.., |run| run.ended && run.client.is_none()).collect::<Vec<_>>() {
            run.reap();
            if run.served {
                self.lost = 0;
                self.line.over()?;
            } else {
                self.lost += 1;
            }
        }
        if line.contains(PollFlags::IN) && !waits {
            self.fork_for_next()?;
        }
        // Those that wait for a run hear it themselves.
        self.left |= line.intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR);
        Ok(!self.left || self.runs.iter().any(|run| run.served))
    }

    /// Waits until something happens: on the line, and for each process whether it has ended, and whether it or its client
    /// has something to say.
    fn look(&self, waits: bool) -> io::Result<(PollFlags, Vec<[bool; 2]>)> {
        // Where a process waits, it takes the next run off the line by itself.
        let asked = if waits { PollFlags::RDHUP } else { PollFlags::RDHUP | PollFlags::IN };
        let line = (!self.left).then(|| PollFd::from_borrowed_fd(self.line.as_fd(), asked));
        let mut fds: Vec<PollFd<'_>> = line.into_iter().collect();
        for run in &self.runs {
            let (other, events) = match (&run.client, &run.notice) {
                (Some(client), _) => (client.as_fd(), PollFlags::RDHUP),
                (None, Some(notice)) => (notice.as_fd(), PollFlags::IN),
                (None, None) => (run.handle.as_fd(), PollFlags::IN),
            };
            let ended = if run.ended { PollFlags::empty() } else { PollFlags::IN };
            fds.push(PollFd::from_borrowed_fd(run.handle.as_fd(), ended));
            fds.push(PollFd::from_borrowed_fd(other, events));
        }
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let happened = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let (line, rest) = fds.split_at(usize::from(!self.left));
        let seen = rest.chunks_exact(2).map(|pair| [happened(&pair[0]), happened(&pair[1])]);
        Ok((line.first().map_or(PollFlags::empty(), PollFd::revents), seen.collect()))
    }
}

impl Run {
    fn of(process: i32, notice: Option<OwnedFd>, client: Option<UnixStream>) -> io::Result<Self> {
        let pid = Pid::from_raw(process).ok_or(io::ErrorKind::InvalidData)?;
        let served = client.is_some();
        Ok(Self { handle: pidfd_open(pid, PidfdFlags::empty())?, notice, client, ended: false, served })
    }

    /// Sees to what happened: the process ended, or said something; the client has gone.
    fn see(&mut self, ended: bool, other: bool) {
        if other && self.client.is_some() {
            // A run without its client ends. The number of its process is kept until then, so that the client could name it.
            let _ = pidfd_send_signal(&self.handle, Signal::KILL);
            self.client = None;
        } else if other && let Some(notice) = &self.notice {
            match heed(notice) {
                Notice::Taken(client) => {
                    self.client = Some(client);
                    self.served = true;
                }
                Notice::Waits => {}
                Notice::Failed(_) | Notice::Gone => self.notice = None,
            }
        }
        if ended && !self.ended {
            self.ended = true;
            self.tell_lost();
        }
    }

    /// Tells the client where its run's process was ended from outside, which could not tell it itself.
    fn tell_lost(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::PidFd(self.handle.as_fd()), options).ok().flatten();
        let signal = status.and_then(|status| status.terminating_signal());
        if let (Some(signal), Some(client)) = (signal, &self.client) {
            // Who has gone needs no word.
            let _ = tell(client, &Word::Lost(signal));
        }
    }

    fn reap(&self) {
        let _ = waitid(WaitId::PidFd(self.handle.as_fd()), WaitIdOptions::EXITED);
    }
}
