//! What really happened: the measured side of every prediction.

use serde::{Deserialize, Serialize};

use crate::code::Digest;
use crate::estimate::Estimate;
use crate::invocation::Features;
use crate::ladder::Step;
use crate::units::Bytes;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExitCause {
    /// The program ended itself; `code` is its own.
    Exited,
    /// A WebAssembly trap.
    Trap,
    /// The time limit.
    Timeout,
    /// The memory limit.
    Memory,
    /// The limit on CPU time.
    CpuTime,
    /// The limit on the size of a file.
    FileSize,
    /// A signal that no limit caused ended the process.
    Signal,
    /// A signal, such as Ctrl-C.
    Interrupted,
}

/// How a run ended: the `observation.exit` object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Why.
    pub cause: ExitCause,
    /// The exit code the process ends with.
    pub code: i32,
    /// The signal, where one ended it.
    pub signal: Option<i32>,
    /// The engine's words on a trap, else `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Exit {
    /// Whether the run was cut short, so that its time and memory are lower bounds.
    #[must_use]
    pub fn censored(&self) -> bool {
        use ExitCause::{CpuTime, FileSize, Interrupted, Memory, Timeout};
        matches!(self.cause, Timeout | Interrupted | Memory | CpuTime | FileSize)
    }
}

/// One timed step of the climb.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepTiming {
    /// Which step.
    pub step: Step,
    /// Wall time, in seconds.
    pub wall_seconds: f64,
    /// CPU time of the whole process during it, in seconds.
    pub cpu_seconds: f64,
    /// Bytes it produced or holds: code size for `Compile`, artifact size for `Persist` and `Map`, memory prefaulted.
    pub bytes: Bytes,
}

/// What a process and everything it started used beyond time and memory.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ProcessUsage {
    /// CPU time in user mode, in seconds.
    pub user_seconds: f64,
    /// CPU time in the kernel, in seconds.
    pub system_seconds: f64,
    /// Page faults served without reading a disk.
    pub minor_faults: u64,
    /// Page faults that had to read a disk.
    pub major_faults: u64,
    /// Times it gave up its core to wait.
    pub voluntary_switches: u64,
    /// Times the system took the core from it.
    pub involuntary_switches: u64,
    /// Bytes read from disks.
    pub read_bytes: Bytes,
    /// Bytes written to disks.
    pub written_bytes: Bytes,
    /// Processes that the kernel killed meanwhile for want of memory: those of its control group where it has one, else
    /// all of the machine.
    #[serde(default)]
    pub oom_kills: Option<u64>,
    /// Instructions it retired outside the kernel; `None` where the machine does not count them for this user.
    #[serde(default)]
    pub instructions: Option<u64>,
    /// Time from its execution, in seconds, after which it needed more memory than was set aside and was given more; `None`
    /// where it never did, or nothing was set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgrew_seconds: Option<f64>,
    /// What kept it to its cores; `None` where it was not kept to any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_by: Option<Pinning>,
}

/// What keeps the processes of a run to their cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pinning {
    /// A control group, which none of them can leave.
    Cpuset,
    /// An affinity, which each inherits and can undo.
    Affinity,
}

/// A first attempt that ended because the memory set aside for it proved too little, and was made again with more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    /// The memory that proved too little.
    pub set_aside_bytes: Bytes,
    /// Wall time of the first attempt, in seconds: a part of the run's waiting.
    pub lost_seconds: f64,
    /// CPU time of the first attempt, in seconds.
    pub lost_cpu_seconds: f64,
}

