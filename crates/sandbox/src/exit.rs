//! Ending this process at once.

/// Ends the process with a code, now: no exit handler runs, nothing is dropped or flushed.
///
/// Handlers of the C library would take away what other threads are using (a guest in full flight, an artifact being
/// written), and time their user waits for; the system takes everything back without them.
pub fn now(code: i32) -> ! {
    // SAFETY: the call takes an integer and does not return; no destructor is owed to anyone for memory safety.
    #[expect(unsafe_code, reason = "_exit has no safe wrapper among the dependencies")]
    unsafe {
        libc::_exit(code)
    }
}
