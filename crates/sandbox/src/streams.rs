//! The standard streams of this process, replaced.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Puts others in the place of standard input, output and error, in this order; as many as are given.
///
/// # Errors
/// Where the system refuses.
pub fn replace(streams: &[BorrowedFd<'_>]) -> io::Result<()> {
    for (number, stream) in (0..3).zip(streams) {
        // SAFETY: both are numbers of open files; what the number stood for before belongs to nobody in particular.
        #[expect(unsafe_code, reason = "replacing a descriptor has no safe wrapper among the enabled dependencies")]
        let replaced = unsafe { libc::dup2(stream.as_raw_fd(), number) };
        if replaced < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
