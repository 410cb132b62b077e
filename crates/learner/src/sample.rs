//! Made-up runs and seeded noise for the tests of this crate.

use forewarm_types::{Bytes, Digest, Exit, ExitCause, Features, Observation, PastRun};

/// A run of a class and input that took this much CPU time.
pub fn observation(class: &str, input_hash: u64, run_cpu_seconds: f64) -> Observation {
    Observation {
        digest: Digest([1; 32]),
        configuration_class: class.to_owned(),
        features: Features { input_hash, ..Features::default() },
        started_unix_seconds: 0.0,
        wall_seconds: run_cpu_seconds,
        plan_seconds: 0.0,
        emulation_seconds: 0.0,
        wait_seconds: 0.0,
        transition_seconds: 0.0,
        run_seconds: run_cpu_seconds,
        cpu_seconds: run_cpu_seconds,
        run_cpu_seconds,
        peak_memory_bytes: Bytes(1 << 24),
        peak_linear_memory_bytes: Bytes(1 << 20),
        exit: Exit { cause: ExitCause::Exited, code: 0, signal: None, message: None },
        censored: false,
        measured_by: "test".to_owned(),
        run_delay_seconds: None,
        throttled_seconds: None,
        steal_seconds: None,
        steps: Vec::new(),
        first_instruction_seconds: None,
        warm_state: None,
        ops: None,
        process: None,
        repeated: None,
        denied: Vec::new(),
        predicted_transition_seconds: None,
        predicted_cpu_seconds: None,
        predicted_memory_bytes: None,
    }
}

/// The same, as predictions are made of it.
pub fn run(class: &str, input_hash: u64, run_cpu_seconds: f64) -> PastRun {
    PastRun::from(&observation(class, input_hash, run_cpu_seconds))
}

/// Standard normal deviates from a seed: SplitMix64 (Steele et al. 2014) and Box & Muller (1958).
pub struct Normal(u64);

impl Normal {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub fn next(&mut self) -> f64 {
        let (radius, angle) = ((-2.0 * self.uniform().ln()).sqrt(), std::f64::consts::TAU * self.uniform());
        radius * angle.cos()
    }
}
