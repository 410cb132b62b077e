//! From a request to the features of its input: numbers, sizes, and a keyed hash; never a value that was given.

use std::path::Path;

use forewarm_executor::Directory;
use forewarm_types::{Bytes, Features};
use sha2::{Digest as _, Sha256};

use crate::request::Request;

/// The most numbers kept of one invocation.
const MOST_NUMBERS: usize = 8;

/// The features of a request's input. `salt` keys the hash, so that it means nothing outside this database.
#[must_use]
pub fn features(request: &Request, salt: &[u8]) -> Features {
    let numbers = request.arguments.iter().filter_map(|text| number(text)).take(MOST_NUMBERS).collect();
    Features {
        input_hash: hash(request, salt),
        numbers,
        arguments: u32::try_from(request.arguments.len()).unwrap_or(u32::MAX),
        argument_bytes: Bytes(request.arguments.iter().map(|text| text.len() as u64).sum()),
        input_bytes: Bytes(files(request).sum::<u64>() + standard_input()),
    }
}

/// The number an argument is, or carries after `=` or a flag's letters (`--size=100`, `-n100`).
pub(crate) fn number(text: &str) -> Option<f64> {
    let tail = text.rsplit('=').next().unwrap_or(text);
    let digits = tail.trim_start_matches(|c: char| c == '-' || c.is_alphabetic());
    let value: f64 = tail.parse().or_else(|_| digits.parse()).ok()?;
    value.is_finite().then_some(value)
}

/// Sizes of the regular files that arguments name inside the directories given.
fn files(request: &Request) -> impl Iterator<Item = u64> {
    request.arguments.iter().filter_map(|text| {
        request.directories.iter().find_map(|directory| {
            let meta = std::fs::metadata(host_path(directory, text)?).ok()?;
            meta.is_file().then_some(meta.len())
        })
    })
}

fn host_path(directory: &Directory, argument: &str) -> Option<std::path::PathBuf> {
    let guest = directory.guest.trim_end_matches('/');
    let inside = match argument.strip_prefix(guest) {
        Some(rest) if !guest.is_empty() && guest != "." => rest.strip_prefix('/')?,
        _ if guest.is_empty() || guest == "." => argument.trim_start_matches("./").trim_start_matches('/'),
        _ => return None,
    };
    let plain = Path::new(inside).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (plain && !inside.is_empty()).then(|| directory.host.join(inside))
}

/// Size of a standard input that is a regular file.
fn standard_input() -> u64 {
    match rustix::fs::fstat(std::io::stdin()) {
        Ok(stat) if rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() => {
            u64::try_from(stat.st_size).unwrap_or(0)
        }
        _ => 0,
    }
}

fn hash(request: &Request, salt: &[u8]) -> u64 {
    let mut hasher = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(salt);
    request.arguments.iter().for_each(|argument| field(argument.as_bytes()));
    field(request.invoke.as_deref().unwrap_or("").as_bytes());
    for (name, value) in &request.environment {
        field(name.as_bytes());
        field(value.as_bytes());
    }
    files(request).for_each(|size| field(&size.to_le_bytes()));
    field(&standard_input().to_le_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    digest.iter().take(8).fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<f64>) {
        assert_eq!(number(text), expected, "{text}");
    }

    #[test]
    fn numbers_are_found_in_arguments() {
        check("1024", Some(1024.0));
        check("-3", Some(-3.0));
        check("--size=100", Some(100.0));
        check("-n250", Some(250.0));
        check("file", None);
        check("inf", None);
        check("--", None);
    }

    #[test]
    fn guest_paths_map_to_host_paths() {
        let directory = |guest: &str| Directory { host: "/h".into(), guest: guest.into(), read_only: false };
        assert_eq!(host_path(&directory("."), "a/b"), Some("/h/a/b".into()));
        assert_eq!(host_path(&directory("/data"), "/data/x"), Some("/h/x".into()));
        assert_eq!(host_path(&directory("/data"), "/other/x"), None);
        assert_eq!(host_path(&directory("."), "../x"), None);
    }
}
