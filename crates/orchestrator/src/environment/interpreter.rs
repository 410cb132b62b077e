//! Which Python interpreter a program would run with, and where its modules lie, told from files.
//!
//! An interpreter's installation follows from its path (CPython, `Modules/getpath.py`): a `pyvenv.cfg` beside or above
//! the executable names the installation it was made from; else the folder above `bin` holds `lib/pythonX.Y`. Shims of
//! version managers are scripts; pyenv's say by files which version they stand for. Whatever cannot be told so is asked
//! of the interpreter itself, once, within bounded time.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Longest that an interpreter is waited for when it must be asked; one starts in some 20 ms.
const ASKED_SECONDS: f64 = 5.0;

/// Modules that are part of every CPython executable (`PC/config.c`, `Modules/config.c.in`, frozen ones).
const ALWAYS: [&str; 36] = [
    "_abc",
    "_ast",
    "_codecs",
    "_collections",
    "_frozen_importlib",
    "_frozen_importlib_external",
    "_functools",
    "_imp",
    "_io",
    "_locale",
    "_operator",
    "_signal",
    "_sre",
    "_stat",
    "_string",
    "_symtable",
    "_thread",
    "_tokenize",
    "_tracemalloc",
    "_typing",
    "_warnings",
    "_weakref",
    "_winapi",
    "atexit",
    "builtins",
    "errno",
    "faulthandler",
    "gc",
    "itertools",
    "marshal",
    "msvcrt",
    "nt",
    "posix",
    "pwd",
    "sys",
    "time",
];

/// Modules that some builds have inside the executable and others beside it.
const SOMETIMES: [&str; 62] = [
    "_asyncio",
    "_bisect",
    "_blake2",
    "_bz2",
    "_codecs_cn",
    "_codecs_hk",
    "_codecs_iso2022",
    "_codecs_jp",
    "_codecs_kr",
    "_codecs_tw",
    "_contextvars",
    "_crypt",
    "_csv",
    "_ctypes",
    "_curses",
    "_datetime",
    "_dbm",
    "_decimal",
    "_elementtree",
    "_hashlib",
    "_heapq",
    "_json",
    "_lsprof",
    "_lzma",
    "_md5",
    "_multibytecodec",
    "_multiprocessing",
    "_opcode",
    "_pickle",
    "_posixshmem",
    "_posixsubprocess",
    "_queue",
    "_random",
    "_sha1",
    "_sha2",
    "_sha256",
    "_sha3",
    "_sha512",
    "_socket",
    "_sqlite3",
    "_ssl",
    "_statistics",
    "_struct",
    "_suggestions",
    "_sysconfig",
    "_uuid",
    "_zoneinfo",
    "array",
    "audioop",
    "binascii",
    "cmath",
    "fcntl",
    "grp",
    "math",
    "mmap",
    "pyexpat",
    "readline",
    "resource",
    "select",
    "syslog",
    "termios",
    "zlib",
];

/// An interpreter and its folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// The executable as it was named or found.
    pub executable: PathBuf,
    /// `3.11` or `3.11.4`.
    pub version: String,
    /// Folders of the standard library.
    pub standard: Vec<PathBuf>,
    /// Folders of installed distributions.
    pub sites: Vec<PathBuf>,
    /// The tag in the names of extension modules, such as `cpython-311-x86_64-linux-gnu`.
    pub extension_tag: String,
}

/// Why no interpreter could be taken.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    /// What `--python` names is no interpreter.
    #[error("{path} is not a Python interpreter: {cause}")]
    NotPython {
        /// The path.
        path: PathBuf,
        /// Why.
        cause: String,
    },
}

/// Whether every interpreter has a module inside.
pub fn always_built_in(name: &str) -> bool {
    ALWAYS.binary_search(&name).is_ok()
}

/// Whether an interpreter that has no file for a module may have it inside.
pub fn may_be_built_in(name: &str) -> bool {
    SOMETIMES.binary_search(&name).is_ok()
}

