use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::from_yaml(text, Path::new("/data")).map_err(|error| error.to_string())
}

fn variables(pairs: &[(&str, &str)]) -> Result<Config, String> {
    let owned: Vec<_> = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Config::load(None, Path::new("/data"), &owned).map_err(|error| error.to_string())
}

const REFERENCE: &str = r"
catalog:
  backend: !object_store
  warehouse: file:///data/warehouse/
  properties: {}
storage:
  backend: !filesystem { root_path: /data }
queue:
  common: { base_path: 'file:///data/queue/', channel_capacity: 1024, max_row_group_size: 8192 }
  write: { write_retries: 5, compression: zstd, records_per_flush_multiplier: 1, max_bytes_per_flush: 67108864, flush_interval_ms: 200 }
  read: { metadata_entries_cache_capacity: 2048 }
shift:
  read:
    max_record_batches_per_task: 1024
    max_input_bytes_per_task: 67108864
    plan_segment_read_parallelism: 8
    shift_segment_read_parallelism: 8
  write: { row_group_size: 8192, max_file_size_mb: 64, table_cache_ttl_secs: 60 }
  jobsmanager: { worker_count: 4, poll_interval_ms: 1000, iteration_interval_millisecs: 30000 }
maintain:
  enabled: true
  interval_secs: 3600
  snapshot_retention_secs: 7200
  min_snapshots_to_keep: 10
  orphan_grace_secs: 259200
otlp_http: { enabled: true, host: 0.0.0.0, port: 4318 }
otlp_grpc: { enabled: true, host: 0.0.0.0, port: 4317 }
engine:
  batch_size: 8192
  target_partitions: 4
  catalog_name: iceberg
  refresh_interval_secs: 15
  max_age_secs: 30
  wal_query_enabled: true
  wal_metadata_size_hint: 65536
loki: { enabled: true, host: 0.0.0.0, port: 3100 }
prometheus: { enabled: true, host: 0.0.0.0, port: 9090 }
tempo: { enabled: true, host: 0.0.0.0, port: 3200 }
metrics: { enabled: false, host: 127.0.0.1, port: 9091, path: /metrics }
tracing: { enabled: true, service_name: icegate, otlp_endpoint: null, sample_ratio: 1.0 }
auth: { mode: header }
";

#[test]
fn every_key_of_the_reference_is_read_and_the_defaults_are_the_reference() {
    let given = parse(REFERENCE).unwrap();
    let default = parse("").unwrap();
    let comparable = |mut config: Config| {
        // Defaults that depend on the machine, or that say whether a user gave them.
        config.engine.target_partitions = 1;
        config.shift.jobsmanager.worker_count = 1;
        config.storage.backend = StorageBackend::Memory;
        format!("{config:?}")
    };
    assert_eq!(comparable(given), comparable(default));
}

#[test]
fn every_backend_is_read_in_each_spelling_and_what_is_wrong_with_it_is_named() {
    for (text, named) in [
        ("catalog: { backend: !rest { uri: ftp://n } }", "http://"),
        ("catalog: { backend: !glue { catalog_id: \"12\" } }", "12 digits"),
        ("catalog: { backend: !s3tables { table_bucket_arn: 'arn:aws:s3:::b' } }", "arn:aws:s3tables:REGION:ACCOUNT:bucket/NAME"),
        ("storage: { backend: !s3 { bucket: w, region: r, endpoint: 'm:9000' } }", "starts with http:// or https://"),
        ("storage: { backend: !s3 { bucket: 's3://w/', region: r } }", "name of a bucket, without s3://"),
        ("storage: { backend: !s3 { bucket: w, region: '' } }", "such as us-east-1"),
        ("storage: { backend: !s3 { region: r } }", "missing field `bucket`"),
        ("catalog: { warehouse: 'gs://w/' }", "allowed are s3, file and memory"),
        ("catalog: { backend: !nessie }", "unknown variant `nessie`"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(named), "{text}: {error}");
    }
    assert_eq!(
        parse("catalog: { backend: memory }\nstorage: { backend: !memory }").unwrap().catalog.warehouse,
        "memory:///warehouse/"
    );
    assert_eq!(parse("catalog: { backend: !memory , warehouse: /tmp/w }").unwrap().catalog.warehouse, "file:///tmp/w/");
    assert_eq!(parse("storage: { backend: !filesystem { root_path: /r } }").unwrap().queue.common.base_path, "file:///r/queue/");
    assert_eq!(parse("").unwrap().queue.common.base_path, "file:///data/queue/");
}

