//! `sharddb bench`: a number of connections each run one request after the other for a while; then
//! throughput, latencies and errors are printed. Works against any PostgreSQL-compatible server.

mod client;
mod report;
mod tables;
mod workload;

use crate::cli::{BenchArgs, Workload};
use crate::exit::{Failure, say};
use client::Client;
use report::Report;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What the connections have done so far, for the progress lines.
#[derive(Debug, Default)]
struct Progress {
    requests: AtomicU64,
    errors: AtomicU64,
}

/// Runs the benchmark and prints its outcome.
pub(crate) async fn run(args: &BenchArgs) -> Result<(), Failure> {
    let url: Arc<str> = args.url.as_str().into();
    tables::prepare(&url, args.workload).await?;
    // All connections stand before the clock starts.
    let mut clients = Vec::new();
    for _ in 0..args.concurrency {
        clients.push(Client::connect(&url, args.workload).await?);
    }
    say(&format!("{} clients, workload {}", args.concurrency, name(args.workload)));
    let duration = Duration::from_secs(args.duration);
    let (start, progress) = (Instant::now(), Arc::new(Progress::default()));
    let workers: Vec<_> = clients
        .into_iter()
        .map(|client| tokio::spawn(work(client, start + duration, progress.clone())))
        .collect();
    show_progress(start, args.duration, &progress).await;
    let mut report = Report::new();
    for worker in workers {
        let part = worker.await.map_err(|error| Failure::new(format!("a client died: {error}")))?;
        report.merge(&part);
    }
    say(&report.render(start.elapsed()));
    match report.requests() {
        0 => Err(Failure::new("no request succeeded")),
        _ => Ok(()),
    }
}

fn name(workload: Workload) -> &'static str {
    match workload {
        Workload::Mixed => "mixed",
        Workload::Read => "read",
        Workload::Tpcb => "tpcb",
    }
}

/// One connection's life: requests until the end, reconnecting when it must.
async fn work(mut client: Client, end: Instant, progress: Arc<Progress>) -> Report {
    let mut report = Report::new();
    while Instant::now() < end {
        let start = Instant::now();
        match client.request().await {
            Ok(()) => {
                report.success(start.elapsed());
                progress.requests.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                report.error(&error);
                progress.errors.fetch_add(1, Ordering::Relaxed);
                client.recover(end).await;
            }
        }
    }
    report
}

/// A line every second.
async fn show_progress(start: Instant, seconds: u64, progress: &Progress) {
    let mut before = 0;
    for second in 1..=seconds {
        tokio::time::sleep_until(start + Duration::from_secs(second)).await;
        let requests = progress.requests.load(Ordering::Relaxed);
        let errors = progress.errors.load(Ordering::Relaxed);
        say(&format!("{second:>4} s  {:>8} requests/s  {errors} errors", requests - before));
        before = requests;
    }
}
