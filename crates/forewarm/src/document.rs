//! What commands return: data to be shown, no matter how.

use std::path::PathBuf;

use forewarm_executor::artifacts::ArtifactInfo;
use forewarm_orchestrator::{Check, Emulation, HistoryRow, Kept, Report, Warmed};
use forewarm_resources::ResourceModel;
use forewarm_types::model::RunModel;
use forewarm_types::{Analysis, Bytes, Plan};

/// The result of a command.
#[derive(Debug)]
pub enum Document {
    /// Of `analyze`.
    Analysis {
        /// The program.
        file: PathBuf,
        /// What it needs.
        analysis: Box<Analysis>,
    },
    /// Of `plan`.
    Plan {
        /// The program.
        file: PathBuf,
        /// The decision.
        plan: Box<Plan>,
        /// Show how it came about.
        explain: bool,
        /// The run-time model of each tier, where that is to be shown.
        models: Vec<RunModel>,
    },
    /// Of `emulate`.
    Emulation {
        /// The program.
        file: PathBuf,
        /// Analysis, trial and plan.
        emulation: Box<Emulation>,
    },
    /// Of `run --verbose`.
    Report {
        /// The program.
        file: PathBuf,
        /// Plan, observation and score.
        report: Box<Report>,
    },
    /// Of `run --invoke`: what the function returned.
    Results(Vec<String>),
    /// Of `resources`.
    Resources {
        /// Of this machine.
        model: Box<ResourceModel>,
        /// Other machines that are known.
        nodes: Vec<ResourceModel>,
    },
    /// Of `resources import`.
    Imported {
        /// The exported file.
        file: PathBuf,
        /// The other machine it is of.
        node: Option<String>,
    },
    /// Of `resources forget`.
    ForgottenNode(String),
    /// Of `history`.
    History(Vec<HistoryRow>),
    /// Of `history forget`: how many runs.
    Forgotten(u64),
    /// Of `cache list`.
    Cached(Vec<ArtifactInfo>),
    /// Of `cache prune`: how much was freed.
    Pruned(Bytes),
    /// Of `warm`.
    Warmed(Vec<Warmed>),
    /// Of `warm --list`.
    Held(Vec<Kept>),
    /// Of `warm --drop`: how many.
    Dropped(usize),
    /// Of `doctor`.
    Doctor(Vec<Check>),
    /// Of `config default` and `completions`: a text that is its own rendering, with its key in JSON.
    Verbatim {
        /// `configuration`, `script` or `page`.
        key: &'static str,
        /// The text.
        text: String,
    },
    /// Of `config path`.
    Path(PathBuf),
    /// Of `man --out` and `resources export FILE`.
    Written(Vec<PathBuf>),
}
