//! A small cluster in memory behind a transport that writes down every request, time that jumps,
//! and the interpreter of golden scripts.

pub(crate) mod clock;
pub(crate) mod cluster;
pub(crate) mod script;
pub(crate) mod show;
