//! The network of a namespace.

use libc::{c_int, c_long};

use super::{Result, check};

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
