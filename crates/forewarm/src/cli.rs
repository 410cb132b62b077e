//! The command line as clap sees it: commands, flags, help, examples. No behaviour.
//!
//! Quantities are parsed by [`crate::quantities`]; what the commands do is in [`crate::commands`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use forewarm_executor::Directory;
use forewarm_holder::Rung;
use forewarm_orchestrator::Emulate;
use forewarm_types::{Bytes, IsaCeiling, Objective, Tier, Weights};

use crate::quantities::{self, Variable};

const EXIT_CODES: &str = "\
Exit codes: the program's own pass through. Forewarm's own are 124 (time limit), 125 (internal), 126 (not valid code),
127 (not found), 134 (trap), 137 (memory limit), 152 (limit on CPU time), 153 (limit on the size of a file), 128 + the
signal's number (Ctrl-C is 130), 2 (usage).";

/// Decides before a program runs what it will need, warms that place, runs it there, and learns.
#[derive(Debug, Parser)]
#[command(
    name = "forewarm",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  forewarm run hello.wasm\n  forewarm run --dir . resize.wasm -- in.png out.png\n  \
                  forewarm plan --explain resize.wasm\n  forewarm history"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub general: General,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct General {
    /// How results and errors are written
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Say on standard error what was decided, what it took and what could not be done
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

/// The one command that people wait for, without the others, whose flags take longer to set up than to parse.
#[derive(Debug, Parser)]
#[command(name = "forewarm")]
struct Running {
    #[command(flatten)]
    general: General,
    #[command(subcommand)]
    command: OnlyRun,
}

#[derive(Debug, Subcommand)]
enum OnlyRun {
    Run(RunArgs),
}

impl Cli {
    /// Reads a command line. What the short way does not take goes the long one, which has the words for it.
    ///
    /// # Errors
    /// As clap says.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        if words.get(1).is_some_and(|word| word == "run")
            && let Ok(Running { general, command: OnlyRun::Run(arguments) }) = Running::try_parse_from(words)
        {
            return Ok(Self { general, command: Command::Run(arguments) });
        }
        Self::try_parse_from(words)
    }
}

