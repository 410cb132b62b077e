//! Programs in the sandbox: hostile ones contained, all of them measured, nothing left behind.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod background;
mod hostile;
mod launcher;
mod room;
mod traces;
