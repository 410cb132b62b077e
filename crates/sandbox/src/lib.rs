//! Processes, memory and cores under limits, and their measurement: what the system offers, as safe functions.
//!
//! This is the only crate with `unsafe`: where a system call has no safe wrapper elsewhere, the wrapper is here, with
//! the reason it is sound. There is no policy here; callers decide what to limit. Called by the executor (limits,
//! memory, measurement), the orchestrator and the binary (clock, files, background work).
#![deny(unsafe_op_in_unsafe_fn)]

#[cfg(not(target_os = "linux"))]
compile_error!(
    "Forewarm runs on Linux: what holds programs, keeps them warm and measures them here are namespaces, control groups, \
     Landlock, seccomp and /proc, and nothing takes their place on this system yet"
);

pub mod affinity;
pub mod allocator;
pub mod background;
pub mod bounded;
pub mod cgroup;
pub mod clock;
pub mod exit;
pub mod files;
pub mod fork;
pub mod limits;
pub mod measure;
pub mod memory;
pub mod nvml;
pub mod page_cache;
pub mod process;
pub mod signals;
pub mod streams;

pub use clock::RealClock;
pub use files::RealFiles;
