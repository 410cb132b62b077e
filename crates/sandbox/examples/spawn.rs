//! How long a program's start in the sandbox takes, from asking to its execution, and how long its end: `spawn ROUNDS
//! [MEGABYTES [THREADS]] [launcher]` prints medians and the least, of a process that holds so much memory and has so many
//! threads more; with a launcher that stood by before it did.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "an example shows what it measured")]

fn main() {
    use forewarm_sandbox::RealClock;
    use forewarm_sandbox::process::{Confinement, Program, spawn, stand_by};
    use forewarm_types::Bytes;
    use forewarm_types::host::Clock;

    let given: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, default| given.get(at).copied().unwrap_or(default);
    let (rounds, megabytes, threads) = (number(0, 100), number(1, 0), number(2, 0));
    if std::env::args().any(|word| word == "launcher") && stand_by().is_err() {
        return;
    }
    let ballast = std::hint::black_box(vec![1_u8; megabytes << 20]);
    for _ in 0..threads {
        std::thread::spawn(std::thread::park);
    }
    let program = Program {
        executable: "/bin/true".into(),
        arguments: vec!["true".into()],
        environment: Vec::new(),
        directory: "/".into(),
    };
    let confinement = Confinement { scratch: Bytes::MIB, ..Confinement::default() };
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let before = RealClock.monotonic();
        let Ok(ended) = spawn(&program, &confinement).and_then(|child| child.wait()) else { return };
        let Some(began) = ended.began else { return };
        starts.push((began - before).0 * 1e3);
        ends.push((RealClock.monotonic() - began - ended.wall).0 * 1e3);
    }
    println!("holding {} MB in {} threads", ballast.len() >> 20, threads + 1);
    for (name, times) in [("to the execution", &mut starts), ("from its end", &mut ends)] {
        times.sort_by(f64::total_cmp);
        if let (Some(middle), Some(least)) = (times.get(rounds / 2), times.first()) {
            println!("{name}: median {middle:.2} ms, least {least:.2} ms");
        }
    }
}
