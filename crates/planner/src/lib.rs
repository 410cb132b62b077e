//! Planning: belief, candidates, cost, choice. Pure functions of their inputs: no I/O, no clock, no randomness.
#![forbid(unsafe_code)]
