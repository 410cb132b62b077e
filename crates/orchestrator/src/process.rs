//! Runs of native and Python programs: through the same loop, in a confined process instead of an engine. Here is what is
//! executed and what it may touch; how it is run and learned from is in [`run`].

pub(crate) mod bootstrap;
mod calls;
pub mod rehearse;
mod run;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use forewarm_analyzer::Depth;
use forewarm_executor::bootstrap::Call;
use forewarm_executor::process::{LaidOut, Wanted};
use forewarm_sandbox::process::{Bounds, Confinement, Program as Command};
use forewarm_types::{Analysis, Bytes, CodeKind, Seconds};

use crate::Orchestrator;
use crate::error::Error;
use crate::program::Program;
use crate::python::PythonOptions;
use crate::request::Request;
use crate::script;
use crate::warm::planning;
use crate::warm_native::Asked;

/// What loads and calls handlers: functions, of which whoever executes it calls one.
pub(crate) const RUNNER: &str = include_str!("process/runner.py");

/// Given to the interpreter with `-c`: calls a handler with an event and prints its result.
const CALLED: &str = concat!(include_str!("process/runner.py"), "\nmain()\n");

/// Limits in force where the user names none. They are far above what programs run by hand take, and there so that one
/// that has lost its way ends by itself; each is loosened by its flag.
mod defaults {
    /// Share of the machine's memory.
    pub const MEMORY_SHARE: f64 = 0.75;
    /// An hour, four times the longest a function of AWS Lambda may take (AWS Lambda Developer Guide, "Quotas").
    pub const SECONDS: f64 = 3600.0;
    /// A quarter of the kernel's default number of processes (`pid_max`, 32,768: proc_sys_kernel(5)).
    pub const PROCESSES: u64 = 8192;
    /// The kernel's default hard limit on open files is 4096, systemd's 524,288.
    pub const OPEN_FILES: u64 = 65_536;
    /// Share of the memory limit that each private scratch directory may hold.
    pub const SCRATCH_SHARE: f64 = 0.25;
    /// 16 GiB.
    pub const FILE_SIZE: u64 = 16 << 30;
}

/// Limits that the user sets for a process; `None` for the default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProcessLimits {
    /// CPU time of all its processes, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Processes and threads at once.
    pub processes: Option<u64>,
    /// Size of each file it writes.
    pub file_size: Option<Bytes>,
    /// Descriptors open at once in each process.
    pub open_files: Option<u64>,
}

impl Orchestrator {
    /// Whether a file would run as a process of its own: a native program or Python. Reads its beginning.
    #[must_use]
    pub fn is_process(file: &Path) -> bool {
        process_kind(file).is_some()
    }

    /// Whether a file is a native program. Reads its beginning.
    #[must_use]
    pub fn is_native(file: &Path) -> bool {
        process_kind(file) == Some(CodeKind::Elf)
    }

    /// Begins to lay out the place of a process, as far as it can be named before the program is looked into; what goes
    /// wrong here is met again on the ordinary way, but for an event, which is read once. What stands ready to execute a
    /// native program does so at once, where a plan has no say in that.
    pub(crate) fn lay_out(&self, request: &Request) -> Result<Option<(LaidOut, Option<Asked>)>, Error> {
        let Some(kind) = process_kind(&request.file) else { return Ok(None) };
        let (program, confinement, call) = match self.commanded(request, kind) {
            Err(error) if bootstrap::is_called(request, kind) => return Err(error),
            Err(_) => return Ok(None),
            Ok(commanded) => commanded,
        };
        let unplanned = kind == CodeKind::Elf && call.is_none() && Self::begins_unplanned(request);
        let asked = unplanned.then(|| self.ask_native(request, &Wanted::unplanned(&program, &confinement)));
        let stands = match &asked {
            Some(asked) => matches!(asked, Asked::Begun(_)),
            None => self.expect_warm(&request.file),
        };
        let laid = match stands {
            true => LaidOut::later(program, confinement),
            false => LaidOut::begin(program, confinement),
        };
        let laid = if unplanned && self.is_plain(request) { laid.begin_now(self.clock.monotonic()) } else { laid };
        Ok(Some((laid.called(call), asked)))
    }

