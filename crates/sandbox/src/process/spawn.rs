//! Starting: everything is prepared, the init forked, its users mapped and its groups attached, and let go. It lays out the
//! file system at once, and executes the program when it is told to, which may be later: see [`Place`].

use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};

use super::filter::Filters;
use super::init::{self, Prepared};
use super::launcher;
use super::layout::Layout;
use super::program::Image;
use super::raw::{self, CloneArguments};
use super::rules::{self, Domain};
use super::shared::Shared;
use super::signals::Relay;
use super::start::Start;
use super::supervise::{Child, Lines};
use super::{Confinement, Program, SpawnError, Tier};
use crate::cgroup::Group;

/// Namespaces a program gets, its own network apart.
const NAMESPACES: i32 = libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC;

/// How much sooner the system should end a confined program than its other processes when memory runs out, of 1000:
/// proc_pid_oom_score_adj(5).
const OOM_SCORE: &str = "500";

/// The ways to isolate, closest first: with a user namespace; with the caller's own rights; not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Users,
    Rights,
    Nothing,
}

/// Starts a program, confined as far as this system lets; [`Child::tier`] says how far that is.
///
/// # Errors
/// Where the program or what it is given cannot be named, or the system refuses a step that nothing can stand in for.
pub fn spawn(program: &Program, confinement: &Confinement) -> Result<Child, SpawnError> {
    prepare_place(&program.executable, &program.directory, confinement)?.start(&program.start())
}

/// The same with standard streams of its own in place of the caller's.
///
/// # Errors
/// As [`spawn`].
pub fn spawn_on(
    program: &Program,
    confinement: &Confinement,
    streams: [BorrowedFd<'_>; 3],
) -> Result<Child, SpawnError> {
    let place = prepare_place(&program.executable, &program.directory, confinement)?;
    place.start(&Start { streams: Some(streams), ..program.start() })
}

/// Begins to lay out the place of a program in a working directory, which goes on beside the caller until [`Place::start`].
///
/// # Errors
/// As [`spawn`].
pub fn prepare_place(executable: &Path, directory: &Path, confinement: &Confinement) -> Result<Place, SpawnError> {
    let ways: &[Way] = match (confinement.without_namespaces, rustix::process::geteuid().is_root()) {
        (true, _) => &[Way::Nothing],
        (false, true) => &[Way::Users, Way::Rights, Way::Nothing],
        (false, false) => &[Way::Users, Way::Nothing],
    };
    let mut result = Err(SpawnError::Execute(io::Error::from(io::ErrorKind::Unsupported)));
    for way in ways {
        result = begin(executable, directory, confinement, *way);
        let refused = |error: &io::Error| {
            let number = error.raw_os_error().unwrap_or(0);
            [libc::EPERM, libc::EACCES, libc::ENOSPC, libc::EINVAL, libc::ENOSYS, libc::EUSERS].contains(&number)
        };
        match &result {
            Err(SpawnError::System { step: FORK, error }) if refused(error) => {}
            _ => break,
        }
    }
    result
}

/// A place being laid out for a program: namespaces, file system and limits, and an init that waits to execute it. Dropped,
/// all of it goes.
#[derive(Debug)]
pub struct Place {
    child: Child,
    relay: bool,
}

impl Place {
    /// The place's init, and what its program will be asked through: see [`Child::listener`].
    #[must_use]
    pub fn child(&self) -> &Child {
        &self.child
    }

    /// Waits until it is laid out and only the word to execute is missing.
    ///
    /// # Errors
    /// Where it cannot be laid out.
    pub fn stands(&mut self) -> Result<(), SpawnError> {
        self.child.stands()
    }

    /// Has the program executed.
    ///
    /// # Errors
    /// Where an argument or a variable holds a zero byte, or there is no memory to hand them over.
    pub fn start(mut self, start: &Start<'_>) -> Result<Child, SpawnError> {
        // Before the program is there to be meant by a signal.
        let relay = self.relay.then(Relay::start).and_then(Result::ok);
        self.child.begin(start, relay)?;
        Ok(self.child)
    }
}

const FORK: &str = "making the program's namespaces";

fn begin(executable: &Path, directory: &Path, confinement: &Confinement, way: Way) -> Result<Place, SpawnError> {
    let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    let (go_read, go) = pair.map_err(|error| SpawnError::at("a socket")(error.into()))?;
    let (news, news_write) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| SpawnError::at("a pipe")(error.into()))?;
    let shared = Shared::new().map_err(SpawnError::at("shared memory"))?;
    let mut prepared = prepared(executable, directory, confinement, way)?;
    (prepared.go, prepared.news) = (go_read.as_raw_fd(), news_write.as_raw_fd());
    let door = door(&mut prepared, confinement).map_err(SpawnError::at("a socket"))?;
    let (door, theirs) = door.unzip();
    let group = group(confinement);
    let group_of_fork = group.as_ref().and_then(Group::descriptor);
    let forked = fork(&mut prepared, &shared, flags(way), group_of_fork)?;
    drop((go_read, news_write, theirs));
    let tier = match (&group, way) {
        (Some(group), _) => group.tier(),
        (None, Way::Users | Way::Rights) => Tier::Namespaces,
        (None, Way::Nothing) if prepared.image.domain.version > 0 => Tier::Landlock,
        (None, Way::Nothing) => Tier::Limits,
    };
    let lines = Lines { shared, go: fs::File::from(go), news, door, relay: None, owner: None };
    let child = Child::new(forked, lines, group, tier, confinement);
    child.ready(way == Way::Users).map_err(SpawnError::at("mapping users and attaching groups"))?;
    Ok(Place { child, relay: confinement.relay })
}