/// Finds an interpreter: the one named (an executable, or the folder of an environment), else `python3` in the folders
/// of `PATH`. `memo` remembers what an interpreter said of itself.
///
/// # Errors
/// [`InterpreterError`] where one was named that is none.
pub fn find_interpreter(named: Option<&Path>, memo: Option<&Path>) -> Result<Option<Python>, InterpreterError> {
    let Some(named) = named else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|folder| folder.join("python3")).find(|file| is_executable(file));
        return Ok(found.and_then(|file| examine(&file, memo).ok()));
    };
    let file = if named.is_dir() { named.join("bin/python") } else { named.to_owned() };
    if !is_executable(&file) {
        return Err(InterpreterError::NotPython { path: named.to_owned(), cause: "there is no such program".into() });
    }
    examine(&file, memo).map(Some).map_err(|cause| InterpreterError::NotPython { path: named.to_owned(), cause })
}

fn is_executable(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn examine(file: &Path, memo: Option<&Path>) -> Result<Python, String> {
    let absolute = std::path::absolute(file).map_err(|error| error.to_string())?;
    let behind = pyenv(&absolute);
    let target = behind.as_deref().unwrap_or(&absolute);
    if let Some(python) = by_layout(target) {
        return Ok(Python { executable: absolute, ..python });
    }
    ask(&absolute, memo)
}

/// The interpreter behind a shim of pyenv.
fn pyenv(file: &Path) -> Option<PathBuf> {
    let shims = file.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "shims"))?;
    let root = shims.parent()?;
    let chosen = |text: &str| text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
    let from = |file: PathBuf| std::fs::read_to_string(file).ok().and_then(|text| chosen(&text));
    let here = std::env::current_dir().ok();
    let local = || here.as_deref()?.ancestors().find_map(|folder| from(folder.join(".python-version")));
    let variable = std::env::var("PYENV_VERSION").ok().filter(|version| !version.is_empty());
    let version = variable.or_else(local).or_else(|| from(root.join("version")))?;
    let version = version.split(':').next().unwrap_or_default();
    if version == "system" {
        return ["/usr/local/bin/python3", "/usr/bin/python3"]
            .into_iter()
            .map(PathBuf::from)
            .find(|file| is_executable(file));
    }
    let exact = root.join("versions").join(version).join("bin/python3");
    if is_executable(&exact) {
        return Some(exact);
    }
    // `3.11` stands for the newest `3.11.x`.
    let mut candidates: Vec<PathBuf> = std::fs::read_dir(root.join("versions"))
        .ok()?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&format!("{version}.")))
        .map(|entry| entry.path())
        .collect();
    candidates.sort();
    candidates.pop().map(|folder| folder.join("bin/python3")).filter(|file| is_executable(file))
}

/// An installation as its files tell.
fn by_layout(file: &Path) -> Option<Python> {
    let prefix = file.parent()?.parent()?;
    if let Ok(text) = std::fs::read_to_string(prefix.join("pyvenv.cfg")) {
        return environment(file, prefix, &text);
    }
    let real = std::fs::canonicalize(file).ok()?;
    let mut head = [0; 4];
    std::fs::File::open(&real).ok()?.read_exact(&mut head).ok()?;
    if head != *b"\x7fELF" && head != *b"\xcf\xfa\xed\xfe" {
        return None;
    }
    let prefix = real.parent()?.parent()?;
    let name = real.file_name()?.to_str().filter(|name| name.starts_with("python"))?;
    let number = name.strip_prefix("python").filter(|rest| rest.starts_with("3.")).map(str::to_owned);
    installation(file, prefix, number)
}

/// A virtual environment, by its `pyvenv.cfg` (PEP 405).
fn environment(file: &Path, prefix: &Path, text: &str) -> Option<Python> {
    let value = |wanted: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.find(|(key, _)| key.trim() == wanted).map(|(_, value)| value.trim().to_owned())
    };
    let version = value("version").or_else(|| value("version_info"))?;
    let short: String = version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    let home = PathBuf::from(value("home")?);
    let real = ["python3", "python", &format!("python{short}")]
        .iter()
        .map(|name| home.join(name))
        .find_map(|file| std::fs::canonicalize(file).ok())
        .unwrap_or_else(|| home.join("python3"));
    let base = installation(&real, real.parent()?.parent()?, Some(short.clone()))?;
    let own = prefix.join(format!("lib/python{short}/site-packages"));
    let mut sites = with_paths(vec![own]);
    if value("include-system-site-packages").is_some_and(|value| value == "true") {
        sites.extend(base.sites);
    }
    let numbers: Vec<&str> = version.split('.').take(3).collect();
    Some(Python { executable: file.to_owned(), version: numbers.join("."), sites, ..base })
}