/// Everything measured of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The code.
    pub digest: Digest,
    /// Pooling class of the configuration it ran on, such as `winch/native`.
    pub configuration_class: String,
    /// What was known of its input.
    pub features: Features,
    /// When it started, in seconds since the Unix epoch.
    pub started_unix_seconds: f64,
    /// From the start of the process to the end of the program. The five parts below sum to it.
    pub wall_seconds: f64,
    /// Reading, analysing and planning.
    pub plan_seconds: f64,
    /// Trials.
    pub emulation_seconds: f64,
    /// Waiting for a resource; a first attempt whose memory proved too little is a part of it.
    pub wait_seconds: f64,
    /// Climbing the warm ladder.
    pub transition_seconds: f64,
    /// The run proper, from its first instruction to its last.
    pub run_seconds: f64,
    /// CPU time of the whole process.
    pub cpu_seconds: f64,
    /// CPU time of the run proper.
    pub run_cpu_seconds: f64,
    /// Peak resident memory of the process.
    pub peak_memory_bytes: Bytes,
    /// Peak linear memory of the program; of a process, its peak memory.
    pub peak_linear_memory_bytes: Bytes,
    /// How it ended.
    pub exit: Exit,
    /// Whether it was cut short, so that its times and memory are lower bounds.
    #[serde(default)]
    pub censored: bool,
    /// The measuring tier achieved, such as `rusage`.
    pub measured_by: String,
    /// Time spent runnable but not running, where the system tells.
    pub run_delay_seconds: Option<f64>,
    /// Time that a control group's quota held it (and what else is in that group) back, in seconds; `None` where the system
    /// does not tell, or the run was over before it could.
    #[serde(default)]
    pub throttled_seconds: Option<f64>,
    /// Time that the host under a virtual machine took from all its cores meanwhile, in seconds; `None` as above.
    #[serde(default)]
    pub steal_seconds: Option<f64>,
    /// The climb, step by step.
    pub steps: Vec<StepTiming>,
    /// From the start to the first instruction of the program, where that is known to the instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_instruction_seconds: Option<f64>,
    /// The rung of the warm ladder that a process was started from, where it was not started from nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_state: Option<String>,
    /// Operators counted, where the run or its trial counted them.
    pub ops: Option<u64>,
    /// What else was measured of a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessUsage>,
    /// The attempt before this one, which needed more memory than was set aside; it has an observation of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeat>,
    /// The flags that would have allowed what the program was denied and failed with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
    /// What had been predicted for `transition_seconds`: of a start from something warm, what such starts took before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted_transition_seconds: Option<Estimate>,
    /// What had been predicted for `run_cpu_seconds`.
    pub predicted_cpu_seconds: Option<Estimate>,
    /// What had been predicted for `peak_linear_memory_bytes`.
    pub predicted_memory_bytes: Option<Estimate>,
}

/// The part of an [`Observation`] that predictions are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastRun {
    /// Pooling class of the configuration it ran on, such as `winch/native`.
    #[serde(rename = "class")]
    pub configuration_class: String,
    /// What was known of its input.
    pub features: Features,
    /// CPU time of the run proper, in seconds.
    pub run_cpu_seconds: f64,
    /// Peak linear memory of the program.
    pub peak_linear_memory_bytes: Bytes,
    /// Operators counted, where they were.
    pub ops: Option<u64>,
    /// Whether it was cut short, so that its time and memory are lower bounds.
    pub censored: bool,
}

impl From<&Observation> for PastRun {
    fn from(run: &Observation) -> Self {
        Self {
            configuration_class: run.configuration_class.clone(),
            features: run.features.clone(),
            run_cpu_seconds: run.run_cpu_seconds,
            peak_linear_memory_bytes: run.peak_linear_memory_bytes,
            ops: run.ops,
            censored: run.exit.censored(),
        }
    }
}

/// Prediction against observation: the `prediction` object of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Actual over expected CPU time of the run.
    pub run_ratio: Option<f64>,
    /// Actual over expected peak linear memory.
    pub memory_ratio: Option<f64>,
    /// Whether the CPU time lay inside the predicted interval.
    pub inside_interval: Option<bool>,
    /// Actual over expected time from the plan to the first instruction: above 1 where a start was slower than foretold, warm
    /// ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_ratio: Option<f64>,
}

impl Observation {
    /// Scores the prediction stored with the observation; a censored run scores nothing.
    #[must_use]
    pub fn score(&self) -> Score {
        let scored = |estimate: Option<Estimate>| estimate.filter(|e| e.expected > 0.0 && !self.exit.censored());
        let run = scored(self.predicted_cpu_seconds);
        let memory = scored(self.predicted_memory_bytes);
        Score {
            run_ratio: run.map(|e| self.run_cpu_seconds / e.expected),
            memory_ratio: memory.map(|e| self.peak_linear_memory_bytes.as_f64() / e.expected),
            inside_interval: run.map(|e| e.contains(self.run_cpu_seconds)),
            // A run that was cut short had begun all the same.
            transition_ratio: self
                .predicted_transition_seconds
                .filter(|e| e.expected > 0.0)
                .map(|e| self.transition_seconds / e.expected),
        }
    }
}
