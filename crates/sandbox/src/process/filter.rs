//! The program's system-call filters: what no program of a user needs, and what would lead around the other walls.
//!
//! Everything else is allowed; a denied call fails with an error, as on a system without it. Compiled by `seccompiler`
//! before the fork, once in a process; one filter for each error, since a filter of its knows one.

use std::io;
use std::sync::OnceLock;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter, sock_filter,
};

use super::raw;

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
const NEW_NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Terminal requests that put input into the caller's terminal, as if typed: ioctl_tty(2).
const TERMINAL_INPUT: [u64; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

/// Kinds of sockets there are: all others lead to devices, to the host around a virtual machine, or into rarely used code.
const SOCKETS: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// The filters a program is put under, each a program for the kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filters(&'static [BpfProgram]);

impl Filters {
    /// Those for a program. `network` says whether internet sockets may be made; where a network namespace holds the program
    /// they may.
    ///
    /// # Errors
    /// Where this machine's architecture has none.
    pub fn of(network: bool) -> io::Result<Self> {
        static COMPILED: [OnceLock<Vec<BpfProgram>>; 2] = [OnceLock::new(), OnceLock::new()];
        let compiled = &COMPILED[usize::from(network)];
        if let Some(known) = compiled.get() {
            return Ok(Self(known));
        }
        let new = compiled_for(network)?;
        Ok(Self(compiled.get_or_init(|| new)))
    }

    /// Puts the calling process under them; between fork and exec.
    pub fn enter(self) -> raw::Result<()> {
        let error = |error: seccompiler::Error| match error {
            seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error) => error.raw_os_error(),
            _ => None,
        };
        self.0
            .iter()
            .try_for_each(|filter| apply_filter(filter))
            .map_err(|failed| error(failed).unwrap_or(libc::EINVAL))
    }
}

fn compiled_for(network: bool) -> io::Result<Vec<BpfProgram>> {
    let mut forbidden = whole(FORBIDDEN);
    let namespaces = NEW_NAMESPACES.map(|flag| flag as u64);
    forbidden.push((libc::SYS_clone, rules(0, namespaces.map(|flag| (SeccompCmpOp::MaskedEq(flag), flag)))?));
    forbidden.push((libc::SYS_ioctl, rules(1, TERMINAL_INPUT.map(|request| (SeccompCmpOp::Eq, request)))?));
    let kept = SOCKETS.iter().filter(|kind| network || !matches!(**kind, libc::AF_INET | libc::AF_INET6));
    let others = kept.map(|kind| condition(0, SeccompCmpOp::Ne, *kind as u64)).collect::<io::Result<Vec<_>>>()?;
    let others = vec![SeccompRule::new(others).map_err(io::Error::other)?];
    let families = vec![(libc::SYS_socket, others.clone()), (libc::SYS_socketpair, others)];
    Ok(vec![
        guarded(compile(forbidden, libc::EPERM)?),
        compile(whole(ABSENT), libc::ENOSYS)?,
        compile(families, libc::EAFNOSUPPORT)?,
    ])
}

/// Calls denied whatever their arguments.
fn whole(calls: &[libc::c_long]) -> Vec<(libc::c_long, Vec<SeccompRule>)> {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// Rules of one condition each on an argument, any of which denies.
fn rules<const N: usize>(argument: u8, conditions: [(SeccompCmpOp, u64); N]) -> io::Result<Vec<SeccompRule>> {
    let rule =
        |(operator, value)| SeccompRule::new(vec![condition(argument, operator, value)?]).map_err(io::Error::other);
    conditions.into_iter().map(rule).collect()
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value).map_err(io::Error::other)
}

fn compile(rules: Vec<(libc::c_long, Vec<SeccompRule>)>, error: i32) -> io::Result<BpfProgram> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let denied = SeccompAction::Errno(error as u32);
    let filter = SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, denied, architecture)
        .map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}

/// Where a second numbering of all calls begins (`x32`): Linux arch/x86/include/uapi/asm/unistd.h.
const OTHER_NUMBERING: u32 = 0x4000_0000;

/// A filter behind a guard against a second numbering of all calls, which `seccompiler` does not know.
fn guarded(filter: BpfProgram) -> BpfProgram {
    if !cfg!(target_arch = "x86_64") {
        return filter;
    }
    // Load the call's number; where it is of the other numbering, it does not exist. Linux include/uapi/linux/bpf_common.h
    // and seccomp.h.
    let guard = [
        sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 },
        sock_filter { code: 0x35, jt: 0, jf: 1, k: OTHER_NUMBERING },
        sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32 },
    ];
    guard.into_iter().chain(filter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
    const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
    /// This machine's: Linux include/uapi/linux/audit.h.
    const OWN_ARCHITECTURE: u32 = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };

    /// What one filter decides of a call, as the kernel goes through it: Linux include/uapi/linux/bpf_common.h, on
    /// `struct seccomp_data` of a processor that stores the lower half first.
    fn decided_by(filter: &BpfProgram, architecture: u32, call: u32, arguments: [u32; 2]) -> u32 {
        let (mut at, mut word) = (0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = filter[at];
            at += 1;
            let holds = match code {
                0x06 => return k,
                0x20 => {
                    word = match k {
                        0 => call,
                        4 => architecture,
                        16 => arguments[0],
                        24 => arguments[1],
                        other => unreachable!("word {other}"),
                    };
                    continue;
                }
                0x54 => {
                    word &= k;
                    continue;
                }
                0x05 => {
                    at += k as usize;
                    continue;
                }
                0x15 => word == k,
                0x35 => word >= k,
                other => unreachable!("step {other:#x}"),
            };
            at += usize::from(if holds { jt } else { jf });
        }
    }

    /// What all of them decide together: the least number is the strictest (seccomp(2), "SECCOMP_RET"), and the filters here
    /// deny different calls.
    fn decided(filters: Filters, architecture: u32, call: u32, arguments: [u32; 2]) -> u32 {
        // Killing is stricter than anything, and its number is negative.
        let each = filters.0.iter().map(|filter| decided_by(filter, architecture, call, arguments).cast_signed());
        each.min().unwrap().cast_unsigned()
    }

    #[test]
    fn every_call_is_decided_as_the_lists_say() {
        for network in [false, true] {
            let filters = Filters::of(network).unwrap();
            let check = |call: libc::c_long, arguments, expected: u32| {
                let found = decided(filters, OWN_ARCHITECTURE, call as u32, arguments);
                assert_eq!(found, expected, "call {call} of {arguments:?}");
            };
            let error = |number: i32| libc::SECCOMP_RET_ERRNO | number as u32;
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
            for flag in NEW_NAMESPACES {
                check(libc::SYS_clone, [(flag | libc::SIGCHLD) as u32, 0], error(libc::EPERM));
            }
            check(libc::SYS_ioctl, [0, libc::TCGETS as u32], ALLOW);
            for request in TERMINAL_INPUT.map(|request| request as u32) {
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
            assert_eq!(decided(filters, 0x4000_0003, 1, [0, 0]), KILL, "another architecture's");
            if cfg!(target_arch = "x86_64") {
                assert_eq!(decided(filters, OWN_ARCHITECTURE, OTHER_NUMBERING | 1, [0, 0]), error(libc::ENOSYS));
            }
        }
    }
}
