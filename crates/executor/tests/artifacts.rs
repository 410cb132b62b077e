//! The artifact cache: what stands is loaded, what is not as it was written never is.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Program, configuration, executor};
use forewarm_executor::persist::State;
use forewarm_executor::{ArtifactCache, CodeSource, Executor, Invocation};
use forewarm_sandbox::RealClock;
use forewarm_types::{Bytes, IsaLevel, Rung, Step, Tier};

const SOURCE: &str = "(module (memory 1) (data (i32.const 0) \"x\") (func (export \"_start\")))";

/// Runs a program with a cache, and returns its first step: compiled or mapped.
fn first_step(cache: &Path, tier: Tier, program: &mut Program) -> Step {
    let lease = executor(Some(cache)).allocate(&configuration(tier, Rung::Artifact)).unwrap();
    let ready = lease.warm(program, &Invocation::detached("test.wasm")).unwrap();
    let step = ready.steps()[0].step;
    let outcome = ready.run();
    assert_eq!(outcome.exit.code, 0);
    assert!(!outcome.persistence.outstanding(), "{:?}", outcome.persistence.state());
    step
}

fn files(cache: &Path) -> Vec<PathBuf> {
    let homes = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut files: Vec<_> =
        homes.flat_map(|home| fs::read_dir(home).unwrap()).map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn artifact(cache: &Path) -> PathBuf {
    files(cache).into_iter().find(|path| path.extension().is_some_and(|end| end == "cwasm")).unwrap()
}

/// A directory fit for a cache.
fn private() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    directory
}

/// A cache with one artifact in it.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let directory = private();
    let cache = directory.path().join("deep/cache");
    assert_eq!(first_step(&cache, Tier::Winch, &mut Program::module(SOURCE)), Step::Compile);
    (directory, cache)
}

#[test]
fn an_artifact_is_kept_and_found_again() {
    for tier in Tier::ALL {
        let directory = private();
        let mut program = Program::module(SOURCE);
        assert_eq!(first_step(directory.path(), tier, &mut program), Step::Compile);
        assert_eq!(executor(Some(directory.path())).standing(&program.digest()), [(tier, IsaLevel::Native)]);
        let reads = program.reads;
        assert_eq!(first_step(directory.path(), tier, &mut program), Step::Map);
        assert_eq!(program.reads, reads, "a mapped program's bytes are not read");
    }
}

#[test]
fn nothing_is_kept_where_the_plan_does_not_ask() {
    let directory = private();
    let lease = executor(Some(directory.path())).allocate(&configuration(Tier::Winch, Rung::File)).unwrap();
    let ready = lease.warm(&mut Program::module(SOURCE), &Invocation::detached("test.wasm")).unwrap();
    assert_eq!(ready.persistence().state(), State::NotAsked);
    assert_eq!(files(directory.path()), Vec::<PathBuf>::new());
}

/// Damages an artifact, and checks that it is rebuilt rather than loaded, and good again afterwards.
fn check_rebuilt(what: &str, damage: impl FnOnce(&Path)) {
    let (_directory, cache) = filled();
    damage(&artifact(&cache));
    let mut program = Program::module(SOURCE);
    assert_eq!(executor(Some(&cache)).standing(&program.digest()), [], "{what}");
    assert_eq!(first_step(&cache, Tier::Winch, &mut program), Step::Compile, "{what}");
    assert_eq!(first_step(&cache, Tier::Winch, &mut program), Step::Map, "{what}");
}