    /// Whether a plan will have nothing to say of how a run begins, as far as the last one of the same file tells.
    fn is_plain(&self, request: &Request) -> bool {
        let program = Program::open(&request.file, self.clock.unix()).ok();
        let stamp = program.as_ref().and_then(Program::stamp);
        stamp.is_some_and(|stamp| self.executor.is_plain(&stamp.to_string(), &planning(request)))
    }

    fn commanded(&self, request: &Request, kind: CodeKind) -> Result<(Command, Confinement, Option<Call>), Error> {
        let mut program = self.command(request, kind)?;
        let mut confinement = confinement(request, &program, !self.goes_on)?;
        let called = bootstrap::is_called(request, kind);
        let call = called.then(|| self.call(request, &mut program, &mut confinement)).transpose()?;
        Ok((program, confinement, call))
    }

    /// The command that runs a program: itself, or the interpreter with its script or the runner of its handler.
    pub(crate) fn command(&self, request: &Request, kind: CodeKind) -> Result<Command, Error> {
        let file = &*request.file;
        let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let mut environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        for (name, value) in &request.environment {
            environment.retain(|(known, _)| known.as_bytes() != name.as_bytes());
            environment.push((name.into(), value.into()));
        }
        let given = request.arguments.iter().map(OsString::from);
        let (executable, arguments) = match kind {
            CodeKind::Python => {
                let python = self.interpreter_of(&request.python, file)?;
                let arguments = python_arguments(&python, file, request).chain(given).collect();
                (python, arguments)
            }
            _ => {
                let executable = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
                (executable, std::iter::once(file.into()).chain(given).collect())
            }
        };
        Ok(Command { executable, arguments, environment, directory })
    }

    /// The interpreter: the one named, else the one of the script's first line, else `python3` on the path.
    fn interpreter_of(&self, options: &PythonOptions, file: &Path) -> Result<PathBuf, Error> {
        let named = options.python.clone().or_else(|| first_line_interpreter(file));
        let options = PythonOptions { python: named, ..options.clone() };
        let found = self.interpreter(&options)?;
        found.map(|python| python.executable).ok_or_else(|| Error::Usage {
            message: "there is no Python interpreter".into(),
            hint: Some("install one, or name it with --python".into()),
        })
    }

    /// Analyses a program of any kind that is seen for the first time.
    pub(crate) fn inspect_any(&self, program: &mut Program, request: &Request) -> Result<Analysis, Error> {
        let bytes = program.read()?;
        if !forewarm_analyzer::is_python(program.file_name(), &bytes) {
            return self.inspect_bytes(program, bytes, Depth::Run);
        }
        let analysis = self.analyze_python(program, &bytes, &handled(request), Depth::Run)?;
        program.identify(analysis.code.digest, analysis.code.kind, std::sync::Arc::new(bytes));
        Ok(analysis)
    }

    /// The same where the program is to run: what the analyzer takes for no Python is for the interpreter to refuse, in
    /// its own words, or to run, where its grammar is another. Nothing is known of it then.
    pub(crate) fn inspect_to_run(&self, program: &mut Program, request: &Request) -> Result<Analysis, Error> {
        let cause = match self.inspect_any(program, request) {
            Err(Error::Syntax { cause, .. }) => cause,
            inspected => return inspected,
        };
        let bytes = program.read()?;
        let options = PythonOptions { handler: None, ..request.python.clone() };
        let mut analysis = self.analyze_python(program, b"", &options, Depth::Run)?;
        (analysis.code.digest, analysis.code.size_bytes) =
            (crate::program::digest_of(&bytes), Bytes(bytes.len() as u64));
        analysis.profile.ops.total = None;
        analysis.warnings.push(format!("not understood: {cause}"));
        program.identify(analysis.code.digest, analysis.code.kind, std::sync::Arc::new(bytes));
        Ok(analysis)
    }
}

