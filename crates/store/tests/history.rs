//! What is recorded comes back, and the counters agree with it.
#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "common/sample.rs"]
mod sample;

use forewarm_store::{HistoryRow, Options, Record, Stamp, Store, StoreError};
use forewarm_types::{PastRun, ReuseStatistics};
use sample::{digest, observation, store};

const STAMP: Stamp = Stamp { device: u64::MAX, inode: 2, size: 3, mtime_ns: -4, ctime_ns: 5 };

fn run(store: &Store, code: u32, started: f64) -> i64 {
    let run = observation(code, started);
    store.record(&Record { observation: &run, file_name: "x.wasm", plan_json: Some("{}") }, |_| None).unwrap()
}

#[test]
fn records_come_back_whole_and_newest_first() {
    let (directory, store) = store();
    assert!(run(&store, 1, 10.0) < run(&store, 1, 11.5));
    run(&store, 2, 12.0);
    let again = Store::open(directory.path(), Options::default()).unwrap();
    assert_eq!(
        again.recent(&digest(1), 9).unwrap(),
        [PastRun::from(&observation(1, 11.5)), PastRun::from(&observation(1, 10.0))]
    );
    assert_eq!(again.recent(&digest(1), 1).unwrap().len(), 1);
    let newest = HistoryRow {
        number: 3,
        file_name: "x.wasm".to_owned(),
        observation: observation(2, 12.0),
        plan_json: Some("{}".to_owned()),
    };
    assert_eq!(again.history(None, 1).unwrap(), std::slice::from_ref(&newest));
    assert_eq!(again.history(Some(&digest(2)), 9).unwrap(), [newest]);
    assert_eq!(again.history(None, 9).unwrap().len(), 3);
}

#[test]
fn one_look_up_agrees_with_the_single_questions() {
    let (_directory, store) = store();
    let unknown = store.look_up(&STAMP, 1, 9, 20.0).unwrap();
    assert_eq!((unknown.digest, unknown.recent.len(), unknown.reuse), (None, 0, ReuseStatistics::default()));
    store.remember_file(&STAMP, &digest(1)).unwrap();
    store.remember_analysis(&digest(1), 7, "{\"a\":1}").unwrap();
    store.set_model("model").unwrap();
    store.set_node("b", "first").unwrap();
    store.set_node("a", "other").unwrap();
    store.set_node("b", "second").unwrap();
    let nodes = |store: &Store| store.nodes().unwrap();
    assert_eq!(nodes(&store), [("a", "other"), ("b", "second")].map(|(name, text)| (name.into(), text.into())));
    assert!(store.forget_node("a").unwrap() && !store.forget_node("a").unwrap());
    assert_eq!(nodes(&store).len(), 1);
    run(&store, 1, 10.0);
    let known = store.look_up(&STAMP, 7, 9, 20.0).unwrap();
    assert_eq!(known.digest, store.digest_of(&STAMP).unwrap());
    assert_eq!(known.analysis, store.analysis(&digest(1), 7).unwrap());
    assert_eq!(known.recent, store.recent(&digest(1), 9).unwrap());
    assert_eq!(known.reuse, store.reuse(&digest(1), 20.0).unwrap());
    assert_eq!(known.model, store.model().unwrap());
    assert_eq!(known.salt, store.salt().unwrap());
    assert_eq!(known, store.look_up_code(&digest(1), 7, 9, 20.0).unwrap());
    assert_eq!(known.analysis.as_deref(), Some("{\"a\":1}"));
    assert_eq!(store.analysis(&digest(1), 8).unwrap(), None, "another analyzer's word does not count");
}

