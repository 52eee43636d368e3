use arrow::array::{Int32Array, StringArray, StructArray};
use icegate_schema::columns;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::error::OtlpError;
use crate::rebuild::attributes::Attributes;
use crate::rebuild::cells::{bits, column, given_text, text};
use crate::rebuild::value::read;

/// The columns of resource and scope, and the record's own attributes.
pub(super) struct Parts<'a> {
    resource: Attributes<'a>,
    resource_dropped: &'a Int32Array,
    resource_schema_url: &'a StringArray,
    entity_refs: &'a StringArray,
    scope: Attributes<'a>,
    scope_name: &'a StringArray,
    scope_version: &'a StringArray,
    scope_dropped: &'a Int32Array,
    scope_schema_url: &'a StringArray,
    pub(super) record: Attributes<'a>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(rows: &'a StructArray) -> Result<Self, OtlpError> {
        Ok(Self {
            resource: Attributes::new(rows, columns::RESOURCE_ATTRIBUTES, columns::RESOURCE_ATTRIBUTE_TYPES)?,
            resource_dropped: column(rows, columns::RESOURCE_DROPPED_ATTRIBUTES_COUNT)?,
            resource_schema_url: column(rows, columns::RESOURCE_SCHEMA_URL)?,
            entity_refs: column(rows, columns::RESOURCE_ENTITY_REFS)?,
            scope: Attributes::new(rows, columns::SCOPE_ATTRIBUTES, columns::SCOPE_ATTRIBUTE_TYPES)?,
            scope_name: column(rows, columns::SCOPE_NAME)?,
            scope_version: column(rows, columns::SCOPE_VERSION)?,
            scope_dropped: column(rows, columns::SCOPE_DROPPED_ATTRIBUTES_COUNT)?,
            scope_schema_url: column(rows, columns::SCOPE_SCHEMA_URL)?,
            record: Attributes::new(rows, columns::RECORD_ATTRIBUTES, columns::RECORD_ATTRIBUTE_TYPES)?,
        })
    }

    pub(super) fn group(&self, row: usize) -> Result<Group, OtlpError> {
        Ok(Group {
            resource: self.resource(row)?,
            resource_schema_url: text(self.resource_schema_url, row),
            scope: self.scope(row)?,
            scope_schema_url: text(self.scope_schema_url, row),
        })
    }

    fn resource(&self, row: usize) -> Result<Option<Resource>, OtlpError> {
        let Some(attributes) = self.resource.given(row)? else { return Ok(None) };
        let entity_refs = given_text(self.entity_refs, row).map(|json| read(columns::RESOURCE_ENTITY_REFS, json));
        Ok(Some(Resource {
            attributes,
            dropped_attributes_count: bits(self.resource_dropped, row),
            entity_refs: entity_refs.transpose()?.unwrap_or_default(),
        }))
    }

    fn scope(&self, row: usize) -> Result<Option<InstrumentationScope>, OtlpError> {
        let Some(attributes) = self.scope.given(row)? else { return Ok(None) };
        Ok(Some(InstrumentationScope {
            name: text(self.scope_name, row),
            version: text(self.scope_version, row),
            attributes,
            dropped_attributes_count: bits(self.scope_dropped, row),
        }))
    }
}

/// Resource and scope of a row.
pub(super) struct Group {
    pub(super) resource: Option<Resource>,
    pub(super) resource_schema_url: String,
    pub(super) scope: Option<InstrumentationScope>,
    pub(super) scope_schema_url: String,
}

/// Which levels of a row begin anew after the row before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// Resource and scope.
    Resource,
    /// The scope.
    Scope,
    /// Neither.
    Nothing,
}

/// Resource and scope of the row before, as bytes: equal bytes are equal messages, NaN included.
#[derive(Default)]
pub(super) struct Before(Option<[Vec<u8>; 2]>);

impl Before {
    pub(super) fn begins(&mut self, group: &Group) -> Begins {
        let resource = identity(group.resource.as_ref(), &group.resource_schema_url);
        let scope = identity(group.scope.as_ref(), &group.scope_schema_url);
        let begins = match &self.0 {
            Some([same, scope_before]) if *same == resource => {
                if *scope_before == scope {
                    Begins::Nothing
                } else {
                    Begins::Scope
                }
            }
            _ => Begins::Resource,
        };
        self.0 = Some([resource, scope]);
        begins
    }
}

/// Bytes that are equal for equal messages, whether present or not.
fn identity<M: Message>(message: Option<&M>, schema_url: &str) -> Vec<u8> {
    let mut bytes = vec![u8::from(message.is_some())];
    bytes.extend(message.map(Message::encode_length_delimited_to_vec).unwrap_or_default());
    bytes.extend(schema_url.as_bytes());
    bytes
}
