//! What one way of starting a program costs over another, by runs in turn (A B A B …):
//! `overhead ROUNDS PROGRAM [ARGS] -- OTHER [ARGS]` prints the medians, the least, and the median of the differences.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "an example shows what it measured")]

use std::ffi::OsString;
use std::io;
use std::process::{Command, Stdio};

use forewarm_sandbox::RealClock;
use forewarm_types::host::Clock;

fn main() -> io::Result<()> {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let rounds = arguments.first().and_then(|text| text.to_str()?.parse::<usize>().ok()).unwrap_or(0);
    let middle = arguments.iter().position(|word| word == "--");
    let (Some(middle), true) = (middle.filter(|middle| *middle > 1 && middle + 1 < arguments.len()), rounds > 0) else {
        println!("overhead ROUNDS PROGRAM [ARGS] -- OTHER [ARGS]");
        return Ok(());
    };
    let second = arguments.split_off(middle + 1);
    let first = &arguments[1..middle];
    let (mut ours, mut theirs, mut differences) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (a, b) = (timed(first)?, timed(&second)?);
        theirs.push(a);
        ours.push(b);
        differences.push(b - a);
    }
    for (name, times) in [("first", &mut theirs), ("second", &mut ours), ("difference", &mut differences)] {
        times.sort_by(f64::total_cmp);
        println!("{name}: median {:.2} ms, least {:.2} ms", times[rounds / 2] * 1e3, times[0] * 1e3);
    }
    Ok(())
}

fn timed(words: &[OsString]) -> io::Result<f64> {
    let began = RealClock.monotonic();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    Ok((RealClock.monotonic() - began).0)
}
