use std::collections::BTreeMap;

use super::{Metric, Translation, unit};

/// Attributes of a resource that `job` and `instance` are made of.
const IDENTIFYING: [&str; 3] = ["service.namespace", "service.name", "service.instance.id"];
const NAME: &str = "__name__";

/// Where the labels of a point come from. Attributes without a value are left out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts<'a> {
    pub(crate) attributes: &'a [(&'a str, &'a str)],
    pub(crate) resource: &'a [(&'a str, &'a str)],
    pub(crate) scope_name: &'a str,
    pub(crate) scope_version: &'a str,
    pub(crate) scope_schema_url: &'a str,
    pub(crate) scope_attributes: &'a [(&'a str, &'a str)],
    /// Whether points are differences, whose type Prometheus doesn't know.
    pub(crate) is_delta: bool,
}

/// The labels that all series of a point have but the name.
pub(crate) fn labels(translation: &Translation, metric: &Metric<'_>, parts: &Parts<'_>) -> BTreeMap<String, String> {
    if metric.is_written() {
        return verbatim(parts.attributes);
    }
    let mut labels = joined(translation, parts.attributes.iter().filter(|(key, _)| *key != NAME).copied());
    for (key, value) in parts.resource.iter().filter(|(key, _)| translation.promotion.takes(key)) {
        labels.entry(label_name(translation, key)).or_insert_with(|| (*value).to_owned());
    }
    if translation.promote_scope && !parts.scope_name.is_empty() {
        let fixed = [
            ("otel_scope_name", parts.scope_name),
            ("otel_scope_version", parts.scope_version),
            ("otel_scope_schema_url", parts.scope_schema_url),
        ];
        labels.extend(
            fixed.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        for (key, value) in parts.scope_attributes {
            labels.insert(label_name(translation, &format!("otel_scope_{key}")), (*value).to_owned());
        }
    }
    if translation.type_and_unit_labels {
        if !parts.is_delta {
            labels.insert("__type__".to_owned(), metric.kind.prometheus().to_owned());
        }
        labels.insert("__unit__".to_owned(), unit(metric.unit));
    }
    labels.extend(identity(parts.resource));
    labels
}

/// The labels of `target_info` for a resource, the name included; `None` where it has none.
pub(crate) fn target_info(translation: &Translation, resource: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    let own = resource.iter().filter(|(key, _)| translation.keep_identifying || !IDENTIFYING.contains(key));
    let identity = identity(resource);
    let is_alone = resource.iter().all(|(key, _)| IDENTIFYING.contains(key));
    if identity.is_empty() || is_alone {
        return None;
    }
    let mut labels = joined(translation, own.copied());
    labels.extend(identity);
    labels.insert(NAME.to_owned(), "target_info".to_owned());
    Some(labels)
}

/// `job` and `instance`, as far as the resource says them.
fn identity(resource: &[(&str, &str)]) -> BTreeMap<String, String> {
    let of = |key: &str| resource.iter().find(|(own, _)| *own == key).map_or("", |(_, value)| *value);
    let (namespace, name, instance) = (of("service.namespace"), of("service.name"), of("service.instance.id"));
    let mut labels = BTreeMap::new();
    if !name.is_empty() {
        let job = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
        labels.insert("job".to_owned(), job);
    }
    if !instance.is_empty() {
        labels.insert("instance".to_owned(), instance.to_owned());
    }
    labels
}

/// Attributes as labels; values of keys that become the same label are joined, in order of the keys.
fn joined<'a>(translation: &Translation, attributes: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    let mut sorted: Vec<_> = attributes.filter(|(key, value)| !key.is_empty() && !value.is_empty()).collect();
    sorted.sort_by_key(|(key, _)| *key);
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in sorted {
        let joined = labels.entry(label_name(translation, key)).or_default();
        if !joined.is_empty() {
            joined.push(';');
        }
        joined.push_str(value);
    }
    labels
}

