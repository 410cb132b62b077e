//! What processes cost before anything was measured of one: the sourced defaults by which a first run is foreseen.
//!
//! What runs refine of it, how long and how large programs are by themselves and what starting one takes, is part of the
//! stored model ([`crate::workload::Processes`]).

use forewarm_types::{Analysis, CodeKind};

use crate::Figure;

/// The runtime of a program that loads a Java virtual machine, as the analyzer names it.
const JAVA: &str = "Java launcher";

/// Costs of processes.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessCosts {
    /// CPU seconds of a machine instruction.
    pub instruction_seconds: Figure,
    /// Standard deviation of the natural logarithm of that, over programs.
    pub instruction_log_deviation: Figure,
    /// CPU seconds of a bytecode operation of CPython.
    pub bytecode_seconds: Figure,
    /// Standard deviation of the natural logarithm of that, over programs.
    pub bytecode_log_deviation: Figure,
    /// CPU seconds the Python interpreter takes to start and to end.
    pub python_start_seconds: Figure,
    /// Standard deviation of the natural logarithm of that and of imports, over installations and files in or out of the
    /// page cache.
    pub python_start_log_deviation: Figure,
    /// Factor on the instructions that the code of a native program tells, where they depend on its input: what a loop over an
    /// input goes round is more than its code shows.
    pub input_factor: Figure,
    /// Standard deviation of the natural logarithm of that, over programs.
    pub input_log_deviation: Figure,
    /// What the system and the dynamic linker take to start a native program, and to end it.
    pub native_start: StartCost,
    /// Start of a Java virtual machine, beside that of its launcher.
    pub java_start: StartCost,
    /// Resident memory of the Python interpreter, in bytes.
    pub python_start_bytes: Figure,
    /// Standard deviation of the natural logarithm of that, over builds.
    pub python_bytes_log_deviation: Figure,
    /// Wall seconds that a program waits at most which needs more memory than was set aside, until it is given more.
    pub growth_seconds: Figure,
    /// Wall seconds that a program begins later which has to be told what its plan says, since the plan is made beside the
    /// beginning of one that has not.
    pub told_seconds: Figure,
    /// Wall seconds that a program waits for a byte of its files that is not in memory, read as it comes to it.
    pub demand_read_seconds_per_byte: Figure,
    /// The same where all that it reads is read ahead beside its start.
    pub ahead_read_seconds_per_byte: Figure,
    /// Length of a period of the CPU quota.
    pub quota_period_seconds: Figure,
    /// Share of a program's work that several threads divide, where it is known to use them and not how much.
    pub parallel_share: Figure,
}

/// What a program's start costs, by the shared libraries it is loaded with.
#[derive(Debug, Clone, PartialEq)]
pub struct StartCost {
    /// CPU seconds, whatever it is loaded with.
    pub seconds: Figure,
    /// CPU seconds for each library.
    pub seconds_per_library: Figure,
    /// CPU seconds for each byte of the libraries' files.
    pub seconds_per_library_byte: Figure,
    /// Standard deviation of the natural logarithm of their sum.
    pub seconds_log_deviation: Figure,
    /// Resident bytes, whatever it is loaded with.
    pub bytes: Figure,
    /// Resident bytes for each library.
    pub bytes_per_library: Figure,
    /// Share of the libraries' files that becomes resident.
    pub bytes_per_library_byte: Figure,
    /// Standard deviation of the natural logarithm of their sum.
    pub bytes_log_deviation: Figure,
}

impl StartCost {
    fn nothing() -> Self {
        let none = || Figure::sourced(0.0, 0.0, "none");
        Self {
            seconds: none(),
            seconds_per_library: none(),
            seconds_per_library_byte: none(),
            seconds_log_deviation: none(),
            bytes: none(),
            bytes_per_library: none(),
            bytes_per_library_byte: none(),
            bytes_log_deviation: none(),
        }
    }