/// How results and errors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program: the same streams and exit status, in the place that suits it
    #[command(after_help = format!("Examples:\n  forewarm run hello.wasm\n  forewarm run --dir data::/ --env LANG \
        sort.wasm -- /in.txt\n  forewarm run --timeout 2s --max-memory 256MiB untrusted.wasm\n  \
        forewarm run --invoke add sum.wat -- 1 2\n  forewarm run script.py -- --verbose\n  \
        forewarm run handler.py --event event.json\n  forewarm run --dir out --net ./program -- out/result\n  forewarm run --plan plan.json resize.wasm -- in.png\n\n{EXIT_CODES}"))]
    Run(RunArgs),
    /// Decide where and how a program would run, without running it
    #[command(
        after_help = "Examples:\n  forewarm plan --explain resize.wasm -- in.png\n  forewarm plan --explain=model resize.wasm\n  \
        forewarm plan --objective cost resize.wasm\n  forewarm plan --format json --all resize.wasm > plan.json"
    )]
    Plan(PlanArgs),
    /// Say what a program will need, from its code alone
    #[command(
        after_help = "Examples:\n  forewarm analyze resize.wasm\n  forewarm analyze --format json resize.wasm\n  \
        forewarm analyze script.py\n  forewarm analyze --handler app.handler --python venv app.py"
    )]
    Analyze {
        /// The program
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// How to take it where it is Python.
        #[command(flatten)]
        python: PythonArgs,
    },
    /// Try a program in the sandbox, bounded, and plan by what it did
    #[command(
        after_help = "Examples:\n  forewarm emulate sort.wasm\n  forewarm emulate --emulate 0.5 sort.wasm -- 1000"
    )]
    Emulate(EmulateArgs),
    /// Show or measure what this machine has and what everything costs on it
    #[command(args_conflicts_with_subcommands = true)]
    #[command(after_help = "Examples:\n  forewarm resources\n  forewarm resources probe\n  \
        forewarm resources export > machine.json\n  forewarm resources import machine.json")]
    Resources {
        /// What to do with it.
        #[command(subcommand)]
        action: Option<ResourcesAction>,
    },
    /// Show past runs beside what had been predicted
    #[command(args_conflicts_with_subcommands = true)]
    #[command(after_help = "Examples:\n  forewarm history\n  forewarm history --limit 5 hello.wasm\n  \
        forewarm history forget hello.wasm")]
    History(HistoryArgs),
    /// Show or shrink the store of compiled programs
    #[command(after_help = "Examples:\n  forewarm cache list\n  forewarm cache prune --keep 500MB")]
    Cache {
        /// What to do with it.
        #[command(subcommand)]
        action: CacheAction,
    },
    /// Keep programs ready between runs: `forewarm run` then starts them in milliseconds
    #[command(after_help = "Examples:\n  forewarm warm handler.py\n  forewarm warm --rung imports script.py\n  \
        forewarm warm ./bootstrap\n  forewarm warm --rung page-cache script.py\n  forewarm warm --list\n  \
        forewarm warm --drop handler.py\n  forewarm warm --drop")]
    Warm(WarmArgs),
    /// Check what this machine allows, and say how to get more
    #[command(after_help = "Examples:\n  forewarm doctor\n  forewarm doctor --format json")]
    Doctor,
    /// Show the default configuration file, or where it lies
    #[command(after_help = "Examples:\n  forewarm config default > \"$(forewarm config path)\"")]
    Config {
        /// What to show.
        #[command(subcommand)]
        action: ConfigAction,
    },
    /// Print the completion script of a shell
    #[command(
        after_help = "Examples:\n  forewarm completions bash > ~/.local/share/bash-completion/completions/forewarm\n  \
        forewarm completions zsh > ~/.zfunc/_forewarm"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all commands into a directory
    #[command(after_help = "Examples:\n  forewarm man | man -l -\n  forewarm man --out ~/.local/share/man/man1")]
    Man {
        /// Write a page per command into this directory
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
    /// Be the holder of what `forewarm warm` keeps
    #[command(hide = true)]
    Hold {
        /// End after this time without a request
        #[arg(long, value_name = "TIME", value_parser = quantities::duration, default_value = "20m")]
        idle: Duration,
        /// Most memory to hold; a tenth of the machine's where none is given
        #[arg(long, value_name = "SIZE", value_parser = quantities::size)]
        memory: Option<Bytes>,
    },
    /// Stand for a WebAssembly program: what the holder starts
    #[command(hide = true)]
    Stand,
    /// Time runs of a WebAssembly program on smaller inputs, as it is told on the standard input: what a plan with emulation starts
    #[command(hide = true)]
    Time {
        /// The program
        file: PathBuf,
    },
    /// Make an artifact for later runs: the body of the step that a run detaches
    #[command(hide = true)]
    Prepare {
        /// The program
        file: PathBuf,
        /// The configuration whose artifact is wanted, as JSON
        #[arg(long, value_name = "JSON")]
        configuration: String,
        /// Note which files a process reads
        #[arg(long)]
        pages: bool,
        /// Its interpreter
        #[arg(long, value_name = "PATH")]
        python: Option<PathBuf>,
    },
}

/// What to do with the resource model.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ResourcesAction {
    /// Show every figure with where it comes from
    Show,
    /// Measure this machine (takes some seconds) and keep the figures
    Probe,
    /// Write the model as JSON
    Export {
        /// Where to; standard output where left out
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Take a model exported elsewhere for this machine's, or keep it beside it as that of another machine
    Import {
        /// The exported file
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Keep it as the model of this other machine, on which plans are then priced too
        #[arg(long, value_name = "NAME")]
        node: Option<String>,
    },
    /// Forget another machine
    Forget {
        /// Its name
        node: String,
    },
}

/// What to do with the artifact cache.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum CacheAction {
    /// Show what stands in it
    List,
    /// Remove the least recently used
    Prune {
        /// How much may stay
        #[arg(long, value_name = "SIZE", value_parser = quantities::size, default_value = "0")]
        keep: Bytes,
    },
}

/// What to show of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum ConfigAction {
    /// Print the file with every key at its default
    Default,
    /// Print where the file is looked for
    Path,
}