#[test]
fn places_lie_below_the_bucket_unless_they_are_configured() {
    let places = |text: &str| {
        let config = parse(text).unwrap();
        (config.catalog.warehouse, config.queue.common.base_path)
    };
    let both = |warehouse: &str, queue: &str| (warehouse.to_owned(), queue.to_owned());
    let s3 = "storage: { backend: !s3 { bucket: lake, region: eu-west-1, endpoint: http://m:9000 } }\n";
    assert_eq!(places(s3), both("s3://lake/warehouse/", "s3://lake/queue/"));
    let own = format!("{s3}queue: {{ common: {{ base_path: s3://queue/ }} }}\ncatalog: {{ warehouse: s3://tables/a/ }}");
    assert_eq!(places(&own), both("s3://tables/a/", "s3://queue/"));
    // Without a backend of its own, S3 is where the environment says.
    assert_eq!(places("catalog: { warehouse: s3://w/ }"), both("s3://w/", "file:///data/queue/"));
    let variables = variables(&[
        ("ICEGATE_STORAGE__BACKEND", "s3"),
        ("ICEGATE_STORAGE__BUCKET", "lake"),
        ("ICEGATE_STORAGE__REGION", "eu-west-1"),
    ]);
    assert_eq!(variables.unwrap().queue.common.base_path, "s3://lake/queue/");
}

#[test]
fn an_error_names_the_key_the_value_and_what_is_allowed() {
    for (text, named) in [
        ("queue: { write: { flush_intervall_ms: 5 } }", vec!["queue.write", "flush_intervall_ms", "flush_interval_ms"]),
        ("otlp_http: { port: many }", vec!["otlp_http.port", "many"]),
        ("otlp_http: { port: 70000 }", vec!["otlp_http.port", "70000"]),
        ("lokki: { port: 1 }", vec!["lokki", "loki"]),
        ("queue: { write: { compression: lzo } }", vec!["queue.write.compression", "lzo", "zstd"]),
        ("queue: { write: { compression: zip } }", vec!["queue.write.compression", "zip", "zstd"]),
        ("loki: { port: 4318 }", vec!["4318", "loki", "otlp_http"]),
        ("engine: { max_age_secs: 1 }", vec!["engine.max_age_secs", "engine.refresh_interval_secs", "15"]),
        ("shift: { grace_secs: 60 }", vec!["shift.grace_secs", "loki.query_timeout_secs"]),
        ("maintain: { snapshot_retention_secs: 60 }", vec!["maintain.snapshot_retention_secs", "loki.query_timeout_secs"]),
        ("maintain: { orphan_grace_secs: 7199 }", vec!["maintain.orphan_grace_secs", "7199", "7200"]),
        ("maintain: { min_snapshots_to_keep: 0 }", vec!["maintain.min_snapshots_to_keep", "1"]),
        ("maintain: { interval_secs: 0 }", vec!["maintain.interval_secs", "1"]),
        ("maintain: { every: 1 }", vec!["maintain", "every", "interval_secs"]),
        ("tracing: { sample_ratio: 2 }", vec!["tracing.sample_ratio", "0 to 1"]),
        ("engine: { batch_size: 0 }", vec!["engine.batch_size", "1 to"]),
        ("a: [", vec!["line 2"]),
        ("[1]", vec!["mapping"]),
    ] {
        let error = parse(text).unwrap_err();
        assert!(named.iter().all(|word| error.contains(word)), "{text}: {error}");
    }
}

#[test]
fn servers_on_different_addresses_may_share_a_port() {
    assert!(parse("loki: { host: 127.0.0.1, port: 4318 }\notlp_http: { host: 127.0.0.2 }").is_ok());
    assert!(parse("loki: { enabled: false, port: 4318 }").is_ok());
}

