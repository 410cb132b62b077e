//! Bounded trials of the code, and the calibration of this machine
