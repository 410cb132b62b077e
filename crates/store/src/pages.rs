//! Which pages of its files a code was seen to read: a manifest as text, and a small sample of it that is read at every run.

use forewarm_types::Digest;
use rusqlite::{OptionalExtension, params};

use crate::error::StoreError;
use crate::open::Store;

/// Most manifests kept; each takes some hundred kilobytes at most, and those of sixty-four codes about what the database's
/// other tables hold when full.
const MOST: u32 = 64;

/// What is read at every run: enough to tell whether the manifest is worth being read.
#[derive(Debug, Clone, PartialEq)]
pub struct PageSample {
    /// Bytes of all that the manifest names.
    pub bytes: u64,
    /// The sample, as JSON.
    pub sample: String,
}

impl Store {
    /// The sample of a code's manifest, where there is one.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn page_sample(&self, digest: &Digest) -> Result<Option<PageSample>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT bytes, sample FROM pages WHERE digest = ?")?;
            let sample = |row: &rusqlite::Row<'_>| {
                Ok(PageSample { bytes: row.get::<_, i64>(0)?.max(0) as u64, sample: row.get(1)? })
            };
            statement.query_row([digest.0], sample).optional()
        })
    }

    /// A code's whole manifest, as JSON.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn page_manifest(&self, digest: &Digest) -> Result<Option<String>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT manifest FROM page_manifests WHERE digest = ?")?;
            statement.query_row([digest.0], |row| row.get(0)).optional()
        })
    }

    /// Keeps a code's manifest in place of the one before; the oldest make room.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn set_pages(
        &self,
        digest: &Digest,
        sample: &PageSample,
        manifest: &str,
        unix_seconds: f64,
    ) -> Result<(), StoreError> {
        let bytes = i64::try_from(sample.bytes).unwrap_or(i64::MAX);
        self.write(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO pages(digest, bytes, sample, recorded_unix) VALUES(?, ?, ?, ?)",
                params![digest.0, bytes, sample.sample, unix_seconds],
            )?;
            transaction.execute(
                "INSERT OR REPLACE INTO page_manifests(digest, manifest) VALUES(?, ?)",
                params![digest.0, manifest],
            )?;
            transaction.execute(
                "DELETE FROM pages WHERE digest NOT IN (SELECT digest FROM pages ORDER BY recorded_unix DESC LIMIT ?)",
                [MOST],
            )?;
            let stray = "DELETE FROM page_manifests WHERE digest NOT IN (SELECT digest FROM pages)";
            transaction.execute(stray, []).map(drop)
        })
    }

    /// Forgets the manifest of one code, or all.
    pub(crate) fn forget_pages(&self, digest: Option<&Digest>) -> Result<(), StoreError> {
        self.write(|transaction| {
            for table in ["pages", "page_manifests"] {
                match digest {
                    Some(digest) => transaction.execute(&format!("DELETE FROM {table} WHERE digest = ?"), [digest.0]),
                    None => transaction.execute(&format!("DELETE FROM {table}"), []),
                }?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::Options;

    #[test]
    fn manifests_are_kept_replaced_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Options::default()).unwrap();
        let code = |number: u8| Digest([number; 32]);
        let sample = |text: &str| PageSample { bytes: 7, sample: text.to_owned() };
        store.set_pages(&code(1), &sample("a"), "whole a", 1.0).unwrap();
        store.set_pages(&code(1), &sample("b"), "whole b", 2.0).unwrap();
        assert_eq!(store.page_sample(&code(1)).unwrap(), Some(sample("b")));
        assert_eq!(store.page_manifest(&code(1)).unwrap().as_deref(), Some("whole b"));
        assert_eq!((store.page_sample(&code(2)).unwrap(), store.page_manifest(&code(2)).unwrap()), (None, None));
        store.forget(Some(&code(1))).unwrap();
        assert_eq!((store.page_sample(&code(1)).unwrap(), store.page_manifest(&code(1)).unwrap()), (None, None));
    }

    #[test]
    fn the_oldest_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Options::default()).unwrap();
        let sample = PageSample { bytes: 1, sample: String::new() };
        for number in 0..=MOST as u8 {
            store.set_pages(&Digest([number; 32]), &sample, "", f64::from(number)).unwrap();
        }
        assert_eq!(store.page_manifest(&Digest([0; 32])).unwrap(), None);
        assert!(store.page_manifest(&Digest([1; 32])).unwrap().is_some());
    }
}