#[test]
fn a_damaged_artifact_is_never_loaded_and_rebuilt() {
    let edit = |path: &Path, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    };
    check_rebuilt("truncated", |path| edit(path, &|bytes| bytes.truncate(bytes.len() / 2)));
    check_rebuilt("emptied", |path| edit(path, &Vec::clear));
    check_rebuilt("first bit", |path| edit(path, &|bytes| bytes[0] ^= 1));
    check_rebuilt("middle bit", |path| {
        edit(path, &|bytes| {
            let at = bytes.len() / 2;
            bytes[at] ^= 0x10
        })
    });
    check_rebuilt("last bit", |path| {
        edit(path, &|bytes| {
            if let Some(last) = bytes.last_mut() {
                *last ^= 0x80
            }
        })
    });
    check_rebuilt("extended", |path| edit(path, &|bytes| bytes.push(0)));
    check_rebuilt("foreign", |path| fs::write(path, b"\x7fELF and so on").unwrap());
    check_rebuilt("no sidecar", |path| fs::remove_file(path.with_extension("stamp")).unwrap());
    check_rebuilt("empty sidecar", |path| fs::write(path.with_extension("stamp"), "").unwrap());
    check_rebuilt("sidecar of another host", |path| {
        let stamp = path.with_extension("stamp");
        let text = fs::read_to_string(&stamp).unwrap();
        let mut words: Vec<_> = text.split(' ').collect();
        words[2] = "0123456789abcdef";
        fs::write(&stamp, words.join(" ")).unwrap();
    });
    check_rebuilt("open to others", |path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap());
    check_rebuilt("a link", |path| {
        let elsewhere = path.with_extension("elsewhere");
        fs::rename(path, &elsewhere).unwrap();
        symlink(&elsewhere, path).unwrap();
    });
    check_rebuilt("a directory in its place", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
        // Nothing can be put there until it is gone.
        fs::remove_dir(path).unwrap();
    });
}

#[test]
fn an_untouched_copy_is_verified_and_taken() {
    let (_directory, cache) = filled();
    let path = artifact(&cache);
    let bytes = fs::read(&path).unwrap();
    let copy = path.with_extension("copy");
    fs::write(&copy, bytes).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&copy, &path).unwrap();
    let mut program = Program::module(SOURCE);
    assert_eq!(first_step(&cache, Tier::Winch, &mut program), Step::Map);
}

#[test]
fn an_artifact_of_another_code_under_this_name_is_not_loaded() {
    let (_directory, cache) = filled();
    let mine = artifact(&cache);
    let mut other = Program::module("(module (func (export \"_start\") unreachable))");
    let _ = executor(Some(&cache)).allocate(&configuration(Tier::Winch, Rung::Artifact)).unwrap().prepare(&mut other);
    let theirs = files(&cache).into_iter().find(|path| path != &mine && path.extension() == mine.extension()).unwrap();
    fs::rename(theirs, &mine).unwrap();
    assert_eq!(first_step(&cache, Tier::Winch, &mut Program::module(SOURCE)), Step::Compile);
}

#[test]
fn a_directory_open_to_others_is_refused() {
    let directory = private();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let error = ArtifactCache::open(directory.path().to_owned(), Bytes(1)).err().unwrap();
    assert!(error.to_string().contains("open to other users"), "{error}");
    let link = directory.path().join("link");
    symlink("/tmp", &link).unwrap();
    assert!(ArtifactCache::open(link, Bytes(1)).is_err());
}

