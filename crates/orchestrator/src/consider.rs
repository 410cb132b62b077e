//! The first half of the loop: what the program is, what it will need, and what the past says of it.

use std::sync::Arc;

use forewarm_analyzer::{AnalyzeError, Depth};
use forewarm_resources::ResourceModel;
use forewarm_types::{Analysis, Bytes, Corrections, Digest, Features, Observation, ReuseStatistics};

use crate::error::Error;
use crate::features::features;
use crate::program::{Program, digest_of};
use crate::request::Request;
use crate::{ANALYZER_VERSION, Orchestrator};

/// Past runs of a code that the learner is shown, newest first. Its estimators weigh by recency, so that older runs
/// would change nothing that can be seen, and reading more would cost time before the first instruction.
const RECENT: u32 = 64;

/// Everything known of an invocation before it is planned.
pub(crate) struct Considered {
    pub program: Program,
    pub analysis: Analysis,
    pub known: bool,
    pub features: Features,
    pub past: Vec<Observation>,
    pub reuse: ReuseStatistics,
    pub corrections: Corrections,
    pub resources: ResourceModel,
}

impl Orchestrator {
    /// Opens, recognises or analyses the program, and recalls its past.
    pub(crate) fn consider(&self, request: &Request) -> Result<Considered, Error> {
        let mut program = Program::open(&request.file, self.clock.unix())?;
        let remembered = self.recognise(&mut program);
        let known = remembered.is_some();
        let analysis = match remembered {
            Some(analysis) => analysis,
            None => self.inspect(&mut program, Depth::Run)?,
        };
        let digest = analysis.code.digest;
        let salt = self.memory.recall(forewarm_store::Store::salt).unwrap_or_default();
        let features = features(request, &salt);
        let now = self.clock.unix().0;
        let past = self.memory.recall(|store| store.recent(&digest, RECENT)).unwrap_or_default();
        let reuse = self.memory.recall(|store| store.reuse(&digest, now)).unwrap_or_default();
        let corrections = forewarm_learner::corrections(&past, &features, &reuse);
        Ok(Considered { program, analysis, known, features, past, reuse, corrections, resources: self.resources() })
    }

    /// The analysis remembered for the file's stamp, if it is trusted.
    fn recognise(&self, program: &mut Program) -> Option<Analysis> {
        let stamp = *program.stamp()?;
        let digest = self.memory.recall(|store| store.digest_of(&stamp))??;
        let analysis = self.remembered(&digest)?;
        program.recognise(digest, analysis.code.kind);
        Some(analysis)
    }

    fn remembered(&self, digest: &Digest) -> Option<Analysis> {
        let text = self.memory.recall(|store| store.analysis(digest, ANALYZER_VERSION))??;
        serde_json::from_str(&text).ok()
    }

    /// Reads, digests and analyses a program; digest and analysis side by side, since both walk all its bytes.
    pub(crate) fn inspect(&self, program: &mut Program, depth: Depth) -> Result<Analysis, Error> {
        let started = self.clock.monotonic();
        let bytes = program.read()?;
        let binary = forewarm_analyzer::binary(&bytes).map_err(|error| invalid(program, &error))?;
        let size = Bytes(bytes.len() as u64);
        let (digest, analysis) =
            rayon::join(|| digest_of(&bytes), || forewarm_analyzer::analyze(&binary, Digest([0; 32]), size, depth));
        let mut analysis = analysis.map_err(|error| invalid(program, &error))?;
        analysis.code.digest = digest;
        analysis.seconds = (self.clock.monotonic() - started).0;
        let binary = match binary {
            std::borrow::Cow::Owned(translated) => Arc::from(translated),
            std::borrow::Cow::Borrowed(_) => Arc::from(bytes),
        };
        program.identify(digest, analysis.code.kind, binary);
        Ok(analysis)
    }
}

/// An analyzer's error with the file it concerns.
pub(crate) fn invalid(program: &Program, error: &AnalyzeError) -> Error {
    Error::Invalid { file: program.path().to_owned(), cause: error.to_string(), hint: error.hint() }
}
