//! Threads that compete for latches: writers exclude each other, and everybody comes through.

use super::*;
use base::Span;
use futures::executor::block_on;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

const KEYS: usize = 4;
const THREADS: u64 = 4;
const ROUNDS: u64 = 5_000;

fn key(place: usize) -> Key {
    Key::copy_from(&[b'a' + place as u8])
}

/// Counts the writers inside each key's latch.
#[derive(Default)]
struct Inside([AtomicU64; KEYS]);

impl Inside {
    fn visit(&self, places: &[usize]) {
        for place in places {
            assert_eq!(self.0[*place].fetch_add(1, Ordering::SeqCst), 0, "two writers at once");
        }
        thread::yield_now();
        for place in places {
            self.0[*place].fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn compete(sequencer: &Arc<Sequencer>, inside: &Inside, thread: u64) {
    for round in 0..ROUNDS {
        let mix = (round * THREADS + thread).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let (a, b) = (mix as usize % KEYS, (mix >> 4) as usize % KEYS);
        let at = Timestamp(round + 1);
        match mix >> 8 & 3 {
            0 => block_on(sequencer.read(Touch::keys(&[key(a)]), at, None)),
            1 => {
                let span = Span::new(key(a.min(b)), key(a.max(b)).after());
                let places: Vec<usize> = (a.min(b)..=a.max(b)).collect();
                let latch = block_on(sequencer.write(Touch::spans(&[span]), at));
                inside.visit(&places);
                drop(latch);
            }
            2 => {
                // Gives up waiting, if it has to wait at all.
                let span = [Span::new(key(0), Key::max())];
                let waiting = sequencer.write(Touch::spans(&span), at);
                let mut waiting = Box::pin(waiting);
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                drop(waiting.as_mut().poll(&mut context));
            }
            _ => {
                let latch = block_on(sequencer.write(Touch::keys(&[key(a)]), at));
                inside.visit(&[a]);
                drop(latch);
            }
        }
    }
}

#[test]
fn writers_exclude_each_other_and_all_come_through() {
    let sequencer = Sequencer::new(Timestamp::ZERO, 1 << 16);
    let inside = Inside::default();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (sequencer, inside) = (&sequencer, &inside);
            scope.spawn(move || compete(sequencer, inside, thread));
        }
    });
    assert!(sequencer.state.lock().latches.is_empty());
    // Every read has left its trace.
    let floor = sequencer.floor([&key(0)], None);
    assert!(floor > Timestamp::ZERO && floor <= Timestamp(ROUNDS));
}
