//! System calls as they are, for use between fork and exec: no allocation, no locks; the error is a number.
#![expect(unsafe_code, reason = "system calls without safe wrappers that may be used after fork")]

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Acquire;

use libc::{c_char, c_int, c_long, c_uint, c_ulong};

/// The system's error number.
pub type Errno = i32;

/// A call's result: what it returned, or the error's number.
pub type Result<T> = std::result::Result<T, Errno>;

/// `open_tree`, `move_mount` and `mount_setattr` flags: Linux include/uapi/linux/mount.h.
pub const OPEN_TREE_CLONE: c_long = 1;
const AT_RECURSIVE: c_long = 0x8000;
const MOVE_MOUNT_F_EMPTY_PATH: c_long = 4;
const MOUNT_ATTR_RDONLY: u64 = 1;
const MOUNT_ATTR_NOSUID: u64 = 2;

pub fn errno() -> Errno {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn check(result: c_long) -> Result<c_long> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

/// `struct clone_args` of the first version that has `cgroup` (88 bytes): Linux include/uapi/linux/sched.h.
#[repr(C)]
#[derive(Default)]
pub struct CloneArguments {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}

/// Forks as told; 0 in the child.
///
/// # Safety
/// As for `fork`: the child of a process with threads may only make calls that are safe in signal handlers.
pub unsafe fn clone3(arguments: &CloneArguments) -> Result<i32> {
    // SAFETY: the structure is live and of the size given; without a stack the child goes on with a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const *arguments, size_of::<CloneArguments>()) };
    check(pid).map(|pid| pid as i32)
}

/// Ends the process without handlers.
pub fn exit(code: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}

pub fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: c_ulong, options: &CStr) -> Result<()> {
    // SAFETY: all pointers are to live strings with their final zero.
    let result =
        unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr().cast()) };
    check(c_long::from(result)).map(drop)
}

/// A detached copy of the mounts at a path, as a descriptor.
pub fn open_tree(path: &CStr, recursive: bool) -> Result<c_int> {
    let flags = OPEN_TREE_CLONE | c_long::from(libc::O_CLOEXEC) | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a live string.
    let result = unsafe { libc::syscall(libc::SYS_open_tree, c_long::from(libc::AT_FDCWD), path.as_ptr(), flags) };
    check(result).map(|fd| fd as c_int)
}

/// Puts a detached copy of mounts at a path.
pub fn move_mount(tree: c_int, target: &CStr) -> Result<()> {
    // SAFETY: both paths are live strings.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            c_long::from(tree),
            c"".as_ptr(),
            c_long::from(libc::AT_FDCWD),
            target.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    check(result).map(drop)
}

/// Makes the mounts of a tree (a descriptor), or of a path where `tree` is `None`, read-only; set-user-ID bits lose their
/// meaning in it.
pub fn make_read_only(tree: Option<c_int>, path: &CStr) -> Result<()> {
    let attributes = [MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, 0];
    let (directory, empty) = tree.map_or((libc::AT_FDCWD, 0), |tree| (tree, c_long::from(libc::AT_EMPTY_PATH)));
    // SAFETY: the path is a live string; `struct mount_attr` is four 64-bit words (attr_set first).
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            c_long::from(directory),
            path.as_ptr(),
            AT_RECURSIVE | empty,
            attributes.as_ptr(),
            size_of_val(&attributes),
        )
    };
    check(result).map(drop)
}

pub fn mkdir(path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the path is a live string.
    match check(c_long::from(unsafe { libc::mkdir(path.as_ptr(), mode) })) {
        Err(libc::EEXIST) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes an empty file, for something to be mounted on.
pub fn touch(path: &CStr) -> Result<()> {
    let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC;
    // SAFETY: the path is a live string.
    let fd = check(c_long::from(unsafe { libc::open(path.as_ptr(), flags, 0o644) }))?;
    close(fd as c_int);
    Ok(())
}

pub fn symlink(target: &CStr, path: &CStr) -> Result<()> {
    // SAFETY: both are live strings.
    check(c_long::from(unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) })).map(drop)
}

pub fn chdir(path: &CStr) -> Result<()> {
    // SAFETY: the path is a live string.
    check(c_long::from(unsafe { libc::chdir(path.as_ptr()) })).map(drop)
}

