//! Hostile programs, each contained, ended within its limits, and gone afterwards: as root and as a user without rights.
//!
//! Every program bounds itself as well, so that a containment that fails does no harm to the machine of the test.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::room::{Ran, Room, rooms, skip};

fn python(room: &Room, flags: &[&str], script: &str) -> Option<Ran> {
    if Command::new("python3").arg("--version").output().is_err() {
        skip(room.name(), "there is no Python");
        return None;
    }
    Some(room.run(flags, &["/usr/bin/env", "python3", "-c", script]))
}

fn shell(room: &Room, flags: &[&str], script: &str) -> Ran {
    room.run(flags, &["/bin/sh", "-c", script])
}

#[test]
fn a_fork_bomb_is_refused_processes() {
    // 2^10 processes at most, each of which ends by itself.
    let bomb = "import os, time\nfirst = os.getpid()\nfor _ in range(10):\n  try: os.fork()\n  except OSError: \
                open('/tmp/refused', 'w')\ntime.sleep(2)\n\
                os._exit(7 if os.getpid() == first and os.path.exists('/tmp/refused') else 0)";
    for room in rooms("a_fork_bomb") {
        let Some(ran) = python(&room, &["--processes", "40", "--wall", "20000"], bomb) else { return };
        assert_eq!(ran.code, 7, "{ran:?}");
        assert!(ran.stderr.contains("denied: [Processes]"), "{ran:?}");
        room.assert_gone();
    }
}

#[test]
fn a_memory_bomb_ends_at_its_limit() {
    // 1 GiB at most.
    let bomb = "import time\nheld = []\nfor _ in range(64):\n  held.append(b'x' * (16 << 20)); time.sleep(0.005)\n\
                time.sleep(2)";
    let spread = "import os, time\nfor _ in range(8):\n  if os.fork() == 0:\n    held = b'x' * (64 << 20); \
                  time.sleep(3); os._exit(0)\ntime.sleep(3)";
    for room in rooms("a_memory_bomb") {
        for script in [bomb, spread] {
            let Some(ran) = python(&room, &["--memory", "200000000"], script) else { return };
            assert_eq!((ran.code, ran.cause()), (137, "Memory"), "{ran:?}");
            room.assert_gone();
        }
        if room.may_group() {
            let Some(ran) = python(&room, &["--memory", "200000000", "--groups"], bomb) else { return };
            assert_eq!((ran.code, ran.cause()), (137, "Memory"), "{ran:?}");
            assert!(ran.stderr.contains("Cgroup"), "{ran:?}");
        }
    }
}

#[test]
fn who_outgrows_what_was_set_aside_is_given_more() {
    // Long enough before to be taken into a group, and after to be looked at; 200 MiB beyond it, in a child as well.
    let script = "import os, time\nheld = bytearray(10 << 20)\ntime.sleep(0.5)\n\
                  if os.fork() == 0:\n  more = b'x' * (100 << 20); time.sleep(1.5); os._exit(0)\n\
                  more = b'x' * (100 << 20); os.wait(); print(len(more))";
    for room in rooms("who_outgrows") {
        let groups: &[&[&str]] =
            if room.may_group() { &[&[], &["--groups", "--memory", "1000000000"]] } else { &[&[]] };
        for flags in groups {
            let check = |aside: &str, outgrew: bool| {
                let ran = python(&room, &[&["--aside", aside][..], *flags].concat(), script)?;
                assert_eq!((ran.code, ran.stdout.as_str()), (0, "104857600\n"), "{ran:?}");
                assert_eq!(ran.stderr.contains("outgrew: Some"), outgrew, "{ran:?}");
                Some(())
            };
            if check("67108864", true).and_then(|()| check("900000000", false)).is_none() {
                return;
            }
        }
        room.assert_gone();
    }
}

#[test]
fn memory_shared_by_forking_counts_once() {
    // 100 MiB, in eight processes.
    let script = "import os, time\nheld = bytearray(100 << 20)\nfor n in range(0, len(held), 4096): held[n] = 1\n\
                  for _ in range(7):\n  if os.fork() == 0: time.sleep(1.5); os._exit(0)\ntime.sleep(1.5)";
    for room in rooms("memory_shared") {
        let Some(ran) = python(&room, &["--memory", "300000000"], script) else { return };
        assert_eq!(ran.cause(), "Exited(0)", "{ran:?}");
    }
}

#[test]
fn a_disk_filler_fills_its_scratch_alone() {
    let filler = "import os\nfor path in ('/tmp', '/dev/shm'):\n  try:\n    with open(path + '/f', 'wb', 0) as f:\n      \
                  for _ in range(512): f.write(b'x' * (1 << 20))\n  except OSError as e: print(e.errno)\nraise SystemExit(1)";
    for room in rooms("a_disk_filler") {
        let Some(ran) = python(&room, &[], filler) else { return };
        assert_eq!(ran.stdout, "28\n28\n", "no space left on either: {ran:?}");
        assert!(ran.stderr.contains("denied: [Scratch]"), "{ran:?}");
        let given = room.folder();
        let flags = ["--dir", &given, "--file", "1000000"];
        let ran = shell(&room, &flags, &format!("exec head -c 100000000 /dev/zero > {given}/f"));
        assert_eq!((ran.code, ran.cause()), (153, "FileSize"), "{ran:?}");
        assert_eq!(fs::metadata(format!("{given}/f")).unwrap().len(), 1_000_000);
    }
}

