//! Memory set aside for a program: a bound on a group that gives way as soon as it is reached, so that a program which needs
//! more than was thought neither fails nor is ended for it, but is seen at once.
//!
//! Version 1: the group's limit, at which the kernel has its processes wait instead of ending one, and before that an event
//! for whoever holds it. Version 2: `memory.high`, at which the kernel slows the group down and counts it, which is an event.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use forewarm_types::Bytes;
use rustix::event::{EventfdFlags, PollFlags, eventfd};

use super::group::name;
use super::{Home, Version, sweep_below};

/// What a program may take over and above while its supervisor wakes up and gives it more: a core touches as much in a
/// millisecond, at the fastest that was seen (DESIGN section 8).
const ROOM: u64 = 8 << 20;

/// Memory set aside, until dropped.
#[derive(Debug)]
pub struct Aside {
    version: Version,
    directory: PathBuf,
    /// The group's limit once the bound has given way, where it has one.
    most: Option<Bytes>,
    /// Whether the group is this bound's own, and goes with it.
    own: bool,
    event: File,
}

impl Aside {
    /// So much, in a group of its own that processes are taken into: version 1 alone, since of version 2 each program has its
    /// group from the beginning.
    ///
    /// # Errors
    /// Where no such group can be made.
    pub fn make(bytes: Bytes) -> io::Result<Self> {
        let home = Home::find("memory").filter(|home| home.version == Version::One);
        let home = home.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?.directory;
        sweep_below(&home);
        let directory = home.join(name());
        fs::create_dir(&directory)?;
        let made = Self::on(Version::One, &directory, bytes, None);
        let mut aside = made.inspect_err(|_| drop(fs::remove_dir(&directory)))?;
        aside.own = true;
        Ok(aside)
    }

    /// So much of what a group may have, which is `most`.
    pub(super) fn on(version: Version, directory: &Path, bytes: Bytes, most: Option<Bytes>) -> io::Result<Self> {
        if most.is_some_and(|most| bytes >= most) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let limit = Bytes(bytes.0.saturating_add(ROOM)).min(most.unwrap_or(Bytes(u64::MAX)));
        match version {
            Version::One => {
                let event = File::from(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
                let this = Self { version, directory: directory.to_owned(), most, own: false, event };
                this.bound(bytes, limit).inspect_err(|_| drop(this.give_way()))?;
                Ok(this)
            }
            Version::Two => {
                let mut event = File::open(directory.join("memory.events"))?;
                // From what it says now on, a change is an event: Linux fs/kernfs/file.c, `kernfs_generic_poll`.
                event.read_to_string(&mut String::new())?;
                fs::write(directory.join("memory.high"), bytes.0.to_string())?;
                Ok(Self { version, directory: directory.to_owned(), most, own: false, event })
            }
        }
    }

    /// Bounds a group of version 1, at whose limit its processes then wait, with an event before: Linux
    /// Documentation/admin-guide/cgroup-v1/memory.rst, sections 9 and 10.
    fn bound(&self, bytes: Bytes, limit: Bytes) -> io::Result<()> {
        let set = |file: &str, value: &str| fs::write(self.directory.join(file), value);
        let usage = File::open(self.directory.join("memory.usage_in_bytes"))?;
        set("cgroup.event_control", &format!("{} {} {}", self.event.as_raw_fd(), usage.as_raw_fd(), bytes.0))?;
        // What stands in a swap file has left memory, and would not be missed there.
        let _ = set("memory.swappiness", "0");
        set("memory.oom_control", "1")?;
        set("memory.limit_in_bytes", &limit.0.to_string())
    }

    /// Takes a process in, and what it starts from then on.
    ///
    /// # Errors
    /// Where the system refuses, or the process has gone.
    pub fn take(&self, process: i32) -> io::Result<()> {
        fs::write(self.directory.join("cgroup.procs"), process.to_string())
    }

    /// What shows, and how, that more is needed.
    #[must_use]
    pub fn event(&self) -> (BorrowedFd<'_>, PollFlags) {
        let shows = match self.version {
            Version::One => PollFlags::IN,
            Version::Two => PollFlags::PRI,
        };
        (self.event.as_fd(), shows)
    }

    /// Gives the group what it may have at most.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn give_way(&self) -> io::Result<()> {
        let set = |file: &str, value: &str| fs::write(self.directory.join(file), value);
        match self.version {
            Version::One => {
                let most = self.most.map_or_else(|| "-1".to_owned(), |most| most.0.to_string());
                set("memory.limit_in_bytes", &most)?;
                // From here on it is the limit that ends a program.
                set("memory.oom_control", "0")
            }
            Version::Two => set("memory.high", "max"),
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if self.own {
            // What has not quite gone is swept by a later run.
            let _ = fs::remove_dir(&self.directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use rustix::event::{PollFd, Timespec, poll};

    use super::*;

    #[test]
    fn who_needs_more_is_given_it_and_goes_on() {
        let Ok(aside) = Aside::make(Bytes(32 << 20)) else { return };
        // Waits to be let go, and then holds 128 MiB.
        let script = "read go; x=$(head -c 134217728 /dev/zero | tr '\\0' x); echo ${#x}";
        let mut child = Command::new("/bin/sh");
        let mut child = child.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let taken = aside.take(child.id().cast_signed());
        drop(child.stdin.take());
        let (event, shows) = aside.event();
        let shown = poll(&mut [PollFd::from_borrowed_fd(event, shows)], Some(&Timespec { tv_sec: 60, tv_nsec: 0 }));
        let way = aside.give_way();
        let said = child.wait_with_output().unwrap();
        taken.and(way).unwrap();
        assert_eq!(shown, Ok(1));
        assert_eq!((said.status.code(), said.stdout.as_slice()), (Some(0), &b"134217728\n"[..]));
        let directory = aside.directory.clone();
        drop(aside);
        assert!(!directory.exists());
    }
}
