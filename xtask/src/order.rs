//! `order`: which functions of the binary a run goes through, in the order in which it first does, written where the
//! linker is told to put them side by side.
//!
//! A short run executes some thousands of the binary's sixty thousand functions. Left to itself the linker scatters
//! them, so that most of 22 MB of code is mapped at the first touch of something near it, and unmapped again at the end.
//! The list is found with a breakpoint on every function, taken away when it is first hit (ptrace(2)), so that a run is
//! hardly slowed; `crates/forewarm/build.rs` hands it to the linker. Names that no longer occur are passed over, so that
//! a stale list costs only what it was to gain.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::corpus;
use crate::process::{Outcome, While, failure, root};

/// Where the list lies.
const LIST: &str = "crates/forewarm/order/x86_64-unknown-linux-gnu.txt";

/// Runs followed that find everything standing: threads come and go a little differently each time.
const KNOWN_RUNS: usize = 3;

/// What to follow.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The binary, built as it is used (`cargo build --release -p forewarm`).
    #[arg(long, default_value = "target/release/forewarm")]
    binary: PathBuf,
}

/// Follows runs of a small program, and writes the list.
///
/// # Errors
/// The binary cannot be read or traced.
pub fn run(arguments: &Arguments) -> Outcome {
    let (corpus, _) = corpus::prepare()?;
    let binary = root().join(&arguments.binary);
    let functions = Functions::of(&binary)?;
    let state = tempfile::tempdir().doing("making a folder for state")?;
    let follow =
        |options: &[&str]| Tracer::start(&binary, options, &corpus.wasm("hello"), state.path())?.follow(&functions);
    let first = follow(&[])?;
    let mut order = Vec::new();
    // What every run goes through comes first, then what only those do that compile.
    for _ in 0..KNOWN_RUNS {
        add(&mut order, follow(&[])?);
    }
    add(&mut order, first);
    add(&mut order, follow(&["--tier", "cranelift"])?);
    let list = root().join(LIST);
    if let Some(folder) = list.parent() {
        fs::create_dir_all(folder).doing("making the list's folder")?;
    }
    let mut text = order.join("\n");
    text.push('\n');
    fs::write(&list, text).doing("writing the list")?;
    println!("{} of {} functions, in {LIST}", order.len(), functions.0.len());
    Ok(())
}

/// The functions of a binary by rising address, as offsets from where it is loaded.
struct Functions(Vec<(u64, String)>);

impl Functions {
    /// Reads the symbol table by `nm`, which comes with the linker.
    fn of(binary: &Path) -> Outcome<Self> {
        let output = Command::new("nm").arg("-n").arg(binary).output().doing("starting nm")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut functions = Vec::new();
        for line in text.lines() {
            let mut fields = line.split_ascii_whitespace();
            if let (Some(address), Some("t" | "T"), Some(name)) = (fields.next(), fields.next(), fields.next()) {
                functions.push((u64::from_str_radix(address, 16).doing("reading nm's output")?, name.to_owned()));
            }
        }
        if functions.is_empty() {
            return Err(failure(format!("{} has no symbols: was it stripped?", binary.display())));
        }
        Ok(Self(functions))
    }

    /// The names at an address.
    fn at(&self, offset: u64) -> impl Iterator<Item = &str> {
        let begin = self.0.partition_point(|function| function.0 < offset);
        self.0[begin..].iter().take_while(move |function| function.0 == offset).map(|function| function.1.as_str())
    }
}

/// Adds the names that are new.
fn add(order: &mut Vec<String>, names: Vec<String>) {
    let known: std::collections::HashSet<String> = order.iter().cloned().collect();
    order.extend(names.into_iter().filter(|name| !known.contains(name)));
}

/// The breakpoint instruction of x86, `int3`.
const BREAKPOINT: u8 = 0xcc;

/// A run being followed.
struct Tracer {
    child: Child,
    main: Pid,
    /// Where the binary's code lies, and where the binary.
    code: std::ops::Range<u64>,
    base: u64,
    /// The run's memory, and the code as it was.
    memory: File,
    original: Vec<u8>,
}

