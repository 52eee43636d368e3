use std::process::ExitCode;

use icegate_auth::AuthError;
use icegate_lake::LakeError;
use icegate_maintain::MaintainError;
use icegate_model::{ErrorKind, Table};
use icegate_queries::EngineError;
use icegate_runtime::{ConfigError, TelemetryError};
use icegate_tables::TablesError;
use icegate_wal::WalError;

use crate::send::SendError;

/// Why the process ends other than by being stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error("auth: {0}")]
    Auth(#[from] AuthError),
    #[error("can't draw random bytes for a key: {0}")]
    Random(getrandom::Error),
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error(transparent)]
    Tables(#[from] TablesError),
    #[error("{}", failures(failed))]
    Maintain { failed: Vec<(Table, MaintainError)> },
    #[error(transparent)]
    Wal(#[from] WalError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("{server}: can't listen on {address}: {source}")]
    Listen { server: &'static str, address: String, source: std::io::Error },
    #[error("{server} ended: {message}")]
    Served { server: &'static str, message: String },
    #[error("can't describe the gRPC services: {message}")]
    Reflection { message: String },
    #[error("can't take signals: {source}")]
    Signals { source: std::io::Error },
    #[error("can't start threads: {source}")]
    Runtime { source: std::io::Error },
    #[error("can't write to standard output: {source}")]
    Output { source: std::io::Error },
    #[error(transparent)]
    Send(#[from] SendError),
}

impl ProcessError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(error) => error.kind(),
            Self::Auth(error) => error.kind(),
            Self::Random(_) => ErrorKind::Internal,
            Self::Telemetry(_) => ErrorKind::Invalid,
            Self::Lake(error) => error.kind(),
            Self::Tables(error) => error.kind(),
            Self::Maintain { failed } => failed.first().map_or(ErrorKind::Internal, |(_, error)| error.kind()),
            Self::Wal(error) => error.kind(),
            Self::Engine(error) => error.kind(),
            Self::Listen { .. } => ErrorKind::Unavailable,
            Self::Send(error) => error.kind(),
            Self::Served { .. } | Self::Reflection { .. } | Self::Signals { .. } | Self::Runtime { .. } | Self::Output { .. } => {
                ErrorKind::Internal
            }
        }
    }

    /// 2 for what the user can mend in the configuration or the command, 1 for everything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind() {
            ErrorKind::Invalid | ErrorKind::Unsupported => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

fn failures(failed: &[(Table, MaintainError)]) -> String {
    let texts: Vec<_> = failed.iter().map(|(table, error)| format!("{table}: {error}")).collect();
    texts.join("; ")
}
