use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::Json;
use super::message::{Many, Scalars, message};
use super::scalar::{Bool, Bytes, F64, I32, I64, Text, U32};

message!(AnyValue, "AnyValue", |any, value| {
    "stringValue" | "string_value": Text => any.value = Some(Value::StringValue(value));
    "boolValue" | "bool_value": Bool => any.value = Some(Value::BoolValue(value));
    "intValue" | "int_value": I64 => any.value = Some(Value::IntValue(value));
    "doubleValue" | "double_value": F64 => any.value = Some(Value::DoubleValue(value));
    "arrayValue" | "array_value": Json<ArrayValue> => any.value = Some(Value::ArrayValue(value));
    "kvlistValue" | "kvlist_value": Json<KeyValueList> => any.value = Some(Value::KvlistValue(value));
    "bytesValue" | "bytes_value": Bytes => any.value = Some(Value::BytesValue(value));
    "stringValueStrindex" | "string_value_strindex": I32 => any.value = Some(Value::StringValueStrindex(value));
});

message!(ArrayValue, "ArrayValue", |array, value| {
    "values": Many<AnyValue> => array.values = value;
});

message!(KeyValueList, "KeyValueList", |list, value| {
    "values": Many<KeyValue> => list.values = value;
});

message!(KeyValue, "KeyValue", |pair, value| {
    "key": Text => pair.key = value;
    "value": Json<AnyValue> => pair.value = Some(value);
    "keyStrindex" | "key_strindex": I32 => pair.key_strindex = value;
});

message!(InstrumentationScope, "InstrumentationScope", |scope, value| {
    "name": Text => scope.name = value;
    "version": Text => scope.version = value;
    "attributes": Many<KeyValue> => scope.attributes = value;
    "droppedAttributesCount" | "dropped_attributes_count": U32 => scope.dropped_attributes_count = value;
});

message!(EntityRef, "EntityRef", |entity, value| {
    "schemaUrl" | "schema_url": Text => entity.schema_url = value;
    "type": Text => entity.r#type = value;
    "idKeys" | "id_keys": Scalars<String> => entity.id_keys = value;
    "descriptionKeys" | "description_keys": Scalars<String> => entity.description_keys = value;
});

message!(Resource, "Resource", |resource, value| {
    "attributes": Many<KeyValue> => resource.attributes = value;
    "droppedAttributesCount" | "dropped_attributes_count": U32 => resource.dropped_attributes_count = value;
    "entityRefs" | "entity_refs": Many<EntityRef> => resource.entity_refs = value;
});

impl<'de> serde::de::Deserialize<'de> for Json<Vec<EntityRef>> {
    fn deserialize<D: serde::de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Many::deserialize(deserializer).map(|Many(entities)| Self(entities))
    }
}