fn installation(file: &Path, prefix: &Path, number: Option<String>) -> Option<Python> {
    let short = number.or_else(|| only_version(prefix))?;
    let library = prefix.join(format!("lib/python{short}"));
    if !library.join("os.py").is_file() {
        return None;
    }
    let mut sites = vec![library.join("site-packages")];
    if prefix == Path::new("/usr") || prefix == Path::new("/") {
        // Debian keeps its own apart from what users install (`/usr/share/doc/python3/README.Debian`).
        sites =
            vec![format!("/usr/local/lib/python{short}/dist-packages").into(), "/usr/lib/python3/dist-packages".into()];
    }
    let dynamic = library.join("lib-dynload");
    let extension_tag = tag(&dynamic, &short);
    let version = full_version(file, prefix, &short);
    Some(Python {
        executable: file.to_owned(),
        version,
        standard: vec![library, dynamic],
        sites: with_paths(sites),
        extension_tag,
    })
}

/// `3.11.4` where a folder's name or a header says so.
fn full_version(file: &Path, prefix: &Path, short: &str) -> String {
    let named = std::fs::canonicalize(file).ok().and_then(|file| {
        let names = file.components().filter_map(|part| part.as_os_str().to_str().map(str::to_owned));
        names.into_iter().find(|name| {
            name.strip_prefix(short).is_some_and(|rest| rest.starts_with('.') && rest[1..].parse::<u32>().is_ok())
        })
    });
    let header = || {
        let text = std::fs::read_to_string(prefix.join(format!("include/python{short}/patchlevel.h"))).ok()?;
        let line = text.lines().find(|line| line.contains("PY_VERSION "))?;
        Some(line.split('"').nth(1)?.to_owned())
    };
    named.or_else(header).unwrap_or_else(|| short.to_owned())
}

/// The one version installed under a prefix.
fn only_version(prefix: &Path) -> Option<String> {
    let entries = std::fs::read_dir(prefix.join("lib")).ok()?;
    let names = entries.filter_map(Result::ok).filter_map(|entry| entry.file_name().into_string().ok());
    let versions = names.filter_map(|name| name.strip_prefix("python").map(str::to_owned));
    let mut versions: Vec<String> =
        versions.filter(|v| v.starts_with("3.") && prefix.join(format!("lib/python{v}/os.py")).is_file()).collect();
    if versions.len() == 1 { versions.pop() } else { None }
}

/// The tag of extension modules, from one that is there.
fn tag(dynamic: &Path, short: &str) -> String {
    let entries = std::fs::read_dir(dynamic).into_iter().flatten().filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let found = names.filter_map(|name| {
        let (_, rest) = name.split_once('.')?;
        Some(rest.strip_suffix(".so")?.to_owned())
    });
    let plain = short.replace('.', "");
    found
        .into_iter()
        .find(|tag| tag.starts_with("cpython-"))
        .unwrap_or_else(|| format!("cpython-{plain}-x86_64-linux-gnu"))
}

/// Site directories with the folders that `.pth` files in them add (documentation of `site`).
fn with_paths(sites: Vec<PathBuf>) -> Vec<PathBuf> {
    let variable = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let given = std::env::split_paths(&variable).filter(|path| path.is_dir() && path.is_absolute());
    let mut all: Vec<PathBuf> = given.collect();
    for site in sites.into_iter().filter(|site| site.is_dir()) {
        let entries = std::fs::read_dir(&site).into_iter().flatten().filter_map(Result::ok);
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "pth"));
        files.sort();
        all.push(site.clone());
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let folders = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            let folders = folders.filter(|line| !line.starts_with("import ") && !line.starts_with("import\t"));
            all.extend(folders.map(|line| site.join(line)).filter(|folder| folder.is_dir()));
        }
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|folder| seen.insert(folder.clone()));
    all
}

/// What an interpreter is asked: version, tag, and folders, a line each.
const QUESTION: &str = "import sys, sysconfig\nprint('.'.join(map(str, sys.version_info[:3])))\n\
print((sysconfig.get_config_var('SOABI') or ''))\nprint(sysconfig.get_path('stdlib'))\n\
[print(path) for path in sys.path if path]\n";

