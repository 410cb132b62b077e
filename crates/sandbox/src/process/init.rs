//! The first process of the program's namespaces: it makes the network, lays out the file system, starts the program, passes signals on,
//! reaps orphans, and ends when the program does, which ends everything that is left in its namespaces.
//!
//! It stays in the process group of the supervisor and the program. Were it in another of the same session, that group
//! would never be orphaned, and a job stopped in the background would outlive its shell (POSIX.1-2024, `_exit`).
//!
//! Runs between fork and exec of a process that may have threads: system calls on prepared data, nothing else.

use std::cell::Cell;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use libc::{c_int, c_ulong};
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::program::Image;
use super::raw;
use super::shared::Words;
use super::start::Told;

/// All that init and program need, made before they are forked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Prepared {
    /// The file system to lay out; `None` without namespaces.
    pub layout: Option<Layout>,
    /// Whether there is a network of the program's own, whose loopback is to be raised.
    pub own_network: bool,
    /// What is executed, and how.
    pub image: Image,
    /// The stack of the program's steps before its execution.
    #[serde(skip, default = "stack")]
    pub stack: Box<[Cell<u8>]>,
    /// A socket on which the supervisor says go on, and a pipe by which it is told news.
    pub go: c_int,
    pub news: c_int,
    /// Where it is given a socket that listens on a port of the program's own loopback; negative for nowhere.
    pub door: c_int,
    pub port: u16,
}

/// News for the supervisor: the program waits to be executed; it has ended; it was stopped or continued.
pub const READY: u8 = b'r';
pub const ENDED: u8 = b'e';
pub const STOPPED: u8 = b's';

/// The name under which `ps` shows the init: at most 15 characters, prctl(2).
const NAME: &std::ffi::CStr = c"forewarm-init";

/// Becomes the init. Every signal must be blocked.
pub fn run(prepared: &Prepared, words: &Words) -> ! {
    // The supervisor's descriptors are nobody else's: not its files, and not its ends of these lines.
    raw::close_all_but([prepared.go, prepared.news, prepared.door]);
    let _ = raw::prctl(libc::PR_SET_NAME, NAME.as_ptr() as c_ulong, 0);
    // Without namespaces nothing ends with the init, so that it must be told in a way it can act upon.
    let last = if prepared.layout.is_some() { libc::SIGKILL } else { libc::SIGTERM };
    let _ = raw::prctl(libc::PR_SET_PDEATHSIG, last as c_ulong, 0);
    // What takes the kernel longest needs none of its users mapped, and is made while the supervisor maps them.
    let network = network(prepared);
    if raw::read_byte(prepared.go) != Ok(1) {
        raw::exit(0);
    }
    // The supervisor may have been killed before that took effect.
    if raw::hung_up(prepared.go) {
        raw::exit(0);
    }
    if let Err(error) = network {
        fail(words, super::shared::step::NETWORK, error);
    }
    // Orphans come to the init of a namespace anyhow; without one they come here by this.
    let _ = raw::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0);
    if let Some(layout) = &prepared.layout
        && let Err((step, error)) = layout.apply()
    {
        fail(words, step, error);
    }
    if prepared.layout.is_some() {
        // The program is born under its filter, and need not wait for the kernel to translate it.
        if let Err(error) = prepared.image.filters.enter() {
            fail(words, super::shared::step::FILTER, error);
        }
    }
    let program = match start(prepared, words) {
        Ok(program) => program,
        Err(error) => fail(words, super::shared::step::EXECUTION, error),
    };
    attend(prepared, words, program)
}

/// Gets the program a network of its own, where it is to have one, and the supervisor a socket in it, where it wants that.
fn network(prepared: &Prepared) -> raw::Result<()> {
    let made = if prepared.own_network { raw::leave_network() } else { Ok(()) };
    if prepared.own_network && made.is_ok() {
        // Without it a program has no network at all, which is an error only it can judge.
        let _ = raw::raise_loopback();
        offer(prepared);
    }
    if prepared.door >= 0 {
        // It ends here, so that who waits for it learns when there is none.
        raw::close(prepared.door);
    }
    made
}

/// Gives the supervisor a socket in the program's network. Without it the supervisor finds the door closed, and judges.
fn offer(prepared: &Prepared) {
    if prepared.door >= 0
        && let Ok(socket) = raw::listen(prepared.port)
    {
        let _ = raw::send_descriptor(prepared.door, socket);
        raw::close(socket);
    }
}

/// Says that the program waits, and waits for the word to execute it; `None` where it never comes.
fn told(prepared: &Prepared) -> raw::Result<Option<Told>> {
    raw::write_byte(prepared.news, READY);
    Told::receive(prepared.go)
}

/// What the program's first steps are given.
struct Start<'a>(&'a Prepared, &'a Words);

