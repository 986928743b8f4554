//! What happened, as a fingerprint, and as lines for people who replay a seed.

/// Hashes everything; prints it if `SIM_TRACE` is set, with all requests if it is 2.
pub(crate) struct Trace {
    hash: u64,
    prints: bool,
    prints_details: bool,
}

impl Trace {
    pub(crate) fn new(seed: u64) -> Trace {
        let wanted = std::env::var("SIM_TRACE").ok();
        let mut trace = Trace {
            hash: 0xcbf2_9ce4_8422_2325,
            prints: wanted.is_some(),
            prints_details: wanted.is_some_and(|wanted| wanted == "2"),
        };
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
        self.content(what.as_bytes());
        if self.prints {
            eprintln!("{:>12.6} {what}", now as f64 / 1e9);
        }
    }

    /// Bytes have crossed the network.
    pub(crate) fn content(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    /// Something that only people who look for a cause want to see.
    pub(crate) fn detail(&self, now: u64, what: impl FnOnce() -> String) {
        if self.prints_details {
            eprintln!("{:>12.6}   {}", now as f64 / 1e9, what());
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    fn mix(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17);
    }
}
