//! The word to execute: arguments, environment, streams and habits of the program of a place that may have been laid out
//! long before, handed to what waits in it.
//!
//! The supervisor packs it ([`pack`]) into a file in memory that the program-to-be maps and points into, since it must not
//! allocate ([`Told::receive`]). Whoever writes it is the supervisor itself, so that it is not checked.

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

use libc::{c_char, c_int};
use rustix::fs::{MemfdFlags, memfd_create};

use super::messages::send;
use super::{SpawnError, raw};

/// What a program is executed with.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// Arguments, the program's name first.
    pub arguments: &'a [OsString],
    /// The whole environment.
    pub environment: &'a [(OsString, OsString)],
    /// Standard streams, and a session of its own, in place of the caller's.
    pub streams: Option<[BorrowedFd<'a>; 3]>,
    /// Habits in place of the caller's.
    pub habits: Option<Habits>,
}

/// What a program inherits of who starts it beside limits: the mask of file modes, and the signals that are ignored (signal
/// 1 is the lowest bit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// The mask.
    pub umask: u32,
    /// The signals.
    pub ignored: u64,
}

impl Habits {
    /// Of this process: proc_pid_status(5).
    #[must_use]
    pub fn own() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Some(Self {
            umask: u32::from_str_radix(field("Umask:")?, 8).ok()?,
            ignored: u64::from_str_radix(field("SigIgn:")?, 16).ok()?,
        })
    }
}

/// What stands at the head of the word: plain numbers, as the other end lays them out.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Head {
    /// Bytes of the file in memory: pointers to arguments and, each list ended by a null, to the environment, as distances
    /// from its beginning; then the texts.
    length: u64,
    /// Pointers to arguments, the null included; pointers in all.
    pointers: [u64; 2],
    /// Whether habits follow, and they.
    habits: [u64; 3],
}

/// Bytes of a head.
const HEAD: usize = size_of::<Head>();

impl Head {
    fn bytes(self) -> Vec<u8> {
        let Self { length, pointers: [first, all], habits: [there, umask, ignored] } = self;
        [length, first, all, there, umask, ignored].into_iter().flat_map(u64::to_ne_bytes).collect()
    }
}

/// The head, and the file it speaks of.
fn pack(start: &Start<'_>) -> Result<(Head, File), SpawnError> {
    let ended = |what: &'static str, text: &OsStr| match text.as_bytes().contains(&0) {
        true => Err(SpawnError::ZeroByte(what)),
        false => Ok(()),
    };
    let (mut distances, mut texts) = (Vec::new(), Vec::new());
    for argument in start.arguments {
        ended("an argument", argument)?;
        distances.push(Some(texts.len()));
        texts.extend([argument.as_bytes(), b"\0"].concat());
    }
    distances.push(None);
    for (name, value) in start.environment {
        ended("the environment", name).and_then(|()| ended("the environment", value))?;
        distances.push(Some(texts.len()));
        texts.extend([name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat());
    }
    distances.push(None);
    let table = distances.len() * size_of::<u64>();
    let pointer = |distance: &Option<usize>| distance.map_or(0, |distance| (table + distance) as u64).to_ne_bytes();
    let mut whole: Vec<u8> = distances.iter().flat_map(pointer).collect();
    whole.extend(texts);
    let habits = start.habits.map_or([0; 3], |habits| [1, u64::from(habits.umask), habits.ignored]);
    let pointers = [start.arguments.len() as u64 + 1, distances.len() as u64];
    let failed = SpawnError::at("memory for its arguments");
    let mut file = File::from(memfd_create("forewarm", MemfdFlags::CLOEXEC).map_err(|error| failed(error.into()))?);
    file.write_all(&whole).map_err(failed)?;
    Ok((Head { length: whole.len() as u64, pointers, habits }, file))
}

