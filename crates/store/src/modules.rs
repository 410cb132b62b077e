//! What importing Python modules was measured to cost, by interpreter.

use rusqlite::params;

use crate::error::StoreError;
use crate::open::Store;

/// A module's own cost, as measured.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleCostRow {
    /// Its name.
    pub module: String,
    /// The distribution it was in, as `name version`; `None` for the standard library.
    pub distribution: Option<String>,
    /// Seconds.
    pub seconds: f64,
    /// Variance of the seconds from run to run, in square seconds; 0 where it was not measured.
    pub variance: f64,
    /// The module during whose import it was loaded; `None` where the program itself asked for it.
    pub parent: Option<String>,
    /// Resident bytes.
    pub bytes: Option<f64>,
    /// Whether the interpreter imports it at its start in any case.
    pub startup: bool,
    /// Measurements behind it.
    pub samples: u64,
    /// Where the figures come from.
    pub source: String,
}

impl Store {
    /// All costs measured with an interpreter of a version.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn module_costs(&self, interpreter: &str) -> Result<Vec<ModuleCostRow>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT module, distribution, seconds, bytes, startup, samples, source, variance, parent FROM module_costs
                 WHERE interpreter = ?",
            )?;
            let rows = statement.query_map([interpreter], |row| {
                Ok(ModuleCostRow {
                    module: row.get(0)?,
                    distribution: row.get::<_, Option<String>>(1)?.filter(|name| !name.is_empty()),
                    seconds: row.get(2)?,
                    bytes: row.get(3)?,
                    startup: row.get(4)?,
                    samples: row.get::<_, i64>(5)?.max(0) as u64,
                    source: row.get(6)?,
                    variance: row.get(7)?,
                    parent: row.get(8)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Keeps costs; what was known of the same modules with this interpreter is replaced, so that the table never holds
    /// more rows than there are modules.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn set_module_costs(&self, interpreter: &str, rows: &[ModuleCostRow]) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare(
                "INSERT OR REPLACE INTO module_costs(interpreter, module, distribution, seconds, bytes, startup, samples,
                 source, variance, parent) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            for row in rows {
                statement.execute(params![
                    interpreter,
                    row.module,
                    row.distribution,
                    row.seconds,
                    row.bytes,
                    row.startup,
                    row.samples as i64,
                    row.source,
                    row.variance,
                    row.parent
                ])?;
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
    fn costs_are_kept_by_interpreter_and_replaced_by_module() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Options::default()).unwrap();
        let row = |module: &str, version: &str, seconds| ModuleCostRow {
            module: module.into(),
            distribution: Some(format!("numpy {version}")),
            seconds,
            variance: seconds * 1e-3,
            parent: module.split_once('.').map(|parts| parts.0.to_owned()),
            bytes: None,
            startup: false,
            samples: 3,
            source: "measured here".into(),
        };
        store.set_module_costs("3.11.4", &[row("numpy", "1.0", 0.1), row("numpy.core", "1.0", 0.2)]).unwrap();
        store.set_module_costs("3.12.0", &[row("numpy", "1.0", 0.5)]).unwrap();
        store.set_module_costs("3.11.4", &[row("numpy", "2.0", 0.3)]).unwrap();
        let mut found = store.module_costs("3.11.4").unwrap();
        found.sort_by(|a, b| a.module.cmp(&b.module));
        assert_eq!(found, [row("numpy", "2.0", 0.3), row("numpy.core", "1.0", 0.2)]);
        assert_eq!(store.module_costs("3.10.0").unwrap(), []);
    }
}