/// What a program is given of the machine.
#[derive(Debug, Clone, Args)]
pub struct AccessArgs {
    /// Give the program a directory, under the name GUEST where one is given (may be repeated); native and Python programs can
    /// read without it, but write nothing outside private scratch
    #[arg(long = "dir", value_name = "HOST[::GUEST]", value_parser = quantities::directory)]
    #[arg(value_hint = ValueHint::DirPath)]
    pub directories: Vec<Directory>,
    /// Give the program an environment variable; without a value it is inherited (may be repeated)
    #[arg(long = "env", value_name = "K[=V]", value_parser = quantities::variable)]
    pub environment: Vec<Variable>,
    /// Allow the program the network: sockets for WebAssembly, more than a loopback of its own for native and Python programs
    #[arg(long)]
    pub net: bool,
}

/// `forewarm warm`.
#[derive(Debug, Args)]
pub struct WarmArgs {
    /// The programs
    #[arg(value_hint = ValueHint::FilePath, required_unless_present_any = ["list", "drop"])]
    pub files: Vec<PathBuf>,
    /// Show what is kept ready
    #[arg(long, conflicts_with_all = ["files", "drop"])]
    pub list: bool,
    /// Let go of a program, or of everything
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with = "files")]
    #[arg(value_hint = ValueHint::FilePath)]
    #[expect(clippy::option_option, reason = "how clap says: not given, given, given with a value")]
    pub drop: Option<Option<PathBuf>>,
    /// How far; all the way where nothing is said. Native and Python: page-cache (what they read of their files is in memory;
    /// nobody holds that). Python: interpreter, imports, module (of handlers), worker (a process that waits for its run).
    /// WebAssembly: mapped, linked, instance (a process that waits with one). Native: spawned (a process that waits to execute it), waiting (of Lambda bootstraps: a process that waits for its next event)
    #[arg(long, value_name = "RUNG", value_parser = rungs())]
    pub rung: Option<Rung>,
    /// Choose the compiler of a WebAssembly program
    #[arg(long, value_parser = tiers())]
    pub tier: Option<Tier>,
    /// Arguments that native programs which serve events are started with
    #[arg(last = true, value_name = "ARGS", conflicts_with_all = ["list", "drop"])]
    pub arguments: Vec<String>,
    /// Take the files as scripts and programs, whatever they define or are called
    #[arg(long, conflicts_with = "handler")]
    pub script: bool,
    /// How to take them.
    #[command(flatten)]
    pub python: PythonArgs,
    /// What the runs to come are given: a program is kept ready for runs that are given the same.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// `forewarm history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// What to do; showing where left out.
    #[command(subcommand)]
    pub action: Option<HistoryAction>,
    /// Only runs of this program
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Most runs shown, the latest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
}

/// What to do with the history.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum HistoryAction {
    /// Forget the runs of one program, or all
    Forget {
        /// Only runs of this program
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
}

/// `forewarm run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The program and how to treat it.
    #[command(flatten)]
    pub program: ProgramArgs,
    /// Execute a stored plan as it stands
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["tier", "threads", "isa_ceiling", "large_pages", "pin_cores", "objective", "weights", "emulate"])]
    pub plan: Option<PathBuf>,
}

/// How much of a plan's reasons is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Explain {
    /// How the choice came about
    Plan,
    /// The run-time model behind it too
    Model,
}

/// `forewarm plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The program and how to treat it.
    #[command(flatten)]
    pub program: ProgramArgs,
    /// Show the candidates, the terms of their cost, what was rejected and why; with =model a WebAssembly program's run time on
    /// each tier too, term by term
    #[arg(long, value_name = "WHAT", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    pub explain: Option<Explain>,
    /// Keep every candidate, not only the 20 best
    #[arg(long)]
    pub all: bool,
}

/// `forewarm emulate`.
#[derive(Debug, Args)]
pub struct EmulateArgs {
    /// The program and how to treat it.
    #[command(flatten)]
    pub program: ProgramArgs,
}

/// What is said of Python programs.
#[derive(Debug, Clone, Default, Args)]
pub struct PythonArgs {
    /// Take a Python file as one whose function NAME is called for each event; FILE.NAME names the file too. A native program is told the name in _HANDLER
    #[arg(long, value_name = "NAME")]
    pub handler: Option<String>,
    /// The Python interpreter, or the folder of a virtual environment [default: python3 on the PATH]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub python: Option<PathBuf>,
}

