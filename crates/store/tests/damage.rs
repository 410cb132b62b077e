//! Databases that are damaged, foreign, newer, locked or out of reach: each is told apart, and nothing is lost.
#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "common/sample.rs"]
mod sample;

use std::fs;
use std::path::Path;

use forewarm_store::{FILE_NAME, Options, Record, Store, StoreError};
use sample::{digest, observation, store};

/// A database with runs in it, all in the main file.
fn filled(runs: u32) -> tempfile::TempDir {
    let (directory, store) = store();
    for n in 0..runs {
        record(&store, n).unwrap();
    }
    store.maintain().unwrap();
    directory
}

fn record(store: &Store, n: u32) -> Result<i64, StoreError> {
    let run = observation(n % 7, f64::from(n));
    store.record(&Record { observation: &run, file_name: "x.wasm", plan_json: None }, |_| None)
}

fn read_all(directory: &Path) -> Result<usize, StoreError> {
    let store = Store::open(directory, Options::default())?;
    store.verify()?;
    store.history(None, u32::MAX).map(|runs| runs.len())
}

/// Damages a filled database; expects that it is seen, set aside with its content, and replaced.
fn check_corrupt(damage: impl FnOnce(&mut Vec<u8>)) {
    let directory = filled(100);
    let file = directory.path().join(FILE_NAME);
    let mut bytes = fs::read(&file).unwrap();
    damage(&mut bytes);
    fs::write(&file, &bytes).unwrap();
    let error = read_all(directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains(FILE_NAME));
    let aside = Store::set_aside(directory.path()).unwrap();
    assert_eq!(fs::read(&aside).unwrap(), bytes);
    assert!(aside.to_str().unwrap().ends_with("forewarm.sqlite3.corrupt-1"));
    assert_eq!(read_all(directory.path()).unwrap(), 0);
    record(&Store::open(directory.path(), Options::default()).unwrap(), 1).unwrap();
}

#[test]
fn garbage_is_corrupt() {
    check_corrupt(|bytes| *bytes = b"not a database at all ".repeat(500));
}

#[test]
fn a_truncated_file_is_corrupt() {
    check_corrupt(|bytes| bytes.truncate(bytes.len() / 2));
    check_corrupt(|bytes| bytes.truncate(50));
}

#[test]
fn zeroed_and_flipped_pages_are_corrupt() {
    check_corrupt(|bytes| bytes[8192..].fill(0));
    // The page type of the second page, and the schema's text on the first.
    check_corrupt(|bytes| bytes[4096] ^= 0x40);
    check_corrupt(|bytes| {
        let at = bytes.windows(12).position(|window| window == b"observations").unwrap();
        bytes[at] = b'X';
    });
}

#[test]
fn no_single_flipped_bit_is_worse_than_an_error() {
    let directory = filled(30);
    let file = directory.path().join(FILE_NAME);
    let sound = fs::read(&file).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut seen = 0;
    for _ in 0..300 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = sound.clone();
        // A third of the flips in the header and schema, where they bite.
        let range = if state >> 62 == 0 { 4096 } else { bytes.len() };
        bytes[(state >> 24) as usize % range] ^= 1 << (state >> 8 & 7);
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(directory.path().join(format!("{FILE_NAME}{suffix}")));
        }
        fs::write(&file, &bytes).unwrap();
        let verdict = Store::open(directory.path(), Options::default()).and_then(|store| {
            record(&store, 1)?;
            store.history(None, 99)
        });
        match verdict {
            Ok(_) => {}
            Err(StoreError::Corrupt { .. } | StoreError::Newer { .. }) => seen += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(seen > 0, "some flips must have been noticed");
}

#[test]
fn an_empty_file_becomes_a_database() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FILE_NAME), b"").unwrap();
    record(&Store::open(directory.path(), Options::default()).unwrap(), 1).unwrap();
    assert_eq!(read_all(directory.path()).unwrap(), 1);
}

#[test]
fn a_log_left_by_a_deleted_database_is_not_replayed() {
    let (directory, store) = store();
    for n in 0..20 {
        record(&store, n).unwrap();
    }
    drop(store);
    assert!(fs::metadata(directory.path().join("forewarm.sqlite3-wal")).unwrap().len() > 0);
    fs::remove_file(directory.path().join(FILE_NAME)).unwrap();
    assert_eq!(read_all(directory.path()).unwrap(), 0);
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let directory = filled(3);
    let file = directory.path().join(FILE_NAME);
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(directory.path(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, known: 7, .. }), "{error:?}");
    assert!(matches!(Store::set_aside(directory.path()), Err(StoreError::Sound { .. })));
    assert!(file.exists());
}

#[test]
fn a_sound_database_is_not_set_aside() {
    let directory = filled(3);
    assert!(matches!(Store::set_aside(directory.path()), Err(StoreError::Sound { .. })));
    assert_eq!(read_all(directory.path()).unwrap(), 3);
}

#[test]
fn the_second_damaged_database_gets_a_name_of_its_own() {
    let directory = filled(1);
    for n in 1..3 {
        fs::write(directory.path().join(FILE_NAME), b"garbage").unwrap();
        let aside = Store::set_aside(directory.path()).unwrap();
        assert!(aside.to_str().unwrap().ends_with(&format!("corrupt-{n}")));
        Store::open(directory.path(), Options::default()).unwrap();
        assert_eq!(Store::set_aside(directory.path()).unwrap(), aside, "as a process that comes second sees it");
    }
}

#[test]
fn a_locked_database_is_read_but_not_written() {
    let (directory, keeper) = store();
    record(&keeper, 1).unwrap();
    let raw = rusqlite::Connection::open(directory.path().join(FILE_NAME)).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let store = Store::open(directory.path(), Options { busy_ms: 5, ..Options::default() }).unwrap();
    assert_eq!(store.recent(&digest(1), 9).unwrap().len(), 1);
    let error = record(&store, 2).unwrap_err();
    assert!(matches!(error, StoreError::Busy { busy_ms: 5, .. }), "{error:?}");
    raw.execute_batch("COMMIT").unwrap();
    record(&store, 2).unwrap();
}

#[test]
fn a_directory_in_its_place_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(FILE_NAME)).unwrap();
    let error = Store::open(directory.path(), Options::default()).unwrap_err();
    assert!(!matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[test]
fn read_only_opens_read_and_refuse_to_write() {
    let directory = filled(3);
    let store = Store::open(directory.path(), Options { read_only: true, ..Options::default() }).unwrap();
    assert_eq!(store.history(None, 9).unwrap().len(), 3);
    assert!(matches!(record(&store, 1).unwrap_err(), StoreError::ReadOnly { .. }));
}
