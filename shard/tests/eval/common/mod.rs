//! A world for the store: ranges replicated by a stand-in that applies at once, a virtual clock, an
//! oracle that counts, and one thread.

pub(crate) mod commands;
pub(crate) mod detector;
pub(crate) mod executor;
pub(crate) mod group;
pub(crate) mod parse;
pub(crate) mod show;
pub(crate) mod world;
