//! What this process does about signals.

/// Whether a signal is being ignored, as `nohup` and shells that start jobs in the background have it.
#[must_use]
#[expect(unsafe_code, reason = "sigaction has no safe wrapper among the dependencies")]
pub fn ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with no new action given the call changes nothing; the pointer is valid for writing one `sigaction`, all of
    // whose fields may be zero, so that it is initialised even where the call fails (for no such signal).
    let action = unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_ignored_is_said_to_be() {
        // Rust's start-up ignores SIGPIPE, and leaves SIGUSR2 alone.
        assert!(ignored(libc::SIGPIPE));
        assert!(!ignored(libc::SIGUSR2));
        assert!(!ignored(-1));
    }
}
