//! Evaluation, over a stand-in for replication: scripts, random histories, models.

mod common;
mod histories;
mod latches_model;
#[path = "../../../testdata/support/script.rs"]
mod script;
mod scripts;
mod ts_cache_model;