/// Tells what waits at the other end of a socket. One that has gone is for who waits for its end to notice; where this fails
/// it has heard nothing.
pub fn tell(socket: BorrowedFd<'_>, start: &Start<'_>) -> Result<(), SpawnError> {
    let (head, file) = pack(start)?;
    let mut descriptors = vec![file.as_fd()];
    descriptors.extend(start.streams.into_iter().flatten());
    match send(socket, &head.bytes(), &descriptors) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {
            Err(SpawnError::at("telling it its arguments")(error))
        }
        _ => Ok(()),
    }
}

/// The word as it arrived: in the process that is to become the program, between fork and exec.
#[derive(Debug)]
pub struct Told {
    arguments: *const *const c_char,
    environment: *const *const c_char,
    habits: Option<Habits>,
    /// Standard streams that came along.
    streams: Option<[c_int; 3]>,
}

impl Told {
    /// Waits for the word; `None` where it never comes.
    ///
    /// # Errors
    /// Where it comes and cannot be taken whole, as under limits that leave no room for its descriptors or its texts.
    pub fn receive(socket: c_int) -> raw::Result<Option<Self>> {
        let mut head = Head::default();
        let Some([file, streams @ ..]) = raw::receive_word((&raw mut head).cast(), HEAD, socket)? else {
            return Ok(None);
        };
        let base = raw::map_private(file, head.length as usize)?;
        raw::close(file);
        let [first, all] = head.pointers;
        // SAFETY: the file holds as many pointers as its head says, and is mapped whole, to be written by this process.
        #[expect(unsafe_code, reason = "a mapping that is pointed into")]
        let (arguments, environment) = unsafe {
            for at in 0..all as usize {
                let pointer = base.add(at);
                if *pointer != 0 {
                    *pointer += base.addr() as u64;
                }
            }
            (base.cast_const().cast(), base.add(first as usize).cast_const().cast())
        };
        let [there, umask, ignored] = head.habits;
        let habits = (there == 1).then_some(Habits { umask: umask as u32, ignored });
        Ok(Some(Self { arguments, environment, habits, streams: (streams != [-1; 3]).then_some(streams) }))
    }

    /// Takes on the streams and habits that came.
    pub fn take_on(&self) {
        for (number, stream) in (0..).zip(self.streams.into_iter().flatten()) {
            raw::duplicate(stream, number);
        }
        if self.streams.is_some() {
            // Its caller's terminal is not its own.
            raw::lead_session();
        }
        if let Some(Habits { umask, ignored }) = self.habits {
            raw::set_umask(umask);
            for signal in 1..=u64::BITS.cast_signed() {
                raw::set_ignored(signal, ignored & (1 << (signal - 1)) != 0);
            }
        }
    }

    /// Executes a program so; returns only with an error.
    pub fn execute(&self, path: &CStr) -> raw::Errno {
        raw::execute(path, self.arguments, self.environment)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn lists_are_packed_with_their_nulls() {
        let arguments = ["a", "bc"].map(OsString::from);
        let environment = [("N".into(), "v".into())];
        let start = Start { arguments: &arguments, environment: &environment, streams: None, habits: None };
        let (head, file) = pack(&start).unwrap();
        assert_eq!((head.pointers, head.habits), ([3, 5], [0; 3]));
        let mut whole = vec![0; head.length as usize];
        file.read_exact_at(&mut whole, 0).unwrap();
        assert_eq!(whole[40..], *b"a\0bc\0N=v\0");
        let words: Vec<u64> = whole[..40].chunks(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect();
        assert_eq!(words, [40, 42, 0, 45, 0]);
        let zero = [OsString::from("a\0b")];
        assert!(matches!(pack(&Start { arguments: &zero, ..start }), Err(SpawnError::ZeroByte("an argument"))));
    }

    #[test]
    fn own_habits_are_read() {
        let habits = Habits::own().unwrap();
        let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        rustix::process::umask(mask);
        assert_eq!(habits.umask, mask.as_raw_mode());
        // The runtime of Rust ignores signal 13, `SIGPIPE`.
        assert_ne!(habits.ignored & 1 << 12, 0);
    }
}