/// Limits of programs that run as processes of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct LimitArgs {
    /// Most CPU time of a native or Python program, all its processes together [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = quantities::duration)]
    pub max_cpu: Option<Duration>,
    /// Most processes and threads of a native or Python program at once [default: 8192]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_processes: Option<u64>,
    /// Largest file a native or Python program may write [default: 16GiB]
    #[arg(long, value_name = "SIZE", value_parser = quantities::size)]
    pub max_file_size: Option<Bytes>,
    /// Most files a native or Python program may have open at once, in each process [default: 65536]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(3..))]
    pub max_open_files: Option<u64>,
}

/// What `run`, `plan` and `emulate` have in common.
#[derive(Debug, Args)]
pub struct ProgramArgs {
    /// The program: WebAssembly (binary or text), a Python file, or a native program
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// How to take it where it is Python.
    #[command(flatten)]
    pub python: PythonArgs,
    /// Call the handler of a Python file, or a native program by the Lambda runtime API, with the JSON in this file (- for standard input), and print its result
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub event: Option<PathBuf>,
    /// Limits of native and Python programs.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Arguments for the program
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<String>,
    /// What it is given.
    #[command(flatten)]
    pub access: AccessArgs,
    /// Call this export, with the arguments after --, instead of the program's entry point
    #[arg(long, value_name = "NAME")]
    pub invoke: Option<String>,
    /// End the run after this time, such as 500ms, 2s or 1m [default for native and Python: 1h]
    #[arg(long, value_name = "TIME", value_parser = quantities::duration)]
    pub timeout: Option<Duration>,
    /// Most memory the program may have, such as 256MiB [default for native and Python: three quarters of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = quantities::size)]
    pub max_memory: Option<Bytes>,
    /// What is to be made small [default: latency, or as configured]
    #[arg(long, value_name = "OBJECTIVE", value_parser = objectives())]
    pub objective: Option<Objective>,
    /// The value of what is spent, in place of an objective: US dollars per second and per joule, and a factor on prices
    #[arg(long, value_name = "seconds=X,joules=Y,price=Z", value_parser = quantities::weights)]
    #[arg(conflicts_with = "objective")]
    pub weights: Option<Weights>,
    /// Whether to try the program in the sandbox first: auto, never, or for so many seconds of CPU time [default: auto; for emulate itself 1]
    #[arg(long, value_name = "WHEN", value_parser = quantities::emulate)]
    pub emulate: Option<Emulate>,
    /// Arguments of a smaller run, from several of which a long one is foreseen (may be repeated); else numbers among the
    /// arguments are made smaller. A folder stands for the files in it: inputs in place of the file that the arguments name,
    /// arguments one a line in *.args, and events in *.json where there is an --event or --handler
    #[arg(long = "sample", value_name = "ARGS|FOLDER", allow_hyphen_values = true)]
    pub samples: Vec<String>,
    /// Compile with this compiler, whatever the plan would choose
    #[arg(long, value_name = "TIER", value_parser = tiers())]
    pub tier: Option<Tier>,
    /// Use this many threads, whatever the plan would choose
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
    /// What else is fixed of a native or Python program.
    #[command(flatten)]
    pub levers: LeverArgs,
    /// Prepare nothing for later runs
    #[arg(long)]
    pub no_prepare: bool,
    /// Write what was decided, what happened and how the two compare into this file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
}

fn objectives() -> impl TypedValueParser<Value = Objective> {
    let says = |objective| match objective {
        Objective::Latency => "time above all",
        Objective::Balanced => "time and money both, a second being worth a core-second",
        Objective::Cost => "money above all",
        Objective::Energy => "energy above all",
        Objective::CostTime => "the product of money and time",
    };
    let value = |objective: Objective| PossibleValue::new(objective.name()).help(says(objective));
    PossibleValuesParser::new(Objective::ALL.map(value)).try_map(|name| name.parse::<Objective>())
}

/// Settings of native and Python programs that no plan proposes.
#[derive(Debug, Clone, Copy, Args)]
pub struct LeverArgs {
    /// Tell the libraries of a native or Python program (OpenBLAS, numpy, the C library) to use no instructions above this
    /// level of x86-64
    #[arg(long, value_name = "LEVEL", value_parser = ceilings())]
    pub isa_ceiling: Option<IsaCeiling>,
    /// Have the C library of a native or Python program ask for large pages behind what it allocates
    #[arg(long)]
    pub large_pages: bool,
    /// Bind a native or Python program to as many cores as it is planned to use
    #[arg(long)]
    pub pin_cores: bool,
}

