//! What imports mean: which host service each stands for. Called by the profile.

use forewarm_types::demand::IoKind;

/// The service an import is for, by module and name (for components, `module` is the interface and `name` empty).
///
/// WASI preview 1 names follow its witx documents, preview 2 interfaces the WASI 0.2 worlds.
pub(crate) fn kind(module: &str, name: &str) -> IoKind {
    match module {
        "wasi_snapshot_preview1" | "wasi_unstable" => preview1(name),
        "wasi" if name == "thread-spawn" => IoKind::Threads,
        "wasi_ephemeral_nn" => IoKind::NeuralNetwork,
        "wasi_experimental_http" | "wasi_http" => IoKind::Http,
        _ => interface(module),
    }
}

fn preview1(name: &str) -> IoKind {
    match name {
        _ if name.starts_with("fd_") || name.starts_with("path_") => IoKind::Filesystem,
        _ if name.starts_with("sock_") => IoKind::Network,
        _ if name.starts_with("args_") || name.starts_with("environ_") || name.starts_with("proc_") => IoKind::Process,
        _ if name.starts_with("clock_") => IoKind::Clock,
        "random_get" => IoKind::Random,
        "poll_oneoff" | "sched_yield" => IoKind::Poll,
        _ => IoKind::Other,
    }
}

fn interface(module: &str) -> IoKind {
    let name = module.split('@').next().unwrap_or(module);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    match () {
        () if starts(&["wasi:io/poll"]) => IoKind::Poll,
        () if starts(&["wasi:filesystem", "wasi:io", "wasi:cli/std", "wasi:cli/terminal"]) => IoKind::Filesystem,
        () if starts(&["wasi:cli"]) => IoKind::Process,
        () if starts(&["wasi:clocks"]) => IoKind::Clock,
        () if starts(&["wasi:random"]) => IoKind::Random,
        () if starts(&["wasi:sockets"]) => IoKind::Network,
        () if starts(&["wasi:http"]) => IoKind::Http,
        () if starts(&["wasi:nn"]) => IoKind::NeuralNetwork,
        () => IoKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_sorted_by_service() {
        let rows = [
            ("wasi_snapshot_preview1", "fd_write", IoKind::Filesystem),
            ("wasi_snapshot_preview1", "sock_accept", IoKind::Network),
            ("wasi_snapshot_preview1", "proc_exit", IoKind::Process),
            ("wasi", "thread-spawn", IoKind::Threads),
            ("wasi:http/outgoing-handler@0.2.0", "", IoKind::Http),
            ("wasi:io/poll@0.2.3", "", IoKind::Poll),
            ("wasi:cli/stdout@0.2.3", "", IoKind::Filesystem),
            ("env", "abort", IoKind::Other),
        ];
        for (module, name, expected) in rows {
            assert_eq!(kind(module, name), expected, "{module} {name}");
        }
    }
}
