//! Processes, memory and cores under limits, and their measurement
