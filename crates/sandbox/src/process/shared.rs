//! A page that supervisor, init and program share until the program is executed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU64};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// What init and program leave for the supervisor.
#[derive(Debug, Default)]
pub struct Words {
    /// The step that failed: an index into [`STEPS`].
    pub step: AtomicI32,
    /// The system's error number of that step, 0 for none.
    pub error: AtomicI32,
    /// The signal that stopped the program, 0 while it is not stopped.
    pub stopped: AtomicI32,
    /// Whether the init is to end all that it started, where no namespace does that.
    pub end: AtomicI32,
    /// How the program ended: `si_code` and `si_status` of `waitid`.
    pub ended: [AtomicI32; 2],
    /// One more than the nanoseconds the program's first process was runnable and waited for a core; 0 where not known.
    pub run_delay: AtomicU64,
    /// Monotonic nanoseconds at which the program was executed, and at which it ended.
    pub times: [AtomicU64; 2],
    /// Whether all that the program started has ended and [`Self::usage`] is the whole of it.
    pub settled: AtomicI32,
    /// What they used, without the init: see [`super::raw::usage_of_children`].
    pub usage: [AtomicU64; super::raw::USAGE],
}

/// Steps that can fail, by number.
pub const STEPS: [&str; 10] = [
    "the file system",
    "the private directories",
    "the devices",
    "the given directories",
    "the working directory",
    "limits",
    "privileges",
    "the system-call filter",
    "execution",
    "a network of its own (--net does without)",
];

/// Numbers of [`STEPS`].
pub mod step {
    pub const FILES: i32 = 0;
    pub const PRIVATE: i32 = 1;
    pub const DEVICES: i32 = 2;
    pub const GIVEN: i32 = 3;
    pub const DIRECTORY: i32 = 4;
    pub const LIMITS: i32 = 5;
    pub const PRIVILEGES: i32 = 6;
    pub const FILTER: i32 = 7;
    pub const EXECUTION: i32 = 8;
    pub const NETWORK: i32 = 9;
}

/// The mapped page, of a file in memory.
#[derive(Debug)]
pub struct Shared {
    words: *mut Words,
    file: OwnedFd,
}

// SAFETY: the words are atomic; the mapping lives as long as this value.
#[expect(unsafe_code, reason = "a raw pointer to shared memory")]
unsafe impl Send for Shared {}

impl Shared {
    /// A new one, all of it zero.
    pub fn new() -> io::Result<Self> {
        let file = memfd_create("forewarm", MemfdFlags::CLOEXEC)?;
        ftruncate(&file, size_of::<Words>() as u64)?;
        Self::of(file)
    }

    /// The one of another process, by its file.
    #[expect(unsafe_code, reason = "mmap is unsafe by nature")]
    pub fn of(file: OwnedFd) -> io::Result<Self> {
        let flags = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping at an address of the system's choice overlaps nothing; the file was filled with zeros, which
        // is a value of every field, and is only written as what it is.
        let words = unsafe { mmap(std::ptr::null_mut(), size_of::<Words>(), flags, MapFlags::SHARED, &file, 0) }?;
        Ok(Self { words: words.cast(), file })
    }

    /// Its file.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    #[expect(unsafe_code, reason = "a raw pointer to shared memory")]
    pub fn words(&self) -> &Words {
        // SAFETY: mapped until dropped, aligned to a page, initialised, and all fields are atomic.
        unsafe { &*self.words }
    }
}

impl Drop for Shared {
    #[expect(unsafe_code, reason = "munmap is unsafe by nature")]
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and no reference to it outlives this value.
        let _ = unsafe { munmap(self.words.cast(), size_of::<Words>()) };
    }
}
