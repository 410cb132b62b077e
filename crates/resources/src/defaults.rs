//! The sourced defaults that stand in until something is measured.
