use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::object::Object;

/// What the telemetry is about.
pub(super) fn resource(object: &mut Object<'_>, resource: Option<&Resource>) {
    if let Some(resource) = resource {
        object.object("resource", |object| {
            attributes(object, "attributes", &resource.attributes);
            object.small("droppedAttributesCount", resource.dropped_attributes_count);
            object.objects("entityRefs", &resource.entity_refs, entity);
        });
    }
}

pub(super) fn scope(object: &mut Object<'_>, scope: Option<&InstrumentationScope>) {
    if let Some(scope) = scope {
        object.object("scope", |object| {
            object.text("name", &scope.name);
            object.text("version", &scope.version);
            attributes(object, "attributes", &scope.attributes);
            object.small("droppedAttributesCount", scope.dropped_attributes_count);
        });
    }
}

pub(super) fn attributes(object: &mut Object<'_>, key: &str, pairs: &[KeyValue]) {
    object.objects(key, pairs, pair);
}

pub(super) fn optional(object: &mut Object<'_>, key: &str, value: Option<&AnyValue>) {
    if let Some(value) = value {
        object.object(key, |object| any(object, value));
    }
}

fn entity(object: &mut Object<'_>, entity: &EntityRef) {
    object.text("schemaUrl", &entity.schema_url);
    object.text("type", &entity.r#type);
    object.texts("idKeys", &entity.id_keys);
    object.texts("descriptionKeys", &entity.description_keys);
}

fn pair(object: &mut Object<'_>, pair: &KeyValue) {
    object.any_text("key", &pair.key);
    object.small("keyStrindex", pair.key_strindex);
    optional(object, "value", pair.value.as_ref());
}

fn any(object: &mut Object<'_>, value: &AnyValue) {
    match &value.value {
        None => {}
        Some(Value::StringValue(text)) => object.any_text("stringValue", text),
        Some(Value::BoolValue(truth)) => object.any_small("boolValue", truth),
        Some(Value::IntValue(number)) => object.any_large("intValue", number),
        Some(Value::DoubleValue(number)) => object.any_float("doubleValue", *number),
        Some(Value::ArrayValue(array)) => object.object("arrayValue", |object| object.all_objects("values", &array.values, any)),
        Some(Value::KvlistValue(list)) => object.object("kvlistValue", |object| object.all_objects("values", &list.values, pair)),
        Some(Value::BytesValue(bytes)) => object.base64("bytesValue", bytes),
        Some(Value::StringValueStrindex(index)) => object.any_small("stringValueStrindex", index),
    }
}
