//! The resource models as text, of this machine and of others, and the salt with which inputs are hashed.

use rusqlite::{Connection, OptionalExtension};

use crate::error::StoreError;
use crate::files::text;
use crate::open::Store;

pub(crate) const READ: &str = "SELECT text FROM model";
pub(crate) const WRITE: &str = "INSERT OR REPLACE INTO model(id, text) VALUES(1, ?)";

impl Store {
    /// The resource model's text, where one was stored.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn model(&self) -> Result<Option<String>, StoreError> {
        self.read(model_text)
    }

    /// Changes the resource model by what it is now: no other process writes in between. `None` leaves it as it is.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn update_model(&self, change: impl FnOnce(Option<String>) -> Option<String>) -> Result<(), StoreError> {
        self.write(|transaction| change_model(transaction, change))
    }

    /// Replaces the resource model.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn set_model(&self, text: &str) -> Result<(), StoreError> {
        self.write(|transaction| put_model(transaction, text))
    }

    /// The resource models of other machines, by name.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn nodes(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT name, text FROM nodes ORDER BY name")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    /// Stores or replaces the resource model of another machine.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn set_node(&self, name: &str, text: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute("INSERT OR REPLACE INTO nodes(name, text) VALUES(?, ?)", [name, text]).map(drop)
        })
    }

    /// Forgets another machine; whether it was known.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn forget_node(&self, name: &str) -> Result<bool, StoreError> {
        self.write(|transaction| Ok(transaction.execute("DELETE FROM nodes WHERE name = ?", [name])? > 0))
    }

    /// The random key of this database for hashing inputs, so that hashes mean nothing elsewhere.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn salt(&self) -> Result<[u8; 16], StoreError> {
        self.read(|connection| connection.query_row("SELECT salt FROM ledger", [], |row| row.get(0)))
    }
}

pub(crate) fn model_text(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached(READ)?.query_row([], |row| text(row, 0)).optional().map(Option::flatten)
}

pub(crate) fn change_model(
    connection: &Connection,
    change: impl FnOnce(Option<String>) -> Option<String>,
) -> rusqlite::Result<()> {
    match change(model_text(connection)?) {
        Some(text) => put_model(connection, &text),
        None => Ok(()),
    }
}

fn put_model(connection: &Connection, text: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(WRITE)?.execute([text])?;
    Ok(())
}
