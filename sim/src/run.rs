//! One run: a seed decides the cluster, the weather, the trouble and every step.

use crate::checks;
use crate::clients::Clients;
use crate::cluster::Cluster;
use crate::executor::{Executor, Owner};
use crate::nemesis::{self, Fault, Trouble};
use crate::network::Weather;
use crate::node::Disks;
use crate::workload::{bank, duty};
use parking_lot::Mutex;
use rand::Rng;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long the storm lasts.
const STORM: Duration = Duration::from_secs(25);
/// How long a cluster may take to form.
const BIRTH_MAX: Duration = Duration::from_secs(60);
/// How long clients may take to come to an end once all is well again: longer than any deadline.
const CLIENTS_MAX: Duration = Duration::from_secs(90);
/// How long the final checks may take.
const CHECKS_MAX: Duration = Duration::from_secs(300);
/// Concurrent clients.
const CLIENTS: u64 = 8;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The same for the same seed and code.
    pub trace_hash: u64,
    /// Empty if all went well.
    pub violations: Vec<String>,
    /// How often what ended how.
    pub tally: BTreeMap<(&'static str, &'static str), u64>,
}

/// Nodes of a cluster, and how many of them it is born on: one more, so that replicas can move.
const NODES: (u64, u64) = (4, 3);

/// Runs one seed.
pub fn run(seed: u64) -> Outcome {
    run_on(seed, Disks::Honest)
}

/// Runs one seed on disks of this kind.
pub fn run_on(seed: u64, disks: Disks) -> Outcome {
    let executor = Executor::new(seed);
    let (weather, mut trouble, log_entries_max) = climate(&executor);
    if disks == Disks::Lying {
        trouble.kinds = vec![Fault::PowerFailure];
    }
    executor.note(|| format!("seed {seed}: {weather:?} {trouble:?}, logs of {log_entries_max}"));
    let calm = Weather { loss: 0.0, slow: 0.0, zombie: 0.0 };
    let cluster = Cluster::start(&executor, NODES, calm, log_entries_max, disks);
    let clients = Clients::new(cluster.clone());
    if found(&clients) {
        cluster.network.set_weather(weather);
        (1..=CLIENTS).for_each(|number| clients.start(number));
        let storm = nemesis::run(clients.clone(), trouble);
        executor.spawn(Owner::OUTSIDE, Box::pin(storm));
        let end = executor.now() + STORM.as_nanos() as u64;
        executor.run_until(end);
        clients.is_over.store(true, Ordering::Relaxed);
        // The last fault repairs what it broke, at the latest.
        executor.run_until(end + Duration::from_secs(6).as_nanos() as u64);
        cluster.heal();
        finish(&clients);
    }
    let (violations, tally) =
        clients.model.with(|known| (known.violations.clone(), known.tally.clone()));
    Outcome { trace_hash: executor.trace_hash(), violations, tally }
}

/// What kind of world it is.
fn climate(executor: &Executor) -> (Weather, Trouble, u64) {
    executor.random(|rng| {
        let is_bad = rng.random_bool(0.5);
        let weather = Weather {
            loss: if is_bad { rng.random_range(0.0..0.05) } else { 0.0 },
            slow: if is_bad { rng.random_range(0.0..0.1) } else { 0.001 },
            zombie: if rng.random_bool(0.5) { 0.5 } else { 0.0 },
        };
        let kinds = Fault::ALL.into_iter().filter(|_| rng.random_bool(0.5)).collect();
        let pause = Duration::from_millis(rng.random_range(300..3_000));
        (weather, Trouble { pause, kinds }, rng.random_range(20..2_000))
    })
}

/// Waits until the cluster answers and fills the tables.
fn found(clients: &Clients) -> bool {
    let founding = clients.clone();
    let is_done = until_done(clients, BIRTH_MAX, async move {
        let world = founding.cluster.executor.clone();
        while !matches!(
            founding.through_some_node(|client| Box::pin(bank::open(client))).await,
            Some(Ok(()))
        ) {
            world.sleep(Duration::from_millis(100)).await;
        }
        while !matches!(
            founding.through_some_node(|client| Box::pin(duty::open(client))).await,
            Some(Ok(()))
        ) {
            world.sleep(Duration::from_millis(100)).await;
        }
    });
    if !is_done {
        clients.model.violation("no cluster has formed".into());
    }
    is_done
}

/// Lets the clients come to an end, then checks.
fn finish(clients: &Clients) {
    let waiting = clients.clone();
    let all_ended = until_done(clients, CLIENTS_MAX, async move {
        while waiting.running.load(Ordering::Relaxed) > 0 {
            waiting.cluster.executor.sleep(Duration::from_millis(50)).await;
        }
    });
    if !all_ended {
        let hanging = clients.running.load(Ordering::Relaxed);
        clients.model.violation(format!("{hanging} clients hang"));
    }
    if !until_done(clients, CHECKS_MAX, checks::run(clients.clone())) {
        clients.model.violation("the final checks hang".into());
    }
}

/// Runs the world until a task has ended; false when it takes too long.
fn until_done(
    clients: &Clients,
    limit: Duration,
    task: impl Future<Output = ()> + Send + 'static,
) -> bool {
    let executor = &clients.cluster.executor;
    let is_done = Arc::new(Mutex::new(false));
    let flag = is_done.clone();
    let task = async move {
        task.await;
        *flag.lock() = true;
    };
    executor.spawn(Owner::OUTSIDE, Box::pin(task));
    let deadline = executor.now() + limit.as_nanos() as u64;
    executor.run_while(|now| now < deadline && !*is_done.lock());
    *is_done.lock()
}
