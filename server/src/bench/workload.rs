//! The statements of each workload and the numbers they are run with.

use crate::cli::Workload;
use rand::Rng;

/// Rows of the key-value table.
pub(super) const ROWS: i32 = 10_000;
/// Accounts, tellers and branches of the banking tables.
pub(super) const ACCOUNTS: i32 = 10_000;
pub(super) const TELLERS: i32 = 100;
pub(super) const BRANCHES: i32 = 10;

/// Of ten requests of the mixed workload, this many are reads.
const READS_IN_TEN: u32 = 8;

/// Statements, prepared once a connection, in the order in which [`Request`] counts on them.
pub(super) fn statements(workload: Workload) -> &'static [&'static str] {
    match workload {
        Workload::Read | Workload::Mixed => &[
            "SELECT value FROM sharddb_bench WHERE id = $1",
            "UPDATE sharddb_bench SET value = $2 WHERE id = $1",
        ],
        Workload::Tpcb => &[
            "UPDATE sharddb_bench_accounts SET balance = balance + $2 WHERE id = $1",
            "SELECT balance FROM sharddb_bench_accounts WHERE id = $1",
            "UPDATE sharddb_bench_tellers SET balance = balance + $2 WHERE id = $1",
            "UPDATE sharddb_bench_branches SET balance = balance + $2 WHERE id = $1",
            "INSERT INTO sharddb_bench_history (teller, branch, account, delta, at) \
             VALUES ($1, $2, $3, $4, now())",
        ],
    }
}

/// One request with its numbers drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Read { id: i32 },
    Update { id: i32, value: u64 },
    Transfer { account: i32, teller: i32, branch: i32, delta: i64 },
}

impl Request {
    pub(super) fn draw(workload: Workload, random: &mut impl Rng) -> Request {
        let id = random.random_range(1..=ROWS);
        match workload {
            Workload::Read => Request::Read { id },
            Workload::Mixed if random.random_range(0..10) < READS_IN_TEN => Request::Read { id },
            Workload::Mixed => Request::Update { id, value: random.random() },
            Workload::Tpcb => Request::Transfer {
                account: random.random_range(1..=ACCOUNTS),
                teller: random.random_range(1..=TELLERS),
                branch: random.random_range(1..=BRANCHES),
                delta: random.random_range(-5_000..=5_000),
            },
        }
    }
}