fn ceilings() -> impl TypedValueParser<Value = IsaCeiling> {
    let parser = PossibleValuesParser::new(IsaCeiling::ALL.map(IsaCeiling::name));
    parser.try_map(|name| IsaCeiling::named(&name).ok_or("no such level"))
}

fn rungs() -> impl TypedValueParser<Value = Rung> {
    PossibleValuesParser::new(Rung::ALL.map(Rung::name)).try_map(|name| Rung::named(&name).ok_or("no such rung"))
}

fn tiers() -> impl TypedValueParser<Value = Tier> {
    PossibleValuesParser::new(Tier::ALL.map(Tier::name)).try_map(|name| name.parse::<Tier>())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_takes_a_format_and_shows_examples() {
        let mut cli = Cli::command();
        cli.build();
        for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
            assert!(command.get_arguments().any(|arg| arg.get_id() == "format"), "{}", command.get_name());
            let examples = command.get_after_help().map(|text| text.to_string()).unwrap_or_default();
            assert!(command.is_hide_set() || examples.starts_with("Examples:"), "{}", command.get_name());
        }
    }

    #[test]
    fn flags_reach_their_fields() {
        let line = "forewarm run --dir a::b --env K=V --env X --timeout 2s --max-memory 1MiB --weights seconds=1 \
                    --emulate never --sample=10 --tier winch --threads 2 --isa-ceiling x86-64-v3 --large-pages --pin-cores --net --no-prepare p.wasm -- -x --dir";
        let Command::Run(RunArgs { program, plan }) = Cli::parse_from(line.split_whitespace()).command else {
            unreachable!("run was asked");
        };
        assert_eq!(program.arguments, ["-x", "--dir"]);
        assert_eq!((program.access.directories.len(), program.access.environment.len()), (1, 2));
        assert_eq!(program.timeout, Some(Duration::from_secs(2)));
        assert_eq!((program.tier, program.threads), (Some(Tier::Winch), Some(2)));
        let LeverArgs { isa_ceiling, large_pages, pin_cores } = program.levers;
        assert_eq!((isa_ceiling, large_pages, pin_cores), (Some(IsaCeiling::V3), true, true));
        assert_eq!(program.emulate, Some(Emulate::Never));
        assert_eq!(program.samples, ["10"]);
        assert!(program.access.net && program.no_prepare && plan.is_none());
    }

    #[test]
    fn the_short_way_reads_what_the_long_one_does() {
        for line in [
            "forewarm run p.wasm",
            "forewarm run --format json -v --dir a::b p.wasm -- -x run",
            "forewarm run p.wasm --timeout 2s --net",
        ] {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            let long = Cli::try_parse_from(&words).unwrap();
            assert_eq!(format!("{:?}", Cli::read(&words).unwrap()), format!("{long:?}"), "{line}");
        }
        for line in ["forewarm run", "forewarm run --help", "forewarm run --nonsense p", "forewarm run --version"] {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            let (short, long) = (Cli::read(&words).unwrap_err(), Cli::try_parse_from(&words).unwrap_err());
            assert_eq!(short.to_string(), long.to_string(), "{line}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for line in [
            "forewarm",
            "forewarm run",
            "forewarm prog.wasm",
            "forewarm run --objective fast p.wasm",
            "forewarm run --objective cost --weights seconds=1 p.wasm",
            "forewarm run --plan x --tier winch p.wasm",
            "forewarm run --threads 0 p.wasm",
            "forewarm run --timeout 0 p.wasm",
            "forewarm run p.wasm arg",
            "forewarm history --limit x",
            "forewarm cache",
        ] {
            assert!(Cli::try_parse_from(line.split_whitespace()).is_err(), "{line}");
        }
    }

    #[test]
    fn history_shows_or_forgets() {
        let parse = |line: &str| match Cli::parse_from(line.split_whitespace()).command {
            Command::History(history) => history,
            other => unreachable!("{other:?}"),
        };
        let shown = parse("forewarm history p.wasm --limit 5");
        assert_eq!((shown.file, shown.limit, shown.action), (Some("p.wasm".into()), 5, None));
        let forgotten = parse("forewarm history forget p.wasm").action;
        assert_eq!(forgotten, Some(HistoryAction::Forget { file: Some("p.wasm".into()) }));
    }
}
