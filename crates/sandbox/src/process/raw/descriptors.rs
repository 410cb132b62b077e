//! Descriptors, and what passes through them.

use std::os::fd::BorrowedFd;

use libc::{c_int, c_long, c_uint};

use super::{Result, check};

pub fn close(fd: c_int) {
    // SAFETY: the descriptor is one the caller opened and does not use again.
    unsafe { libc::close(fd) };
}

/// Makes a descriptor's number lead to what another leads to.
pub fn duplicate(from: c_int, to: c_int) {
    // SAFETY: numbers only; the standard streams are what `to` names here.
    unsafe { libc::dup2(from, to) };
}

/// A descriptor by its number, which must be open for as long as the result is used.
pub fn borrow(descriptor: c_int) -> BorrowedFd<'static> {
    // SAFETY: as said; a number that is not open makes calls fail.
    unsafe { BorrowedFd::borrow_raw(descriptor) }
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

/// Whether nobody holds the other end of a socket, or the writing end of a pipe.
pub fn hung_up(fd: c_int) -> bool {
    let mut poll = libc::pollfd { fd, events: 0, revents: 0 };
    // SAFETY: one live structure.
    unsafe { libc::poll(&raw mut poll, 1, 0) };
    poll.revents & libc::POLLHUP != 0
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
