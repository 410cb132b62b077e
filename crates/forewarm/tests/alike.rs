//! The programs and scripts that must run as they do directly: standard output, standard error, files and exit status.
//!
//! The list was chosen before the first attempt; nothing was taken off it. Each runs in a folder with the same inputs,
//! first directly, then through Forewarm with that folder given. What a machine lacks is skipped aloud;
//! `cargo xtask corpus` fetches most of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ended, Home, corpus, feed, installed, skip};

/// A program's name, its arguments, and the exit status it must end with directly. A bracketed name is a place: `[go]`,
/// `[rust]`, `[python]`, `[rustc]`, or a program built from the folder's source.
type Row = (&'static str, &'static [&'static str], i32);

const TOOLS: &[Row] = &[
    ("true", &[], 0),
    ("false", &[], 1),
    ("cat", &["-n"], 0),
    ("sort", &["-n", "-u", "-o", "sorted.txt"], 0),
    ("sed", &["-i", "s/line/word/", "lines.txt"], 0),
    ("grep", &["-c", "99", "lines.txt", "absent.txt"], 2),
    ("sha256sum", &["lines.txt"], 0),
    ("head", &["-n", "3"], 0),
    ("tee", &["/dev/stderr"], 0),
    ("od", &["-An", "-tx1", "lines.txt"], 0),
    ("split", &["-l", "500", "lines.txt", "part."], 0),
    ("cp", &["-a", "lines.txt", "copy.txt"], 0),
    ("ln", &["-s", "lines.txt", "link"], 0),
    ("find", &[".", "-newer", "lines.txt", "-name", "x"], 0),
    ("ls", &["no-such-file"], 2),
    ("env", &["LC_ALL=C", "sort"], 0),
    ("date", &["-u", "-d", "@0"], 0),
    ("id", &["-u"], 0),
    ("nproc", &[], 0),
    ("uname", &["-a"], 0),
    ("timeout", &["0.1", "sleep", "5"], 124),
    ("sh", &["-c", "kill -SEGV $$"], 139),
    ("sh", &["-c", "kill -TERM $$"], 143),
    ("bash", &["-c", "cat <(echo one) - | tail -n 1; exit 4"], 4),
    ("tar", &["--sort=name", "--mtime=@0", "-cf", "all.tar", "lines.txt", "data.json"], 0),
    ("git", &["hash-object", "lines.txt"], 0),
    ("openssl", &["dgst", "-sha1", "lines.txt"], 0),
    ("curl", &["-s", "file:///etc/no-such-file"], 37),
];

const COMPRESSORS: &[Row] = &[
    ("gzip", &["-9", "-n", "-k", "lines.txt"], 0),
    ("bzip2", &["-k", "lines.txt"], 0),
    ("xz", &["-k", "-T2", "lines.txt"], 0),
    ("zstd", &["-q", "-19", "lines.txt"], 0),
    ("lz4", &["-q", "lines.txt", "lines.lz4"], 0),
    ("gzip", &["-d", "data.json"], 2),
];

const COMPILERS: &[Row] = &[
    ("gcc", &["-O2", "-Wall", "program.c", "-o", "built"], 0),
    ("gcc", &["-O2", "-flto", "-frandom-seed=1", "-c", "program.c"], 0),
    ("gcc", &["broken.c"], 1),
    ("g++", &["-O1", "program.cc", "-o", "built"], 0),
    ("make", &["-s", "-j2"], 0),
    ("[rustc]", &["-O", "program.rs", "-o", "built"], 0),
];

const INTERPRETERS: &[Row] = &[
    ("perl", &["-e", "print scalar(<STDIN>); open F, '>out' or die; print F 'x'; warn 'w'; exit 7"], 7),
    ("node", &["-e", "require('fs').writeFileSync('out', 'x'); console.log(process.argv.length); process.exit(9)"], 9),
    (
        "node",
        &[
            "-e",
            "new Promise((_, no) => setTimeout(() => no(new Error('late')), 5)).catch(e => { console.error(e.message); process.exit(3) })",
        ],
        3,
    ),
    ("awk", &["{ sum += $1 } END { print sum > \"sum.txt\"; exit 3 }"], 3),
    ("bc", &["-q", "sums.bc"], 0),
    ("jq", &[".items | map(.n) | add", "data.json"], 0),
    ("tclsh", &["script.tcl"], 0),
    ("lua5.4", &["-e", "print(#io.read('a')); os.exit(6)"], 6),
];

const DATABASES: &[Row] =
    &[("sqlite3", &["rows.db", ".read table.sql"], 0), ("sqlite3", &[":memory:", "select absent"], 1)];

const BUILT: &[Row] = &[
    ("[dynamic]", &["one", "two words"], 42),
    ("[static]", &["one"], 42),
    ("[avx2]", &[], 0),
    ("[threads]", &[], 0),
    ("[go]", &["--bundle", "--minify", "--log-level=warning", "--outfile=out.js", "program.js"], 0),
    ("[go]", &["absent.js"], 1),
    ("[rust]", &["format", "--isolated", "--no-cache", "untidy.py"], 0),
    ("[rust]", &["check", "--isolated", "--no-cache", "untidy.py"], 1),
];

/// Scripts of `corpus/scripts`, with the exit status each must end with.
const SCRIPTS: &[(&str, i32)] = &[
    ("asyncio_streams", 0),
    ("command_line", 2),
    ("database_file", 0),
    ("deep_trouble", 1),
    ("files_and_folders", 0),
    ("multiprocessing_ways", 0),
    ("signals_taken", 143),
    ("subprocess_ways", 1),
];

/// Scripts that need the libraries of the corpus.
const LIBRARIES: &[(&str, i32)] = &[
    ("cryptography_keys", 0),
    ("numpy_arrays", 0),
    ("pandas_tables", 0),
    ("pillow_image", 0),
    ("sklearn_forest", 0),
    ("venv_prefix", 0),
];

/// One-line scripts, with the exit status each must end with.
const LINES: &[(&str, &str, i32)] = &[
    ("plain", "import sys; print(sys.argv[1:], __name__, len(sys.stdin.read()))", 0),
    ("status", "import sys; sys.exit(5)", 5),
    ("words", "import sys; sys.exit('in words')", 1),
    ("none", "raise SystemExit", 0),
    ("large", "import sys; sys.exit(1 << 33 | 3)", 3),
    ("trace", "def f(x): return 1 / x\n\nf(0)", 1),
    ("syntax", "def f(:\n  pass", 1),
    ("late", "import atexit\natexit.register(print, 'last words')\nraise KeyboardInterrupt", 130),
    ("abort", "import os; os.abort()", 134),
    ("crash", "import ctypes; ctypes.string_at(0)", 139),
    ("at_once", "import os, sys; sys.stdout.write('lost'); os._exit(8)", 8),
    ("threads", "from concurrent.futures import ThreadPoolExecutor as T\nprint(list(T(4).map(len, ['a', 'bb'])))", 0),
    ("bytes", "import sys, hashlib; sys.stdout.buffer.write(hashlib.sha256(sys.stdin.buffer.read()).digest())", 0),
    ("unicode", "print('\\u2603 \\U0001f40d'); print('\\udcff')", 0),
    ("memory", "x = bytearray(1 << 27); x[::4096] = b'x' * (1 << 15); print(sum(x[::4096]))", 0),
];

/// What every folder holds when a program starts.
fn inputs() -> Vec<(&'static str, String)> {
    let line = |number: u32| format!("{} line\n", number * 7919 % 1000);
    vec![
        ("lines.txt", (0..2000).map(line).collect()),
        ("data.json", "{\"items\": [{\"n\": 1}, {\"n\": 41}]}\n".to_owned()),
        ("sums.bc", "scale = 20; 4 * a(1); 2 ^ 200\n".to_owned()),
        (
            "script.tcl",
            "set f [open made.txt w]; puts $f [expr {6 * 7}]; close $f; puts [clock format 0 -gmt 1]\n".to_owned(),
        ),
        (
            "table.sql",
            "create table t (n, w); insert into t values (1, 'a'), (2, 'b'); select sum(n) from t;\n".to_owned(),
        ),
        ("Makefile", "all: one two\none: ; echo one > one\ntwo: ; cp lines.txt two\n".to_owned()),
        ("program.js", "import {x} from './part.js'; console.log(x + 1)\n".to_owned()),
        ("part.js", "export const x = 41, unused = 1\n".to_owned()),
        ("untidy.py", "import os\nx = { 'a':1 }\n".to_owned()),
        ("broken.c", "int main(void) { return x; }\n".to_owned()),
        (
            "program.cc",
            "#include <iostream>\n#include <map>\nint main() { std::map<int, int> m{{1, 2}}; std::cout << m[1]; }\n"
                .to_owned(),
        ),
        (
            "program.rs",
            "fn main() { let v: Vec<u64> = (0..10).collect(); println!(\"{}\", v.iter().sum::<u64>()) }\n".to_owned(),
        ),
        ("program.c", PROGRAM.to_owned()),
        ("avx2.c", AVX2.to_owned()),
        ("threads.c", THREADS.to_owned()),
    ]
}

/// Copies its input, writes a file, and complains.
const PROGRAM: &str = "#include <stdio.h>
int main(int n, char **v) {
  char s[99]; int lines = 0; while (fgets(s, 99, stdin)) lines++;
  FILE *f = fopen(\"made\", \"w\"); fprintf(f, \"%d %s\\n\", lines, v[n - 1]); fclose(f);
  printf(\"%d\\n\", lines); fprintf(stderr, \"%d %s\\n\", n, v[1]); perror(fopen(\"/etc/no-such-file\", \"r\") ? \"?\" : v[0] + 0 * n);
  return 42; }
";
/// Adds by vectors of 256 bits.
const AVX2: &str = "#include <immintrin.h>
#include <stdio.h>
int main(void) { int in[8], out[8]; for (int i = 0; i < 8; i++) in[i] = i * 1001;
  __m256i x = _mm256_loadu_si256((void *)in); x = _mm256_mullo_epi32(_mm256_add_epi32(x, x), x);
  _mm256_storeu_si256((void *)out, x); for (int i = 0; i < 8; i++) printf(\"%d\\n\", out[i]); return 0; }
";
/// Counts by several threads.
const THREADS: &str = "#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
static atomic_int n; static void *f(void *x) { for (int i = 0; i < 100000; i++) n++; return x; }
int main(void) { pthread_t t[8]; for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, f, 0);
  for (int i = 0; i < 8; i++) pthread_join(t[i], 0); printf(\"%d\\n\", n); return 0; }
";

/// A folder made afresh for each run, at the same path.
struct Folder(PathBuf);

impl Folder {
    fn fill(&self) {
        let _ = std::fs::remove_dir_all(&self.0);
        std::fs::create_dir_all(&self.0).unwrap();
        for (name, text) in inputs() {
            std::fs::write(self.0.join(name), text).unwrap();
        }
    }

    /// Everything in it: bytes of files, targets of links.
    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![self.0.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_symlink() {
                    let target = std::fs::read_link(&path).unwrap();
                    found.insert(path, target.into_os_string().into_encoded_bytes());
                } else {
                    found.insert(path.clone(), std::fs::read(&path).unwrap());
                }
            }
        }
        found
    }
}

/// The exit status a shell shows.
fn shown(ended: &Ended) -> Option<i32> {
    ended.code.or(ended.signal.map(|signal| 128 + signal))
}

/// Runs a command line directly and through Forewarm (with flags and a file in front of the arguments); says where anything a
/// user sees differs.
fn compare(
    home: &Home,
    name: &str,
    directly: &[&str],
    flags: &[&str],
    file: &str,
    arguments: &[&str],
    code: i32,
) -> Result<(), String> {
    let folder = Folder(home.path("folder"));
    let input = inputs().swap_remove(0).1;
    let perform = |mut command: Command| {
        folder.fill();
        command.current_dir(&folder.0).env("PYTHONDONTWRITEBYTECODE", "1");
        let ended = feed(command, input.as_bytes());
        (ended, folder.contents())
    };
    let (first, files) = perform(home.any(directly[0], &directly[1..]));
    let words = [&["run", "--dir", "."], flags, &[file, "--"], arguments].concat();
    let (second, files_too) = perform(home.command(words));
    let changed = |(path, bytes): (&PathBuf, &Vec<u8>)| files_too.get(path) != Some(bytes);
    let differs = [
        (shown(&first) != Some(code), "directly it ends otherwise than expected"),
        (first.stdout != second.stdout, "another output"),
        (first.stderr != second.stderr, "another standard error"),
        (shown(&first) != second.code, "another exit status"),
        (files.len() != files_too.len() || files.iter().any(changed), "other files"),
    ];
    let differs: Vec<_> = differs.into_iter().filter(|(differs, _)| *differs).map(|(_, what)| what).collect();
    match differs.is_empty() {
        true => Ok(()),
        false => Err(format!("{name}: {}\ndirectly: {first:?}\nby forewarm: {second:?}", differs.join(", "))),
    }
}

/// Fails where something failed, with the list of all that did.
fn none(failures: Vec<Result<(), String>>) {
    let failed: Vec<_> = failures.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

fn place(home: &Home, name: &str) -> Result<PathBuf, &'static str> {
    let there = |path: PathBuf, why| if path.is_file() { Ok(path) } else { Err(why) };
    let no_corpus = "it is not in the corpus; `cargo xtask corpus` fetches it";
    match name {
        "[go]" => there(corpus().join("native/node_modules/@esbuild/linux-x64/bin/esbuild"), no_corpus),
        "[rust]" => there(corpus().join("python/bin/ruff"), no_corpus),
        "[python]" => there(corpus().join("python/bin/python"), no_corpus),
        "[rustc]" => {
            let asked = Command::new("rustc").args(["--print", "sysroot"]).output().map_err(|_| "there is no rustc")?;
            there(Path::new(String::from_utf8_lossy(&asked.stdout).trim()).join("bin/rustc"), "there is no rustc")
        }
        "[dynamic]" => built(home, "program.c", &[]),
        "[static]" => built(home, "program.c", &["-static"]),
        "[threads]" => built(home, "threads.c", &["-pthread"]),
        #[cfg(target_arch = "x86_64")]
        "[avx2]" if !std::arch::is_x86_feature_detected!("avx2") => Err("the processor has no AVX2"),
        "[avx2]" => built(home, "avx2.c", &["-mavx2"]),
        _ => installed(name).ok_or("it is not installed"),
    }
}

fn built(home: &Home, source: &str, flags: &[&str]) -> Result<PathBuf, &'static str> {
    let (_, text) = inputs().into_iter().find(|(name, _)| *name == source).unwrap();
    let file = home.write(&format!("sources/{source}"), text);
    let program = home.path("sources/program");
    let compiled = Command::new("cc").args(["-O2"]).args(flags).arg(&file).arg("-o").arg(&program).output();
    match compiled {
        Ok(output) if output.status.success() => Ok(program),
        Ok(_) => Err("the C compiler does not build this kind"),
        Err(_) => Err("there is no C compiler"),
    }
}

fn all(test: &str, rows: &[Row]) {
    let home = Home::new();
    let mut tried = Vec::new();
    for (name, arguments, code) in rows {
        let program = match place(&home, name) {
            Ok(program) => program,
            Err(reason) => {
                skip(&format!("{test}: {name}"), reason);
                continue;
            }
        };
        let program = program.to_str().unwrap();
        tried.push(compare(
            &home,
            &format!("{name} {arguments:?}"),
            &[&[program], *arguments].concat(),
            &[],
            program,
            arguments,
            *code,
        ));
    }
    none(tried);
    home.assert_intact();
}

/// Runs scripts by an interpreter; each is its path, the arguments and the status.
fn scripts(test: &str, python: &Path, rows: &[(PathBuf, Vec<String>, i32)], flags: &[&str]) {
    let home = Home::new();
    let python = python.to_str().unwrap();
    let mut tried = Vec::new();
    for (file, arguments, code) in rows {
        let file = file.to_str().unwrap();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let flags = [flags, &["--python", python]].concat();
        tried.push(compare(
            &home,
            &format!("{test}: {file}"),
            &[&[python, file], &arguments[..]].concat(),
            &flags,
            file,
            &arguments,
            *code,
        ));
    }
    none(tried);
    home.assert_intact();
}

fn script(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../corpus/scripts/{name}.py"));
    path.canonicalize().unwrap()
}

/// The corpus's interpreter, else the machine's.
fn python() -> Option<PathBuf> {
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
    Some(PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim()))
}

#[test]
fn the_list_is_as_long_as_it_was_promised() {
    let programs: usize =
        [TOOLS, COMPRESSORS, COMPILERS, INTERPRETERS, DATABASES, BUILT].map(<[Row]>::len).iter().sum();
    let scripts = SCRIPTS.len() + LIBRARIES.len() + LINES.len() + 2;
    assert!(programs + scripts >= 80, "{programs} programs and {scripts} scripts");
}

#[test]
fn tools_run_as_they_do_directly() {
    all("tools", TOOLS);
}

#[test]
fn compressors_run_as_they_do_directly() {
    all("compressors", COMPRESSORS);
}

#[test]
fn compilers_run_as_they_do_directly() {
    all("compilers", COMPILERS);
}

#[test]
fn interpreters_and_databases_run_as_they_do_directly() {
    all("interpreters", INTERPRETERS);
    all("databases", DATABASES);
}

#[test]
fn programs_of_all_kinds_of_linkage_run_as_they_do_directly() {
    all("built programs", BUILT);
}

#[test]
fn scripts_run_as_they_do_directly() {
    let Some(python) = python() else { return skip("scripts", "there is no Python") };
    let folder = tempfile::tempdir().unwrap();
    let mut rows: Vec<_> = SCRIPTS.iter().map(|(name, code)| (script(name), Vec::new(), *code)).collect();
    for (name, source, code) in LINES {
        let file = folder.path().join(format!("{name}.py"));
        std::fs::write(&file, source).unwrap();
        rows.push((file, vec!["one".to_owned(), "two words".to_owned()], *code));
    }
    std::fs::write(folder.path().join("helper.py"), "def helped(x):\n    return x * 2\n").unwrap();
    let file = folder.path().join("local.py");
    std::fs::write(&file, "import helper\nprint(helper.helped(21))").unwrap();
    rows.push((file, Vec::new(), 0));
    scripts("scripts", &python, &rows, &[]);
}

#[test]
fn scripts_with_libraries_run_as_they_do_directly() {
    let Ok(python) = place(&Home::new(), "[python]") else {
        return skip("scripts with libraries", "there is no corpus; `cargo xtask corpus` makes it");
    };
    let rows: Vec<_> = LIBRARIES.iter().map(|(name, code)| (script(name), Vec::new(), *code)).collect();
    scripts("libraries", &python, &rows, &[]);
}

#[test]
fn a_local_server_is_reached_with_the_network_given() {
    let Ok(python) = place(&Home::new(), "[python]") else {
        return skip("requests", "there is no corpus; `cargo xtask corpus` makes it");
    };
    let url = serve();
    scripts("requests", &python, &[(script("requests_local"), vec![url.clone()], 0)], &["--net"]);
    if let Some(curl) = installed("curl") {
        let (home, curl) = (Home::new(), curl.to_str().unwrap().to_owned());
        let arguments = ["-sS", "-o", "page.json", &url];
        let directly = [&[&curl[..]], &arguments[..]].concat();
        none(vec![compare(&home, "curl", &directly, &["--net"], &curl, &arguments, 0)]);
    }
}

/// A server on the loopback that answers each request with its length, as JSON; its address.
fn serve() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            std::thread::spawn(move || answer(&stream));
        }
    });
    address
}

/// Answers requests of a connection until it is closed.
fn answer(stream: &std::net::TcpStream) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut length, mut line) = (String::new(), 0, String::new());
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        while reader.read_line(&mut line).unwrap_or(0) > 2 {
            let lower = line.to_lowercase();
            length = lower.strip_prefix("content-length:").map_or(length, |rest| rest.trim().parse().unwrap());
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let text = format!("{{\"request\": \"{}\", \"bytes\": {length}}}", first.trim());
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", text.len());
        let mut writer = stream;
        writer.write_all(format!("{head}{text}").as_bytes()).unwrap();
    }
}
