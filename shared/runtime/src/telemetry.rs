use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::Tracing;

/// Names the collector where the configuration doesn't.
const ENDPOINT_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The process's own logs and traces, from [`Telemetry::start`] to [`Telemetry::finish`].
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// Why the process can't log or trace.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `RUST_LOG` isn't a filter.
    #[error("invalid RUST_LOG: {0}")]
    Filter(#[from] tracing_subscriber::filter::FromEnvError),
    /// The exporter of traces can't be built.
    #[error("can't export traces to {endpoint}: {source}")]
    Exporter {
        /// Where to.
        endpoint: String,
        /// Why.
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// Somebody else logs already.
    #[error("can't start logging: {0}")]
    Taken(#[from] tracing_subscriber::util::TryInitError),
}

impl Telemetry {
    /// Logs to standard error, as text on a terminal and as JSON lines elsewhere, filtered by `RUST_LOG` (default `info`); exports
    /// traces by OTLP where an endpoint is configured. Has to be called on a tokio runtime.
    ///
    /// # Errors
    /// [`TelemetryError`].
    pub fn start(tracing: &Tracing) -> Result<Self, TelemetryError> {
        let filter =
            EnvFilter::builder().with_default_directive(tracing_subscriber::filter::LevelFilter::INFO.into()).from_env()?;
        let terminal = std::io::stderr().is_terminal();
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = if terminal { lines.boxed() } else { lines.json().flatten_event(true).boxed() };
        let provider = provider(tracing)?;
        let spans = provider.as_ref().map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("icegate")));
        tracing_subscriber::registry().with(filter).with(lines).with(spans).try_init()?;
        Ok(Self { provider })
    }

    /// Sends the traces that wait.
    pub fn finish(self) {
        if let Some(Err(error)) = self.provider.map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last traces were not exported");
        }
    }
}

fn provider(tracing: &Tracing) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    let from_environment = || std::env::var(ENDPOINT_VARIABLE).ok().filter(|endpoint| !endpoint.is_empty());
    let Some(endpoint) = tracing.otlp_endpoint.clone().or_else(from_environment).filter(|_| tracing.enabled) else {
        return Ok(None);
    };
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(&endpoint).build();
    let exporter = exporter.map_err(|source| TelemetryError::Exporter { endpoint, source })?;
    let resource = Resource::builder().with_service_name(tracing.service_name.clone()).build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(tracing.sample_ratio)));
    Ok(Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).with_sampler(sampler).build()))
}
