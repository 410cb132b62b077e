//! What programs are like before anything is known of one: the planner's priors, and what a trial adds.

use forewarm_types::CodeKind;
use serde::{Deserialize, Serialize};

use crate::{Figure, defaults};

/// Priors over programs and over their return.
///
/// A median and a deviation on the log scale rather than a mean: run times are so heavy-tailed that their mean says
/// nothing of any program (Harchol-Balter 1994 finds Unix process lifetimes Pareto with exponent near -1, whose mean
/// is infinite).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Median CPU seconds of a run on the fastest tier.
    pub run_median_seconds: Figure,
    /// Standard deviation of the natural logarithm of that time.
    pub run_log_deviation: Figure,
    /// Wall seconds a process of our own takes to start and to end, which no plan changes.
    pub process_seconds: Figure,
    /// Wall seconds it takes to start a detached process.
    #[serde(default = "defaults::spawn_seconds")]
    pub spawn_seconds: Figure,
    /// With which exponent a run's values (time, operators, memory) grow in a number among its arguments.
    #[serde(default = "defaults::growth_with_numbers", skip_serializing_if = "Figure::is_default")]
    pub growth_with_numbers: Figure,
    /// The same in bytes, of arguments or of input.
    #[serde(default = "defaults::growth_with_bytes", skip_serializing_if = "Figure::is_default")]
    pub growth_with_bytes: Figure,
    /// Further runs expected of a code seen for the first time.
    pub expected_reuses: Figure,
    /// Seconds an artifact is held for its next use.
    pub artifact_hold_seconds: Figure,
    /// Programs that are processes of their own.
    #[serde(default, skip_serializing_if = "Processes::is_default")]
    pub processes: Processes,
}

/// What programs are like that are processes of their own, before anything is known of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Processes {
    /// Wall seconds from the decision to a program's execution: forking, namespaces, the file system, filters.
    pub spawn_seconds: Figure,
    /// Native programs.
    pub native: Own,
    /// Python programs.
    pub python: Own,
}

/// What programs use beyond their start, of which their libraries tell ([`crate::ProcessCosts::start`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Median CPU seconds.
    pub seconds: Figure,
    /// Standard deviation of the natural logarithm of these.
    pub seconds_log_deviation: Figure,
    /// Median resident bytes.
    pub bytes: Figure,
    /// Standard deviation of the natural logarithm of these.
    pub bytes_log_deviation: Figure,
}

impl Processes {
    /// Programs of a kind.
    #[must_use]
    pub fn of(&self, kind: CodeKind) -> &Own {
        if kind == CodeKind::Python { &self.python } else { &self.native }
    }

    /// The same, to refine.
    pub fn of_mut(&mut self, kind: CodeKind) -> &mut Own {
        if kind == CodeKind::Python { &mut self.python } else { &mut self.native }
    }

    /// All figures, always in the same order.
    pub(crate) fn figures_mut(&mut self) -> [&mut Figure; 9] {
        let Self { spawn_seconds, native, python } = self;
        [
            spawn_seconds,
            &mut native.seconds,
            &mut native.seconds_log_deviation,
            &mut native.bytes,
            &mut native.bytes_log_deviation,
            &mut python.seconds,
            &mut python.seconds_log_deviation,
            &mut python.bytes,
            &mut python.bytes_log_deviation,
        ]
    }

    /// Whether nothing of it was learned.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Processes {
    fn default() -> Self {
        defaults::processes()
    }
}

/// Factors by which counting operators slows a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metering {
    /// On compile time.
    pub compile_factor: Figure,
    /// On run time.
    pub run_factor: Figure,
    /// On the run time of code that the engine meters, since it cannot be rewritten.
    #[serde(default = "defaults::fuel_run_factor")]
    pub fuel_run_factor: Figure,
    /// What independent operators take over what dependent ones take on a core that no other thread shares: where one does, it is larger,
    /// and nothing short is worth timing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unshared_ratio: Option<Figure>,
}

impl Default for Workload {
    fn default() -> Self {
        defaults::workload()
    }
}

impl Default for Metering {
    fn default() -> Self {
        defaults::metering()
    }
}