impl Tracer {
    /// Starts a run and stops it before its first instruction.
    fn start(binary: &Path, options: &[&str], program: &Path, state: &Path) -> Outcome<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "kill -STOP $$; exec \"$@\"", "sh"]).arg(binary);
        command.args(["run", "--no-prepare"]).args(options).arg(program);
        for variable in ["XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"] {
            command.env(variable, state);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().doing("starting the run")?;
        let main = Pid::from_raw(i32::try_from(child.id()).doing("reading the process's number")?);
        waitpid(main, Some(WaitPidFlag::WUNTRACED)).doing("waiting for the run to stop")?;
        let options = Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
        ptrace::seize(main, options).doing("tracing the run (is ptrace allowed here?)")?;
        kill(main, Signal::SIGCONT).doing("continuing the run")?;
        loop {
            match waitpid(main, None).doing("waiting for the run to begin")? {
                WaitStatus::PtraceEvent(_, _, event) if event == ptrace::Event::PTRACE_EVENT_EXEC as i32 => break,
                WaitStatus::Exited(..) | WaitStatus::Signaled(..) => return Err(failure("the run did not begin")),
                _ => ptrace::cont(main, None).doing("continuing the run")?,
            }
        }
        let (base, code) = mapping(main, binary)?;
        let memory = File::options().read(true).write(true).open(format!("/proc/{main}/mem"));
        let memory = memory.doing("opening the run's memory")?;
        let mut original = vec![0; usize::try_from(code.end - code.start).doing("measuring the code")?];
        memory.read_exact_at(&mut original, code.start).doing("reading the run's code")?;
        Ok(Self { child, main, code, base, memory, original })
    }

    /// Follows every thread to its end; returns the functions entered, in order.
    fn follow(mut self, functions: &Functions) -> Outcome<Vec<String>> {
        let mut broken = self.original.clone();
        for (offset, _) in &functions.0 {
            if let Some(place) = self.place(self.base + offset) {
                broken[place] = BREAKPOINT;
            }
        }
        self.memory.write_all_at(&broken, self.code.start).doing("setting breakpoints")?;
        let mut order = Vec::new();
        ptrace::cont(self.main, None).doing("continuing the run")?;
        loop {
            let status = waitpid(None, Some(WaitPidFlag::__WALL)).doing("waiting for a breakpoint")?;
            let (thread, signal) = match status {
                WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) if pid == self.main => break,
                WaitStatus::Stopped(thread, Signal::SIGTRAP) => {
                    self.pass(thread, functions, &mut broken, &mut order)?;
                    (thread, None)
                }
                WaitStatus::PtraceEvent(thread, ..) => (thread, None),
                WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
                _ => continue,
            };
            // A thread that has just been ended by the others is no longer there to be continued.
            let _ = ptrace::cont(thread, signal);
        }
        let _ = self.child.wait();
        Ok(order)
    }

    /// Takes the breakpoint away that a thread has hit, and sends the thread on from there.
    fn pass(&self, thread: Pid, functions: &Functions, broken: &mut [u8], order: &mut Vec<String>) -> Outcome {
        let mut registers = ptrace::getregs(thread).doing("reading registers")?;
        let address = registers.rip - 1;
        let Some(place) = self.place(address) else { return Ok(()) };
        if broken[place] == BREAKPOINT {
            broken[place] = self.original[place];
            self.memory.write_all_at(&self.original[place..=place], address).doing("taking a breakpoint away")?;
            order.extend(functions.at(address - self.base).map(str::to_owned));
        }
        registers.rip = address;
        ptrace::setregs(thread, registers).doing("writing registers")
    }

    /// An address's place in the code.
    fn place(&self, address: u64) -> Option<usize> {
        self.code.contains(&address).then(|| usize::try_from(address - self.code.start).ok()).flatten()
    }
}

/// Where a binary was loaded, and the part of it that is executable.
fn mapping(process: Pid, binary: &Path) -> Outcome<(u64, std::ops::Range<u64>)> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).doing("reading the run's memory map")?;
    // A binary of a fixed address (`ET_EXEC`: elf(5)) names addresses, any other offsets.
    let head = fs::read(binary).doing("reading the binary")?;
    let fixed = head.get(16..18) == Some(&[2, 0][..]);
    let binary = binary.to_string_lossy();
    let mut base = fixed.then_some(0);
    for line in maps.lines().filter(|line| line.ends_with(&*binary)) {
        let mut fields = line.split_ascii_whitespace();
        let Some((from, to)) = fields.next().and_then(|range| range.split_once('-')) else { continue };
        let address = |text: &str| u64::from_str_radix(text, 16).doing("reading the run's memory map");
        let from = address(from)?;
        let base = *base.get_or_insert(from);
        if fields.next().is_some_and(|rights| rights.contains('x')) {
            return Ok((base, from..address(to)?));
        }
    }
    Err(failure("the binary's code is not in the run's memory map"))
}
