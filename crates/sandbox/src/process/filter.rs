//! The program's system-call filter: what no program of a user needs, and what would lead around the other walls.
//!
//! Everything else is allowed; a denied call fails with an error, as on a system without it. Made before the fork, as a tree
//! over the calls' numbers: when a filter is installed the kernel goes through it once for each call there is, and with one
//! comparison after the other that was a tenth of what laying a place out takes.

use std::io;

use libc::sock_filter;

/// Calls that change or inspect the system as a whole, name files by handle, or make and enter namespaces and mounts.
const FORBIDDEN: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
];

/// Calls that programs try and do without: `clone3` hides its flags behind a pointer, which a filter cannot follow, and
/// the C library then uses `clone`; `io_uring` carries out other calls unseen by filters.
const ABSENT: &[libc::c_long] =
    &[libc::SYS_clone3, libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_io_uring_setup];

/// Flags of `clone` that make namespaces: Linux include/uapi/linux/sched.h.
const NEW_NAMESPACES: u32 = (libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWUTS) as u32;

/// Terminal requests that put input into the caller's terminal, as if typed: ioctl_tty(2).
const TERMINAL_INPUT: [u32; 2] = [libc::TIOCSTI as u32, libc::TIOCLINUX as u32];

/// Kinds of sockets there are: all others lead to devices, to the host around a virtual machine, or into rarely used code.
const SOCKETS: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// A filter: a program of the kernel's, in its classic form.
pub type Filter = Vec<sock_filter>;

/// The steps it is made of, Linux include/uapi/linux/bpf_common.h: loading a word of what is known of a call, comparing it
/// with a constant, deciding.
const LOAD: u16 = 0x20;
const IF_EQUAL: u16 = 0x15;
const IF_AT_LEAST: u16 = 0x35;
const IF_ANY_BIT: u16 = 0x45;
const DECIDE: u16 = 0x06;

/// Decisions: Linux include/uapi/linux/seccomp.h.
const ALLOW: u32 = 0x7fff_0000;
const FAIL: u32 = 0x0005_0000;
const KILL: u32 = 0x8000_0000;

/// Where the number of a call stands, the architecture it is made by, and the lower half of an argument: `seccomp_data` of
/// the same, on processors that store the lower half first.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

/// This machine's architecture: Linux include/uapi/linux/audit.h.
const OWN_ARCHITECTURE: u32 = if cfg!(target_arch = "x86_64") {
    0xc000_003e
} else if cfg!(target_arch = "aarch64") {
    0xc000_00b7
} else {
    0
};

/// Where a second numbering of all calls begins (`x32`): Linux arch/x86/include/uapi/asm/unistd.h.
const OTHER_NUMBERING: u32 = 0x4000_0000;

