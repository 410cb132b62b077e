//! Programs at a terminal: signals from the keyboard, job control and window sizes reach them as in a shell.
//!
//! A shell is started on a pseudo-terminal of the test, and commands are typed into it. What is typed is echoed, so every
//! word that is waited for differs from what was typed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use common::{Home, MARK, eventually, living, skip};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A shell at a terminal.
struct Terminal {
    home: Home,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    shell: Child,
}

impl Terminal {
    /// `None`, said aloud, where the machine lacks what it needs.
    fn open(test: &str) -> Option<Self> {
        for tool in ["setsid", "bash", "stty"] {
            if Command::new(tool).arg("--version").stdout(Stdio::null()).status().is_err() {
                skip(test, &format!("there is no {tool}"));
                return None;
            }
        }
        let Ok(master) = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC) else {
            skip(test, "there are no pseudo-terminals");
            return None;
        };
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let home = Home::new();
        let mut command = home.any("setsid", ["--ctty", "--wait", "bash", "--norc", "--noprofile", "-i"]);
        command.env("forewarm", env!("CARGO_BIN_EXE_forewarm")).env("PS1", "$ ").env("TERM", "dumb");
        command.env(MARK, home.path(""));
        let stream = || slave.try_clone().unwrap();
        let shell = command.stdin(stream()).stdout(stream()).stderr(slave.try_clone().unwrap()).spawn().unwrap();
        let keyboard = File::from(master);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut reader, shown) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Some(Self { home, keyboard, screen, shell })
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen shows something, and forgets what came up to it.
    fn expect(&self, words: &str) -> String {
        let mut before = String::new();
        eventually(&format!("{words:?} on the screen: {}", self.screen.lock().unwrap()), || {
            let mut screen = self.screen.lock().unwrap();
            let Some(at) = screen.find(words) else { return false };
            before = screen.drain(..at + words.len()).collect();
            true
        });
        before
    }

    /// The exit status of the last command, as the shell has it.
    fn status(&mut self) -> i32 {
        self.number("$?")
    }

    /// A number that the shell prints for this expression.
    fn number(&mut self, expression: &str) -> i32 {
        self.press(&format!("printf 'num''ber:%d:\\n' {expression}\n"));
        self.expect("number:");
        self.expect(":").trim_end_matches(':').parse().unwrap()
    }

    /// Starts a job in the background that reads the terminal, which stops it.
    fn start_stopped(&mut self) {
        self.press("$forewarm run /bin/cat &\n");
        self.expect("[1]");
        self.press("\n");
        let mut jobs = String::new();
        eventually("the reader in the background stops", || {
            self.press("jobs; echo list''ed\n");
            jobs = self.expect("listed");
            jobs.contains("Stopped")
        });
    }

    /// Runs a shell script as a program, and waits for its word.
    fn start(&mut self, script: &str) {
        let file = self.home.write("script.sh", script);
        self.press(&format!("$forewarm run /bin/sh -- {}\n", file.display()));
        self.expect("ready");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[test]
fn ctrl_c_reaches_the_program_once() {
    let Some(mut terminal) = Terminal::open("ctrl_c") else { return };
    terminal
        .start("trap 'echo caught; n=$((n+1)); [ $n = 2 ] && exit 9' INT; echo ready; while :; do sleep 0.02; done");
    terminal.press("\x03");
    terminal.expect("caught");
    terminal.press("\x03");
    terminal.expect("caught");
    assert_eq!(terminal.status(), 9);
    terminal.start("echo ready; exec sleep 100");
    terminal.press("\x03");
    assert_eq!(terminal.status(), 130);
    terminal.start("echo ready; exec sleep 100");
    terminal.press("\x1c");
    assert_eq!(terminal.status(), 131);
}

#[test]
fn ctrl_z_stops_and_fg_goes_on() {
    let Some(mut terminal) = Terminal::open("ctrl_z") else { return };
    terminal.start("echo ready; read word; echo got:$word; exit 5");
    for _ in 0..2 {
        terminal.press("\x1a");
        terminal.expect("Stopped");
        assert_eq!(terminal.status(), 148, "128 and SIGTSTP's number");
        terminal.press("fg\n");
        terminal.expect("run /bin/sh");
    }
    terminal.press("word\n");
    terminal.expect("got:word");
    assert_eq!(terminal.status(), 5);
    // In the background it may not read the terminal.
    terminal.start_stopped();
    terminal.press("kill -9 %1; wait; echo wai''ted\n");
    terminal.expect("waited");
}

#[test]
fn a_stopped_job_ends_with_its_shell() {
    let Some(mut terminal) = Terminal::open("a stopped job") else { return };
    terminal.start_stopped();
    let shell = Pid::from_raw(terminal.number("$$")).unwrap();
    // Without a word: the kernel alone knows that nobody is left to continue the job.
    kill_process(shell, Signal::KILL).unwrap();
    let mark = terminal.home.path("").display().to_string();
    eventually("the job is gone", || living(&mark).is_empty());
}

#[test]
fn what_is_sent_to_a_job_reaches_the_program() {
    let Some(mut terminal) = Terminal::open("a job signalled") else { return };
    let script = "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.02; done";
    let file = terminal.home.write("script.sh", script);
    terminal.press(&format!("$forewarm run /bin/sh -- {} &\n", file.display()));
    terminal.expect("ready");
    terminal.press("kill -STOP %1; sleep 0.1; jobs\n");
    terminal.expect("Stopped");
    terminal.press("kill %1; kill -CONT %1; wait %1; code=$?\n");
    terminal.expect("caught");
    assert_eq!(terminal.number("$code"), 3);
}

#[test]
fn the_windows_size_is_the_programs() {
    let Some(mut terminal) = Terminal::open("window size") else { return };
    let resize = |terminal: &Terminal, rows, columns| {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal.keyboard, size).unwrap();
    };
    resize(&terminal, 30, 90);
    terminal
        .start("trap 'echo size:$(stty size)' WINCH; echo size:$(stty size); echo ready; while :; do sleep 0.02; done");
    resize(&terminal, 40, 123);
    terminal.expect("size:40 123");
    terminal.press("\x03");
    assert_eq!(terminal.status(), 130);
    terminal.start("stty size < /dev/tty > /dev/tty; echo ready");
    assert_eq!(terminal.status(), 0);
}

#[test]
fn a_shell_inside_has_job_control_and_gives_the_terminal_back() {
    let Some(mut terminal) = Terminal::open("a shell inside") else { return };
    let bash = common::installed("bash").unwrap();
    terminal.press(&format!("$forewarm run {} -- --norc --noprofile -i\n", bash.display()));
    terminal.press("echo in''side\n");
    terminal.expect("inside");
    terminal.press("sleep 100\n");
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.press("\x1a");
    terminal.expect("Stopped");
    terminal.press("fg\n");
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.press("\x03");
    terminal.press("echo still''there; exit 4\n");
    terminal.expect("stillthere");
    assert_eq!(terminal.status(), 4);
    terminal.press("echo out''side\n");
    terminal.expect("outside");
}

#[test]
fn pipelines_end_as_in_a_shell() {
    let Some(mut terminal) = Terminal::open("pipelines") else { return };
    terminal.press("seq 100000 | $forewarm run /bin/cat | head -n 1; echo status:${PIPESTATUS[*]}\n");
    terminal.expect("status:");
    let status = terminal.expect("status:141 141 0");
    assert!(status.contains('1'), "{status}");
}
