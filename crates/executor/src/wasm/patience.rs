//! How long a trial is put up with: by the CPU time its thread uses, and by wall time less what it waited for a core.
//!
//! A machine that is busy with other things starves a trial that is bounded by wall time alone: it ends before it has told
//! anything. What waits by itself (for a timer, for a file) uses no CPU time, so that wall time bounds it. Called by trials.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use forewarm_sandbox::clock::thread_cpu;
use forewarm_sandbox::measure::run_delay;
use forewarm_types::Seconds;
use forewarm_types::host::Clock;
use forewarm_types::plan::TrialLimits;

use super::trial::Stop;

/// Shortest wait for what has used up its wall time but waited for a core meanwhile.
const SOON: f64 = 0.001;

/// When a run began, on all clocks that bound it; of the thread that runs it.
#[derive(Clone)]
pub(super) struct Patience {
    limits: TrialLimits,
    clock: Arc<dyn Clock>,
    began: Seconds,
    began_cpu: Seconds,
    began_delay: Option<Seconds>,
}

impl Patience {
    /// From now on, in this thread.
    pub fn begin(limits: TrialLimits, clock: Arc<dyn Clock>) -> Self {
        Self { limits, began: clock.monotonic(), clock, began_cpu: thread_cpu(), began_delay: run_delay() }
    }

    /// The budget of time that is used up, if one is.
    pub fn over(&self) -> Option<Stop> {
        if (thread_cpu() - self.began_cpu).0 >= self.limits.cpu_seconds {
            return Some(Stop::CpuBudget);
        }
        (self.wall_left() <= 0.0).then_some(Stop::WallBudget)
    }

    /// Wall seconds left. What was waited for a core is only asked for, which takes a look at a file, once it matters.
    fn wall_left(&self) -> f64 {
        let left = self.limits.wall_seconds - (self.clock.monotonic() - self.began).0;
        if left > 0.0 {
            return left;
        }
        let waited = self.began_delay.zip(run_delay()).map_or(0.0, |(before, now)| (now - before).0);
        left + waited
    }

    /// Runs a future that yields now and then until it is done or time is up.
    pub async fn bound<F: Future>(&self, run: F) -> Result<F::Output, Stop> {
        let mut run = pin!(run);
        loop {
            let left = Duration::try_from_secs_f64(self.wall_left().max(SOON)).unwrap_or(Duration::MAX);
            let polled = std::future::poll_fn(|context| match run.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Ok(output)),
                Poll::Pending => self.over().map_or(Poll::Pending, |stop| Poll::Ready(Err(stop))),
            });
            if let Ok(result) = tokio::time::timeout(left, polled).await {
                return result;
            }
            if let Some(stop) = self.over() {
                return Err(stop);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use forewarm_sandbox::RealClock;

    use super::*;

    fn limited(cpu_seconds: f64, wall_seconds: f64) -> Patience {
        Patience::begin(TrialLimits { operators: u64::MAX, cpu_seconds, wall_seconds }, Arc::new(RealClock))
    }

    /// Works, yielding now and then, until it has used so much CPU time.
    async fn work(seconds: f64) {
        let began = thread_cpu();
        while (thread_cpu() - began).0 < seconds {
            std::hint::black_box((0..10_000_u64).sum::<u64>());
            tokio::task::yield_now().await;
        }
    }

    fn check<F: Future>(patience: &Patience, run: F) -> Result<F::Output, Stop> {
        crate::lease::runtime(true).unwrap().block_on(patience.bound(run))
    }

    #[test]
    fn work_is_bounded_by_the_processor_and_waiting_by_the_wall() {
        assert_eq!(check(&limited(60.0, 60.0), work(0.01)), Ok(()));
        assert_eq!(check(&limited(0.01, 60.0), work(60.0)), Err(Stop::CpuBudget));
        let asleep = async { tokio::time::sleep(Duration::from_secs(60)).await };
        assert_eq!(check(&limited(60.0, 0.02), asleep), Err(Stop::WallBudget));
    }
}
