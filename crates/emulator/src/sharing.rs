//! Whether another thread shares the core just now: a hyperthread of this machine's, or of another on the same host.
//!
//! Operators that wait for each other leave most of a core idle, and take as long whoever else uses it; such as do not wait fill it,
//! and take up to twice as long where it is shared. What the ones take over what the others take tells that, whatever the clock's rate. What
//! is timed meanwhile would be taken for a slower program, so that whoever times something short waits for a moment without.

use std::hint::black_box;
use std::time::Duration;

use forewarm_sandbox::clock::RealClock;
use forewarm_types::Seconds;
use forewarm_types::host::Clock;

/// Rounds of either loop: some 3 µs.
const ROUNDS: u64 = 2_500;

/// By how much the ratio exceeds that of a core alone, from where it is shared: alone it stays within some hundredths, shared it was 1.3
/// to 1.9.
const SHARED: f64 = 1.15;

/// Between the first two looks, while waiting; each pause is twice the one before, since what has lasted goes on for as long again.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// Fewest ratios that tell what is usual.
const FEWEST: usize = 100;

/// Ratios of one look, of which the middle one counts: an interrupt spoils one.
const RATIOS: usize = 3;

/// What independent operators take over what dependent ones take, just now.
#[must_use]
pub(crate) fn ratio() -> f64 {
    seconds(independent) / seconds(dependent)
}

/// The ratio of a core alone, of many that were measured now and then: the one that most of them are near (half-sample mode: Bickel
/// and Frühwirth, Computational Statistics & Data Analysis 50, 2006), since a core that is shared has many ratios, and one that is alone a
/// single one. `None` of too few.
#[must_use]
pub(crate) fn alone(mut ratios: Vec<f64>) -> Option<f64> {
    ratios.sort_by(f64::total_cmp);
    let mut densest = (ratios.len() >= FEWEST).then_some(&ratios[..])?;
    while densest.len() > 2 {
        let half = densest.len().div_ceil(2);
        let width = |window: &[f64]| window[half - 1] - window[0];
        densest = densest.windows(half).min_by(|a, b| width(a).total_cmp(&width(b)))?;
    }
    densest.first().copied()
}

/// A core that something is timed on, and what is known of its ratio.
#[derive(Debug)]
pub(crate) struct Core {
    /// What the ratio is taken to be when no other thread shares it.
    alone: f64,
    /// The least that was seen.
    least: f64,
}

impl Core {
    /// Whose ratio was such when it was measured.
    pub fn new(alone: f64) -> Self {
        Self { alone, least: f64::INFINITY }
    }

    /// Whether another thread shares it now.
    pub fn is_shared(&mut self) -> bool {
        let mut ratios: [f64; RATIOS] = std::array::from_fn(|_| ratio());
        ratios.sort_by(f64::total_cmp);
        let now = ratios[RATIOS / 2];
        self.least = self.least.min(now);
        self.alone = self.alone.min(now);
        now > SHARED * self.alone
    }

    /// Waits until no other thread shares it, for so long at the most; for how long it did.
    pub fn wait(&mut self, most: Seconds) -> Seconds {
        let began = RealClock.monotonic();
        let waited = || RealClock.monotonic() - began;
        let mut pause = FIRST_PAUSE;
        while self.is_shared() {
            let left = most.0 - waited().0;
            if left <= 0.0 {
                // Loops of another build have another ratio.
                self.alone = self.least;
                break;
            }
            std::thread::sleep(pause.min(Duration::from_secs_f64(left)));
            pause *= 2;
        }
        waited()
    }
}

fn seconds(work: impl Fn(u64) -> u64) -> f64 {
    let began = RealClock.monotonic();
    black_box(work(black_box(ROUNDS)));
    (RealClock.monotonic() - began).0
}

/// Eight chains beside each other: more than a core has room for.
fn independent(rounds: u64) -> u64 {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = [1_u64, 2, 3, 4, 5, 6, 7, 8];
    for round in 0..rounds {
        a = a.rotate_left(5).wrapping_add(round);
        b = b.rotate_left(7) ^ round;
        c = c.rotate_left(9).wrapping_sub(round);
        d = d.rotate_left(11) ^ round;
        e = e.rotate_left(13).wrapping_add(round);
        f = f.rotate_left(17) ^ round;
        g = g.rotate_left(19).wrapping_sub(round);
        h = h.rotate_left(23) ^ round;
    }
    a ^ b ^ c ^ d ^ e ^ f ^ g ^ h
}

/// One chain, each operator of which waits for the one before.
fn dependent(rounds: u64) -> u64 {
    let mut value = 1_u64;
    for round in 0..rounds {
        value = (value ^ round).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_ratios_are_near_is_that_of_a_core_alone() {
        let of = |at: usize| if at % 100 < 30 { 1.13 + 1e-4 * (at % 7) as f64 } else { 1.2 + 1e-3 * at as f64 };
        let interrupted = (0..50).map(|at| 0.01 * f64::from(at));
        let told = alone((0..1000).map(of).chain(interrupted).collect()).unwrap();
        assert!((1.129..1.132).contains(&told), "{told}");
        assert_eq!(alone(vec![1.0; FEWEST - 1]), None);
    }

    #[test]
    fn a_core_is_shared_or_not_by_what_is_usual_there() {
        let most = Seconds(0.02);
        // On a busy machine any moment may be shared, but not by a hundred times as much.
        let usual = alone((0..400).map(|_| ratio()).collect()).unwrap();
        let mut core = Core::new(100.0 * usual);
        assert!(!core.is_shared() && core.alone < 50.0 * usual, "a ratio of another build is forgotten: {core:?}");
        let mut core = Core::new(0.01 * usual);
        assert!(core.wait(most).0 >= most.0 && core.alone > 0.1 * usual, "nor waited for twice: {core:?}");
    }
}
