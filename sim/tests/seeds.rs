//! Many seeds: `SIM_SEEDS` of them from `SIM_FIRST` on, or the one named by `SIM_SEED`.

use sim::{Disks, Outcome};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds of a run that names none.
const SEEDS: u64 = 100;

/// Every so many seeds one is run twice.
const REPEATED: u64 = 20;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs a seed, some of them twice: is the second run the same?
fn run(seed: u64) -> (Outcome, bool) {
    let outcome = sim::run(seed);
    let is_repeatable = !seed.is_multiple_of(REPEATED) || sim::run(seed) == outcome;
    (outcome, is_repeatable)
}

/// Runs the seeds on all cores; panics inside a run count as violations.
fn failures(first: u64, count: u64) -> (Vec<(u64, Vec<String>)>, BTreeMap<String, u64>) {
    let next = AtomicU64::new(first);
    let failed = Mutex::new(Vec::new());
    let tally = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let violations = match std::panic::catch_unwind(|| run(seed)) {
                        Ok((outcome, is_repeatable)) => {
                            let mut tally = tally.lock().expect("no worker panics");
                            for ((what, how), times) in outcome.tally {
                                *tally.entry(format!("{what} {how}")).or_default() += times;
                            }
                            let differs = (!is_repeatable).then(|| "differs when repeated".into());
                            outcome.violations.into_iter().chain(differs).collect()
                        }
                        Err(_) => vec!["panicked".to_owned()],
                    };
                    if !violations.is_empty() {
                        eprintln!("seed {seed}: {violations:#?}");
                        failed.lock().expect("no worker panics").push((seed, violations));
                    }
                }
            });
        }
    });
    (failed.into_inner().expect("workers are done"), tally.into_inner().expect("workers are done"))
}

#[test]
fn seeds() {
    let (first, count) = match number("SIM_SEED") {
        Some(seed) => (seed, 1),
        None => (number("SIM_FIRST").unwrap_or(1), number("SIM_SEEDS").unwrap_or(SEEDS)),
    };
    let (failed, tally) = failures(first, count);
    eprintln!("{tally:#?}");
    let seeds: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
    assert!(failed.is_empty(), "seeds that failed, to be replayed with SIM_SEED: {seeds:?}");
    if count == 1 {
        return;
    }
    for what in ["transfer", "audit", "increment", "read", "insert", "find", "duty"] {
        let done = tally.get(&format!("{what} done")).copied().unwrap_or_default();
        assert!(done > count * 10, "only {done} of {what} were done");
    }
}

#[test]
fn the_same_seed_makes_the_same_run() {
    let seed = number("SIM_SEED").unwrap_or(5);
    assert_eq!(sim::run(seed), sim::run(seed));
}

/// The checks can fail: acknowledged writes that no disk has kept do not go unnoticed.
#[test]
fn disks_that_lie_are_found_out() {
    let is_found_out = |seed| {
        let run = std::panic::catch_unwind(|| sim::run_on(seed, Disks::Lying));
        run.map_or(true, |outcome| !outcome.violations.is_empty())
    };
    assert!((1..=5).any(is_found_out));
}
