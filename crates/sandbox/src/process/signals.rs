//! Signals to the supervisor, relayed to the program: through a pipe, from handlers that may run in any thread.
#![expect(unsafe_code, reason = "signal handlers have no safe wrapper among the dependencies")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use libc::c_int;
use rustix::pipe::{PipeFlags, pipe_with};

/// Signals a person or a service manager sends a program.
const RELAYED: [c_int; 10] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGCONT,
    libc::SIGTSTP,
    libc::SIGALRM,
    libc::SIGWINCH,
];

/// The writing end of the relay in force, or -1.
static PIPE: AtomicI32 = AtomicI32::new(-1);

/// Whether what the terminal sends is relayed too.
static TERMINAL: AtomicBool = AtomicBool::new(false);

/// Set in a relayed byte for a signal that the terminal sent.
const FROM_TERMINAL: u8 = 0x80;

/// Handlers in force, until dropped.
#[derive(Debug)]
pub struct Relay {
    reader: OwnedFd,
    _writer: OwnedFd,
    before: Vec<(c_int, libc::sigaction)>,
}

extern "C" fn relay(signal: c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the system gives a live structure. What the terminal sends (`SI_KERNEL`) goes to the whole process group,
    // and so has reached the program already.
    let from_terminal = unsafe { (*info).si_code } == libc::SI_KERNEL;
    if from_terminal && !TERMINAL.load(Ordering::Acquire) {
        return;
    }
    let mark = if from_terminal { FROM_TERMINAL } else { 0 };
    // SAFETY: a byte is written to a pipe that does not block; the interrupted code's error number is put back.
    unsafe {
        let error = *libc::__errno_location();
        super::raw::write_byte(PIPE.load(Ordering::Acquire), signal as u8 | mark);
        *libc::__errno_location() = error;
    }
}

impl Relay {
    /// Puts the handlers in force, but for signals that are being ignored: those the program ignores as well.
    pub fn start() -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        PIPE.store(writer.as_raw_fd(), Ordering::Release);
        let before = RELAYED.into_iter().filter_map(|signal| Some((signal, handle(signal)?))).collect();
        Ok(Self { reader, _writer: writer, before })
    }

    /// The same for a program outside this process' group, which the terminal's signals do not reach by themselves.
    pub fn start_with_terminal() -> io::Result<Self> {
        TERMINAL.store(true, Ordering::Release);
        Self::start()
    }

    /// Where signals can be waited for.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// The next signal to pass on.
    pub fn next(&self) -> Option<c_int> {
        let mut byte = [0_u8];
        (rustix::io::read(&self.reader, &mut byte) == Ok(1)).then(|| c_int::from(byte[0] & !FROM_TERMINAL))
    }

    /// The next signal, and whether the terminal sent it to the whole process group.
    pub fn next_marked(&self) -> Option<(c_int, bool)> {
        let mut byte = [0_u8];
        let read = rustix::io::read(&self.reader, &mut byte) == Ok(1);
        read.then(|| (c_int::from(byte[0] & !FROM_TERMINAL), byte[0] & FROM_TERMINAL != 0))
    }
}

/// Installs the handler; returns what was there, or `None` where the signal is being ignored or has a handler already.
fn handle(signal: c_int) -> Option<libc::sigaction> {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: both structures are live; the handler takes what `SA_SIGINFO` gives and only makes calls that are safe in
    // handlers.
    unsafe {
        if libc::sigaction(signal, std::ptr::null(), before.as_mut_ptr()) != 0 {
            return None;
        }
        let before = before.assume_init();
        if before.sa_sigaction != libc::SIG_DFL {
            return None;
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = relay as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        (libc::sigaction(signal, &raw const action, std::ptr::null_mut()) == 0).then_some(before)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for (signal, before) in &self.before {
            // SAFETY: the structure is what the system said before.
            unsafe { libc::sigaction(*signal, &raw const *before, std::ptr::null_mut()) };
        }
        PIPE.store(-1, Ordering::Release);
        TERMINAL.store(false, Ordering::Release);
    }
}

/// Stops this process as its program was stopped, so that the shell it was started from has the terminal back and says
/// what the program would have had it say.
pub fn stop_self(signal: c_int) {
    let own = std::process::id().cast_signed();
    if ![libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(&signal) {
        return super::raw::kill(own, libc::SIGSTOP);
    }
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the structures are live; the default action needs no handler, and what was there is put back.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(signal, &raw const action, before.as_mut_ptr());
        super::raw::kill(own, signal);
        libc::sigaction(signal, before.as_ptr(), std::ptr::null_mut());
    }
}

/// The terminal this process is in the foreground of, to be taken back when a program leaves another group there.
#[derive(Debug)]
pub struct Foreground {
    terminal: OwnedFd,
}

impl Foreground {
    /// `None` where there is no terminal, or it is another's.
    pub fn held() -> Option<Self> {
        let stream = (0..3).find(|stream| {
            // SAFETY: asks about a number.
            unsafe { libc::isatty(*stream) == 1 }
        })?;
        // SAFETY: the standard streams stay open while this is asked.
        let terminal = unsafe { BorrowedFd::borrow_raw(stream) }.try_clone_to_owned().ok()?;
        let group = rustix::termios::tcgetpgrp(&terminal).ok()?;
        (group == rustix::process::getpgrp()).then_some(Self { terminal })
    }

    /// Takes the terminal back.
    pub fn restore(&self) {
        let own = rustix::process::getpgrp();
        if rustix::termios::tcgetpgrp(&self.terminal).is_ok_and(|group| group == own) {
            return;
        }
        // Who is not in the foreground is stopped for this, unless the signal is blocked.
        let before = super::raw::set_mask(&super::raw::full_set());
        let _ = rustix::termios::tcsetpgrp(&self.terminal, own);
        super::raw::set_mask(&before);
    }
}
