//! A stand as the holder has it: started, climbed, handed runs, ended.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use forewarm_sandbox::RealClock;
use forewarm_sandbox::process::standing_below;
use forewarm_types::Bytes;
use forewarm_types::host::Clock;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::WasmProgram;
use crate::holding::{Holding, Standing, lock};
use crate::line::{Word, hear};
use crate::program::{Program, Rung};
use crate::protocol::Climb;
use crate::stamps;
use crate::wire;

/// How long a climb may take between two words: what AWS Lambda gives a function's initialisation (AWS Lambda Developer
/// Guide, "Lambda execution environment lifecycle"). What is slow, compiling, has been done before.
const MOST_CLIMB: Duration = Duration::from_secs(10);

/// A stand.
#[derive(Debug)]
pub(crate) struct Stand {
    standing: Standing,
    line: OwnedFd,
    process: i32,
    handle: OwnedFd,
    child: Mutex<Child>,
}

impl Stand {
    /// Starts a stand by a command, and has it climb to a rung.
    pub fn climb(command: &[std::ffi::OsString], program: &WasmProgram, wanted: Rung) -> Result<Self, String> {
        let began = RealClock.monotonic();
        let (line, mut child) = start(command).map_err(|error| error.to_string())?;
        let process = child.id().cast_signed();
        let climbed = ask(&line, program, wanted).and_then(|climb| {
            let pid = Pid::from_raw(process).ok_or("it has no number")?;
            Ok((climb, pidfd_open(pid, PidfdFlags::empty()).map_err(|error| error.to_string())?))
        });
        match climbed {
            Ok((climb, handle)) => {
                let seconds = (RealClock.monotonic() - began).0;
                let climb = Climb { held_bytes: standing_below(process), seconds, ..climb };
                let standing = Standing::new(Program::Wasm(program.clone()), wanted, climb);
                Ok(Self { standing, line, process, handle, child: Mutex::new(child) })
            }
            Err(why) => {
                // One that has ended already needs no signal.
                let _ = child.kill();
                let _ = child.wait();
                Err(why)
            }
        }
    }
}

fn start(command: &[std::ffi::OsString]) -> io::Result<(OwnedFd, Child)> {
    let (line, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
    Ok((line, command.spawn()?))
}

/// Gives the orders and hears how far they were followed.
fn ask(line: &OwnedFd, program: &WasmProgram, wanted: Rung) -> Result<Climb, String> {
    let orders = wire::pack([wanted.name().as_bytes(), program.orders.as_bytes()]);
    wire::send_beside(line, &orders, &[]).map_err(|error| error.to_string())?;
    let (mut steps, mut refused) = (Vec::new(), None);
    loop {
        match hear(line, Some(MOST_CLIMB)).map_err(|error| error.to_string())? {
            Word::Step(step) => steps.push(step),
            Word::Refused(rung, why) => refused = Some((rung, why)),
            Word::Ready(_) => break,
            _ => return Err(refused.map_or_else(|| "what was started for it ended".to_owned(), |(_, why)| why)),
        }
    }
    let rung = steps.last().map(|step| step.rung).ok_or("it reached no rung")?;
    Ok(Climb { rung, steps, refused, held_bytes: Bytes::ZERO, files: 1, seconds: 0.0 })
}

impl Holding for Stand {
    fn standing(&self) -> &Standing {
        &self.standing
    }

    fn changed(&self) -> Option<PathBuf> {
        let Program::Wasm(program) = &self.standing.program else { return None };
        (stamps::of(&program.file) != Some(program.stamp)).then(|| program.file.clone())
    }

    /// Another file wants another plan, and perhaps to be compiled.
    fn renewable(&self) -> bool {
        false
    }

    fn held_bytes(&self) -> Bytes {
        standing_below(self.process)
    }

    fn listen(&self, news: &mut dyn FnMut()) {
        while let Ok(Word::Over { .. }) = hear(&self.line, None) {
            if self.standing.tally.over() {
                self.end();
            }
            news();
        }
        self.end();
        // How it ended matters to nobody.
        let _ = lock(&self.child).wait();
        self.standing.tally.has_gone();
        news();
    }

    fn hand(&self, client: &UnixStream, beside: &[OwnedFd]) -> io::Result<()> {
        let handed: Vec<_> = std::iter::once(client.as_fd()).chain(beside.iter().map(AsFd::as_fd)).collect();
        self.standing.tally.begin(|| wire::send_beside(&self.line, b"r", &handed)).map(drop)
    }

    fn end(&self) {
        // One that has ended already needs no signal. What it forked ends with it.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.end();
    }
}
