//! Loki's view of a resource: its stream labels and the name of its service.

use std::borrow::Cow;

use icegate_schema::{SERVICE_LABELS, STREAM_RESOURCE_ATTRIBUTES, UNKNOWN_SERVICE, label_name};

use crate::group::ResourceText;
use crate::json;
use crate::level::Candidate;

/// The label that every stream has.
const SERVICE_NAME: &str = "service_name";

/// What the log rows of a resource have in common.
pub(crate) struct Stream {
    pub(crate) service_name: String,
    /// The stream labels as a JSON object with sorted keys.
    pub(crate) labels: String,
    /// The level that the labels tell, where it comes before the record's own.
    pub(crate) level: Option<Candidate<'static>>,
}

impl Stream {
    pub(crate) fn new(resource: &ResourceText<'_>) -> Self {
        let found = STREAM_RESOURCE_ATTRIBUTES.iter().filter_map(|key| Some((label_name(key), resource.attribute(key)?)));
        Self::of_labels(found.collect())
    }

    /// Of labels with values; of a repeated name the first counts.
    pub(crate) fn of_labels(mut labels: Vec<(Cow<'_, str>, &str)>) -> Self {
        labels.sort_by(|left, right| left.0.cmp(&right.0));
        labels.dedup_by(|later, first| later.0 == first.0);
        if let Err(place) = labels.binary_search_by(|(name, _)| name.as_ref().cmp(SERVICE_NAME)) {
            let service = SERVICE_LABELS.iter().find_map(|name| value(&labels, name)).unwrap_or(UNKNOWN_SERVICE);
            labels.insert(place, (Cow::Borrowed(SERVICE_NAME), service));
        }
        let service_name = value(&labels, SERVICE_NAME).unwrap_or(UNKNOWN_SERVICE).to_owned();
        Self { service_name, labels: object(&labels), level: None }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.service_name.len() + self.labels.len()
    }
}

fn value<'a>(labels: &[(Cow<'_, str>, &'a str)], name: &str) -> Option<&'a str> {
    labels.iter().find(|(label, _)| label == name).map(|(_, value)| *value)
}

fn object(labels: &[(Cow<'_, str>, &str)]) -> String {
    let mut object = String::from("{");
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            object.push(',');
        }
        json::text(&mut object, name);
        object.push(':');
        json::text(&mut object, value);
    }
    object.push('}');
    object
}
