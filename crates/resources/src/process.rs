//! What processes cost before anything was measured of one: the sourced defaults by which a first run is foreseen.

use crate::Figure;

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
    /// Wall seconds from the decision to the program's execution: forking, namespaces, the file system, filters.
    pub spawn_seconds: Figure,
    /// Wall seconds that a program waits for a byte of its files that is not in memory, read as it comes to it.
    pub demand_read_seconds_per_byte: Figure,
    /// The same where all that it reads is read ahead beside its start.
    pub ahead_read_seconds_per_byte: Figure,
    /// Length of a period of the CPU quota.
    pub quota_period_seconds: Figure,
    /// Share of a program's work that several threads divide, where it is known to use them and not how much.
    pub parallel_share: Figure,
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
        spawn_seconds: figure(0.003, "sandbox"),
        demand_read_seconds_per_byte: figure(5.3e-9, "file-reads"),
        ahead_read_seconds_per_byte: figure(1.5e-9, "file-reads"),
        quota_period_seconds: figure(0.02, "quota"),
        parallel_share: figure(0.5, "parallel-share"),
    }
}
