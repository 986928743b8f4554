//! Templates of `to_char`, `to_date` and `to_timestamp`.

mod read;
mod tokens;
mod write;

pub use read::{to_date, to_timestamp};
pub use write::{to_char_interval, to_char_timestamp, to_char_timestamptz};
