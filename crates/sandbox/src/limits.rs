//! Limits the system holds this process to.

use std::io;

use forewarm_types::{Bytes, Seconds};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Limits for this process and its children; `None` leaves one as it is. A limit can be lowered, never raised.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// CPU time, after which the system sends `SIGXCPU`, then `SIGKILL`. Rounded up to whole seconds.
    pub cpu: Option<Seconds>,
    /// Address space. Engines reserve far more than they use: see [`Limits::data`] for what is used.
    pub address_space: Option<Bytes>,
    /// Memory written to: private writable mappings and the heap.
    pub data: Option<Bytes>,
    /// Size of any file written.
    pub file_size: Option<Bytes>,
    /// Descriptors open at once.
    pub open_files: Option<u64>,
    /// Size of a core dump.
    pub core: Option<Bytes>,
}

impl Limits {
    /// Puts the limits in force.
    ///
    /// # Errors
    /// Where the system refuses one; those before it stay in force.
    pub fn apply(&self) -> io::Result<()> {
        let seconds = self.cpu.map(|limit| limit.0.max(0.0).ceil() as u64);
        let rows = [
            (Resource::Cpu, seconds),
            (Resource::As, self.address_space.map(|limit| limit.0)),
            (Resource::Data, self.data.map(|limit| limit.0)),
            (Resource::Fsize, self.file_size.map(|limit| limit.0)),
            (Resource::Nofile, self.open_files),
            (Resource::Core, self.core.map(|limit| limit.0)),
        ];
        rows.into_iter().filter_map(|(resource, limit)| Some((resource, limit?))).try_for_each(lower)
    }
}

fn lower((resource, limit): (Resource, u64)) -> io::Result<()> {
    let hard = getrlimit(resource).maximum;
    let limit = hard.map_or(limit, |hard| limit.min(hard));
    Ok(setrlimit(resource, Rlimit { current: Some(limit), maximum: hard })?)
}

/// The address space this process may have; `None` for no limit.
#[must_use]
pub fn address_space() -> Option<Bytes> {
    getrlimit(Resource::As).current.map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_holds_and_is_not_raised_over_the_hard_one() {
        Limits { core: Some(Bytes(u64::MAX - 1)), ..Limits::default() }.apply().unwrap();
        Limits { core: Some(Bytes(4096)), ..Limits::default() }.apply().unwrap();
        assert_eq!(getrlimit(Resource::Core).current, Some(4096));
    }
}