/// Opens a path for naming it alone.
pub fn open_path(path: &CStr) -> Result<c_int> {
    // SAFETY: the path is a live string.
    let result = unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
    check(c_long::from(result)).map(|fd| fd as c_int)
}

pub fn close(fd: c_int) {
    // SAFETY: the descriptor is one the caller opened and does not use again.
    unsafe { libc::close(fd) };
}

/// Makes a descriptor's number lead to what another leads to.
pub fn duplicate(from: c_int, to: c_int) {
    // SAFETY: numbers only; the standard streams are what `to` names here.
    unsafe { libc::dup2(from, to) };
}

/// Closes every descriptor from `first` on when the process executes another program.
pub fn close_on_exec_from(first: c_uint) -> Result<()> {
    /// Linux include/uapi/linux/close_range.h.
    const CLOSE_RANGE_CLOEXEC: c_uint = 4;
    // SAFETY: marks descriptors; none is closed while this process uses it.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, c_uint::MAX, CLOSE_RANGE_CLOEXEC) };
    check(result).map(drop)
}

/// Closes every descriptor but the standard streams and some others (negative for none), in this process alone.
pub fn close_all_but(mut kept: [c_int; 3]) {
    kept.sort_unstable();
    let mut first: c_uint = 3;
    for fd in kept.into_iter().filter_map(|fd| c_uint::try_from(fd).ok()).filter(|fd| *fd >= 3) {
        if first < fd {
            // SAFETY: nothing in this process uses them any more.
            unsafe { libc::syscall(libc::SYS_close_range, first, fd - 1, 0 as c_uint) };
        }
        first = fd.saturating_add(1).max(first);
    }
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_close_range, first, c_uint::MAX, 0 as c_uint) };
}

/// One byte from a pipe or socket; 0 where the other end is gone.
pub fn read_byte(fd: c_int) -> Result<usize> {
    let mut byte = 0_u8;
    loop {
        // SAFETY: one byte of ours may be written.
        let count = unsafe { libc::read(fd, (&raw mut byte).cast(), 1) };
        match check(count as c_long) {
            Err(libc::EINTR) => {}
            Err(error) => return Err(error),
            Ok(count) => return Ok(count as usize),
        }
    }
}

pub fn write_byte(fd: c_int, byte: u8) {
    // SAFETY: one byte of ours is read. A reader gone away is nobody to tell.
    unsafe { libc::write(fd, (&raw const byte).cast(), 1) };
}

/// A `prctl` of whole numbers.
pub fn prctl(option: c_int, first: c_ulong, second: c_ulong) -> Result<c_int> {
    // SAFETY: the options used here take numbers only.
    let result = unsafe { libc::prctl(option, first, second, 0, 0) };
    check(c_long::from(result)).map(|value| value as c_int)
}

/// Starts a child in the caller's memory, on a stack of its own, and waits until it has executed a program or ended: no
/// page is copied, and none need be given back.
///
/// As `vfork`, but that the caller waits asleep as any process does: one suspended by `vfork` cannot be stopped, and counts
/// as working in the load average for as long as the child takes.
///
/// # Safety
/// The caller must have one thread. `body` must end in `execve` or `_exit`, and must leave the caller's memory whole;
/// `argument` must be what it expects, and `stack_top` the aligned end of a writable block large enough for it.
pub unsafe fn spawn_sharing(
    body: extern "C" fn(*mut libc::c_void) -> c_int,
    stack_top: *mut libc::c_void,
    argument: *mut libc::c_void,
) -> Result<i32> {
    // The kernel sets it to zero, and wakes who waits for that, when the child leaves this memory: clone(2),
    // `CLONE_CHILD_CLEARTID`.
    let sharing = AtomicU32::new(1);
    let flags = libc::CLONE_VM | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    let (parent_number, own_storage) = (std::ptr::null_mut::<c_int>(), std::ptr::null_mut::<libc::c_void>());
    // SAFETY: as the caller promises. While the child uses this memory the caller only makes the system call below, and the
    // C library writes its error number once that returns, which it does when the child has gone.
    let pid = unsafe {
        libc::clone(body, stack_top, flags, argument, parent_number, own_storage, sharing.as_ptr().cast::<c_int>())
    };
    let pid = check(c_long::from(pid))?;
    while sharing.load(Acquire) != 0 {
        // SAFETY: the word is live; without a time limit the call returns when it is no longer 1, or is woken.
        unsafe {
            let forever = std::ptr::null::<libc::timespec>();
            libc::syscall(libc::SYS_futex, sharing.as_ptr(), libc::FUTEX_WAIT, 1 as c_uint, forever)
        };
    }
    Ok(pid as i32)
}

