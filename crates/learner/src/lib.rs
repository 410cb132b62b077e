//! Observations to corrections and intervals
