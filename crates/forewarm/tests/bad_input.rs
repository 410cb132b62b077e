//! Bad input: each a clear error with its documented exit code, and an intact database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{Home, document, is_root, programs, skip};

/// Runs a bad program, as text and as JSON; wants the code, the file, these words, and the database whole.
fn check(name: &str, contents: impl AsRef<[u8]>, code: i32, words: &[&str]) {
    let home = Home::new();
    home.write(name, contents);
    check_file(&home, name, &[], code, words);
}

fn check_file(home: &Home, name: &str, flags: &[&str], code: i32, words: &[&str]) {
    let file = home.path(name);
    let line = [&["run"], flags].concat().into_iter().map(Path::new).chain([file.as_path()]);
    let ended = home.run(line.clone());
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    assert_eq!(ended.text(), "");
    assert!(ended.stderr.starts_with(&format!("error: {}: ", file.display())), "{}", ended.stderr);
    assert!(ended.stderr.contains("\nhint: "), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} is missing: {}", ended.stderr);
    }
    let json = home.run(line.chain(["--format", "json"].map(Path::new)));
    assert_eq!(json.code, Some(code), "{}", json.stderr);
    let error = document(json.stderr.as_bytes());
    assert_eq!((&error["code"], &error["file"]), (&code.into(), &file.display().to_string().into()));
    assert!(error["message"].is_string() && error["hint"].is_string(), "{error}");
    common::assert_keys(&error, &["/cause"]);
    home.assert_intact();
}

#[test]
fn no_such_file() {
    check_file(&Home::new(), "gone.wasm", &[], 127, &["no such file"]);
}

#[test]
fn not_wasm() {
    check("text.wasm", "#!/bin/sh\necho no\n", 126, &[]);
    check("elf.wasm", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", 126, &[]);
    check("broken.wat", "(module (func", 126, &[]);
}

#[test]
fn nothing_in_it() {
    check("empty.wasm", "", 126, &["empty"]);
}

#[test]
fn truncated() {
    let whole = wat::parse_str(programs::CAT).unwrap();
    for length in [4, 8, 9, whole.len() / 2, whole.len() - 1] {
        // The header alone is an empty module, which is valid and merely has no entry point.
        check("truncated.wasm", &whole[..length], 126, &[]);
    }
}

#[test]
fn invalid() {
    check("invalid.wat", programs::ILL_TYPED, 126, &["type mismatch"]);
}

#[test]
fn a_directory() {
    let home = Home::new();
    std::fs::create_dir(home.path("folder")).unwrap();
    check_file(&home, "folder", &[], 126, &["directory"]);
}

#[test]
fn unreadable() {
    if is_root() {
        return skip("unreadable", "permissions do not bind root");
    }
    let home = Home::new();
    let file = home.write("secret.wasm", "");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o000)).unwrap();
    check_file(&home, "secret.wasm", &[], 126, &["ermission denied"]);
}

#[test]
fn a_hundred_megabytes_of_zeros() {
    let home = Home::new();
    std::fs::File::create(home.path("zeros.wasm")).unwrap().set_len(100 << 20).unwrap();
    check_file(&home, "zeros.wasm", &[], 126, &[]);
}

#[test]
fn no_entry_point() {
    check("library.wat", programs::LIBRARY, 126, &["_start", "--invoke"]);
}

#[test]
fn missing_imports() {
    check("foreign.wat", programs::FOREIGN, 126, &["acme", "summon"]);
}

#[test]
fn a_component_of_another_world() {
    check("foreign.wat", programs::FOREIGN_COMPONENT, 126, &["acme:oracle/ask"]);
}

#[test]
fn an_endless_loop_meets_its_time_limit() {
    let home = Home::new();
    // Quiet before it loops, so that nothing reaches standard output.
    home.write("endless.wat", "(module (memory (export \"memory\") 1) (func (export \"_start\") (loop $l (br $l))))");
    check_file(&home, "endless.wat", &["--timeout", "1s"], 124, &["time limit", "--timeout"]);
    let exit = &home.history()[0]["exit"];
    assert_eq!((&exit["cause"], &exit["code"]), (&"timeout".into(), &124.into()));
}

#[test]
fn unbounded_growth_meets_its_memory_limit() {
    let home = Home::new();
    home.write("greedy.wat", programs::GREEDY);
    check_file(&home, "greedy.wat", &["--max-memory", "32MiB"], 137, &["memory limit", "--max-memory"]);
    assert_eq!(home.history()[0]["exit"]["cause"], "memory");
}

#[test]
fn a_program_larger_than_its_limit_does_not_start() {
    let home = Home::new();
    home.write("large.wat", "(module (memory (export \"memory\") 1024) (func (export \"_start\")))");
    check_file(&home, "large.wat", &["--max-memory", "1MiB"], 137, &["--max-memory"]);
}

#[test]
fn deep_recursion_traps() {
    check("recursive.wat", programs::RECURSIVE, 134, &["call stack exhausted", "recurses"]);
}

#[test]
fn other_traps_say_what_they_are() {
    let body = |body: &str| format!("(module (memory (export \"memory\") 1) (func (export \"_start\") {body}))");
    check("unreachable.wat", body("unreachable"), 134, &["unreachable", "gave up"]);
    check("divide.wat", body("(drop (i32.div_u (i32.const 1) (i32.const 0)))"), 134, &["divide by zero"]);
    check("bounds.wat", body("(drop (i32.load (i32.const -4)))"), 134, &["out of bounds memory access"]);
}

#[test]
fn other_commands_refuse_as_run_does() {
    let home = Home::new();
    home.write("text.wasm", "no program");
    for command in ["analyze", "plan", "emulate"] {
        for (file, code) in [("gone.wasm", 127), ("text.wasm", 126)] {
            let ended = home.run([command, file]);
            assert_eq!((ended.code, ended.text().as_str()), (Some(code), ""), "{command}: {}", ended.stderr);
            assert!(ended.stderr.starts_with(&format!("error: {file}: ")), "{}", ended.stderr);
        }
    }
}

#[test]
fn usage_errors_are_errors_in_either_format() {
    let home = Home::new();
    let text = home.run(["run", "--timeout", "soon", "p.wasm"]);
    assert_eq!((text.code, text.text().as_str()), (Some(2), ""));
    assert!(text.stderr.contains("a duration (such as 500ms"), "{}", text.stderr);
    let json = home.run(["run", "--timeout", "soon", "p.wasm", "--format", "json"]);
    assert_eq!(json.code, Some(2));
    assert_eq!(document(json.stderr.as_bytes())["code"], 2);
}

#[test]
fn a_configuration_that_cannot_be_followed_is_named() {
    let home = Home::new();
    home.write("hello.wat", programs::HELLO);
    home.write("config/forewarm/config.toml", "# mine\nobjectiv = \"cost\"\n");
    let ended = home.run(["run", "hello.wat"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""));
    home.snapshots(|| {
        insta::assert_snapshot!(ended.stderr, @r"
        error: [HOME]/config/forewarm/config.toml: cannot follow the configuration: line 2: unknown field `objectiv`, expected one of `objective`, `emulate`, `prepare`, `cache_limit`, `holder_idle`, `holder_memory`, `max_memory`, `weights`
        hint: `forewarm config default` prints every key that is known
        ");
    });
}
