//! System calls as they are, for use between fork and exec: no allocation, no locks; the error is a number.
#![expect(unsafe_code, reason = "system calls without safe wrappers that may be used after fork")]

mod descriptors;
mod files;
mod network;
mod processes;
mod signals;

use std::ffi::CStr;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Acquire;

use libc::{c_char, c_int, c_long, c_uint, c_ulong};

pub use descriptors::*;
pub use files::*;
pub use network::*;
pub use processes::*;
pub use signals::*;

/// The system's error number.
pub type Errno = i32;

/// A call's result: what it returned, or the error's number.
pub type Result<T> = std::result::Result<T, Errno>;

pub fn errno() -> Errno {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn check(result: c_long) -> Result<c_long> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

/// `struct clone_args` of the first version that has `cgroup` (88 bytes): Linux include/uapi/linux/sched.h.
#[repr(C)]
#[derive(Default)]
pub struct CloneArguments {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}

/// Forks as told; 0 in the child.
///
/// # Safety
/// As for `fork`: the child of a process with threads may only make calls that are safe in signal handlers.
pub unsafe fn clone3(arguments: &CloneArguments) -> Result<i32> {
    // SAFETY: the structure is live and of the size given; without a stack the child goes on with a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const *arguments, size_of::<CloneArguments>()) };
    check(pid).map(|pid| pid as i32)
}

/// Ends the process without handlers.
pub fn exit(code: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}

/// A `prctl` of whole numbers.
pub fn prctl(option: c_int, first: c_ulong, second: c_ulong) -> Result<c_int> {
    // SAFETY: the options used here take numbers only.
    let result = unsafe { libc::prctl(option, first, second, 0, 0) };
    check(c_long::from(result)).map(|value| value as c_int)
}

/// Starts a child in the caller's memory, on a stack of its own, and waits until it has executed a program or ended: no
/// page is copied, and none need be given back.
///
/// As `vfork`, but that the caller waits asleep as any process does: one suspended by `vfork` cannot be stopped, and counts
/// as working in the load average for as long as the child takes.
///
/// # Safety
/// The caller must have one thread. `body` must end in `execve` or `_exit`, and must leave the caller's memory whole;
/// `argument` must be what it expects, and `stack_top` the aligned end of a writable block large enough for it.
pub unsafe fn spawn_sharing(
    body: extern "C" fn(*mut libc::c_void) -> c_int,
    stack_top: *mut libc::c_void,
    argument: *mut libc::c_void,
) -> Result<i32> {
    // The kernel sets it to zero, and wakes who waits for that, when the child leaves this memory: clone(2),
    // `CLONE_CHILD_CLEARTID`.
    let sharing = AtomicU32::new(1);
    let flags = libc::CLONE_VM | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    let (parent_number, own_storage) = (std::ptr::null_mut::<c_int>(), std::ptr::null_mut::<libc::c_void>());
    // SAFETY: as the caller promises. While the child uses this memory the caller only makes the system call below, and the
    // C library writes its error number once that returns, which it does when the child has gone.
    let pid = unsafe {
        libc::clone(body, stack_top, flags, argument, parent_number, own_storage, sharing.as_ptr().cast::<c_int>())
    };
    let pid = check(c_long::from(pid))?;
    while sharing.load(Acquire) != 0 {
        // SAFETY: the word is live; without a time limit the call returns when it is no longer 1, or is woken.
        unsafe {
            let forever = std::ptr::null::<libc::timespec>();
            libc::syscall(libc::SYS_futex, sharing.as_ptr(), libc::FUTEX_WAIT, 1 as c_uint, forever)
        };
    }
    Ok(pid as i32)
}

/// Monotonic nanoseconds.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is live and ours to write.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// Executes a program; returns only with an error. Both are lists of live strings, each ended by a null pointer.
pub fn execute(path: &CStr, arguments: *const *const c_char, environment: *const *const c_char) -> Errno {
    // SAFETY: as said; the system copies what it finds there, and refuses what is not this process'.
    unsafe { libc::execve(path.as_ptr(), arguments, environment) };
    errno()
}
