//! Signals and their masks.

use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{c_int, c_long, c_uint};

pub fn kill(pid: i32, signal: c_int) {
    // SAFETY: sends a signal; a process that has gone needs none.
    unsafe { libc::kill(pid, signal) };
}

/// Sets the calling thread's mask of blocked signals; returns the one before.
pub fn set_mask(mask: &libc::sigset_t) -> libc::sigset_t {
    let mut before = empty_set();
    // SAFETY: both sets are live.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const *mask, &raw mut before) };
    before
}

pub fn empty_set() -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the call initialises the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

/// The signals of a set as bits, signal 1 the lowest.
pub fn bits_of(set: &libc::sigset_t) -> u64 {
    let signals = 1..=u64::BITS.cast_signed();
    // SAFETY: the set is live; a number that is no signal is in none.
    let blocked = signals.filter(|signal| unsafe { libc::sigismember(&raw const *set, *signal) } == 1);
    blocked.fold(0, |bits, signal| bits | 1 << (signal - 1))
}

/// The set of such bits.
pub fn set_of(bits: u64) -> libc::sigset_t {
    let mut set = empty_set();
    for signal in (1..=u64::BITS.cast_signed()).filter(|signal| bits & (1 << (signal - 1)) != 0) {
        // SAFETY: the set is live.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    set
}

pub fn full_set() -> libc::sigset_t {
    let mut set = empty_set();
    // SAFETY: the set is live.
    unsafe { libc::sigfillset(&raw mut set) };
    set
}

/// What marks a signal as passed on, among those that came to the whole process group.
const PASSED: u64 = 0x666f_7265;

/// `siginfo_t` of a signal queued with a value: Linux include/uapi/asm-generic/siginfo.h, `_rt`.
#[repr(C)]
struct Queued {
    signal: c_int,
    error: c_int,
    code: c_int,
    _between: c_int,
    pid: libc::pid_t,
    uid: libc::uid_t,
    value: u64,
    _rest: [u64; 12],
}

const _: () = assert!(size_of::<Queued>() == size_of::<libc::siginfo_t>());

/// Sends a signal to a process by its handle, marked as one to be passed on: see [`wait_signal`].
pub fn pass_signal(handle: BorrowedFd<'_>, signal: c_int) {
    let code = libc::SI_QUEUE;
    let queued = Queued { signal, error: 0, code, _between: 0, pid: 0, uid: 0, value: PASSED, _rest: [0; 12] };
    // SAFETY: the structure is live and of the system's layout; a process that has gone needs no signal.
    unsafe {
        let handle = c_long::from(handle.as_raw_fd());
        libc::syscall(libc::SYS_pidfd_send_signal, handle, c_long::from(signal), &raw const queued, 0 as c_uint)
    };
}

/// Waits for one of the signals; says whether it was to be passed on ([`pass_signal`]), by a process outside this one's
/// namespace where it has one.
pub fn wait_signal(set: &libc::sigset_t) -> (c_int, bool) {
    // SAFETY: both are live; the fields read are those of a queued signal.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let signal = libc::sigwaitinfo(&raw const *set, &raw mut info);
        let alone = libc::getpid() != 1;
        let marked = info.si_code == libc::SI_QUEUE && info.si_value().sival_ptr.addr() as u64 == PASSED;
        (signal, marked && (alone || info.si_pid() == 0))
    }
}

/// Has a signal ignored, or gives it its default action; does nothing where the signal cannot be given another.
pub fn set_ignored(signal: c_int, ignored: bool) {
    // The system's own call, since the C library's knows nothing of the signals it keeps for itself. Handler, flags,
    // restorer and mask: Linux include/linux/signal_types.h, `struct sigaction`.
    let action = [if ignored { libc::SIG_IGN } else { libc::SIG_DFL }, 0, 0, 0];
    let mask = size_of::<u64>();
    // SAFETY: the structure is live, and neither action needs a handler; nothing is written back.
    unsafe {
        libc::syscall(libc::SYS_rt_sigaction, c_long::from(signal), action.as_ptr(), std::ptr::null::<u8>(), mask)
    };
}

/// Gives a signal its default action.
pub fn default_action(signal: c_int) {
    // SAFETY: the default action needs no handler.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}
