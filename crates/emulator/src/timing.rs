//! Runs timed on the very code that a real run has, in a process of their own.
//!
//! Code that looks now and then whether it is to end is other code: on fifteen programs of `corpus/scalable` it took 0.95 to 2.04 times
//! as long, and nothing told beforehand how much (docs/prediction.md). Code that does not look can only be ended with its process.
//! What is compiled for it is kept as the program's artifact, so that a run on the same tier need not compile it again.
//!
//! A [`Timer`] starts that process and gives it orders, a line of JSON each; [`serve`] is what it does. Called by the orchestrator.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use forewarm_executor::lease::CodeSource;
use forewarm_executor::wasm::{EngineSettings, Tried};
use forewarm_executor::{Directory, Executor, Invocation};
use forewarm_sandbox::clock::{RealClock, process_cpu_of};
use forewarm_types::host::Clock;
use forewarm_types::plan::{Trial, TrialLimits};
use forewarm_types::{Bytes, CodeKind, Digest, IsaLevel, Seconds, Tier};
use serde::{Deserialize, Serialize};

use crate::EmulateError;
use crate::sharing::Core;
use crate::trial::{confined, stopped};

/// What ends a run that has used up its CPU time, which is no failure.
pub const CPU_BUDGET: &str = "CPU budget";

/// For how long runs wait in all for a core that no other thread shares: half of what leaves a train of thought unbroken. A choice.
const PATIENCE: Seconds = Seconds(0.5);

/// Between two looks at what a run has used.
const LOOK: Duration = Duration::from_millis(1);

/// What to run, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    digest: Digest,
    kind: CodeKind,
    tier: Tier,
    threads: u32,
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    directories: Vec<Directory>,
    invoke: Option<String>,
    max_memory: Option<Bytes>,
    limits: TrialLimits,
    /// The ratio of a core that no other thread shares ([`crate::sharing`]), where it is known.
    unshared_ratio: Option<f64>,
    /// For how long it may wait to be alone.
    patience: Seconds,
}

/// What comes back of an order, with what the process has used by then: that the code is there and the run begins, having waited for so
/// long, and how that went; or the latter alone, where there is no code.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Answer {
    Begun { used: Seconds, waited: Seconds },
    Ended(Seconds, Box<Ended>),
}

/// How a run went.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ended {
    trial: Trial,
    core_was_shared: bool,
}

impl Ended {
    fn stopped(why: &str) -> Self {
        Self { trial: stopped(why), core_was_shared: false }
    }
}

/// A run on a tier's own code.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed {
    /// The run; its operators are not counted, and its CPU time as a whole is without what it took to get its code.
    pub trial: Trial,
    /// CPU seconds that getting the code took: reading it from its artifact, or compiling it and keeping it as one.
    pub warming_cpu_seconds: f64,
    /// Whether another thread shared the core when it ended, so that it may have taken up to twice as long for that.
    pub core_was_shared: bool,
}

/// Times runs of one program in a process of their own, started for the first.
pub struct Timer {
    command: PathBuf,
    file: PathBuf,
    threads: u32,
    unshared_ratio: Option<f64>,
    patience: Seconds,
    serving: Option<Serving>,
}

/// The process, and what it has used so far.
struct Serving {
    child: Child,
    orders: ChildStdin,
    answers: Receiver<String>,
    used: Seconds,
}

impl Timer {
    /// Of the program in a file, by a program that is [`serve`] when it is called with `time FILE`; which compiles with so many
    /// threads. Where it is known what independent operators take over what dependent ones take on a core that no other thread shares, runs
    /// wait for such a moment, half a second in all at the most.
    #[must_use]
    pub fn new(command: PathBuf, file: PathBuf, threads: u32, unshared_ratio: Option<f64>) -> Self {
        Self { command, file, threads, unshared_ratio, patience: PATIENCE, serving: None }
    }

    /// Runs the program on a tier, until it ends or has used up its time, which is that of the run, not of getting its code. Where there is
    /// no code, or the process fails, the run has not ended, and says why.
    ///
    /// # Errors
    /// [`EmulateError::Timing`] where there is no process.
    pub fn time(
        &mut self,
        code: &dyn CodeSource,
        invocation: &Invocation,
        tier: Tier,
        limits: TrialLimits,
    ) -> Result<Timed, EmulateError> {
        let mut serving = match self.serving.take() {
            Some(serving) => serving,
            None => self.begin().map_err(|error| EmulateError::Timing(error.to_string()))?,
        };
        let Invocation { program, arguments, environment, directories, invoke, max_memory, .. } = invocation.clone();
        let (digest, kind, threads) = (code.digest(), code.kind(), self.threads);
        let order = Order {
            digest,
            kind,
            tier,
            threads,
            program,
            arguments,
            environment,
            directories,
            invoke,
            max_memory,
            limits,
            unshared_ratio: self.unshared_ratio,
            patience: self.patience,
        };
        let timed = serving.carry_out(&order, &mut self.patience);
        // What was ended is gone.
        if !serving.is_gone() {
            self.serving = Some(serving);
        }
        Ok(timed)
    }

    fn begin(&self) -> io::Result<Serving> {
        let mut command = Command::new(&self.command);
        command.arg("time").arg("--").arg(&self.file);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (Some(orders), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no streams"));
        };
        let (tell, answers) = mpsc::channel();
        let listen = move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { break };
                if tell.send(line).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().spawn(listen)?;
        Ok(Serving { child, orders, answers, used: Seconds(0.0) })
    }
}