/// What kind of process a file runs as, by its beginning; `None` where it does not.
fn process_kind(file: &Path) -> Option<CodeKind> {
    use std::io::Read;
    let mut head = Vec::with_capacity(HEAD);
    std::fs::File::open(file).ok()?.take(HEAD as u64).read_to_end(&mut head).ok()?;
    let name = file.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    let python = forewarm_analyzer::is_python(&name, &head).then_some(CodeKind::Python);
    // A script for another interpreter is executed as the system executes it.
    let script = || script::interpreter(&head).map(|_| CodeKind::Elf);
    python.or_else(|| forewarm_analyzer::kind(&head).ok().filter(|kind| kind.is_process())).or_else(script)
}

/// Whether a remembered analysis is of what is to run now: a script, or a handler of that name.
pub(crate) fn answers(analysis: &Analysis, request: &Request) -> bool {
    let Some(python) = &analysis.python else { return true };
    let wanted = request.python.handler.as_deref().map(|name| name.rsplit('.').next().unwrap_or(name));
    match (&python.handler, wanted) {
        (Some(handler), Some(wanted)) => handler.name == wanted,
        (None, Some(_)) => false,
        (handler, None) => handler.is_some() == request.event.is_some(),
    }
}

/// As much of a file as tells what it is.
const HEAD: usize = 4096;

/// The options for the analysis: an event means a handler, whose usual name the analyzer looks for.
fn handled(request: &Request) -> PythonOptions {
    let mut options = request.python.clone();
    if request.event.is_some() && options.handler.is_none() {
        options.handler = handler_of(&std::fs::read_to_string(&request.file).unwrap_or_default());
    }
    options
}

/// Whether a run is of a handler.
pub(crate) fn is_handled(request: &Request) -> bool {
    request.event.is_some() || request.python.handler.is_some()
}

/// The handler where none is named: `handler`, else `lambda_handler`, as defined at the margin of the source.
pub(crate) fn handler_of(source: &str) -> Option<String> {
    let defines = |name: &str| {
        source.lines().any(|line| {
            let line = line.strip_prefix("async ").unwrap_or(line);
            let rest = line.strip_prefix("def ").and_then(|line| line.trim_start().strip_prefix(name));
            rest.is_some_and(|rest| rest.trim_start().starts_with('('))
        })
    };
    ["handler", "lambda_handler"].into_iter().find(|name| defines(name)).map(str::to_owned)
}

fn python_arguments(python: &Path, file: &Path, request: &Request) -> impl Iterator<Item = OsString> {
    let handler = is_handled(request);
    let mut arguments = vec![OsString::from(python)];
    if handler {
        let name = request.python.handler.as_deref().unwrap_or_default();
        let name = name.rsplit('.').next().unwrap_or_default();
        let event = request.event.as_deref().unwrap_or(Path::new(""));
        arguments.extend(
            [OsStr::new("-c"), OsStr::new(CALLED), file.as_os_str(), OsStr::new(name), event.as_os_str()]
                .map(OsString::from),
        );
    } else {
        arguments.push(file.into());
    }
    arguments.into_iter()
}

/// The interpreter that a script's first line names.
fn first_line_interpreter(file: &Path) -> Option<PathBuf> {
    use std::io::Read;
    let mut head = [0_u8; script::LINE];
    let count = std::fs::File::open(file).ok()?.read(&mut head).ok()?;
    script::interpreter(head.get(..count)?)
}

