//! From a request to the features of its input: numbers, sizes, and a keyed hash; never a text that was given.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use forewarm_executor::Directory;
use forewarm_types::{Bytes, Features};
use sha2::{Digest as _, Sha256};

use crate::request::Request;

/// The most numbers kept of one invocation.
const MOST_NUMBERS: usize = 8;

/// Bytes of an event that are looked at: more than most events have, and read in some tens of microseconds.
const MOST_EVENT: usize = 64 << 10;

/// What is looked at of a handler's event.
#[derive(Debug, Default)]
struct Event {
    /// Bytes of the whole.
    size: u64,
    /// Its beginning.
    head: Vec<u8>,
    /// Whether it is the standard input, whose size is counted there.
    input: bool,
}

impl Event {
    /// Of a file, or of a standard input that is one: read without moving on in it.
    fn of(request: &Request) -> Option<Self> {
        let path = request.event.as_deref()?;
        let input = path == Path::new("-");
        if input {
            let stdin = std::io::stdin();
            let at = rustix::fs::tell(&stdin).ok()?;
            return Self::read(stdin.as_fd(), at, true);
        }
        // Opening a pipe would take it from who reads it.
        std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Self::read(File::open(path).ok()?.as_fd(), 0, false)
    }

    fn read(file: impl AsFd, at: u64, input: bool) -> Option<Self> {
        let stat = rustix::fs::fstat(&file).ok()?;
        let regular = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
        let size = u64::try_from(stat.st_size).ok().filter(|_| regular)?.saturating_sub(at);
        let mut head = vec![0; MOST_EVENT.min(usize::try_from(size).unwrap_or(MOST_EVENT))];
        let count = rustix::io::pread(&file, &mut head, at).ok()?;
        head.truncate(count);
        Some(Self { size, head, input })
    }

    /// The numbers in it, fields in the order of their names; of an event that is longer than what is looked at, none.
    fn numbers(&self) -> Vec<f64> {
        let mut found = Vec::new();
        if let Ok(value) = serde_json::from_slice::<serde_json::Value>(&self.head) {
            collect(&value, &mut found);
        }
        found
    }
}

fn collect(value: &serde_json::Value, found: &mut Vec<f64>) {
    use serde_json::Value;
    match value {
        Value::Number(number) => found.extend(number.as_f64()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    found.truncate(MOST_NUMBERS);
}

/// The features of a request's input. `salt` keys the hash, so that it means nothing outside this database.
#[must_use]
pub fn features(request: &Request, salt: &[u8]) -> Features {
    let event = Event::of(request);
    let given = event.iter().flat_map(Event::numbers);
    let numbers = request.arguments.iter().filter_map(|text| number(text)).chain(given).take(MOST_NUMBERS).collect();
    let beside = event.as_ref().filter(|event| !event.input).map_or(0, |event| event.size);
    Features {
        input_hash: hash(request, event.as_ref(), salt),
        numbers,
        arguments: u32::try_from(request.arguments.len()).unwrap_or(u32::MAX),
        argument_bytes: Bytes(request.arguments.iter().map(|text| text.len() as u64).sum()),
        input_bytes: Bytes(files(request).sum::<u64>() + standard_input() + beside),
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
pub(crate) fn files(request: &Request) -> impl Iterator<Item = u64> {
    request.arguments.iter().filter_map(|text| {
        request.directories.iter().find_map(|directory| {
            let meta = std::fs::metadata(host_path(directory, text)?).ok()?;
            meta.is_file().then_some(meta.len())
        })
    })
}

pub(crate) fn host_path(directory: &Directory, argument: &str) -> Option<std::path::PathBuf> {
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

fn hash(request: &Request, event: Option<&Event>, salt: &[u8]) -> u64 {
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
    if let Some(event) = event {
        field(&event.size.to_le_bytes());
        field(&event.head);
    }
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
    fn events_are_told_by_size_numbers_and_content() {
        let folder = tempfile::tempdir().unwrap();
        let event = |text: &str| {
            std::fs::write(folder.path().join("event.json"), text).unwrap();
            let file = File::open(folder.path().join("event.json")).unwrap();
            Event::read(file.as_fd(), 0, false).unwrap()
        };
        let small = event(r#"{"n": 10, "rows": [1, {"x": 2.5}], "name": "7"}"#);
        assert_eq!((small.size, small.numbers()), (47, vec![10.0, 1.0, 2.5]));
        let large = event(&format!("[{}1]", "1, ".repeat(30_000)));
        assert_eq!((large.size, large.head.len(), large.numbers().len()), (90_003, MOST_EVENT, 0));
        assert!(Event::read(File::open("/dev/null").unwrap().as_fd(), 0, false).is_none());
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
