//! What all records of one resource and scope have in common, rendered once.

use std::collections::HashSet;

use icegate_schema::UNKNOWN_SERVICE;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::attributes::{Entries, Rendered};
use crate::check::{Cause, Scale};
use crate::value::Scratch;
use crate::{Limits, json};

/// A resource's columns.
pub(crate) struct ResourceText<'a> {
    pub(crate) schema_url: &'a str,
    pub(crate) list: Option<List>,
    pub(crate) dropped: u32,
    pub(crate) entity_refs: String,
    /// Why its records are refused.
    pub(crate) refused: Option<Cause>,
}

/// A scope's columns, and the merged view of resource and scope.
pub(crate) struct ScopeText<'a> {
    pub(crate) schema_url: &'a str,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) list: Option<List>,
    pub(crate) dropped: u32,
    /// Why its records are refused.
    pub(crate) refused: Option<Cause>,
    /// Attributes of the scope, and those of the resource whose keys the scope doesn't have.
    pub(crate) merged: Entries,
    merged_keys: HashSet<String>,
}

/// An attribute list that repeats in every row of its group.
pub(crate) struct List {
    pub(crate) values: Entries,
    pub(crate) types: Entries,
}

impl List {
    fn new(attributes: &[KeyValue], scratch: &mut Scratch) -> Self {
        let rendered = Rendered::new(attributes, scratch);
        Self { values: Entries::new(&rendered.values), types: Entries::new(&rendered.types) }
    }

    fn bytes(&self) -> usize {
        self.values.bytes() + self.types.bytes()
    }
}

fn weigh(attributes: &[KeyValue], limits: &Limits) -> Option<Cause> {
    let mut scale = Scale::new(limits);
    scale.attributes(attributes).and_then(|()| scale.total()).err()
}

impl<'a> ResourceText<'a> {
    pub(crate) fn new(resource: Option<&Resource>, schema_url: &'a str, limits: &Limits, scratch: &mut Scratch) -> Self {
        let mut text = Self { schema_url, list: None, dropped: 0, entity_refs: String::new(), refused: None };
        if let Some(resource) = resource {
            text.refused = weigh(&resource.attributes, limits);
            let attributes = if text.refused.is_none() { resource.attributes.as_slice() } else { &[] };
            text.list = Some(List::new(attributes, scratch));
            text.dropped = resource.dropped_attributes_count;
            if !resource.entity_refs.is_empty() {
                json::entity_refs(&mut text.entity_refs, &resource.entity_refs);
            }
        }
        text
    }

    /// The text of an attribute; `None` where it is absent or empty.
    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        let mut entries = self.list.iter().flat_map(|list| list.values.iter());
        entries.find(|(name, _)| *name == key)?.1.filter(|text| !text.is_empty())
    }

    /// The service's name, for spans and points.
    pub(crate) fn service_name(&self) -> &str {
        self.attribute("service.name").unwrap_or(UNKNOWN_SERVICE)
    }

    fn bytes(&self) -> usize {
        self.schema_url.len() + self.entity_refs.len() + self.list.as_ref().map_or(0, List::bytes)
    }
}

impl<'a> ScopeText<'a> {
    pub(crate) fn new(
        resource: &ResourceText<'_>,
        scope: Option<&'a InstrumentationScope>,
        schema_url: &'a str,
        limits: &Limits,
        scratch: &mut Scratch,
    ) -> Self {
        let refused = scope.and_then(|scope| weigh(&scope.attributes, limits));
        let list = scope.map(|scope| {
            let attributes = if refused.is_none() { scope.attributes.as_slice() } else { &[] };
            List::new(attributes, scratch)
        });
        let merged = merge(list.as_ref(), resource.list.as_ref());
        Self {
            schema_url,
            name: scope.map_or("", |scope| &scope.name),
            version: scope.map_or("", |scope| &scope.version),
            dropped: scope.map_or(0, |scope| scope.dropped_attributes_count),
            refused: refused.or_else(|| resource.refused.clone()),
            merged: Entries::new(&merged),
            merged_keys: merged.into_iter().map(|(key, _)| key).collect(),
            list,
        }
    }

    /// Whether resource or scope have an attribute of that key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.merged_keys.contains(key)
    }

    /// Bytes that resource and scope put into each row.
    pub(crate) fn bytes(&self, resource: &ResourceText<'_>) -> usize {
        let own = self.schema_url.len() + self.name.len() + self.version.len() + self.list.as_ref().map_or(0, List::bytes);
        own + self.merged.bytes() + resource.bytes()
    }
}

fn merge(scope: Option<&List>, resource: Option<&List>) -> Vec<(String, Option<String>)> {
    let owned = |(key, value): (&str, Option<&str>)| (key.to_owned(), value.map(str::to_owned));
    let mut merged: Vec<_> = scope.into_iter().flat_map(|list| list.values.iter()).map(owned).collect();
    let taken: HashSet<String> = merged.iter().map(|(key, _)| key.clone()).collect();
    let rest = resource.into_iter().flat_map(|list| list.values.iter()).filter(|(key, _)| !taken.contains(*key));
    merged.extend(rest.map(owned));
    merged
}
