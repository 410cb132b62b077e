//! What stays warm between runs: a resident holder, one per user, behind a private socket.
//!
//! The holder runs no code of guests itself. What it holds of a program ([`program`]) is, by kind: of Python a *zygote* in
//! a sandbox of its own (`python/`), which has imported what the program imports and forks a process per run;
//! of WebAssembly a *stand* (`wasm/`), which has mapped and linked the program; of native programs a process that waits to execute them, or for events
//! (`native/`). What all
//! kinds have in common is in `holding`; all that is held, and who may have it, in `shelf`; the socket in front of it in
//! [`daemon`], its other end in [`client`]. Both ends check whom they speak with ([`place`]). Nothing is chosen here: what
//! is to be warm is the caller's word. Called by the orchestrator (client) and the binary (daemon); it knows no engine, so
//! that it stays small.
#![forbid(unsafe_code)]

pub mod client;
pub mod daemon;
mod holding;
mod line;
pub mod native;
pub mod place;
pub mod program;
pub mod protocol;
mod python;
mod room;
mod shelf;
mod stamps;
mod walls;
pub mod wasm;
mod wire;

pub use client::Holder;
pub use daemon::{Settings, serve};
pub use native::run::{NativeBegun, NativeEnd, NativeRun, NativeStarted, Terms};
pub use native::{NativeExecution, NativeLimits, NativePlace, NativeProgram};
pub use place::Place;
pub use program::{Program, Rung};
pub use protocol::{Climb, Held, RungStep};
pub use python::PythonProgram;
pub use python::run::{Run, Started};
pub use room::Room;
pub use stamps::{FileStamp, of_metadata as stamp_of};
pub use walls::Walls;
pub use wasm::run::{Asked, Begun, End, Started as StartedWasm, end};
pub use wasm::{Errand, Over, WasmProgram, Word};
pub use wire::MOST_DESCRIPTORS;
