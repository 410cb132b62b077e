//! Keeping what was compiled, without making the program wait for it.
//!
//! A small artifact is written at once, which takes less than starting a thread for it is worth. A large one is written
//! by a thread while the program runs, of the lowest priority unless the caller means to wait for it; where the program ends
//! first, and it is not waited for, the attempt is abandoned with the process (its temporary file is swept by a later one),
//! and the caller can see that it was.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use forewarm_types::{Bytes, Digest, StepTiming};

use crate::artifacts::ArtifactCache;
use crate::wasm::{Compiled, Engine};

/// Machine code up to this size is written in the run's own time. On the machine this was built on an artifact of 13 kB
/// took 0.21 ms, one of 31 kB 0.27 ms, serialising, hashing and both files included.
const AT_ONCE_MOST: Bytes = Bytes(32 << 10);

/// How far the keeping of an artifact has come.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// The plan does not ask for it, or there is no cache.
    NotAsked,
    /// It stood before.
    Standing,
    /// It is being written.
    Pending,
    /// It was written.
    Done(StepTiming),
    /// It could not be written.
    Failed(String),
}

/// The keeping of an artifact, as seen from any thread.
#[derive(Debug, Clone)]
pub struct Persistence {
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Persistence {
    fn new(state: State) -> Self {
        Self { shared: Arc::new((Mutex::new(state), Condvar::new())) }
    }

    pub(crate) fn not_asked() -> Self {
        Self::new(State::NotAsked)
    }

    /// That of a run from an artifact that stood.
    #[must_use]
    pub fn standing() -> Self {
        Self::new(State::Standing)
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until nothing is pending, for so long at most.
    pub fn wait(&self, most: Duration) {
        let (state, settled) = &*self.shared;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever asks for the state sees whether it was in time.
        drop(settled.wait_timeout_while(state, most, |state| *state == State::Pending));
    }

    fn settle(&self, state: State) {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.shared.1.notify_all();
    }

    /// What it took, where it is done.
    #[must_use]
    pub fn timing(&self) -> Option<StepTiming> {
        match self.state() {
            State::Done(timing) => Some(timing),
            _ => None,
        }
    }

    /// Whether the artifact was asked for and does not stand (yet): worth preparing apart, should the process end now.
    #[must_use]
    pub fn outstanding(&self) -> bool {
        matches!(self.state(), State::Pending | State::Failed(_))
    }

    /// Begins to keep an artifact of so many bytes of machine code; with `awaited`, at ordinary priority.
    pub(crate) fn begin(
        artifacts: &Arc<ArtifactCache>,
        digest: Digest,
        engine: &Engine,
        code: &Compiled,
        text: Bytes,
        awaited: bool,
    ) -> Self {
        if text.0 <= AT_ONCE_MOST.0 {
            // Looking for what to evict takes time in proportion to what stands, so one small write in 16 does it.
            let evict = digest.0[0].is_multiple_of(16);
            let written =
                if evict { artifacts.store(&digest, engine, code) } else { artifacts.write(&digest, engine, code) };
            return Self::new(State::from(written));
        }
        let this = Self::new(State::Pending);
        let (shared, artifacts, engine, code) = (this.clone(), Arc::clone(artifacts), engine.clone(), code.clone());
        let work = move || {
            if !awaited {
                // Without the lowest priority it would still be right, only less considerate.
                let _ = forewarm_sandbox::background::yield_to_others();
            }
            shared.settle(State::from(artifacts.store(&digest, &engine, &code)));
        };
        if let Err(error) = std::thread::Builder::new().name("persist".to_owned()).spawn(work) {
            return Self::new(State::Failed(format!("no thread to write the artifact: {error}")));
        }
        this
    }
}

impl From<Result<StepTiming, std::io::Error>> for State {
    fn from(written: Result<StepTiming, std::io::Error>) -> Self {
        written.map_or_else(|error| Self::Failed(error.to_string()), Self::Done)
    }
}
