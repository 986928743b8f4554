//! How much a peer may make us hold.

/// Bounds of one connection's input. The defaults of the unauthenticated part are PostgreSQL's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest startup packet, its length word included (`MAX_STARTUP_PACKET_LENGTH` and 4).
    pub startup_bytes_max: usize,
    /// Most bytes kept of a peer that is not authenticated; beyond it the connection ends.
    pub unauthenticated_bytes_max: usize,
    /// Longest message that carries user data (Query, Parse, Bind, CopyData, FunctionCall).
    pub message_bytes_max: usize,
    /// Longest message of the other types (`PQ_SMALL_MESSAGE_LIMIT`).
    pub small_message_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            startup_bytes_max: 10_004,
            unauthenticated_bytes_max: 64 << 10,
            message_bytes_max: 256 << 20,
            small_message_bytes_max: 10_000,
        }
    }
}