#[test]
fn variables_override_single_keys_and_enums_have_their_fields_beside_them() {
    let config = variables(&[
        ("ICEGATE_CONFIG", "loki: { port: 3101, host: 127.0.0.1 }"),
        ("ICEGATE_LOKI__PORT", "3102"),
        ("ICEGATE_TRACING__SERVICE_NAME", "123"),
        ("ICEGATE_STORAGE__BACKEND", "filesystem"),
        ("ICEGATE_STORAGE__ROOT_PATH", "/r"),
        ("ICEGATE_UNRELATED", "x"),
        ("HOME", "/root"),
    ])
    .unwrap();
    assert_eq!((config.loki.port, config.loki.host.as_str()), (3102, "127.0.0.1"));
    assert_eq!(config.tracing.service_name, "123");
    assert_eq!(config.catalog.warehouse, "file:///r/warehouse/");
    let glue = variables(&[("ICEGATE_CATALOG__BACKEND", "glue"), ("ICEGATE_CATALOG__CATALOG_ID", "123456789012")]).unwrap();
    assert_eq!(glue.catalog.backend, CatalogBackend::Glue { catalog_id: Some("123456789012".to_owned()) });
    let unknown = variables(&[("ICEGATE_LOKI__PROT", "1")]).unwrap_err();
    assert!(unknown.contains("prot"), "{unknown}");
    let wrong = variables(&[("ICEGATE_LOKI__PORT", "many")]).unwrap_err();
    assert!(wrong.contains("ICEGATE_LOKI__PORT") && wrong.contains("loki.port"), "{wrong}");
}

#[test]
fn a_file_is_read_by_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path), Path::new("/data"), &[]).map_err(|error| error.to_string())
    };
    assert_eq!(
        write("a.toml", "[loki]\nport = 3101\n[storage.backend.filesystem]\nroot_path = \"/r\"\n").unwrap().loki.port,
        3101
    );
    assert_eq!(write("a.yml", "loki: { port: 3101 }").unwrap().loki.port, 3101);
    assert!(write("a.json", "{}").unwrap_err().contains(".yaml"));
    assert!(write("b.toml", "loki = 1").unwrap_err().contains("b.toml"));
    let missing = Config::load(Some(Path::new("/nowhere/x.yaml")), Path::new("/data"), &[]).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/x.yaml"), "{missing}");
}

#[test]
fn a_secret_does_not_print() {
    let text = "shift: { jobsmanager: { storage: { bucket: jobs, secret_access_key: hunter2 } } }";
    let config: Config = serde_path_to_error::deserialize(read::yaml("test", text).unwrap()).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.shift.jobsmanager.storage.unwrap().secret_access_key.unwrap().reveal(), "hunter2");
}

#[test]
fn a_list_may_be_a_text_with_commas_as_in_a_variable() {
    use super::PrometheusFeature::{PromqlBinopFillModifiers, UseStartTimestamps};
    let features = |text| variables(&[("ICEGATE_PROMETHEUS__FEATURES", text)]).map(|config| config.prometheus.features);
    let both = vec![PromqlBinopFillModifiers, UseStartTimestamps];
    assert_eq!(features("promql-binop-fill-modifiers, use-start-timestamps").unwrap(), both);
    assert_eq!(
        parse("prometheus: { features: [promql-binop-fill-modifiers, use-start-timestamps] }").unwrap().prometheus.features,
        both
    );
    assert_eq!(features("").unwrap(), Vec::new());
    for error in [features("use-start-timestamps,all").unwrap_err(), features("5").unwrap_err()] {
        assert!(error.contains("prometheus.features"), "{error}");
    }
}

#[test]
fn variables_may_come_in_any_order_and_a_variant_needs_only_its_required_fields() {
    let config = variables(&[("ICEGATE_STORAGE__ROOT_PATH", "/r"), ("ICEGATE_STORAGE__BACKEND", "filesystem")]).unwrap();
    assert_eq!(config.catalog.warehouse, "file:///r/warehouse/");
    let glue = variables(&[("ICEGATE_CATALOG__BACKEND", "glue")]).unwrap();
    assert_eq!(glue.catalog.backend, CatalogBackend::Glue { catalog_id: None });
    assert_eq!(parse("storage: { backend: !filesystem }").unwrap().catalog.warehouse, "file:///data/warehouse/");
    let rest = parse("catalog: { backend: rest }").unwrap_err();
    assert!(rest.contains("missing field `uri`"), "{rest}");
    let alone = variables(&[("ICEGATE_STORAGE__ROOT_PATH", "/r")]).unwrap_err();
    assert!(alone.contains("ICEGATE_STORAGE__ROOT_PATH"), "{alone}");
}

