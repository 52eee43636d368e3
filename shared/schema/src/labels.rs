use std::borrow::Cow;

/// The `service_name` of rows whose resource has no service name.
pub const UNKNOWN_SERVICE: &str = "unknown_service";

/// The resource attributes that are Loki stream labels, under their [`label_name`].
pub const STREAM_RESOURCE_ATTRIBUTES: [&str; 18] = [
    "service.name",
    "service.namespace",
    "service.instance.id",
    "deployment.environment",
    "deployment.environment.name",
    "cloud.region",
    "cloud.availability_zone",
    "k8s.cluster.name",
    "k8s.namespace.name",
    "k8s.pod.name",
    "k8s.container.name",
    "container.name",
    "k8s.replicaset.name",
    "k8s.deployment.name",
    "k8s.statefulset.name",
    "k8s.daemonset.name",
    "k8s.cronjob.name",
    "k8s.job.name",
];

/// Stream labels that name the service of a stream without `service_name`, first found first.
pub const SERVICE_LABELS: [&str; 13] = [
    "service",
    "app",
    "application",
    "app_name",
    "name",
    "app_kubernetes_io_name",
    "container",
    "container_name",
    "k8s_container_name",
    "component",
    "workload",
    "job",
    "k8s_job_name",
];

/// Names of labels, and of members of a line, that hold a level, first found first.
pub const LEVEL_LABELS: [&str; 14] = [
    "level",
    "LEVEL",
    "Level",
    "log.level",
    "severity",
    "SEVERITY",
    "Severity",
    "SeverityText",
    "lvl",
    "LVL",
    "Lvl",
    "severity_text",
    "Severity_Text",
    "SEVERITY_TEXT",
];

/// The name that an attribute has as a Loki label: every character outside `[A-Za-z0-9_]` becomes `_`, runs of `_` collapse,
/// a leading digit gets the prefix `key_`; `__name__` style names stay as they are.
///
/// ```
/// assert_eq!(icegate_schema::label_name("service.name"), "service_name");
/// assert_eq!(icegate_schema::label_name("1st.try"), "key_1st_try");
/// assert_eq!(icegate_schema::label_name("a--b"), "a_b");
/// ```
#[must_use]
pub fn label_name(attribute: &str) -> Cow<'_, str> {
    let dunder = attribute.len() > 4 && attribute.starts_with("__") && attribute.ends_with("__");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let starts_with_digit = attribute.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if !starts_with_digit && attribute.bytes().all(plain) && (dunder || !attribute.contains("__")) {
        return Cow::Borrowed(attribute);
    }
    let mut name = String::with_capacity(attribute.len() + 4);
    if starts_with_digit {
        name.push_str("key_");
    }
    for char in attribute.chars() {
        if char.is_ascii_alphanumeric() {
            name.push(char);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::label_name;

    #[test]
    fn names_follow_lokis_rules() {
        for (attribute, label) in [
            ("service_name", "service_name"),
            ("http.request.header.x-id", "http_request_header_x_id"),
            ("a..b", "a_b"),
            ("a__b", "a_b"),
            ("__error__", "__error__"),
            ("zürich", "z_rich"),
            ("9", "key_9"),
            ("", ""),
        ] {
            assert_eq!(label_name(attribute), label, "{attribute:?}");
        }
    }
}
