//! Names and values of what spans have.

use icegate_traceql::ast::{Intrinsic, Scope};
use icegate_traceql::{SpanFilter, Trace, Value, attribute_names, field_values, parse_field, parse_filter};

use super::script::load;

fn trace() -> Trace {
    load(&[
        r#"{"trace":"1","id":"1","name":"a","kind":"server","service":"web","attributes":{"env":"mine","tags":["x","y"],"map":{"k":1}},
"resource":{"env":"prod"},"scope":{"name":"lib","attributes":{"team":"red"}},
           "events":[{"t":"1s","name":"e","attributes":{"k":1}},{"t":"2s","name":"f","attributes":{"k":2}}],
           "links":[{"trace":"2","span":"3","attributes":{"why":"z"}}]}"#,
    ])
    .remove(0)
}

#[test]
fn names_come_by_scope_also_of_what_cant_be_seen() {
    let trace = trace();
    let mut names: Vec<_> = attribute_names(&trace.spans()[0]).map(|(scope, key)| format!("{}.{key}", scope.name())).collect();
    names.sort();
    names.dedup();
    let expected = [
        "event.k",
        "instrumentation.team",
        "link.why",
        "resource.env",
        "resource.service.name",
        "span.env",
        "span.map",
        "span.tags",
    ];
    assert_eq!(names, expected);
    assert!(attribute_names(&trace.spans()[0]).any(|(scope, _)| scope == Scope::Link));
}

#[test]
fn values_are_those_of_all_events_elements_and_scopes() {
    let trace = trace();
    let values = |field: &str| {
        let facts = trace.facts(0);
        field_values(&parse_field(field).unwrap(), trace.id(), &trace.spans()[0], Some(&facts))
    };
    let text = |text: &str| Value::text(text);
    assert_eq!(values(".env"), [text("mine"), text("prod")]);
    assert_eq!(values("span.tags"), [text("x"), text("y")]);
    assert_eq!(values("event.k"), [Value::Int(1), Value::Int(2)]);
    assert_eq!(values("event:name"), [text("e"), text("f")]);
    assert_eq!(values("link:spanID"), [text("0000000000000003")]);
    assert_eq!(values("rootServiceName"), [text("web")]);
    assert_eq!(values("span.map"), []);
    assert_eq!(values("span.missing"), []);
}

#[test]
fn a_filter_runs_on_a_span_alone_and_with_facts() {
    let trace = trace();
    let holds = |filter: &str, facts: bool| {
        let facts = facts.then(|| trace.facts(0));
        let filter = SpanFilter::new(&parse_filter(filter).unwrap()).unwrap();
        filter.holds(trace.id(), &trace.spans()[0], facts.as_ref())
    };
    assert_eq!(holds("{ kind = server && event.k = 2 }", false), Ok(true));
    assert_eq!(holds("{ span.map != nil }", false), Ok(false));
    assert_eq!(holds("{ rootName = \"a\" }", false), Ok(false));
    assert_eq!(holds("{ rootName = \"a\" }", true), Ok(true));
}

#[test]
fn all_intrinsics_but_the_numbering_are_offered_in_both_forms() {
    let listed: Vec<_> = Intrinsic::listed().collect();
    assert_eq!(listed.len(), 25);
    for name in ["duration", "span:duration", "trace:rootService", "link:traceID"] {
        assert!(listed.contains(&name), "{name}");
    }
    for name in ["nestedSetLeft", "span:childCount"] {
        assert!(!listed.contains(&name) && Intrinsic::named(name).is_some(), "{name}");
    }
}
