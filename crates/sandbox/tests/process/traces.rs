//! What a run leaves, and how signals, stops and ends pass between the supervisor and its program.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::room::{Ran, Room, rooms};
use rustix::process::{Pid, Signal, kill_process};

/// Starts a script that says when it is ready, and waits for that.
fn started(room: &Room, script: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    started_with(room, &["--quiet"], script)
}

fn started_with(room: &Room, flags: &[&str], script: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = room.command(flags, &["/bin/sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, reader)
}

/// The supervisor among the processes of a command that may have been started by `setpriv`, which becomes it.
fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), signal).unwrap();
}

fn state(child: &Child) -> String {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    stat.rsplit_once(") ").unwrap().1[..1].to_owned()
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never happened: {what}");
}

#[test]
fn killing_the_supervisor_takes_everything_along() {
    for room in rooms("killing_the_supervisor") {
        // Without namespaces too: the init notices, and ends one by one what came to it.
        for flags in [&["--quiet"][..], &["--quiet", "--plain"]] {
            let script = "(setsid sh -c 'sleep 100 & sleep 100' &); sleep 100 & echo ready; sleep 100";
            let (mut child, _out) = started_with(&room, flags, script);
            child.kill().unwrap();
            child.wait().unwrap();
            room.assert_gone();
        }
    }
}

#[test]
fn signals_reach_the_program_once() {
    for room in rooms("signals") {
        let script = "trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.01; done";
        let (mut child, out) = started(&room, script);
        signal(&child, Signal::TERM);
        assert_eq!(child.wait().unwrap().code(), Some(5));
        assert_eq!(out.lines().map_while(Result::ok).collect::<Vec<_>>(), ["got"]);
        let (mut child, _out) = started(&room, "echo ready; exec sleep 100");
        signal(&child, Signal::INT);
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
}

#[test]
fn the_supervisor_stops_and_goes_on_with_its_program() {
    for room in rooms("stops") {
        let (mut child, _out) = started(&room, "trap 'exit 6' USR1; echo ready; while :; do sleep 0.01; done");
        signal(&child, Signal::TSTP);
        wait_for("stopped", || state(&child) == "T");
        signal(&child, Signal::CONT);
        wait_for("goes on", || state(&child) != "T");
        signal(&child, Signal::USR1);
        assert_eq!(child.wait().unwrap().code(), Some(6));
        // A program that stops itself stops its supervisor, so that the shell notices.
        let (mut child, _out) = started(&room, "echo ready; kill -STOP $$; exit 8");
        wait_for("stopped by itself", || state(&child) == "T");
        signal(&child, Signal::CONT);
        assert_eq!(child.wait().unwrap().code(), Some(8));
    }
}

#[test]
fn many_runs_leave_nothing() {
    let groups = || {
        let found = std::process::Command::new("find").args(["/sys/fs/cgroup", "-name", "forewarm-*"]).output();
        found.map_or(0, |found| found.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count())
    };
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count();
    for room in rooms("many_runs") {
        let before = mounts();
        for round in 0..30 {
            let flags: &[&str] = if round % 10 == 0 { &["--groups", "--memory", "100000000"] } else { &[] };
            let ran = room.run(flags, &["/bin/sh", "-c", "echo x > /tmp/file; sleep 100 & exit 4"]);
            assert_eq!(ran.code, 4, "{ran:?}");
        }
        room.assert_gone();
        assert_eq!(mounts(), before);
        // Other tests make groups at the same time; those of this one are gone.
        wait_for("no groups are left", || groups() <= 2);
    }
}

#[test]
fn what_cannot_be_executed_is_told() {
    for room in rooms("what_cannot_be_executed") {
        let ran = room.run(&[], &["/no/such/program"]);
        assert!(ran.code == 125 && ran.stderr.contains("No such file"), "{ran:?}");
        let ran = room.run(&[], &["/etc/passwd"]);
        assert!(ran.code == 125 && ran.stderr.contains("Permission denied"), "{ran:?}");
    }
}

#[test]
fn what_was_used_is_measured() {
    for room in rooms("what_was_used") {
        for flags in [&[][..], &["--plain"]] {
            // The work is done by a child, and by a fixed number of steps: how long that takes depends on the load.
            let script = "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'";
            let used = |ran: &Ran| {
                let seconds = |name: &str| {
                    let after = ran.stderr.split_once(&format!("{name}: Seconds(")).map_or("", |(_, after)| after);
                    after.split_once(')').and_then(|(number, _)| number.parse::<f64>().ok()).unwrap()
                };
                // The kernel counts both together exactly, and guesses by the ticks of its clock which is which.
                seconds("user") + seconds("system")
            };
            let ran = room.run(flags, &["/bin/sh", "-c", &format!("{script}; exit 0")]);
            assert!(used(&ran) > 0.01, "a child's time counts: {ran:?}");
            assert!(ran.stderr.contains("run_delay: Some"), "{ran:?}");
            let flags = [flags, &["--wall", "1500"]].concat();
            let ran = room.run(&flags, &["/bin/sh", "-c", &format!("{script}; sleep 100 & sleep 100")]);
            assert!(
                ran.cause() == "Wall" && used(&ran) > 0.01,
                "what is ended at its limit has used something: {ran:?}"
            );
        }
    }
}

#[test]
fn this_process_listens_in_the_programs_network() {
    /// Unlikely to be another's.
    const PORT: &str = "47011";
    if !std::path::Path::new("/bin/bash").exists() {
        return crate::room::skip("this_process_listens", "there is no bash to connect with");
    }
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{PORT} || exit 3; read -r word <&3; echo \"got $word\"; echo thanks >&3; sleep 100"
    );
    for room in rooms("this_process_listens") {
        let ran = room.run(&["--port", PORT], &["/bin/bash", "-c", &script]);
        assert!(ran.stdout == "got hello\n" && ran.stderr.contains("answered thanks after "), "{ran:?}");
        assert!(!ran.stderr.contains("after 0 faults") && ran.cause() == "Signalled(9)", "{ran:?}");
        room.assert_gone();
        // Where the program has the host's network or no namespaces, there is none, and who asked is told.
        for flags in [&["--net", "--port", PORT], &["--plain", "--port", PORT]] {
            let ran = room.run(flags, &["/bin/bash", "-c", &format!("sleep 0.2; {script}")]);
            assert!(ran.code == 3 && ran.stderr.contains("no listener"), "{ran:?}");
        }
    }
}
