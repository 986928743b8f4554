//! Replication on a simulated cluster: nothing acknowledged is ever lost, replicas never differ, and
//! no two nodes ever serve the same key at once (checked on every step by [`cluster::Cluster`]).

mod chaos;
mod checks;
mod cluster;
mod host;
mod leases;
mod lifecycle;
mod machine;
mod members;
mod splits;