#[test]
fn descriptors_are_bounded_and_not_inherited() {
    let leak = "import os\nn = 0\ntry:\n  while n < 5000: os.open('/dev/null', 0); n += 1\nexcept OSError as e: \
                print(e.errno, n < 64)";
    for room in rooms("descriptors") {
        let Some(ran) = python(&room, &["--files", "64"], leak) else { return };
        assert_eq!(ran.stdout, "24 True\n", "{ran:?}");
        let ran = room.run_by_shell(&[], "exec 9</etc/passwd;", &["/bin/sh", "-c", "cat <&9 || echo none"]).piped("");
        assert_eq!(ran.stdout, "none\n", "{ran:?}");
    }
}

#[test]
fn no_process_of_the_host_is_seen_traced_or_signalled() {
    let host = std::process::id();
    let escape = format!(
        "import os, ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n\
         def tried(what):\n  try: print(what())\n  except OSError as e: print(type(e).__name__)\n\
         tried(lambda: os.kill({host}, 0) if {host} > 400 else os.kill(399, 0))\n\
         tried(lambda: os.path.exists('/proc/{host}') and {host} > 400)\n\
         tried(lambda: open('/proc/1/mem', 'rb').read(1))\n\
         tried(lambda: os.readlink('/proc/1/fd/1'))\n\
         print(libc.ptrace(16, 1, 0, 0), ctypes.get_errno())\n\
         tried(lambda: os.kill(1, 9))\n\
         print(libc.unshare(0x10000000), ctypes.get_errno())\n\
         print(libc.mount(b'none', b'/', b'', 32 | 4096, b''), ctypes.get_errno())\n\
         tried(lambda: open('/proc/sys/kernel/core_pattern', 'w'))\n\
         tried(lambda: open('/proc/sysrq-trigger', 'w'))"
    );
    for room in rooms("no_process_of_the_host") {
        let Some(ran) = python(&room, &[], &escape) else { return };
        let lines: Vec<&str> = ran.stdout.lines().collect();
        assert_eq!(lines[0], "ProcessLookupError", "{ran:?}");
        assert_eq!(lines[1], "False", "{ran:?}");
        assert_eq!(&lines[2..4], ["PermissionError"; 2], "{ran:?}");
        assert_eq!([lines[4], lines[6], lines[7]], ["-1 1"; 3], "{ran:?}");
        // Landlock refuses, or without it the kernel keeps an init from its own namespace's signals.
        assert!(["PermissionError", "None"].contains(&lines[5]), "{ran:?}");
        assert!(lines[8..].iter().all(|line| line.ends_with("Error")), "{ran:?}");
    }
}

#[test]
fn devices_of_the_machine_are_not_there() {
    for room in rooms("devices") {
        let ran = shell(
            &room,
            &[],
            "ls /dev | tr '\\n' ' '; ls /dev/pts /tmp /run | tr -d '\\n'; echo x > /dev/null; test -t 0",
        );
        let allowed = "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero ";
        assert!(ran.stdout.starts_with(allowed), "{ran:?}");
        assert!(!ran.stdout.contains("vda") && !ran.stdout.contains("mem"), "{ran:?}");
    }
}

#[test]
fn the_supervisor_survives_signals_to_its_group() {
    for room in rooms("signals_to_the_group") {
        let ran = shell(&room, &[], "kill -9 0; sleep 5");
        assert_eq!((ran.code, ran.cause()), (137, "Signalled(9)"), "{ran:?}");
        room.assert_gone();
    }
}

#[test]
fn links_lead_no_further_than_names() {
    for room in rooms("links") {
        let outside = room.folder();
        let given = room.folder();
        let script = format!(
            "cd {given}; ln -s {outside} out; ln -s /etc/hostname h; echo x > out/f; echo x > h; echo x > ../evil; \
             ln /etc/hostname hard; mv /etc/hostname . ; rm -f {outside}/kept; echo x > mine; cat mine"
        );
        fs::write(format!("{outside}/kept"), "kept").unwrap();
        let before = fs::read("/etc/hostname").ok();
        let ran = shell(&room, &["--dir", &given], &script);
        assert_eq!(ran.stdout, "x\n", "{ran:?}");
        assert_eq!(fs::read("/etc/hostname").ok(), before);
        let names: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["kept"], "{ran:?}");
    }
}

#[test]
fn set_user_id_gives_nothing() {
    for room in rooms("set_user_id").into_iter().filter(|room| !room.is_root()) {
        if !crate::room::is_root() {
            return skip("set_user_id_gives_nothing", "only root can make such a program");
        }
        let folder = room.folder();
        let program = format!("{folder}/rooted");
        fs::copy("/usr/bin/id", &program).unwrap();
        let made = Command::new("sh").args(["-c", &format!("chown 0 {program}; chmod 4755 {program}")]).status();
        assert!(made.unwrap().success());
        let ran = room.run(&["--dir", &folder], &[&program, "-u"]);
        assert_eq!(ran.stdout, "65534\n", "{ran:?}");
    }
}

