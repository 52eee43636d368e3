//! IceGate as one long-running process: every receiver, API and schedule in one binary.

mod auth;
mod bytes_codec;
mod cli;
mod error;
mod keys;
mod maintain;
mod migrate;
mod quarantine;
mod send;
mod serve;
mod version;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, ConfigCommand, KeysCommand, Maintain, Migrate, Part, Place, Quarantine};
use crate::error::ProcessError;

/// Threads for work that blocks (encoding, decoding, file system calls), for each CPU and at least. Each keeps memory of its own
/// for reuse. Four tables may be encoded at once while each waits for an upload that needs a thread too.
const BLOCKING_THREADS_PER_CPU: usize = 2;
const MIN_BLOCKING_THREADS: usize = 6;

fn main() -> ExitCode {
    let command = Cli::parse().command.unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let blocking = (cpus * BLOCKING_THREADS_PER_CPU).max(MIN_BLOCKING_THREADS);
    let runtime = match tokio::runtime::Builder::new_multi_thread().max_blocking_threads(blocking).enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => return failed(&ProcessError::Runtime { source }),
    };
    match runtime.block_on(run(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn run(command: Command) -> Result<(), ProcessError> {
    match command {
        Command::Run(place) => Box::pin(serve::run(&place, serve::Parts::ALL)).await,
        Command::Ingest(Part::Run(place)) => Box::pin(serve::run(&place, serve::Parts::INGEST)).await,
        Command::Query(Part::Run(place)) => Box::pin(serve::run(&place, serve::Parts::QUERY)).await,
        Command::Shift(Part::Run(place)) => Box::pin(serve::run(&place, serve::Parts::SHIFT)).await,
        Command::Maintain(Maintain::Quarantine(Quarantine::List(place))) => quarantine::list(&place).await,
        Command::Maintain(Maintain::Migrate(Migrate::Create(task))) => migrate::create(&task.place, task.dry_run).await,
        Command::Maintain(Maintain::Migrate(Migrate::Upgrade(task))) => migrate::upgrade(&task.place, task.dry_run).await,
        Command::Maintain(Maintain::Run(task)) => Box::pin(maintain::run(&task)).await,
        Command::Config(ConfigCommand::Check(place)) => check(&place).await,
        Command::Keys(KeysCommand::Create(key)) => keys::create(&key),
        Command::Keys(KeysCommand::Check(document)) => keys::check(&document),
        Command::Send(arguments) => Ok(Box::pin(send::run(arguments)).await?),
        Command::Version => print(&version::text()),
    }
}

async fn check(place: &Place) -> Result<(), ProcessError> {
    let config = place.config()?;
    icegate_lake::check(&config)?;
    auth::check(&config.auth).await?;
    print("the configuration is valid")
}

/// Writes a line for people or scripts to standard output.
fn print(line: &str) -> Result<(), ProcessError> {
    writeln!(std::io::stdout(), "{line}").map_err(|source| ProcessError::Output { source })
}

fn failed(error: &ProcessError) -> ExitCode {
    // The error goes to whoever started the process, also where logging has not begun.
    let _ = writeln!(std::io::stderr(), "icegate: {error}");
    error.exit_code()
}
