use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::send::random::{Random, index};

/// A service of the shop.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: &'static str,
    language: &'static str,
    version: &'static str,
    /// Method and route of what it serves.
    pub(super) routes: [(&'static str, &'static str); 3],
    /// What it does inside of a request.
    pub(super) operation: &'static str,
    /// What it asks for it.
    pub(super) peer: &'static str,
}

const fn service(
    (name, language, version): (&'static str, &'static str, &'static str),
    routes: [(&'static str, &'static str); 3],
    (operation, peer): (&'static str, &'static str),
) -> Service {
    Service { name, language, version, routes, operation, peer }
}

/// Services of the shop.
pub(super) static SERVICES: [Service; 8] = [
    service(
        ("frontend", "nodejs", "3.14.0"),
        [("GET", "/"), ("GET", "/products/{id}"), ("POST", "/search")],
        ("render page", "catalog"),
    ),
    service(
        ("cart", "dotnet", "1.9.2"),
        [("GET", "/cart/{user}"), ("POST", "/cart/{user}/items"), ("DELETE", "/cart/{user}/items/{id}")],
        ("HGETALL cart", "redis"),
    ),
    service(
        ("checkout", "go", "2.0.7"),
        [("POST", "/checkout"), ("GET", "/checkout/{id}"), ("POST", "/checkout/{id}/confirm")],
        ("place order", "payment"),
    ),
    service(
        ("catalog", "go", "2.3.1"),
        [("GET", "/products"), ("GET", "/products/{id}"), ("GET", "/categories/{id}")],
        ("SELECT products", "postgresql"),
    ),
    service(
        ("payment", "java", "5.1.0"),
        [("POST", "/charges"), ("GET", "/charges/{id}"), ("POST", "/refunds")],
        ("authorize card", "bank-gateway"),
    ),
    service(
        ("shipping", "rust", "0.8.4"),
        [("POST", "/quotes"), ("POST", "/shipments"), ("GET", "/shipments/{id}")],
        ("find carrier", "carrier-api"),
    ),
    service(
        ("recommendation", "python", "1.2.9"),
        [("GET", "/recommendations"), ("GET", "/recommendations/{id}"), ("POST", "/feedback")],
        ("rank candidates", "feature-store"),
    ),
    service(
        ("email", "ruby", "0.5.3"),
        [("POST", "/messages"), ("GET", "/messages/{id}"), ("POST", "/templates")],
        ("deliver message", "smtp"),
    ),
];

/// Pods of each service.
pub(super) const PODS: u64 = 4;
/// Nodes that the pods run on.
const NODES: u64 = 3;

/// The service with such an index, which counts on from the first after the last.
pub(super) fn service_at(number: u64) -> &'static Service {
    &SERVICES[index(number % SERVICES.len() as u64)]
}

/// A pod of a service.
pub(super) fn resource(service: &Service, pod: u64) -> Resource {
    let pod = pod % PODS;
    // The names don't change with the seed: runs of different seeds add to the same streams and series.
    let hash = service.name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let name = format!("{}-{:08x}-{pod}", service.name, hash);
    let node = (u64::from(hash) + pod) % NODES;
    let attributes = vec![
        text("service.name", service.name),
        text("service.namespace", "shop"),
        text("service.version", service.version),
        text("service.instance.id", name.clone()),
        text("deployment.environment.name", "production"),
        text("k8s.namespace.name", "shop"),
        text("k8s.pod.name", name),
        text("k8s.node.name", format!("node-{node}")),
        text("host.name", format!("node-{node}")),
        text("cloud.region", "eu-central-1"),
        text("telemetry.sdk.name", "opentelemetry"),
        text("telemetry.sdk.language", service.language),
    ];
    Resource { attributes, ..Resource::default() }
}

/// The library that says it all.
pub(super) fn scope(name: &str) -> InstrumentationScope {
    InstrumentationScope { name: name.to_owned(), version: "1.4.0".to_owned(), ..InstrumentationScope::default() }
}

/// A request to a service and how it went.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) service: &'static Service,
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    /// The route with its parameters filled in.
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) micros: u64,
    pub(super) bytes: u64,
    pub(super) user: u64,
}

impl Exchange {
    /// Nineteen of twenty go well, a few fail by the client, fewer by the server.
    pub(super) fn draw(service: &'static Service, random: &mut Random) -> Self {
        let (method, route) = random.pick(&service.routes);
        let status = match random.below(200) {
            0..=2 => random.pick(&[500, 502, 503, 504]),
            3..=12 => random.pick(&[400, 401, 404, 404, 409, 429]),
            _ if method == "POST" => random.pick(&[200, 201, 202]),
            _ => 200,
        };
        let user = random.between(1_000, 100_000);
        let path = route.replace("{user}", &user.to_string()).replace("{id}", &format!("{:x}", random.below(1 << 32)));
        // Most are fast, one in twenty isn't, and a failing server takes its time.
        let slow = if random.below(20) == 0 || status >= 500 { 50 } else { 1 };
        let micros = random.between(300, 30_000) * slow;
        Self { service, method, route, path, status, micros, bytes: random.between(120, 48_000), user }
    }

    pub(super) fn millis(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "minutes of microseconds fit")]
        let micros = self.micros as f64;
        micros / 1_000.0
    }

    /// By the names of OpenTelemetry's HTTP conventions, each in its type.
    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        vec![
            text("http.request.method", self.method),
            text("http.route", self.route),
            text("url.path", self.path.clone()),
            int("http.response.status_code", self.status.into()),
            int("http.response.body.size", i64::try_from(self.bytes).unwrap_or(i64::MAX)),
            double("duration_ms", self.millis()),
            text("user.id", self.user.to_string()),
        ]
    }
}

pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    pair(key, Value::StringValue(value.into()))
}

pub(super) fn int(key: &str, value: i64) -> KeyValue {
    pair(key, Value::IntValue(value))
}

pub(super) fn double(key: &str, value: f64) -> KeyValue {
    pair(key, Value::DoubleValue(value))
}

pub(super) fn boolean(key: &str, value: bool) -> KeyValue {
    pair(key, Value::BoolValue(value))
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
