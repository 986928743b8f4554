//! The replicated key space: replica life, evaluation, latches, locks.

pub mod command;
pub mod replication;
