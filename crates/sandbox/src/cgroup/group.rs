//! A group that bounds the memory and the number of processes of one program, and counts what it used.
//!
//! Version 2 needs a directory in which groups can be made and both controllers are handed down; it is looked for from
//! this process' own group upwards, by doing it. A program is forked into such a group. Version 1 has a tree per
//! controller, and a process can only be moved: a move that no other has shortly preceded takes the kernel up to tens of
//! milliseconds, so that it is done only where exact limits are wanted.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use forewarm_types::{Bytes, Seconds};

use super::{Aside, Home, PREFIX, Version, sweep_below, throttled_in};
use crate::process::Tier;

/// Groups this process has made, to name each.
static MADE: AtomicU32 = AtomicU32::new(0);

/// The name of another group of this process.
pub(super) fn name() -> String {
    format!("{PREFIX}{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}

/// A group, until dropped.
#[derive(Debug)]
pub struct Group {
    version: Version,
    /// Most memory of all in it.
    memory: Option<Bytes>,
    /// The directories: of version 2 one, of version 1 that of the memory and that of the process controller.
    directories: Vec<PathBuf>,
    /// The open directory of a version 2 group, to fork into.
    open: Option<File>,
}

impl Group {
    /// Makes a group; version 1 only where `wanted`. `None` where there is none to be had or nothing to be bounded.
    ///
    /// # Errors
    /// Where a group was made and cannot be bounded.
    pub fn make(memory: Option<Bytes>, processes: Option<u64>, wanted: bool) -> io::Result<Option<Self>> {
        let groups = super::own_groups()?;
        if !wanted && bound_to_first(&groups) {
            return Ok(None);
        }
        let home = |controller: &str| Home::of_process(&groups, controller);
        let name = name();
        match home("memory") {
            Some(home @ Home { version: Version::Two, .. }) => {
                Ok(home.places().iter().find_map(|above| Self::second(above, &name, memory, processes)))
            }
            Some(Home { version: Version::One, directory }) if wanted => {
                let pids = home("pids").filter(|home| home.version == Version::One).map(|home| home.directory);
                Self::first(&directory, pids.as_deref(), &name, memory, processes).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn second(above: &Path, name: &str, memory: Option<Bytes>, processes: Option<u64>) -> Option<Self> {
        let handed = fs::read_to_string(above.join("cgroup.subtree_control")).ok()?;
        let has = |wanted: &str| handed.split_ascii_whitespace().any(|controller| controller == wanted);
        if !(has("memory") && has("pids")) {
            return None;
        }
        sweep_below(above);
        let group = above.join(name);
        fs::create_dir(&group).ok()?;
        let open = File::open(&group).ok();
        let made = Self { version: Version::Two, memory, directories: vec![group.clone()], open };
        // Room for the init beside the program's own processes.
        let limits = [("memory.max", memory.map(|most| most.0)), ("pids.max", processes.map(|most| most + 1))];
        for (file, limit) in limits.into_iter().filter_map(|(file, limit)| Some((file, limit?))) {
            fs::write(group.join(file), limit.to_string()).ok()?;
        }
        // What may not be swapped out is bounded by memory alone; without swap the file is not there.
        let _ = fs::write(group.join("memory.swap.max"), "0");
        Some(made)
    }

    fn first(
        memory_home: &Path,
        pids_home: Option<&Path>,
        name: &str,
        memory: Option<Bytes>,
        processes: Option<u64>,
    ) -> io::Result<Self> {
        let mut made = Self { version: Version::One, memory, directories: Vec::new(), open: None };
        sweep_below(memory_home);
        let group = memory_home.join(name);
        fs::create_dir(&group)?;
        made.directories.push(group.clone());
        if let Some(most) = memory {
            fs::write(group.join("memory.limit_in_bytes"), most.0.to_string())?;
            // Without swap accounting the file is not there.
            let _ = fs::write(group.join("memory.memsw.limit_in_bytes"), most.0.to_string());
        }
        if let Some((home, most)) = pids_home.zip(processes) {
            sweep_below(home);
            let group = home.join(name);
            fs::create_dir(&group)?;
            made.directories.push(group.clone());
            fs::write(group.join("pids.max"), (most + 1).to_string())?;
        }
        Ok(made)
    }

    /// Bounds something else of what is in it, which it can where it is of version 2 and the controller is handed down to it.
    ///
    /// # Errors
    /// Where it cannot.
    pub(super) fn bound(&self, file: &str, value: &str) -> io::Result<()> {
        let directory = self.directories.first().ok_or(io::ErrorKind::NotFound)?;
        fs::write(directory.join(file), value)
    }

    /// Whether a process in it is in no other group, for whatever controller.
    pub(super) fn is_only_one(&self) -> bool {
        self.version == Version::Two
    }

    /// Time that a quota of its own held it back, where it can have one.
    #[must_use]
    pub fn throttled(&self) -> Option<Seconds> {
        self.is_only_one().then(|| self.read("cpu.stat")).flatten().and_then(|stat| throttled_in(&stat))
    }

    /// Moves a process into the group.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn attach(&self, process: i32) -> io::Result<()> {
        self.directories.iter().try_for_each(|group| fs::write(group.join("cgroup.procs"), process.to_string()))
    }

    /// Sets part of its memory aside for what is in it: see [`Aside`].
    ///
    /// # Errors
    /// Where the system refuses, as where more is used already.
    pub fn set_aside(&self, bytes: Bytes) -> io::Result<Aside> {
        let directory = self.directories.first().ok_or(io::ErrorKind::NotFound)?;
        Aside::on(self.version, directory, bytes, self.memory)
    }

    /// The descriptor by which a process can be forked into the group, where it can.
    #[must_use]
    pub fn descriptor(&self) -> Option<i32> {
        self.open.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// The measuring tier that this group gives.
    #[must_use]
    pub fn tier(&self) -> Tier {
        match self.version {
            Version::One => Tier::Cgroup1,
            Version::Two => Tier::Cgroup2,
        }
    }

    /// Peak memory of all processes together, where the kernel keeps it.
    #[must_use]
    pub fn peak(&self) -> Option<Bytes> {
        let file = match self.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        self.read(file)?.trim().parse().ok().map(Bytes)
    }

    /// Processes the kernel killed because the group had reached its memory limit.
    #[must_use]
    pub fn killed_for_memory(&self) -> u64 {
        let file = match self.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        self.counter(file, "oom_kill")
    }

    /// Times the limit on processes refused one.
    #[must_use]
    pub fn refused_processes(&self) -> u64 {
        self.counter("pids.events", "max")
    }

    fn read(&self, file: &str) -> Option<String> {
        self.directories.iter().find_map(|group| fs::read_to_string(group.join(file)).ok())
    }

    fn counter(&self, file: &str, name: &str) -> u64 {
        let text = self.read(file).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok());
        value.unwrap_or(0)
    }
}

/// Whether memory is bounded by version 1 here, which is asked for by name alone: cgroups(7).
fn bound_to_first(groups: &str) -> bool {
    groups.lines().any(|line| line.split(':').nth(1).is_some_and(|list| list.split(',').any(|name| name == "memory")))
}

impl Drop for Group {
    fn drop(&mut self) {
        for group in &self.directories {
            // What has not quite gone is swept by a later run.
            let _ = fs::remove_dir(group);
        }
    }
}
