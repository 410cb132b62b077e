//! What is left for quiet moments: pruning to a bounded size, and moving the log into the database.

use std::time::Duration;

use crate::error::StoreError;
use crate::open::Store;

/// Observations kept of one code: several times what an interval needs (a split-conformal 90 % interval is within a few
/// percent of its coverage from about 100 scores on: Angelopoulos & Bates 2023, section 3.2), and few enough to read.
pub const MAX_OBSERVATIONS_PER_CODE: u32 = 256;

/// Observations kept in all: some 30 MB at 1.5 KB each, a size chosen for a user's data directory.
pub const MAX_OBSERVATIONS: u32 = 20_000;

/// File memos kept; forgetting one costs one hashing of the file.
pub const MAX_FILES: u32 = 4096;

/// Analyses kept; forgetting one costs one analysis of the code.
pub const MAX_ANALYSES: u32 = 256;

/// Codes whose counters are kept although nothing else of them is.
pub const MAX_CODES: u32 = 50_000;

/// Bytes in the log from which [`Store::maintain`] is due: a process that opens the database alone reads the log through,
/// page by page. Where it has run nothing else of late that takes 0.5 ms/MB (system calls of a run, traced), half of it on
/// average before the first instruction of every run; emptying it costs one run in ten to twenty the start of a process.
pub const WAL_LIMIT: u64 = 512 << 10;

/// Bytes in the log from which a record empties it itself, should nobody have maintained: sixteen times the limit, some
/// 300 runs. That one run then ends some milliseconds later.
pub(crate) const WAL_LAST_RESORT: u64 = 16 * WAL_LIMIT;

impl Store {
    /// Whether the log has grown so that opening costs more than it should.
    #[must_use]
    pub fn wants_maintenance(&self) -> bool {
        self.wal_bytes() > WAL_LIMIT
    }

    /// Prunes to the documented bounds, then moves the log into the database and empties it. Waits for the disk: never
    /// called between a program's start and its end.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where others are writing; nothing is lost by trying another time.
    pub fn maintain(&self) -> Result<(), StoreError> {
        self.prune(MAX_OBSERVATIONS_PER_CODE, MAX_OBSERVATIONS)?;
        self.truncate_log()
    }

