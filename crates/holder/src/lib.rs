//! What stays warm between runs: a resident holder, one per user, behind a private socket.
//!
//! The holder ([`daemon`]) runs no code of guests itself. For each (code, environment, flags) it has a *zygote*: an
//! interpreter in a sandbox of its own ([`zygote`], `zygote.py`) that has imported what the program imports and forks a
//! process per run. Runs reach it through [`client`]; both ends of the socket check whom they speak with ([`place`]).
//! Nothing is chosen here: what is to be warm is the caller's word. Called by the orchestrator (client) and the binary
//! (daemon); it knows no engine, so that it stays small.
#![forbid(unsafe_code)]

pub mod client;
pub mod daemon;
pub mod place;
pub mod protocol;
mod stamps;
mod wire;
mod zygote;

pub use client::{Holder, Run, Started};
pub use daemon::{Settings, serve};
pub use place::Place;
pub use protocol::{Climb, Held, Program, Rung, RungStep, Walls};
