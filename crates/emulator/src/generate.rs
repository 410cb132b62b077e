//! Generated WebAssembly: the modules this crate times, and the random programs tests feed to the engine.
//!
//! [`piece`] composes code that knows its own operator counts; [`kernels`] are the loops whose timing yields the cost
//! of each operator class; [`programs`] are random modules of a wanted size, for compile times; [`memory`] are the
//! modules that touch and stream memory. Nothing here runs anything. Called by [`crate::calibrate()`] and by tests.

mod exercises;
mod extremes;
mod inner_loops;
pub mod kernels;
pub mod memory;
pub mod piece;
pub mod programs;
pub mod waits;

use forewarm_types::host::Randomness;

/// The SplitMix64 generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014
/// (constants: Vigna's `splitmix64.c`, 2015).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator whose whole sequence follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl Randomness for SplitMix64 {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

/// A number below `limit` (0 where `limit` is 0); the bias of the remainder is below 2^-32 for limits below 2^32.
pub(crate) fn below(random: &mut dyn Randomness, limit: u64) -> u64 {
    random.next_u64() % limit.max(1)
}

/// A number in [0, 1).
pub(crate) fn unit(random: &mut dyn Randomness) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_follows_the_published_sequence() {
        // Seed 1234567, as given in the reference implementation's test vectors (Rosetta Code "Pseudo-random
        // numbers/Splitmix64").
        let mut random = SplitMix64::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_generated_module_is_valid() {
        let kernels = kernels::all().into_iter().map(|kernel| (kernel.name.to_owned(), kernel.wasm));
        let random = (1..40).map(|seed| {
            let size = 500 << (seed % 8);
            (format!("seed {seed}"), programs::random_module(size, &mut SplitMix64::new(seed)))
        });
        let others = [
            ("touch", memory::touch(forewarm_types::Bytes(1 << 20), 4096)),
            ("stream", memory::stream(forewarm_types::Bytes(1 << 20))),
            ("endless", memory::command(0, true)),
            ("counted", memory::command(10, false)),
            ("host calls", kernels::host_calls(10).0),
        ];
        let waits = waits::chains().into_iter().map(|links| links.kernel);
        let waits = waits.chain([waits::handed_on(), waits::branches(true), waits::branches(false)]);
        let kernels = kernels.chain(waits.map(|kernel| (format!("waiting: {}", kernel.name), kernel.wasm)));
        let others = others.map(|(name, wasm)| (name.to_owned(), wasm));
        for (name, wasm) in kernels.chain(random).chain(others) {
            if let Err(error) = wasmparser::validate(&wasm) {
                panic!("{name}: {error}");
            }
        }
    }

    #[test]
    fn random_modules_follow_from_their_seed_and_size() {
        let module = |seed, size| programs::random_module(size, &mut SplitMix64::new(seed));
        assert_eq!(module(1, 10_000), module(1, 10_000));
        assert_ne!(module(1, 10_000), module(2, 10_000));
        let code = crate::sections::code_bytes(&module(3, 300_000)).0;
        assert!((270_000..400_000).contains(&code), "{code}");
    }
}
