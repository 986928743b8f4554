//! Logical plans, physical plans, and the way from one to the other.

pub mod expr;
pub mod rel;
pub mod physical;
pub mod same;
pub mod walk;
