//! The binary: sockets, threads, settings, metrics, HTTP and the command line. It wires the crates
//! together and holds no rule of its own about data.

#![expect(
    clippy::disallowed_methods,
    reason = "the binary is where time, chance, threads and sockets enter"
)]

mod admin;
mod bench;
mod cli;
mod demo;
mod exit;
mod http;
mod metrics;
mod node;
mod observe;
mod pg;
mod settings;
mod signals;
mod start;

use clap::Parser;
use clap::error::ErrorKind;
use cli::{Cli, Command};
use std::process::ExitCode;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long background tasks get to end.
const SHUTDOWN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start threads: {error}")),
    };
    let outcome = runtime.block_on(async {
        match &cli.command {
            Command::Start(args) => start::run(args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Status(args) => admin::status(args).await,
            Command::Cluster(args) => admin::cluster(args).await,
            Command::Bench(args) => bench::run(args).await,
        }
    });
    // Background tasks hold the store: they go before the process does, or the store's own threads
    // would meet a process that is half gone.
    runtime.shutdown_timeout(SHUTDOWN);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure.to_string()),
    }
}

/// The exit code of a command line that is not understood.
const USAGE: u8 = 2;

/// Help and version are printed as asked for; a wrong flag gets one line.
fn misused(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        _ => {
            exit::complain(&exit::first_paragraph(&error.to_string()));
            ExitCode::from(USAGE)
        }
    }
}

fn fail(line: &str) -> ExitCode {
    exit::complain(line);
    ExitCode::FAILURE
}
