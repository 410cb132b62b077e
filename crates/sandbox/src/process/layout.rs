//! The file system a program sees: everything read-only, some directories private, some given.
//!
//! Prepared by the supervisor, carried out by the init without allocating. The mounts of the host stay where they are;
//! this is a copy of their tree, changed in place, so that every path means what it meant.

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use forewarm_types::Bytes;
use libc::c_int;
use serde::{Deserialize, Serialize};

use super::shared::step;
use super::{Confinement, PRIVATE, raw};

/// Most directories that can be given or shown; their descriptors live in an array.
const MOST_TREES: usize = 64;

/// The devices a program finds: those without state of the machine behind them.
const DEVICES: [&CStr; 6] = [c"/dev/null", c"/dev/zero", c"/dev/full", c"/dev/random", c"/dev/urandom", c"/dev/tty"];

/// Links in `/dev` that programs expect (Linux Documentation/admin-guide/devices.txt, "Compulsory links").
const LINKS: [(&CStr, &CStr); 5] = [
    (c"/proc/self/fd", c"/dev/fd"),
    (c"/proc/self/fd/0", c"/dev/stdin"),
    (c"/proc/self/fd/1", c"/dev/stdout"),
    (c"/proc/self/fd/2", c"/dev/stderr"),
    (c"pts/ptmx", c"/dev/ptmx"),
];

/// Part of the host's tree that is put back at its place, or another.
#[derive(Debug, Serialize, Deserialize)]
struct Tree {
    source: CString,
    target: CString,
    read_only: bool,
    /// Directories to be made for it, outermost first.
    parents: Vec<CString>,
    /// Whether it is a file.
    file: bool,
    /// Whether its place is inside a private directory, and so has to be made.
    made: bool,
}

/// What the init does to its file system.
#[derive(Debug, Serialize, Deserialize)]
pub struct Layout {
    trees: Vec<Tree>,
    private: Vec<CString>,
    scratch: CString,
    console: Option<CString>,
    directory: CString,
    process_numbers: Option<Vec<u8>>,
}

/// A step that failed, and the system's error number.
pub type Failed = (i32, raw::Errno);

impl Layout {
    pub fn of(confinement: &Confinement, directory: &Path) -> io::Result<Self> {
        let apart = PRIVATE.iter().filter(|path| !path.starts_with("/dev"));
        let exists = apart.filter(|path| Path::new(path).symlink_metadata().is_ok_and(|found| found.is_dir()));
        let mut trees = Vec::new();
        for path in &confinement.visible {
            let covered = trees.iter().any(|tree: &Tree| path.starts_with(path_of(&tree.source)));
            if inside_private(path) && !covered && path.exists() {
                trees.push(tree(path, path, true)?);
            }
        }
        for (host, guest) in &confinement.writable {
            trees.push(tree(host, guest, false)?);
        }
        if trees.len() > MOST_TREES {
            return Err(io::Error::other(format!("more than {MOST_TREES} directories are given")));
        }
        let size = confinement.scratch.0.max(Bytes::MIB.0);
        Ok(Self {
            trees,
            private: exists.map(text).collect::<io::Result<_>>()?,
            scratch: text(format!("size={size},mode=1777"))?,
            console: console(),
            directory: text(directory)?,
            process_numbers: numbers(confinement.bounds.processes, &kernel()),
        })
    }

    /// Lays the file system out; in the init, before the program is forked.
    pub fn apply(&self) -> Result<(), Failed> {
        let at = |step| move |error| (step, error);
        let recursive = libc::MS_REC | libc::MS_PRIVATE;
        raw::mount(c"none", c"/", c"", recursive, c"").map_err(at(step::FILES))?;
        let mut trees: [c_int; MOST_TREES] = [-1; MOST_TREES];
        for (fd, tree) in trees.iter_mut().zip(&self.trees) {
            *fd = raw::open_tree(&tree.source, true).map_err(at(step::GIVEN))?;
            if tree.read_only {
                raw::make_read_only(Some(*fd), c"").map_err(at(step::GIVEN))?;
            }
        }
        let mut devices: [c_int; DEVICES.len()] = [-1; DEVICES.len()];
        for (fd, device) in devices.iter_mut().zip(DEVICES) {
            *fd = raw::open_tree(device, false).unwrap_or(-1);
        }
        let console = self.console.as_deref().and_then(|console| raw::open_tree(console, false).ok());
        self.processes();
        raw::make_read_only(None, c"/").map_err(at(step::FILES))?;
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        for path in &self.private {
            raw::mount(c"tmpfs", path, c"tmpfs", flags, &self.scratch).map_err(at(step::PRIVATE))?;
        }
        self.devices(&devices, console).map_err(at(step::DEVICES))?;
        for (fd, tree) in trees.iter().zip(&self.trees) {
            place(*fd, tree).map_err(at(step::GIVEN))?;
        }
        raw::chdir(&self.directory).map_err(at(step::DIRECTORY))
    }

    /// Shows the processes of the new namespace, and bounds how many there can be where the kernel counts per namespace. Where mounting is refused (a container that hides part of `/proc`), the host's stays, read-only.
    fn processes(&self) {
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        if raw::mount(c"proc", c"/proc", c"proc", flags, c"").is_ok()
            && let Some(most) = &self.process_numbers
        {
            raw::write_file(c"/proc/sys/kernel/pid_max", most);
        }
    }