/// A label for an attribute's key.
pub(super) fn label_name(translation: &Translation, key: &str) -> String {
    if !translation.strategy.escapes() {
        return key.to_owned();
    }
    let mut name = String::with_capacity(key.len());
    for char in key.chars() {
        let char = if char.is_ascii_alphanumeric() { char } else { '_' };
        if char == '_' && name.ends_with('_') && !translation.preserve_underscores {
            continue;
        }
        name.push(char);
    }
    if name.starts_with(|char: char| char.is_ascii_digit()) {
        format!("key_{name}")
    } else if translation.sanitize_underscores && name.starts_with('_') && !name.starts_with("__") {
        format!("key{name}")
    } else {
        name
    }
}

fn verbatim(attributes: &[(&str, &str)]) -> BTreeMap<String, String> {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The labels of an exemplar that come from its attributes.
pub(crate) fn exemplar(translation: &Translation, metric: &Metric<'_>, attributes: &[(&str, &str)]) -> BTreeMap<String, String> {
    if metric.is_written() {
        return verbatim(attributes);
    }
    joined(translation, attributes.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::{Kind, Promotion, Strategy};

    const RESOURCE: [(&str, &str); 3] = [("service.name", "cart"), ("service.namespace", "shop"), ("host.name", "h1")];

    fn of(translation: &Translation, attributes: &[(&str, &str)]) -> Vec<(String, String)> {
        let metric = Metric { name: "a", unit: "s", kind: Kind::Gauge, written: "" };
        let parts = Parts { attributes, resource: &RESOURCE, scope_name: "lib", ..Parts::default() };
        labels(translation, &metric, &parts).into_iter().collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn attributes_that_become_one_label_are_joined_and_the_resource_says_the_job() {
        let attributes = [("a_b", "2"), ("a.b", "1"), ("1st", "d"), ("_x", "u"), ("__y", "v"), ("none", ""), ("job", "mine")];
        let expected = [("__y", "v"), ("a_b", "1;2"), ("job", "shop/cart"), ("key_1st", "d"), ("key_x", "u")];
        assert_eq!(of(&Translation::default(), &attributes), pairs(&expected));
        let kept = Translation { strategy: Strategy::NoTranslation, ..Translation::default() };
        assert_eq!(of(&kept, &[("a.b", "1"), ("a_b", "2")]), pairs(&[("a.b", "1"), ("a_b", "2"), ("job", "shop/cart")]));
    }

    #[test]
    fn labels_that_a_remote_write_gave_stay() {
        let metric = Metric { name: "a", unit: "s", kind: Kind::Gauge, written: "gauge" };
        let attributes = [("a.b", "1"), ("a_b", "2"), ("_x", "u"), ("service.name", "s")];
        let parts = Parts { attributes: &attributes, ..Parts::default() };
        let translation = Translation { type_and_unit_labels: true, ..Translation::default() };
        let found: Vec<_> = labels(&translation, &metric, &parts).into_iter().collect();
        assert_eq!(found, pairs(&[("_x", "u"), ("a.b", "1"), ("a_b", "2"), ("service.name", "s")]));
    }

    #[test]
    fn resource_and_scope_are_labels_where_they_are_promoted() {
        let translation = Translation {
            promotion: Promotion::AllBut(vec!["service.namespace".to_owned()]),
            promote_scope: true,
            type_and_unit_labels: true,
            ..Translation::default()
        };
        let expected = [
            ("__type__", "gauge"),
            ("__unit__", "seconds"),
            ("host_name", "h1"),
            ("job", "shop/cart"),
            ("otel_scope_name", "lib"),
            ("service_name", "cart"),
        ];
        assert_eq!(of(&translation, &[]), pairs(&expected));
        let only = Translation { promotion: Promotion::Only(vec!["host.name".to_owned()]), ..Translation::default() };
        assert_eq!(of(&only, &[]), pairs(&[("host_name", "h1"), ("job", "shop/cart")]));
    }

    #[test]
    fn a_resource_has_a_target_info_where_it_says_more_than_who_it_is() {
        let info = target_info(&Translation::default(), &RESOURCE).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(info, pairs(&[("__name__", "target_info"), ("host_name", "h1"), ("job", "shop/cart")]));
        assert_eq!(target_info(&Translation::default(), &RESOURCE[..2]), None);
        assert_eq!(target_info(&Translation::default(), &RESOURCE[2..]), None);
    }
}