#[test]
fn a_document_in_a_variable_may_be_one_line_of_json() {
    assert_eq!(variables(&[("ICEGATE_CONFIG", r#"{"loki":{"port":3101}}"#)]).unwrap().loki.port, 3101);
    assert_eq!(variables(&[("ICEGATE_CONFIG", "")]).unwrap().loki.port, 3100);
}

#[test]
fn folders_become_urls_that_storage_can_open() {
    let warehouse = |folder: &str| Config::from_yaml("", Path::new(folder)).map(|config| config.catalog.warehouse);
    assert_eq!(warehouse("/a/../b").unwrap(), "file:///b/warehouse/");
    assert_eq!(warehouse("/a b").unwrap(), "file:///a b/warehouse/");
    assert!(warehouse("/a%20b").unwrap_err().to_string().contains('%'));
}

#[test]
fn a_metrics_path_that_a_router_would_read_as_a_pattern_is_refused() {
    for path in ["metrics", "/{x", "/:x", "/{*rest}"] {
        let error = parse(&format!("metrics: {{ path: '{path}' }}")).unwrap_err();
        assert!(error.contains("metrics.path") && error.contains(path), "{error}");
    }
}

#[test]
fn a_secret_of_the_wrong_type_is_refused_without_being_shown() {
    let error = parse("shift: { jobsmanager: { storage: { bucket: b, secret_access_key: 987654321 } } }").unwrap_err();
    assert!(error.contains("secret_access_key") && !error.contains("987654321"), "{error}");
}

#[test]
fn a_catalog_on_a_server_is_given_its_warehouse_as_it_is_written() {
    for warehouse in ["s3://warehouse/", "warehouse", ""] {
        let text = format!("catalog: {{ backend: !rest {{ uri: http://nessie:19120/iceberg }}, warehouse: '{warehouse}' }}");
        let catalog = parse(&text).unwrap().catalog;
        assert_eq!((catalog.place(), catalog.warehouse.as_str()), (None, warehouse));
    }
    let arn = "arn:aws:s3tables:us-east-1:123456789012:bucket/my-tables";
    let text = format!("catalog: {{ backend: !s3tables {{ table_bucket_arn: '{arn}' }}, warehouse: s3://warehouse/ }}");
    assert_eq!(parse(&text).unwrap().catalog.place(), None);
    let elsewhere = parse(&format!("{text}\nstorage: {{ backend: !s3 {{ bucket: b, region: eu-west-1 }} }}")).unwrap_err();
    assert!(elsewhere.contains("table_bucket_arn") && elsewhere.contains("eu-west-1"), "{elsewhere}");
    let glue = parse("catalog: { backend: !glue , warehouse: s3://warehouse/ }").unwrap().catalog;
    assert_eq!(glue.place(), Some("s3://warehouse/"));
}

#[test]
fn properties_of_a_catalog_are_known_ones_and_do_not_print() {
    let rest =
        |properties: &str| parse(&format!("catalog: {{ backend: !rest {{ uri: http://n }}, properties: {{ {properties} }} }}"));
    let config = rest("prefix: main, token: hunter2, header.X-Team: blue").unwrap();
    assert_eq!(config.catalog.property("token"), Some("hunter2"));
    assert!(!format!("{config:?}").contains("hunter2"));
    rest("credential: 'id:secret', oauth2-server-uri: 'https://a/token', scope: lake").unwrap();
    for (properties, named) in [
        ("warehouse: w", "catalog.properties.warehouse"),
        ("header.: w", "catalog.properties.header."),
        ("token: t, credential: c", "exclude each other"),
        ("scope: s", "catalog.properties.scope"),
        ("credential: c, oauth2-server-uri: a", "catalog.properties.oauth2-server-uri"),
    ] {
        let error = rest(properties).unwrap_err();
        assert!(error.contains(named), "{properties}: {error}");
    }
    for (text, named) in [
        ("catalog: { properties: { prefix: main } }", "catalog.properties.prefix"),
        ("catalog: { backend: !glue , properties: { token: t } }", "allowed are region and endpoint"),
        ("catalog: { backend: !glue , properties: { endpoint: t } }", "starts with http:// or https://"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn a_tenants_own_bounds_stand_in_place_of_those_of_all() {
    let config = parse(
        "loki: { max_query_series: 50, max_query_length: 30d1h, max_query_bytes_read: 1000,
                 overrides: { team-a: { max_query_length: 0, max_query_range: 1h, max_query_series: 7 } } }",
    )
    .unwrap();
    let (all, own) = (&config.loki, config.loki.with(&config.loki.overrides["team-a"]));
    assert_eq!((all.max_query_series, own.max_query_series), (50, 7));
    assert_eq!((all.max_query_length.get().map(|bound| bound.as_secs()), own.max_query_length.get()), (Some(2_595_600), None));
    assert_eq!((all.max_query_range.get(), own.max_query_range.get().map(|bound| bound.as_secs())), (None, Some(3_600)));
    assert_eq!((all.max_query_bytes_read, own.max_query_bytes_read), (1_000, 1_000));
}

#[test]
fn bounds_that_are_nonsense_are_named_with_the_tenant() {
    for (text, parts) in [
        ("loki: { max_query_length: 5 }", vec!["loki.max_query_length", "5: allowed are 0 and durations such as 721h"]),
        ("loki: { max_query_range: 1.5h }", vec!["loki.max_query_range", "\"1.5h\": allowed are 0 and durations"]),
        ("loki: { max_query_bytes_read: -1 }", vec!["loki.max_query_bytes_read"]),
        ("loki: { max_query_series: 0 }", vec!["loki.max_query_series: 0: allowed are 1 to 1048576"]),
        ("loki: { overrides: { a: { max_query_series: 0 } } }", vec!["loki.overrides.a.max_query_series: 0: allowed are 1 to"]),
        ("loki: { overrides: { a: { port: 1 } } }", vec!["loki.overrides.a", "unknown field `port`", "max_query_series"]),
        ("loki: { overrides: { a/b: {} } }", vec!["loki.overrides: invalid tenant id \"a/b\""]),
        (
            "loki: { overrides: { a: { query_timeout_secs: 100000 } } }",
            vec!["shift.grace_secs", "is not more than loki.overrides.a.query_timeout_secs, 100000"],
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
    }
}

const JWT: &str = "issuer: https://idp/, audience: icegate, jwks_url: https://idp/keys";

#[test]
fn credentials_are_read_in_each_form() {
    let keys = parse("auth: { mode: api_keys, keys: [{ id: a }] }").unwrap().auth.keys.unwrap();
    assert_eq!((keys.address(), keys.text("keys").as_str()), (None, r#"{"keys":[{"id":"a"}]}"#));
    let whole = parse("auth: { mode: api_keys, keys: { keys: [] } }").unwrap().auth.keys.unwrap();
    assert_eq!(whole.text("keys"), r#"{"keys":[]}"#);
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys";
    let elsewhere = variables(&[("ICEGATE_AUTH__MODE", "api_keys"), ("ICEGATE_AUTH__KEYS", arn)]).unwrap().auth;
    assert_eq!((elsewhere.keys.unwrap().address(), elsewhere.refresh_secs), (Some(arn), 30));
    let jwt = parse(&format!("auth: {{ mode: jwt, jwt: {{ {JWT}, algorithms: [ES256, EdDSA] }} }}")).unwrap().auth.jwt.unwrap();
    assert_eq!((jwt.audience.as_slice(), jwt.algorithms.len()), (&["icegate".to_owned()][..], 2));
    assert_eq!((jwt.tenants.claim.as_str(), jwt.scopes.claim.as_str()), ("tenants", "scope"));
    assert_eq!((jwt.leeway_secs, jwt.refresh_secs), (30, 300));
    let from_variables = variables(&[
        ("ICEGATE_AUTH__MODE", "jwt"),
        ("ICEGATE_AUTH__JWT__ISSUER", "https://idp/"),
        ("ICEGATE_AUTH__JWT__AUDIENCE", "a, b"),
        ("ICEGATE_AUTH__JWT__ALGORITHMS", "RS256,EdDSA"),
        ("ICEGATE_AUTH__JWT__JWKS_FILE", "/etc/jwks.json"),
        ("ICEGATE_AUTH__JWT__LEEWAY_SECS", "5"),
    ]);
    let jwt = from_variables.unwrap().auth.jwt.unwrap();
    assert_eq!((jwt.audience.len(), jwt.algorithms.len(), jwt.leeway_secs), (2, 2, 5));
}

#[test]
fn credentials_that_would_not_be_looked_at_or_that_are_unsafe_are_refused() {
    let jwt = |more: &str| format!("auth: {{ mode: jwt, jwt: {{ {more} }} }}");
    for (text, named) in [
        ("auth: { mode: api_keys }".to_owned(), "auth.mode: api_keys needs either auth.keys or auth.keys_file"),
        ("auth: { mode: api_keys, keys: [], keys_file: a }".to_owned(), "needs either auth.keys or auth.keys_file"),
        ("auth: { mode: jwt }".to_owned(), "auth.mode: jwt needs auth.jwt"),
        ("auth: { mode: iam }".to_owned(), "auth.mode: iam needs auth.callers"),
        ("auth: { mode: basic }".to_owned(), "unknown variant `basic`"),
        ("auth: { keys: [] }".to_owned(), "auth.keys: has no effect with auth.mode header"),
        ("auth: { mode: authorizer, keys_file: a }".to_owned(), "auth.keys_file: has no effect with auth.mode authorizer"),
        ("auth: { mode: api_keys, keys: [], callers: [] }".to_owned(), "auth.callers: has no effect"),
        ("auth: { mode: api_keys, keys: 5 }".to_owned(), "auth.keys: invalid type"),
        ("auth: { mode: api_keys, keys: [], refresh_secs: 0 }".to_owned(), "auth.refresh_secs: 0: allowed are 1 to"),
        (jwt(&format!("{JWT}, algorithms: [HS256]")), "auth.jwt.algorithms: \"HS256\": allowed are RS256, ES256 and EdDSA"),
        (jwt(&format!("{JWT}, algorithms: [none]")), "\"none\": allowed are"),
        (jwt(&format!("{JWT}, algorithms: []")), "auth.jwt.algorithms: must not be empty"),
        (jwt(&format!("{JWT}, leeway_secs: 601")), "auth.jwt.leeway_secs: 601"),
        (jwt(&format!("{JWT}, jwks: {{ keys: [] }}")), "exactly one of jwks, jwks_file and jwks_url"),
        (jwt("issuer: i, audience: a"), "exactly one of jwks, jwks_file and jwks_url"),
        (jwt("issuer: i, audience: a, jwks_url: 'http://idp/keys'"), "auth.jwt.jwks_url: \"http://idp/keys\""),
        (jwt("issuer: i, audience: a, jwks_url: 'http://127.0.0.1.evil/keys'"), "auth.jwt.jwks_url"),
        (
            "auth: { mode: api_keys, keys: 'http://elsewhere/keys' }".to_owned(),
            "auth.keys: \"http://elsewhere/keys\": it starts with https",
        ),
        (jwt("issuer: '', audience: a, jwks_file: f"), "auth.jwt.issuer: must not be empty"),
        (jwt("issuer: i, audience: '', jwks_file: f"), "auth.jwt.audience: must not be empty"),
        (jwt(&format!("{JWT}, tenants: {{ claim: '' }}")), "auth.jwt.tenants.claim: must not be empty"),
        (jwt(&format!("{JWT}, tenants: {{ claim: g, values: {{ x: [a/b] }} }}")), "auth.jwt.tenants.values: invalid tenant id"),
        (jwt(&format!("{JWT}, scopes: {{ claim: g, values: {{ x: [admin] }} }}")), "auth.jwt.scopes.values: \"admin\""),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn documents_of_credentials_do_not_print() {
    let config = parse("auth: { mode: api_keys, keys: [{ hash: hunter2 }] }").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_hosts_own_defaults_lie_below_what_is_configured() {
    let load = |pairs: &[(&str, &str)]| {
        let owned: Vec<_> = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let defaults = "auth: { mode: authorizer }\nloki: { port: 1, query_timeout_secs: 2 }";
        Config::load_over(defaults, Path::new("/data"), &owned).unwrap()
    };
    let modes = |config: &Config| (config.auth.mode, config.loki.port, config.loki.query_timeout_secs);
    assert_eq!(modes(&load(&[])), (AuthMode::Authorizer, 1, 2));
    assert_eq!(modes(&load(&[("ICEGATE_CONFIG", "loki: { port: 3 }")])), (AuthMode::Authorizer, 3, 2));
    let over = [("ICEGATE_CONFIG", "auth: { mode: header }\nloki: { port: 3 }"), ("ICEGATE_LOKI__PORT", "4")];
    assert_eq!(modes(&load(&over)), (AuthMode::Header, 4, 2));
}
