//! A launcher that forks in the stead of a process that changed after it stood by.

use std::process::Command;

/// What the shell tells of itself: umask, both limits on descriptors, priority, cores, directory.
const TELL: &str = "umask; ulimit -Sn; ulimit -Hn; nice; nproc; pwd";

#[test]
fn a_program_is_as_if_this_process_had_forked_it() {
    let built = std::env::current_exe().unwrap();
    let example = built.parent().unwrap().parent().unwrap().join("examples/launched");
    let mut command = Command::new(&example);
    let output = command.arg(TELL).output().unwrap_or_else(|error| panic!("{}: {error}", example.display()));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors.matches("in its group: true").count(), 5, "{errors}");
    assert!(errors.contains("ended [0, 0, 0, 0], without a launcher 0"), "{errors}");
    let told = String::from_utf8(output.stdout).unwrap();
    for line in ["0077", "100", "150", "5", "1", "/usr"] {
        assert_eq!(told.lines().filter(|told| *told == line).count(), 5, "{line} in {told}");
    }
}
