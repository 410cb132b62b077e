//! Observations, the counters that tell how often codes come back, and the one call that reads all a plan needs.

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use forewarm_types::{Digest, Observation, PastRun, ReuseStatistics};

use crate::error::StoreError;
use crate::files::{self, CodeRow, Stamp};
use crate::model;
use crate::open::Store;

/// A run to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// What happened.
    pub observation: &'a Observation,
    /// The program's file name without its directory, for display.
    pub file_name: &'a str,
    /// What was chosen and predicted, as JSON.
    pub plan_json: Option<&'a str>,
}

/// What a first run found out about its file, remembered with it.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The file, where it has settled.
    pub stamp: Option<&'a Stamp>,
    /// The analyzer's version.
    pub analyzer_version: u32,
    /// The analysis, as JSON.
    pub analysis: &'a str,
}

/// A recorded run, for display.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryRow {
    /// The record's number; later records have higher ones.
    pub number: i64,
    /// The program's file name when it last ran.
    pub file_name: String,
    /// What happened.
    pub observation: Observation,
    /// What had been chosen and predicted, as JSON.
    pub plan_json: Option<String>,
}

/// All that is known before a run, read under one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The digest remembered for the file; `None` where its stamp is new.
    pub digest: Option<Digest>,
    /// The analysis by the analyzer's version asked for.
    pub analysis: Option<String>,
    /// Past runs of the code, newest first.
    pub recent: Vec<PastRun>,
    /// How often codes come back.
    pub reuse: ReuseStatistics,
    /// The resource model.
    pub model: Option<String>,
    /// The key for hashing inputs.
    pub salt: [u8; 16],
}

/// Statements of a record: the code is counted, then the ledger is, then the run is put down.
const COUNT_CODE: &str = "INSERT INTO codes(digest, name, runs, first_unix, last_unix) VALUES(?1, ?2, 1, ?3, ?3)
         ON CONFLICT(digest) DO UPDATE SET name = excluded.name, runs = runs + 1,
             first_unix = min(coalesce(first_unix, ?3), ?3), last_unix = max(coalesce(last_unix, ?3), ?3)
         RETURNING id, runs";
const COUNT_RUN: &str = "UPDATE ledger SET runs = runs + 1, codes = codes + ?, singletons = singletons + ?";
const PUT_RUN: &str = "INSERT INTO observations(code, observation, plan, past) VALUES(?, ?, ?, ?)";

impl Store {
    /// Everything about the file with this stamp; where it is not known, what is independent of it.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn look_up(
        &self,
        stamp: &Stamp,
        analyzer_version: u32,
        limit: u32,
        now_unix: f64,
    ) -> Result<Known, StoreError> {
        self.read(|connection| {
            known(connection, files::code_of_stamp(connection, stamp)?, analyzer_version, limit, now_unix)
        })
    }

    /// Everything about the code with this digest.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn look_up_code(
        &self,
        digest: &Digest,
        analyzer_version: u32,
        limit: u32,
        now_unix: f64,
    ) -> Result<Known, StoreError> {
        self.read(|connection| {
            known(connection, files::code_of_digest(connection, digest)?, analyzer_version, limit, now_unix)
        })
    }

    /// Records a run, counts it, and changes the resource model by it, all or nothing; returns the record's number.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn record(
        &self,
        record: &Record<'_>,
        update_model: impl FnOnce(Option<String>) -> Option<String>,
    ) -> Result<i64, StoreError> {
        self.record_found(record, None, update_model)
    }

    /// Gets ready for a run that goes on to be recorded when it is over, by working out the statements for that: a third of
    /// the time a record takes. Nothing is locked.
    pub fn expect_record(&self) {
        for statement in [COUNT_CODE, COUNT_RUN, PUT_RUN, model::READ, model::WRITE] {
            // What is wrong with it the record will tell.
            drop(self.connection.prepare_cached(statement));
        }
    }

    /// As [`Self::record`], remembering in the same transaction what was found out about the file.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn record_found(
        &self,
        record: &Record<'_>,
        found: Option<&Found<'_>>,
        update_model: impl FnOnce(Option<String>) -> Option<String>,
    ) -> Result<i64, StoreError> {
        let unwritable = |error| StoreError::from_io(&self.file, std::io::Error::other(error));
        let text = serde_json::to_string(record.observation).map_err(unwritable)?;
        let past = serde_json::to_string(&PastRun::from(record.observation)).map_err(unwritable)?;
        let number = self.write(|transaction| {
            let code = count_run(transaction, record)?;
            transaction.prepare_cached(PUT_RUN)?.execute(params![code, text, record.plan_json, past])?;
            let number = transaction.last_insert_rowid();
            if let Some(found) = found {
                files::put_analysis(transaction, code, found.analyzer_version, found.analysis)?;
                found.stamp.map_or(Ok(()), |stamp| files::put_file(transaction, stamp, code))?;
            }
            model::change_model(transaction, update_model)?;
            Ok(number)
        })?;
        self.relieve();
        Ok(number)
    }

    /// Past runs of a code, newest first. Records that this version cannot read are left out.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn recent(&self, digest: &Digest, limit: u32) -> Result<Vec<PastRun>, StoreError> {
        self.read(|connection| match files::code_of_digest(connection, digest)? {
            Some(code) => recent_of(connection, code.id, limit),
            None => Ok(Vec::new()),
        })
    }

    /// Past runs of a code or of all, newest first, for display. Records that this version cannot read are left out.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn history(&self, digest: Option<&Digest>, limit: u32) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT observations.id, name, observation, plan FROM observations JOIN codes ON codes.id = code
                 WHERE ?1 IS NULL OR digest = ?1 ORDER BY observations.id DESC LIMIT ?2",
            )?;
            let mut rows = statement.query(params![digest.map(|digest| digest.0), limit])?;
            let mut history = Vec::new();
            while let Some(row) = rows.next()? {
                history.extend(history_row(row)?);
            }
            Ok(history)
        })
    }

    /// Forgets a code: its runs, counts, analysis and file memos; or all codes, and then the salt too. The resource
    /// model stays: it is about the machine. What is deleted is overwritten. Returns the runs forgotten.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn forget(&self, digest: Option<&Digest>) -> Result<u64, StoreError> {
        self.connection.pragma_update(None, "secure_delete", "ON").map_err(|error| self.sort(error))?;
        let forgotten = self.write(|transaction| match digest {
            Some(digest) => match files::code_of_digest(transaction, digest)? {
                Some(code) => forget_code(transaction, &code),
                None => Ok(0),
            },
            None => forget_all(transaction),
        })?;
        self.forget_rungs(digest)?;
        self.forget_pages(digest)?;
        self.truncate_log()?;
        Ok(forgotten)
    }

    /// How often codes come back, from counters: the cost does not grow with history.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn reuse(&self, digest: &Digest, now_unix: f64) -> Result<ReuseStatistics, StoreError> {
        self.read(|connection| {
            let code = files::code_of_digest(connection, digest)?;
            ledger(connection, code.as_ref(), now_unix).map(|(reuse, ..)| reuse)
        })
    }
}

