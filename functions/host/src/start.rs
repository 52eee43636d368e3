use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use icegate_runtime::Config;

use crate::{HostError, Settings, log, secrets};

/// Where data lies when nothing else is configured: for trying functions out.
const DATA_DIR: &str = "data";
/// What a function assumes that the process doesn't: a gateway stands before it.
const DEFAULTS: &str = "auth: { mode: authorizer }";

/// What a function starts with.
#[derive(Debug)]
pub struct Start {
    /// From the environment; its secrets are read, its bounds fit into the function's memory.
    pub config: Config,
    /// Of the function itself.
    pub settings: Settings,
    /// The variables, with secrets in place of their ARNs.
    pub variables: Vec<(String, String)>,
    began: Instant,
}

impl Start {
    /// How long the function has been starting.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// A function's `main`: starts logging, reads the configuration and runs `function` until Lambda ends it. An error ends the process,
/// which Lambda reports as a failed start.
pub fn main<E: Into<Box<dyn std::error::Error + Send + Sync>>>(function: impl AsyncFnOnce(Start) -> Result<(), E>) -> ExitCode {
    let began = Instant::now();
    let ended = log::start().and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.map_err(|source| HostError::System { source })
    });
    let ended = match ended {
        Ok(runtime) => runtime.block_on(async {
            let start = start(began).await?;
            function(start).await.map_err(Into::into)
        }),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function ends");
            ExitCode::FAILURE
        }
    }
}

async fn start(began: Instant) -> Result<Start, Box<dyn std::error::Error + Send + Sync>> {
    let variables = std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    let variables = secrets::resolve(variables.collect()).await?;
    let settings = Settings::from_variables(&variables)?;
    let mut config = Config::load_over(DEFAULTS, Path::new(DATA_DIR), &variables)?;
    settings.check_places(&config)?;
    settings.bound(&mut config);
    Ok(Start { config, settings, variables, began })
}
