//! The tables, and how an older database becomes a current one. Forward only: a newer one is refused by `open`.

use rusqlite::Connection;

/// `FWRM`: marks the file as ours (`PRAGMA application_id`).
pub(crate) const APPLICATION_ID: i32 = 0x4657_524d;

/// Schema changes in order; entry `n` takes `user_version` from `n` to `n + 1`. Entries are never edited once released.
pub(crate) const MIGRATIONS: &[&str] = &[
    // Strict types and checks let `integrity_check` find damage that leaves the pages' shape whole.
    // `codes` holds counters only, so that a record rewrites one small row; texts lie in tables of their own.
    // `files` has a rowid so that the oldest memos can be pruned; `ledger` is the one row read at every run.
    "CREATE TABLE codes(
         id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE CHECK(length(digest) = 32), name TEXT NOT NULL DEFAULT '',
         runs INTEGER NOT NULL DEFAULT 0, first_unix REAL, last_unix REAL) STRICT;
     CREATE TABLE files(
         id INTEGER PRIMARY KEY, device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL,
         mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, code INTEGER NOT NULL, UNIQUE(device, inode)) STRICT;
     CREATE TABLE analyses(code INTEGER PRIMARY KEY, version INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
     CREATE TABLE observations(
         id INTEGER PRIMARY KEY, code INTEGER NOT NULL, observation TEXT NOT NULL, plan TEXT) STRICT;
     CREATE INDEX observations_of_code ON observations(code, id);
     CREATE TABLE model(id INTEGER PRIMARY KEY CHECK(id = 1), text TEXT NOT NULL) STRICT;
     CREATE TABLE ledger(
         id INTEGER PRIMARY KEY CHECK(id = 1), salt BLOB NOT NULL CHECK(length(salt) = 16),
         codes INTEGER NOT NULL DEFAULT 0, runs INTEGER NOT NULL DEFAULT 0, singletons INTEGER NOT NULL DEFAULT 0) STRICT;
     INSERT INTO ledger(id, salt) VALUES(1, randomblob(16));",
    // What importing a Python module costs: one row per module, of the distribution's version last measured.
    "CREATE TABLE module_costs(
         interpreter TEXT NOT NULL, module TEXT NOT NULL, distribution TEXT, seconds REAL NOT NULL, bytes REAL,
         startup INTEGER NOT NULL, samples INTEGER NOT NULL, source TEXT NOT NULL,
         PRIMARY KEY(interpreter, module)) STRICT, WITHOUT ROWID;",
    // What predictions are made of lies in the index itself, so that a look-up reads two pages, not one per run.
    "ALTER TABLE observations ADD COLUMN past TEXT;
     UPDATE observations SET past = json_object(
         'class', observation ->> '$.configuration_class', 'features', json(observation -> '$.features'),
         'run_cpu_seconds', observation ->> '$.run_cpu_seconds',
         'peak_linear_memory_bytes', observation ->> '$.peak_linear_memory_bytes', 'ops', observation ->> '$.ops',
         'censored', json(iif(observation ->> '$.exit.cause' IN ('timeout', 'interrupted', 'memory'), 'true', 'false')))
         WHERE json_valid(observation);
     DROP INDEX observations_of_code;
     CREATE INDEX past_of_code ON observations(code, id, past);",
    // How much an import time varies from run to run, and the module during whose import a module was loaded.
    "ALTER TABLE module_costs ADD COLUMN variance REAL NOT NULL DEFAULT 0;
     ALTER TABLE module_costs ADD COLUMN parent TEXT;",
    // The warm ladder of a process: what climbing to each rung of a code took and what standing there holds.
    "CREATE TABLE rungs(
         digest BLOB NOT NULL CHECK(length(digest) = 32), rung TEXT NOT NULL, seconds REAL NOT NULL,
         bytes INTEGER NOT NULL, samples INTEGER NOT NULL, measured_unix REAL NOT NULL,
         PRIMARY KEY(digest, rung)) STRICT, WITHOUT ROWID;",
    // Which pages of its files a code reads: a sample for every run, and the whole apart, which is long and seldom read.
    "CREATE TABLE pages(
         digest BLOB PRIMARY KEY CHECK(length(digest) = 32), bytes INTEGER NOT NULL, sample TEXT NOT NULL,
         recorded_unix REAL NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE page_manifests(
         id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE CHECK(length(digest) = 32), manifest TEXT NOT NULL) STRICT;",
    // Resource models of machines that are not this one.
    "CREATE TABLE nodes(name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;",
];

/// The version this crate writes.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// The version of an open database.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i32>(0)).map(|version| version.max(0) as u32)
}

/// Brings a database forward to the last of `migrations`, in one transaction, whatever others do at the same time.
pub(crate) fn migrate(connection: &Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let transaction = rusqlite::Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?;
    let from = version(&transaction)? as usize;
    for step in migrations.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    if from < migrations.len() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", migrations.len() as i64)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_run_once_each_in_order_and_keep_rows() {
        let connection = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE t(a); INSERT INTO t VALUES(1);", "ALTER TABLE t ADD COLUMN b DEFAULT 7;"];
        migrate(&connection, &steps[..1]).unwrap();
        assert_eq!(version(&connection).unwrap(), 1);
        migrate(&connection, &steps).unwrap();
        migrate(&connection, &steps).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
        let row = connection.query_row("SELECT a, b, count(*) FROM t", [], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, r.get::<_, i64>(2)?))
        });
        assert_eq!(row.unwrap(), (1, 7, 1));
    }

    #[test]
    fn runs_of_an_older_database_still_teach() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, &MIGRATIONS[..2]).unwrap();
        let observation = r#"{"configuration_class":"winch/native","run_cpu_seconds":0.5,"ops":null,"exit":{"cause":"timeout"},
            "peak_linear_memory_bytes":7,"features":{"input_hash":18446744073709551615,"numbers":[2.5],"arguments":1,
            "argument_bytes":3,"input_bytes":4}}"#;
        connection.execute("INSERT INTO observations(code, observation) VALUES(1, ?)", [observation]).unwrap();
        connection.execute("INSERT INTO observations(code, observation) VALUES(1, 'not ours')", []).unwrap();
        migrate(&connection, MIGRATIONS).unwrap();
        let past = connection.query_row("SELECT past FROM observations ORDER BY id", [], |r| r.get::<_, String>(0));
        let past: forewarm_types::PastRun = serde_json::from_str(&past.unwrap()).unwrap();
        let features = forewarm_types::Features {
            input_hash: u64::MAX,
            numbers: vec![2.5],
            arguments: 1,
            argument_bytes: forewarm_types::Bytes(3),
            input_bytes: forewarm_types::Bytes(4),
        };
        assert_eq!(past.features, features);
        assert_eq!(
            (past.configuration_class.as_str(), past.run_cpu_seconds, past.censored),
            ("winch/native", 0.5, true)
        );
    }

    #[test]
    fn a_failed_migration_leaves_the_old_version_whole() {
        let connection = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE t(a);", "CREATE TABLE u(a); CREATE TABLE t(a);"];
        migrate(&connection, &steps[..1]).unwrap();
        assert!(migrate(&connection, &steps).is_err());
        assert_eq!(version(&connection).unwrap(), 1);
        assert!(connection.prepare("SELECT * FROM u").is_err());
    }
}