    fn prune(&self, per_code: u32, in_all: u32) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "DELETE FROM observations WHERE id IN (SELECT id FROM (
                     SELECT id, row_number() OVER (PARTITION BY code ORDER BY id DESC) AS place FROM observations)
                 WHERE place > ?)",
                [per_code],
            )?;
            transaction.execute(
                "DELETE FROM observations WHERE id <=
                     (SELECT id FROM observations ORDER BY id DESC LIMIT 1 OFFSET ?)",
                [in_all],
            )?;
            transaction.execute(
                "DELETE FROM files WHERE id <= (SELECT id FROM files ORDER BY id DESC LIMIT 1 OFFSET ?)",
                [MAX_FILES],
            )?;
            transaction.execute(
                "DELETE FROM analyses WHERE code IN (SELECT code FROM analyses LEFT JOIN codes ON codes.id = code
                     ORDER BY coalesce(last_unix, 0) DESC LIMIT -1 OFFSET ?)",
                [MAX_ANALYSES],
            )?;
            transaction.execute(
                "DELETE FROM codes WHERE id IN (SELECT id FROM codes ORDER BY coalesce(last_unix, 0) DESC
                     LIMIT -1 OFFSET ?)
                 AND id NOT IN (SELECT code FROM files) AND id NOT IN (SELECT code FROM analyses)
                 AND id NOT IN (SELECT code FROM observations)",
                [MAX_CODES],
            )?;
            Ok(())
        })
    }

    /// Empties a log that has grown out of hand, unless somebody is using it at this moment: then another time.
    pub(crate) fn relieve(&self) {
        if self.wal_bytes() > WAL_LAST_RESORT {
            let _ = self.connection.busy_timeout(Duration::ZERO);
            let _ = self.truncate_log();
            let _ = self.connection.busy_timeout(Duration::from_millis(u64::from(self.busy_ms)));
        }
    }

    /// Moves the log into the database with the waits for the disk that make it safe, and empties the log. Writers are kept
    /// out only while it is emptied: what can be moved beside them is moved before.
    pub(crate) fn truncate_log(&self) -> Result<(), StoreError> {
        let checkpoint = |mode: &str| {
            let pragma = format!("PRAGMA wal_checkpoint({mode})");
            self.connection.query_row(&pragma, [], |row| row.get::<_, i64>(0))
        };
        let work = || {
            self.connection.pragma_update(None, "synchronous", "NORMAL")?;
            checkpoint("PASSIVE")?;
            checkpoint("TRUNCATE")
        };
        match work() {
            Ok(0) => Ok(()),
            Ok(_) => Err(StoreError::Busy { file: self.file.clone(), busy_ms: self.busy_ms }),
            Err(error) => Err(self.sort(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{digest, observation, store};
    use crate::{Record, Stamp};

    #[test]
    fn pruning_keeps_the_newest_of_each_code_and_of_all() {
        let (_directory, store) = store();
        for n in 0..12 {
            let run = observation(n % 3, f64::from(n));
            store.record(&Record { observation: &run, file_name: "x.wasm", plan_json: None }, |_| None).unwrap();
        }
        store.prune(3, 5).unwrap();
        let started: Vec<f64> =
            store.history(None, 99).unwrap().iter().map(|row| row.observation.started_unix_seconds).collect();
        assert_eq!(started, [11.0, 10.0, 9.0, 8.0, 7.0]);
        assert_eq!(store.recent(&digest(0), 99).unwrap().len(), 1);
        assert_eq!(store.reuse(&digest(0), 20.0).unwrap().runs, 12, "counters outlive what they counted");
        store.prune(1, 5).unwrap();
        assert_eq!(store.history(None, 99).unwrap().len(), 3);
    }

    #[test]
    fn memos_and_analyses_are_bounded() {
        let (_directory, store) = store();
        let stamp = |n: u32| Stamp { device: 1, inode: u64::from(n), size: 3, mtime_ns: 4, ctime_ns: 5 };
        for n in 0..MAX_FILES + 2 {
            store.remember_file(&stamp(n), &digest(1)).unwrap();
        }
        for n in 0..MAX_ANALYSES + 2 {
            store.remember_analysis(&digest(n), 1, "{}").unwrap();
        }
        store.maintain().unwrap();
        assert_eq!(store.digest_of(&stamp(1)).unwrap(), None);
        assert_eq!(store.digest_of(&stamp(2)).unwrap(), Some(digest(1)));
        let kept = (0..MAX_ANALYSES + 2).filter(|n| store.analysis(&digest(*n), 1).unwrap().is_some()).count();
        assert_eq!(kept, MAX_ANALYSES as usize);
    }

    #[test]
    fn maintaining_empties_the_log_and_keeps_the_rows() {
        let (_directory, store) = store();
        let run = observation(1, 1.0);
        while !store.wants_maintenance() {
            store.set_model(&"m".repeat(100_000)).unwrap();
            store.record(&Record { observation: &run, file_name: "x.wasm", plan_json: None }, |_| None).unwrap();
        }
        let runs = store.history(None, 9999).unwrap().len();
        store.maintain().unwrap();
        assert_eq!((store.wal_bytes(), store.history(None, 9999).unwrap().len()), (0, runs));
    }

    #[test]
    fn a_log_nobody_maintains_does_not_grow_for_ever() {
        let (_directory, store) = store();
        let run = observation(1, 1.0);
        let record = Record { observation: &run, file_name: "x.wasm", plan_json: None };
        let most = (0..40).map(|_| {
            store.record(&record, |_| Some("m".repeat(1 << 20))).unwrap();
            store.wal_bytes()
        });
        assert!(most.max().unwrap() <= WAL_LAST_RESORT + (3 << 20));
        assert_eq!(store.recent(&digest(1), 99).unwrap().len(), 40);
    }

    #[test]
    fn a_full_disk_is_said_so_and_leaves_the_database_whole() {
        let (_directory, store) = store();
        let pages: i64 = store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        store.connection.pragma_update(None, "max_page_count", pages).unwrap();
        let error = store.set_model(&"m".repeat(100_000)).unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        store.verify().unwrap();
        assert_eq!(store.model().unwrap(), None);
    }
}
