//! What is known of one invocation's input before it runs: features, never values.

use serde::{Deserialize, Serialize};

use crate::units::Bytes;

/// Features of an invocation's input, the only part of it that history keeps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Features {
    /// Keyed hash of arguments and of names and values of the environment given: equal for equal invocations on one
    /// machine, meaningless elsewhere.
    pub input_hash: u64,
    /// Numbers found among the arguments, in order.
    pub numbers: Vec<f64>,
    /// Count of arguments.
    pub arguments: u32,
    /// Total length of the arguments.
    pub argument_bytes: Bytes,
    /// Bytes of input: regular files named by arguments, and a standard input that is a regular file.
    pub input_bytes: Bytes,
}

impl Features {
    /// How many of the last entries of [`Self::vector`] are sizes in bytes; those before are numbers.
    pub const SIZES: usize = 2;

    /// The features as a vector for regression: numbers in order, then argument bytes, then input bytes.
    #[must_use]
    pub fn vector(&self) -> Vec<f64> {
        let sizes = [self.argument_bytes.as_f64(), self.input_bytes.as_f64()];
        self.numbers.iter().copied().chain(sizes).collect()
    }
}
