//! Runs a program in the sandbox and says on standard error how it ended: `confine [FLAGS] PROGRAM [ARGS]`.
//!
//! Flags: `--net`, `--dir DIR`, `--memory BYTES`, `--aside BYTES`, `--cpu S`, `--wall S`, `--processes N`, `--file BYTES`, `--files N`,
//! `--groups`, `--plain` (no namespaces), `--quiet`, `--launcher` (which forks in this process' stead), `--port N` (greets who comes to it in the program's network, and ends
//! the program when it answers). The tests of hostile programs run it.
#![forbid(unsafe_code)]

fn main() {
    use std::path::PathBuf;

    use forewarm_sandbox::process::{Bounds, Child, Confinement, Door, Program, spawn};
    use forewarm_types::{Bytes, Seconds};

    let mut arguments = std::env::args_os().skip(1);
    let mut confinement = Confinement { scratch: Bytes(64 << 20), relay: true, ..Confinement::default() };
    let mut bounds = Bounds::default();
    let (mut quiet, mut aside, mut launcher) = (false, None, false);
    let mut given = Vec::new();
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.to_str()?.parse::<u64>().ok());
        match argument.to_str().unwrap_or_default() {
            "--net" => confinement.network = true,
            "--groups" => confinement.groups = true,
            "--launcher" => launcher = true,
            "--plain" => confinement.without_namespaces = true,
            "--quiet" => quiet = true,
            "--memory" => bounds.memory = number().map(Bytes),
            "--aside" => aside = number().map(Bytes),
            "--cpu" => bounds.cpu = number().map(|seconds| Seconds(seconds as f64)),
            "--wall" => bounds.wall = number().map(|milliseconds| Seconds(milliseconds as f64 / 1e3)),
            "--processes" => bounds.processes = number(),
            "--file" => bounds.file_size = number().map(Bytes),
            "--port" => confinement.port = number().and_then(|port| u16::try_from(port).ok()),
            "--files" => bounds.open_files = number(),
            "--dir" => {
                let directory: Option<PathBuf> = arguments.next().and_then(|path| std::fs::canonicalize(path).ok());
                confinement.writable.extend(directory.map(|directory| (directory.clone(), directory)));
            }
            _ => {
                given.push(argument);
                given.extend(arguments.by_ref());
            }
        }
    }
    if launcher && let Err(error) = forewarm_sandbox::process::stand_by() {
        return report(&format!("no launcher: {error}\n"));
    }
    let directory = std::env::current_dir().unwrap_or_default();
    let Some(executable) = given.first().map(PathBuf::from) else { return };
    confinement.bounds = bounds;
    confinement.visible = vec![directory.clone(), executable.clone()];
    let environment = std::env::vars_os().collect();
    let program = Program { executable, arguments: given, environment, directory };
    let greeted = |mut child: Child| {
        aside.into_iter().for_each(|memory| child.set_aside(memory));
        let (door, ender) = (child.listener().ok().flatten(), child.ender());
        if confinement.port.is_some() {
            std::thread::spawn(move || match (door.map(Door::listener), ender) {
                (Some(Ok(listener)), Ok(ender)) => greet(&listener, &ender),
                _ => report("no listener\n"),
            });
        }
        child
    };
    let code = match spawn(&program, &confinement).map(greeted).and_then(|child| child.wait()) {
        Ok(ended) => {
            if !quiet {
                report(&format!("{ended:?}\n"));
            }
            ended.cause.code()
        }
        Err(error) => {
            report(&format!("not started: {error}\n"));
            125
        }
    };
    forewarm_sandbox::exit::now(code);
}

fn greet(listener: &std::net::TcpListener, ender: &forewarm_sandbox::process::Ender) {
    use std::io::{BufRead, BufReader, Write};
    let Ok((mut stream, _)) = listener.accept() else { return };
    let mut answer = String::new();
    if stream.write_all(b"hello\n").is_ok() && BufReader::new(stream).read_line(&mut answer).is_ok() {
        report(&format!("answered {} after {} faults\n", answer.trim(), ender.usage().minor_faults));
        ender.end();
    }
}

fn report(line: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(line.as_bytes());
}
