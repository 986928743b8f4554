//! Logical plans, physical plans, and the way from one to the other.

pub mod expr;
mod lower;
pub mod physical;
pub mod rel;
pub mod same;
pub mod walk;

pub use lower::{Planner, plan};
pub use physical::Plan;
