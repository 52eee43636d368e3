use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use icegate_auth::{KeyId, Scope};
use icegate_model::TenantId;
use icegate_runtime::{Config, ConfigError};

use crate::send::SendArgs;

/// An observability data lake: OpenTelemetry in, Iceberg tables on your storage, Grafana's query APIs out.
#[derive(Debug, Parser)]
#[command(name = "icegate", disable_version_flag = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process (the default)
    Run(Place),
    /// OTLP receivers, and the shift unless shift.enabled is false
    #[command(subcommand)]
    Ingest(Part),
    /// The query APIs
    #[command(subcommand)]
    Query(Part),
    /// The shift alone, from the write-ahead log into the tables
    #[command(subcommand)]
    Shift(Part),
    /// Work on the tables: create, upgrade, clean up
    #[command(subcommand)]
    Maintain(Maintain),
    /// Work on the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Work on API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Generate telemetry, or replay a file of it, and measure the answers
    Send(SendArgs),
    /// Version, commit, build
    Version,
}

impl Default for Command {
    fn default() -> Self {
        Self::Run(Place::default())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// Run it until it is stopped
    Run(Place),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Maintain {
    /// Create the tables, or bring their schemas up to date
    #[command(subcommand)]
    Migrate(Migrate),
    /// Remove old snapshots and objects that nothing refers to, on a schedule until it is stopped
    Run(MaintainArgs),
    /// Segments that nobody can read
    #[command(subcommand)]
    Quarantine(Quarantine),
}

#[derive(Debug, Args)]
pub(crate) struct MaintainArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Once, with a line for each table
    #[arg(long)]
    pub(crate) once: bool,
    /// Only say what would be removed, once
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// Name them, one a line: table, segment, since when, why
    List(Place),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Create the tables that don't exist
    Create(MigrateArgs),
    /// Add the columns that the tables lack
    Upgrade(MigrateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with a configuration, without starting
    Check(Place),
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key: print it, once, and its entry for the document of keys
    Create(KeyArgs),
    /// Say what is wrong with a document of keys, or what its keys may do
    Check(KeysArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The key's name, which is no secret: A-Z a-z 0-9 -
    #[arg(long)]
    pub(crate) id: KeyId,
    /// A tenant that it may act for; the first is that of requests that name none
    #[arg(long = "tenant", required = true)]
    pub(crate) tenants: Vec<TenantId>,
    /// What it may do: read or write
    #[arg(long = "scope", required = true)]
    pub(crate) scopes: Vec<Scope>,
    /// When it starts to be valid, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<String>,
    /// When it is no longer valid
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
    /// What people should know about it
    #[arg(long)]
    pub(crate) note: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// The document, YAML or JSON
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Where the configuration and the data are.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// Configuration, YAML or TOML
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where data lies unless the configuration says so
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Place {
    /// The configuration: file, variables, defaults.
    pub(crate) fn config(&self) -> Result<Config, ConfigError> {
        const DEFAULT_DATA_DIR: &str = "data";
        let variables: Vec<_> =
            std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?))).collect();
        let data_dir = self.data_dir.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_DATA_DIR));
        Config::load(self.config.as_deref(), &data_dir, &variables)
    }
}