#[test]
fn a_changed_file_is_another_file() {
    let (_directory, store) = store();
    store.remember_file(&STAMP, &digest(1)).unwrap();
    let changes = [
        Stamp { size: 4, ..STAMP },
        Stamp { mtime_ns: 6, ..STAMP },
        Stamp { ctime_ns: 6, ..STAMP },
        Stamp { inode: 9, ..STAMP },
        Stamp { device: 9, ..STAMP },
    ];
    for changed in changes {
        assert_eq!(store.digest_of(&changed).unwrap(), None, "{changed:?}");
    }
    store.remember_file(&changes[0], &digest(2)).unwrap();
    assert_eq!(store.digest_of(&STAMP).unwrap(), None, "an inode holds one content");
    assert_eq!(store.digest_of(&changes[0]).unwrap(), Some(digest(2)));
}

#[test]
fn counters_follow_every_run() {
    let (_directory, store) = store();
    for (code, started) in [(1, 10.0), (2, 20.0), (1, 30.0), (1, 25.0), (3, 40.0)] {
        run(&store, code, started);
    }
    let reuse = |code| store.reuse(&digest(code), 100.0).unwrap();
    let expected = ReuseStatistics {
        codes: 3,
        runs: 5,
        singletons: 2,
        code_runs: 3,
        code_age_seconds: Some(90.0),
        code_idle_seconds: Some(70.0),
    };
    assert_eq!(reuse(1), expected);
    assert_eq!((reuse(9).code_runs, reuse(9).code_age_seconds, reuse(9).runs), (0, None, 5));
    assert_eq!(store.forget(Some(&digest(1))).unwrap(), 3);
    let after = ReuseStatistics { codes: 2, runs: 2, singletons: 2, ..Default::default() };
    assert_eq!(reuse(1), after);
}

#[test]
fn forgetting_all_leaves_only_the_model() {
    let (directory, store) = store();
    store.set_model("model").unwrap();
    store.remember_analysis(&digest(1), 7, "canary-of-an-analysis").unwrap();
    run(&store, 1, 10.0);
    let salt = store.salt().unwrap();
    assert_eq!(store.forget(None).unwrap(), 1);
    assert_eq!((store.history(None, 9).unwrap().len(), store.analysis(&digest(1), 7).unwrap()), (0, None));
    assert_eq!(store.reuse(&digest(1), 99.0).unwrap(), ReuseStatistics::default());
    assert_eq!(store.model().unwrap().as_deref(), Some("model"));
    assert_ne!(store.salt().unwrap(), salt);
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(21).any(|window| window == b"canary-of-an-analysis"));
    }
}

#[test]
fn a_record_changes_the_model_in_the_same_breath() {
    let (_directory, store) = store();
    let one = observation(1, 1.0);
    let record = Record { observation: &one, file_name: "x.wasm", plan_json: None };
    store
        .record(&record, |old| {
            assert_eq!(old, None);
            Some("1".to_owned())
        })
        .unwrap();
    store.update_model(|old| old.map(|text| text + "2")).unwrap();
    store.update_model(|_| None).unwrap();
    assert_eq!(store.model().unwrap().as_deref(), Some("12"));
}

#[test]
fn salts_differ_between_databases() {
    let ((_a, first), (_b, second)) = (store(), store());
    assert_ne!(first.salt().unwrap(), second.salt().unwrap());
}

#[test]
fn an_unreadable_record_is_left_out() {
    let (directory, store) = store();
    run(&store, 1, 1.0);
    let raw = rusqlite::Connection::open(directory.path().join("forewarm.sqlite3")).unwrap();
    raw.execute(
        "INSERT INTO observations(code, observation) SELECT code, '{\"of\":\"another age\"}' FROM observations",
        [],
    )
    .unwrap();
    assert_eq!(store.recent(&digest(1), 9).unwrap().len(), 1);
    assert_eq!(store.history(None, 9).unwrap().len(), 1);
}

#[test]
fn what_is_not_there_is_not_made_unasked() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("a/b");
    for options in [Options { create: false, ..Options::default() }, Options { read_only: true, ..Options::default() }]
    {
        assert!(matches!(Store::open(&directory, options), Err(StoreError::Missing { .. })));
    }
    assert!(!directory.exists());
    Store::open(&directory, Options::default()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&directory.join("forewarm.sqlite3"))), (0o700, 0o600));
    }
}
