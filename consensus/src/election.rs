//! The election timeout: random enough that replicas rarely campaign together, and yet the same
//! in every run from the same seed.

/// Draws the election timeouts of one replica.
#[derive(Debug)]
pub(crate) struct ElectionTimeout {
    state: u64,
    base: usize,
    ticks: usize,
}

impl ElectionTimeout {
    pub(crate) fn new(seed: u64, base: usize) -> ElectionTimeout {
        let mut timeout = ElectionTimeout { state: seed, base, ticks: base };
        timeout.redraw();
        timeout
    }

    /// Ticks of silence before the replica campaigns: in `[base, 2 * base)`.
    pub(crate) fn ticks(&self) -> usize {
        self.ticks
    }

    /// Draws the next one, after every change of role or term and every campaign.
    pub(crate) fn redraw(&mut self) {
        self.ticks = self.base + (self.next() % self.base as u64) as usize;
    }

    /// SplitMix64: passes every seed, needs eight bytes.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_stay_in_range_and_repeat_with_the_seed() {
        let draws = |seed| {
            let mut timeout = ElectionTimeout::new(seed, 10);
            (0..100)
                .map(|_| {
                    timeout.redraw();
                    timeout.ticks()
                })
                .collect::<Vec<_>>()
        };
        assert!(draws(7).iter().all(|t| (10..20).contains(t)));
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
    }
}