#[test]
fn eviction_keeps_the_most_recently_used() {
    let directory = private();
    let cache = directory.path();
    let program = |index: u32| {
        Program::module(&format!("(module (func (export \"_start\")) (func (result i32) (i32.const {index})))"))
    };
    for index in 0..3 {
        first_step(cache, Tier::Winch, &mut program(index));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(first_step(cache, Tier::Winch, &mut program(0)), Step::Map, "used again, so most recent");
    let executor = executor(Some(cache));
    let artifacts = executor.artifacts().unwrap();
    let size = artifacts.list().unwrap()[0].size_bytes;
    let freed = artifacts.prune(Bytes(size.0 * 2)).unwrap();
    assert_eq!(freed, size);
    let mut left: Vec<_> = artifacts.list().unwrap().iter().map(|info| info.digest).collect();
    left.sort();
    let mut expected = vec![program(0).digest(), program(2).digest()];
    expected.sort();
    assert_eq!(left, expected);
    artifacts.prune(Bytes::ZERO).unwrap();
    assert_eq!(fs::read_dir(cache).unwrap().count(), 0);
}

#[test]
fn what_exceeds_the_limit_is_not_written() {
    let directory = private();
    let cache = ArtifactCache::open(directory.path().join("c"), Bytes(10)).unwrap();
    let executor = Executor::new(Some(cache), Arc::new(RealClock)).releasing_memory(true);
    let lease = executor.allocate(&configuration(Tier::Winch, Rung::Artifact)).unwrap();
    let ready = lease.warm(&mut Program::module(SOURCE), &Invocation::detached("test.wasm")).unwrap();
    assert!(
        matches!(ready.persistence().state(), State::Failed(words) if words.contains("more than the cache may hold"))
    );
}

#[test]
fn leftovers_of_killed_writers_are_swept_and_those_of_live_ones_kept() {
    let (_directory, cache) = filled();
    // The number of a process that has ended.
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let dead = cache.join(format!(".writing-{}-0", child.id()));
    let live = cache.join(format!(".writing-{}-999", std::process::id()));
    fs::write(&dead, [0; 100]).unwrap();
    fs::write(&live, [0; 100]).unwrap();
    let executor = executor(Some(&cache));
    assert_eq!(executor.artifacts().unwrap().prune(Bytes(1 << 30)).unwrap(), Bytes(100));
    assert!(!dead.exists() && live.exists());
}

#[test]
fn several_writers_at_once_leave_one_good_artifact() {
    let directory = private();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let mut program = Program::module(SOURCE);
                    let lease = executor(Some(directory.path())).allocate(&configuration(Tier::Winch, Rung::Artifact));
                    let ready = lease.unwrap().warm(&mut program, &Invocation::detached("test.wasm")).unwrap();
                    assert_eq!(ready.run().exit.code, 0);
                    let path = artifact(directory.path());
                    // Whoever is first again rebuilds.
                    let _ = fs::remove_file(path.with_extension("stamp"));
                }
            });
        }
    });
    let mut program = Program::module(SOURCE);
    first_step(directory.path(), Tier::Winch, &mut program);
    assert_eq!(first_step(directory.path(), Tier::Winch, &mut program), Step::Map);
    assert_eq!(files(directory.path()).len(), 2);
}

#[test]
fn a_large_artifact_is_written_beside_the_run() {
    let functions: String = (0..600)
        .map(|index| {
            format!(
                "(func (param i32) (result i32) {})",
                "(local.set 0 (i32.mul (local.get 0) (i32.const 7)))".repeat(20)
                    + &format!("(i32.add (local.get 0) (i32.const {index}))")
            )
        })
        .collect();
    let directory = private();
    let mut program = Program::module(&format!("(module {functions} (func (export \"_start\")))"));
    let lease = executor(Some(directory.path())).allocate(&configuration(Tier::Winch, Rung::Artifact)).unwrap();
    let ready = lease.warm(&mut program, &Invocation::detached("test.wasm")).unwrap();
    assert!(ready.steps()[0].bytes.0 > 100_000);
    let persistence = ready.run().persistence;
    persistence.wait(std::time::Duration::from_secs(20));
    assert!(persistence.timing().is_some(), "{:?}", persistence.state());
    assert_eq!(first_step(directory.path(), Tier::Winch, &mut program), Step::Map);
}

#[test]
fn preparing_makes_the_artifact_once() {
    let directory = private();
    let executor = executor(Some(directory.path()));
    let prepare = |program: &mut Program| {
        let lease = executor.allocate(&configuration(Tier::Cranelift, Rung::Artifact)).unwrap();
        lease.prepare(program).unwrap().iter().map(|step| step.step).collect::<Vec<_>>()
    };
    let mut program = Program::module(SOURCE);
    let digest = program.digest();
    let cache = executor.artifacts().unwrap();
    assert!(!cache.being_prepared(&digest));
    // Another process that is at it has the directory of the code locked.
    let home = directory.path().join(digest.hex());
    std::fs::DirBuilder::new().mode(0o700).create(&home).unwrap();
    let other = std::fs::File::open(&home).unwrap();
    other.lock().unwrap();
    assert!(cache.being_prepared(&digest));
    assert_eq!(prepare(&mut program), []);
    drop(other);
    assert!(!cache.being_prepared(&digest));
    assert_eq!(prepare(&mut program), [Step::Compile, Step::Persist]);
    assert_eq!(prepare(&mut program), []);
    assert_eq!(executor.standing(&program.digest()), [(Tier::Cranelift, IsaLevel::Native)]);
}
