//! Cores that a run is kept to: by a control group where it is one of processes and the system has such groups, since a
//! program can undo an affinity; else by the affinity that it inherits.
//!
//! Which cores, and whether at all, is the plan's word; called where a lease is allocated.

use std::io;

use forewarm_sandbox::affinity;
use forewarm_sandbox::cgroup::CoreSet;
use forewarm_sandbox::process::Child;
use forewarm_types::Pinning;

/// Cores, held until dropped.
#[derive(Debug)]
pub(crate) struct Cores {
    kept: Vec<usize>,
    /// The group that keeps processes to them.
    set: Option<CoreSet>,
    /// Where this thread, and what it starts, is bound to them: the cores it had.
    before: Option<Vec<usize>>,
}

impl Cores {
    /// Binds this thread, and what it starts, to as many cores as the run uses.
    pub fn bind(units: u32) -> io::Result<Self> {
        let (before, kept) = chosen(units)?;
        affinity::bind(&kept)?;
        Ok(Self { kept, set: None, before: Some(before) })
    }

    /// Has a group ready that keeps processes to as many cores; without one, binds this thread and what it starts.
    pub fn keep(units: u32) -> io::Result<Self> {
        let (_, kept) = chosen(units)?;
        match CoreSet::make(&kept) {
            Ok(set) => Ok(Self { kept, set: Some(set), before: None }),
            Err(_) => Self::bind(units),
        }
    }

    /// Whether what was started before is kept to them too, once it is taken.
    pub fn takes_what_stands(&self) -> bool {
        self.set.is_some()
    }

    /// Keeps all processes of a program's place to them. Where their group turns out closed to them, by affinity.
    pub fn take(&mut self, child: &Child) {
        if self.set.as_ref().is_some_and(|set| set.keep(child).is_err()) {
            self.set = None;
            // One that ends meanwhile is bound to nothing any more.
            child.each_process(|process| drop(affinity::bind_process(process, &self.kept)));
        }
    }

    /// What keeps the run to them.
    pub fn pinning(&self) -> Pinning {
        if self.set.is_some() { Pinning::Cpuset } else { Pinning::Affinity }
    }
}

impl Drop for Cores {
    fn drop(&mut self) {
        if let Some(cores) = &self.before {
            // What cannot be given back only narrows this thread.
            let _ = affinity::bind(cores);
        }
    }
}

/// The cores allowed, and those of them that a run is kept to: the last, since the first serve most interrupts.
fn chosen(units: u32) -> io::Result<(Vec<usize>, Vec<usize>)> {
    let allowed = affinity::allowed()?;
    let first = allowed.len().saturating_sub(units.max(1) as usize);
    let kept = allowed[first..].to_vec();
    Ok((allowed, kept))
}
