//! The first half of the loop: what the program is, what it will need, and what the past says of it.

use std::sync::Arc;

use forewarm_analyzer::{AnalyzeError, Depth};
use forewarm_executor::Ahead;
use forewarm_resources::ResourceModel;
use forewarm_store::{Known, Store};
use forewarm_types::{Analysis, Bytes, CodeKind, Corrections, Digest, Features, PastRun, ReuseStatistics, Tier};

use crate::error::Error;
use crate::features::features;
use crate::program::{Program, digest_of, translated};
use crate::request::Request;
use crate::script;
use crate::{ANALYZER_VERSION, Moment, Orchestrator};

/// Past runs of a code that the learner is shown, newest first. Its estimators weigh by recency, so that older runs
/// would change nothing that can be seen, and reading more would cost time before the first instruction.
const RECENT: u32 = 32;

/// Files from this size on are digested beside their analysis: a digest takes 0.56 ms per MB with the processor's SHA
/// extensions (see `forewarm resources`), a thread about 0.1 ms to start.
const DIGEST_BESIDE: usize = 256 << 10;

/// Everything known of an invocation before it is planned.
pub(crate) struct Considered {
    pub began: Moment,
    pub program: Program,
    pub analysis: Analysis,
    /// Whether the file's digest and analysis were remembered, so that it was not read.
    pub known: bool,
    pub features: Features,
    /// Whether the features' hash is keyed with this database's salt; not so while the database is being made.
    pub keyed: bool,
    pub past: Vec<PastRun>,
    pub reuse: ReuseStatistics,
    pub corrections: Corrections,
    pub resources: ResourceModel,
    /// The text from which `resources` was read, where a model was stored.
    pub model: Option<String>,
    /// Its artifact, being mapped already.
    pub ahead: Option<Ahead>,
    /// For how many seconds at most the run's end is to wait for its artifact to be written.
    pub artifact_wait: Option<f64>,
}

impl Considered {
    /// Notes that a tier turned out unable to compile the program, as code that a first sight did not reach may make it;
    /// whether that is news and leaves another plan to be made.
    pub(crate) fn learn_unsupported(&mut self, request: &Request, tier: Tier, cause: &str) -> bool {
        let open = request.plan.is_none() && request.overrides.tier.is_none();
        let news = self.analysis.profile.compile.unsupported.insert(tier, cause.to_owned()).is_none();
        // So that the analysis is stored again.
        self.known = false;
        open && news
    }
}

impl Orchestrator {
    /// Opens, recognises or analyses the program, and recalls its past.
    pub(crate) fn consider(&self, request: &Request) -> Result<Considered, Error> {
        self.consider_by(request, false, Self::inspect_any)
    }

    /// The same of a program that runs whether or not it can be analysed; with `here`, in this process, so that its
    /// artifact may be mapped meanwhile.
    pub(crate) fn consider_to_run(&self, request: &Request, here: bool) -> Result<Considered, Error> {
        self.consider_by(request, here, Self::inspect_to_run)
    }

    fn consider_by(
        &self,
        request: &Request,
        map_ahead: bool,
        inspect: impl Fn(&Self, &mut Program, &Request) -> Result<Analysis, Error>,
    ) -> Result<Considered, Error> {
        crate::samples::check(request)?;
        let began = self.begin();
        let now = self.clock.unix();
        let mut program = Program::open(&request.file, now)?;
        let stamp = program.stamp().filter(|_| map_ahead);
        let ahead = stamp.and_then(|stamp| self.executor.map_ahead(&stamp.to_string()));
        let remembered = program
            .stamp()
            .copied()
            .and_then(|stamp| self.memory.recall(|store| store.look_up(&stamp, ANALYZER_VERSION, RECENT, now.0)))
            .and_then(|recalled| Some((remembered_analysis(&recalled)?, recalled)))
            .filter(|(analysis, _)| crate::process::answers(analysis, request));
        let known = remembered.is_some();
        let (analysis, recalled) = match remembered {
            Some((analysis, recalled)) => {
                program.recognise(analysis.code.digest, analysis.code.kind);
                (analysis, Some(recalled))
            }
            None => {
                // A core that digests is not asked to make a database meanwhile.
                if program.size() < DIGEST_BESIDE as u64 {
                    self.memory.make();
                }
                forewarm_sandbox::allocator::expect_bulk();
                let analysis = inspect(self, &mut program, request)?;
                self.memory.make();
                let digest = analysis.code.digest;
                let recall = |store: &Store| store.look_up_code(&digest, ANALYZER_VERSION, RECENT, now.0);
                let recalled = self.memory.recall(recall);
                // What runs of another copy have taught of it stands.
                let taught =
                    recalled.as_ref().filter(|_| !analysis.code.kind.is_process()).and_then(remembered_analysis);
                (taught.unwrap_or(analysis), recalled)
            }
        };
        let keyed = recalled.is_some();
        let resources = self.resource_model(recalled.as_ref().and_then(|recalled| recalled.model.as_deref()));
        let (past, reuse, salt, model) = recalled
            .map_or_else(Default::default, |recalled| (recalled.recent, recalled.reuse, recalled.salt, recalled.model));
        let features = features(request, &salt);
        let corrections = forewarm_learner::corrections(&past, &features, &reuse);
        Ok(Considered {
            began,
            program,
            analysis,
            known,
            features,
            keyed,
            past,
            reuse,
            corrections,
            resources,
            model,
            ahead,
            artifact_wait: None,
        })
    }

