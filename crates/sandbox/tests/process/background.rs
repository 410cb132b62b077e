//! Leaving the session, in a process of its own that leads no group: the test runs itself.

use std::process::Command;

use forewarm_sandbox::background::leave_session;

use crate::room;

#[test]
fn a_session_of_its_own_claims_least() {
    const LEAVES: &str = "FOREWARM_TEST_LEAVES_ITS_SESSION";
    let group = || std::fs::read_to_string("/proc/self/autogroup");
    if std::env::var_os(LEAVES).is_some() {
        leave_session().unwrap();
        assert!(group().unwrap().contains("nice 19"));
        return;
    }
    let name = "a_session_of_its_own_claims_least";
    if group().is_err() {
        return room::skip(name, "this kernel does not schedule sessions as groups");
    }
    let itself = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("background::{name}")])
        .env(LEAVES, "yes")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&itself.stdout);
    assert!(itself.status.success() && said.contains("1 passed"), "{said}");
}