/// What the program may touch and use.
pub(crate) fn confinement(request: &Request, program: &Command, relay: bool) -> Result<Confinement, Error> {
    let memory = request.max_memory.unwrap_or_else(|| {
        let total = forewarm_sandbox::measure::total_memory();
        Bytes((total.as_f64() * defaults::MEMORY_SHARE) as u64)
    });
    let limits = &request.limits;
    let bounds = Bounds {
        memory: Some(memory),
        cpu: Some(Seconds(limits.cpu_seconds.unwrap_or(defaults::SECONDS))),
        wall: Some(Seconds(request.timeout_seconds.unwrap_or(defaults::SECONDS))),
        processes: Some(limits.processes.unwrap_or(defaults::PROCESSES)),
        file_size: Some(limits.file_size.unwrap_or(Bytes(defaults::FILE_SIZE))),
        open_files: Some(limits.open_files.unwrap_or(defaults::OPEN_FILES)),
    };
    let writable = request.directories.iter().map(given).collect::<Result<Vec<_>, _>>()?;
    Ok(Confinement {
        network: request.network,
        writable,
        visible: named(request, program),
        scratch: Bytes((memory.as_f64() * defaults::SCRATCH_SHARE) as u64),
        bounds,
        groups: request.max_memory.is_some() || limits.processes.is_some(),
        relay,
        without_namespaces: false,
        port: None,
    })
}

fn given(directory: &forewarm_executor::Directory) -> Result<(PathBuf, PathBuf), Error> {
    let missing = |path: &Path, cause: &std::io::Error| Error::Usage {
        message: format!("cannot open directory {}: {cause}", path.display()),
        hint: Some("--dir HOST[::GUEST] names an existing directory".into()),
    };
    let host = std::fs::canonicalize(&directory.host).map_err(|cause| missing(&directory.host, &cause))?;
    let guest = Path::new(&directory.guest);
    if guest == directory.host {
        return Ok((host.clone(), host));
    }
    let guest = std::fs::canonicalize(guest).map_err(|cause| missing(guest, &cause))?;
    Ok((host, guest))
}

/// What the command line names, and so stays readable even where directories are private: the working directory, the
/// program with what lies beside it, the event, arguments that are files, and with the network the resolver's files.
fn named(request: &Request, program: &Command) -> Vec<PathBuf> {
    let file = &*request.file;
    let beside = |path: &Path| path.parent().map(Path::to_owned);
    let mut paths = vec![program.directory.clone(), program.executable.clone(), file.to_owned()];
    paths.extend(beside(&program.executable));
    paths.extend(beside(&std::path::absolute(file).unwrap_or_else(|_| file.to_owned())));
    // A virtual environment is the folder above the interpreter's.
    paths.extend(request.python.python.clone());
    paths.extend(beside(&program.executable).and_then(|bin| beside(&bin)));
    paths.extend(request.event.clone());
    paths.extend(request.arguments.iter().map(PathBuf::from));
    if request.network {
        paths.push(PathBuf::from("/etc/resolv.conf"));
    }
    let absolute = |path: PathBuf| {
        let absolute = std::path::absolute(&path).ok();
        let mut all = absolute.as_deref().map(passed).unwrap_or_default();
        all.extend(absolute.into_iter().chain(std::fs::canonicalize(&path).ok()));
        all
    };
    let mut paths: Vec<PathBuf> = paths.into_iter().flat_map(absolute).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Directories that a path goes through on its way back up (`a/b` of `a/b/../c`): without them it leads nowhere.
fn passed(path: &Path) -> Vec<PathBuf> {
    use std::path::Component;
    let parts: Vec<Component<'_>> = path.components().collect();
    let turns = (1..parts.len())
        .filter(|at| parts[*at] == Component::ParentDir && matches!(parts[at - 1], Component::Normal(_)));
    turns.filter_map(|at| std::fs::canonicalize(parts[..at].iter().collect::<PathBuf>()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_found_by_their_usual_names() {
        let check =
            |source: &str, expected: Option<&str>| assert_eq!(handler_of(source).as_deref(), expected, "{source}");
        check("def handler(event, context):\n    pass\n", Some("handler"));
        check("def lambda_handler (e, c): pass\ndef handlers(): pass\n", Some("lambda_handler"));
        check("def lambda_handler(e, c): pass\ndef handler(e, c): pass\n", Some("handler"));
        check("class A:\n    def handler(self): pass\n", None);
    }

    #[test]
    fn ways_through_a_directory_and_back_are_kept() {
        assert_eq!(passed(Path::new("/usr/lib/../../etc/../no-such")), [Path::new("/usr/lib"), Path::new("/etc")]);
        assert!(passed(Path::new("/usr/bin/env")).is_empty());
    }
}
