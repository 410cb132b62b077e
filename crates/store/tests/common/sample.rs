//! Made-up runs for the tests of this crate, inside and out.

use forewarm_types::{Bytes, Digest, Exit, ExitCause, Features, Observation, Step, StepTiming};

/// The digest of code number `n`.
pub fn digest(n: u32) -> Digest {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&n.to_le_bytes());
    Digest(bytes)
}

/// A run of code number `code` started at a given time.
pub fn observation(code: u32, started_unix_seconds: f64) -> Observation {
    Observation {
        digest: digest(code),
        configuration_class: "winch/native".to_owned(),
        features: Features { input_hash: u64::MAX - 5, numbers: vec![64.0], ..Features::default() },
        started_unix_seconds,
        wall_seconds: 0.2,
        plan_seconds: 0.01,
        emulation_seconds: 0.0,
        wait_seconds: 0.0,
        transition_seconds: 0.09,
        run_seconds: 0.1,
        cpu_seconds: 0.2,
        run_cpu_seconds: 0.1,
        peak_memory_bytes: Bytes(1 << 24),
        peak_linear_memory_bytes: Bytes(1 << 20),
        exit: Exit { cause: ExitCause::Exited, code: 0, signal: None, message: None },
        censored: false,
        measured_by: "rusage".to_owned(),
        run_delay_seconds: None,
        throttled_seconds: None,
        steal_seconds: None,
        steps: vec![StepTiming { step: Step::Compile, wall_seconds: 0.09, cpu_seconds: 0.09, bytes: Bytes(100) }],
        first_instruction_seconds: None,
        warm_state: None,
        ops: Some(1 << 40),
        process: None,
        repeated: None,
        denied: Vec::new(),
        predicted_transition_seconds: None,
        predicted_cpu_seconds: None,
        predicted_memory_bytes: None,
    }
}

/// A new store in a directory of its own, with time to wait for others.
#[cfg(test)]
pub fn store() -> (tempfile::TempDir, crate::Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = crate::Store::open(directory.path(), crate::Options { busy_ms: 10_000, ..Default::default() }).unwrap();
    (directory, store)
}