fn history_row(row: &Row<'_>) -> rusqlite::Result<Option<HistoryRow>> {
    let Ok(observation) = serde_json::from_slice(row.get_ref(2)?.as_bytes()?) else { return Ok(None) };
    let file_name = files::text(row, 1)?.unwrap_or_default();
    Ok(Some(HistoryRow { number: row.get(0)?, file_name, observation, plan_json: files::text(row, 3)? }))
}

fn known(
    connection: &Connection,
    code: Option<CodeRow>,
    analyzer_version: u32,
    limit: u32,
    now_unix: f64,
) -> rusqlite::Result<Known> {
    let (reuse, salt, model) = ledger(connection, code.as_ref(), now_unix)?;
    let (analysis, recent) = match &code {
        Some(code) => {
            (files::analysis_of(connection, code.id, analyzer_version)?, recent_of(connection, code.id, limit)?)
        }
        None => (None, Vec::new()),
    };
    Ok(Known { digest: code.map(|code| code.digest), analysis, recent, reuse, model, salt })
}

/// The one row of counters, with the salt and the model's text beside it.
fn ledger(
    connection: &Connection,
    code: Option<&CodeRow>,
    now_unix: f64,
) -> rusqlite::Result<(ReuseStatistics, [u8; 16], Option<String>)> {
    let since = |then: Option<f64>| then.map(|then| (now_unix - then).max(0.0));
    connection.query_row("SELECT codes, runs, singletons, salt, (SELECT text FROM model) FROM ledger", [], |row| {
        let count = |index| row.get::<_, i64>(index).map(|value| value.max(0) as u64);
        let reuse = ReuseStatistics {
            codes: count(0)?,
            runs: count(1)?,
            singletons: count(2)?,
            code_runs: code.map_or(0, |code| code.runs),
            code_age_seconds: since(code.and_then(|code| code.first_unix)),
            code_idle_seconds: since(code.and_then(|code| code.last_unix)),
        };
        Ok((reuse, row.get(3)?, files::text(row, 4)?))
    })
}

fn recent_of(connection: &Connection, code: i64, limit: u32) -> rusqlite::Result<Vec<PastRun>> {
    let mut statement = connection.prepare("SELECT past FROM observations WHERE code = ? ORDER BY id DESC LIMIT ?")?;
    let mut rows = statement.query(params![code, limit])?;
    let mut past = Vec::new();
    while let Some(row) = rows.next()? {
        let text = row.get_ref(0)?.as_str_or_null()?;
        past.extend(text.and_then(|text| serde_json::from_str::<PastRun>(text).ok()));
    }
    Ok(past)
}

/// Adds a run to the code's and the ledger's counters; returns the code's number.
fn count_run(connection: &Connection, record: &Record<'_>) -> rusqlite::Result<i64> {
    let started = record.observation.started_unix_seconds;
    let (code, runs) = connection
        .prepare_cached(COUNT_CODE)?
        .query_row(params![record.observation.digest.0, record.file_name, started], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
    let (new_code, singleton_change) = match runs {
        1 => (1, 1),
        2 => (0, -1),
        _ => (0, 0),
    };
    connection.prepare_cached(COUNT_RUN)?.execute([new_code, singleton_change])?;
    Ok(code)
}

fn forget_code(connection: &Connection, code: &CodeRow) -> rusqlite::Result<u64> {
    let forgotten = connection.execute("DELETE FROM observations WHERE code = ?", [code.id])?;
    connection.execute("DELETE FROM analyses WHERE code = ?", [code.id])?;
    connection.execute("DELETE FROM files WHERE code = ?", [code.id])?;
    connection.execute("DELETE FROM codes WHERE id = ?", [code.id])?;
    connection.execute(
        "UPDATE ledger SET runs = runs - ?, codes = codes - ?, singletons = singletons - ?",
        [code.runs as i64, i64::from(code.runs > 0), i64::from(code.runs == 1)],
    )?;
    Ok(forgotten as u64)
}

fn forget_all(connection: &Connection) -> rusqlite::Result<u64> {
    let forgotten = connection.execute("DELETE FROM observations", [])?;
    connection.execute_batch(
        "DELETE FROM analyses; DELETE FROM files; DELETE FROM codes;
         UPDATE ledger SET codes = 0, runs = 0, singletons = 0, salt = randomblob(16);",
    )?;
    Ok(forgotten as u64)
}