fn step(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

/// A comparison that skips so many steps where it holds, and where it does not.
fn test(code: u16, k: u32, holds: usize, fails: usize) -> io::Result<sock_filter> {
    let skipped = |steps: usize| u8::try_from(steps).map_err(io::Error::other);
    Ok(sock_filter { code, jt: skipped(holds)?, jf: skipped(fails)?, k })
}

fn fail(error: i32) -> sock_filter {
    step(DECIDE, FAIL | error as u32)
}

/// The filter a program is put under. `network` says whether internet sockets may be made; where a network namespace holds the
/// program they may.
///
/// # Errors
/// Where this machine's architecture has none.
pub fn filter(network: bool) -> io::Result<Filter> {
    if OWN_ARCHITECTURE == 0 || cfg!(target_endian = "big") {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let always =
        |calls: &[libc::c_long], error| calls.iter().map(|call| (*call, vec![fail(error)])).collect::<Vec<_>>();
    let mut calls = always(FORBIDDEN, libc::EPERM);
    calls.extend(always(ABSENT, libc::ENOSYS));
    let namespaces = test(IF_ANY_BIT, NEW_NAMESPACES, 0, 1)?;
    calls.push((libc::SYS_clone, vec![step(LOAD, argument(0)), namespaces, fail(libc::EPERM), step(DECIDE, ALLOW)]));
    calls.push((libc::SYS_ioctl, one_of(argument(1), &TERMINAL_INPUT, [fail(libc::EPERM), step(DECIDE, ALLOW)])?));
    let kept = SOCKETS.iter().filter(|kind| network || !matches!(**kind, libc::AF_INET | libc::AF_INET6));
    let kept: Vec<u32> = kept.map(|kind| *kind as u32).collect();
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        calls.push((call, one_of(argument(0), &kept, [step(DECIDE, ALLOW), fail(libc::EAFNOSUPPORT)])?));
    }
    calls.sort_by_key(|(call, _)| *call);
    let mut filter =
        vec![step(LOAD, ARCHITECTURE), test(IF_EQUAL, OWN_ARCHITECTURE, 1, 0)?, step(DECIDE, KILL), step(LOAD, NUMBER)];
    if cfg!(target_arch = "x86_64") {
        filter.extend([test(IF_AT_LEAST, OTHER_NUMBERING, 0, 1)?, fail(libc::ENOSYS)]);
    }
    filter.extend(tree(&calls)?);
    Ok(filter)
}

/// Decides by whether a word is one of some values: the first way where it is, else the second.
fn one_of(word: u32, values: &[u32], [is, is_not]: [sock_filter; 2]) -> io::Result<Filter> {
    let mut steps = vec![step(LOAD, word)];
    for (index, value) in values.iter().enumerate() {
        steps.push(test(IF_EQUAL, *value, values.len() - index, 0)?);
    }
    steps.extend([is_not, is]);
    Ok(steps)
}

/// Decides by the number that was loaded, among calls by rising number; what is none of them is allowed.
fn tree(calls: &[(libc::c_long, Filter)]) -> io::Result<Filter> {
    let number = |call: libc::c_long| u32::try_from(call).map_err(io::Error::other);
    let (below, from) = match calls {
        [] => return Ok(vec![step(DECIDE, ALLOW)]),
        [(call, steps)] => {
            let found = [test(IF_EQUAL, number(*call)?, 1, 0)?, step(DECIDE, ALLOW)];
            return Ok(found.into_iter().chain(steps.iter().copied()).collect());
        }
        calls => calls.split_at(calls.len() / 2),
    };
    let middle = from.first().map_or(Ok(0), |(call, _)| number(*call))?;
    let (below, from) = (tree(below)?, tree(from)?);
    Ok(std::iter::once(test(IF_AT_LEAST, middle, below.len(), 0)?).chain(below).chain(from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a filter decides of a call, as the kernel goes through it, and in how many steps.
    fn decided(filter: &Filter, architecture: u32, call: u32, arguments: [u32; 2]) -> (u32, usize) {
        let (mut at, mut word) = (0, 0);
        for steps in 1.. {
            let sock_filter { code, jt, jf, k } = filter[at];
            at += 1;
            let holds = match code {
                DECIDE => return (k, steps),
                LOAD => {
                    word = [
                        (NUMBER, call),
                        (ARCHITECTURE, architecture),
                        (argument(0), arguments[0]),
                        (argument(1), arguments[1]),
                    ]
                    .into_iter()
                    .find_map(|(place, value)| (place == k).then_some(value))
                    .unwrap();
                    continue;
                }
                IF_EQUAL => word == k,
                IF_AT_LEAST => word >= k,
                IF_ANY_BIT => word & k != 0,
                other => unreachable!("step {other}"),
            };
            at += usize::from(if holds { jt } else { jf });
        }
        unreachable!("a filter ends")
    }

    #[test]
    fn every_call_is_decided_as_the_lists_say() {
        for network in [false, true] {
            let filter = filter(network).unwrap();
            // BPF_MAXINSNS: Linux include/uapi/linux/bpf_common.h.
            assert!(filter.len() < 4096);
            let check = |call: libc::c_long, arguments, expected: u32| {
                let (found, steps) = decided(&filter, OWN_ARCHITECTURE, call as u32, arguments);
                assert_eq!(found, expected, "call {call} of {arguments:?}");
                assert!(steps < 24, "call {call} takes {steps} steps");
            };
            let error = |number: i32| FAIL | number as u32;
            for call in 0..1000 {
                let conditional = [libc::SYS_clone, libc::SYS_ioctl, libc::SYS_socket, libc::SYS_socketpair];
                if conditional.contains(&call) {
                    continue;
                }
                let expected = match call {
                    call if FORBIDDEN.contains(&call) => error(libc::EPERM),
                    call if ABSENT.contains(&call) => error(libc::ENOSYS),
                    _ => ALLOW,
                };
                check(call, [0, 0], expected);
            }
            check(libc::SYS_clone, [libc::SIGCHLD as u32, 0], ALLOW);
            for flag in (0..32).map(|bit| 1_u32 << bit).filter(|flag| NEW_NAMESPACES & flag != 0) {
                check(libc::SYS_clone, [flag | libc::SIGCHLD as u32, 0], error(libc::EPERM));
            }
            check(libc::SYS_ioctl, [0, libc::TCGETS as u32], ALLOW);
            for request in TERMINAL_INPUT {
                check(libc::SYS_ioctl, [request, request], error(libc::EPERM));
                check(libc::SYS_ioctl, [request, 0], ALLOW);
            }
            for call in [libc::SYS_socket, libc::SYS_socketpair] {
                let internet = if network { ALLOW } else { error(libc::EAFNOSUPPORT) };
                check(call, [libc::AF_UNIX as u32, 0], ALLOW);
                check(call, [libc::AF_NETLINK as u32, 0], ALLOW);
                check(call, [libc::AF_INET as u32, 0], internet);
                check(call, [libc::AF_INET6 as u32, 0], internet);
                check(call, [libc::AF_VSOCK as u32, 0], error(libc::EAFNOSUPPORT));
            }
            assert_eq!(decided(&filter, 0x4000_0003, 1, [0, 0]).0, KILL, "another architecture's");
            if cfg!(target_arch = "x86_64") {
                assert_eq!(decided(&filter, OWN_ARCHITECTURE, OTHER_NUMBERING | 1, [0, 0]).0, error(libc::ENOSYS));
            }
        }
    }
}
