//! Power drawn and prices paid.

use serde::{Deserialize, Serialize};

use crate::Figure;

/// Power of the machine, per core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Watts of an idle core.
    pub idle_watts_per_core: Figure,
    /// Watts of a fully used core, idle part included.
    pub busy_watts_per_core: Figure,
    /// Watts per 10^9 bytes of memory held.
    pub watts_per_gigabyte: Figure,
    /// Whether it comes from a table, so that energy is only a multiple of time.
    pub from_table: bool,
}

/// Prices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars per core-second.
    pub dollars_per_core_second: Figure,
    /// US dollars per byte-second of memory.
    pub dollars_per_byte_second: Figure,
    /// US dollars per byte-second of disk, for artifacts held.
    pub dollars_per_disk_byte_second: Figure,
}