/// The init, forked.
#[derive(Debug)]
pub struct Forked {
    pub pid: i32,
    pub handle: OwnedFd,
    /// Whether it has namespaces of its own.
    pub isolated: bool,
    /// Whether the launcher forked it, so that its habits are not this process' own.
    pub launched: bool,
}

fn prepared(executable: &Path, directory: &Path, confinement: &Confinement, way: Way) -> Result<Prepared, SpawnError> {
    let isolated = way != Way::Nothing;
    let layout = Layout::of(confinement, directory).map_err(SpawnError::at("the given directories"))?;
    let mut image = Image::of(executable, directory, &confinement.bounds)?;
    // The network of its own namespace is the program's to use; without one Landlock and the filter stand before the host's.
    let network = confinement.network || isolated;
    let writable = if isolated { layout.writable() } else { layout.writable_on_host() };
    image.domain = Domain { version: rules::version(), writable, network };
    image.filters = Filters::of(network).map_err(SpawnError::at("the system-call filters"))?;
    image.own_users = way == Way::Users;
    image.follows_parent = !isolated;
    let own_network = isolated && !confinement.network;
    let layout = isolated.then_some(layout);
    Ok(Prepared { layout, own_network, image, stack: init::stack(), go: -1, news: -1, door: -1, port: 0 })
}

/// Both ends of where the init puts a socket in the program's network, where one is wanted there.
fn door(prepared: &mut Prepared, confinement: &Confinement) -> io::Result<Option<(OwnedFd, OwnedFd)>> {
    let Some(port) = confinement.port.filter(|_| prepared.own_network) else { return Ok(None) };
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    (prepared.door, prepared.port) = (theirs.as_raw_fd(), port);
    Ok(Some((ours, theirs)))
}

/// The network's namespace takes longest to make, and is left to the init.
fn flags(way: Way) -> i32 {
    match way {
        Way::Users => NAMESPACES | libc::CLONE_NEWUSER,
        Way::Rights => NAMESPACES,
        Way::Nothing => 0,
    }
}

/// Control groups where they can be had for what they are worth: always where the program can be forked into one.
fn group(confinement: &Confinement) -> Option<Group> {
    let bounds = &confinement.bounds;
    Group::make(bounds.memory, bounds.processes, confinement.groups).ok().flatten()
}

/// Forks the init: the launcher does where there is one, else this process.
fn fork(prepared: &mut Prepared, shared: &Shared, namespaces: i32, group: Option<i32>) -> Result<Forked, SpawnError> {
    let before = raw::set_mask(&raw::full_set());
    prepared.image.mask = raw::bits_of(&before);
    let isolated = namespaces != 0;
    let launched = launcher::fork(prepared, shared, namespaces, group);
    let forked = match launched {
        Some((pid, handle)) => Ok(Forked { pid, handle, isolated, launched: true }),
        None => fork_init(prepared, shared, namespaces, group, None).map(|(pid, handle)| Forked {
            pid,
            handle,
            isolated,
            launched: false,
        }),
    };
    raw::set_mask(&before);
    forked.map_err(|error| SpawnError::at(FORK)(io::Error::from_raw_os_error(error)))
}

/// Forks the init as a child of this process, or, with the streams it is to have, of this process' parent; every signal must
/// be blocked. Its number, and a handle of it.
#[expect(unsafe_code, reason = "forking is unsafe by nature")]
pub fn fork_init(
    prepared: &Prepared,
    shared: &Shared,
    namespaces: i32,
    group: Option<i32>,
    for_parent: Option<[i32; 3]>,
) -> raw::Result<(i32, OwnedFd)> {
    let mut handle = -1_i32;
    let mut arguments = CloneArguments {
        flags: namespaces as u64 | libc::CLONE_PIDFD as u64,
        pidfd: &raw mut handle as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArguments::default()
    };
    if for_parent.is_some() {
        // The signal that tells of its end is then that of this process' own: clone(2).
        arguments.flags |= libc::CLONE_PARENT as u64;
        arguments.exit_signal = 0;
    }
    if let Some(directory) = group {
        /// Linux include/uapi/linux/sched.h.
        const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = directory as u64;
    }
    // SAFETY: the child only runs the init, which makes system calls on what is prepared.
    let pid = unsafe { raw::clone3(&arguments) }?;
    if pid == 0 {
        for (number, stream) in (0..).zip(for_parent.into_iter().flatten()) {
            raw::duplicate(stream, number);
        }
        init::run(prepared, shared.words());
    }
    // SAFETY: the system has just made this descriptor for us.
    Ok((pid, unsafe { OwnedFd::from_raw_fd(handle) }))
}

/// Maps the users of a new namespace: all of them where the caller may, else the caller alone.
pub fn map_users(pid: i32) -> io::Result<()> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let file = |name: &str| format!("/proc/{pid}/{name}");
    if user.is_root() && write(&file("uid_map"), "0 0 4294967295").is_ok() {
        return write(&file("gid_map"), "0 0 4294967295");
    }
    write(&file("uid_map"), &format!("{0} {0} 1", user.as_raw()))?;
    write(&file("setgroups"), "deny")?;
    write(&file("gid_map"), &format!("{0} {0} 1", group.as_raw()))
}

/// Makes the init and all it starts the first to go when the system runs out of memory.
pub fn prefer_to_kill(pid: i32) {
    // Where it cannot be had, the system chooses as usual.
    let _ = write(&format!("/proc/{pid}/oom_score_adj"), OOM_SCORE);
}

fn write(path: &str, text: &str) -> io::Result<()> {
    // In one call: these files take nothing piecemeal.
    fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}