/// Asks an interpreter, or remembers what it said.
fn ask(file: &Path, memo: Option<&Path>) -> Result<Python, String> {
    let meta = std::fs::metadata(file).map_err(|error| error.to_string())?;
    let stamp = format!("{}\n{}\n{:?}\n", file.display(), meta.len(), meta.modified().ok());
    let known = memo.and_then(|memo| std::fs::read_to_string(memo).ok());
    if let Some(answer) = known.as_deref().and_then(|text| text.strip_prefix(&stamp))
        && let Some(python) = understood(file, answer)
    {
        return Ok(python);
    }
    let answer = answer(file)?;
    let python = understood(file, &answer).ok_or("it did not say where its modules lie")?;
    if let Some(memo) = memo {
        // A memo that cannot be kept costs the next run some milliseconds, no more.
        let _ = memo.parent().map(std::fs::create_dir_all);
        let _ = std::fs::write(memo, format!("{stamp}{answer}"));
    }
    Ok(python)
}

fn answer(file: &Path) -> Result<String, String> {
    let mut child = Command::new(file)
        .args(["-I", "-c", QUESTION])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut stdout = child.stdout.take().ok_or("its output is not there")?;
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.by_ref().take(1 << 20).read_to_string(&mut text);
        let _ = sender.send(text);
    });
    let text = receiver.recv_timeout(Duration::from_secs_f64(ASKED_SECONDS));
    if text.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match text {
        Ok(text) if status.success() => Ok(text),
        Ok(_) => Err(format!("it ended with {status}")),
        Err(_) => Err(format!("it did not answer within {ASKED_SECONDS} s")),
    }
}

fn understood(file: &Path, answer: &str) -> Option<Python> {
    let mut lines = answer.lines();
    let version = lines.next().filter(|version| version.starts_with("3."))?.to_owned();
    let extension_tag = lines.next()?.to_owned();
    let library = PathBuf::from(lines.next()?);
    let folders: Vec<PathBuf> = lines.map(PathBuf::from).filter(|folder| folder.is_dir()).collect();
    let standard = vec![library.clone(), library.join("lib-dynload")];
    let sites = folders.into_iter().filter(|folder| !standard.contains(folder)).collect();
    Some(Python { executable: file.to_owned(), version, standard, sites, extension_tag })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_built_in_modules_are_in_order() {
        assert!(ALWAYS.is_sorted() && SOMETIMES.is_sorted());
        assert!(always_built_in("sys") && may_be_built_in("math") && !may_be_built_in("numpy"));
    }

    #[test]
    fn a_virtual_environment_leads_to_its_installation() {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().join("base");
        let venv = root.path().join("venv");
        for folder in ["base/bin", "base/lib/python3.12/lib-dynload", "venv/bin", "venv/lib/python3.12/site-packages"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        std::fs::write(base.join("lib/python3.12/os.py"), "").unwrap();
        std::fs::write(base.join("lib/python3.12/lib-dynload/math.cpython-312-x86_64-linux-gnu.so"), "").unwrap();
        for file in [base.join("bin/python3"), venv.join("bin/python"), base.join("bin/ls")] {
            std::fs::write(&file, b"\x7fELF").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let home = base.join("bin");
        std::fs::write(venv.join("pyvenv.cfg"), format!("home = {}\nversion = 3.12.1\n", home.display())).unwrap();
        let python = find_interpreter(Some(&venv), None).unwrap().unwrap();
        assert!(find_interpreter(Some(&base.join("bin/ls")), None).is_err(), "beside Python is not Python");
        assert_eq!(python.version, "3.12.1");
        assert_eq!(python.extension_tag, "cpython-312-x86_64-linux-gnu");
        assert!(python.sites.contains(&venv.join("lib/python3.12/site-packages")));
        assert_eq!(python.standard.first(), Some(&std::fs::canonicalize(&base).unwrap().join("lib/python3.12")));
    }

    #[test]
    fn what_is_named_and_is_no_interpreter_is_refused() {
        assert!(find_interpreter(Some(Path::new("/nonexistent/python")), None).is_err());
        assert!(find_interpreter(Some(Path::new("/bin/false")), None).is_err());
    }
}