    /// Keys the features' hash with the salt of a database that was still being made when they were taken, so that the
    /// next run with the same input finds this one.
    pub(crate) fn key(&self, considered: &mut Considered, request: &Request) {
        if considered.keyed || !self.memory.settle() {
            return;
        }
        if let Some(salt) = self.memory.recall(Store::salt) {
            considered.features = features(request, &salt);
            considered.keyed = true;
        }
    }

    /// Reads and digests a program without analysing it.
    pub(crate) fn identify(&self, program: &mut Program) -> Result<(), Error> {
        let bytes = program.read()?;
        not_python(program, &bytes)?;
        let translated = translated(&bytes).map_err(|error| invalid(program, &error))?;
        let digest = digest_of(&bytes);
        let binary = translated.unwrap_or(bytes);
        let kind = forewarm_analyzer::kind(&binary).map_err(|error| invalid(program, &error))?;
        not_native(program, kind)?;
        program.identify(digest, kind, Arc::new(binary));
        Ok(())
    }

    /// Digests and analyses a program's bytes, side by side, since both walk all of them.
    pub(crate) fn inspect_bytes(&self, program: &mut Program, bytes: Vec<u8>, depth: Depth) -> Result<Analysis, Error> {
        let started = self.clock.monotonic();
        if let Some(interpreter) = script::interpreter(&bytes) {
            let mut analysis = script::analyze(program, &bytes, &interpreter, depth)?;
            analysis.seconds = (self.clock.monotonic() - started).0;
            return Ok(analysis);
        }
        let translated = translated(&bytes).map_err(|error| invalid(program, &error))?;
        let binary = translated.as_deref().unwrap_or(&bytes);
        let size = Bytes(bytes.len() as u64);
        let analyze = || forewarm_analyzer::analyze(binary, Digest([0; 32]), size, depth);
        let (digest, analysis) = beside(bytes.len() >= DIGEST_BESIDE, || digest_of(&bytes), analyze);
        let mut analysis = analysis.map_err(|error| invalid(program, &error))?;
        analysis.code.digest = digest;
        crate::native::find_libraries(&mut analysis, program.path());
        analysis.seconds = (self.clock.monotonic() - started).0;
        program.identify(digest, analysis.code.kind, Arc::new(translated.unwrap_or(bytes)));
        Ok(analysis)
    }
}

/// The remembered analysis of a remembered code, unless it was written by another version.
fn remembered_analysis(recalled: &Known) -> Option<Analysis> {
    recalled.digest?;
    serde_json::from_str(recalled.analysis.as_deref()?).ok()
}

/// Both results; with `parallel`, the first computed by a thread of its own.
fn beside<A: Send, B>(parallel: bool, first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    if !parallel {
        return (first(), second());
    }
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        match first.join() {
            Ok(first) => (first, second),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Refuses native programs, which nothing is compiled of.
fn not_native(program: &Program, kind: CodeKind) -> Result<(), Error> {
    if kind != CodeKind::Elf {
        return Ok(());
    }
    Err(Error::Invalid {
        file: program.path().to_owned(),
        cause: "a native program needs no artifact".to_owned(),
        hint: None,
    })
}

/// Refuses Python, which nothing is compiled of.
fn not_python(program: &Program, bytes: &[u8]) -> Result<(), Error> {
    if !forewarm_analyzer::is_python(program.file_name(), bytes) {
        return Ok(());
    }
    Err(Error::Invalid {
        file: program.path().to_owned(),
        cause: "a Python program needs no artifact".to_owned(),
        hint: None,
    })
}

/// An analyzer's error with the file it concerns.
pub(crate) fn invalid(program: &Program, error: &AnalyzeError) -> Error {
    Error::Invalid { file: program.path().to_owned(), cause: error.to_string(), hint: error.hint() }
}