#[test]
fn orphans_do_not_outlive_the_program() {
    for room in rooms("orphans") {
        // The reader of the output waits for every holder of the pipe.
        let ran = shell(&room, &[], "(setsid sleep 100 &) ; sleep 100 & echo done");
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "done\n"), "{ran:?}");
        room.assert_gone();
    }
}

#[test]
fn a_flood_of_output_ends_with_its_reader_or_its_limit() {
    for room in rooms("a_flood") {
        let ran = room.run_by_shell(&[], "", &["/usr/bin/yes"]).piped("| head -n 1");
        assert_eq!(ran.stdout, "y\n", "{ran:?}");
        assert!(ran.stderr.contains("Signalled(13)"), "{ran:?}");
        let file = format!("{}/flood", room.folder());
        let ran = room.run_by_shell(&["--file", "100000"], "", &["/usr/bin/yes"]).piped(&format!("> {file}"));
        assert_eq!(ran.cause(), "FileSize", "{ran:?}");
    }
}

#[test]
fn input_that_is_never_read_holds_nobody_up() {
    for room in rooms("input") {
        let mut command = room.command(&[], &["/bin/sleep", "0.05"]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let written = child.stdin.take().unwrap().write_all(&vec![b'x'; 1 << 20]);
        assert!(written.is_err(), "a pipe holds 64 KiB, and then nobody reads");
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn ignoring_termination_does_not_help() {
    for room in rooms("termination") {
        let ran = shell(&room, &["--wall", "300"], "trap '' TERM INT HUP QUIT; while :; do sleep 0.05; done");
        assert_eq!((ran.code, ran.cause()), (124, "Wall"), "{ran:?}");
        room.assert_gone();
    }
}

#[test]
fn cpu_time_is_bounded_over_all_processes() {
    for room in rooms("cpu_time") {
        let ran = shell(&room, &["--cpu", "1"], "while :; do :; done");
        assert_eq!((ran.code, ran.cause()), (152, "Cpu"), "{ran:?}");
        // No single process reaches the limit, however long the machine lets each of them wait; a minute at most.
        let split = "while :; do sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'; done";
        let ran = shell(&room, &["--cpu", "1", "--wall", "60000"], split);
        assert_eq!(ran.cause(), "Cpu", "{ran:?}");
        room.assert_gone();
    }
}

#[test]
fn what_the_machine_uses_is_not_taken_for_the_programs() {
    for room in rooms("what_the_machine_uses") {
        // So tight that the supervisor looks while the place is still being laid out.
        let starts =
            (0..12).map(|_| room.command(&["--memory", "30000000", "--cpu", "1"], &["/bin/true"]).spawn().unwrap());
        for mut child in starts.collect::<Vec<_>>() {
            assert!(child.wait().unwrap().success());
        }
    }
}

#[test]
fn the_network_is_not_there_but_for_the_programs_own() {
    let own = "import socket\ns = socket.create_server(('127.0.0.1', 0))\nc = socket.create_connection(s.getsockname())\n\
               p, _ = s.accept(); c.sendall(b'hi'); print(p.recv(2))\n\
               for kind, address in ((socket.SOCK_STREAM, ('192.0.2.1', 80)), (socket.SOCK_DGRAM, ('192.0.2.1', 53))):\n  \
               try: socket.socket(socket.AF_INET, kind).connect(address)\n  except OSError as e: print(e.errno)\n\
               try: socket.socket(40, socket.SOCK_STREAM)\nexcept OSError as e: print(e.errno)\nraise SystemExit(1)";
    for room in rooms("the_network") {
        let Some(ran) = python(&room, &[], own) else { return };
        assert_eq!(ran.stdout, "b'hi'\n101\n101\n97\n", "{ran:?}");
        assert!(ran.stderr.contains("Network"), "{ran:?}");
    }
}

#[test]
fn without_namespaces_writing_and_sockets_are_still_denied() {
    let script = "import socket, os\nfor path in ('/tmp/x', '/var/tmp/x', os.path.expanduser('~/x')):\n  \
                  try: open(path, 'w')\n  except OSError as e: print(type(e).__name__)\n\
                  try: socket.socket()\nexcept OSError as e: print(e.errno)\nopen('/dev/null', 'w').write('x')";
    for room in rooms("without_namespaces") {
        let Some(ran) = python(&room, &["--plain"], script) else { return };
        if ran.stderr.contains("Limits") {
            return skip("without_namespaces", "the system has no Landlock");
        }
        assert_eq!(ran.stdout, "PermissionError\nPermissionError\nPermissionError\n97\n", "{ran:?}");
        let ran = shell(&room, &["--plain", "--wall", "300"], "(sleep 100 &); sleep 100");
        assert_eq!(ran.cause(), "Wall", "{ran:?}");
        room.assert_gone();
    }
}
