//! What is done before a plan is made, by what the last one said: an artifact mapped beside the look-up and the planning; a
//! process that is executed beside them, where its plan has nothing to say of that.
//!
//! What ran last is what a plan will most likely choose again. Which code a file is, the cache remembers by the file's stamp,
//! so that the database need not be asked first. It is a guess and no more: what is mapped is checked like any artifact, and
//! taken only by a lease for this very code, tier and level; else it is let go, and an idle core has worked for nothing.
//! Called by the orchestrator; taken by [`crate::lease`].

use std::sync::Arc;
use std::thread::JoinHandle;

use forewarm_sandbox::affinity;
use forewarm_sandbox::clock::thread_cpu;
use forewarm_types::host::Clock;
use forewarm_types::{Configuration, Digest, IsaLevel, ProcessSettings, Step, StepTiming, Tier};

use crate::artifacts::ArtifactCache;
use crate::lease::Executor;
use crate::wasm::load::kind_of;
use crate::wasm::{Compiled, Engine, EngineSettings};

/// Artifacts from this size on are mapped ahead: a thread takes some 0.1 ms to start and as much to begin, mapping 0.05 ms and
/// as much again per MiB of artifact (`cargo xtask bench stages`, the transitions of known programs).
const FROM: u64 = 2 << 20;

/// An artifact that is being mapped.
pub struct Ahead {
    digest: Digest,
    tier: Tier,
    isa: IsaLevel,
    mapping: JoinHandle<Option<Mapped>>,
}

/// What mapping gives: an engine, the code, and how long it took.
pub(crate) type Mapped = (Engine, Compiled, StepTiming);

impl Executor {
    /// Begins to map the artifact that was used last of the code that a file of this stamp was, where that is remembered, it
    /// is large enough to be worth a thread, and there is a second core to do it.
    #[must_use]
    pub fn map_ahead(&self, stamp: &str) -> Option<Ahead> {
        let artifacts = Arc::clone(self.artifacts.as_ref()?);
        let digest = artifacts.noted(stamp)?.parse().ok()?;
        let (tier, isa) = artifacts.last_used(&digest, FROM)?;
        if affinity::allowed().map_or(1, |cores| cores.len()) < 2 {
            return None;
        }
        let clock = Arc::clone(&self.clock);
        let body = move || map(&artifacts, &digest, tier, isa, clock);
        let mapping = std::thread::Builder::new().name("map ahead".to_owned()).spawn(body).ok()?;
        Some(Ahead { digest, tier, isa, mapping })
    }

    /// Remembers for [`Self::map_ahead`] which code a file of this stamp is, after a run that climbed these steps, where its
    /// artifact is large enough.
    pub fn remember_for_ahead(&self, stamp: &str, digest: &Digest, steps: &[StepTiming]) {
        let large = |step: &StepTiming| matches!(step.step, Step::Map | Step::Persist) && step.bytes.0 >= FROM;
        if let Some(artifacts) = self.artifacts.as_ref().filter(|_| steps.iter().any(large)) {
            // What cannot be remembered costs the next run a fraction of a millisecond.
            let _ = artifacts.note(stamp, Some(&digest.hex()));
        }
    }
}

/// What is noted of files whose runs can begin before they are planned, before how they are planned for.
const PLAIN: &str = "plain ";

impl Executor {
    /// Whether the last plan of a file of this stamp, planned for as this says, left nothing to be told to the program or laid on
    /// it before it begins.
    #[must_use]
    pub fn is_plain(&self, stamp: &str, planning: &str) -> bool {
        let noted = self.artifacts.as_ref().and_then(|artifacts| artifacts.noted(stamp));
        noted.is_some_and(|noted| noted.strip_prefix(PLAIN) == Some(planning))
    }

    /// Notes for [`Self::is_plain`] what a configuration says.
    pub fn note_plain(&self, stamp: &str, planning: &str, configuration: &Configuration) {
        let plain = configuration
            .process()
            .is_some_and(|settings| ProcessSettings { read_ahead: false, ..settings } == ProcessSettings::default());
        let whole = configuration.placement().is_some_and(|placement| placement.share >= 1.0);
        if let Some(artifacts) = &self.artifacts {
            // What cannot be noted costs the next run a millisecond.
            let _ = artifacts.note(stamp, (plain && whole).then(|| format!("{PLAIN}{planning}")).as_deref());
        }
    }
}

impl Ahead {
    /// What was mapped, if it is this; waits for it.
    pub(crate) fn take(self, digest: &Digest, tier: Tier, isa: IsaLevel) -> Option<Mapped> {
        let this = (&self.digest, self.tier, self.isa) == (digest, tier, isa);
        // A panic of the engine there will come again here, where it is told.
        if this { self.mapping.join().ok().flatten() } else { None }
    }
}

fn map(artifacts: &ArtifactCache, digest: &Digest, tier: Tier, isa: IsaLevel, clock: Arc<dyn Clock>) -> Option<Mapped> {
    let began = thread_cpu();
    let found = artifacts.find(digest, tier, isa)?;
    let kind = kind_of(found.artifact())?;
    let settings = EngineSettings { tier, isa, metered: false, threads: 1 };
    let engine = Engine::new(settings, clock).ok()?;
    let (compiled, timing) = artifacts.load(found, &engine, kind)?;
    // Another thread is planning meanwhile, whose CPU time is not this step's.
    Some((engine, compiled, StepTiming { cpu_seconds: (thread_cpu() - began).0, ..timing }))
}
