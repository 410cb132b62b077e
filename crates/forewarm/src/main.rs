//! Decides before a program runs what it will need, warms that place, runs it there, and learns
fn main() {}