/// Opens a file to be read, where it can be.
pub fn open_to_read(path: &CStr) -> Option<c_int> {
    // SAFETY: the path is a live string.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    (fd >= 0).then_some(fd)
}

/// What one call reads from a descriptor; returns its length.
pub fn read_once(fd: c_int, buffer: &mut [u8]) -> usize {
    // SAFETY: the buffer is live and ours to write.
    let count = unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).unwrap_or(0)
}

/// The beginning of a file, as far as it goes into the buffer; returns its length.
pub fn read_file(path: &CStr, buffer: &mut [u8]) -> usize {
    let Some(fd) = open_to_read(path) else { return 0 };
    let length = read_once(fd, buffer);
    close(fd);
    length
}

pub fn kill(pid: i32, signal: c_int) {
    // SAFETY: sends a signal; a process that has gone needs none.
    unsafe { libc::kill(pid, signal) };
}

/// Kills and reaps all children of this process until none is left; those of the killed come to it, as it is their reaper.
///
/// Their numbers are read from `/proc` (proc_pid_children(5)): nothing else names them without ending others of the user.
pub fn end_children() {
    let mut text = [0_u8; 4096];
    loop {
        let length = read_file(c"/proc/thread-self/children", &mut text);
        // The last number may be cut off where there are many; it comes again.
        let text = text.get(..length).unwrap_or_default();
        let whole = text.iter().rposition(|byte| *byte == b' ').map_or(0, |end| end + 1);
        let numbers = text.get(..whole).unwrap_or_default().split(|byte| *byte == b' ');
        let mut found = false;
        for digits in numbers.filter(|digits| !digits.is_empty()) {
            let number = digits
                .iter()
                .fold(0_i32, |number, byte| number.wrapping_mul(10).wrapping_add(i32::from(byte.wrapping_sub(b'0'))));
            if number > 1 {
                kill(number, libc::SIGKILL);
                consume_killed(number);
                found = true;
            }
        }
        if !found {
            return;
        }
    }
}

/// Numbers that [`usage_of_children`] gives.
pub const USAGE: usize = 9;

/// What all children used that were waited for, with theirs: microseconds of user and of system time, minor and major
/// faults, voluntary and involuntary switches, blocks read and written, and KiB of the largest (getrusage(2)).
pub fn usage_of_children() -> [u64; USAGE] {
    // SAFETY: `rusage` is plain data for which zero is a value; the call writes it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    let microseconds = |time: libc::timeval| time.tv_sec.wrapping_mul(1_000_000).wrapping_add(time.tv_usec);
    [
        microseconds(usage.ru_utime),
        microseconds(usage.ru_stime),
        usage.ru_minflt,
        usage.ru_majflt,
        usage.ru_nvcsw,
        usage.ru_nivcsw,
        usage.ru_inblock,
        usage.ru_oublock,
        usage.ru_maxrss,
    ]
    .map(i64::cast_unsigned)
}

/// Ends and reaps all that is left in the namespace whose init this is.
pub fn end_namespace() {
    // SAFETY: as its init this process reaches all of the namespace and nothing else; `siginfo_t` as below.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        while libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED | libc::WNOHANG) == 0 {
            if info.si_pid() == 0 {
                libc::kill(-1, libc::SIGKILL);
                libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED);
            }
            info = std::mem::zeroed();
        }
    }
}

/// Waits for the end of a child that was killed.
fn consume_killed(pid: i32) {
    // SAFETY: `siginfo_t` is plain data for which zero is a value; the call writes it.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut info, libc::WEXITED);
    }
}

pub fn set_limit(resource: libc::__rlimit_resource_t, soft: u64, hard: u64) -> Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: the structure is live.
    check(c_long::from(unsafe { libc::setrlimit(resource, &raw const limit) })).map(drop)
}