    fn of(&self, libraries: f64, file_bytes: f64) -> Start {
        let sum = |fixed: &Figure, each: &Figure, byte: &Figure| {
            fixed.value + each.value * libraries + byte.value * file_bytes
        };
        Start {
            seconds: sum(&self.seconds, &self.seconds_per_library, &self.seconds_per_library_byte),
            seconds_log_deviation: self.seconds_log_deviation.value,
            bytes: sum(&self.bytes, &self.bytes_per_library, &self.bytes_per_library_byte),
            bytes_log_deviation: self.bytes_log_deviation.value,
        }
    }
}

/// What a program takes before it comes to work of its own: medians, with the standard deviations of their natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// CPU seconds.
    pub seconds: f64,
    /// Of these.
    pub seconds_log_deviation: f64,
    /// Resident bytes.
    pub bytes: f64,
    /// Of these.
    pub bytes_log_deviation: f64,
}

impl ProcessCosts {
    /// The start of a program: of a native one with its libraries, of Python's with the modules that it imports.
    #[must_use]
    pub fn start(&self, analysis: &Analysis) -> Start {
        if analysis.code.kind == CodeKind::Python {
            let init = analysis.python.as_ref().map(|python| &python.init);
            let of = |estimate: Option<forewarm_types::Estimate>| estimate.map_or(0.0, |estimate| estimate.expected);
            return Start {
                seconds: self.python_start_seconds.value + of(init.and_then(|init| init.import_seconds)),
                seconds_log_deviation: self.python_start_log_deviation.value,
                bytes: self.python_start_bytes.value + of(init.and_then(|init| init.import_bytes)),
                bytes_log_deviation: self.python_bytes_log_deviation.value,
            };
        }
        let native = analysis.native.as_ref();
        let libraries = native.map_or(&[][..], |native| &native.libraries);
        let file_bytes: f64 = libraries.iter().map(|library| library.size_bytes.as_f64()).sum();
        let start = self.native_start.of(libraries.len() as f64, file_bytes);
        if !native.is_some_and(|native| native.runtimes.iter().any(|runtime| runtime == JAVA)) {
            return start;
        }
        let machine = self.java_start.of(0.0, 0.0);
        Start { seconds: start.seconds + machine.seconds, bytes: start.bytes + machine.bytes, ..machine }
    }
}

/// The defaults.
#[must_use]
pub fn process_costs() -> ProcessCosts {
    let figure = |value, source| Figure::sourced(value, 0.0, source);
    ProcessCosts {
        instruction_seconds: figure(1.0 / 3e9, "instructions"),
        instruction_log_deviation: figure(0.67, "instructions"),
        bytecode_seconds: figure(3e-9, "bytecode"),
        bytecode_log_deviation: figure(0.7, "bytecode"),
        python_start_seconds: figure(0.02, "python-start"),
        python_start_log_deviation: figure(0.52, "python-start"),
        input_factor: figure(90.0, "native-runs"),
        input_log_deviation: figure(3.7, "native-runs"),
        native_start: StartCost {
            seconds: figure(0.77e-3, "native-start"),
            seconds_per_library: figure(0.124e-3, "native-start"),
            seconds_per_library_byte: figure(7.6e-11, "native-start"),
            seconds_log_deviation: figure(0.27, "native-start"),
            bytes: figure(1.21e6, "native-start"),
            bytes_per_library: figure(92e3, "native-start"),
            bytes_per_library_byte: figure(0.2, "native-start"),
            bytes_log_deviation: figure(0.28, "native-start"),
        },
        java_start: StartCost {
            seconds: figure(0.04, "java-start"),
            seconds_log_deviation: figure(0.27, "java-start"),
            bytes: figure(38e6, "java-start"),
            bytes_log_deviation: figure(0.28, "java-start"),
            ..StartCost::nothing()
        },
        python_start_bytes: figure(8.5e6, "python-memory"),
        python_bytes_log_deviation: figure(0.2, "python-memory"),
        growth_seconds: figure(0.004, "memory-growth"),
        told_seconds: figure(0.000_2, "told"),
        demand_read_seconds_per_byte: figure(5.3e-9, "file-reads"),
        ahead_read_seconds_per_byte: figure(1.5e-9, "file-reads"),
        quota_period_seconds: figure(0.02, "quota"),
        parallel_share: figure(0.5, "parallel-share"),
    }
}
