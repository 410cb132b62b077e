//! The program's system-call filter: what no program of a user needs, and what would lead around the other walls.
//!
//! Everything else is allowed; a denied call fails with an error, as on a system without it. Compiled by `seccompiler`
//! before the fork.

use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};

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
const NEW_NAMESPACES: u64 = (libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWUTS) as u64;

/// Terminal requests that put input into the caller's terminal, as if typed: ioctl_tty(2).
const TERMINAL_INPUT: [u64; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

/// Kinds of sockets there are: all others lead to devices, to the host around a virtual machine, or into rarely used code.
const SOCKETS: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// The filter a program is put under, a program for the kernel.
///
/// `network` says whether internet sockets may be made; where a network namespace holds the program they may.
pub fn filter(network: bool) -> io::Result<BpfProgram> {
    let whole = |calls: &[libc::c_long]| calls.iter().map(|call| (*call, Vec::new())).collect::<Vec<_>>();
    let mut forbidden = whole(FORBIDDEN);
    for flag in (0..64).map(|bit| 1_u64 << bit).filter(|flag| NEW_NAMESPACES & flag != 0) {
        add(&mut forbidden, libc::SYS_clone, rule(&[(0, SeccompCmpOp::MaskedEq(flag), flag)])?);
    }
    for request in TERMINAL_INPUT {
        add(&mut forbidden, libc::SYS_ioctl, rule(&[(1, SeccompCmpOp::Eq, request)])?);
    }
    let sockets = &SOCKETS[..];
    let kept = sockets.iter().filter(|kind| network || !matches!(**kind, libc::AF_INET | libc::AF_INET6));
    let others: Vec<_> = kept.map(|kind| (0_u8, SeccompCmpOp::Ne, *kind as u64)).collect();
    let families = vec![(libc::SYS_socket, vec![rule(&others)?]), (libc::SYS_socketpair, vec![rule(&others)?])];
    let parts = [
        compile(forbidden, libc::EPERM)?,
        compile(whole(ABSENT), libc::ENOSYS)?,
        compile(families, libc::EAFNOSUPPORT)?,
    ];
    Ok(guarded(joined(parts)))
}

/// Several filters as one, which the kernel checks and translates once: what one lets pass goes on to the next.
fn joined<const N: usize>(parts: [BpfProgram; N]) -> BpfProgram {
    // Linux include/uapi/linux/bpf_common.h and seccomp.h.
    const RETURN: u16 = 0x06;
    const JUMP: u16 = 0x05;
    const ALLOW: u32 = 0x7fff_0000;
    let last = N.saturating_sub(1);
    let mut whole = BpfProgram::new();
    for (number, part) in parts.into_iter().enumerate() {
        let length = part.len();
        whole.extend(part.into_iter().enumerate().map(|(index, step)| {
            let passes = number < last && step.code == RETURN && step.k == ALLOW;
            if passes { sock_filter { code: JUMP, jt: 0, jf: 0, k: (length - index - 1) as u32 } } else { step }
        }));
    }
    whole
}

fn add(rules: &mut Vec<(libc::c_long, Vec<SeccompRule>)>, call: libc::c_long, rule: SeccompRule) {
    match rules.iter_mut().find(|(number, _)| *number == call) {
        Some((_, conditions)) => conditions.push(rule),
        None => rules.push((call, vec![rule])),
    }
}

fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> io::Result<SeccompRule> {
    let condition = |(argument, operator, value): &(u8, SeccompCmpOp, u64)| {
        SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, operator.clone(), *value)
    };
    let conditions = conditions.iter().map(condition).collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
    SeccompRule::new(conditions).map_err(io::Error::other)
}

fn compile(rules: Vec<(libc::c_long, Vec<SeccompRule>)>, error: i32) -> io::Result<BpfProgram> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let denied = SeccompAction::Errno(error as u32);
    let filter = SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, denied, architecture)
        .map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}

/// The filter behind a guard against a second numbering of all calls (`x32` on x86-64), which it does not know.
fn guarded(filter: BpfProgram) -> BpfProgram {
    if !cfg!(target_arch = "x86_64") {
        return filter;
    }
    // Load the call's number; where it is of the other numbering, it does not exist. Linux
    // arch/x86/include/uapi/asm/unistd.h, include/uapi/linux/bpf_common.h and seccomp.h.
    const OTHER_NUMBERING: u32 = 0x4000_0000;
    const RETURN_ERROR: u32 = 0x0005_0000;
    let guard = [
        sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 },
        sock_filter { code: 0x35, jt: 0, jf: 1, k: OTHER_NUMBERING },
        sock_filter { code: 0x06, jt: 0, jf: 0, k: RETURN_ERROR | libc::ENOSYS as u32 },
    ];
    guard.into_iter().chain(filter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_compile_and_fit_the_kernel() {
        for network in [false, true] {
            let filter = filter(network).unwrap();
            // BPF_MAXINSNS: Linux include/uapi/linux/bpf_common.h.
            assert!(filter.len() < 4096);
            let mut jumps = filter.iter().enumerate().filter(|(_, step)| step.code == 0x05);
            assert!(jumps.all(|(at, step)| at + 1 + (step.k as usize) < filter.len()));
        }
    }
}
