//! Planning: belief, candidates, cost, choice. Pure functions of their inputs: no I/O, no clock, no randomness.
//!
//! [`believe`] joins analysis, resource model and history into what is thought of the run to come; [`next_probe`] says
//! whether a trial would be worth its price; [`candidates`] enumerates and prices every allocation; [`choose`] takes
//! the cheapest and explains it; [`preparation`] says which artifact to make for later runs. Called by the
//! orchestrator in that order.
//!
//! # Deciding under heavy tails
//! The run time of code never seen is uncertain by orders of magnitude, and run times over programs are so heavy-tailed
//! (Harchol-Balter, UCB/CSD-94-826, 1994: `P[T > t] = 1/t`) that a mean says nothing: by mean cost the optimising
//! compiler would always win, though most programs end long before it has compiled them. What users feel is the ratio
//! to the best that could have been chosen, over many programs; so the planner minimises the expected *logarithm* of
//! cost (Bernoulli 1738, Kelly 1956). [`risk`] shows how that is done with terms that still add up.
#![forbid(unsafe_code)]

pub mod belief;
pub mod candidates;
pub mod choose;
pub mod cost;
mod distribution;
pub mod elsewhere;
mod explain;
pub mod files;
mod foretold;
pub mod information;
mod memory;
pub mod probes;
pub mod process;
#[cfg(test)]
mod properties;
pub mod risk;
pub mod rules;
pub mod run_time;
pub mod scaling;
mod seen;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod warmth;
pub mod weights;

pub use belief::{Belief, Constraints, Inputs, believe};
pub use candidates::{Candidates, candidates};
pub use choose::{ChooseError, choose};
pub use files::{AbsentFiles, noting_pays};
pub use probes::{ProbeKind, ProbeMode, TrialProbe, next_probe};
pub use process::plan_process;
pub use risk::break_even_seconds;
pub use seen::TimedRun;
pub use warmth::{artifact_wait, preparation};
pub use weights::{weights, weights_of_run};
