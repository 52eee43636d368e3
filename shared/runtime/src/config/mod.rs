//! The keys that users write, as types. Nesting, names and defaults are the configuration reference's; every key may be left out.

mod auth;
mod catalog;
mod check;
mod environment;
mod loki;
mod maintain;
mod metrics_generator;
mod prometheus;
mod read;
mod sections;
mod servers;

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

pub use auth::{Auth, AuthMode, ClaimMap, Document, JwtAlgorithm, JwtAuth};
pub use loki::{ErrorFormat, LimitDuration, Loki, LokiOverrides};
pub use maintain::{MIN_ORPHAN_GRACE_SECS, Maintain};
pub use metrics_generator::{
    DimensionMappingOptions, GeneratorOptions, GeneratorProcessor, IntrinsicDimensionsOptions, MetricsGenerator,
    MetricsGeneratorOverrides, ServiceGraphsOptions, SpanMetricsOptions,
};
pub use prometheus::{Prometheus, PrometheusFeature, PrometheusOtlp, TranslationStrategy};
pub use sections::{
    Cache, Catalog, CatalogBackend, Engine, JobStateCodec, JobStorage, JobsManager, Prefetch, Queue, QueueCommon, QueueRead,
    QueueWrite, Shift, ShiftRead, ShiftWrite, Storage, StorageBackend, WalCompression,
};
pub use servers::{Metrics, OtlpGrpc, OtlpHttp, Tempo, Tracing};

use crate::ConfigError;

/// Everything that can be configured.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the tables are and who knows their newest metadata.
    pub catalog: Catalog,
    /// The object storage.
    pub storage: Storage,
    /// The WAL.
    pub queue: Queue,
    /// From the WAL to the tables.
    pub shift: Shift,
    /// Metrics made of spans.
    pub metrics_generator: MetricsGenerator,
    /// Old snapshots, orphans.
    pub maintain: Maintain,
    /// The OTLP receiver over HTTP.
    pub otlp_http: OtlpHttp,
    /// The OTLP receiver over gRPC.
    pub otlp_grpc: OtlpGrpc,
    /// Reading.
    pub engine: Engine,
    /// The Loki API.
    pub loki: Loki,
    /// The Prometheus API.
    pub prometheus: Prometheus,
    /// The Tempo API.
    pub tempo: Tempo,
    /// The process's own metrics.
    pub metrics: Metrics,
    /// The process's own traces.
    pub tracing: Tracing,
    /// Who may do what.
    pub auth: Auth,
}

impl Config {
    /// Reads a file (YAML or TOML by its ending), else the document or path in `ICEGATE_CONFIG`, else nothing; then the variables
    /// `ICEGATE_SECTION__KEY`. What isn't given has its default; data lies under `data_dir` where no place is given.
    ///
    /// # Errors
    /// [`ConfigError`], for the first key that can't be used.
    pub fn load(file: Option<&Path>, data_dir: &Path, variables: &[(String, String)]) -> Result<Self, ConfigError> {
        let (source, document) = read::document(file, variables)?;
        Self::of(&source, document, data_dir, variables)
    }

    /// The same without a file, for a host whose defaults are others: what isn't configured is as the YAML text `defaults` says.
    ///
    /// # Errors
    /// [`ConfigError`], for the first key that can't be used.
    pub fn load_over(defaults: &str, data_dir: &Path, variables: &[(String, String)]) -> Result<Self, ConfigError> {
        let (source, document) = read::document(None, variables)?;
        let document = read::over(read::yaml("defaults", defaults)?, document);
        Self::of(&source, document, data_dir, variables)
    }

    fn of(source: &str, document: Value, data_dir: &Path, variables: &[(String, String)]) -> Result<Self, ConfigError> {
        let mut config = environment::deserialize(source, document, variables)?;
        config.place(data_dir)?;
        config.check()?;
        Ok(config)
    }

    /// The same from YAML text, without variables.
    ///
    /// # Errors
    /// [`ConfigError`], for the first key that can't be used.
    pub fn from_yaml(text: &str, data_dir: &Path) -> Result<Self, ConfigError> {
        Self::of("configuration", read::yaml("configuration", text)?, data_dir, &[])
    }

    /// Gives every place that isn't configured one below the storage's root.
    fn place(&mut self, data_dir: &Path) -> Result<(), ConfigError> {
        let below_root = |key, name: &str| match &self.storage.backend {
            StorageBackend::S3 { bucket, .. } => Ok(format!("s3://{bucket}/{name}/")),
            StorageBackend::Memory => Ok(format!("memory:///{name}/")),
            StorageBackend::Filesystem { root_path } => file_url(key, &root_path.as_deref().unwrap_or(data_dir).join(name)),
        };
        let warehouse = self.catalog.place().is_some().then_some(&mut self.catalog.warehouse);
        let places = [
            warehouse.map(|warehouse| ("catalog.warehouse", warehouse, "warehouse")),
            Some(("queue.common.base_path", &mut self.queue.common.base_path, "queue")),
        ];
        for (key, place, name) in places.into_iter().flatten() {
            *place = match place.as_str() {
                "" => below_root(key, name)?,
                url if url.contains("://") => url.to_owned(),
                path => file_url(key, Path::new(path))?,
            };
        }
        Ok(())
    }
}

fn file_url(key: &str, path: &Path) -> Result<String, ConfigError> {
    let absolute =
        std::path::absolute(path).map_err(|error| ConfigError::value(key, format!("{} is no path: {error}", path.display())))?;
    let plain = absolute.components().fold(PathBuf::new(), |mut plain, component| {
        // `..` has no place in a URL of storage; it is resolved as a shell does, by name.
        if component == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(component);
        }
        plain
    });
    let text = plain.to_str().ok_or_else(|| ConfigError::value(key, format!("{} is not UTF-8", plain.display())))?;
    if text.contains('%') {
        return Err(ConfigError::value(
            key,
            format!("{text} holds a %, which storage URLs read as an escape: choose another folder"),
        ));
    }
    Ok(format!("file://{}/", text.trim_end_matches('/')))
}

#[cfg(test)]
mod tests;