impl Serving {
    fn carry_out(&mut self, order: &Order, patience: &mut Seconds) -> Timed {
        let mut warming_cpu_seconds = 0.0;
        let run = self.run(order, &mut warming_cpu_seconds, patience);
        let Ended { trial, core_was_shared } = run.unwrap_or_else(|why| {
            let seconds = self.end();
            let ended = Ended::stopped(&why);
            Ended { trial: Trial { run_cpu_seconds: seconds, cpu_seconds: seconds, ..ended.trial }, ..ended }
        });
        Timed { trial, warming_cpu_seconds, core_was_shared }
    }

    /// The run of an order; why the process is to be ended, where it is.
    fn run(&mut self, order: &Order, warming_cpu_seconds: &mut f64, patience: &mut Seconds) -> Result<Ended, String> {
        let line = serde_json::to_string(order).map_err(|error| error.to_string())?;
        writeln!(self.orders, "{line}").map_err(|error| error.to_string())?;
        // Compiling is what a run does too, and is not interrupted there either.
        let mut answer = self.answer(None)?;
        if let Answer::Begun { used, waited } = answer {
            *patience = Seconds((*patience - waited).0.max(0.0));
            *warming_cpu_seconds = self.spent(used);
            answer = self.answer(Some(order.limits))?;
        }
        match answer {
            Answer::Ended(used, mut ended) => {
                ended.trial.cpu_seconds = self.spent(used);
                Ok(*ended)
            }
            Answer::Begun { .. } => Err("it began twice".into()),
        }
    }

    /// The next answer; why there is none.
    fn answer(&mut self, limits: Option<TrialLimits>) -> Result<Answer, String> {
        let began = RealClock.monotonic();
        loop {
            match self.answers.recv_timeout(LOOK) {
                Ok(line) => return serde_json::from_str(&line).map_err(|error| error.to_string()),
                Err(RecvTimeoutError::Disconnected) => return Err("the process that times it ended".into()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let Some(limits) = limits else { continue };
            if (self.cpu() - self.used).0 >= limits.cpu_seconds {
                return Err(CPU_BUDGET.into());
            }
            // What waits ends by itself, a little later.
            if (RealClock.monotonic() - began).0 >= 2.0 * limits.wall_seconds {
                return Err("wall budget".into());
            }
        }
    }

    fn cpu(&self) -> Seconds {
        process_cpu_of(self.child.id()).unwrap_or(self.used)
    }

    /// CPU seconds used since this was last told.
    fn spent(&mut self, used: Seconds) -> f64 {
        let spent = used - std::mem::replace(&mut self.used, used);
        spent.0.max(0.0)
    }

    /// Ends the process; CPU seconds since [`Self::spent`] was last told.
    fn end(&mut self) -> f64 {
        let used = self.cpu();
        // It is there until it is waited for, whatever became of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.spent(used)
    }

    fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.end();
    }
}

/// Carries out orders until there are no more: the body of the process that a [`Timer`] starts. The program's code must be that of
/// the digest in each order; what says so is the artifact's name, or the caller's `open`.
///
/// # Errors
/// Where there is no one to answer to. What cannot be run is answered.
pub fn serve<C: CodeSource>(
    executor: &Executor,
    mut open: impl FnMut(Digest, CodeKind) -> Result<C, String>,
    orders: impl BufRead,
    mut answers: impl Write,
) -> io::Result<()> {
    let mut tell = |answer: &Answer| -> io::Result<()> {
        let line = serde_json::to_string(answer).map_err(io::Error::other)?;
        writeln!(answers, "{line}")?;
        answers.flush()
    };
    let mut warm: Vec<(EngineSettings, Tried)> = Vec::new();
    let mut core: Option<Core> = None;
    for line in orders.lines() {
        let order: Order = serde_json::from_str(&line?).map_err(io::Error::other)?;
        let settings =
            EngineSettings { tier: order.tier, isa: IsaLevel::Native, metered: false, threads: order.threads };
        if !warm.iter().any(|(made, _)| *made == settings) {
            let code = open(order.digest, order.kind).and_then(|mut code| {
                let made = executor.code(settings, &mut code);
                made.and_then(|(engine, compiled)| engine.tried(&compiled)).map_err(|error| error.to_string())
            });
            match code {
                Ok(tried) => warm.push((settings, tried)),
                Err(why) => {
                    tell(&Answer::Ended(RealClock.process_cpu(), Box::new(Ended::stopped(&why))))?;
                    continue;
                }
            }
        }
        let Some((_, tried)) = warm.iter().find(|(made, _)| *made == settings) else { continue };
        core = core.or_else(|| order.unshared_ratio.map(Core::new));
        // What looking at the core takes is the run's.
        let used = RealClock.process_cpu();
        let waited = core.as_mut().map_or(Seconds(0.0), |core| core.wait(order.patience));
        tell(&Answer::Begun { used, waited })?;
        let trial = tried.run(&invocation(&order), order.limits);
        let trial = trial.unwrap_or_else(|error| stopped(&error.to_string()));
        let core_was_shared = core.as_mut().is_some_and(Core::is_shared);
        tell(&Answer::Ended(RealClock.process_cpu(), Box::new(Ended { trial, core_was_shared })))?;
    }
    Ok(())
}

fn invocation(order: &Order) -> Invocation {
    let Order { program, arguments, environment, directories, invoke, max_memory, kind, .. } = order.clone();
    let given =
        Invocation { arguments, environment, directories, invoke, max_memory, ..Invocation::detached(&program) };
    confined(&given, kind)
}
