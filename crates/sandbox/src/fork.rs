//! Forking this process, which a process without threads can do and go on in Rust on both sides.

use std::io;

/// Which side of a fork one is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The process that was asked to fork; the number of its child.
    Parent(i32),
    /// The child, which the kernel ends with its parent.
    Child,
}

/// Forks this process.
///
/// # Errors
/// Where it has threads beside the calling one (what they had locked would stay locked in the child for good), or the
/// system refuses.
pub fn alone() -> io::Result<Side> {
    if std::fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("a process with threads cannot be forked safely"));
    }
    let parent = rustix::process::getpid();
    // SAFETY: no other thread exists, so that nothing is locked or half done in the copy; none can have been started since
    // it was counted, as only this thread could have.
    #[expect(unsafe_code, reason = "fork has no safe wrapper among the dependencies")]
    let child = unsafe { libc::fork() };
    match child {
        ..0 => Err(io::Error::last_os_error()),
        0 => {
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
            if rustix::process::getppid() != Some(parent) {
                crate::exit::now(1);
            }
            Ok(Side::Child)
        }
        _ => Ok(Side::Parent(child)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_threads_is_not_forked() {
        std::thread::scope(|scope| {
            let (stop, stopped) = std::sync::mpsc::channel::<()>();
            scope.spawn(move || stopped.recv());
            assert!(alone().unwrap_err().to_string().contains("threads"));
            drop(stop);
        });
    }
}
