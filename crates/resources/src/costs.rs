//! The cost of operator classes on each tier.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use forewarm_types::{OpClass, Tier};

use crate::Figure;

/// Costs of one tier.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TierCosts {
    /// CPU seconds per executed operator, by class.
    pub seconds_per_op: BTreeMap<OpClass, Figure>,
    /// Ratio of actual to predicted CPU time over real runs, learned; 1 until then.
    pub correction: Option<Figure>,
}

/// Costs of all tiers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OpCosts {
    /// By tier.
    pub tiers: BTreeMap<Tier, TierCosts>,
}