/// Sets a limit of another process.
pub fn set_limit_of(pid: i32, resource: libc::__rlimit_resource_t, soft: u64, hard: u64) -> Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: the structure is live; nothing is written back.
    let result = unsafe { libc::prlimit(pid, resource, &raw const limit, std::ptr::null_mut()) };
    check(c_long::from(result)).map(drop)
}

/// A limit of another process.
pub fn limit_of(pid: i32, resource: libc::__rlimit_resource_t) -> Result<(u64, u64)> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the structure is live and ours to write; nothing is set.
    let result = unsafe { libc::prlimit(pid, resource, std::ptr::null(), &raw mut limit) };
    check(c_long::from(result)).map(|_| (limit.rlim_cur, limit.rlim_max))
}

pub fn limit(resource: libc::__rlimit_resource_t) -> (u64, u64) {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the structure is live and ours to write.
    unsafe { libc::getrlimit(resource, &raw mut limit) };
    (limit.rlim_cur, limit.rlim_max)
}

/// Sets the calling thread's mask of blocked signals; returns the one before.
pub fn set_mask(mask: &libc::sigset_t) -> libc::sigset_t {
    let mut before = empty_set();
    // SAFETY: both sets are live.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const *mask, &raw mut before) };
    before
}

pub fn empty_set() -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the call initialises the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

pub fn full_set() -> libc::sigset_t {
    let mut set = empty_set();
    // SAFETY: the set is live.
    unsafe { libc::sigfillset(&raw mut set) };
    set
}

/// Monotonic nanoseconds.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is live and ours to write.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// Gets this process a network of its own.
pub fn leave_network() -> Result<()> {
    // SAFETY: numbers only.
    check(c_long::from(unsafe { libc::unshare(libc::CLONE_NEWNET) })).map(drop)
}

/// Brings the loopback device of this network namespace up.
pub fn raise_loopback() -> Result<()> {
    // SAFETY: plain calls on a socket of ours; `ifreq` is plain data for which zero is a value.
    unsafe {
        let socket =
            check(c_long::from(libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0)))? as c_int;
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        let result = libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw const request);
        libc::close(socket);
        check(c_long::from(result)).map(drop)
    }
}

/// Connections that may wait to be taken: the default most of Linux (`somaxconn` before 5.4).
const BACKLOG: c_int = 128;

/// A socket that listens on a port of the loopback.
pub fn listen(port: u16) -> Result<c_int> {
    // SAFETY: plain calls on a socket of ours; the address is live and of the size given, and zero is a value of it.
    unsafe {
        let socket =
            check(c_long::from(libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0)))? as c_int;
        let mut address: libc::sockaddr_in = std::mem::zeroed();
        address.sin_family = libc::AF_INET as libc::sa_family_t;
        address.sin_port = port.to_be();
        address.sin_addr.s_addr = libc::INADDR_LOOPBACK.to_be();
        let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        check(c_long::from(libc::bind(socket, (&raw const address).cast(), length)))?;
        check(c_long::from(libc::listen(socket, BACKLOG)))?;
        Ok(socket)
    }
}

/// A message's descriptor: `struct cmsghdr` and one number, as unix(7) has them.
#[repr(C)]
struct OneDescriptor {
    header: libc::cmsghdr,
    descriptor: c_int,
}

/// Sends a descriptor over a Unix socket.
pub fn send_descriptor(socket: c_int, descriptor: c_int) -> Result<()> {
    let mut byte = 0_u8;
    // SAFETY: all structures are live, plain data for which zero is a value, and of the sizes given; the descriptor stands
    // right after its header, whose size is a multiple of its alignment.
    unsafe {
        let mut beside: OneDescriptor = std::mem::zeroed();
        beside.header.cmsg_len = (size_of::<libc::cmsghdr>() + size_of::<c_int>()) as _;
        (beside.header.cmsg_level, beside.header.cmsg_type) = (libc::SOL_SOCKET, libc::SCM_RIGHTS);
        beside.descriptor = descriptor;
        let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let mut message: libc::msghdr = std::mem::zeroed();
        (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
        message.msg_control = (&raw mut beside).cast();
        message.msg_controllen = size_of::<OneDescriptor>() as _;
        check(libc::sendmsg(socket, &raw const message, libc::MSG_NOSIGNAL) as c_long).map(drop)
    }
}

/// Writes a file that is there, as far as the system lets it.
pub fn write_file(path: &CStr, bytes: &[u8]) {
    // SAFETY: the path and the bytes are live; the descriptor is closed again.
    unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if fd >= 0 {
            libc::write(fd, bytes.as_ptr().cast(), bytes.len());
            libc::close(fd);
        }
    }
}