    fn devices(&self, devices: &[c_int], console: Option<c_int>) -> raw::Result<()> {
        let flags = libc::MS_NOSUID | libc::MS_NOEXEC;
        raw::mount(c"tmpfs", c"/dev", c"tmpfs", flags, c"size=64k,mode=755")?;
        for (fd, device) in devices.iter().zip(DEVICES).filter(|(fd, _)| **fd >= 0) {
            raw::touch(device)?;
            raw::move_mount(*fd, device)?;
        }
        if let Some(console) = console {
            raw::touch(c"/dev/console")?;
            raw::move_mount(console, c"/dev/console")?;
        }
        for (target, link) in LINKS {
            raw::symlink(target, link)?;
        }
        raw::mkdir(c"/dev/pts", 0o755)?;
        // Without terminals of its own a program still has the one it was started at.
        let _ = raw::mount(c"devpts", c"/dev/pts", c"devpts", flags, c"newinstance,ptmxmode=0666,mode=0620");
        raw::mkdir(c"/dev/shm", 0o1777)?;
        raw::mount(c"tmpfs", c"/dev/shm", c"tmpfs", libc::MS_NOSUID | libc::MS_NODEV, &self.scratch)
    }

    /// What Landlock must allow to be written in this layout.
    pub fn writable(&self) -> Vec<CString> {
        let given = self.trees.iter().filter(|tree| !tree.read_only).map(|tree| tree.target.clone());
        self.private.iter().cloned().chain([c"/dev".to_owned()]).chain(given).collect()
    }
}

/// What bounds the numbers of processes in a namespace of its own, where the kernel counts per namespace. Before it did, the
/// same file bounded those of the whole machine, and root's word there would have been taken.
fn numbers(most: Option<u64>, kernel: &str) -> Option<Vec<u8>> {
    let mut parts = kernel.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (parts.next()?, parts.next()?);
    let most = most.filter(|_| version >= COUNTED_PER_NAMESPACE)?;
    Some(most.max(LEAST_NUMBERS).to_string().into_bytes())
}

/// The version of the kernel that runs.
fn kernel() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// The first version whose `pid_max` is a namespace's own: Linux kernel/pid_namespace.c, "pid: allow pid_max to be set per pid
/// namespace".
const COUNTED_PER_NAMESPACE: (u32, u32) = (6, 14);

/// The least number of processes the kernel lets a namespace be bounded to: `RESERVED_PIDS + 1`, Linux kernel/pid.c.
const LEAST_NUMBERS: u64 = 301;

fn place(fd: c_int, tree: &Tree) -> raw::Result<()> {
    for parent in &tree.parents {
        raw::mkdir(parent, 0o755)?;
    }
    if tree.made {
        if tree.file { raw::touch(&tree.target) } else { raw::mkdir(&tree.target, 0o755) }?;
    }
    raw::move_mount(fd, &tree.target)?;
    raw::close(fd);
    Ok(())
}

fn tree(host: &Path, guest: &Path, read_only: bool) -> io::Result<Tree> {
    let made = inside_private(guest);
    let parents = guest.ancestors().skip(1).filter(|parent| made && inside_private(parent));
    let mut parents = parents.map(text).collect::<io::Result<Vec<_>>>()?;
    parents.reverse();
    let file = !host.is_dir();
    Ok(Tree { source: text(host)?, target: text(guest)?, read_only, parents, file, made })
}

/// Whether a path lies below (and is not itself) a private directory.
fn inside_private(path: &Path) -> bool {
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    plain && PRIVATE.iter().any(|private| path != Path::new(private) && path.starts_with(private))
}

/// The terminal among the standard streams, by its name on the host.
fn console() -> Option<CString> {
    (0..3).find_map(|stream| {
        let name = std::fs::read_link(format!("/proc/self/fd/{stream}")).ok()?;
        name.starts_with("/dev/pts").then(|| text(&name).ok()).flatten()
    })
}

fn path_of(text: &CStr) -> PathBuf {
    PathBuf::from(std::ffi::OsStr::from_bytes(text.to_bytes()))
}

fn text(path: impl AsRef<Path>) -> io::Result<CString> {
    Ok(CString::new(path.as_ref().as_os_str().as_bytes())?)
}

impl Layout {
    /// What Landlock must allow to be written where the host's file system stays as it is: what is given, terminals, and
    /// the devices that keep nothing.
    pub fn writable_on_host(&self) -> Vec<CString> {
        let given = self.trees.iter().filter(|tree| !tree.read_only).map(|tree| tree.source.clone());
        DEVICES.into_iter().chain([c"/dev/pts", c"/dev/ptmx"]).map(CStr::to_owned).chain(given).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_bounded_only_where_they_are_the_namespaces_own() {
        let check = |most, kernel: &str, expected: Option<&str>| {
            assert_eq!(numbers(most, kernel).as_deref(), expected.map(str::as_bytes), "{most:?} on {kernel}");
        };
        check(Some(8192), "6.18.44-fc-v669", Some("8192"));
        check(Some(8192), "6.14.0", Some("8192"));
        check(Some(8192), "10.2-rc1+", Some("8192"));
        check(Some(8192), "6.1.176", None);
        check(Some(8192), "5.15.0-91-generic", None);
        check(Some(8192), "unknown", None);
        check(None, "6.18.44", None);
        check(Some(9), "6.18.44", Some("301"));
    }
}
