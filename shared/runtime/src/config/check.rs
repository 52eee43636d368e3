use icegate_model::TenantId;

use super::{Config, MIN_ORPHAN_GRACE_SECS, StorageBackend, WalCompression};
use crate::ConfigError;

/// Longest time that anything may be configured to wait: a day and a bit more than any query.
pub(super) const MAX_SECONDS: u64 = 100 * 86_400;
/// Longest time that anything may be kept: ten years.
const MAX_RETENTION: u64 = 3_653 * 86_400;

impl Config {
    /// What types can't say: values that exclude each other, that make no sense, or that this build can't serve.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_backends()?;
        self.check_bounds()?;
        self.check_relations()?;
        self.metrics_generator.check()?;
        self.check_loki()?;
        if self.tempo.enabled {
            self.check_longest("tempo", self.tempo.query_timeout_secs)?;
        }
        self.check_prometheus()?;
        self.check_auth()?;
        self.check_servers()
    }

    fn check_backends(&self) -> Result<(), ConfigError> {
        self.check_catalog()?;
        self.check_storage()?;
        if self.catalog.cache.is_some() {
            return refuse("catalog.cache", "is not supported by this build: a read cache pays for remote storage only");
        }
        self.check_job_storage()
    }

    fn check_storage(&self) -> Result<(), ConfigError> {
        if let StorageBackend::S3 { bucket, region, endpoint } = &self.storage.backend {
            if bucket.is_empty() || bucket.contains('/') {
                return refuse("storage.backend.s3.bucket", format!("{bucket:?}: it is the name of a bucket, without s3://"));
            }
            if region.is_empty() {
                return refuse("storage.backend.s3.region", "\"\": it is the name of a region, such as us-east-1");
            }
            if let Some(endpoint) = endpoint.as_ref().filter(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
                return refuse("storage.backend.s3.endpoint", format!("{endpoint:?}: it starts with http:// or https://"));
            }
        }
        let warehouse = self.catalog.place().map(|url| ("catalog.warehouse", url));
        for (key, url) in warehouse.into_iter().chain([("queue.common.base_path", self.queue.common.base_path.as_str())]) {
            let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
            if !["s3", "file", "memory"].contains(&scheme) {
                return refuse(key, format!("{url:?}: scheme {scheme} is not supported, allowed are s3, file and memory"));
            }
        }
        Ok(())
    }

    fn check_job_storage(&self) -> Result<(), ConfigError> {
        let Some(storage) = &self.shift.jobsmanager.storage else { return Ok(()) };
        let key = |name: &str| format!("shift.jobsmanager.storage.{name}");
        if storage.bucket.is_empty() || storage.bucket.contains('/') {
            return refuse(&key("bucket"), format!("{:?}: it is the name of a bucket", storage.bucket));
        }
        if let Some((scheme, _)) = storage.endpoint.as_deref().and_then(|endpoint| endpoint.split_once("://")) {
            if scheme != "http" && scheme != "https" {
                return refuse(&key("endpoint"), format!("scheme {scheme}: allowed are http and https"));
            }
            if storage.use_ssl && scheme == "http" {
                return refuse(&key("use_ssl"), "true, but the endpoint starts with http://");
            }
        }
        if !(1..=600).contains(&storage.request_timeout_secs) {
            return refuse(&key("request_timeout_secs"), format!("{}: allowed are 1 to 600", storage.request_timeout_secs));
        }
        Ok(())
    }

    fn check_bounds(&self) -> Result<(), ConfigError> {
        if self.queue.write.compression == WalCompression::Lzo {
            return refuse(
                "queue.write.compression",
                "lzo can't be written, allowed are none, snappy, gzip, brotli, lz4 and zstd",
            );
        }
        const MAX_ROWS: usize = 1 << 20;
        const MAX_BYTES: usize = 1 << 40;
        for (key, value, most) in [
            ("queue.common.channel_capacity", self.queue.common.channel_capacity, MAX_ROWS),
            ("queue.common.max_row_group_size", self.queue.common.max_row_group_size, MAX_ROWS),
            ("queue.write.records_per_flush_multiplier", self.queue.write.records_per_flush_multiplier, MAX_ROWS),
            ("queue.write.max_bytes_per_flush", self.queue.write.max_bytes_per_flush, MAX_BYTES),
            ("shift.read.max_record_batches_per_task", self.shift.read.max_record_batches_per_task, MAX_ROWS),
            ("shift.read.max_input_bytes_per_task", self.shift.read.max_input_bytes_per_task, MAX_BYTES),
            ("shift.read.plan_segment_read_parallelism", self.shift.read.plan_segment_read_parallelism, 1024),
            ("shift.read.shift_segment_read_parallelism", self.shift.read.shift_segment_read_parallelism, 1024),
            ("shift.write.row_group_size", self.shift.write.row_group_size, MAX_ROWS),
            ("shift.write.max_file_size_mb", self.shift.write.max_file_size_mb, 1 << 16),
            ("shift.jobsmanager.worker_count", self.shift.jobsmanager.worker_count, 1024),
            ("maintain.min_snapshots_to_keep", self.maintain.min_snapshots_to_keep, MAX_ROWS),
            ("engine.batch_size", self.engine.batch_size, MAX_ROWS),
            ("engine.target_partitions", self.engine.target_partitions, 1024),
            ("engine.memory_size_mb", self.engine.memory_size_mb, 1 << 20),
            ("otlp_http.max_body_bytes", self.otlp_http.max_body_bytes, MAX_BYTES),
            ("otlp_http.max_decoded_bytes", self.otlp_http.max_decoded_bytes, MAX_BYTES),
            ("otlp_http.max_record_bytes", self.otlp_http.max_record_bytes, MAX_BYTES),
            ("otlp_http.max_concurrent_requests", self.otlp_http.max_concurrent_requests, MAX_ROWS),
            ("loki.max_concurrent_queries", self.loki.max_concurrent_queries, MAX_ROWS),
            ("tempo.max_concurrent_queries", self.tempo.max_concurrent_queries, MAX_ROWS),
            ("tempo.max_spans_per_span_set", self.tempo.max_spans_per_span_set, MAX_ROWS),
            ("tempo.max_trace_bytes", self.tempo.max_trace_bytes, MAX_BYTES),
            ("prometheus.max_concurrent_queries", self.prometheus.max_concurrent_queries, MAX_ROWS),
            ("prometheus.max_samples", self.prometheus.max_samples, MAX_BYTES),
        ] {
            if !(1..=most).contains(&value) {
                return refuse(key, format!("{value}: allowed are 1 to {most}"));
            }
        }
        for (key, value, most) in [
            ("queue.write.flush_interval_ms", self.queue.write.flush_interval_ms, 60_000),
            ("queue.write.deadline_ms", self.queue.write.deadline_ms, 600_000),
            ("shift.jobsmanager.poll_interval_ms", self.shift.jobsmanager.poll_interval_ms, MAX_SECONDS * 1000),
            (
                "shift.jobsmanager.iteration_interval_millisecs",
                self.shift.jobsmanager.iteration_interval_millisecs,
                MAX_SECONDS * 1000,
            ),
            ("shift.jobsmanager.lease_secs", self.shift.jobsmanager.lease_secs, MAX_SECONDS),
            ("shift.grace_secs", self.shift.grace_secs, MAX_SECONDS),
            ("maintain.interval_secs", self.maintain.interval_secs, MAX_SECONDS),
            ("maintain.snapshot_retention_secs", self.maintain.snapshot_retention_secs, MAX_RETENTION),
            ("maintain.orphan_grace_secs", self.maintain.orphan_grace_secs, MAX_RETENTION),
            ("engine.max_age_secs", self.engine.max_age_secs, MAX_SECONDS),
            ("tempo.query_timeout_secs", self.tempo.query_timeout_secs, MAX_SECONDS),
            ("tempo.trace_reach_secs", self.tempo.trace_reach_secs, MAX_RETENTION),
            ("prometheus.query_timeout_secs", self.prometheus.query_timeout_secs, MAX_SECONDS),
            ("prometheus.lookback_secs", self.prometheus.lookback_secs, MAX_SECONDS),
        ] {
            if !(1..=most).contains(&value) {
                return refuse(key, format!("{value}: allowed are 1 to {most}"));
            }
        }
        if !(0.0..=1.0).contains(&self.tracing.sample_ratio) {
            return refuse("tracing.sample_ratio", format!("{}: allowed are 0 to 1", self.tracing.sample_ratio));
        }
        // Braces and colons mean captures to the router, which panics on those that it can't read.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
        if !self.metrics.path.starts_with('/') || !self.metrics.path.bytes().all(plain) {
            return refuse(
                "metrics.path",
                format!("{:?}: it starts with / and holds A-Z a-z 0-9 / - _ . ~ only", self.metrics.path),
            );
        }
        Ok(())
    }

    /// The bounds of all tenants, and those of tenants that have their own.
    fn check_loki(&self) -> Result<(), ConfigError> {
        const MAX_ROWS: u64 = 1 << 20;
        for tenant in self.loki.overrides.keys() {
            tenant.parse::<TenantId>().map_err(|error| ConfigError::value("loki.overrides", error.to_string()))?;
        }
        for (path, loki) in self.loki.sets() {
            for (key, value, least, most) in [
                ("query_timeout_secs", loki.query_timeout_secs, 1, MAX_SECONDS),
                ("max_entries_limit_per_query", loki.max_entries_limit_per_query as u64, 1, MAX_ROWS),
                ("max_query_series", loki.max_query_series as u64, 1, MAX_ROWS),
                ("max_concurrent_queries_per_tenant", loki.max_concurrent_queries_per_tenant as u64, 0, MAX_ROWS),
                ("max_concurrent_tail_requests", loki.max_concurrent_tail_requests as u64, 0, MAX_ROWS),
            ] {
                if !(least..=most).contains(&value) {
                    return refuse(&format!("{path}.{key}"), format!("{value}: allowed are {least} to {most}"));
                }
            }
            self.check_longest(&path, loki.query_timeout_secs)?;
        }
        Ok(())
    }

    fn check_prometheus(&self) -> Result<(), ConfigError> {
        let otlp = &self.prometheus.otlp;
        if otlp.promote_all_resource_attributes && !otlp.promote_resource_attributes.is_empty() {
            let key = "prometheus.otlp.promote_resource_attributes";
            return refuse(key, "promote_all_resource_attributes is true: all are promoted already");
        }
        if !otlp.promote_all_resource_attributes && !otlp.ignore_resource_attributes.is_empty() {
            let key = "prometheus.otlp.ignore_resource_attributes";
            return refuse(key, "only means something where promote_all_resource_attributes is true");
        }
        if self.prometheus.enabled {
            self.check_longest("prometheus", self.prometheus.query_timeout_secs)?;
        }
        Ok(())
    }

    /// What a query reads is there until it ends.
    fn check_longest(&self, path: &str, longest: u64) -> Result<(), ConfigError> {
        let grace = self.shift.grace_secs;
        if grace <= longest {
            return refuse("shift.grace_secs", format!("{grace} is not more than {path}.query_timeout_secs, {longest}"));
        }
        let (retention, planned) = (self.maintain.snapshot_retention_secs, longest + self.engine.max_age_secs);
        if retention <= planned {
            return refuse(
                "maintain.snapshot_retention_secs",
                format!("{retention} is not more than {path}.query_timeout_secs and engine.max_age_secs, {planned}"),
            );
        }
        Ok(())
    }

    fn check_relations(&self) -> Result<(), ConfigError> {
        let (refresh, max_age) = (self.engine.refresh_interval_secs, self.engine.max_age_secs);
        if max_age < refresh {
            return refuse("engine.max_age_secs", format!("{max_age} is less than engine.refresh_interval_secs, {refresh}"));
        }
        let orphan_grace = self.maintain.orphan_grace_secs;
        if orphan_grace < MIN_ORPHAN_GRACE_SECS {
            return refuse(
                "maintain.orphan_grace_secs",
                format!("{orphan_grace}: allowed are {MIN_ORPHAN_GRACE_SECS} and more, twice what a commit may take"),
            );
        }
        Ok(())
    }

    fn check_servers(&self) -> Result<(), ConfigError> {
        let servers = [
            ("otlp_http", self.otlp_http.enabled, &self.otlp_http.host, self.otlp_http.port),
            ("otlp_grpc", self.otlp_grpc.enabled, &self.otlp_grpc.host, self.otlp_grpc.port),
            ("loki", self.loki.enabled, &self.loki.host, self.loki.port),
            ("prometheus", self.prometheus.enabled, &self.prometheus.host, self.prometheus.port),
            ("tempo", self.tempo.enabled, &self.tempo.host, self.tempo.port),
            ("metrics", self.metrics.enabled, &self.metrics.host, self.metrics.port),
        ];
        let enabled: Vec<_> = servers.into_iter().filter(|(_, enabled, ..)| *enabled).collect();
        for (index, (name, _, host, port)) in enabled.iter().enumerate() {
            for (other, _, other_host, other_port) in &enabled[..index] {
                let any = |host: &str| host == "0.0.0.0" || host == "::";
                if port == other_port && (host == other_host || any(host) || any(other_host)) {
                    return refuse(&format!("{name}.port"), format!("{port} is also the port of {other}"));
                }
            }
        }
        Ok(())
    }
}

pub(super) fn refuse<T>(path: &str, message: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError::value(path, message))
}
