//! What climbing the warm ladder of a process was measured to take, and what standing on it holds.

use forewarm_types::Digest;
use rusqlite::params;

use crate::error::StoreError;
use crate::maintain::MAX_CODES;
use crate::open::Store;

/// Most rows kept: four rungs of as many codes as are remembered.
const MOST: i64 = 4 * MAX_CODES as i64;

/// A rung of a code's ladder, as measured here.
#[derive(Debug, Clone, PartialEq)]
pub struct RungRow {
    /// Its key.
    pub rung: String,
    /// Time of the climb from the rung below, in seconds: the mean of all climbs.
    pub seconds: f64,
    /// Memory held while standing there, in bytes: that of the last climb.
    pub bytes: u64,
    /// Climbs behind it.
    pub samples: u64,
}

impl Store {
    /// The ladder of a code, the one that holds least first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn rungs(&self, digest: &Digest) -> Result<Vec<RungRow>, StoreError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare("SELECT rung, seconds, bytes, samples FROM rungs WHERE digest = ? ORDER BY bytes, seconds")?;
            let rows = statement.query_map([digest.0], |row| {
                Ok(RungRow {
                    rung: row.get(0)?,
                    seconds: row.get(1)?,
                    bytes: row.get::<_, i64>(2)?.max(0) as u64,
                    samples: row.get::<_, i64>(3)?.max(0) as u64,
                })
            })?;
            rows.collect()
        })
    }

    /// Adds a climb: of each rung its key, seconds and bytes.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn add_climb(&self, digest: &Digest, rungs: &[(&str, f64, u64)], unix_seconds: f64) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare(
                "INSERT INTO rungs(digest, rung, seconds, bytes, samples, measured_unix) VALUES(?1, ?2, ?3, ?4, 1, ?5)
                 ON CONFLICT(digest, rung) DO UPDATE SET seconds = (seconds * samples + ?3) / (samples + 1),
                     bytes = ?4, samples = samples + 1, measured_unix = ?5",
            )?;
            for (rung, seconds, bytes) in rungs {
                statement.execute(params![
                    digest.0,
                    rung,
                    seconds,
                    i64::try_from(*bytes).unwrap_or(i64::MAX),
                    unix_seconds
                ])?;
            }
            // The oldest make room.
            transaction.execute(
                "DELETE FROM rungs WHERE measured_unix <
                     (SELECT measured_unix FROM rungs ORDER BY measured_unix DESC LIMIT 1 OFFSET ?)",
                [MOST],
            )?;
            Ok(())
        })
    }
}

impl Store {
    /// Forgets the ladder of one code, or all.
    pub(crate) fn forget_rungs(&self, digest: Option<&Digest>) -> Result<(), StoreError> {
        self.write(|transaction| {
            match digest {
                Some(digest) => transaction.execute("DELETE FROM rungs WHERE digest = ?", [digest.0]),
                None => transaction.execute("DELETE FROM rungs", []),
            }
            .map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::Options;

    #[test]
    fn climbs_add_up() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Options::default()).unwrap();
        let (code, other) = (Digest([1; 32]), Digest([2; 32]));
        store.add_climb(&code, &[("imports", 1.0, 100), ("worker", 0.1, 120)], 5.0).unwrap();
        store.add_climb(&code, &[("imports", 3.0, 110)], 6.0).unwrap();
        let rungs = store.rungs(&code).unwrap();
        let row = |rung: &str, seconds, bytes, samples| RungRow { rung: rung.to_owned(), seconds, bytes, samples };
        assert_eq!(rungs, [row("imports", 2.0, 110, 2), row("worker", 0.1, 120, 1)]);
        assert!(store.rungs(&other).unwrap().is_empty());
        store.add_climb(&other, &[("imports", 1.0, 1)], 7.0).unwrap();
        store.forget(Some(&code)).unwrap();
        assert!(store.rungs(&code).unwrap().is_empty() && store.rungs(&other).unwrap().len() == 1);
        store.forget(None).unwrap();
        assert!(store.rungs(&other).unwrap().is_empty());
    }
}
