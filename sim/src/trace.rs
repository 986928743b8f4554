//! What happened, as a fingerprint, and as lines for people who replay a seed.

use std::collections::VecDeque;

/// Lines that are kept for the report of a failure.
const LINES_KEPT: usize = 200;

/// Hashes everything; keeps or prints lines only when asked to by `SIM_TRACE`.
pub(crate) struct Trace {
    hash: u64,
    prints: bool,
    lines: VecDeque<String>,
}

impl Trace {
    pub(crate) fn new(seed: u64) -> Trace {
        let prints = std::env::var_os("SIM_TRACE").is_some();
        let mut trace = Trace { hash: 0xcbf2_9ce4_8422_2325, prints, lines: VecDeque::new() };
        trace.mix(seed);
        trace
    }

    /// A task was polled.
    pub(crate) fn step(&mut self, task: u64) {
        self.mix(task);
    }

    /// Something worth a line happened.
    pub(crate) fn note(&mut self, now: u64, what: impl FnOnce() -> String) {
        let what = what();
        self.mix(now);
        for chunk in what.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        if self.prints {
            eprintln!("{:>12.6} {what}", now as f64 / 1e9);
        }
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(what);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    fn mix(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17);
    }
}
