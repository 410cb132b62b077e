//! Ends the process when a signal or the time limit says so: a guest in full flight cannot be stopped otherwise.
//!
//! Exactly one of the main thread and the watchdog decides how the process ends; the other waits for the end.
//! Called by `forewarm run` alone.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use forewarm_types::ExitCause;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::failure::{SIGNALLED, TIMEOUT};

/// How long the last words may take before the process ends without them: a database locked by another process must
/// not keep alive what the user wants gone. SQLite's own busy timeouts are of this order.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What is done before the process ends, given the cause and the signal.
type LastWords = Box<dyn Fn(ExitCause, Option<i32>) + Send + Sync>;

/// Who decides how the process ends: whoever is first.
#[derive(Debug, PartialEq, Eq)]
enum By {
    TheRun,
    TheWatchdog,
}

/// Watches over one run.
pub struct Watchdog {
    decided: Arc<OnceLock<By>>,
    signals: Option<Handle>,
}

impl Watchdog {
    /// Starts watching: for signals always, for the time limit where there is one. The thread that waits for signals does
    /// `first` before; a signal that comes meanwhile waits for it.
    ///
    /// # Errors
    /// Where a thread cannot be started; then nothing would enforce the limit.
    pub fn start(
        timeout: Option<Duration>,
        first: impl FnOnce() + Send + 'static,
        last_words: LastWords,
    ) -> std::io::Result<Self> {
        let decided = Arc::new(OnceLock::new());
        let end = Arc::new(End { decided: Arc::clone(&decided), last_words });
        let ender = Arc::clone(&end);
        // Caught from here on, not from when the thread gets to run: the program may be quicker.
        let signals = catch_signals();
        let handle = signals.as_ref().map(Signals::handle);
        spawn("signals", move || {
            first();
            if let Some(signal) = signals.and_then(|mut signals| signals.forever().next()) {
                ender.end(ExitCause::Interrupted, Some(signal), SIGNALLED + signal);
            }
        })?;
        if let Some(timeout) = timeout {
            spawn("time limit", move || {
                std::thread::sleep(timeout);
                end.end(ExitCause::Timeout, None, TIMEOUT);
            })?;
        }
        Ok(Self { decided, signals: handle })
    }

    /// The run is over: from here on its own end counts. Does not return where the watchdog was first.
    ///
    /// The thread that waits for signals is let go now, so that the end of the process need not wait until it gets a
    /// core only to be ended: as soon as the program has ended, and once more where none began.
    pub fn finish(&self) {
        if *self.decided.get_or_init(|| By::TheRun) == By::TheWatchdog {
            wait_for_the_end();
        }
        if let Some(signals) = &self.signals {
            signals.close();
        }
    }
}

struct End {
    decided: Arc<OnceLock<By>>,
    last_words: LastWords,
}

impl End {
    fn end(&self, cause: ExitCause, signal: Option<i32>, code: i32) {
        if self.decided.set(By::TheWatchdog).is_err() {
            return;
        }
        // Where no thread can be had, the last words are simply not bounded.
        let _ = spawn("last words", move || {
            std::thread::sleep(LAST_WORDS);
            forewarm_sandbox::exit::now(code);
        });
        (self.last_words)(cause, signal);
        forewarm_sandbox::exit::now(code);
    }
}

/// Catches the signals that end a program; `None` where they cannot be caught.
///
/// A signal that was being ignored when the process began (`nohup`, jobs in the background) goes on being ignored.
fn catch_signals() -> Option<Signals> {
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !forewarm_sandbox::signals::ignored(signal));
    Signals::new(wanted).ok()
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map(drop)
}

fn wait_for_the_end() -> ! {
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_first_decides_and_may_say_so_again() {
        let watchdog = Watchdog::start(None, || {}, Box::new(|_, _| {})).unwrap();
        watchdog.finish();
        watchdog.finish();
        assert_eq!(watchdog.decided.set(By::TheWatchdog), Err(By::TheWatchdog));
    }
}
