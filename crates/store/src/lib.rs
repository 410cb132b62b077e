//! One SQLite database: schema, migrations, queries.
//!
//! History, the memo of file digests, analyses and the resource model are kept here as text and counters; what they
//! mean is known elsewhere. The store lies on the path of every run, so opening it, the reads before the program's
//! first instruction and the record after its last take a fraction of a millisecond and never wait for the disk: log
//! checkpoints, pruning and `fsync` are left to [`Store::maintain`]. Called by the orchestrator alone.
#![forbid(unsafe_code)]

mod create;
mod error;
mod files;
mod history;
mod maintain;
mod model;
mod modules;
mod open;
mod pages;
mod rungs;
mod schema;

pub use error::StoreError;
pub use files::Stamp;
pub use history::{Found, HistoryRow, Known, Record};
pub use maintain::{MAX_ANALYSES, MAX_CODES, MAX_FILES, MAX_OBSERVATIONS, MAX_OBSERVATIONS_PER_CODE, WAL_LIMIT};
pub use modules::ModuleCostRow;
pub use open::{FILE_NAME, Options, Store};
pub use pages::PageSample;
pub use rungs::RungRow;

#[cfg(test)]
#[path = "../tests/common/sample.rs"]
mod sample;
