//! What outlives a statement and is reached from several places at once: the session's functions
//! run while the session itself is busy with the statement that calls them.

use super::cancel::CancelToken;
use super::engine::Engine;
use super::guc::Guc;
use catalog::{FenceOwner, Oid};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use types::{Settings, SqlError};

/// How far splitmix64 goes each time.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
/// Microseconds between 1970 and 2000.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The shared part of a session.
pub(crate) struct Shared {
    pub engine: Arc<Engine>,
    pub database: Oid,
    pub database_name: String,
    pub user: String,
    pub process_id: i32,
    /// Unique within the process.
    pub session_id: u64,
    pub cancel: Arc<CancelToken>,
    pub guc: Mutex<Guc>,
    pub sequences: Mutex<SessionSequences>,
    /// Notices of functions, sent with the next message.
    pub notices: Mutex<Vec<SqlError>>,
    /// For `random()`.
    pub random: Mutex<Random>,
}

/// Numbers for `random()`: splitmix64, each session on a sequence of its own.
pub(crate) struct Random {
    state: u64,
    step: u64,
}

impl Random {
    /// Starts the sequence that belongs to two seeds.
    pub(crate) fn new(seed: u64, sequence: u64) -> Random {
        let mut random = Random { state: sequence, step: STEP };
        let step = random.next() | 1;
        Random { state: seed, step }
    }

    /// Starts again.
    pub(crate) fn seed(&mut self, seed: u64) {
        *self = Random { state: seed, step: STEP };
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(self.step);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What the session knows of sequences it has used: currval, lastval.
#[derive(Default)]
pub(crate) struct SessionSequences {
    /// Last value that nextval returned, by sequence.
    pub current: FxHashMap<Oid, i64>,
    /// The sequence of the last nextval.
    pub last: Option<Oid>,
}

impl Shared {
    /// What input and output of values depend on, as of now.
    pub(crate) fn settings(&self) -> Settings {
        self.guc.lock().derived().types.clone()
    }

    /// Microseconds since 2000.
    pub(crate) fn now_micros(&self) -> i64 {
        self.engine.clock().wall_millis() as i64 * 1000 - EPOCH_MICROS
    }

    /// This session as the owner of fences.
    pub(crate) fn fence_owner(&self) -> FenceOwner {
        FenceOwner {
            node: self.engine.node(),
            session: self.session_id,
            process_started: self.engine.started_millis(),
        }
    }

    /// The name of the schema that holds the session's temporary tables.
    pub(crate) fn temp_schema_name(&self) -> String {
        format!("pg_temp_{}_{}", self.engine.node().0, self.process_id)
    }
}
