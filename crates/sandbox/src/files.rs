//! The files in which the system describes itself, behind the trait through which other rooms read them.

use forewarm_types::host::SystemFiles;

/// The real `/proc` and `/sys`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFiles;

impl SystemFiles for RealFiles {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there_and_only_that() {
        assert!(RealFiles.read("/proc/self/stat").is_some_and(|text| text.contains('(')));
        assert_eq!(RealFiles.read("/proc/self/no-such-file"), None);
    }
}
