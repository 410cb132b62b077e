//! Ctrl-C and its like end a run at once, and the run is on record as cut short.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::io::Read;
use std::process::Stdio;

use common::{Home, eventually, programs};
use rustix::process::{Pid, Signal, kill_process};

/// Starts a program that never ends, waits until it runs, sends the signal; wants the code and the record.
fn check(signal: Signal, code: i32, flags: &[&str]) -> Home {
    let home = Home::new();
    home.write("endless.wat", programs::ENDLESS);
    let line = [&["run"], flags, &["endless.wat"]].concat();
    let mut child = home.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    assert_eq!(&ready, b"ready\n");
    kill_process(Pid::from_child(&child), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(code));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "the user knows what he did");
    home.assert_intact();
    eventually("the run is on record", || home.history().len() == 1);
    let exit = home.history()[0]["exit"].clone();
    assert_eq!(exit["cause"], "interrupted");
    assert_eq!(exit["signal"], code - 128);
    home
}

#[test]
fn ctrl_c() {
    check(Signal::INT, 130, &[]);
}

#[test]
fn termination_and_hang_up() {
    check(Signal::TERM, 143, &["--timeout", "1h"]);
    check(Signal::HUP, 129, &["--tier", "cranelift"]);
}

#[test]
fn an_interrupted_run_leaves_a_report() {
    let home = check(Signal::INT, 130, &["--report", "report.json"]);
    let report = common::document(&std::fs::read(home.path("report.json")).unwrap());
    assert_eq!(report["observation"]["exit"]["cause"], "interrupted");
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    let home = Home::new();
    let file = home.write("endless.wat", programs::ENDLESS);
    let script = "trap '' HUP; exec \"$0\" run --timeout 2s \"$1\"";
    let arguments = ["-c".as_ref(), script.as_ref(), env!("CARGO_BIN_EXE_forewarm").as_ref(), file.as_os_str()];
    let mut child = home.any("bash", arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut ready = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(124), "it ran on until its time limit");
}
