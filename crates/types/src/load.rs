//! What code that runs asks of what it shares with others: cores, and the memory behind them.

use serde::{Deserialize, Serialize};

/// A kind of work, by what holds it up; kinds slow each other differently where they run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Operators whose data are in caches of the core's own.
    Computing,
    /// Data from memory as fast as memory gives them.
    Streaming,
    /// Data from memory that each wait for the one before.
    Chasing,
}

impl Work {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Computing, Self::Streaming, Self::Chasing];

    /// Its key in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Computing => "computing",
            Self::Streaming => "streaming",
            Self::Chasing => "chasing",
        }
    }
}

/// How the time of a run divides into kinds of work; what is neither streaming nor chasing is computing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pressure {
    /// Share of its time, 0 to 1, in which it streams.
    pub streaming_share: f64,
    /// Share of its time, 0 to 1, in which it chases.
    pub chasing_share: f64,
}

impl Pressure {
    /// The share of a kind, 0 to 1, whatever the fields hold.
    #[must_use]
    pub fn share(&self, work: Work) -> f64 {
        let sane = |share: f64| if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        let streaming = sane(self.streaming_share);
        let chasing = sane(self.chasing_share).min(1.0 - streaming);
        match work {
            Work::Streaming => streaming,
            Work::Chasing => chasing,
            Work::Computing => 1.0 - streaming - chasing,
        }
    }

    /// Whether it only computes.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.share(Work::Computing) >= 1.0
    }
}

/// What others ask for now, in cores; of these, how many stream and chase.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Load {
    /// Cores kept busy.
    pub cores: f64,
    /// Of these, in streaming.
    pub streaming_cores: f64,
    /// Of these, in chasing.
    pub chasing_cores: f64,
}

impl Load {
    /// So many cores at work of such pressure.
    #[must_use]
    pub fn of(cores: f64, pressure: Pressure) -> Self {
        let cores = if cores.is_finite() { cores.max(0.0) } else { 0.0 };
        Self {
            cores,
            streaming_cores: cores * pressure.share(Work::Streaming),
            chasing_cores: cores * pressure.share(Work::Chasing),
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            cores: self.cores + other.cores,
            streaming_cores: self.streaming_cores + other.streaming_cores,
            chasing_cores: self.chasing_cores + other.chasing_cores,
        }
    }

    /// How its time divides; computing where there is none.
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        let share = |cores: f64| if self.cores > 0.0 { cores / self.cores } else { 0.0 };
        Pressure { streaming_share: share(self.streaming_cores), chasing_share: share(self.chasing_cores) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_whatever_they_were_made_from() {
        for (streaming_share, chasing_share) in [(0.0, 0.0), (0.3, 0.5), (0.9, 0.9), (f64::NAN, -1.0), (7.0, 2.0)] {
            let pressure = Pressure { streaming_share, chasing_share };
            let shares = Work::ALL.map(|work| pressure.share(work));
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{shares:?}");
        }
    }

    #[test]
    fn loads_add_up() {
        let pressure = Pressure { streaming_share: 0.5, chasing_share: 0.25 };
        let both = Load::of(2.0, pressure).and(Load::of(2.0, Pressure::default()));
        assert_eq!((both.cores, both.streaming_cores, both.chasing_cores), (4.0, 1.0, 0.5));
        assert_eq!(both.pressure(), Pressure { streaming_share: 0.25, chasing_share: 0.125 });
        assert_eq!(Load::of(f64::NAN, pressure), Load::default());
    }
}