/// Whether nobody holds the other end of a socket, or the writing end of a pipe.
pub fn hung_up(fd: c_int) -> bool {
    let mut poll = libc::pollfd { fd, events: 0, revents: 0 };
    // SAFETY: one live structure.
    unsafe { libc::poll(&raw mut poll, 1, 0) };
    poll.revents & libc::POLLHUP != 0
}

/// A child's change of state: `waitid`'s `si_pid`, `si_code` and `si_status`.
#[derive(Clone, Copy)]
pub struct Change {
    pub pid: i32,
    pub code: c_int,
    pub status: c_int,
}

/// The next change of a child, which stays to be consumed; `None` where there is none now.
pub fn next_change() -> Option<Change> {
    let options = libc::WEXITED | libc::WSTOPPED | libc::WCONTINUED | libc::WNOWAIT | libc::WNOHANG;
    // SAFETY: `siginfo_t` is plain data for which zero is a value; the call writes it, and the fields read are those of
    // a child's change.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let result = libc::waitid(libc::P_ALL, 0, &raw mut info, options);
        let found = result == 0 && info.si_pid() != 0;
        found.then(|| Change { pid: info.si_pid(), code: info.si_code, status: info.si_status() })
    }
}

/// Consumes a child's change: its end, or its stop or continuation.
pub fn consume(pid: i32, ended: bool) {
    let options = if ended { libc::WEXITED } else { libc::WSTOPPED | libc::WCONTINUED };
    // SAFETY: as above.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut info, options | libc::WNOHANG);
    }
}

/// What marks a signal as passed on, among those that came to the whole process group.
const PASSED: u64 = 0x666f_7265;

/// `siginfo_t` of a signal queued with a value: Linux include/uapi/asm-generic/siginfo.h, `_rt`.
#[repr(C)]
struct Queued {
    signal: c_int,
    error: c_int,
    code: c_int,
    _between: c_int,
    pid: libc::pid_t,
    uid: libc::uid_t,
    value: u64,
    _rest: [u64; 12],
}

const _: () = assert!(size_of::<Queued>() == size_of::<libc::siginfo_t>());

/// Sends a signal to a process by its handle, marked as one to be passed on: see [`wait_signal`].
pub fn pass_signal(handle: BorrowedFd<'_>, signal: c_int) {
    let code = libc::SI_QUEUE;
    let queued = Queued { signal, error: 0, code, _between: 0, pid: 0, uid: 0, value: PASSED, _rest: [0; 12] };
    // SAFETY: the structure is live and of the system's layout; a process that has gone needs no signal.
    unsafe {
        let handle = c_long::from(handle.as_raw_fd());
        libc::syscall(libc::SYS_pidfd_send_signal, handle, c_long::from(signal), &raw const queued, 0 as c_uint)
    };
}

/// Waits for one of the signals; says whether it was to be passed on ([`pass_signal`]), by a process outside this one's
/// namespace where it has one.
pub fn wait_signal(set: &libc::sigset_t) -> (c_int, bool) {
    // SAFETY: both are live; the fields read are those of a queued signal.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let signal = libc::sigwaitinfo(&raw const *set, &raw mut info);
        let alone = libc::getpid() != 1;
        let marked = info.si_code == libc::SI_QUEUE && info.si_value().sival_ptr.addr() as u64 == PASSED;
        (signal, marked && (alone || info.si_pid() == 0))
    }
}

/// Executes a program; returns only with an error. Both are lists of live strings, each ended by a null pointer.
pub fn execute(path: &CStr, arguments: *const *const c_char, environment: *const *const c_char) -> Errno {
    // SAFETY: as said; the system copies what it finds there, and refuses what is not this process'.
    unsafe { libc::execve(path.as_ptr(), arguments, environment) };
    errno()
}

/// Descriptors that come with a word: see [`receive_word`].
pub const WORD_DESCRIPTORS: usize = 4;

