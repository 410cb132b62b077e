//! What is remembered between runs: the store behind a face that can fail without failing a run.
//!
//! A database that is locked, read-only, full, missing or corrupt costs a warning. On the first run ever it is made on
//! a thread of its own, beside the analysis or the compilation, and waited for only when there is something to write.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use forewarm_store::{Options, Store, StoreError};

/// The store, opening or open, and the warnings it gave rise to.
pub struct Memory {
    directory: Option<PathBuf>,
    record: bool,
    state: Mutex<State>,
    /// Whether what a plan needs was read.
    read: AtomicBool,
    warnings: Mutex<Vec<String>>,
}

enum State {
    /// Not yet asked.
    Unopened,
    /// There is none yet, and it may be made.
    Missing(PathBuf),
    /// Being made for the first time.
    Making(JoinHandle<Result<Store, StoreError>>),
    Open(Box<Store>),
    /// None is kept, or none can be had.
    Closed,
}

impl Memory {
    /// Where memory lies; it is opened when it is first asked, and made where `record` allows by [`Self::make`].
    pub fn at(directory: Option<PathBuf>, record: bool) -> Self {
        Self {
            directory,
            record,
            state: Mutex::new(State::Unopened),
            read: AtomicBool::new(false),
            warnings: Mutex::new(Vec::new()),
        }
    }

    /// The state, which is no longer [`State::Unopened`].
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        if matches!(*state, State::Unopened) {
            *state = self.begin();
        }
        state
    }

    /// Gets ready for the next run to be recorded, as far as that can be done before it is over; not where the run is not
    /// planned yet, and would wait for that.
    pub fn expect_write(&self) {
        let state = self.state();
        // A failure is told when it is recorded.
        if let (true, true, State::Open(store)) = (self.record, self.read.load(Relaxed), &*state) {
            store.expect_record();
        }
    }

    fn begin(&self) -> State {
        let Some(directory) = self.directory.clone() else { return State::Closed };
        if directory.join(forewarm_store::FILE_NAME).exists() {
            return self.opened(Store::open(&directory, self.options()));
        }
        if self.record { State::Missing(directory) } else { State::Closed }
    }

    fn options(&self) -> Options {
        Options { read_only: !self.record, create: self.record, ..Options::default() }
    }

    /// Begins to make the store, on a thread of its own, where there is none yet.
    pub fn make(&self) {
        let mut state = self.state();
        if let State::Missing(directory) = &*state {
            let (directory, options) = (directory.clone(), self.options());
            *state = State::Making(std::thread::spawn(move || Store::open(&directory, options)));
        }
    }

    fn opened(&self, result: Result<Store, StoreError>) -> State {
        match result {
            Ok(store) => State::Open(Box::new(store)),
            Err(error) if error.is_corrupt() => self.replaced(&error),
            Err(error) => {
                self.warn(format!("history is not available: {error}"));
                State::Closed
            }
        }
    }

    /// Sets a corrupt database aside, where nothing is lost, and makes a new one.
    fn replaced(&self, error: &StoreError) -> State {
        let Some(directory) = self.directory.clone().filter(|_| self.record) else {
            self.warn(format!("history is not available: {error}"));
            return State::Closed;
        };
        match Store::set_aside(&directory).and_then(|aside| Ok((aside, Store::open(&directory, Options::default())?))) {
            Ok((aside, store)) => {
                self.warn(format!("{error}; it was set aside as {} and a new one begun", aside.display()));
                State::Open(Box::new(store))
            }
            Err(second) => {
                self.warn(format!("history is not available: {error}; {second}"));
                State::Closed
            }
        }
    }

    /// Asks the store, where one is open; does not wait for one that is being made, since it is empty.
    pub fn recall<T>(&self, ask: impl FnOnce(&Store) -> Result<T, StoreError>) -> Option<T> {
        let mut state = self.state();
        self.read.store(true, Relaxed);
        let State::Open(store) = &*state else { return None };
        match ask(store) {
            Ok(answer) => Some(answer),
            Err(error) => {
                let next = if error.is_corrupt() { Some(self.replaced(&error)) } else { None };
                match next {
                    Some(next) => *state = next,
                    None => self.warn(format!("history could not be read: {error}")),
                }
                None
            }
        }
    }

    /// Writes to the store, waiting for one that is being made. Nothing is written where recording is off.
    pub fn write<T>(&self, tell: impl FnOnce(&Store) -> Result<T, StoreError>) -> Option<T> {
        if !self.record {
            return None;
        }
        self.settle();
        let mut state = self.state();
        let State::Open(store) = &*state else { return None };
        match tell(store) {
            Ok(answer) => Some(answer),
            Err(error) => {
                if error.is_corrupt() {
                    *state = self.replaced(&error);
                } else {
                    self.warn(format!("this run was not recorded: {error}"));
                }
                None
            }
        }
    }

    /// Waits for a store that is being made; says whether there is one to ask.
    pub fn settle(&self) -> bool {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, State::Closed) {
            State::Missing(directory) => self.opened(Store::open(&directory, self.options())),
            State::Making(thread) => thread.join().map_or(State::Closed, |result| self.opened(result)),
            settled => settled,
        };
        matches!(*state, State::Open(_))
    }

    /// Whether a store can be asked.
    pub fn is_open(&self) -> bool {
        matches!(*self.state(), State::Open(_))
    }

    /// Notes a warning.
    pub fn warn(&self, warning: String) {
        lock(&self.warnings).push(warning);
    }

    /// Takes the warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.warnings))
    }
}

/// Locks; what a panicking thread left behind is still whole, since every section only replaces values.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