extern "C" fn become_program(start: *mut libc::c_void) -> c_int {
    // SAFETY: given by `start` below, which waits while this is used.
    #[expect(unsafe_code, reason = "an argument passed through the C library")]
    let Start(prepared, words) = unsafe { &*start.cast::<Start<'_>>() };
    prepared.image.execute(words, || told(prepared))
}

/// Bytes of stack for the steps before the execution: they keep a set of cores and a few small structures.
const STACK: usize = 64 << 10;

/// Such a stack.
pub fn stack() -> Box<[Cell<u8>]> {
    vec![Cell::new(0); STACK].into_boxed_slice()
}

#[expect(unsafe_code, reason = "a child that shares this memory")]
fn start(prepared: &Prepared, words: &Words) -> raw::Result<i32> {
    let mut start = Start(prepared, words);
    let top = prepared.stack.as_ptr().cast::<u8>().cast_mut();
    // SAFETY: `execute` never returns and only reads what is prepared; nothing else uses the stack, whose end a page's
    // alignment keeps aligned.
    unsafe {
        let top = top.add(STACK & !15).map_addr(|address| address & !15);
        raw::spawn_sharing(become_program, top.cast(), (&raw mut start).cast())
    }
}

fn fail(words: &Words, step: i32, error: raw::Errno) -> ! {
    words.step.store(step, Relaxed);
    words.error.store(error, Release);
    raw::exit(127)
}

/// The second number of a line; `None` where there is none.
fn second_number(text: &[u8]) -> Option<u64> {
    let digits = text.split(|byte| *byte == b' ').nth(1)?;
    let number = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |number: u64, byte| number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')));
    Some(number)
}

/// The program as its init knows it.
#[derive(Clone, Copy)]
struct Started {
    pid: i32,
    /// What the scheduler counts of it, open; `None` where the system does not say.
    counts: Option<c_int>,
}

/// What the scheduler counts of the program: proc_pid_schedstat. Found by way of this process' children, whose first it is:
/// where the host's `/proc` stays, numbers there are not those of this namespace.
fn counts() -> Option<c_int> {
    let (mut children, mut path) = ([0_u8; 64], [0_u8; 64]);
    let length = raw::read_file(c"/proc/thread-self/children", &mut children);
    let digits = children.get(..length)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let parts = [&b"/proc/"[..], children.get(..digits)?, b"/schedstat\0"];
    let mut free = path.iter_mut();
    for byte in parts.into_iter().flatten() {
        *free.next()? = *byte;
    }
    let path = std::ffi::CStr::from_bytes_until_nul(&path).ok()?;
    if digits == 0 { None } else { raw::open_to_read(path) }
}

fn attend(prepared: &Prepared, words: &Words, pid: i32) -> ! {
    let all = raw::full_set();
    let program = Started { pid, counts: counts() };
    loop {
        while let Some(change) = raw::next_change() {
            take(prepared, words, program, change);
        }
        let (signal, passed) = raw::wait_signal(&all);
        if prepared.layout.is_none() && (words.end.load(Acquire) == 1 || raw::hung_up(prepared.go)) {
            raw::end_children();
            raw::exit(0)
        }
        // What came to the whole process group has reached the program already; and what the program itself sends here is
        // not for it.
        if signal > 0 && passed {
            raw::kill(pid, signal);
        }
    }
}

/// Takes note of a child that ended, stopped or continued.
fn take(prepared: &Prepared, words: &Words, program: Started, change: raw::Change) {
    let ended = matches!(change.code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED);
    if change.pid != program.pid {
        return raw::consume(change.pid, ended);
    }
    if !ended {
        raw::consume(program.pid, false);
        let stopped = matches!(change.code, libc::CLD_STOPPED | libc::CLD_TRAPPED);
        words.stopped.store(if stopped { change.status } else { 0 }, Release);
        return raw::write_byte(prepared.news, STOPPED);
    }
    words.times[1].store(raw::now(), Relaxed);
    let mut text = [0_u8; 64];
    let length = program.counts.map_or(0, |counts| raw::read_once(counts, &mut text));
    let delay = second_number(text.get(..length).unwrap_or_default());
    words.run_delay.store(delay.map_or(0, |delay| delay.saturating_add(1)), Relaxed);
    raw::consume(program.pid, true);
    if prepared.layout.is_some() {
        raw::end_namespace();
    } else {
        raw::end_children();
    }
    for (word, number) in words.usage.iter().zip(raw::usage_of_children()) {
        word.store(number, Relaxed);
    }
    words.ended[1].store(change.status, Relaxed);
    words.ended[0].store(change.code, Relaxed);
    words.settled.store(1, Release);
    raw::write_byte(prepared.news, ENDED);
    if (change.code, change.status) != (libc::CLD_EXITED, 0) {
        // The supervisor looks at what it was denied, which is gone with its namespaces; then it lets go.
        let _ = raw::read_byte(prepared.go);
    }
    raw::exit(0)
}