/// A message's descriptors: `struct cmsghdr` and as many numbers as there may be, as unix(7) has them.
#[repr(C)]
struct Descriptors {
    header: libc::cmsghdr,
    numbers: [c_int; WORD_DESCRIPTORS],
}

/// As many bytes as asked for in one message, into the caller's block, and the descriptors that came with it, -1 for none;
/// `None` where it never comes. One that comes without some of its descriptors is an error: the system leaves out those for
/// which the process may have no number any more.
pub fn receive_word(to: *mut u8, length: usize, socket: c_int) -> Result<Option<[c_int; WORD_DESCRIPTORS]>> {
    // SAFETY: all structures are live, plain data for which zero is a value, and of the sizes given; the caller's block is
    // as long as it says, and numbers stand right after their header, whose size is a multiple of its alignment.
    unsafe {
        let mut beside: Descriptors = std::mem::zeroed();
        let mut part = libc::iovec { iov_base: to.cast(), iov_len: length };
        let mut message: libc::msghdr = std::mem::zeroed();
        (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
        message.msg_control = (&raw mut beside).cast();
        message.msg_controllen = size_of::<Descriptors>() as _;
        let count = loop {
            match check(libc::recvmsg(socket, &raw mut message, libc::MSG_CMSG_CLOEXEC) as c_long) {
                Err(libc::EINTR) => {}
                count => break count?,
            }
        };
        if count == 0 {
            return Ok(None);
        }
        if message.msg_flags & libc::MSG_CTRUNC != 0 {
            return Err(libc::EMFILE);
        }
        if count as usize != length {
            return Err(libc::EPROTO);
        }
        let rights = (beside.header.cmsg_level, beside.header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS);
        let there = (beside.header.cmsg_len as usize).saturating_sub(size_of::<libc::cmsghdr>()) / size_of::<c_int>();
        let mut numbers = beside.numbers;
        for number in numbers.iter_mut().skip(if rights { there } else { 0 }) {
            *number = -1;
        }
        Ok(Some(numbers))
    }
}

/// Maps a file in memory for this process alone, to be read and written.
pub fn map_private(file: c_int, length: usize) -> Result<*mut u64> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a fresh mapping at an address of the system's choice overlaps nothing.
    let base = unsafe { libc::mmap(std::ptr::null_mut(), length, access, libc::MAP_PRIVATE, file, 0) };
    if base == libc::MAP_FAILED { Err(libc::ENOMEM) } else { Ok(base.cast()) }
}

/// Leads a session and a process group of its own, without a terminal.
pub fn lead_session() {
    // SAFETY: takes nothing.
    unsafe { libc::setsid() };
}

pub fn set_umask(mask: u32) {
    // SAFETY: numbers only.
    unsafe { libc::umask(mask) };
}

/// Has a signal ignored, or gives it its default action; does nothing where the signal cannot be given another.
pub fn set_ignored(signal: c_int, ignored: bool) {
    // The system's own call, since the C library's knows nothing of the signals it keeps for itself. Handler, flags,
    // restorer and mask: Linux include/linux/signal_types.h, `struct sigaction`.
    let action = [if ignored { libc::SIG_IGN } else { libc::SIG_DFL }, 0, 0, 0];
    let mask = size_of::<u64>();
    // SAFETY: the structure is live, and neither action needs a handler; nothing is written back.
    unsafe {
        libc::syscall(libc::SYS_rt_sigaction, c_long::from(signal), action.as_ptr(), std::ptr::null::<u8>(), mask)
    };
}

/// Keeps those of the caller's capabilities that are in the set; gives up the others.
pub fn keep_capabilities(kept: u64) -> Result<()> {
    /// `_LINUX_CAPABILITY_VERSION_3`: Linux include/uapi/linux/capability.h.
    const VERSION: u32 = 0x2008_0522;
    let header = [VERSION, 0];
    let mut sets = [[0_u32; 3]; 2];
    // SAFETY: header and sets are live and of the version's layout: effective, permitted, inheritable, low word first.
    unsafe {
        check(libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()))?;
        for (set, word) in sets.iter_mut().zip([kept as u32, (kept >> 32) as u32]) {
            set[1] &= word;
            set[0] &= word;
            set[2] = 0;
        }
        check(libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr())).map(drop)
    }
}

/// Gives a signal its default action.
pub fn default_action(signal: c_int) {
    // SAFETY: the default action needs no handler.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}
