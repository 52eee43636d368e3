use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Int32Builder, StringBuilder};
use arrow::error::ArrowError;
use icegate_schema::columns;
use opentelemetry_proto::tonic::common::v1::KeyValue;

use crate::attributes::{MapColumn, distinct};
use crate::batch::{Columns, bits_given, text_given};
use crate::group::{List, ResourceText, ScopeText};
use crate::value::{Scratch, key, render_pair};

/// The columns that logs, spans and metrics share: resource, scope, own attributes and the merged view.
pub(crate) struct Parts {
    attributes: MapColumn,
    resource_attributes: MapColumn,
    resource_types: MapColumn,
    resource_dropped: Int32Builder,
    resource_schema_url: StringBuilder,
    resource_entity_refs: StringBuilder,
    scope_name: StringBuilder,
    scope_version: StringBuilder,
    scope_attributes: MapColumn,
    scope_types: MapColumn,
    scope_dropped: Int32Builder,
    scope_schema_url: StringBuilder,
    record_attributes: MapColumn,
    record_types: MapColumn,
}

impl Parts {
    /// For so many rows with so many attributes of their own in all.
    pub(crate) fn new(rows: usize, attributes: usize) -> Self {
        Self {
            attributes: MapColumn::new(rows, attributes),
            resource_attributes: MapColumn::new(rows, 0),
            resource_types: MapColumn::new(rows, 0),
            resource_dropped: Int32Builder::with_capacity(rows),
            resource_schema_url: StringBuilder::with_capacity(rows, 0),
            resource_entity_refs: StringBuilder::with_capacity(rows, 0),
            scope_name: StringBuilder::with_capacity(rows, 0),
            scope_version: StringBuilder::with_capacity(rows, 0),
            scope_attributes: MapColumn::new(rows, 0),
            scope_types: MapColumn::new(rows, 0),
            scope_dropped: Int32Builder::with_capacity(rows),
            scope_schema_url: StringBuilder::with_capacity(rows, 0),
            record_attributes: MapColumn::new(rows, attributes),
            record_types: MapColumn::new(rows, 0),
        }
    }

    /// A row; the record's own attributes win over the scope's, those over the resource's.
    pub(crate) fn append(
        &mut self,
        resource: &ResourceText<'_>,
        scope: &ScopeText<'_>,
        record: &[KeyValue],
        scratch: &mut Scratch,
    ) -> Result<(), ArrowError> {
        self.record(scope, record, scratch)?;
        list(&mut self.resource_attributes, &mut self.resource_types, resource.list.as_ref())?;
        bits_given(&mut self.resource_dropped, resource.dropped);
        text_given(&mut self.resource_schema_url, resource.schema_url);
        text_given(&mut self.resource_entity_refs, &resource.entity_refs);
        list(&mut self.scope_attributes, &mut self.scope_types, scope.list.as_ref())?;
        bits_given(&mut self.scope_dropped, scope.dropped);
        text_given(&mut self.scope_schema_url, scope.schema_url);
        text_given(&mut self.scope_name, scope.name);
        text_given(&mut self.scope_version, scope.version);
        Ok(())
    }

    fn record(&mut self, scope: &ScopeText<'_>, record: &[KeyValue], scratch: &mut Scratch) -> Result<(), ArrowError> {
        let mut clash = false;
        for pair in distinct(record) {
            let (key, cells) = render_pair(pair, scratch);
            clash = clash || scope.has(&key);
            self.attributes.entry(&key, cells.text);
            self.record_attributes.entry(&key, cells.text);
            if cells.kind.is_some() {
                self.record_types.entry(&key, cells.kind);
            }
        }
        if clash {
            let own: HashSet<_> = record.iter().map(key).collect();
            self.attributes.entries_but(&scope.merged, |key| own.contains(key));
        } else {
            self.attributes.entries(&scope.merged)?;
        }
        self.attributes.close();
        self.record_attributes.close();
        self.record_types.close_or_null();
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Columns, ArrowError> {
        Ok(vec![
            (columns::ATTRIBUTES, self.attributes.finish()?),
            (columns::RESOURCE_ATTRIBUTES, self.resource_attributes.finish()?),
            (columns::RESOURCE_ATTRIBUTE_TYPES, self.resource_types.finish()?),
            (columns::RESOURCE_DROPPED_ATTRIBUTES_COUNT, Arc::new(self.resource_dropped.finish())),
            (columns::RESOURCE_SCHEMA_URL, Arc::new(self.resource_schema_url.finish())),
            (columns::RESOURCE_ENTITY_REFS, Arc::new(self.resource_entity_refs.finish())),
            (columns::SCOPE_NAME, Arc::new(self.scope_name.finish())),
            (columns::SCOPE_VERSION, Arc::new(self.scope_version.finish())),
            (columns::SCOPE_ATTRIBUTES, self.scope_attributes.finish()?),
            (columns::SCOPE_ATTRIBUTE_TYPES, self.scope_types.finish()?),
            (columns::SCOPE_DROPPED_ATTRIBUTES_COUNT, Arc::new(self.scope_dropped.finish())),
            (columns::SCOPE_SCHEMA_URL, Arc::new(self.scope_schema_url.finish())),
            (columns::RECORD_ATTRIBUTES, self.record_attributes.finish()?),
            (columns::RECORD_ATTRIBUTE_TYPES, self.record_types.finish()?),
        ])
    }
}

/// NULL where the message has no resource or scope, an empty map where that has no attributes.
fn list(values: &mut MapColumn, types: &mut MapColumn, list: Option<&List>) -> Result<(), ArrowError> {
    let Some(list) = list else {
        values.null();
        types.null();
        return Ok(());
    };
    values.entries(&list.values)?;
    values.close();
    types.entries(&list.types)?;
    types.close_or_null();
    Ok(())
}
