//! The runtime API of AWS Lambda (version 2018-06-01), served to one program that was written for it: a custom runtime,
//! whose file is called `bootstrap` by custom.
//!
//! The program asks for an event ([`Runtime`] hands it one), posts what came of it, and asks for the next. Here are the
//! protocol ([`api`]), the HTTP under it ([`http`]) and the threads that speak it ([`serve`]). Where the program runs, what
//! it may touch and how long it may take is the caller's: the executor, for a program that runs once, and the holder, for
//! one that waits between runs. Whatever the program sends is parsed as hostile, with bounds.
#![forbid(unsafe_code)]

pub mod api;
pub mod http;
pub mod serve;
mod variables;

pub use api::{Event, FunctionError, MOST_PAYLOAD, Outcome, Ready};
pub use serve::{Peers, Runtime};
pub use variables::{ADDRESS, Function, PORT, address, variables};
